"""The tokenizer against openai-whisper's, on the real vocabularies; its rules on a small one."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.errors import CheckpointError, OptionError
from subvino.tokenizer import (
    APPENDED,
    LANGUAGES,
    MAX_PREVIOUS,
    Tokenizer,
    WordTokens,
    language_code,
    merge_punctuations,
)
from tests.installed_weights import base_folders, tiny_en_folder
from tests.tiny_checkpoints import token_id, write_tokenizer

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "tokenizer.json").read_text(encoding="utf-8")
)
TEXTS = [key for key in REFERENCE if key.startswith("text") and not key.endswith("english")]
N_VOCAB = 2000


@pytest.fixture(scope="module")
def base() -> Tokenizer:
    return Tokenizer(base_folders()[0] / "tokenizer.json")


@pytest.fixture(scope="module")
def tiny_en() -> Tokenizer:
    return Tokenizer(tiny_en_folder() / "tokenizer.json")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """A tokenizer whose text tokens are the 256 bytes."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tokenizer(path, N_VOCAB)
    return Tokenizer(path)


# --- the real vocabularies against the reference -----------------------------------------------


def special_ids(tokenizer: Tokenizer) -> dict[str, Any]:
    names = [name for name in REFERENCE["special"] if name != "languages"]
    return {name: getattr(tokenizer, name) for name in names}


def expected_special_ids(key: str) -> dict[str, Any]:
    return {name: id_ for name, id_ in REFERENCE[key].items() if name != "languages"}


@pytest.mark.model
def test_special_ids_of_the_multilingual_vocabulary_are_the_references(base: Tokenizer) -> None:
    assert special_ids(base) == expected_special_ids("special")
    assert dict(base.language_ids) == REFERENCE["special"]["languages"]
    assert base.is_multilingual
    assert base.languages == tuple(LANGUAGES)[:99]


@pytest.mark.model
def test_special_ids_of_the_english_vocabulary_are_the_references(tiny_en: Tokenizer) -> None:
    assert special_ids(tiny_en) == expected_special_ids("special_english")
    assert not tiny_en.is_multilingual
    assert tiny_en.languages == ("en",)


