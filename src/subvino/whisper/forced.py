"""Words that are known, and the window they are said in → when each is said.

Floor 2 of the road. The words are given to the decoder as if it had said them, and the
cross-attention of its alignment heads shows where it heard each, as for words of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from subvino.alignment import SECONDS_PER_STATE, WordTime, fit_to_sound, token_onsets, word_times
from subvino.audio import SAMPLE_RATE, WindowSound
from subvino.errors import OptionError
from subvino.features import log_mel
from subvino.tokenizer import Tokenizer
from subvino.transcript import Word
from subvino.whisper.words import plausible_time
from subvino.windows import to_media_times

if TYPE_CHECKING:
    from subvino.whisper.slots import SlotEngine

_TRAILING = re.compile(r"[^\w]+$")
_ROOM = 4
"""Tokens that stand before and after the text: start, language, task and end."""


def align_words(
    engine: SlotEngine,
    tokenizer: Tokenizer,
    sound: WindowSound,
    words: Sequence[str],
    language: str,
) -> list[Word]:
    """The words, said in the window in this order, with their times in the media, seconds.

    words: with the space before them where there is one, as `transcript.Word` has them.

    More words than the decoder takes share their time by length. Raises OptionError where the
    model has no alignment heads.
    """
    if not words:
        return []
    tokens = [tokenizer.encode(word) for word in words]
    if sum(map(len, tokens)) > engine.dimensions.n_text_context - 2 * _ROOM:
        return _spread(sound, words)
    onsets = _attend(engine, tokenizer, sound, [id_ for ids in tokens for id_ in ids], language)
    duration = len(sound.samples) / SAMPLE_RATE
    ends = np.cumsum([len(ids) for ids in tokens])
    times = word_times(onsets, list(range(1, int(ends[-1]) + 1)), duration)
    cores = [_n_core(tokenizer, word, ids) for word, ids in zip(words, tokens, strict=True)]
    heard = [
        WordTime(times[end - len(ids)].start, times[end - len(ids) + core - 1].end)
        for ids, end, core in zip(tokens, map(int, ends), cores, strict=True)
    ]
    return [
        _media_word(sound, word, WordTime(*plausible_time(word, time)))
        for word, time in zip(words, fit_to_sound(heard, sound.samples), strict=True)
    ]


def _n_core(tokenizer: Tokenizer, word: str, tokens: Sequence[int]) -> int:
    """How many of a word's tokens say it: punctuation after it takes time that is a pause's."""
    core = tokenizer.encode(_TRAILING.sub("", word))
    same = bool(core) and list(tokens[: len(core)]) == core
    return len(core) if same else max(len(tokens), 1)


def _attend(
    engine: SlotEngine,
    tokenizer: Tokenizer,
    sound: WindowSound,
    tokens: Sequence[int],
    language: str,
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The state at which each token begins, and the end token after them."""
    slots = engine.new_slots(1, 1)
    slots.enter(0, engine.hear(log_mel(sound.samples, engine.dimensions.n_mels)))
    prompt = tokenizer.prompt_ids(language, "transcribe", timestamps=False)
    attention = slots.attend(0, np.array([*prompt, *tokens, tokenizer.eot], np.int32))
    if attention is None:
        raise OptionError("the model has no alignment heads, by which words are timed; use another")
    n_states = -(-max(len(sound.samples), 1) // round(SECONDS_PER_STATE * SAMPLE_RATE))
    return token_onsets(attention[len(prompt) - 1 : -1, :n_states])


def _media_word(sound: WindowSound, text: str, time: WordTime) -> Word:
    return Word(text, *to_media_times(sound.window, time.start, time.end), 1.0)


def _spread(sound: WindowSound, words: Sequence[str]) -> list[Word]:
    """Each word a share of the window as great as that of the text."""
    edges = np.concatenate([[0], np.cumsum([len(word) for word in words])])
    times = edges / max(int(edges[-1]), 1) * (len(sound.samples) / SAMPLE_RATE)
    return [
        _media_word(sound, word, WordTime(float(a), float(b)))
        for word, a, b in zip(words, times[:-1], times[1:], strict=True)
    ]
