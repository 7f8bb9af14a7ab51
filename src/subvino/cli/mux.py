"""`subvino mux`: subtitles as tracks of a video."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subvino.cli.screen import Screen
from subvino.errors import OptionError

if TYPE_CHECKING:
    from subvino.video import SubtitleTrack


def mux(
    video: Annotated[
        Path,
        typer.Argument(metavar="VIDEO", help="MP4, MOV, Matroska or WebM.", show_default=False),
    ],
    subtitles: Annotated[
        list[Path],
        typer.Argument(
            metavar="SUBTITLES...",
            help="A file for each track: SRT, WebVTT, ASS, TTML or JSON.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The new video, .mp4, .m4v, .mov, .mkv or .webm (default: talk.subtitled.mp4 "
            "beside the video).",
        ),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(
            "--language",
            "-l",
            metavar="LANG",
            help="Of a track's text; once for each, in order (default: as the file or its name "
            "tells: talk.de.srt).",
        ),
    ] = None,
    title: Annotated[
        list[str] | None,
        typer.Option(
            "--title",
            metavar="TEXT",
            help="What players list a track as; once for each, in order.",
        ),
    ] = None,
    default: Annotated[
        bool,
        typer.Option("--default/--no-default", help="Let players show the first track unasked."),
    ] = True,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the output where it is there.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Put subtitles into a video as tracks that players can switch on.

    Picture, sound and all other tracks are copied as they are, into a new file.
    """
    from subvino import video as videos
    from subvino.cli.progress import show_media
    from subvino.media import probe

    screen = Screen(quiet)
    tracks = _read_tracks(subtitles, language or (), title or (), screen)
    with show_media(screen, str(video), probe(video).duration) as advance:
        made = videos.mux(
            video, tracks, output, default=default, overwrite=overwrite, progress=advance
        )
    show_finished(made.path, made.notes, screen)


def _read_tracks(
    paths: Sequence[Path], languages: Sequence[str], titles: Sequence[str], screen: Screen
) -> list[SubtitleTrack]:
    if max(len(languages), len(titles)) > len(paths):
        raise OptionError("more --language or --title than files of subtitles")
    rows = zip_longest(paths, languages, titles)
    return [read_subtitles(path, language, title, screen) for path, language, title in rows]


def read_subtitles(
    path: Path, language: str | None, title: str | None, screen: Screen
) -> SubtitleTrack:
    """The subtitles of a file; says what of it had to be set right."""
    from subvino.video import read_track

    track, notes = read_track(path, language, title)
    if notes:
        more = f" (and {len(notes) - 1} more changes: see subvino check)" if notes[1:] else ""
        screen.note(notes[0] + more)
    return track


def show_finished(path: Path, notes: Sequence[str], screen: Screen) -> None:
    """Tell the new video's path, for programs, and what there is to know about it.

    It is noted as ours, so that it is not taken for new media where it lies in a folder of such.
    """
    from subvino.models import outputs_folder
    from subvino.outputs import OutputLog

    OutputLog(outputs_folder()).note_video(path)
    for note in notes:
        screen.note(note)
    screen.result(str(path))
