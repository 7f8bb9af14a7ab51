import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.formats.encoding import decode_text, encode_text

ENGLISH = "1\n00:00:01,000 --> 00:00:02,000\nHello there, you.\n"
RUSSIAN = "1\n00:00:01,000 --> 00:00:02,000\nДобро пожаловать в директорию.\n"
GERMAN = "1\n00:00:01,000 --> 00:00:02,000\nÜber die „Straße“ – größer.\n"


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (ENGLISH, "utf-8", "utf-8"),
        (RUSSIAN, "utf-8", "utf-8"),
        (RUSSIAN, "utf-8-sig", "utf-8-sig"),
        (RUSSIAN, "utf-16", "utf-16"),
        (ENGLISH, "utf-16-le", "utf-16-le"),
        (ENGLISH, "utf-16-be", "utf-16-be"),
        (GERMAN, "utf-32", "utf-32"),
        (GERMAN, "cp1252", "cp1252"),
        (RUSSIAN, "cp1251", "cp1251"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str, found: str) -> None:
    assert decode_text(text.encode(encoding)) == (text, found)


@given(st.binary())
def test_any_bytes_become_text(data: bytes) -> None:
    assert isinstance(decode_text(data)[0], str)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\0")))
def test_utf_8_reads_back_with_and_without_a_byte_order_mark(text: str) -> None:
    assert decode_text(encode_text(text))[0] == text
    assert decode_text(encode_text(text, bom=True))[0] == text
