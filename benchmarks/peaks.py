"""What this machine can do at most: matrix products through OpenVINO, and copies in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import openvino as ov
from openvino import opset15 as ops

Precision = Literal["f32", "bf16", "int8"]

_ORDER, _LAYERS = 2048, 4
"""Products of square matrices, one after the other: large enough that nothing else counts."""
_COPY_BYTES = 256 * 2**20
"""Of all threads' parts together: many times any cache."""
_SECONDS = 4.0
"""For which each measurement is repeated; the best counts, which is what a peak is."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """flops: by precision, of multiplications and additions, a second. bandwidth: bytes a second,
    read and written; kernels: the ones that ran, as OpenVINO names them.
    """

    flops: dict[Precision, float]
    bandwidth: float
    kernels: dict[Precision, str]


def measure_peaks(threads: int) -> Peaks:
    flops, kernels = dict[Precision, float](), dict[Precision, str]()
    for precision in ("f32", "bf16", "int8"):
        compiled = _compile(precision, threads)
        request = compiled.create_infer_request()
        request.set_input_tensor(ov.Tensor(np.full((_ORDER, _ORDER), 0.5, np.float32)))
        flops[precision] = 2.0 * _ORDER**3 * _LAYERS / _best(request.infer)
        kernels[precision] = _kernel(compiled)
    return Peaks(flops, 2 * _COPY_BYTES / _best(_copier(threads)), kernels)


def _compile(precision: Precision, threads: int) -> ov.CompiledModel:
    properties = {
        "INFERENCE_NUM_THREADS": str(threads),
        "INFERENCE_PRECISION_HINT": "f32" if precision == "f32" else "bf16",
        "NUM_STREAMS": "1",
    }
    return ov.Core().compile_model(_products(quantized=precision == "int8"), "CPU", properties)


def _products(*, quantized: bool) -> ov.Model:
    draw = np.random.default_rng(0)
    value = source = ops.parameter([_ORDER, _ORDER], np.float32)
    for _ in range(_LAYERS):
        if quantized:
            value = ops.fake_quantize(value, *map(_number, (0.0, 2.55, 0.0, 2.55)), 256)
            matrix = _codes(draw)
        else:
            matrix = ops.constant(draw.standard_normal((_ORDER, _ORDER)).astype(np.float32) / 64)
        value = ops.matmul(value, matrix, transpose_a=False, transpose_b=True)
    return ov.Model([ops.result(value)], [source])


def _codes(draw: np.random.Generator) -> ov.Node:
    """Weights in 8 bits with a scale, as static quantization leaves them."""
    codes = draw.integers(-127, 128, (_ORDER, _ORDER)).astype(np.int8)
    return ops.multiply(ops.convert(ops.constant(codes), np.float32), _number(1 / 8192))


def _number(value: float) -> ov.Node:
    return ops.constant(np.float32(value))


def _kernel(compiled: ov.CompiledModel) -> str:
    """Of the products; int8 that falls back to floats would show here."""
    infos = [node.get_rt_info() for node in compiled.get_runtime_model().get_ordered_ops()]
    kinds = [
        info["primitiveType"].astype(str)
        for info in infos
        if info["layerType"].astype(str) in ("FullyConnected", "MatMul")
    ]
    return " ".join(sorted(set(kinds)))


def _copier(threads: int) -> Callable[[], None]:
    """Copies between arrays, a part to each thread (the first kernel of McCalpin's STREAM)."""
    part = _COPY_BYTES // threads // 8
    pairs = [(np.zeros(part), np.ones(part)) for _ in range(threads)]
    pool = ThreadPoolExecutor(threads)

    def copy_all() -> None:
        list(pool.map(lambda pair: np.copyto(*pair), pairs))

    return copy_all


def _best(run: Callable[[], object]) -> float:
    """Seconds of the fastest of many runs."""
    run()
    best, begin = float("inf"), time.perf_counter()
    while time.perf_counter() < begin + _SECONDS:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best
