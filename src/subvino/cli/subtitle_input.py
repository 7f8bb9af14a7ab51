"""What commands on subtitle files share: their options, the file and the rules for it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subvino.cli.options import given

if TYPE_CHECKING:
    from subvino.cli.screen import Screen
    from subvino.cues import CueRules
    from subvino.formats import SubtitleFile
    from subvino.speech import MediaSpeech

_CUES, _SPEECH = "Cues", "Speech"
_FILES = "Files written"

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="Subtitles: SRT, WebVTT, ASS, TTML, or a JSON transcript.",
        show_default=False,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Rules for cues: default, netflix, bbc, bbc-vertical, arte, social-vertical "
        "(default: default). The options below change one.",
        rich_help_panel=_CUES,
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        "-l",
        metavar="LANG",
        help="Of the text; without it, as the file or its name tells (talk.de.srt).",
        rich_help_panel=_CUES,
    ),
]
MaxChars = Annotated[
    int | None,
    typer.Option("--max-chars", metavar="N", help="Characters a line.", rich_help_panel=_CUES),
]
MaxLines = Annotated[
    int | None,
    typer.Option("--max-lines", metavar="N", help="Lines a cue.", rich_help_panel=_CUES),
]
MaxCps = Annotated[
    float | None,
    typer.Option("--max-cps", metavar="N", help="Characters a second.", rich_help_panel=_CUES),
]
MinDuration = Annotated[
    float | None,
    typer.Option("--min-duration", metavar="SECONDS", help="Shortest cue.", rich_help_panel=_CUES),
]
MaxDuration = Annotated[
    float | None,
    typer.Option("--max-duration", metavar="SECONDS", help="Longest cue.", rich_help_panel=_CUES),
]
MaxWpm = Annotated[
    float | None,
    typer.Option("--max-wpm", metavar="N", help="Words a minute.", rich_help_panel=_CUES),
]
MinGap = Annotated[
    int | None,
    typer.Option(
        "--min-gap",
        metavar="FRAMES",
        help="Frames without a cue between two cues, at least.",
        rich_help_panel=_CUES,
    ),
]
FrameRate = Annotated[
    float | None,
    typer.Option(
        "--frame-rate",
        metavar="N",
        help="Frames a second, for what is counted in frames (default: 24).",
        rich_help_panel=_CUES,
    ),
]
ChainGap = Annotated[
    float | None,
    typer.Option(
        "--chain-gap",
        metavar="SECONDS",
        help="Close a gap shorter than this down to the least one; 0 leaves gaps alone.",
        rich_help_panel=_CUES,
    ),
]
MaxLinger = Annotated[
    float | None,
    typer.Option(
        "--max-linger",
        metavar="SECONDS",
        help="How long after its speech a cue may stay to be read.",
        rich_help_panel=_CUES,
    ),
]
NarrowWidth = Annotated[
    float | None,
    typer.Option(
        "--narrow-width",
        metavar="N",
        help="What a character counts beside a wide one, as 漢 is: 0.5 or 1.",
        rich_help_panel=_CUES,
    ),
]
InPlace = Annotated[
    bool,
    typer.Option(
        "--in-place",
        help="Replace FILE, and keep it as FILE.bak.",
        rich_help_panel=_FILES,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace any file. Without it, one that subvino did not write, or that was "
        "edited since, is left alone.",
        rich_help_panel=_FILES,
    ),
]
Video = Annotated[
    Path | None,
    typer.Option(
        "--video",
        metavar="MEDIA",
        help="The video or audio file that the cues belong to.",
        rich_help_panel=_SPEECH,
    ),
]
AudioTrack = Annotated[
    str | None,
    typer.Option(
        "--audio-track",
        metavar="N|LANG",
        help="Its audio track: the number, from 0, or the language (default: the file's).",
        rich_help_panel=_SPEECH,
    ),
]


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """The rules that a user asks for; durations in seconds."""

    profile: str | None = None
    max_chars: int | None = None
    max_lines: int | None = None
    max_cps: float | None = None
    min_duration: float | None = None
    max_duration: float | None = None
    max_wpm: float | None = None
    min_gap: int | None = None
    frame_rate: float | None = None
    chain_gap: float | None = None
    max_linger: float | None = None
    narrow_width: float | None = None

    @property
    def profile_name(self) -> str:
        """The profile asked for, or the usual one."""
        return self.profile or "default"

    @property
    def changes(self) -> dict[str, float]:
        """Fields of `CueRules` that the user sets."""
        return given(
            max_chars=self.max_chars,
            max_lines=self.max_lines,
            max_cps=self.max_cps,
            min_duration_ms=_milliseconds(self.min_duration),
            max_duration_ms=_milliseconds(self.max_duration),
            max_wpm=self.max_wpm,
            min_gap_frames=self.min_gap,
            frame_rate=self.frame_rate,
            chain_gap_ms=_milliseconds(self.chain_gap),
            max_linger_ms=_milliseconds(self.max_linger),
            narrow_width=self.narrow_width,
        )

    def rules_for(self, language: str) -> CueRules:
        """Raises OptionError for an unknown profile and rules that make no sense."""
        from subvino.cues import rules_for

        changes: dict[str, Any] = self.changes
        return replace(rules_for(self.profile_name, language), **changes)


RULE_NAMES = tuple(field.name for field in fields(RuleOptions))


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def read_subtitles(path: Path) -> SubtitleFile:
    """The cues of a file; raises InputError."""
    from subvino.formats import MAX_FILE_BYTES, read
    from subvino.inputs import read_file

    return read(read_file(path, MAX_FILE_BYTES), str(path))


def text_language(wanted: str | None, file: SubtitleFile, path: Path) -> str:
    """Code of the text's language: as the user, the file or its name says; "" where none does."""
    from subvino.languages import language_code, language_in_name

    return language_code(wanted or file.language or "") or language_in_name(path.name)


def hear_video(path: Path, track: str | None, screen: Screen) -> MediaSpeech:
    """The speech in a video, with a bar meanwhile; says what of it could not be read."""
    from subvino.cli.progress import show_media
    from subvino.media import probe
    from subvino.speech import find_speech

    with show_media(screen, str(path), probe(path).duration) as advance:
        heard = find_speech(path, track, on_progress=advance)
    for damage in heard.damage:
        screen.complain(f"{path}: {damage}")
    return heard
