from __future__ import annotations

from pathlib import Path

import pytest

from subvino import transcribe
from subvino.chinese import in_script, script_of_tag
from subvino.pipeline import decoding_options
from subvino.transcript import ChineseScript, Segment, Word

CLIP = Path(__file__).parent / "data" / "speech" / "aishell_0121.flac"
SAID = "广州市房地产中介协会分析"
"""The clip's text by its makers: see ATTRIBUTION.md beside it."""


def spoken(*words: str) -> Segment:
    timed = [Word(word, number, number + 1, 0.5) for number, word in enumerate(words)]
    return Segment("".join(words).strip(), 0, len(words), tuple(timed))


def texts(segment: Segment) -> list[str]:
    assert segment.words is not None
    return [word.text for word in segment.words]


@pytest.mark.parametrize(
    ("tag", "script"),
    [
        ("zh", "simplified"),
        ("Chinese", "simplified"),
        ("zh-CN", "simplified"),
        ("zh-Hans-HK", "simplified"),
        ("zh_TW", "traditional"),
        ("zh-HK", "traditional"),
        ("zh-Hant", "traditional"),
        ("zht", "traditional"),
        ("de-AT", "simplified"),
    ],
)
def test_a_language_tag_says_which_script(tag: str, script: ChineseScript) -> None:
    assert script_of_tag(tag) == script
    if tag != "zht":
        assert decoding_options(tag).chinese == script


def test_the_script_asked_for_goes_before_the_tag() -> None:
    assert decoding_options("zh-TW", chinese="as-heard").chinese == "as-heard"


def test_text_comes_in_the_script_asked_for() -> None:
    heard = spoken("他", "頭", "髮", "乾", "了", ",皇", "后", "笑", "著", "说")
    simplified, traditional = in_script(heard, "simplified"), in_script(heard, "traditional")
    assert simplified.text == "他头发干了,皇后笑着说"
    assert traditional.text == "他頭髮乾了,皇后笑著說"
    assert texts(simplified) == [*"他头发干了", ",皇", *"后笑着说"]
    assert in_script(heard, "as-heard") is heard


@pytest.mark.parametrize(
    ("script", "text"),
    [("simplified", "乾隆显著 hello, 你好。"), ("traditional", "乾燥的麵條 hello, 公里。")],
)
def test_text_in_its_script_stays(script: ChineseScript, text: str) -> None:
    segment = Segment(text, 0, 1)
    assert in_script(segment, script) == segment


def test_words_keep_their_times() -> None:
    heard = spoken("頭", "髮")
    changed = in_script(heard, "simplified")
    assert changed.words is not None
    assert heard.words is not None
    assert [(w.start, w.end) for w in changed.words] == [(w.start, w.end) for w in heard.words]


@pytest.mark.model
def test_speech_comes_in_simplified_characters_unless_told_otherwise() -> None:
    told = {language: transcribe(CLIP, language=language) for language in ("zh", "zh-TW")}
    assert set("广产协会") <= set(told["zh"].text) & set(SAID)
    assert set("廣產協會") <= set(told["zh-TW"].text)
    assert transcribe(CLIP, language="zh", chinese="as-heard").text == told["zh-TW"].text
