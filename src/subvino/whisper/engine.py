"""The compiled network: graphs on a device, and the tensors that pass between them.

Floor 2 of the road. Knows nothing of windows or text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import openvino as ov

from subvino.graphs.decoder import add_queries, build_aligner
from subvino.graphs.encoder import MERGED, back_of, front_of, merging_layer
from subvino.graphs.head import Vocabulary
from subvino.graphs.layers import expand_weights, largest_matrix
from subvino.memory import keep_heap_small, trim_heap
from subvino.network import ModelFolder
from subvino.whisper.batch import Batch
from subvino.whisper.compiled import (
    MAKING,
    Properties,
    Recipe,
    compile_graph,
    new_core,
    read_graph,
)
from subvino.whisper.head import Head
from subvino.whisper.slots import FLOAT32, INT32, RowRules

_BATCH_BYTES = 400 * 2**20
_MAX_BATCH = 9
_TRIM_EVERY = 8
"""Windows after which freed memory goes back to the system."""
_CACHE_TYPES = {"bf16": ov.Type.bf16, "f16": ov.Type.f16}


class Engine:
    """Encoder, decoder and head of one model, compiled for one device.

    Keys and values are kept in the type that the device computes in: with f32 the CPU plugin would
    convert all of them at every token, which is three times slower.
    """

    def __init__(
        self,
        folder: ModelFolder,
        vocabulary: Callable[[], Vocabulary],
        device: str,
        properties: Properties,
    ) -> None:
        """Load the graphs; vocabulary: reads it, called while they are loaded."""
        keep_heap_small()
        self.dimensions = folder.dimensions
        precision = str(properties.get("INFERENCE_PRECISION_HINT", "f32"))
        self.cache_type = _CACHE_TYPES.get(precision, ov.Type.f32)
        self._core = new_core()
        self._folder, self._device, self._properties = folder.path, device, dict(properties)
        self._alignment_heads = folder.settings.alignment_heads
        self._last: ov.InferRequest | None = None
        self._forced: ov.InferRequest | None = None
        self._aligning: ov.InferRequest | None = None
        self._n_encoded = 0
        is_exact = properties.get("EXECUTION_MODE_HINT") == "ACCURACY"
        self.can_merge = not is_exact and self.dimensions.n_audio_context % MERGED == 0
        # One thread beside this one is as many as a small machine has cores for.
        beside = ThreadPoolExecutor(1, "subvino-load")
        front = beside.submit(self._compile, Recipe("encoder-front", self._make_front))
        back = beside.submit(self._compile, Recipe("encoder-back", self._make_back))
        if self._alignment_heads:
            self._aligner = beside.submit(self._compile_aligner)
        beside.shutdown(wait=False)
        steps = Recipe("decoder", self._make_decoder)
        self._decoder = self._compile(steps, _step_properties(device))
        self.vocabulary = vocabulary()
        with MAKING:
            head = self._read("head")
            self._embedding = largest_matrix(head)
        self._head = Head(self._core, head, self.vocabulary, device, properties)
        self._front = front.result().create_infer_request()
        self._back = back.result().create_infer_request()

    @property
    def n_caches(self) -> int:
        """Key and value tensors, of self- or of cross-attention."""
        return 2 * self.dimensions.n_decoder_layers

    @property
    def default_batch_size(self) -> int:
        """Windows to decode at once: as many as `_BATCH_BYTES` of cross-attention allow, to 9.

        Each window's keys and values are read at every token, so that a larger batch gains nothing:
        ten minutes took 7.7 s in batches of 10 and of 9, 8.1 in 8, 8.8 in 7 (whisper-base, 2 cores,
        with other work beside it). A window takes up to 35 MB.
        """
        sizes = self.dimensions
        n_values = self.n_caches * sizes.n_audio_context * sizes.n_state
        return max(2, min(_MAX_BATCH, _BATCH_BYTES // (n_values * int(self.cache_type.size))))

    def new_slots(self, n_slots: int, width: int, *, merged: bool = False) -> Batch:
        """Slots for `n_slots` windows of `width` hypotheses, with states merged or not."""
        n_states = self.dimensions.n_audio_context // (MERGED if merged and self.can_merge else 1)
        return Batch(self, n_slots, width, n_states)

    def new_caches(self, n_windows: int, n_columns: int, *, cleared: bool) -> list[ov.Tensor]:
        """Key and value tensors (n_windows, heads, n_columns, d / heads).

        cleared: zeroed, where a column may be read before it is written: hidden by the mask it
            still takes part with weight 0, and 0 times whatever the memory held may be NaN.
            Otherwise no memory is taken until it is written.
        """
        caches = [self.new_cache(n_windows, n_columns) for _ in range(self.n_caches)]
        if cleared:
            for cache in caches:
                cache.data[:] = 0
        return caches

    def new_cache(self, n_windows: int, n_columns: int) -> ov.Tensor:
        """One of these tensors, not cleared."""
        sizes = self.dimensions
        shape = ov.Shape([n_windows, sizes.n_heads, n_columns, sizes.n_head_state])
        return ov.Tensor(self.cache_type, shape)

    def new_cross(self, n_windows: int, n_states: int) -> list[ov.Tensor]:
        """Tensors for keys and values of windows; no memory is taken until they are written.

        Of each decoder layer keys (n_windows, heads, n_states, d / heads), then values (n_windows,
        heads, d / heads, n_states).
        """
        sizes = self.dimensions
        keys = ov.Shape([n_windows, sizes.n_heads, n_states, sizes.n_head_state])
        values = ov.Shape([n_windows, sizes.n_heads, sizes.n_head_state, n_states])
        shapes = [keys, values] * sizes.n_decoder_layers
        return [ov.Tensor(self.cache_type, shape) for shape in shapes]

    def hear(self, mel: FLOAT32) -> ov.Tensor:
        """What the encoder's first layers make of a window, for `encode`.

        mel: (n_mels, 3000). Gives (1, 1500, d), and behind these what they merge into, if they can.
        """
        sizes = self.dimensions
        n_merged = sizes.n_audio_context // MERGED if self.can_merge else 0
        shape = ov.Shape([1, sizes.n_audio_context + n_merged, sizes.n_state])
        states = ov.Tensor(self.cache_type, shape)
        self._front.set_input_tensor(ov.Tensor(np.ascontiguousarray(mel[None])))
        self._front.set_output_tensor(states)
        self._front.infer()
        return states

    def encode(self, heard: ov.Tensor, cross: Sequence[ov.Tensor]) -> None:
        """Write the cross-attention keys and values of a window into `cross`.

        heard: from `hear`. cross: from `new_cross`, of one window, for 1500 states, or less to
        merge them.
        """
        n, whole = cross[0].shape[2], self.dimensions.n_audio_context
        first = 0 if n == whole else whole
        states = ov.Tensor(heard, [0, first, 0], [1, first + n, heard.shape[2]])
        self._back.set_input_tensor(states)
        for i, tensor in enumerate(cross):
            self._back.set_output_tensor(i, tensor)
        self._back.infer()
        self._n_encoded += 1
        if self._n_encoded % _TRIM_EVERY == 0:
            trim_heap()

    def rest(self) -> None:
        """Let go of the windows that were worked on last, and of their memory.

        Requests hold what they were bound to: the next recording would take memory beside it.
        """
        self._last = self._forced = self._aligning = None
        self._back = self._back.get_compiled_model().create_infer_request()
        trim_heap()

    def new_request(self) -> ov.InferRequest:
        """A request for steps of the decoder."""
        return self._decoder.create_infer_request()

    def bind(
        self, request: ov.InferRequest, past: Sequence[ov.Tensor], cross: Sequence[ov.Tensor]
    ) -> None:
        """Let the request's next steps read these caches."""
        for i, (past_tensor, cross_tensor) in enumerate(zip(past, cross, strict=True)):
            request.set_tensor(f"past_{i}", past_tensor)
            request.set_tensor(f"cross_{i}", cross_tensor)

    def decode(
        self, request: ov.InferRequest, tokens: INT32, positions: INT32, mask: FLOAT32
    ) -> npt.NDArray[np.generic]:
        """Run one step over the caches that are bound; see `graphs.decoder` for the shapes.

        tokens: (windows, n). Gives the new keys and values (n_caches, windows, heads, n,
        d / heads) as raw 16- or 32-bit values, valid until the next step; the hidden states stay
        in the engine.
        """
        self._run(request, tokens, positions, mask)
        self._last = request
        present: npt.NDArray[np.generic] = request.get_tensor("present").data
        return present

    def suppress(self, tokens: Sequence[int]) -> None:
        """Never choose these tokens from here on, besides those that never are."""
        self._head.suppress(tokens)

    def choose(self, rules: RowRules, n_best: int) -> tuple[INT32, FLOAT32]:
        """The best tokens of each row of the last step, their log-probability: (rows, n_best)."""
        assert self._last is not None, "a step comes before a choice"  # noqa: S101 - our own bug
        return self._head.choose(self._last.get_tensor("hidden"), rules, n_best)

    def attend(
        self, tokens: INT32, positions: INT32, mask: FLOAT32, cross: Sequence[ov.Tensor]
    ) -> FLOAT32 | None:
        """How much each token attends to each encoder state, the mean over the alignment heads.

        tokens, positions: (1, n); mask: (1, 1, n, 1 + n), for a past of one column; cross:
        tensors of one window. Gives (n, states); None where no alignment heads are known.
        """
        if not self._alignment_heads:
            return None
        request = self._forced or self.new_request()
        self._forced = request
        self.bind(request, self.new_caches(1, 1, cleared=True), cross)
        self._run(request, tokens, positions, mask)
        return self.align(request.get_tensor("queries"), cross)

    def queries(self) -> npt.NDArray[np.generic] | None:
        """What the alignment heads looked for in the last step, as raw values.

        (windows, heads, n, d / heads), valid until the next step; None where none are known.
        """
        if not self._alignment_heads or self._last is None:
            return None
        queries: npt.NDArray[np.generic] = self._last.get_tensor("queries").data
        return queries

    def new_queries(self, n: int) -> ov.Tensor:
        """A tensor for queries of n tokens of a window, for `align`."""
        heads = len(self._alignment_heads)
        shape = ov.Shape([1, heads, n, self.dimensions.n_head_state])
        return ov.Tensor(self.cache_type, shape)

    def align(self, queries: ov.Tensor, cross: Sequence[ov.Tensor]) -> FLOAT32:
        """How much queries (1, heads, n, d / heads) attend to a window: (n, states)."""
        aligner = self._aligning or self._aligner.result().create_infer_request()
        self._aligning = aligner
        aligner.set_tensor("queries", queries)
        for layer in {layer for layer, _ in self._alignment_heads}:
            aligner.set_tensor(f"cross_{2 * layer}", cross[2 * layer])
        aligner.infer()
        attention: FLOAT32 = aligner.get_output_tensor(0).data[0].copy()
        return attention

    def _run(
        self, request: ov.InferRequest, tokens: INT32, positions: INT32, mask: FLOAT32
    ) -> None:
        request.set_tensor("embedded", ov.Tensor(self._embedding.rows(tokens)))
        request.set_tensor("positions", ov.Tensor(positions))
        request.set_tensor("mask", ov.Tensor(mask))
        request.infer()

    def _compile_aligner(self) -> ov.CompiledModel:
        recipe = Recipe("aligner", self._make_aligner)
        return self._compile(recipe, {"INFERENCE_PRECISION_HINT": "f32"})

    @property
    def logits(self) -> FLOAT32:
        """What the last `choose` chose from: (windows, n, n_vocab). Valid until the next one."""
        return self._head.logits

    def _make_front(self) -> ov.Model:
        front = front_of(self._read("encoder"), self._layer, merged=self.can_merge)
        return self._prepare(front, outputs=("states",))

    def _make_back(self) -> ov.Model:
        back = back_of(self._read("encoder"), self._layer)
        return self._prepare(back, ("states",), ("cross_",))

    @property
    def _layer(self) -> int:
        """The encoder's layer before which it is cut."""
        return merging_layer(self.dimensions.n_encoder_layers)

    def _make_decoder(self) -> ov.Model:
        decoder = self._read("decoder")
        if self._alignment_heads:
            decoder = add_queries(decoder, self._alignment_heads)
        return self._prepare(decoder, ("past_", "cross_"), ("present", "queries"))

    def _make_aligner(self) -> ov.Model:
        aligner = build_aligner(self.dimensions, self._alignment_heads)
        return self._prepare(aligner, ("queries", "cross_"))

    def _read(self, name: str) -> ov.Model:
        return read_graph(self._core, self._folder / f"{name}.xml")

    def _prepare(
        self, model: ov.Model, inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = ()
    ) -> ov.Model:
        """The graph with caches (by the starts of their names) in the cache type."""
        if self.cache_type == ov.Type.bf16:
            expand_weights(model)
        steps = ov.preprocess.PrePostProcessor(model)
        for port in model.inputs:
            if port.any_name.startswith(inputs or ("-",)):
                steps.input(port.any_name).tensor().set_element_type(self.cache_type)
        for port in model.outputs:
            if port.any_name.startswith(outputs or ("-",)):
                steps.output(port.any_name).tensor().set_element_type(self.cache_type)
        return steps.build()

    def _compile(self, recipe: Recipe, extra: Properties | None = None) -> ov.CompiledModel:
        properties = {**self._properties, **(extra or {})}
        return compile_graph(self._core, recipe, self._device, properties)


def _step_properties(device: str) -> Properties:
    """For graphs that see few rows at a time.

    The CPU plugin's fused "snippets" are made for many: without them a step of 16 windows takes
    20 % less. On CPUs with AMX some fail outright on shapes that change.
    """
    return {"SNIPPETS_MODE": "DISABLE"} if device.startswith("CPU") else {}
