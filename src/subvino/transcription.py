"""A stream of sound → what was said in it, window by window.

Floor 3 of the road: speech is found, laid out in windows and recognized, each step taking from the
one before only what it needs, so that a ten-hour file never lies in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from subvino.audio import Audio
from subvino.recognizer import DecodingOptions, FileRecognizer, WindowResult
from subvino.transcript import Segment, Transcript
from subvino.windows import Detector, WindowOptions, stream_windows

UNDETERMINED = "und"
"""Language code of a file in which nobody speaks (ISO 639-2)."""


def transcribe_audio(
    blocks: Iterable[Audio],
    detector: Detector,
    recognizer: FileRecognizer,
    options: DecodingOptions,
    window_options: WindowOptions | None = None,
) -> Iterator[WindowResult]:
    """A result for every window of speech, in order, each as soon as it is known.

    blocks: mono sound in the order of media time.
    """
    return recognizer.recognize(stream_windows(blocks, detector, window_options), options)


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
