"""Token ids ↔ text: Whisper's special tokens, languages, and how ids part into words.

Floor 1 of the road. The rules are those of "Robust Speech Recognition via Large-Scale Weak
Supervision" (Radford et al. 2022, section 2.3) as openai/whisper's tokenizer.py and timing.py
settle them; the vocabulary comes from the checkpoint's tokenizer.json.
"""

from __future__ import annotations

import difflib
import re
import string
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from subvino import languages
from subvino.errors import CheckpointError, OptionError
from subvino.transcript import Task

if TYPE_CHECKING:
    import tokenizers

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "en": "English",
        "zh": "Chinese",
        "de": "German",
        "es": "Spanish",
        "ru": "Russian",
        "ko": "Korean",
        "fr": "French",
        "ja": "Japanese",
        "pt": "Portuguese",
        "tr": "Turkish",
        "pl": "Polish",
        "ca": "Catalan",
        "nl": "Dutch",
        "ar": "Arabic",
        "sv": "Swedish",
        "it": "Italian",
        "id": "Indonesian",
        "hi": "Hindi",
        "fi": "Finnish",
        "vi": "Vietnamese",
        "he": "Hebrew",
        "uk": "Ukrainian",
        "el": "Greek",
        "ms": "Malay",
        "cs": "Czech",
        "ro": "Romanian",
        "da": "Danish",
        "hu": "Hungarian",
        "ta": "Tamil",
        "no": "Norwegian",
        "th": "Thai",
        "ur": "Urdu",
        "hr": "Croatian",
        "bg": "Bulgarian",
        "lt": "Lithuanian",
        "la": "Latin",
        "mi": "Maori",
        "ml": "Malayalam",
        "cy": "Welsh",
        "sk": "Slovak",
        "te": "Telugu",
        "fa": "Persian",
        "lv": "Latvian",
        "bn": "Bengali",
        "sr": "Serbian",
        "az": "Azerbaijani",
        "sl": "Slovenian",
        "kn": "Kannada",
        "et": "Estonian",
        "mk": "Macedonian",
        "br": "Breton",
        "eu": "Basque",
        "is": "Icelandic",
        "hy": "Armenian",
        "ne": "Nepali",
        "mn": "Mongolian",
        "bs": "Bosnian",
        "kk": "Kazakh",
        "sq": "Albanian",
        "sw": "Swahili",
        "gl": "Galician",
        "mr": "Marathi",
        "pa": "Punjabi",
        "si": "Sinhala",
        "km": "Khmer",
        "sn": "Shona",
        "yo": "Yoruba",
        "so": "Somali",
        "af": "Afrikaans",
        "oc": "Occitan",
        "ka": "Georgian",
        "be": "Belarusian",
        "tg": "Tajik",
        "sd": "Sindhi",
        "gu": "Gujarati",
        "am": "Amharic",
        "yi": "Yiddish",
        "lo": "Lao",
        "uz": "Uzbek",
        "fo": "Faroese",
        "ht": "Haitian Creole",
        "ps": "Pashto",
        "tk": "Turkmen",
        "nn": "Nynorsk",
        "mt": "Maltese",
        "sa": "Sanskrit",
        "lb": "Luxembourgish",
        "my": "Myanmar",
        "bo": "Tibetan",
        "tl": "Tagalog",
        "mg": "Malagasy",
        "as": "Assamese",
        "tt": "Tatar",
        "haw": "Hawaiian",
        "ln": "Lingala",
        "ha": "Hausa",
        "ba": "Bashkir",
        "jw": "Javanese",
        "su": "Sundanese",
        "yue": "Cantonese",
    }
)
"""Whisper's code → English name, in the order of the language tokens; yue from large-v3 on."""

_OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "burmese": "my",
        "castilian": "es",
        "flemish": "nl",
        "haitian": "ht",
        "letzeburgesch": "lb",
        "mandarin": "zh",
        "moldavian": "ro",
        "moldovan": "ro",
        "panjabi": "pa",
        "pushto": "ps",
        "sinhalese": "si",
        "valencian": "ca",
    }
)

_UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages written without spaces between words."""

SECONDS_PER_TIMESTAMP = 0.02
"""From one timestamp token to the next: two log-mel frames, one encoder state."""

MAX_PREVIOUS = 223
"""Tokens of earlier text that a prompt carries at most: half of the decoder's 448, less one."""

PREPENDED = "\"'“¿([{-"
"""Punctuation that belongs to the word after it, where a space stands before."""

