from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from openvino import Core, Model
from openvino import opset15 as op

from subvino.devices import (
    AUTO,
    Device,
    choose_device,
    compile_properties,
    count_usable_cores,
    describe,
    list_devices,
    pick,
    read_quota,
    to_properties,
    to_rows,
)
from subvino.errors import DeviceError

CPU = Device("CPU", "Some Processor", ("FP32", "BF16", "INT8"))
OLD_CPU = Device("CPU", "Old Processor", ("FP32", "INT8"))
GRAPHICS = Device("GPU.0", "Some Graphics (iGPU)", ("FP32", "FP16"))
CARD = Device("GPU.1", "Some Card (dGPU)", ("FP32", "FP16"))
NPU = Device("NPU", "Some NPU", ("FP16", "INT8"))


def test_the_cpu_is_always_there() -> None:
    names = [device.name for device in list_devices()]
    assert "CPU" in names
    assert choose_device("cpu") == "CPU"


@pytest.mark.parametrize(
    ("devices", "name"),
    [
        ([CPU], "CPU"),
        ([CPU, NPU], "CPU"),
        ([CPU, GRAPHICS, NPU], "GPU.0"),
        ([CPU, GRAPHICS, CARD], "GPU.1"),
    ],
)
def test_auto_takes_a_card_then_graphics_then_the_cpu(devices: list[Device], name: str) -> None:
    assert pick(AUTO, devices).name == name


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("gpu.1", "GPU.1"), ("GPU", "GPU.0"), ("npu", "NPU"), (" Cpu ", "CPU"), ("auto", "GPU.1")],
)
def test_a_device_is_named_in_any_case_and_with_or_without_number(wanted: str, name: str) -> None:
    assert pick(wanted, [CPU, GRAPHICS, CARD, NPU]).name == name


@pytest.mark.parametrize("wanted", ["GPU.7", "TPU", "", "MULTI:CPU,GPU"])
def test_a_device_that_is_not_there_is_refused_with_the_list(wanted: str) -> None:
    with pytest.raises(DeviceError) as caught:
        pick(wanted, [CPU, CARD])
    assert caught.value.available == ("AUTO", "CPU", "GPU.1")
    assert "AUTO, CPU, GPU.1" in str(caught.value)


def test_rows_name_the_precision_and_mark_what_auto_takes() -> None:
    rows = to_rows([OLD_CPU, CARD, NPU])
    assert [row.precision for row in rows] == ["f32", "f16", "f16"]
    assert [row.is_default for row in rows] == [False, True, False]
    assert sum(row.is_default for row in describe()) == 1


def test_each_device_gets_the_properties_it_knows() -> None:
    assert to_properties(CPU, threads=3, cache_dir=Path("kept")) == {
        "PERFORMANCE_HINT": "LATENCY",
        "CACHE_DIR": "kept",
        "INFERENCE_PRECISION_HINT": "bf16",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": 3,
        "ENABLE_CPU_PINNING": False,
    }
    assert to_properties(OLD_CPU)["INFERENCE_PRECISION_HINT"] == "f32"
    assert to_properties(CARD) == {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f16",
    }
    assert to_properties(NPU) == {"PERFORMANCE_HINT": "LATENCY"}


def test_reference_mode_is_f32_with_every_shortcut_off() -> None:
    properties = to_properties(CPU, precision="reference")
    assert properties["INFERENCE_PRECISION_HINT"] == "f32"
    assert properties["EXECUTION_MODE_HINT"] == "ACCURACY"


def product() -> Model:
    """x → x · 1.001: a factor that bf16 can't hold."""
    x = op.parameter([1, 64], np.float32)
    factor = op.constant(np.eye(64, dtype=np.float32) * np.float32(1.001))
    return Model([op.matmul(x, factor, False, False)], [x])


@pytest.mark.parametrize("precision", ["fast", "reference"])
def test_openvino_takes_the_properties(precision: str, tmp_path: Path) -> None:
    properties = compile_properties(
        "CPU",
        threads=1,
        precision="reference" if precision == "reference" else "fast",
        cache_dir=tmp_path,
    )
    compiled = Core().compile_model(product(), "CPU", properties)
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 1
    assert compiled.get_property("NUM_STREAMS") == 1
    assert compiled.get_property("ENABLE_CPU_PINNING") is False
    assert list(tmp_path.iterdir()), "the compiled model is kept"
    if precision == "reference":
        ones = np.ones((1, 64), np.float32)
        np.testing.assert_allclose(compiled(ones)[0], ones * np.float32(1.001), rtol=1e-6)


def test_threads_are_the_cores_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 6}, raising=False)
    monkeypatch.setattr("subvino.devices.CGROUP", Path("nowhere"))
    assert count_usable_cores() == 3
    assert to_properties(CPU)["INFERENCE_NUM_THREADS"] == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert count_usable_cores() == 1


def test_a_container_that_gets_less_time_gets_fewer_threads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("subvino.devices.CGROUP", tmp_path)
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert count_usable_cores() == 2


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", None),
        ("50000 100000\n", 1),
        ("400000 100000", 4),
        ("", None),
        ("1 0", None),
    ],
)
def test_the_share_of_a_container_is_read(tmp_path: Path, text: str, cores: int | None) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert read_quota(tmp_path) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", None), ("250000", 3)])
def test_the_share_of_an_older_container_is_read(
    tmp_path: Path, quota: str, cores: int | None
) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert read_quota(tmp_path) == cores