@pytest.mark.model
def test_special_ids_with_a_hundred_languages_are_the_references(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(with_cantonese((base_folders()[0] / "tokenizer.json").read_text("utf-8")))
    tokenizer = Tokenizer(path)
    assert special_ids(tokenizer) == expected_special_ids("special_100_languages")
    assert dict(tokenizer.language_ids) == REFERENCE["special_100_languages"]["languages"]


def with_cantonese(text: str) -> str:
    """The file as large-v3 has it: yue after su, what follows one higher, nospeech renamed."""
    content = json.loads(text)
    tokens = content["added_tokens"]
    after = next(n for n, token in enumerate(tokens) if token["content"] == "<|translate|>")
    moved = [token | {"id": token["id"] + 1} for token in tokens[after:]]
    cantonese = tokens[after] | {"content": "<|yue|>"}
    content["added_tokens"] = [*tokens[:after], cantonese, *moved]
    content["post_processor"] = None
    return json.dumps(content).replace("<|nocaptions|>", "<|nospeech|>")


@pytest.mark.model
@pytest.mark.parametrize("key", TEXTS)
def test_text_becomes_the_references_ids_and_back(
    key: str, base: Tokenizer, tiny_en: Tokenizer
) -> None:
    for tokenizer, row in ((base, REFERENCE[key]), (tiny_en, REFERENCE[f"{key} english"])):
        assert tokenizer.encode(row["text"]) == row["ids"]
        assert tokenizer.decode(row["ids"]) == row["text"]


@pytest.mark.model
@pytest.mark.parametrize("key", TEXTS)
def test_words_are_the_references(key: str, base: Tokenizer, tiny_en: Tokenizer) -> None:
    row, english = REFERENCE[key], REFERENCE[f"{key} english"]
    for tokenizer, language, expected in (
        (base, row["language"], row["words"]),
        (tiny_en, "en", english["words"]),
    ):
        found = tokenizer.split_words(row["ids"] if tokenizer is base else english["ids"], language)
        assert found == with_marks_kept(expected)


def with_marks_kept(words: list[tuple[str, list[int]]]) -> list[WordTokens]:
    """The reference's words, but for one thing: it cuts before a combining mark, we don't."""
    kept: list[WordTokens] = []
    for text, ids in words:
        if kept and unicodedata.category(text[0]).startswith("M"):
            before = kept.pop()
            kept.append(WordTokens(before.text + text, (*before.ids, *ids)))
        else:
            kept.append(WordTokens(text, tuple(ids)))
    return kept


@pytest.mark.parametrize("key", [key for key in REFERENCE if key.startswith("text")])
def test_punctuation_joins_words_as_in_the_reference(key: str) -> None:
    row = REFERENCE[key]
    texts = [text for text, _ in row["words"]]
    expected: list[str] = []
    for text in row["merged"]:
        # The reference leaves a piece of several marks alone, as "!\"" or "...": we join it too.
        several_marks = expected and len(text) > 1 and set(text) <= set(APPENDED)
        expected.append(expected.pop() + text if several_marks else text)
    assert [word.text for word in merge_punctuations(texts)] == expected


@pytest.mark.model
def test_non_speech_tokens_are_the_references(base: Tokenizer, tiny_en: Tokenizer) -> None:
    assert list(base.non_speech_tokens()) == REFERENCE["non_speech"]
    assert list(tiny_en.non_speech_tokens()) == REFERENCE["non_speech_english"]


@pytest.mark.model
def test_non_speech_tokens_are_those_the_checkpoints_suppress() -> None:
    for folder in (base_folders()[0], tiny_en_folder()):
        tokenizer = Tokenizer(folder / "tokenizer.json")
        config = json.loads((folder / "config.json").read_text("utf-8"))
        text_ids = [id_ for id_ in config["suppress_ids"] if id_ < tokenizer.eot]
        assert list(tokenizer.non_speech_tokens()) == text_ids


@pytest.mark.model
@pytest.mark.parametrize("row", REFERENCE["prompts"], ids=str)
def test_prompts_are_the_references(
    row: dict[str, Any], base: Tokenizer, tiny_en: Tokenizer
) -> None:
    tokenizer = base if row["multilingual"] else tiny_en
    for timestamps, key in ((True, "with_timestamps"), (False, "without_timestamps")):
        found = tokenizer.prompt_ids(row["language"], row["task"], timestamps=timestamps)
        assert found == row[key]


def test_languages_are_the_references_in_its_order() -> None:
    names = {code: name.lower() for code, name in LANGUAGES.items()}
    assert list(names.items()) == list(REFERENCE["languages"].items())


# --- prompts -----------------------------------------------------------------------------------


def test_a_prompt_carries_the_end_of_the_text_before(small: Tokenizer) -> None:
    plain = small.prompt_ids("de", "translate", timestamps=True)
    assert plain == [small.sot, small.language_ids["de"], small.translate]
    found = small.prompt_ids("de", "translate", timestamps=True, previous=range(300))
    assert found == [small.sot_prev, *range(300 - MAX_PREVIOUS, 300), *plain]


def test_a_language_that_the_model_does_not_know_is_refused(small: Tokenizer) -> None:
    with pytest.raises(OptionError, match=r"does not know the language 'yue', only: en, zh"):
        small.prompt_ids("yue", "transcribe", timestamps=True)


@pytest.mark.model
def test_an_english_only_model_refuses_other_languages_and_translation(tiny_en: Tokenizer) -> None:
    with pytest.raises(OptionError, match="only: en; choose a multilingual model"):
        tiny_en.prompt_ids("de", "transcribe", timestamps=True)
    with pytest.raises(OptionError, match="can't translate"):
        tiny_en.prompt_ids("en", "translate", timestamps=True)


# --- text and words ----------------------------------------------------------------------------


def test_decoding_leaves_special_tokens_out_or_spells_them(small: Tokenizer) -> None:
    ids = [small.sot, small.timestamp_begin + 60, *small.encode(" hé"), small.eot]
    assert small.decode(ids) == " hé"
    spelled = "<|startoftranscript|><|1.20|> hé<|endoftext|>"
    assert small.decode_with_timestamps(ids) == spelled


def test_ids_outside_the_vocabulary_show_as_replacement(small: Tokenizer) -> None:
    inside = next(id_ for id_ in range(300) if small.decode([id_]) == "a")
    ids = [inside, -1]
    assert small.decode_with_timestamps(ids[:1]) == "a"
    assert small.decode_with_timestamps([small.timestamp_begin + 1501]) == "<|30.02|>"


def test_special_tokens_spelled_out_in_a_text_stay_text(small: Tokenizer) -> None:
    text = "<|endoftext|> and <|0.00|> <|de|>"
    ids = small.encode(text)
    assert max(ids) < small.eot
    assert small.decode(ids) == text


@given(text=st.text(max_size=60))
def test_every_text_comes_back_from_its_ids(text: str, small: Tokenizer) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert small.decode(small.encode(text)) == text


@given(
    ids=st.lists(st.one_of(st.integers(0, 255), st.integers(300, N_VOCAB - 1)), max_size=40),
    language=st.sampled_from(["en", "ja", "hi", "th"]),
)
def test_words_lose_no_id_and_no_text_even_of_broken_utf8(
    ids: list[int], language: str, small: Tokenizer
) -> None:
    words = small.split_words(ids, language)
    assert [id_ for word in words for id_ in word.ids] == ids
    assert "".join(word.text for word in words) == small.decode_with_timestamps(ids)
    assert all(word.ids for word in words)


@given(text=st.text(max_size=40), language=st.sampled_from(["en", "zh", "my"]))
def test_no_word_cuts_a_character_or_starts_with_a_combining_mark(
    text: str, language: str, small: Tokenizer
) -> None:
    text = text.encode("utf-8", "replace").decode()
    words = small.split_words(small.encode(text), language)
    assert "".join(word.text for word in words) == text
    assert not any(unicodedata.category(word.text[0]).startswith("M") for word in words[1:])


def test_words_part_at_spaces_and_around_punctuation(small: Tokenizer) -> None:
    texts = [word.text for word in small.split_words(small.encode(" Así, no: ño"), "es")]
    assert texts == [" Así", ",", " no", ":", " ño"]


def test_each_special_token_and_timestamp_is_a_word_of_its_own(small: Tokenizer) -> None:
    ids = [*small.encode(" a"), small.timestamp_begin, *small.encode("b"), small.eot]
    texts = [word.text for word in small.split_words(ids, "en")]
    assert texts == [" a", "<|0.00|>b", "<|endoftext|>"]


@given(texts=st.lists(st.sampled_from([" a", " (", ' "', ")", ".", '"', " ", "b", " -", "?!"])))
def test_merging_punctuation_loses_nothing(texts: list[str]) -> None:
    words = merge_punctuations(texts)
    assert [index for word in words for index in word.pieces] == list(range(len(texts)))
    assert all(word.core in word.pieces for word in words)
    assert "".join(word.text for word in words) == "".join(texts)


def test_the_core_is_the_word_without_its_punctuation() -> None:
    texts = [' "', " (", "No", "!", '"', " he"]
    words = merge_punctuations(texts)
    assert [texts[word.core] for word in words] == ["No", " he"]


# --- languages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("German", "de"),
        ("de", "de"),
        (" DE ", "de"),
        ("pt-BR", "pt"),
        ("zh_TW", "zh"),
        ("haitian  creole", "ht"),
        ("Mandarin", "zh"),
        ("iw", "he"),
        ("ger", "de"),
        ("nb-NO", "no"),
        ("yue", "yue"),
    ],
)
def test_a_language_is_known_by_code_tag_name_and_alias(name: str, code: str) -> None:
    assert language_code(name) == code


