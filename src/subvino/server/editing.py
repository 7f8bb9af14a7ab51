"""Cues under a person's hands: each change is a function from cues to cues.

Floor 5 of the road; pure. Cues are numbered from 0 here. They stay in order and never overlap: a
change that would break this is refused with an `OptionError` that can be shown as it is. Each cue
keeps the words that were heard under it, so that a doubtful word is known as long as nobody has
changed it, whatever else happens to its cue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from subvino.check import clean_text
from subvino.cues import CueRules, build_cues
from subvino.errors import OptionError
from subvino.linebreak import break_lines, ends_sentence, join_lines, split_words
from subvino.subtitles import Cue, CueWord, Subtitles
from subvino.transcript import Segment, Transcript, Word

DOUBTFUL = 0.6
"""Words less likely than this are marked.

With whisper-base on 60 clips of LibriSpeech test-other and VCTK: 7.5 % of words, 15 % of them
wrong, 32 % of those wrong. Below 0.5 they are 3.9, 16 and 17 %, below 0.7 12.4, 16 and 55 %.
"""

MAX_TEXT = 1000
"""Characters of a cue: a screen full of text."""
MAX_TIME_MS = 360_000_000
"""A hundred hours."""
SHORTEST_MS = 100
"""Of a cue that a person makes: what it takes to see that there is one."""
INSERTED_MS = 2000
"""How long a new cue is shown, where there is room."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word as it was heard; text as in `transcript.Word`, probability in [0, 1]."""

    text: str
    start_ms: int
    end_ms: int
    probability: float


@dataclass(frozen=True, slots=True)
class EditedCue:
    """A cue, and what was heard where it stands.

    text: lines parted by line breaks, none empty.
    """

    start_ms: int
    end_ms: int
    text: str
    heard: tuple[HeardWord, ...] = ()


Cues = tuple[EditedCue, ...]


# --- to and from the road's own types -----------------------------------------------------------


def cut_cues(transcript: Transcript, rules: CueRules) -> Cues:
    """A transcript's cues by these rules, with the words that were heard."""
    cues = build_cues(transcript, rules).cues
    words = [word for segment in transcript.spoken for word in _words_of(segment)]
    belief = _beliefs(words, [unit for cue in cues for unit in cue.words])
    return tuple(
        EditedCue(cue.start_ms, cue.end_ms, cue.text, tuple(map(belief, cue.words))) for cue in cues
    )


def _words_of(segment: Segment) -> Sequence[Word]:
    return segment.words or (Word(segment.text, segment.start, segment.end, 1.0),)


def _beliefs(words: Sequence[Word], units: Sequence[CueWord]) -> Callable[[CueWord], HeardWord]:
    """How sure the model was of each unit: of the word that its first character lies in.

    Units are words, or their pieces in scripts without spaces, in the same order.
    """
    per_char = [word.probability for word in words for _ in _squeeze(word.text)]
    probabilities: dict[int, float] = {}
    at = 0
    for unit in units:
        probabilities[id(unit)] = per_char[at] if at < len(per_char) else 1.0
        at += len(_squeeze(unit.text))
    return lambda unit: HeardWord(
        unit.text, unit.start_ms, unit.end_ms, probabilities.get(id(unit), 1.0)
    )


def to_subtitles(cues: Cues, language: str) -> Subtitles:
    """The cues as files are made of them; word times stand where the text is as it was heard."""
    return Subtitles(tuple(map(_to_cue, cues)), language)


def _to_cue(cue: EditedCue) -> Cue:
    lines = tuple(cue.text.split("\n"))
    as_heard = _squeeze(cue.text) == _squeeze("".join(word.text for word in cue.heard))
    inside = all(cue.start_ms <= w.start_ms <= w.end_ms <= cue.end_ms for w in cue.heard)
    words = cue.heard if as_heard and inside else ()
    return Cue(
        cue.start_ms,
        cue.end_ms,
        lines,
        tuple(CueWord(word.text, word.start_ms, word.end_ms) for word in words),
    )


def to_transcript(cues: Cues, original: Transcript) -> Transcript:
    """The transcript as it was corrected: a segment for each cue, its words where still known.

    A word that a person wrote is certain, and has its share of the time between its neighbours.
    """
    segments = tuple(
        Segment(
            join_lines(cue.text.split("\n")),
            cue.start_ms / 1000,
            cue.end_ms / 1000,
            _timed_words(cue),
        )
        for cue in cues
    )
    return replace(original, segments=segments)


