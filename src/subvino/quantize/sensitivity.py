"""Which activations bear 8 bits: each quantizer's own share in the error of the outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import openvino as ov

from subvino.quantize.recording import Array, CountProgress

Sample = Mapping[str, Array]

_EXACT = {"EXECUTION_MODE_HINT": "ACCURACY"}
_RUN = {"INFERENCE_PRECISION_HINT": "f32"}
"""So that the quantizers alone make the difference, not bf16."""
_PRODUCTS = frozenset({"MatMul", "Convolution"})


@dataclass(frozen=True, slots=True)
class Quantizer:
    """A quantizer of activations.

    operations: names of the products that it feeds.
    added: what it adds to the squared relative error of the outputs when it is the only one.
    """

    name: str
    operations: tuple[str, ...]
    added: float


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """weights_error: squared relative error that the 8-bit weights make by themselves."""

    weights_error: float
    quantizers: tuple[Quantizer, ...]


def measure_sensitivity(
    original: ov.Model, quantized: ov.Model, samples: Sequence[Sample], progress: CountProgress
) -> Sensitivity:
    """What each quantizer of `quantized` does to the outputs, all the others taken out."""
    measure = error_meter(original, samples)
    nodes = list(find_quantizers(quantized))
    weights_error = measure(without(quantized, {node.get_friendly_name() for node in nodes}))
    found = []
    for i, node in enumerate(nodes):
        progress("find what does not bear it", i, len(nodes))
        name = node.get_friendly_name()
        others = {other.get_friendly_name() for other in nodes} - {name}
        error = measure(without(quantized, others))
        found.append(Quantizer(name, operations_fed(node), max(0.0, error - weights_error)))
    progress("find what does not bear it", len(nodes), len(nodes))
    return Sensitivity(weights_error, tuple(found))


def choose_left_out(sensitivity: Sensitivity, limit: float) -> tuple[str, ...]:
    """Names of the operations whose input adds more than `limit` times the weights' own error."""
    most = limit * sensitivity.weights_error
    names = [
        name
        for quantizer in sensitivity.quantizers
        if quantizer.added > most
        for name in quantizer.operations
    ]
    return tuple(dict.fromkeys(names))


def error_meter(original: ov.Model, samples: Sequence[Sample]) -> Callable[[ov.Model], float]:
    """A function that gives a graph's squared relative error against the original.

    The mean over samples and outputs; all samples' outputs of the original are kept.
    """
    wanted = list(_outputs(original, samples, _EXACT))

    def measure(model: ov.Model) -> float:
        pairs = zip(_outputs(model, samples, _RUN), wanted, strict=True)
        errors = [_relative(*outputs) for sample in pairs for outputs in zip(*sample, strict=True)]
        return float(np.mean(errors))

    return measure


def _outputs(
    model: ov.Model, samples: Sequence[Sample], properties: Mapping[str, str]
) -> Iterator[list[Array]]:
    compiled = ov.Core().compile_model(model, "CPU", properties)
    request = compiled.create_infer_request()
    names = {port.any_name for port in compiled.inputs}
    for sample in samples:
        request.infer({name: value for name, value in sample.items() if name in names})
        yield [request.get_tensor(port).data.copy() for port in compiled.outputs]


def _relative(found: Array, wanted: Array) -> float:
    size = float(np.square(wanted, dtype=np.float64).sum())
    return float(np.square(found - wanted, dtype=np.float64).sum()) / max(size, 1e-30)


def find_quantizers(model: ov.Model) -> Iterator[ov.Node]:
    """The quantizers of activations, in order; those of weights are folded into constants."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "FakeQuantize":
            yield node


def without(model: ov.Model, names: set[str]) -> ov.Model:
    """A copy of the graph in which these quantizers let everything through."""
    copy = model.clone()
    for node in find_quantizers(copy):
        if node.get_friendly_name() in names:
            node.output(0).replace(node.input_value(0))
    return copy


def operations_fed(quantizer: ov.Node) -> tuple[str, ...]:
    """Names of the products that read the quantizer's output, straight or turned and reshaped."""
    found: list[str] = []
    waiting = [quantizer]
    while waiting:
        for port in waiting.pop().output(0).get_target_inputs():
            node = port.get_node()
            if node.get_type_name() in _PRODUCTS:
                found.append(node.get_friendly_name())
            elif node.get_output_size() == 1:
                waiting.append(node)
    return tuple(sorted(set(found)))
