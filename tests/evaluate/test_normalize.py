from __future__ import annotations

import doctest

import pytest

from subvino.evaluate import normalize
from subvino.evaluate.normalize import split_units

# What OpenAI's own tests expect (openai/whisper, tests/test_normalizer.py).
PUBLISHED = {
    "two": "2",
    "thirty one": "31",
    "five twenty four": "524",
    "nineteen ninety nine": "1999",
    "two point five million": "2500000",
    "four point two billions": "4200000000s",
    "200 thousand dollars": "$200000",
    "€52.4 million": "€52400000",
    "two double o eight": "2008",
    "forty three thousand two hundred and sixty": "43260",
    "nineteen fifties": "1950s",
    "thirty three thousand and three hundred and thirty third": "33333rd",
    "august twenty sixth twenty twenty one": "august 26th 2021",
    "3 point 14": "3.14",
    "seventy six per cent": "76%",
    "one triple oh one": "10001",
    "minus 500": "-500",
    "$0.36": "¢36",
    "three euros and sixty five cents": "€3.65",
    "forty eight and a half dollars": "$48.5",
    "b747": "b 747",
    "mobilisation": "mobilization",
    "cancelation": "cancellation",
    "Let's": "let us",
    "he's like": "he is like",
    "she's been like": "she has been like",
    "10km": "10 km",
    "RC232": "rc 232",
    "Mr. Park visited Assoc. Prof. Kim Jr.": "mister park visited associate professor kim junior",
}


@pytest.mark.parametrize(("text", "normal"), PUBLISHED.items())
def test_english_is_normalised_as_openai_publishes(text: str, normal: str) -> None:
    assert split_units(text, "en") == normal.split()


def test_other_languages_lose_case_and_punctuation_and_keep_their_numbers() -> None:
    assert split_units("Zwei Straßen, 3 Häuser!", "de") == ["zwei", "straßen", "3", "häuser"]
    assert split_units("[Musik] Hallo (leise)", "de") == ["hallo"]


def test_accents_go_only_where_the_reference_has_none() -> None:
    assert split_units("¿Dónde está más?", "es") == ["dónde", "está", "más"]
    assert split_units("¿Dónde está más?", "es", strip_accents=True) == ["donde", "esta", "mas"]


@pytest.mark.parametrize(
    ("language", "text", "units"),
    [
        ("zh", "广州市，分析。", "广州市分析"),
        ("ja", "電球 がともって", "電球がともって"),
        ("ko", "그는 이리저리", "그는이리저리"),
    ],
)
def test_characters_count_where_words_are_not_parted(language: str, text: str, units: str) -> None:
    assert split_units(text, language) == list(units)


def test_the_examples_are_so() -> None:
    assert doctest.testmod(normalize).failed == 0
