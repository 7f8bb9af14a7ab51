import pytest

from subvino.errors import SubtitleFileError
from subvino.formats.transcript_json import read, write_transcript
from subvino.transcript import Segment, Transcript
from tests.formats.samples import raw_rows


def test_segments_are_read_as_cues() -> None:
    segments = (Segment("Bonjour.", 0.5, 1.25), Segment("Adieu.", 1.0, 2.0))
    found = read(write_transcript(Transcript(segments, "fr", 1.0, 3.0)))
    assert raw_rows(found.cues) == [(500, 1250, "Bonjour."), (1000, 2000, "Adieu.")]
    assert found.language == "fr"


def test_other_json_is_refused() -> None:
    with pytest.raises(SubtitleFileError, match="not a transcript"):
        read('{"segments": 3}', "x.json")