def _timed_words(cue: EditedCue) -> tuple[Word, ...]:
    units = split_words(join_lines(cue.text.split("\n")))
    known = _known_units(units, cue.heard)
    words: list[Word] = []
    for first, after in _runs(known):
        heard = known[first]
        if heard is not None:
            start_ms = min(max(heard.start_ms, cue.start_ms), cue.end_ms)
            end_ms = min(max(heard.end_ms, start_ms), cue.end_ms)
            words.append(Word(units[first], start_ms / 1000, end_ms / 1000, heard.probability))
            continue
        begin = round(words[-1].end * 1000) if words else cue.start_ms
        following = known[after] if after < len(known) else None
        end = min(max(following.start_ms if following else cue.end_ms, begin), cue.end_ms)
        words += _spread(units[first:after], begin, end)
    return tuple(words)


def _runs(known: Sequence[HeardWord | None]) -> Iterator[tuple[int, int]]:
    """Each unit that is known by itself, those in a row that are not together."""
    at = 0
    while at < len(known):
        after = at + 1
        while known[at] is None and after < len(known) and known[after] is None:
            after += 1
        yield at, after
        at = after


def _spread(units: Sequence[str], begin_ms: int, end_ms: int) -> Iterator[Word]:
    """Words over a stretch of time, by their characters."""
    n_chars, done = max(sum(map(len, units)), 1), 0
    for unit in units:
        start = begin_ms + (end_ms - begin_ms) * done // n_chars
        done += len(unit)
        end = begin_ms + (end_ms - begin_ms) * done // n_chars
        yield Word(unit, start / 1000, end / 1000, 1.0)


def _known_units(units: Sequence[str], heard: Sequence[HeardWord]) -> list[HeardWord | None]:
    """For each unit the word it was heard as; None where somebody wrote another."""
    places = _match([_squeeze(unit) for unit in units], [_squeeze(word.text) for word in heard])
    return [None if place is None else heard[place] for place in places]


# --- doubt --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Doubt:
    """Characters `begin` to `end` of a cue's text that the model was not sure of."""

    begin: int
    end: int
    probability: float


@lru_cache(maxsize=10_000)
def find_doubts(cue: EditedCue, below: float = DOUBTFUL) -> tuple[Doubt, ...]:
    """The words of the text that were heard as they stand, but not surely."""
    units = split_words(cue.text)
    found: list[Doubt] = []
    at = 0
    for unit, word in zip(units, _known_units(units, cue.heard), strict=True):
        begin = cue.text.index(unit.strip(), at)
        at = begin + len(unit.strip())
        if word is None or word.probability >= below:
            continue
        if found and found[-1].end == begin:  # a script without spaces: the next piece of a word
            found[-1] = replace(found[-1], end=at)
        else:
            found.append(Doubt(begin, at, word.probability))
    return tuple(found)


def _match(new: Sequence[str], old: Sequence[str]) -> list[int | None]:
    """For each new item the place of the old one that it is; None where it is none."""
    if new == old:
        return list(range(len(new)))
    places: list[int | None] = [None] * len(new)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            places[block.b + offset] = block.a + offset
    return places


def _squeeze(text: str) -> str:
    return "".join(text.split())


# --- times --------------------------------------------------------------------------------------

_TIME = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6})(?:[.,](\d{1,3}))?")


def parse_time(text: str) -> int:
    """A time as people write it, in milliseconds.

    >>> parse_time("1:02.5"), parse_time("01:00:02,004"), parse_time("7")
    (62500, 3602004, 7000)

    Raises OptionError.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise OptionError(f"{text.strip()[:20]!r} is not a time; write it as 1:02.500")
    hours, minutes, seconds, fraction = match.groups(default="0")
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return min(whole * 1000 + int(fraction.ljust(3, "0")), MAX_TIME_MS)


def format_time(time_ms: int) -> str:
    """A time for a field that people edit: minutes always, hours where there are any.

    >>> format_time(62_500), format_time(3_602_004)
    ('1:02.500', '1:00:02.004')
    """
    minutes, rest = divmod(time_ms, 60_000)
    head = f"{minutes // 60}:{minutes % 60:02}" if minutes >= 60 else f"{minutes}"
    return f"{head}:{rest // 1000:02}.{rest % 1000:03}"


# --- changes ------------------------------------------------------------------------------------


def set_text(cues: Cues, number: int, text: str) -> Cues:
    """Other words in a cue; lines without text go. Raises OptionError where none is left."""
    cue = _cue(cues, number)
    cleaned = _written(text)
    return _put(cues, number, number + 1, [replace(cue, text=cleaned)])


def _written(text: str) -> str:
    cleaned = clean_text(text.replace("\x00", ""))
    if not cleaned:
        raise OptionError("a cue needs text; delete the cue if nothing should be shown")
    if len(cleaned) > MAX_TEXT:
        raise OptionError(f"a cue holds at most {MAX_TEXT} characters; split it")
    return cleaned


def set_times(cues: Cues, number: int, start_ms: int, end_ms: int) -> Cues:
    """Another in-time and out-time. Raises OptionError where they don't fit in."""
    cue = _cue(cues, number)
    if end_ms - start_ms < SHORTEST_MS:
        raise OptionError(f"a cue must end at least {SHORTEST_MS} ms after it starts")
    return _put(cues, number, number + 1, [replace(cue, start_ms=start_ms, end_ms=end_ms)])