APPENDED = "\"'.。,，!！?？:：”)]}、"
"""Punctuation that belongs to the word before it."""

# Symbols that begin speaker tags, notes and markup rather than spoken words.
_SYMBOLS = (
    *'"#()*+/:;<=>@[\\]^_`{|}~「」『』',
    *("<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", '("', "((", "))", "(((", ")))"),
    *("[[", "]]", "{{", "}}", "♪♪", "♪♪♪"),
)
# Some of these are several tokens; the first alone then stands for few characters but such signs.
_NOTES = frozenset("♩♪♫♬♭♮♯")

# One UTF-8 character, or as much of one as there is where the sequence breaks off.
_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]?|[\xe0-\xef][\x80-\xbf]{0,2}|[\xf0-\xf4][\x80-\xbf]{0,3}|.",
    re.DOTALL,
)

_MAX_FILE_BYTES = 32 * 2**20  # published tokenizer.json files have 2 to 4 MB
_GPT2_EOT = 50256  # English-only checkpoints use GPT-2's vocabulary, which ends with this token


class WordTokens(NamedTuple):
    """A word's text, with the space before it where it has one, and its token ids."""

    text: str
    ids: tuple[int, ...]


class PunctuatedWord(NamedTuple):
    """A word and the punctuation that belongs to it.

    text: of all pieces, joined.
    pieces: indices of the pieces in what was merged.
    core: index of the piece that is the word itself; its times are the word's.
    """

    text: str
    pieces: range
    core: int


def language_code(name: str) -> str:
    """Whisper's code for a language that a user names: any code or tag for it, or English name.

    >>> language_code("German"), language_code("pt-BR"), language_code("ger")
    ('de', 'pt', 'de')

    Raises OptionError, which lists what comes near.
    """
    wanted = " ".join(name.lower().split())
    code = _codes_by_name().get(wanted) or languages.language_code(wanted)
    if code not in LANGUAGES:
        raise OptionError(f"language {name[:40]!r} is not known{_near(wanted[:40])}")
    return code


@cache
def _codes_by_name() -> Mapping[str, str]:
    names = {name.lower(): code for code, name in LANGUAGES.items()}
    return MappingProxyType(names | dict(_OTHER_NAMES))


def _near(wanted: str) -> str:
    """The end of the message about an unknown language."""
    codes = _codes_by_name()
    found = difflib.get_close_matches(wanted, codes, cutoff=0.7)
    if not found:
        return "; give a code such as en, de or zh, or an English name"
    return "; did you mean " + " or ".join(f"{name} ({codes[name]})" for name in found) + "?"


