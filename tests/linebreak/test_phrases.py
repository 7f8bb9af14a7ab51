"""Scripts without spaces: lines break between phrases with BudouX, and sensibly without."""

from __future__ import annotations

import pytest

from subvino.cues import CueRules, build_cues
from subvino.linebreak import LineRules, break_lines, phrases, split_words, text_width
from subvino.transcript import Segment, Transcript, Word

# From the Universal Declaration of Human Rights, in the translations of the United Nations.
SENTENCES = {
    "ja": "人類社会のすべての構成員の固有の尊厳と平等で譲ることのできない権利とを承認することは",
    "zh": "鉴于对人类家庭所有成员的固有尊严及其平等的和不移的权利的承认,"
    "乃是世界自由、正义与和平的基础",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
}
WORDS = {
    language: words.split()
    for language, words in {
        "ja": "人類 社会 すべて 構成 固有 尊厳 平等 できない 権利 承認 すること",
        "zh": "鉴于 人类 家庭 所有 成员 固有 尊严 平等 权利 承认 世界 自由 正义 和平 基础",
        "th": "มนุษย์ ทั้งหลาย อิสระ เสมอภาค เกียรติศักดิ์ สิทธิ",
    }.items()
}
WIDTHS = range(10, 31)


@pytest.fixture
def without_budoux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "_phrase_parser", lambda _: None)


def lines_of(language: str, max_chars: int) -> tuple[str, ...]:
    units = split_words(SENTENCES[language])
    return break_lines(units, LineRules(max_chars, 6), language)


def cues_of(language: str, max_chars: int) -> tuple[str, ...]:
    units = split_words(SENTENCES[language])
    words = tuple(Word(unit, at * 0.2, at * 0.2 + 0.2, 1.0) for at, unit in enumerate(units))
    segment = Segment(SENTENCES[language], 0.0, words[-1].end, words)
    transcript = Transcript((segment,), language, 1.0, words[-1].end)
    cues = build_cues(transcript, CueRules(max_chars=max_chars, max_lines=1)).cues
    return tuple(line for cue in cues for line in cue.lines)


def n_parted(language: str) -> int:
    """How many words are parted, by lines and by cues of all widths; no text may be lost."""
    found = 0
    for max_chars in WIDTHS:
        for parts in (lines_of(language, max_chars), cues_of(language, max_chars)):
            assert "".join(parts) == SENTENCES[language]
            assert all(text_width(part) <= max_chars for part in parts)
            found += sum(all(word not in part for part in parts) for word in WORDS[language])
    return found


@pytest.mark.parametrize("language", SENTENCES)
def test_hardly_a_word_is_parted_where_phrases_are_known(language: str) -> None:
    pytest.importorskip("budoux", reason="the extra cjk is not installed")
    assert n_parted(language) <= {"ja": 0, "zh": 0, "th": 8}[language]


@pytest.mark.usefixtures("without_budoux")
@pytest.mark.parametrize("language", SENTENCES)
def test_few_words_are_parted_without_knowing_phrases(language: str) -> None:
    assert 0 < n_parted(language) <= 2 * len(WIDTHS)
