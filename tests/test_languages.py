from __future__ import annotations

import pytest

from subvino.languages import language_code


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("en", "en"),
        ("eng", "en"),
        ("ENG ", "en"),
        ("en-US", "en"),
        ("pt_BR", "pt"),
        ("ger", "de"),
        ("deu", "de"),
        ("fre", "fr"),
        ("chi", "zh"),
        ("cmn", "zh"),
        ("zh-Hant-TW", "zh"),
        ("nob", "no"),
        ("iw", "he"),
        ("yue", "yue"),
        ("haw", "haw"),
    ],
)
def test_every_spelling_of_a_language_gives_whispers_code(spelling: str, code: str) -> None:
    assert language_code(spelling) == code


def test_a_code_that_whisper_does_not_know_stays_as_it_is() -> None:
    assert language_code("gsw-CH") == "gsw"
    assert language_code("") == ""
