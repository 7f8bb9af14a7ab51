import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.check import clean_text
from subvino.check.text import find_garbled


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<i>Now</i> <font color='red'>then</font>", "Now then"),
        ("{\\an8}{\\i1}Up{\\i0} {y:i}here", "Up here"),
        ("one\\Ntwo\\hthree", "one\ntwo three"),
        ("one<br/>two", "one\ntwo"),
        ("&amp;lt;i&amp;gt;deep", "deep"),
        ("two  spaces\t here \n\n\n and", "two spaces here\nand"),
        ("\ufeffa\u00adb\x07", "ab"),
        ("C:\\New and C:\\hot", "C:\\New and C:\\hot"),
        ("a < b, c > d, <3 & {so} &c; <unknown>", "a < b, c > d, <3 & {so} &c; <unknown>"),
        ("Bonjour\u00a0!", "Bonjour\u00a0!"),
    ],
)
def test_leftovers_go_and_text_stays(text: str, clean: str) -> None:
    assert clean_text(text) == clean


PIECES = st.lists(
    st.sampled_from(
        ["<", ">", "i", "/", "&", "amp;", "lt;", "#60;", "{", "\\", "}", "N", " ", "\n"]
    )
).map("".join)


@given(PIECES | st.text())
def test_clean_text_is_clean(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert all(line.strip() for line in clean.splitlines())


def test_a_hostile_text_is_cleaned_at_once() -> None:
    assert len(clean_text("<i " * 50_000 + "{\\" * 50_000 + "&amp;" * 20_000)) > 0


@pytest.mark.parametrize("text", ["Grüße", "l’été, ça « va »", "Привет, мир", "Ελληνικά", "日本語"])
def test_utf_8_read_as_windows_1252_is_seen(text: str) -> None:
    assert find_garbled(text) is None
    garbled = text.encode().decode("cp1252", "surrogateescape")
    kept = "".join(chr(ord(c) - 0xDC00) if 0xDC80 <= ord(c) <= 0xDCFF else c for c in garbled)
    assert find_garbled(kept)
