"""`subvino burn`: subtitles as part of the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from subvino.cli.mux import read_subtitles, show_finished
from subvino.cli.options import check_choice, given
from subvino.cli.screen import Screen

_LOOK, _ENCODING = "Look", "Encoding"
_PIXELS = "pixels of a picture whose shorter side has 1080"


def burn(  # as long as there are options: Typer reads them off the parameters
    video: Annotated[
        Path,
        typer.Argument(metavar="VIDEO", help="Any that FFmpeg reads.", show_default=False),
    ],
    subtitles: Annotated[
        Path,
        typer.Argument(
            metavar="SUBTITLES",
            help="SRT, WebVTT, ASS, TTML or JSON. An ASS file keeps its own styles, unless an "
            "option here changes one.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The new video, .mp4, .m4v, .mov or .mkv (default: talk.burned.mp4 beside the "
            "video).",
        ),
    ] = None,
    font: Annotated[
        str | None,
        typer.Option(
            "--font",
            metavar="NAME",
            help="Font (default: Arial, or what is like it).",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    fonts: Annotated[
        Path | None,
        typer.Option(
            "--fonts",
            metavar="DIR",
            help="A folder of fonts beside the system's.",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    font_size: Annotated[
        int | None,
        typer.Option(
            "--font-size",
            metavar="N",
            help=f"In {_PIXELS} (default: 60, in upright video 84).",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    colour: Annotated[
        str | None,
        typer.Option(
            "--colour",
            "--color",
            metavar="RRGGBB",
            help="Of the text (default: FFFFFF).",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    outline: Annotated[
        int | None,
        typer.Option(
            "--outline",
            metavar="N",
            help="How wide, in the same pixels (default: 3).",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    position: Annotated[
        str | None,
        typer.Option(
            "--position",
            metavar="bottom|middle|top",
            help="Where in the picture (default: bottom).",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    margin: Annotated[
        int | None,
        typer.Option(
            "--margin",
            metavar="N",
            help="From that edge, in the same pixels (default: 54, in upright video 15 % of the "
            "height, which apps cover).",
            rich_help_panel=_LOOK,
        ),
    ] = None,
    crf: Annotated[
        int | None,
        typer.Option(
            "--crf",
            metavar="N",
            help="Quality of the picture, 0 (lossless) to 51 (default: 18).",
            rich_help_panel=_ENCODING,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            metavar="NAME",
            help="Of x264: ultrafast to veryslow, which makes smaller files (default: medium).",
            rich_help_panel=_ENCODING,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the output where it is there.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Draw subtitles into the picture of a video, for players that show no tracks.

    The picture becomes H.264 in a new file; the sound is copied as it is.
    """
    from subvino import video as videos
    from subvino.cli.progress import show_media
    from subvino.media import probe

    screen = Screen(quiet)
    place = None if position is None else check_choice("position", position, videos.Position)
    look = given(font=font, fonts=fonts, size=font_size, colour=colour, outline=outline)
    encoding = given(crf=crf, preset=preset)
    options = videos.BurnOptions(**look, **given(position=place, margin=margin), **encoding)
    track = read_subtitles(subtitles, None, None, screen)
    with show_media(screen, str(video), probe(video).duration) as advance:
        made = videos.burn(video, track, output, options, overwrite=overwrite, progress=advance)
    show_finished(made.path, made.notes, screen)
