"""The compiled head: hidden states of a step → the next tokens.

Floor 2 of the road.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import openvino as ov

from subvino.graphs.head import Vocabulary, add_chooser
from subvino.whisper.compiled import Properties, Recipe, compile_graph
from subvino.whisper.slots import FLOAT32, INT32, RowRules

_ROWS_AT_ONCE = 10
"""More are chosen in several calls: between its hidden state and its tokens a row takes 3 MB."""


class Head:
    """Chooses tokens, in f32 whatever the network runs in; see `graphs.head`."""

    def __init__(
        self,
        core: ov.Core,
        graph: ov.Model,
        vocabulary: Vocabulary,
        device: str,
        properties: Properties,
    ) -> None:
        """Take the graph, `hidden` → `logits`; it is compiled once it is known what to choose."""
        self._core, self._graph, self._vocabulary = core, graph, vocabulary
        self._device = device
        self._properties = {**properties, "INFERENCE_PRECISION_HINT": "f32"}
        self._requests: dict[int, list[ov.InferRequest]] = {}
        self._last: list[ov.InferRequest] = []
        self._suppressed: tuple[int, ...] = ()

    def suppress(self, tokens: Sequence[int]) -> None:
        """Never choose these tokens from here on, besides the vocabulary's; compiles anew."""
        if tuple(tokens) != self._suppressed:
            self._suppressed = tuple(tokens)
            self._requests, self._last = {}, []

    def choose(self, hidden: ov.Tensor, rules: RowRules, n_best: int) -> tuple[INT32, FLOAT32]:
        """The best tokens of each row and their log-probability: (rows, n_best).

        hidden: (windows, n, d); rows = windows * n.
        """
        n_windows, n_rows, width = hidden.shape
        per_call = max(_ROWS_AT_ONCE // n_rows, 1)
        chosen, self._last = [], []
        for first in range(0, n_windows, per_call):
            stop = min(first + per_call, n_windows)
            request = self._request_for(n_best, len(self._last))
            request.set_tensor("hidden", ov.Tensor(hidden, [first, 0, 0], [stop, n_rows, width]))
            _set_rules(request, rules, slice(first * n_rows, stop * n_rows))
            request.infer()
            self._last.append(request)
            chosen.append([request.get_tensor(name).data for name in ("tokens", "logprobs")])
        tokens, logprobs = zip(*chosen, strict=True)
        return np.concatenate(tokens), np.concatenate(logprobs)

    @property
    def logits(self) -> FLOAT32:
        """What the last `choose` chose from: (windows, n, n_vocab). Valid until the next one."""
        assert self._last, "logits are there once tokens were chosen"  # noqa: S101
        logits = [request.get_tensor("logits").data for request in self._last]
        return logits[0] if len(logits) == 1 else np.concatenate(logits)

    def _request_for(self, n_best: int, number: int) -> ov.InferRequest:
        """One of the requests for so many candidates."""
        requests = self._requests.setdefault(n_best, [])
        if not requests:
            requests.append(self._compile(n_best).create_infer_request())
        while len(requests) <= number:
            requests.append(requests[0].get_compiled_model().create_infer_request())
        return requests[number]

    def _compile(self, n_best: int) -> ov.CompiledModel:
        suppressed = (*self._vocabulary.suppressed, *self._suppressed)
        vocabulary = replace(self._vocabulary, suppressed=suppressed)
        recipe = Recipe(
            "head",
            lambda: add_chooser(self._graph.clone(), vocabulary, n_best),
            repr((vocabulary, n_best)),
        )
        return compile_graph(self._core, recipe, self._device, self._properties)


def _set_rules(request: ov.InferRequest, rules: RowRules, rows: slice) -> None:
    """Rules of some of the rows."""
    for name in ("text", "end", "earliest", "latest", "sharpness"):
        request.set_tensor(name, ov.Tensor(getattr(rules, name)[rows, None]))
    noise = rules.noise if len(rules.noise) == 1 else rules.noise[rows]
    request.set_tensor("noise", ov.Tensor(noise))