def test_every_code_and_name_is_known() -> None:
    for code, name in LANGUAGES.items():
        assert language_code(code) == code
        assert language_code(name) == code


def test_an_unknown_language_lists_what_comes_near() -> None:
    with pytest.raises(OptionError, match=r"'Germann' is not known; did you mean german \(de\)"):
        language_code("Germann")
    with pytest.raises(OptionError, match="give a code such as en"):
        language_code("xx")
    with pytest.raises(OptionError) as refused:
        language_code("\n" + "x" * 100_000)
    assert len(str(refused.value)) < 200
    assert "\n" not in str(refused.value)


# --- files that are no Whisper tokenizer -------------------------------------------------------


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    write_tokenizer(path, N_VOCAB)
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content))


def drop(token: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        tokens = content["added_tokens"]
        content["added_tokens"] = [row for row in tokens if row["content"] != token]

    return change


def swap_end_and_start(content: dict[str, Any]) -> None:
    end, start = content["added_tokens"][:2]
    end["content"], start["content"] = start["content"], end["content"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("<|notimestamps|>"), r"it has no <\|notimestamps\|>|not a tokenizer\.json"),
        (swap_end_and_start, "special tokens are out of order"),
        (lambda content: content.pop("pre_tokenizer"), "it has no pre-tokenizer"),
        (lambda content: content.pop("model"), "not a tokenizer.json"),
        (lambda content: content["model"].update(type="?"), "not a tokenizer.json"),
    ],
)
def test_a_file_that_is_no_whisper_tokenizer_is_refused(
    change: Callable[[dict[str, Any]], None], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.json"
    changed(path, change)
    with pytest.raises(CheckpointError, match=message) as refused:
        Tokenizer(path)
    assert refused.value.path == str(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"null", b"[" * 100_000, b'{"model": 1e999}']
)
def test_bytes_that_are_no_json_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"not a tokenizer\.json"):
        Tokenizer(path)


def test_a_file_too_large_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with path.open("wb") as file:
        file.truncate(33 * 2**20)
    with pytest.raises(CheckpointError, match="larger than 33554432 bytes"):
        Tokenizer(path)


def test_a_file_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="can't be read"):
        Tokenizer(tmp_path / "tokenizer.json")


def test_timestamps_need_no_entry_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    write_tokenizer(path, N_VOCAB, timestamps=False)
    tokenizer = Tokenizer(path)
    assert tokenizer.timestamp_begin == token_id(N_VOCAB, "<|0.00|>")
    assert tokenizer.decode_with_timestamps([tokenizer.timestamp_begin]) == "<|0.00|>"
