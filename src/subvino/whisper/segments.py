"""Tokens of a window → segments with their words, and a verdict on text that should not stand.

Floor 2 of the road. Pure, given a tokenizer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from subvino.chinese import in_script
from subvino.tokenizer import SECONDS_PER_TIMESTAMP, Tokenizer
from subvino.transcript import Segment, Word
from subvino.whisper.quality import is_invented_phrase, n_before_loop
from subvino.windows import to_media_time, to_media_times

if TYPE_CHECKING:
    from subvino.recognizer import DecodingOptions
    from subvino.whisper.attempt import Attempt
    from subvino.whisper.recording import DecodedPart, DecodedWindow
    from subvino.whisper.words import TimedWord

_LAST_WORDS = 4
"""Words at the end of a part that may be heard again at the start of the next one."""

_SAME_TIME = 0.3
"""Seconds between two words so alike that they are one, heard twice."""


class TimedTokens(NamedTuple):
    """Text tokens between two timestamps; start and end are window time, seconds."""

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    start: float
    end: float


def split_at_timestamps(
    tokens: Sequence[int], logprobs: Sequence[float], timestamp_begin: int, duration: float
) -> list[TimedTokens]:
    """The text between timestamps, in order; text that no timestamp closes ends with the window.

    logprobs: one a token. duration: of the window, seconds; no time is later.
    """
    pieces: list[TimedTokens] = []
    first, start = 0, 0.0
    closing = timestamp_begin + math.ceil(duration / SECONDS_PER_TIMESTAMP)
    for place, token in enumerate([*tokens, closing]):
        if token < timestamp_begin:
            continue
        time = min((token - timestamp_begin) * SECONDS_PER_TIMESTAMP, duration)
        if place > first:
            piece = slice(first, place)
            end = max(time, start)
            pieces.append(TimedTokens(tuple(tokens[piece]), tuple(logprobs[piece]), start, end))
        first, start = place + 1, time
    return pieces


def make_segments(
    tokenizer: Tokenizer, decoded: DecodedWindow, options: DecodingOptions
) -> tuple[Segment, ...]:
    """All segments of a window, in order; a word heard again at a cut stands once."""
    segments: list[Segment] = []
    for part in decoded.parts:
        found = list(_part_segments(tokenizer, part, options))
        if part.language == "zh":
            found = [in_script(segment, options.chinese) for segment in found]
        before = [one for one in segments if one.start < part.sound.window.start]
        after = segments[len(before) :]
        segments = [*before, *_fitted(before, found, after), *after]
    return tuple(segments)


def _part_segments(
    tokenizer: Tokenizer, part: DecodedPart, options: DecodingOptions
) -> Iterator[Segment]:
    attempt = part.attempt
    pieces = split_at_timestamps(
        attempt.hypothesis.tokens,
        attempt.hypothesis.logprobs,
        tokenizer.timestamp_begin,
        part.sound.window.duration,
    )
    words = _words(tokenizer, part, pieces)
    n_kept = n_before_loop([token for piece in pieces for token in piece.tokens])
    n_seen = 0
    for place, piece in enumerate(pieces):
        n_seen += len(piece.tokens)
        segment = _segment(tokenizer, part, piece, words[place] if words else None)
        if segment is None:
            continue
        if attempt.is_silence(options):
            yield replace(segment, verdict="no speech")
        elif n_seen > n_kept and n_seen - len(piece.tokens) >= n_kept:
            yield replace(segment, verdict="repeats what was said before")
        elif place == len(pieces) - 1 > 0 and _is_guesswork(segment, attempt, options):
            # What sounds like speech keeps a text from ending; it need not be speech.
            yield replace(segment, verdict="guesswork at the end of a window")
        elif is_invented_phrase(segment.text) and _is_doubtful(segment):
            yield replace(segment, verdict="a phrase that models invent, and little confidence")
        elif options.multilingual:
            yield replace(segment, language=part.language)
        else:
            yield segment


def _is_guesswork(segment: Segment, attempt: Attempt, options: DecodingOptions) -> bool:
    """Not to be believed, in a text that is."""
    threshold = options.min_avg_logprob
    return segment.avg_logprob < threshold <= attempt.hypothesis.avg_logprob


def _is_doubtful(segment: Segment) -> bool:
    """Not sure enough for a phrase that is often invented."""
    return segment.avg_logprob < -0.5 or segment.no_speech_prob > 0.5


def _segment(
    tokenizer: Tokenizer,
    part: DecodedPart,
    piece: TimedTokens,
    words: Sequence[TimedWord] | None,
) -> Segment | None:
    """The piece as a segment; None where it has no text."""
    window, attempt = part.sound.window, part.attempt
    text = tokenizer.decode(piece.tokens).strip()
    if not text:
        return None
    spoken = tuple(_media_words(part, words)) if words else None
    start = spoken[0].start if spoken else to_media_time(window, piece.start)
    end = spoken[-1].end if spoken else to_media_time(window, piece.end, ends=True)
    return Segment(
        text=text,
        start=start,
        end=max(start, end),
        words=spoken,
        avg_logprob=sum(piece.logprobs) / len(piece.logprobs),
        no_speech_prob=attempt.no_speech_prob,
        compression_ratio=attempt.compression_ratio,
        temperature=attempt.temperature,
    )


def _words(
    tokenizer: Tokenizer, part: DecodedPart, pieces: Sequence[TimedTokens]
) -> list[list[TimedWord]] | None:
    """The words of each piece; None where the tokens have no times."""
    from subvino.whisper.words import time_words

    if part.attempt.onsets is None:
        return None
    found: list[list[TimedWord]] = [[] for _ in pieces]
    onsets, samples = part.attempt.onsets, part.sound.samples
    for word in time_words(tokenizer, pieces, onsets, samples, part.language):
        found[word.segment].append(word)
    return found


def _media_words(part: DecodedPart, words: Sequence[TimedWord]) -> Iterator[Word]:
    window = part.sound.window
    for word in words:
        start, end = to_media_times(window, word.start, word.end)
        yield Word(word.text, start, end, word.probability)


def _fitted(
    before: Sequence[Segment], found: Sequence[Segment], after: Sequence[Segment]
) -> list[Segment]:
    """The segments of a part that was cut out, less what its neighbours say already."""
    low = max((one.end for one in before), default=float("-inf"))
    high = after[0].start if after else float("inf")
    inside = [kept for one in found for kept in _between(one, low, high)]
    return _without_repeats(before, inside)


def _between(segment: Segment, low: float, high: float) -> list[Segment]:
    """The segment with the words whose middle lies in the range; none where it has no such."""
    if segment.words is None:
        return [segment]
    words = [word for word in segment.words if low <= (word.start + word.end) / 2 <= high]
    return [segment] if len(words) == len(segment.words) else _with_words(segment, words)


def _without_repeats(before: Sequence[Segment], after: Sequence[Segment]) -> list[Segment]:
    """The segments after a cut, less the words that the segments before it end with.

    Only words at nearly the same time go: what is said twice stands twice.
    """
    if not before or not after or before[-1].verdict:
        return list(after)
    if not before[-1].words or not after[0].words:
        return list(after)
    last, first = before[-1].words[-_LAST_WORDS:], after[0].words
    for n in range(min(len(last), len(first)), 0, -1):
        ending = [_plain(word.text) for word in last[-n:]]
        opening = [_plain(word.text) for word in first[:n]]
        if ending == opening and first[0].start < last[-1].end + _SAME_TIME:
            return [*_with_words(after[0], first[n:]), *after[1:]]
    return list(after)


def _with_words(segment: Segment, words: Sequence[Word]) -> list[Segment]:
    """The segment with only these of its words; none where there are none."""
    if not words:
        return []
    text = "".join(word.text for word in words).strip()
    return [
        replace(segment, text=text, start=words[0].start, end=words[-1].end, words=tuple(words))
    ]


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
