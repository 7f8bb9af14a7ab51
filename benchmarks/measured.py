"""Run a command on so many cores and write down what it took: CORES FIGURES COMMAND...

A process of its own, and a small one: the peak memory that the kernel tells of a child is at least
that of the process it was forked from.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

cores, figures, *command = sys.argv[1:]
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
begin = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - begin
cpu = usage.ru_utime + usage.ru_stime
row = {"seconds": seconds, "cpu": cpu, "peak_mib": usage.ru_maxrss / 1024}
Path(figures).write_text(json.dumps(row), encoding="utf-8")
code = os.waitstatus_to_exitcode(status)
if code < 0:  # else the last thing it said would pass for the reason
    print(f"ended by {signal.Signals(-code).name}", file=sys.stderr)
sys.exit(abs(code))
