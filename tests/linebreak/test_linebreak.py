import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.linebreak import (
    FREE,
    FUNCTION_WORDS,
    NEVER,
    TIGHT,
    LineRules,
    bond,
    break_lines,
    ends_sentence,
    join_lines,
    split_unspaced,
    split_words,
    text_width,
)

TWO_OF_42 = LineRules(42, 2)

# How a subtitle editor would break them; the comments of the guides, one case each.
BREAKS = [
    (
        "en",
        "He put the letter on the table and left without a word.",
        ("He put the letter on the table", "and left without a word."),
    ),
    (
        "en",
        "She had asked him many times, but he never answered.",
        ("She had asked him many times,", "but he never answered."),
    ),
    (
        "en",
        "This was the last letter that Catherine Morland ever wrote.",
        ("This was the last letter", "that Catherine Morland ever wrote."),
    ),
    (
        "en",
        "I do not know. Perhaps we should ask your mother.",
        ("I do not know.", "Perhaps we should ask your mother."),
    ),
    (
        "fr",
        "Il regardait la mer sans rien dire depuis le matin.",
        ("Il regardait la mer", "sans rien dire depuis le matin."),
    ),
    (
        "de",
        "Das alte Haus am Ende der Straße war seit Jahren leer.",
        ("Das alte Haus am Ende der Straße", "war seit Jahren leer."),
    ),
    (
        "es",
        "Hace algunas semanas que no vemos a la señora García.",
        ("Hace algunas semanas", "que no vemos a la señora García."),
    ),
    (
        "it",
        "Prema il tasto cancelletto per ascoltare il messaggio.",
        ("Prema il tasto cancelletto", "per ascoltare il messaggio."),
    ),
    (
        "pt",
        "O menino correu para a casa da avó com o cachorro do vizinho.",
        ("O menino correu para a casa da avó", "com o cachorro do vizinho."),
    ),
    (
        "nl",
        "Ik mag ook lekker wandelen naar het park langs de rivier.",
        ("Ik mag ook lekker wandelen", "naar het park langs de rivier."),
    ),
    (
        "ru",
        "Вы можете пользоваться теми же командами набора телефона.",
        ("Вы можете пользоваться теми же", "командами набора телефона."),
    ),
]


@pytest.mark.parametrize(("language", "text", "lines"), BREAKS)
def test_lines_break_where_an_editor_would_break_them(
    language: str, text: str, lines: tuple[str, ...]
) -> None:
    assert break_lines(split_words(text), TWO_OF_42, language) == lines


def test_what_fits_on_one_line_stays_on_one() -> None:
    assert break_lines(split_words("A cue of less than forty-two letters."), TWO_OF_42, "en") == (
        "A cue of less than forty-two letters.",
    )


@pytest.mark.parametrize("language", sorted(FUNCTION_WORDS))
def test_no_language_parts_an_article_or_preposition_from_its_noun(language: str) -> None:
    words = FUNCTION_WORDS[language]
    for word in words.determiners | words.prepositions:
        if word not in words.clitics:
            assert bond(word, " casa", language) >= 0.9, word


@pytest.mark.parametrize("language", sorted(FUNCTION_WORDS))
def test_every_language_breaks_sooner_before_a_conjunction_than_after_it(language: str) -> None:
    words = FUNCTION_WORDS[language]
    for word in words.conjunctions - words.determiners - words.prepositions - words.pronouns:
        assert bond("casa", f" {word}", language) < bond(word, " casa", language), word


@pytest.mark.parametrize(
    ("left", "right", "language"),
    [
        ("Catherine", "Morland", "en"),
        ("Mr.", "Allen", "en"),
        ("13", "years", "en"),
        ("could", "see", "en"),
        ("she", "wrote", "en"),
        ("give", "up.", "en"),
        ("n'est", "pas", "fr"),
        ("сказал", "бы", "ru"),
        ("Frau", "Müller", "de"),
        ("Stephanie", "Beckert", "de"),
        ("belegte", "sie", "de"),
        ("maken", "we", "nl"),
        ("unsicheres", "Terrain", "de"),
        ("famous", "letter", "en"),
        ("телефонного", "аппарата", "ru"),
    ],
)
def test_what_belongs_together_is_tighter_than_what_does_not(
    left: str, right: str, language: str
) -> None:
    assert bond(left, f" {right}", language) >= 0.65


