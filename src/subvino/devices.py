"""What OpenVINO can compute on here, which device to take, and how to compile for it.

Floor 1 of the road. `CPU`, `GPU` (Intel graphics), `NPU`; with several of a kind `GPU.0`, `GPU.1`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from subvino.errors import DeviceError

AUTO = "AUTO"

Precision = Literal["fast", "reference"]
"""fast: what the device is best at (bf16 on a CPU that has it, else f32; f16 on a GPU).
reference: f32 with every shortcut off, to compare with other implementations."""

Properties = dict[str, str | int]
"""What `Core.compile_model` takes, by OpenVINO's own names."""

CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Device:
    """A device OpenVINO sees.

    name: what `--device` takes.
    full_name: the maker's name for it.
    capabilities: OpenVINO's OPTIMIZATION_CAPABILITIES, such as FP32, BF16, INT8.
    """

    name: str
    full_name: str
    capabilities: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """CPU, GPU or NPU: the name without its number."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A line of `subvino devices`; is_default marks what AUTO takes."""

    name: str
    full_name: str
    precision: str
    is_default: bool


def list_devices() -> tuple[Device, ...]:
    """The devices OpenVINO sees on this machine; the CPU is always one of them."""
    from openvino import Core

    core = Core()
    return tuple(
        Device(
            name,
            str(core.get_property(name, "FULL_DEVICE_NAME")).strip(),
            tuple(core.get_property(name, "OPTIMIZATION_CAPABILITIES")),
        )
        for name in core.available_devices
    )


def choose_device(wanted: str = AUTO) -> str:
    """The device to compute on: the name OpenVINO knows it by.

    Raises DeviceError, which lists what there is, if `wanted` is not there.
    """
    return pick(wanted, list_devices()).name


def pick(wanted: str, devices: Sequence[Device]) -> Device:
    """The device that `wanted` names, in any case.

    AUTO is a graphics card, else built-in graphics, else the CPU. An NPU is taken only by name: it
    wants every shape fixed beforehand, and our batches grow and shrink. A kind without a number is
    the first of its kind.

    >>> pick("cpu", [Device("CPU", "some processor")]).name
    'CPU'
    """
    name = wanted.strip().upper()
    if name == AUTO:
        return min(devices, key=_auto_rank)
    for device in devices:
        if name in (device.name, device.kind):
            return device
    raise DeviceError(wanted, (AUTO, *(device.name for device in devices)))


def _auto_rank(device: Device) -> int:
    """The lower the sooner AUTO takes it; OpenVINO writes (dGPU) after the name of a card."""
    if device.kind == "GPU":
        return 0 if "(dGPU)" in device.full_name else 1
    return 2 if device.kind == "CPU" else 3


def describe() -> tuple[DeviceRow, ...]:
    """The lines of `subvino devices`."""
    return to_rows(list_devices())


def to_rows(devices: Sequence[Device]) -> tuple[DeviceRow, ...]:
    """A line for each device: its name, the maker's name, the precision it would compute in."""
    default = pick(AUTO, devices)
    return tuple(
        DeviceRow(device.name, device.full_name, best_precision(device), device == default)
        for device in devices
    )


def best_precision(device: Device) -> str:
    """The element type in which the device is fastest without a loss that words show."""
    preferred = {"CPU": "BF16", "GPU": "FP16", "NPU": "FP16"}.get(device.kind)
    if preferred in device.capabilities:
        return "bf16" if preferred == "BF16" else "f16"
    return "f32"


def compile_properties(
    device: str,
    *,
    threads: int | None = None,
    precision: Precision = "fast",
    cache_dir: Path | None = None,
) -> Properties:
    """How to compile for a device of `list_devices`; see `to_properties`."""
    found = pick(device, list_devices())
    return to_properties(found, threads=threads, precision=precision, cache_dir=cache_dir)


def to_properties(
    device: Device,
    *,
    threads: int | None = None,
    precision: Precision = "fast",
    cache_dir: Path | None = None,
) -> Properties:
    """OpenVINO's properties to compile a model with.

    threads: CPU threads (default: `count_usable_cores`); other devices take no notice.
    cache_dir: where compiled models are kept, so that the second start is quick.
    """
    properties: Properties = {"PERFORMANCE_HINT": "LATENCY"}
    if cache_dir is not None:
        properties["CACHE_DIR"] = str(cache_dir)
    if precision == "reference":
        properties["EXECUTION_MODE_HINT"] = "ACCURACY"
    # An NPU chooses its precision itself and has no property for it.
    if device.kind != "NPU":
        wanted = "f32" if precision == "reference" else best_precision(device)
        properties["INFERENCE_PRECISION_HINT"] = wanted
    if device.kind == "CPU":
        properties["NUM_STREAMS"] = 1
        properties["INFERENCE_NUM_THREADS"] = threads or count_usable_cores()
        # Each process would pin its threads from the first core on: two of one thread shared
        # one core, whatever else was idle.
        properties["ENABLE_CPU_PINNING"] = False
    return properties


def count_usable_cores() -> int:
    """Cores this process may use: its affinity, and the share of time its container is given.

    With a thread for each of a server's 64 cores and time for 2 of them, the threads of a
    container would mostly wait for each other.
    """
    # Windows and macOS have no affinity that Python can ask for.
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quota = read_quota(CGROUP)
    return cores if quota is None else min(cores, quota)


def read_quota(cgroup: Path) -> int | None:
    """Cores' worth of time a container is given, rounded up, or None if that is not limited.

    Source: the kernel's admin-guide/cgroup-v2.rst (`cpu.max`) and scheduler/sched-bwc.rst (v1).
    """
    try:
        if (cgroup / "cpu.max").is_file():
            quota, period = (cgroup / "cpu.max").read_text().split()
        else:
            quota = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text()
        cores = math.ceil(int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        # "max", no such file, or a layout we don't know: no limit that we know of.
        return None
    return cores if cores > 0 else None
