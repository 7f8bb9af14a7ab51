"""The accuracy gate: whether a quantized model hears as well as the one it was made from."""

from __future__ import annotations

from dataclasses import dataclass

from subvino.evaluate import Comparison
from subvino.quantize.options import Gate


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate measured, and whether it let the model through.

    parts: of the model that are quantized, in words.
    wer_before, wer_after: of the original and of the quantized model, in per cent; of languages
        written without spaces in characters.
    word_shift_ms, word_shift_p90_ms: how far onsets of words that both heard lie apart, median and
        90th percentile; None where neither tells words' times.
    onset_error_ms: medians against the references' times, of both; None where those have none.
    n_clips, n_words: checked on.
    """

    parts: str
    wer_before: float
    wer_after: float
    word_shift_ms: float | None
    word_shift_p90_ms: float | None
    onset_error_ms: tuple[float, float] | None
    n_clips: int
    n_words: int
    n_differing: int
    passed: bool

    @property
    def increase(self) -> float:
        """Of the word error rate, in points."""
        return self.wer_after - self.wer_before

    def in_words(self) -> str:
        """One line for people."""
        shift = "" if self.word_shift_ms is None else f", words {self.word_shift_ms:.0f} ms apart"
        return (
            f"{self.parts}: word error rate {self.wer_after:.2f} % after {self.wer_before:.2f} % "
            f"({self.increase:+.2f} points){shift}: {'kept' if self.passed else 'not kept'}"
        )


def judge(parts: str, comparison: Comparison, gate: Gate) -> Verdict:
    """The verdict on the comparison's B, made from its A."""
    before, after = (100 * (rate or 0.0) for rate in comparison.error_rates)
    shift = comparison.word_shift
    slow = shift is not None and shift.median_ms > 1000 * gate.max_word_shift
    whole = [summary for summary in comparison.report.summaries() if summary.kind == "all"]
    onsets = [summary.word_onsets.median_ms for summary in whole if summary.word_onsets]
    return Verdict(
        parts=parts,
        wer_before=before,
        wer_after=after,
        word_shift_ms=None if shift is None else shift.median_ms,
        word_shift_p90_ms=None if shift is None else shift.p90_ms,
        onset_error_ms=(onsets[0], onsets[1]) if len(onsets) == 2 else None,
        n_clips=len(comparison.a),
        n_words=whole[0].errors.n_reference if whole and whole[0].errors else 0,
        n_differing=len({(d.manifest, d.clip) for d in comparison.differences()}),
        # Rates are quotients: without the margin 0.5 points may be 0.5000000001.
        passed=after - before <= gate.max_wer_increase + 1e-9 and not slow,
    )
