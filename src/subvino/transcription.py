"""The results of windows → the transcript of a media file.

Floor 3 of the road.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from subvino.recognizer import DecodingOptions, WindowResult
from subvino.transcript import Segment, Transcript

UNDETERMINED = "und"
"""Language code of a file in which nobody speaks (ISO 639-2)."""


def make_transcript(
    results: Sequence[WindowResult],
    duration: float,
    options: DecodingOptions,
    media: str = "",
    model: str = "",
) -> Transcript:
    """The transcript of all windows' results.

    duration: of the media, seconds.
    """
    language, probability = _language(results, options)
    return Transcript(
        segments=tuple(_in_order(results)),
        language=language,
        language_probability=probability,
        duration=duration,
        media=media,
        task=options.task,
        model=model,
    )


def _language(results: Sequence[WindowResult], options: DecodingOptions) -> tuple[str, float]:
    if results:
        return results[0].language, results[0].language_probability
    return (options.language, 1.0) if options.language else (UNDETERMINED, 0.0)


def _in_order(results: Sequence[WindowResult]) -> Iterator[Segment]:
    for result in results:
        yield from result.segments
