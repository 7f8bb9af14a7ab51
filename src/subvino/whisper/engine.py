"""The compiled network: graphs on a device, and the tensors that pass between them.

Floor 2 of the road. Knows nothing of windows or text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import openvino as ov

from subvino.graphs.chooser import Vocabulary, build_chooser
from subvino.network import ModelFolder

Properties = Mapping[str, str | int | bool]

INT32 = npt.NDArray[np.int32]
FLOAT32 = npt.NDArray[np.float32]

_BATCH_BYTES = 400 * 2**20
_CACHE_TYPES = {"bf16": ov.Type.bf16, "f16": ov.Type.f16}


@dataclass(frozen=True, slots=True)
class RowRules:
    """What each row may say next; arrays of one value a row, see `graphs.chooser`."""

    text: FLOAT32
    end: FLOAT32
    first: FLOAT32
    earliest: FLOAT32
    latest: FLOAT32
    sharpness: FLOAT32
    noise: FLOAT32


class Engine:
    """Encoder, decoder and chooser of one model, compiled for one device.

    Keys and values are kept in the type that the device computes in: with f32 the CPU plugin would
    convert all of them at every token, which is three times slower.
    """

    def __init__(
        self, folder: ModelFolder, vocabulary: Vocabulary, device: str, properties: Properties
    ) -> None:
        self.dimensions = folder.dimensions
        self.vocabulary = vocabulary
        precision = str(properties.get("INFERENCE_PRECISION_HINT", "f32"))
        self.cache_type = _CACHE_TYPES.get(precision, ov.Type.f32)
        self._core = ov.Core()
        self._folder, self._device, self._properties = folder.path, device, dict(properties)
        self._encoder = self._compile(self._read("encoder", outputs=("cross_",)))
        self._decoder = self._compile(self._read("decoder", ("past_", "cross_"), ("present",)))
        self._encode = self._encoder.create_infer_request()
        self._decode = self._decoder.create_infer_request()
        self._choosers: dict[int, ov.InferRequest] = {}

    @property
    def n_caches(self) -> int:
        """Key and value tensors, of self- or of cross-attention."""
        return 2 * self.dimensions.n_decoder_layers

    @property
    def default_batch_size(self) -> int:
        """Windows to decode at once: as many as `_BATCH_BYTES` of cross-attention allow, to 16.

        Each window's keys and values are read at every token, so past 16 a larger batch gains
        little: what a token costs is then mostly that reading.
        """
        sizes = self.dimensions
        n_values = self.n_caches * sizes.n_audio_context * sizes.n_state
        per_window = n_values * int(self.cache_type.size)
        return max(2, min(16, _BATCH_BYTES // per_window))

    def new_caches(self, n_windows: int, n_columns: int) -> list[ov.Tensor]:
        """Zeroed key and value tensors (n_windows, heads, n_columns, d / heads).

        Zeroed, because a column that the mask hides still takes part with weight 0, and 0 times
        whatever the memory held may be NaN.
        """
        sizes = self.dimensions
        shape = [n_windows, sizes.n_heads, n_columns, sizes.n_head_state]
        caches = [ov.Tensor(self.cache_type, ov.Shape(shape)) for _ in range(self.n_caches)]
        for cache in caches:
            cache.data[:] = 0
        return caches

    def encode(self, mel: FLOAT32, cross: Sequence[ov.Tensor]) -> None:
        """Write the cross-attention keys and values of a window into `cross`.

        mel: (n_mels, 3000). cross: `n_caches` tensors (1, heads, 1500, d / heads).
        """
        self._encode.set_input_tensor(ov.Tensor(np.ascontiguousarray(mel[None])))
        for i, tensor in enumerate(cross):
            self._encode.set_output_tensor(i, tensor)
        self._encode.infer()

    def bind(self, past: Sequence[ov.Tensor], cross: Sequence[ov.Tensor]) -> None:
        """Let the next steps read these caches."""
        for i, (past_tensor, cross_tensor) in enumerate(zip(past, cross, strict=True)):
            self._decode.set_tensor(f"past_{i}", past_tensor)
            self._decode.set_tensor(f"cross_{i}", cross_tensor)

    def decode(
        self, tokens: INT32, positions: INT32, mask: FLOAT32, take: INT32
    ) -> npt.NDArray[np.generic]:
        """Run one step over the bound caches; see `graphs.decoder` for the shapes.

        Gives the new keys and values (n_caches, windows, heads, n, d / heads) as raw 16- or 32-bit
        values; the logits stay in the engine. Valid until the next step.
        """
        for name, array in (
            ("tokens", tokens),
            ("positions", positions),
            ("mask", mask),
            ("take", take),
        ):
            self._decode.set_tensor(name, ov.Tensor(array))
        self._decode.infer()
        present: npt.NDArray[np.generic] = self._decode.get_tensor("present").data
        return present

    @property
    def logits(self) -> FLOAT32:
        """Of the last step: (windows, m, n_vocab). Valid until the next step."""
        logits: FLOAT32 = self._decode.get_tensor("logits").data
        return logits

    def choose(self, rules: RowRules, n_best: int) -> tuple[INT32, FLOAT32]:
        """The best tokens of each row of the last step, their log-probability: (rows, n_best)."""
        chooser = self._chooser(n_best)
        chooser.set_tensor("logits", self._decode.get_tensor("logits"))
        for name in ("text", "end", "first", "earliest", "latest", "sharpness"):
            chooser.set_tensor(name, ov.Tensor(getattr(rules, name)[:, None]))
        chooser.set_tensor("noise", ov.Tensor(rules.noise))
        chooser.infer()
        return chooser.get_tensor("tokens").data.copy(), chooser.get_tensor("logprobs").data.copy()

    def _chooser(self, n_best: int) -> ov.InferRequest:
        """In f32 whatever the network runs in: sums over the vocabulary need it."""
        if n_best not in self._choosers:
            graph = build_chooser(self.vocabulary, n_best)
            properties = {**self._properties, "INFERENCE_PRECISION_HINT": "f32"}
            compiled = self._core.compile_model(graph, self._device, properties)
            self._choosers[n_best] = compiled.create_infer_request()
        return self._choosers[n_best]

    def _read(
        self, name: str, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = ()
    ) -> ov.Model:
        """A graph whose caches (by the starts of their names) are in the cache type."""
        model = self._core.read_model(self._folder / f"{name}.xml")
        steps = ov.preprocess.PrePostProcessor(model)
        for port in model.inputs:
            if port.any_name.startswith(inputs or ("-",)):
                steps.input(port.any_name).tensor().set_element_type(self.cache_type)
        for port in model.outputs:
            if port.any_name.startswith(outputs):
                steps.output(port.any_name).tensor().set_element_type(self.cache_type)
        return steps.build()

    def _compile(self, model: ov.Model) -> ov.CompiledModel:
        return self._core.compile_model(model, self._device, self._properties)
