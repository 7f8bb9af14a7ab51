"""The head: hidden states → logits, and from them the best tokens and their log-probability.

Floor 1 of the road. Masks, Whisper's timestamp rule, normalisation and the search for the best
run inside one graph, so that 51,865 numbers a row never reach numpy. It is a graph of its own,
computed in f32, not the tail of the decoder: in a graph that runs in bf16 logits come out rounded
to a 16th or an 8th, and close candidates tie. With 8-bit weights it is faster too, because f32
activations are quantized on the fly and bf16 ones are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import Output
from openvino import opset15 as op

from subvino.graphs.layers import Builder, constant, layer_norm, parameter, result

FORBIDDEN = -1e30
"""Added to a score to rule it out; finite, so that the difference of two such is not NaN."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Where things stand in the vocabulary.

    Text is below `eot`, special tokens between it and `timestamp_begin`, timestamps from there.
    suppressed: ids never to be chosen.
    """

    n_vocab: int
    eot: int
    timestamp_begin: int
    suppressed: tuple[int, ...] = ()

    @property
    def n_timestamps(self) -> int:
        """1501 in a published vocabulary: 0.00 s to 30.00 s."""
        return self.n_vocab - self.timestamp_begin

    @property
    def n_candidates(self) -> int:
        """Tokens that can be chosen at all: text, the end and timestamps."""
        return self.eot + 1 + self.n_timestamps


def build_head(builder: Builder) -> ov.Model:
    """The last norm and the projection onto the vocabulary.

    Input `hidden` (windows, n, d); output `logits` (windows, n, n_vocab).
    """
    hidden = parameter("hidden", [-1, -1, builder.dimensions.n_state])
    normal = layer_norm(builder, hidden, "decoder.layer_norm")
    table = builder.matrix("decoder.embed_tokens.weight")
    logits = op.matmul(normal, table, False, True).output(0)
    return ov.Model([result("logits", logits).get_node()], [hidden.get_node()], "whisper_head")


def add_chooser(head: ov.Model, vocabulary: Vocabulary, n_best: int) -> ov.Model:
    """The head, made to choose the next token of each row too.

    head: from `build_head`, or read from its IR; it must not be used otherwise any more.

    Inputs besides the head's, a row each (rows = windows * n): `text` f32 (rows, 1), added to the
    scores of text tokens; `end` (rows, 1), added to that of the end; `earliest` and `latest`
    (rows, 1), the timestamps allowed, counted from 0.00 s; `sharpness` (rows, 1), 1 / temperature,
    and `noise` (rows or 1, n_candidates or 1), for sampling: with Gumbel noise added to the
    sharpened scores the best one is a fair sample. 1 and 0 choose greedily.
    Outputs besides `logits`: `tokens` i32 and `logprobs` f32 (rows, n_best), best first; the
    log-probability is that of the rules' distribution at temperature 1, as openai/whisper reports
    it.
    """
    names = ("text", "end", "earliest", "latest", "sharpness")
    rows = {name: parameter(name, [-1, 1]) for name in names}
    noise = parameter("noise", [-1, -1])
    logits = head.get_results()[0].input_value(0)
    flat = op.reshape(logits, _i64([-1, vocabulary.n_vocab]), False).output(0)
    scores = op.concat([_words(vocabulary, flat, rows), _times(vocabulary, flat, rows)], 1)
    scores, normaliser = _prefer_time(vocabulary, scores.output(0))
    keys = op.add(op.multiply(scores, rows["sharpness"]), noise)
    best = op.topk(keys, op.constant(np.int64(n_best)), 1, "max", "value", index_element_type="i32")
    places = best.output(1)
    logprobs = op.subtract(op.gather_elements(scores, places, 1), normaliser).output(0)
    chosen = (result("tokens", _token_ids(vocabulary, places)), result("logprobs", logprobs))
    results = [*head.get_results(), *(port.get_node() for port in chosen)]
    inputs = [*head.get_parameters(), *(port.get_node() for port in (*rows.values(), noise))]
    return ov.Model(results, inputs, "whisper_head")


def _words(vocabulary: Vocabulary, flat: Output, rows: dict[str, Output]) -> Output:
    """Scores of the text tokens and the end: (rows, eot + 1)."""
    n_words = vocabulary.eot + 1
    scores = _columns(flat, 0, n_words)
    places = np.arange(n_words)
    never = np.isin(places, vocabulary.suppressed)
    scores = op.add(scores, _row_constant(np.where(never, FORBIDDEN, 0.0)))
    for name, chosen in (("text", places < vocabulary.eot), ("end", places == vocabulary.eot)):
        scores = op.add(scores, op.multiply(rows[name], _row_constant(chosen)))
    return scores.output(0)


def _times(vocabulary: Vocabulary, flat: Output, rows: dict[str, Output]) -> Output:
    """Scores of the timestamps, those outside the row's range ruled out: (rows, n_timestamps)."""
    scores = _columns(flat, vocabulary.timestamp_begin, vocabulary.n_vocab)
    places = _row_constant(np.arange(vocabulary.n_timestamps))
    inside = op.logical_and(
        op.greater_equal(places, rows["earliest"]), op.less_equal(places, rows["latest"])
    )
    return op.select(inside, scores, op.constant(np.float32(FORBIDDEN))).output(0)


def _prefer_time(vocabulary: Vocabulary, scores: Output) -> tuple[Output, Output]:
    """Rule text out where timestamps together are likelier than any text token.

    Gives the scores and the log of the sum of their exponentials (rows, 1). The rule is
    `ApplyTimestampRules` in openai/whisper.
    """
    n_words = vocabulary.eot + 1
    peak = op.reduce_max(scores, _i64([1]), True).output(0)
    weights = op.exp(op.subtract(scores, peak)).output(0)
    words = _columns(weights, 0, n_words)
    times = op.reduce_sum(_columns(weights, n_words, vocabulary.n_candidates), _i64([1]), True)
    time_wins = op.greater(times, op.reduce_max(words, _i64([1]), True))
    zero = op.constant(np.float32(0.0))
    is_word = _row_constant(np.arange(vocabulary.n_candidates) < n_words)
    ruled_out = op.select(time_wins, op.constant(np.float32(FORBIDDEN)), zero)
    kept = op.select(time_wins, zero, op.reduce_sum(words, _i64([1]), True))
    normaliser = op.add(op.log(op.add(kept, times)), peak).output(0)
    return op.add(scores, op.multiply(ruled_out, is_word)).output(0), normaliser


def _token_ids(vocabulary: Vocabulary, places: Output) -> Output:
    """Places among the candidates → ids in the vocabulary."""
    skipped = vocabulary.timestamp_begin - vocabulary.eot - 1
    eot = op.constant(np.int32(vocabulary.eot))
    offset = op.select(
        op.greater(places, eot), op.constant(np.int32(skipped)), op.constant(np.int32(0))
    )
    return op.add(places, offset).output(0)


def _columns(x: Output, first: int, stop: int) -> Output:
    return op.slice(x, _i64([first]), _i64([stop]), _i64([1]), _i64([1])).output(0)


def _row_constant(values: npt.NDArray[np.generic]) -> Output:
    return constant(values.astype(np.float32).reshape(1, -1))


def _i64(values: list[int]) -> ov.Node:
    return op.constant(np.array(values, np.int64))
