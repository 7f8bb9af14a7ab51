"""How good one transcript is: a clip, what an engine made of it, and all that differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from subvino.evaluate.manifest import Clip, TimedText
from subvino.evaluate.normalize import CHARACTER_LANGUAGES, split_units
from subvino.evaluate.timing import TimingErrors, compare_times
from subvino.evaluate.wer import ErrorCounts, count_errors, reference_units
from subvino.transcript import Segment, Transcript


@dataclass(frozen=True, slots=True)
class Invention:
    """Words told where nobody speaks, and the seconds that they cover."""

    words: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What one engine made of one clip.

    duration, seconds: of the media, and that the engine took.
    reference, text: as they stand, not normalised.
    heard_language: None where the engine was told the language or nobody speaks.
    errors: None where nobody speaks; `invented`, where somebody does.
    words, phrases: errors of times; None where either side has none.
    """

    manifest: str
    clip: str
    engine: str
    language: str | None
    duration: float
    seconds: float
    reference: str
    text: str
    heard_language: str | None = None
    errors: ErrorCounts | None = None
    invented: Invention | None = None
    words: TimingErrors | None = None
    phrases: TimingErrors | None = None

    @property
    def in_characters(self) -> bool:
        """Whether `errors` counts characters rather than words."""
        return self.language in CHARACTER_LANGUAGES


@dataclass(frozen=True, slots=True)
class Run:
    """One engine's run over one clip.

    seconds: that it took.
    told_language: whether the engine was told the clip's language.
    """

    manifest: str
    engine: str
    transcript: Transcript
    seconds: float
    told_language: bool


def score(clip: Clip, run: Run) -> ClipResult:
    """The result of a run over the clip."""
    transcript = _without_rejected(run.transcript)
    spoken = bool(clip.text)
    return ClipResult(
        manifest=run.manifest,
        clip=clip.id,
        engine=run.engine,
        language=clip.language,
        duration=transcript.duration,
        seconds=run.seconds,
        reference=clip.text,
        text=" ".join(segment.text for segment in transcript.spoken),
        heard_language=None if run.told_language or not spoken else transcript.language,
        errors=_errors(clip, transcript) if spoken else None,
        invented=None if spoken else _invention(transcript),
        words=_word_errors(clip, transcript),
        phrases=_phrase_errors(clip, transcript),
    )


def _without_rejected(transcript: Transcript) -> Transcript:
    """What a user sees: text that a verdict took out is neither heard nor invented."""
    kept = tuple(segment for segment in transcript.segments if segment.verdict is None)
    return replace(transcript, segments=kept)


def _errors(clip: Clip, transcript: Transcript) -> ErrorCounts:
    heard = split_units(transcript.text, clip.language, strip_accents=clip.strip_accents)
    return count_errors(reference_units(clip), heard)


def _invention(transcript: Transcript) -> Invention:
    language = transcript.text_language
    told = [s for s in transcript.spoken if split_units(s.text, language)]
    n_words = sum(len(split_units(segment.text, language)) for segment in told)
    return Invention(n_words, covered_seconds(told))


def covered_seconds(segments: Iterable[Segment]) -> float:
    """Seconds that lie in at least one of the segments."""
    total, end = 0.0, 0.0
    for segment in sorted(segments, key=lambda segment: segment.start):
        total += max(0.0, segment.end - max(segment.start, end))
        end = max(end, segment.end)
    return total


def _word_errors(clip: Clip, transcript: Transcript) -> TimingErrors | None:
    heard = timed_words(transcript)
    if clip.words is None or heard is None:
        return None
    return compare_times(clip.words, heard, clip.language, strip_accents=clip.strip_accents)


def _phrase_errors(clip: Clip, transcript: Transcript) -> TimingErrors | None:
    if clip.phrases is None:
        return None
    heard = timed_words(transcript)
    if heard is None:
        heard = tuple(TimedText(s.text, s.start, s.end) for s in transcript.spoken)
    return compare_times(clip.phrases, heard, clip.language, strip_accents=clip.strip_accents)


def timed_words(transcript: Transcript) -> tuple[TimedText, ...] | None:
    """All spoken words with their times; None if a segment has none."""
    found = []
    for segment in transcript.spoken:
        if segment.words is None:
            return None
        found += [TimedText(word.text, word.start, word.end) for word in segment.words]
    return tuple(found)
