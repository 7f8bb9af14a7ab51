import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subvino.errors import OptionError, SubtitleFileError
from subvino.formats import FORMATS, MAX_FILE_BYTES, WriteOptions, find_format, read, write
from subvino.subtitles import Cue, CueWord, Subtitles, settle
from subvino.transcript import Segment, Transcript
from tests.formats.samples import PLAIN, rows

TRANSCRIPT = Transcript((Segment("Hello.", 0.0, 1.0),), "en", 1.0, 2.0)


def test_every_format_writes_what_it_is_made_of_and_says_what_it_is() -> None:
    for name, row in FORMATS.items():
        assert row.name == name
        assert row.suffix == f".{name}"
        assert row.write_subtitles or row.write_transcript
        assert "Hello" in write(TRANSCRIPT, name) if not row.needs_cues else True
        if row.write_subtitles:
            assert "Köln" in write(PLAIN, name)


def test_what_a_format_is_not_made_of_is_refused() -> None:
    with pytest.raises(OptionError, match="cut the transcript"):
        write(TRANSCRIPT, "srt")
    with pytest.raises(OptionError, match="transcript"):
        write(PLAIN, "json")
    with pytest.raises(OptionError, match="srt, vtt, ass, ttml, lrc, tsv, txt, json"):
        find_format("doc")


ANY_CHAR = st.one_of(st.characters(categories=["Cc", "Cs", "Zl", "Zp"]), st.characters())


@pytest.mark.parametrize("words", [False, True])
@given(st.text(ANY_CHAR, min_size=1, max_size=10))
@example("bell\a, null\0, \ud800, \ufffe\U0001ffff and \v\x85\u2028 breaks")
def test_no_file_has_what_xml_and_players_refuse(words: bool, said: str) -> None:
    cue = Cue(
        0, 1000, ("one", f"b{said}."), (CueWord("one", 0, 400), CueWord(f" b{said}.", 400, 900))
    )
    subtitles = Subtitles((cue,), "e\0n")
    segments = (Segment(said, 0.0, 1.0),)
    texts = {
        name: write(subtitles, name, WriteOptions(words=words))
        for name, row in FORMATS.items()
        if row.write_subtitles
    }
    for text in [*texts.values(), write(Transcript(segments, "en", 1.0, 2.0), "txt")]:
        kept = text.replace("\n", "").replace("\t", "")
        assert not {"Cc", "Cs"} & set(map(unicodedata.category, kept))
        text.encode()
    shown = ElementTree.fromstring(texts["ttml"])  # noqa: S314  written here
    assert "".join(shown.itertext()).split()[0].startswith("one")


@pytest.mark.parametrize("name", ["srt", "vtt", "ass", "ttml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_known_by_what_it_holds(name: str, encoding: str) -> None:
    found = read(write(PLAIN, name).encode(encoding), "file.of.any.name")
    assert found.format == name
    settled, notes = settle(found.cues)
    assert [row[2] for row in rows(settled)] == [row[2] for row in rows(PLAIN)]
    assert notes == ()


def test_a_saved_transcript_is_known_too() -> None:
    assert read(TRANSCRIPT.to_json().encode()).format == "json"


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"", "x.srt"),
        (b"\n\0", "x.srt"),
        (b"hello", "x.srt"),
        (b"hello", "x.doc"),
        (b"hello", "x.txt"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "x.png"),
        (b"<html><body>404</body></html>", "x.vtt"),
        (b"[" * 100_000, "x.json"),
        (b'{"segments": ' + b"[" * 100_000, "x.json"),
        (b" " * (MAX_FILE_BYTES + 1), "x.srt"),
    ],
)
def test_what_is_no_subtitle_file_is_refused_in_one_line(data: bytes, path: str) -> None:
    with pytest.raises(SubtitleFileError) as found:
        read(data, path)
    assert str(found.value).startswith(f"{path}: ")
    assert "\n" not in str(found.value)


HEADS = st.sampled_from(
    [
        b"",
        b"WEBVTT\n\n",
        b"[Script Info]\n[Events]\n",
        b"<tt ",
        b'{"segments":',
        b"1\n00:00:01 --> ",
    ]
)


@given(HEADS, st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(head: bytes, data: bytes) -> None:
    try:
        found = read(head + data, "x.srt")
    except SubtitleFileError:
        return
    assert isinstance(settle(found.cues)[0], Subtitles)
