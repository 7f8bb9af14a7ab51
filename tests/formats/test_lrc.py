from subvino.formats.format import WriteOptions
from subvino.formats.lrc import write
from subvino.subtitles import Cue, Subtitles
from tests.formats.samples import SPOKEN, ffmpeg_rows


def test_each_cue_is_a_line_and_a_long_pause_clears_it() -> None:
    cues = Subtitles(
        (
            Cue(0, 1500, ("Hello", "you")),
            Cue(1583, 3000, ("日", "本")),
            Cue(6_000_000, 6_001_000, ("x",)),
        )
    )
    assert write(cues) == (
        "[00:00.00]Hello you\n[00:01.58]日本\n[00:03.00]\n[100:00.00]x\n[100:01.00]\n"
    )


def test_ffmpeg_reads_the_same_times_and_text() -> None:
    found = [(start, text) for start, _, text in ffmpeg_rows(write(SPOKEN), "lrc")]
    assert found == [(1000, "We choose to go."), (3000, "")]


def test_words_have_their_times() -> None:
    text = write(SPOKEN, WriteOptions(words=True))
    assert text.startswith("[00:01.00]<00:01.20>We <00:01.40>choose <00:02.00>to <00:02.10>go.\n")
