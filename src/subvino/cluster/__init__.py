"""One call's work on the machines of a Ray cluster (extra `cluster`).

Floor 5 of the road. Workers hold the model; they read media, find the windows in them, and
recognize windows, a span at a time. The driver decides who does what, keeps the journals, puts the
results in order and writes the files. A window's text depends on nothing but the window, the
options and what was heard before it (`recognizer.Carry`), so the files are those of a single
machine, byte for byte, whichever worker did what, and however often it was begun.

    with Cluster(ClusterOptions("auto")) as cluster:
        stream = cluster("base", EngineOptions()).open("talk.mp4")
"""

from __future__ import annotations

from subvino.cluster.cluster import Cluster, ClusterOptions
from subvino.cluster.transcriber import ClusterTranscriber

__all__ = ["Cluster", "ClusterOptions", "ClusterTranscriber"]