class Tokenizer:
    """A checkpoint's vocabulary and its special tokens.

    sot, eot: start of the transcript, end of the text.
    translate, transcribe: the tasks.
    sot_lm, sot_prev: start of text without sound, start of the text before this window.
    no_speech, no_timestamps: nobody speaks; no timestamps follow.
    timestamp_begin: the id of 0.00 s; each next id is SECONDS_PER_TIMESTAMP later.
    language_ids: code → id of the language's token; empty for an English-only model.
    languages: codes of the languages the model knows; ("en",) for an English-only one.
    """

    def __init__(self, path: Path) -> None:
        """Read a tokenizer.json; raises CheckpointError where it is not a Whisper tokenizer."""
        vocabulary = _read(path)
        self._vocabulary = vocabulary
        self.sot = _special(vocabulary, path, "startoftranscript")
        self.eot = _special(vocabulary, path, "endoftext")
        self.translate = _special(vocabulary, path, "translate")
        self.transcribe = _special(vocabulary, path, "transcribe")
        self.sot_lm = _special(vocabulary, path, "startoflm")
        self.sot_prev = _special(vocabulary, path, "startofprev")
        self.no_speech = _special(vocabulary, path, "nospeech", "nocaptions")
        self.no_timestamps = _special(vocabulary, path, "notimestamps")
        self.timestamp_begin = self.no_timestamps + 1
        self.language_ids = MappingProxyType(_language_ids(vocabulary, self.eot))
        self.languages = tuple(self.language_ids) or ("en",)
        self._check_order(path)

    @property
    def is_multilingual(self) -> bool:
        """Whether prompts name a language and a task."""
        return bool(self.language_ids)

    def encode(self, text: str) -> list[int]:
        """The ids of the text; a special token spelled out in it is plain text."""
        pieces = self._vocabulary.pre_tokenizer.pre_tokenize_str(text)
        return [token for piece, _ in pieces for token in self._encode_piece(piece)]

    def _encode_piece(self, piece: str) -> list[int]:
        """Byte-pair encoding by rank, which is the id, as tiktoken does it.

        The library would go by the file's list of merges, but the published multilingual files
        have lost its first row (space + t), so that " today" would become four tokens, not one.
        """
        parts = list(piece)
        ranks = [self._rank(pair) for pair in map(str.__add__, parts, parts[1:])]
        while ranks and (best := min(ranks)) < self.eot:
            at = ranks.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
            del ranks[at]
            if at > 0:
                ranks[at - 1] = self._rank(parts[at - 1] + parts[at])
            if at < len(ranks):
                ranks[at] = self._rank(parts[at] + parts[at + 1])
        return [rank for part in parts if (rank := self._rank(part)) < self.eot]

    def _rank(self, part: str) -> int:
        """The part's id; eot where it is no text token."""
        found = self._vocabulary.token_to_id(part)
        return self.eot if found is None else min(int(found), self.eot)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the ids, without special tokens and timestamps."""
        raw = b"".join(self._bytes(token) for token in ids if token < self.eot)
        return raw.decode("utf-8", "replace")

    def decode_with_timestamps(self, ids: Iterable[int]) -> str:
        """The text of the ids, special tokens as they are spelled, timestamps as <|1.20|>."""
        return b"".join(map(self._bytes, ids)).decode("utf-8", "replace")

    def prompt_ids(
        self, language: str, task: Task, *, timestamps: bool, previous: Sequence[int] = ()
    ) -> list[int]:
        """The ids that the decoder starts from.

        language: a code in `languages`.
        previous: ids of the text before this window; the last MAX_PREVIOUS of them are taken.
        Raises OptionError for a language or task that the model does not have.
        """
        earlier = [self.sot_prev, *previous[-MAX_PREVIOUS:]] if previous else []
        ending = [] if timestamps else [self.no_timestamps]
        return [*earlier, self.sot, *self._language_and_task(language, task), *ending]

    def _language_and_task(self, language: str, task: Task) -> list[int]:
        if language not in self.languages:
            raise OptionError(
                f"the model does not know the language {language[:40]!r}, only: "
                f"{', '.join(self.languages)}; choose a multilingual model"
            )
        if self.is_multilingual:
            return [
                self.language_ids[language],
                self.translate if task == "translate" else self.transcribe,
            ]
        if task == "translate":
            raise OptionError("an English-only model can't translate; choose a multilingual one")
        return []

    def split_words(self, ids: Sequence[int], language: str) -> list[WordTokens]:
        """The ids parted into words: none lost, and no character cut in two.

        At spaces; in a language written without them, wherever a token ends a character and no
        combining mark follows (openai/whisper cuts there too, which tears Thai vowels off).
        Punctuation is a word of its own, for `merge_punctuations` to put in its place.
        """
        pieces = self._split_characters(ids)
        if language in _UNSPACED:
            return pieces
        words: list[WordTokens] = []
        for piece in pieces:
            if not words or self._begins_word(piece):
                words.append(piece)
            else:
                before = words.pop()
                words.append(WordTokens(before.text + piece.text, before.ids + piece.ids))
        return words

    def _split_characters(self, ids: Sequence[int]) -> list[WordTokens]:
        """The fewest ids at a time that make whole characters."""
        raw = [self._bytes(token) for token in ids]
        cuts = _character_starts(b"".join(raw))
        pieces: list[WordTokens] = []
        first = position = 0
        for end, token in enumerate(raw, start=1):
            position += len(token)
            if position in cuts or end == len(raw):
                text = b"".join(raw[first:end]).decode("utf-8", "replace")
                pieces.append(WordTokens(text, tuple(ids[first:end])))
                first = end
        return pieces

    def _begins_word(self, piece: WordTokens) -> bool:
        return (
            piece.ids[0] >= self.eot
            or piece.text.startswith(" ")
            or piece.text.strip() in string.punctuation
        )

    def non_speech_tokens(self) -> tuple[int, ...]:
        """Ids that stand for no spoken word, such as brackets and notes: never to be chosen.

        The list that openai/whisper suppresses by default, computed from the vocabulary.
        """
        first = {self.encode(" -")[0], self.encode(" '")[0]}  # they are speech inside a word only
        symbols = {
            ids[0]
            for symbol in (*_SYMBOLS, *_NOTES)
            for ids in (self.encode(symbol), self.encode(" " + symbol))
            if len(ids) == 1 or symbol in _NOTES
        }
        return tuple(sorted(first | symbols))

    def _bytes(self, token: int) -> bytes:
        """What the token stands for; one outside the vocabulary shows as U+FFFD."""
        if token >= self.timestamp_begin:
            return f"<|{(token - self.timestamp_begin) * SECONDS_PER_TIMESTAMP:.2f}|>".encode()
        text = self._vocabulary.id_to_token(token)
        if text is None:
            return b"\xef\xbf\xbd"
        if token >= self.eot:
            return text.encode()
        table = _bytes_by_character()
        return bytes(table[character] for character in text if character in table)

    def _check_order(self, path: Path) -> None:
        """Text ids come before eot, other special ids up to no_timestamps, timestamps after."""
        special = (self.sot, self.translate, self.transcribe, self.sot_lm, self.sot_prev)
        between = (*special, self.no_speech, *self.language_ids.values())
        if not self.eot < min(between) <= max(between) < self.no_timestamps:
            raise CheckpointError(
                f"{path}: not a Whisper tokenizer (its special tokens are out of order)", path
            )


def _read(path: Path) -> tokenizers.Tokenizer:
    from tokenizers import Tokenizer as Vocabulary

    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES + 1)
        if len(text) > _MAX_FILE_BYTES:
            raise CheckpointError(
                f"{path}: larger than {_MAX_FILE_BYTES} bytes, so not a Whisper tokenizer", path
            )
        vocabulary = Vocabulary.from_buffer(text)
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read ({error.strerror})", path) from error
    except CheckpointError:
        raise
    except Exception as error:  # the library raises no narrower class
        raise CheckpointError(f"{path}: not a tokenizer.json ({error})", path) from error
    if vocabulary.pre_tokenizer is None:
        raise CheckpointError(f"{path}: not a Whisper tokenizer (it has no pre-tokenizer)", path)
    return vocabulary


def _special(vocabulary: tokenizers.Tokenizer, path: Path, *names: str) -> int:
    """The id of the special token, which different checkpoints name differently."""
    for name in names:
        found = vocabulary.token_to_id(f"<|{name}|>")
        if found is not None:
            return int(found)
    raise CheckpointError(f"{path}: not a Whisper tokenizer (it has no <|{names[0]}|>)", path)


def _language_ids(vocabulary: tokenizers.Tokenizer, eot: int) -> dict[str, int]:
    if eot == _GPT2_EOT:
        return {}  # such files list the language tokens too, but no model was trained on them
    ids = {code: vocabulary.token_to_id(f"<|{code}|>") for code in LANGUAGES}
    return {code: found for code, found in ids.items() if found is not None}


@cache
def _bytes_by_character() -> Mapping[str, int]:
    """How byte-level BPE (GPT-2's encoder.py) writes the 256 bytes as printable characters."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    table |= {chr(0x100 + index): byte for index, byte in enumerate(others)}
    return MappingProxyType(table)


def _character_starts(raw: bytes) -> frozenset[int]:
    """Where in UTF-8 text a character starts; a combining mark belongs to the one before it."""
    return frozenset(
        match.start()
        for match in _CHARACTER.finditer(raw)
        if unicodedata.category(match[0].decode("utf-8", "replace")[0])[0] != "M"
    )


def merge_punctuations(texts: Sequence[str]) -> list[PunctuatedWord]:
    """Words with the punctuation that belongs to them, from the texts of `Tokenizer.split_words`.

    As openai/whisper's timing.py does, and a piece of several marks, such as ?!, is joined too.

    >>> [word.text for word in merge_punctuations([' "', 'No', '!', '"', ' he', ' said', '.'])]
    [' "No!"', ' he', ' said.']
    """
    words = []
    start = 0
    while start < len(texts):
        core = start
        while core + 1 < len(texts) and _is_prepended(texts[core]):
            core += 1
        end = core + 1
        while end < len(texts) and not texts[end - 1].endswith(" ") and _is_appended(texts[end]):
            end += 1
        words.append(PunctuatedWord("".join(texts[start:end]), range(start, end), core))
        start = end
    return words


def _is_prepended(text: str) -> bool:
    return text.startswith(" ") and all(character in PREPENDED for character in text.strip())


def _is_appended(text: str) -> bool:
    return all(character in APPENDED for character in text)
