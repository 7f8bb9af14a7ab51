from subvino.formats.txt import write, write_transcript
from subvino.subtitles import Cue, Subtitles
from subvino.transcript import Segment, Transcript


def test_a_line_for_each_cue_or_segment() -> None:
    cues = Subtitles((Cue(0, 1500, ("Hello", "you")), Cue(1583, 3000, ("日", "本"))))
    assert write(cues) == "Hello you\n日本\n"
    segments = (Segment("One\nline.", 0.0, 1.0), Segment("", 1.0, 2.0), Segment("Two.", 2.0, 3.0))
    assert write_transcript(Transcript(segments, "en", 1.0, 3.0)) == "One line.\nTwo.\n"