def split(cues: Cues, number: int, rules: CueRules, offset: int | None = None) -> Cues:
    """One cue as two, parted before the character at `offset`, in the middle where None.

    The second comes in with its first word where that was heard, else by its share of the text.
    """
    cue = _cue(cues, number)
    offset = _middle(cue.text) if offset is None else offset
    texts = (cue.text[:offset].strip(), cue.text[offset:].strip())
    if not all(texts):
        raise OptionError("nothing to split: put the cursor between two words")
    heard = _part_heard(cue, offset)
    share = len(_squeeze(texts[0])) / len(_squeeze(cue.text))
    start_ms = (
        heard[1][0].start_ms
        if heard[1]
        else round(cue.start_ms + share * (cue.end_ms - cue.start_ms))
    )
    start_ms = min(max(start_ms, cue.start_ms + SHORTEST_MS), cue.end_ms - SHORTEST_MS)
    end_ms = max(start_ms - rules.min_gap_ms, cue.start_ms + SHORTEST_MS)
    if not cue.start_ms < end_ms <= start_ms < cue.end_ms:
        raise OptionError("this cue is too short to be split; make it longer first")
    first = EditedCue(cue.start_ms, end_ms, _written(texts[0]), heard[0])
    second = EditedCue(start_ms, cue.end_ms, _written(texts[1]), heard[1])
    return _put(cues, number, number + 1, [first, second])


