"""NNCF, kept silent and to itself: its messages and its bars.

The only module that imports it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from types import ModuleType

import openvino as ov

from subvino.errors import MissingExtraError


def quantize(
    model: ov.Model,
    inputs: Iterable[object],
    n_inputs: int,
    alpha: float,
    left_out: Sequence[str] = (),
) -> ov.Model:
    """The graph with 8-bit weights and statically quantized activations; `model` stays as it is.

    inputs: what it is fed, a dictionary by name each; iterated over more than once.
    alpha: of SmoothQuant for matrix products, in [0, 1]: how far the range of the activations is
        moved into the weights.
    left_out: names of operations that are not quantized.
    """
    nncf = load_nncf()
    parameters = nncf.AdvancedQuantizationParameters(
        smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=alpha)
    )
    scope = nncf.IgnoredScope(names=list(left_out)) if left_out else None
    with _silence():
        return nncf.quantize(
            model.clone(),
            nncf.Dataset(inputs),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=n_inputs,
            ignored_scope=scope,
            advanced_parameters=parameters,
        )


def compress(model: ov.Model, group_size: int) -> ov.Model:
    """The graph with 4-bit weights, a scale for each group; a few matrices stay at 8 bits."""
    nncf = load_nncf()
    with _silence():
        return nncf.compress_weights(
            model.clone(), mode=nncf.CompressWeightsMode.INT4_SYM, group_size=group_size
        )


def load_nncf() -> ModuleType:
    """NNCF, imported; raises MissingExtraError where it is not installed."""
    try:
        import nncf
    except ImportError as error:
        raise MissingExtraError("quantize", "quantizing") from error
    nncf.set_log_level(logging.ERROR)
    module: ModuleType = nncf
    return module


@contextmanager
def _silence() -> Iterator[None]:
    """Its bars go to stdout, where a program reads our results."""
    with redirect_stdout(io.StringIO()):
        yield
