"""What any speech recognizer offers: windows in, results out.

Floor 1 of the road. `whisper/` is the one that ships; another engine is another class with these
methods and one line in `pipeline.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from subvino.audio import Window, WindowSound
from subvino.errors import OptionError, SubvinoError
from subvino.transcript import ChineseScript, Segment, Task


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How windows become text.

    language: code, or None to detect it from the first windows.
    beam_size: hypotheses kept a window; 1 decodes greedily.
    sure_logprob: windows of 5 s and more have a draft first, decoded greedily from half as many
        encoder states. It stands where the mean log-probability of the whole and of every phrase is
        at least this; the others are heard in full, with `beam_size` hypotheses. None, or 0, makes
        no drafts. On 9,133 words of clips and readings in 9 languages (whisper-base) 865 were wrong
        at -0.25, and 858 without drafts; greedily 967 and 969.
    best_of: samples drawn at each temperature above 0, of which the likeliest is taken.
    temperatures: tried in turn while a result fails the three thresholds below.
    max_compression_ratio: text that compresses better than this loops.
    min_avg_logprob: a mean log-probability below this is guesswork.
    max_no_speech_prob: above this, a window whose text is guesswork holds no speech.
    batch_size: windows decoded at once; None fits the model's size.
    words: whether to find the time of each word.
    multilingual: whether each window may be in a language of its own.
    prompt: text that the speech could be the continuation of: its spelling and style carry over.
    hotwords: names and jargon to expect.
    suppress: words and signs, parted by white space, that are never written.
    condition_on_previous: whether each window's text is the next one's prompt; windows are then
        decoded one after the other.
    chinese: the script that Chinese is written in.
    The temperatures and thresholds are those of openai/whisper's `transcribe`.
    """

    language: str | None = None
    task: Task = "transcribe"
    beam_size: int = 5
    sure_logprob: float | None = -0.25
    best_of: int = 1
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    max_compression_ratio: float = 2.4
    min_avg_logprob: float = -1.0
    max_no_speech_prob: float = 0.6
    batch_size: int | None = None
    words: bool = True
    multilingual: bool = False
    prompt: str = ""
    hotwords: str = ""
    suppress: str = ""
    condition_on_previous: bool = False
    chinese: ChineseScript = "simplified"

    def __post_init__(self) -> None:
        for name in ("beam_size", "best_of", "batch_size"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= 64:
                raise OptionError(f"{name} is {value}; give a number from 1 to 64")
        if not self.temperatures or not all(0.0 <= t <= 2.0 for t in self.temperatures):
            raise OptionError(f"temperatures are {self.temperatures}; give some from 0 to 2")
        self._check_thresholds()

    def _check_thresholds(self) -> None:
        # Written so that NaN is refused too.
        if not self.max_compression_ratio > 0:
            raise OptionError(
                f"max_compression_ratio is {self.max_compression_ratio}; give a number above 0"
            )
        if not self.min_avg_logprob <= 0:
            raise OptionError(f"min_avg_logprob is {self.min_avg_logprob}; give 0 or less")
        if self.sure_logprob is not None and not self.sure_logprob <= 0:
            raise OptionError(f"sure_logprob is {self.sure_logprob}; give 0 or less")
        if not 0 <= self.max_no_speech_prob <= 1:
            raise OptionError(f"max_no_speech_prob is {self.max_no_speech_prob}; give 0 to 1")


@dataclass(frozen=True, slots=True)
class Carry:
    """What the windows behind one depend on: with it a recognizer goes on where another stopped.

    language, language_probability: heard in the window as a whole.
    previous: ids of the text that prompts the next window; () where none does.
    """

    language: str
    language_probability: float
    previous: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WindowResult:
    """What was heard in a window; segment times are media time, seconds.

    language_probability: the model's belief in `language`, in [0, 1]; 1 where it was given.
    carry: for the windows behind it; None where they don't depend on it.
    """

    window: Window
    segments: tuple[Segment, ...]
    language: str
    language_probability: float
    carry: Carry | None = None


def always_ready() -> bool:
    """Of windows that nobody need wait for."""
    return True


def _raise(error: SubvinoError) -> None:
    raise error


@dataclass(frozen=True, slots=True)
class FileWindows:
    """The windows of one of many files.

    sounds: taken only as they are needed.
    after: of the window before the first, where an earlier run came to that one.
    is_ready: whether the next window comes without waiting; who has others to do asks it first.
    fail: told what makes this one file impossible to go on with, before its end; by default it
        ends the work of all.
    """

    sounds: Iterable[WindowSound]
    after: Carry | None = None
    is_ready: Callable[[], bool] = always_ready
    fail: Callable[[SubvinoError], None] = _raise


class FileRecognizer(Protocol):
    """What turns the windows of one file into segments."""

    def recognize(
        self,
        sounds: Iterable[WindowSound],
        options: DecodingOptions,
        after: Carry | None = None,
    ) -> Iterator[WindowResult]:
        """A result for every window, in the order given; takes windows only as it needs them.

        after: of the window before the first, where an earlier run came to that one. The results
            are then those of a run that was never stopped.
        """


class Recognizer(FileRecognizer, Protocol):
    """An engine that turns windows of sound into segments."""

    @property
    def name(self) -> str:
        """The model's name, as the transcript reports it."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages it knows; one code for an English-only model."""

    @property
    def batch_size(self) -> int:
        """Windows that it decodes at once where the options leave it open."""

    def detect_language(self, sounds: Iterable[WindowSound]) -> Mapping[str, float]:
        """Language code → probability, over all the windows given; the values sum to 1."""

    def recognize_many(
        self, files: Iterable[FileWindows], options: DecodingOptions
    ) -> Iterator[tuple[int, WindowResult | None]]:
        """The number of a file, from 0, and the result of one of its windows.

        Results are those that each file would have alone, in order within a file; windows of
        several files may be in one batch. None stands for a file's end. Files are opened as there
        is room for their windows, and one that raises ends the work of all.

        files: asked for more whenever there is room, also after it had none: as long as others are
            in work, what comes later joins them.
        """
