"""Subtitles on their way into a video, and reading them from a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from subvino.errors import SubtitleFileError
from subvino.formats import MAX_FILE_BYTES, decode_text, read
from subvino.inputs import read_file
from subvino.languages import language_code, language_in_name
from subvino.subtitles import Subtitles, settle


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """Subtitles that go into a video.

    subtitles: their `language` becomes the track's.
    title: what players list it as.
    script: the ASS file that they come from, whose styles Matroska and libass keep.
    """

    subtitles: Subtitles
    title: str | None = None
    script: str | None = None


def read_track(
    path: str | Path, language: str | None = None, title: str | None = None
) -> tuple[SubtitleTrack, tuple[str, ...]]:
    """The subtitles of a file of any format known, and what had to be set right in it.

    language: what the file says, or its name ("talk.en.srt"), where None.

    Raises InputError.
    """
    path = Path(path)
    data = read_file(path, MAX_FILE_BYTES)
    found = read(data, str(path))
    wanted = language or found.language or language_in_name(path.name)
    subtitles, notes = settle(found.cues, language_code(wanted))
    if not subtitles.cues:
        raise SubtitleFileError(f"{path}: there is no cue in it", path)
    script = decode_text(data)[0] if found.format == "ass" else None
    track = SubtitleTrack(subtitles, title, script)
    return track, tuple(f"{path}: {note}" for note in notes)
