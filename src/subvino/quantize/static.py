"""One graph made static INT8: what does not bear it left out, the best of several alphas taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import openvino as ov

from subvino.quantize.nncf_backend import quantize
from subvino.quantize.options import Part, StaticOptions
from subvino.quantize.recording import Array, CountProgress, DecoderInputs, Recording
from subvino.quantize.sensitivity import (
    Sample,
    choose_left_out,
    error_meter,
    find_quantizers,
    measure_sensitivity,
)

_N_PROBES = {"encoder": 2, "decoder": 8}
"""Windows and steps that errors are measured on."""


@dataclass(frozen=True, slots=True)
class StaticPart:
    """A quantized graph and how it was made.

    left_out: operations that stay as they are. errors: by alpha, the relative error of the outputs
        on recorded inputs; weights_error: of 8-bit weights by themselves, None where it was not
        looked for.
    """

    model: ov.Model
    alpha: float
    left_out: tuple[str, ...]
    errors: dict[float, float]
    weights_error: float | None

    @property
    def n_quantizers(self) -> int:
        """Activations that are quantized."""
        return sum(1 for _ in find_quantizers(self.model))


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a graph is fed; `probes` are those that errors are measured on."""

    every: Sequence[Sample] | DecoderInputs
    probes: Sequence[Sample]


def encoder_inputs(recording: Recording) -> Inputs:
    """The windows recorded."""
    every: list[dict[str, Array]] = [{"mel": mel} for mel in recording.mels]
    return Inputs(every, _probes(every, _N_PROBES["encoder"]))


def decoder_inputs(encoder: ov.Model, recording: Recording) -> Inputs:
    """The steps recorded; the encoder with 16-bit weights gives the windows' keys and values."""
    every = DecoderInputs(encoder, recording)
    return Inputs(every, _probes(every, _N_PROBES["decoder"]))


def _probes(every: Sequence[Sample] | DecoderInputs, count: int) -> list[Sample]:
    return list(islice(every, 0, len(every), -(-len(every) // count)))


def make_static(
    part: Part, model: ov.Model, inputs: Inputs, options: StaticOptions, progress: CountProgress
) -> StaticPart:
    """The graph quantized; `model` has 16-bit weights and stays as it is."""
    never = attention_products(model) if part == "decoder" else ()
    n_runs = len(options.alphas) + options.looks_for_left_out

    def run(alpha: float, left_out: Sequence[str], done: int) -> ov.Model:
        progress(f"quantize {part}", done, n_runs)
        return quantize(model, inputs.every, len(inputs.every), alpha, left_out)

    left_out, weights_error = never, None
    if options.looks_for_left_out:
        first = run(options.alphas[0], never, 0)
        sensitivity = measure_sensitivity(model, first, inputs.probes, progress)
        left_out = (*never, *choose_left_out(sensitivity, options.left_out_above))
        weights_error = sensitivity.weights_error**0.5
    measure = error_meter(model, inputs.probes)
    made: dict[float, tuple[float, ov.Model]] = {}
    for i, alpha in enumerate(options.alphas):
        quantized = run(alpha, left_out, i + options.looks_for_left_out)
        made[alpha] = measure(quantized) ** 0.5, quantized
    progress(f"quantize {part}", n_runs, n_runs)
    best = min(made, key=lambda alpha: made[alpha][0])
    errors = {alpha: error for alpha, (error, _) in made.items()}
    return StaticPart(made[best][1], best, left_out, errors, weights_error)


def attention_products(model: ov.Model) -> tuple[str, ...]:
    """Names of the products of two activations.

    In the decoder one side of them are the keys and values of the window and of all earlier tokens:
    those would be quantized anew at every token, and attention weights near 0 would be lost.
    """
    return tuple(
        node.get_friendly_name()
        for node in model.get_ordered_ops()
        if node.get_type_name() == "MatMul" and not _is_constant(node.input_value(1).get_node())
    )


def _is_constant(node: ov.Node) -> bool:
    """Whether a node is a weight, as stored or decompressed."""
    if node.get_type_name() == "Constant":
        return True
    foldable = node.get_type_name() in {"Convert", "Multiply", "Subtract", "Reshape"}
    return foldable and all(_is_constant(value.get_node()) for value in node.input_values())
