"""The compiled head: hidden states of a step → the next tokens.

Floor 2 of the road.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import openvino as ov

from subvino.graphs.head import Vocabulary, add_chooser
from subvino.whisper.compiled import Properties, Recipe, compile_graph
from subvino.whisper.slots import FLOAT32, INT32, RowRules


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
        self._requests: dict[int, ov.InferRequest] = {}
        self._last: ov.InferRequest | None = None
        self._suppressed: tuple[int, ...] = ()

    def suppress(self, tokens: Sequence[int]) -> None:
        """Never choose these tokens from here on, besides the vocabulary's; compiles anew."""
        if tuple(tokens) != self._suppressed:
            self._suppressed = tuple(tokens)
            self._requests, self._last = {}, None

    def choose(self, hidden: ov.Tensor, rules: RowRules, n_best: int) -> tuple[INT32, FLOAT32]:
        """The best tokens of each row and their log-probability: (rows, n_best).

        hidden: (windows, n, d); rows = windows * n.
        """
        request = self._request_for(n_best)
        request.set_tensor("hidden", hidden)
        for name in ("text", "end", "earliest", "latest", "sharpness"):
            request.set_tensor(name, ov.Tensor(getattr(rules, name)[:, None]))
        request.set_tensor("noise", ov.Tensor(rules.noise))
        request.infer()
        self._last = request
        return request.get_tensor("tokens").data.copy(), request.get_tensor("logprobs").data.copy()

    @property
    def logits(self) -> FLOAT32:
        """What the last `choose` chose from: (windows, n, n_vocab). Valid until the next one."""
        assert self._last is not None, "logits are there once tokens were chosen"  # noqa: S101
        logits: FLOAT32 = self._last.get_tensor("logits").data
        return logits

    def _request_for(self, n_best: int) -> ov.InferRequest:
        if n_best not in self._requests:
            suppressed = (*self._vocabulary.suppressed, *self._suppressed)
            vocabulary = replace(self._vocabulary, suppressed=suppressed)
            recipe = Recipe(
                "head",
                lambda: add_chooser(self._graph.clone(), vocabulary, n_best),
                repr((vocabulary, n_best)),
            )
            compiled = compile_graph(self._core, recipe, self._device, self._properties)
            self._requests[n_best] = compiled.create_infer_request()
        return self._requests[n_best]
