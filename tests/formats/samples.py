"""Subtitles to write, and readers of subtitle files that nobody here wrote."""

import io
import re

import av
import pysubs2
from av.subtitles.subtitle import AssSubtitle
from hypothesis import strategies as st

from subvino.formats.direction import without_marks
from subvino.subtitles import Cue, CueWord, RawCue, Subtitles

PLAIN = Subtitles(
    (
        Cue(0, 1500, ("Grüße aus Köln!",)),
        Cue(1583, 4120, ("Два вопроса:", "да, нет?")),
        Cue(5000, 7000, ("日本の空。",)),
        Cue(3_600_500, 3_602_000, ("שלום עולם", "It’s late… 50 % off")),
        Cue(40_000_000, 40_001_000, ("Ten hours in.",)),
    ),
    "en",
)

MARKUP = (
    "a < b & c > d",
    "<i>not italic</i>",
    "AT&amp;T",
    r"{\an8} C:\Net",
    "x --> y",
    "00:00:05,000 --> 00:00:06,000",
    "12",
    "NOTE this",
    "]]> <!-- -->",
)

SPOKEN = Subtitles(
    (
        Cue(
            1000,
            3000,
            ("We choose", "to go."),
            (
                CueWord("We", 1200, 1400),
                CueWord(" choose", 1400, 1800),
                CueWord(" to", 2000, 2100),
                CueWord(" go.", 2100, 2600),
            ),
        ),
    ),
    "en",
)

Times = tuple[int, int, str]

LINES = st.one_of(
    st.sampled_from(MARKUP),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp", "Co"]), max_size=20),
).map(lambda text: " ".join(re.sub("[\u2060\u200f\u202b\u202c]", "", text).split()))


@st.composite
def some_subtitles(draw: st.DrawFn) -> Subtitles:
    """Cues on whole hundredths of a second, the coarsest time of the formats."""
    now, cues = 0, []
    for _ in range(draw(st.integers(0, 5))):
        start_ms = now + 10 * draw(st.integers(0, 400_000))
        now = start_ms + 10 * draw(st.integers(1, 1000))
        lines = draw(st.lists(LINES, min_size=1, max_size=3).filter(any))
        cues.append(Cue(start_ms, now, tuple(line for line in lines if line)))
    return Subtitles(tuple(cues))


def rows(subtitles: Subtitles) -> list[Times]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in subtitles.cues]


def raw_rows(cues: tuple[RawCue, ...]) -> list[Times]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in cues]


def ffmpeg_rows(text: str, demuxer: str) -> list[Times]:
    """As FFmpeg's demuxer and decoder have them; text by way of the ASS that decoders give."""
    found: list[Times] = []
    with av.open(io.BytesIO(text.encode()), format=demuxer) as container:
        stream = container.streams.subtitles[0]
        assert stream.time_base is not None
        for packet in container.demux(stream):
            if not packet.size or packet.pts is None:
                continue
            start_ms = round(packet.pts * stream.time_base * 1000)
            end_ms = start_ms + round((packet.duration or 0) * stream.time_base * 1000)
            shown = [
                without_marks(_ass_text(rect))
                for rect in packet.decode()
                if isinstance(rect, AssSubtitle)
            ]
            found.append((start_ms, end_ms, "\n".join(shown)))
    return found


def _ass_text(rect: AssSubtitle) -> str:
    text = re.sub(r"(?<!\\)\{\\[^}]*\}", "", rect.ass.decode().split(",", 8)[8])
    for mark, char in ((r"\{{}", "{"), (r"\{", "{"), (r"\}", "}"), (r"\N", "\n"), ("\u2060", "")):
        text = text.replace(mark, char)
    return text


def pysubs2_rows(text: str, name: str) -> list[Times]:
    return [
        (event.start, event.end, without_marks(event.plaintext.strip()))
        for event in pysubs2.SSAFile.from_string(text, format_=name)
    ]
