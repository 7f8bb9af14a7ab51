"""Texts made comparable: Whisper's normalisers, and what is counted in each language.

Radford et al. 2022, appendix C. The normalisers are OpenAI's, as the package `whisper-normalizer`
carries them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from subvino.errors import MissingExtraError

CHARACTER_LANGUAGES = frozenset({"zh", "yue", "ja", "ko", "th", "lo", "my", "km"})
"""Counted in characters: written without spaces between words or, Korean, with spaces that
writers set as they like. (Whisper's paper: Chinese, Japanese, Thai, Lao, Burmese.)"""

Normalizer = Callable[[str], str]


def split_units(text: str, language: str | None, *, strip_accents: bool = False) -> list[str]:
    """The normalised words of a text; its characters in `CHARACTER_LANGUAGES`.

    >>> split_units("Mr. Smith isn't twenty-one.", "en")
    ['mister', 'smith', 'is', 'not', '21']
    >>> split_units("你好。", "zh")
    ['你', '好']

    language: None is treated as one written with spaces.

    Raises MissingExtraError where the normalisers are not installed.
    """
    return _normalizer(language, strip_accents)(text).split()


@cache
def _normalizer(language: str | None, strip_accents: bool) -> Normalizer:
    try:
        from whisper_normalizer.basic import BasicTextNormalizer
        from whisper_normalizer.english import EnglishTextNormalizer
    except ImportError as error:
        raise MissingExtraError("evaluate", "measuring accuracy") from error
    normalizer: Normalizer = (
        EnglishTextNormalizer()  # strips accents by itself
        if language == "en"
        else BasicTextNormalizer(
            remove_diacritics=strip_accents, split_letters=language in CHARACTER_LANGUAGES
        )
    )
    return normalizer
