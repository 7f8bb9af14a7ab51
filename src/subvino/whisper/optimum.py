"""Networks as Optimum-Intel exports them, run as they are.

Floor 2 of the road. The exported decoder keeps its past, and the keys and values of its window, in
the state of an inference request, where no row can leave before the others; so each hypothesis has
a request of its own. Together they are no faster than one by one; a model that subvino converts is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import openvino as ov

from subvino.errors import CheckpointError
from subvino.graphs.head import Vocabulary
from subvino.graphs.layers import parameter, result
from subvino.network import Dimensions, ModelFolder
from subvino.whisper.compiled import Properties, Recipe, compile_graph, new_core
from subvino.whisper.head import Head
from subvino.whisper.language import VOTES
from subvino.whisper.slots import FLOAT32, INT32, RowRules

_ENCODER = "openvino_encoder_model.xml"
_DECODER = "openvino_decoder_model.xml"
_MEL, _STATES = "input_features", "last_hidden_state"
_INPUTS = {"input_ids", "encoder_hidden_states", "beam_idx", "cache_position"}
"""What a stateful decoder is fed; `cache_position` in exports of some versions only."""

_STATE_BYTES = 400 * 2**20


class OptimumEngine:
    """Encoder, decoder and head of one exported model, compiled for one device."""

    def __init__(
        self, folder: ModelFolder, vocabulary: Vocabulary, device: str, properties: Properties
    ) -> None:
        """Raises CheckpointError where the folder's graphs are not of the kind that runs here."""
        self.dimensions = folder.dimensions
        self.vocabulary = vocabulary
        core = new_core()
        encoder = _read_encoder(core, folder.path / _ENCODER, folder.dimensions)
        parts = _read_decoder(core, folder.path / _DECODER, folder.dimensions)
        encoding = compile_graph(core, Recipe("encoder", lambda: encoder), device, properties)
        self._encode = encoding.create_infer_request()
        exact = _exact(device, properties)
        self._decode = compile_graph(core, Recipe("decoder", lambda: parts.decoder), device, exact)
        self._has_position = "cache_position" in _names(self._decode.inputs)
        self._head = Head(core, parts.head, vocabulary, device, properties)
        self._hidden = ov.Tensor(ov.Type.f32, ov.Shape([0, 0, 0]))

    @property
    def default_batch_size(self) -> int:
        """As many as are asked for their language, if `_STATE_BYTES` allow; more gain nothing."""
        sizes = self.dimensions
        n_values = 2 * sizes.n_decoder_layers * sizes.n_audio_context * sizes.n_state
        return max(1, min(VOTES, _STATE_BYTES // (n_values * 4)))

    @property
    def can_merge(self) -> bool:
        """The exported encoder is run as it is."""
        return False

    def new_slots(
        self,
        n_slots: int,
        width: int,
        *,
        merged: bool = False,  # noqa: ARG002 (see `can_merge`)
    ) -> OptimumSlots:
        """Slots for `n_slots` windows, `width` hypotheses each."""
        return OptimumSlots(self, n_slots, width)

    def new_request(self) -> ov.InferRequest:
        """A decoder for one hypothesis, which has heard no window yet."""
        request = self._decode.create_infer_request()
        request.set_tensor("beam_idx", ov.Tensor(np.zeros(1, np.int32)))
        return request

    def hear(self, mel: FLOAT32) -> ov.Tensor:
        """The encoder's states (1, 1500, d) of a window; mel: (n_mels, 3000)."""
        self._encode.set_tensor(_MEL, ov.Tensor(np.ascontiguousarray(mel[None])))
        self._encode.infer()
        return ov.Tensor(self._encode.get_tensor(_STATES).data)

    def start(self, request: ov.InferRequest, tokens: INT32, position: int) -> None:
        """Set a request going on its next tokens (n,), the first of them at `position`."""
        request.set_tensor("input_ids", ov.Tensor(tokens[None].astype(np.int64)))
        if self._has_position:
            positions = np.arange(position, position + len(tokens), dtype=np.int64)
            request.set_tensor("cache_position", ov.Tensor(positions))
        request.start_async()

    def decode(
        self, requests: Sequence[Sequence[ov.InferRequest]], tokens: INT32, positions: INT32
    ) -> None:
        """Feed each request a token; the hidden states stay in the engine.

        requests, tokens, positions: (windows, width).
        """
        running = list(chain.from_iterable(requests))
        fed = zip(running, tokens.reshape(-1, 1), positions.flat, strict=True)
        for request, token, position in fed:
            self.start(request, token, int(position))
        for request in running:
            request.wait()
        hidden = np.concatenate([request.get_tensor("hidden").data for request in running])
        self._hidden = ov.Tensor(hidden.reshape(*tokens.shape, -1))

    def rest(self) -> None:
        """Nothing is held but the last hidden states."""

    def suppress(self, tokens: Sequence[int]) -> None:
        """Never choose these tokens from here on, besides those that never are."""
        self._head.suppress(tokens)

    def choose(self, rules: RowRules, n_best: int) -> tuple[INT32, FLOAT32]:
        """The best tokens of each row of the last step, their log-probability: (rows, n_best)."""
        return self._head.choose(self._hidden, rules, n_best)

    @property
    def logits(self) -> FLOAT32:
        """What the last `choose` chose from: (windows, n, n_vocab). Valid until the next one."""
        return self._head.logits


class OptimumSlots:
    """Slots of as many requests as a window has hypotheses; see `slots.Slots`."""

    def __init__(self, engine: OptimumEngine, n_slots: int, width: int) -> None:
        self._engine = engine
        self._requests = [[engine.new_request() for _ in range(width)] for _ in range(n_slots)]

    def enter(self, slot: int, heard: ov.Tensor) -> None:
        """Let a window into the slot; heard: the encoder's states."""
        for request in self._requests[slot]:
            request.set_tensor("encoder_hidden_states", heard)

    def restart(self, slot: int) -> None:
        """Forget the slot's tokens; the first step after it hears the window anew."""
        for request in self._requests[slot]:
            request.reset_state()

    def feed(self, slot: int, tokens: INT32) -> None:
        """Feed the first tokens (n,) of a window to all its hypotheses; nothing is chosen."""
        for request in self._requests[slot]:
            self._engine.start(request, tokens, 0)
        for request in self._requests[slot]:
            request.wait()

    def attend(self, slot: int, tokens: INT32) -> FLOAT32 | None:  # noqa: ARG002 (see `Slots`)
        """None: an exported graph keeps to itself what it attends to."""
        return None

    def attended(self, slot: int, steps: Sequence[int]) -> FLOAT32 | None:  # noqa: ARG002
        """None, as `attend`."""
        return None

    def move(self, source: int, target: int) -> None:
        """Let the window of `source`, with its past, go on in `target`; `source` is free then."""
        requests = self._requests
        requests[source], requests[target] = requests[target], requests[source]

    def reorder(self, slot: int, parents: Sequence[int]) -> None:
        """Let hypothesis i go on from what hypothesis `parents[i]` has said.

        The first child of a hypothesis takes over its request, the others get a copy of its past.
        """
        old = self._requests[slot]
        free = [request for i, request in enumerate(old) if i not in parents]
        new: list[ov.InferRequest] = []
        for i, parent in enumerate(parents):
            if parent in parents[:i]:
                self._copy_past(old[parent], free[-1])
                new.append(free.pop())
            else:
                new.append(old[parent])
        self._requests[slot] = new

    def step(self, tokens: INT32, positions: INT32) -> None:
        """Feed a token of each hypothesis of the first slots; the engine then chooses.

        tokens, positions: (slots, width).
        """
        self._engine.decode(self._requests[: len(tokens)], tokens, positions)

    def _copy_past(self, source: ov.InferRequest, target: ov.InferRequest) -> None:
        """Copy the keys and values of the tokens; those of the window are the same in both."""
        targets = {state.name: state for state in target.query_state()}
        for state in source.query_state():
            tensor = state.state
            if tensor.shape[2] <= self._engine.dimensions.n_text_context:
                targets[state.name].state = tensor


class _Parts(NamedTuple):
    """A decoder cut in two: tokens → `hidden`, and `hidden` → `logits`."""

    decoder: ov.Model
    head: ov.Model


def _read_encoder(core: ov.Core, path: Path, dimensions: Dimensions) -> ov.Model:
    model = _read(core, path)
    if _names(model.inputs) != {_MEL} or _STATES not in _names(model.outputs):
        raise CheckpointError(f"{path}: is not a Whisper encoder; export the model anew", path)
    _check_width(path, model.output(_STATES), dimensions.n_state)
    return model


def _read_decoder(core: ov.Core, path: Path, dimensions: Dimensions) -> _Parts:
    model = _read(core, path)
    names = _names(model.inputs)
    if not model.get_sinks() or "beam_idx" not in names:
        raise CheckpointError(
            f"{path}: was exported without state; export the model anew, stateful, as "
            "`optimum-cli export openvino` of the latest optimum-intel does",
            path,
        )
    if not _INPUTS - {"cache_position"} <= names <= _INPUTS:
        raise CheckpointError(
            f"{path}: a Whisper decoder with the inputs {', '.join(sorted(names))} is not known "
            "here; export the model anew with the latest optimum-intel",
            path,
        )
    _check_width(path, model.output("logits"), dimensions.n_vocab)
    return _cut_at_head(model, path, dimensions)


def _cut_at_head(model: ov.Model, path: Path, dimensions: Dimensions) -> _Parts:
    """Part the projection onto the vocabulary from the rest; `graphs.head` says why."""
    projection = model.output("logits").get_node().input_value(0).get_node()
    if projection.get_type_name() != "MatMul":
        raise CheckpointError(f"{path}: its logits come from no matrix; export it anew", path)
    hidden = result("hidden", projection.input_value(0)).get_node()
    decoder = ov.Model([hidden], model.get_sinks(), model.get_parameters(), "decoder").clone()
    port = parameter("hidden", [-1, -1, dimensions.n_state])
    projection.input(0).replace_source_output(port)
    logits = result("logits", projection.output(0)).get_node()
    return _Parts(decoder, ov.Model([logits], [port.get_node()], "head"))


def _exact(device: str, properties: Properties) -> Properties:
    """Properties for the decoder.

    The CPU plugin (2026.4.1) computes such a state wrongly in bf16: whisper-base gives the right
    tokens for the first window after compiling, then nonsense and NaN. In f32 it is right.
    """
    exact = {"INFERENCE_PRECISION_HINT": "f32"} if device.startswith("CPU") else {}
    return {**properties, **exact}


def _read(core: ov.Core, path: Path) -> ov.Model:
    try:
        return core.read_model(path)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: is not IR that OpenVINO {ov.get_version().split('-')[0]} can read, or its "
            ".bin file is missing; get or export the model anew",
            path,
        ) from error


def _names(ports: Sequence[ov.Output]) -> set[str]:
    return {port.any_name for port in ports}


def _check_width(path: Path, port: ov.Output, wanted: int) -> None:
    found = port.partial_shape[-1]
    if found != wanted:
        raise CheckpointError(
            f"{path}: {port.any_name} has width {found}, where config.json says {wanted}; "
            "take both from one export",
            path,
        )