@pytest.mark.parametrize(
    ("left", "right", "language", "ends"),
    [
        ("home.", "He", "en", True),
        ("“Home.”", "He", "en", True),
        ("Mr.", "Hale", "en", False),
        ("U.S.", "Army", "en", False),
        ("well...", "perhaps", "en", False),
        ("well…", "Perhaps", "en", True),
        ("am 3.", "Mai", "de", True),
        ("3.", "Mai", "de", False),
        ("1803.", "He", "en", True),
        ("what?", "Ed", "en", True),
        ("今日は。", "明日", "ja", True),
        ("مرحبا؟", "نعم", "ar", True),
        ("हाँ।", "नहीं", "hi", True),
        ("and", "then", "en", False),
    ],
)
def test_sentence_ends_are_told_from_abbreviations(
    left: str, right: str, language: str, ends: bool
) -> None:
    assert ends_sentence(left, f" {right}", language) is ends


def test_a_sentence_end_is_free_and_an_article_is_tight() -> None:
    assert bond("home.", " He", "en") == FREE
    assert bond("the", " house", "en") == TIGHT


@pytest.mark.parametrize(
    "text", ["「はい」と言った。", "ちょっと、キャンプへ！", "（笑）", "ไม่ใช่", "เพื่อน"]
)
def test_no_unit_begins_with_what_may_not_begin_a_line(text: str) -> None:
    units = split_unspaced(text)
    assert "".join(units) == text
    for unit in units:
        assert unit[0] not in "」）。、！ょっャゃー่้ี", units
        assert unit[-1] not in "「（เ", units


@pytest.mark.parametrize(
    ("left", "right"), [("said", " :"), ("quoi", " ?"), ("«", " oui"), ("10", "%"), ("車", "。")]
)
def test_punctuation_never_stands_apart_from_its_word(left: str, right: str) -> None:
    assert bond(left, right, "fr") == NEVER


def test_a_german_closing_quote_does_not_glue_the_next_word() -> None:
    assert bond("„Haus“", " und", "de") < NEVER


@pytest.mark.parametrize(
    ("text", "narrow_width", "width"),
    [
        ("Grüße", 1.0, 5.0),
        ("e\u0301", 1.0, 1.0),
        ("한국 TV.", 0.5, 4.0),
        ("日本語", 0.5, 3.0),
        ("ที่", 1.0, 1.0),
        ("\u200fשלום", 1.0, 4.0),
    ],
)
def test_width_counts_as_the_guides_count(text: str, narrow_width: float, width: float) -> None:
    assert text_width(text, narrow_width) == width


def test_japanese_breaks_after_a_particle() -> None:
    lines = break_lines(
        split_words("外れの電柱に電球が止まっていた。"), LineRules(13, 2, 0.5), "ja"
    )
    assert lines == ("外れの電柱に電球が", "止まっていた。")


def test_right_to_left_text_keeps_its_logical_order() -> None:
    text = "ذهبت إلى المدرسة في الصباح ثم عدت إلى البيت مساء."
    assert " ".join(break_lines(split_words(text), LineRules(30, 2), "ar")) == text


def test_lines_join_with_a_space_only_where_the_script_has_them() -> None:
    assert join_lines(("old", "house")) == "old house"
    assert join_lines(("日本", "語")) == "日本語"
    assert join_lines(("한국", "사람")) == "한국 사람"


TEXTS = st.lists(
    st.text(
        st.sampled_from("abcXYZ.,?!-'\"()日本語のカー。、ไทยเ한국שלו"), min_size=1, max_size=12
    ),
    max_size=20,
).map(" ".join)


@given(TEXTS, st.integers(1, 50), st.integers(1, 4), st.sampled_from(["en", "de", "ja", "zh", ""]))
def test_breaking_loses_nothing_and_fills_no_line_over_its_width(
    text: str, max_chars: int, max_lines: int, language: str
) -> None:
    units = split_words(text)
    lines = break_lines(units, LineRules(max_chars, max_lines), language)
    assert "".join("".join(lines).split()) == "".join(text.split())
    stripped = {unit.strip() for unit in units}
    for line in lines:
        assert text_width(line) <= max_chars or line in stripped
