"""Subtitles as tracks of a video; all that was in it is copied as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from subvino.errors import OptionError
from subvino.formats import write
from subvino.languages import iso_639_2
from subvino.outputs import SUBTITLED
from subvino.video.ffmpeg import find_ffmpeg
from subvino.video.source import (
    Container,
    Copies,
    describe_source,
    find_container,
    plan_copies,
)
from subvino.video.track import SubtitleTrack
from subvino.video.work import (
    Finished,
    Job,
    Progress,
    check_output,
    default_output,
    describe_trouble,
)


def mux(
    video: str | Path,
    tracks: Sequence[SubtitleTrack],
    output: str | Path | None = None,
    *,
    default: bool = True,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Finished:
    """The video with the subtitles added, in a new file.

    output: its suffix says the container; beside the video, `talk.subtitled.mp4`, where None.
    default: let players show the first of the new tracks unasked.

    Raises InputError, OptionError, OutputError, MissingExtraError.
    """
    if not tracks:
        raise OptionError("no subtitles to put into the video; give a file of them")
    source = describe_source(Path(video))
    path = default_output(source.path, SUBTITLED) if output is None else Path(output)
    container = find_container(path)
    check_output(source.path, path, overwrite)
    files = dict(_subtitle_file(n, track, container) for n, track in enumerate(tracks))

    def call(with_data: bool) -> list[str]:
        copies = plan_copies(source, container, with_data)
        inputs = [word for name in files for word in ("-i", name)]
        added = _track_arguments(copies, tracks, container, default)
        return [
            *source.input_arguments(),
            *inputs,
            *copies.arguments,
            *added,
            *container.options,
            *("-f", container.muxer),
        ]

    job = Job(find_ffmpeg("putting subtitles into a video"), source, path, files, progress)
    outcome, with_data = job.run(call)
    notes = plan_copies(source, container, with_data).notes
    return Finished(path, notes + describe_trouble(source, outcome))


def _subtitle_file(number: int, track: SubtitleTrack, container: Container) -> tuple[str, str]:
    """Name and text of the file that ffmpeg takes the track from."""
    if container.keeps("ass") and track.script is not None:
        return f"{number}.ass", track.script
    kind = "vtt" if container.keeps("webvtt") and not container.keeps("subrip") else "srt"
    return f"{number}.{kind}", write(track.subtitles, kind)


def _track_arguments(
    copies: Copies, tracks: Sequence[SubtitleTrack], container: Container, default: bool
) -> list[str]:
    """The new tracks behind all others, each with its language, title and flag."""
    arguments: list[str] = []
    for number, stream in enumerate(copies.kept):
        if default and stream.kind == "subtitle" and stream.is_default:
            arguments += [f"-disposition:{number}", "-default"]
    for number, track in enumerate(tracks):
        place = len(copies.kept) + number
        codec = "copy" if container.subtitle_codec != "mov_text" else "mov_text"
        flag = "default" if default and number == 0 else "0"
        arguments += ["-map", f"{number + 1}:0", f"-c:{place}", codec]
        arguments += [f"-disposition:{place}", flag]
        for tag, value in _tags(track, container).items():
            arguments += [f"-metadata:s:{place}", f"{tag}={value}"]
    return arguments


_QUICKTIME_CODES = {
    "deu": "ger",
    "ell": "gre",
    "isl": "ice",
    "mkd": "mac",
    "nld": "dut",
    "sqi": "alb",
    "zho": "chi",
}
"""Where FFmpeg's table of QuickTime's languages (libavformat/isom.c) has ISO 639-2/B."""


def _tags(track: SubtitleTrack, container: Container) -> dict[str, str]:
    language = iso_639_2(track.subtitles.language)
    if container.muxer == "mov":
        language = _QUICKTIME_CODES.get(language, language)
    tags = {"language": language}
    if track.title:
        tags["title"] = track.title
        if container.subtitle_codec == "mov_text":
            tags["handler_name"] = track.title  # of the two, MP4 players show this one
    return tags