def _middle(text: str) -> int:
    """The best place to part a text: where a sentence ends, else a line, else between words."""
    places = [match.start() for match in re.finditer(r"\s+", text)]
    if not places:
        units = split_words(text)
        return len("".join(units[: len(units) // 2]))

    def price(place: int) -> float:
        away = abs(place - len(text) / 2) / len(text)
        sentence = ends_sentence(text[:place].rstrip(), text[place:].lstrip(), "")
        return away - (0.3 if sentence else 0.15 if text[place] == "\n" else 0.0)

    return min(places, key=price)


def _part_heard(cue: EditedCue, offset: int) -> tuple[tuple[HeardWord, ...], tuple[HeardWord, ...]]:
    """The heard words of the text before and after a place in it."""
    units = split_words(cue.text[:offset])
    places = _match(
        [_squeeze(unit) for unit in split_words(cue.text)],
        [_squeeze(word.text) for word in cue.heard],
    )
    after = [place for place in places[len(units) :] if place is not None]
    before = [place for place in places[: len(units)] if place is not None]
    cut = after[0] if after else (before[-1] + 1 if before else 0)
    return cue.heard[:cut], cue.heard[cut:]


def merge(cues: Cues, number: int, rules: CueRules, language: str = "") -> Cues:
    """A cue and the next as one, its lines broken anew; those of a dialogue stay."""
    cue = _cue(cues, number)
    if number + 1 >= len(cues):
        raise OptionError("there is no cue after this one to merge it with")
    following = cues[number + 1]
    lines = [*cue.text.split("\n"), *following.text.split("\n")]
    if not any(line.startswith(("-", "–", "—")) for line in lines):
        lines = list(break_lines(split_words(join_lines(lines)), rules.line_rules, language))
    text = _written("\n".join(lines))
    merged = EditedCue(cue.start_ms, following.end_ms, text, cue.heard + following.heard)
    return _put(cues, number, number + 2, [merged])


def shift(cues: Cues, by_ms: int, first: int = 0) -> Cues:
    """All cues from `first` on, earlier or later. Raises OptionError where there is no room."""
    _cue(cues, first)
    return _put(cues, first, len(cues), [_moved(cue, by_ms) for cue in cues[first:]])


def _moved(cue: EditedCue, by_ms: int) -> EditedCue:
    return EditedCue(
        cue.start_ms + by_ms,
        cue.end_ms + by_ms,
        cue.text,
        tuple(
            replace(word, start_ms=word.start_ms + by_ms, end_ms=word.end_ms + by_ms)
            for word in cue.heard
        ),
    )


def remove(cues: Cues, number: int) -> Cues:
    """The cues without one of them."""
    _cue(cues, number)
    return _put(cues, number, number + 1, [])


def insert(cues: Cues, number: int, text: str = "…") -> Cues:
    """A new cue after a cue, -1 for one before all, in the time that is free there."""
    before, following = cues[max(number, 0) : number + 1], cues[number + 1 : number + 2]
    start_ms = before[0].end_ms if before else 0
    if not before and following:
        start_ms = max(following[0].start_ms - INSERTED_MS, 0)
    limit = following[0].start_ms if following else MAX_TIME_MS
    end_ms = min(start_ms + INSERTED_MS, limit)
    if end_ms - start_ms < SHORTEST_MS:
        raise OptionError("there is no time free here for another cue; split this one instead")
    return _put(cues, number + 1, number + 1, [EditedCue(start_ms, end_ms, _written(text))])


def _cue(cues: Cues, number: int) -> EditedCue:
    if not 0 <= number < len(cues):
        raise OptionError(f"there is no cue {number + 1}; load the page again")
    return cues[number]


def _put(cues: Cues, first: int, after: int, new: Sequence[EditedCue]) -> Cues:
    """The cues with others in the place of some; raises OptionError where they don't fit in."""
    before, rest = cues[:first], cues[after:]
    if new:
        if new[0].start_ms < 0 or new[-1].end_ms > MAX_TIME_MS:
            raise OptionError("no cue can come in before the beginning, or after 100 hours")
        if before and new[0].start_ms < before[-1].end_ms:
            raise OptionError(
                f"the cue before is shown until {format_time(before[-1].end_ms)}; "
                "this one can't come in earlier"
            )
        if rest and new[-1].end_ms > rest[0].start_ms:
            raise OptionError(
                f"the next cue comes in at {format_time(rest[0].start_ms)}; "
                "this one must have gone by then"
            )
    return (*before, *new, *rest)


# --- changes by name ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EditRules:
    """What changes go by: the rules for cues, and the language of the text."""

    rules: CueRules
    language: str = ""


def apply_change(cues: Cues, change: Mapping[str, Any], by: EditRules) -> Cues:
    """The cues after a change as the page names it.

    change: {"do": name of CHANGES, "cue": number, ...}; it comes from outside, so anything may be
        wrong with it.

    Raises OptionError.
    """
    name = change.get("do")
    if not isinstance(name, str) or name not in CHANGES:
        raise OptionError(f"no change {str(name)[:40]!r}; load the page again")
    try:
        return CHANGES[name](cues, _whole(change, "cue"), change, by)
    except KeyError as error:
        raise OptionError(f"the change {name} came without what it needs; try again") from error


def _whole(values: Mapping[str, Any], key: str) -> int:
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_TIME_MS:
        raise OptionError(f"{key} must be a whole number, and not a huge one")
    return value


def _offset(values: Mapping[str, Any]) -> int | None:
    return None if values.get("at") is None else _whole(values, "at")


Values = Mapping[str, Any]

CHANGES: Mapping[str, Callable[[Cues, int, Values, EditRules], Cues]] = MappingProxyType(
    {
        "text": lambda cues, n, values, _: set_text(cues, n, str(values["text"])),
        "times": lambda cues, n, values, _: set_times(
            cues, n, parse_time(str(values["start"])), parse_time(str(values["end"]))
        ),
        "split": lambda cues, n, values, by: split(cues, n, by.rules, _offset(values)),
        "merge": lambda cues, n, _, by: merge(cues, n, by.rules, by.language),
        "shift": lambda cues, n, values, _: shift(cues, _whole(values, "by_ms"), n),
        "remove": lambda cues, n, *_: remove(cues, n),
        "insert": lambda cues, n, *_: insert(cues, n),
    }
)
"""What the page can ask for. To add a change: a function above, a row here, a button in page.js."""
