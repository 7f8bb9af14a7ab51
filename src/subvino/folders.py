"""Folders → the media files in them that want subtitles.

Floor 2 of the road. A folder is listed once, and what its listing can tell (name, time, size,
subtitles beside a file) is decided from it: on a network share a file that is opened, or only
asked about, costs milliseconds, and there may be ten thousand. Only what the rest can't tell is
looked up in the containers (`has_subtitles_inside`, `speaks`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from subvino.errors import InputError, MediaNotFoundError, MediaPermissionError
from subvino.languages import FLAGS, language_code, language_in_name
from subvino.media import MediaInfo
from subvino.outputs import BURNED, SUBTITLED
from subvino.tokenizer import LANGUAGES

Order = Literal["name", "newest", "oldest", "smallest", "largest"]

_MEDIA = """
3g2 3gp aac ac3 aif aiff amr ape asf au avi caf dts dv eac3 f4v flac flv m2ts m4a m4b m4v mka mkv
mov mp2 mp3 mp4 mpeg mpg mts mxf oga ogg ogm ogv opus ra rm rmvb ts vob wav webm wma wmv wv
"""
_SUBTITLES = "ass lrc smi srt ssa stl sub sup ttml vtt"

MEDIA_SUFFIXES = frozenset(_MEDIA.split())
"""Endings of what people keep videos and recordings in."""

SUBTITLE_SUFFIXES = frozenset(_SUBTITLES.split())

_NAS_FOLDERS = frozenset(
    {"@eadir", "@recently-snapshot", "@recycle", "@tmp", "#recycle", "#snapshot"}
    | {"$recycle.bin", "lost+found", "recycler", "system volume information"}
)
"""Folders that Synology, QNAP, Windows and file systems keep for themselves; in lower case."""

_LANGUAGE_NAMES = frozenset(name.lower() for name in LANGUAGES.values())
_LONGEST_CODE = 3
"""Letters: ISO 639-2 and 639-3."""

ANY = "any"
"""Stands for every language."""


@dataclass(frozen=True, slots=True)
class FolderOptions:
    """Which files of a folder are taken, and in which order.

    recursive: those in folders inside it too.
    suffixes: endings without the dot, in lower case; None: those of `MEDIA_SUFFIXES`.
    skip_subtitled: codes of languages, or "any": files with subtitles in one of them are left out,
        whether those lie beside the file or inside it.
    audio_languages: codes: files without a sound track in one of them are left out; () takes all.
    """

    recursive: bool = False
    suffixes: frozenset[str] | None = None
    skip_subtitled: tuple[str, ...] = ()
    audio_languages: tuple[str, ...] = ()
    order: Order = "name"

    @property
    def looks_inside(self) -> bool:
        """Whether files must be opened to tell if they are taken."""
        return bool(self.skip_subtitled or self.audio_languages)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A media file of a folder.

    size: bytes. changed_ns: when it was changed last, as the file system says.
    subtitles: languages of the subtitles beside it; "" for one whose name tells none.
    """

    path: Path
    size: int
    changed_ns: int
    subtitles: tuple[str, ...] = ()

    def is_subtitled(self, wanted: Sequence[str]) -> bool:
        """Whether subtitles in one of the languages, or "any", lie beside it."""
        return _match(self.subtitles, wanted)


def find_media(folder: Path, options: FolderOptions) -> list[FoundFile]:
    """The media files of a folder, in order; hidden ones and copies with subtitles are left out.

    Copies are known by their names beside the original: talk.subtitled.mp4, talk.burned.mp4.

    Raises MediaNotFoundError, MediaPermissionError, InputError where it can't be listed; folders
    inside it that can't be are left out.
    """
    try:
        found = list(_walk(folder, options))
    except FileNotFoundError as error:
        raise MediaNotFoundError(folder) from error
    except PermissionError as error:
        raise MediaPermissionError(folder) from error
    except OSError as error:
        raise InputError(f"{folder}: can't be listed ({error.strerror})", folder) from error
    return sorted(found, key=_rank(options.order))


def _rank(order: Order) -> Callable[[FoundFile], tuple[int, str]]:
    """What files are sorted by; those that are equal otherwise go by name."""
    sign = -1 if order in ("newest", "largest") else 1
    if order == "name":
        return lambda file: (0, str(file.path))
    if order in ("newest", "oldest"):
        return lambda file: (sign * file.changed_ns, str(file.path))
    return lambda file: (sign * file.size, str(file.path))


def _walk(folder: Path, options: FolderOptions) -> Iterator[FoundFile]:
    with os.scandir(folder) as listing:
        entries = [entry for entry in listing if not entry.name.startswith(".")]
    suffixes = MEDIA_SUFFIXES if options.suffixes is None else options.suffixes
    names = [entry.name for entry in entries]
    stems = {Path(name).stem for name in names if _suffix(name) in MEDIA_SUFFIXES | suffixes}
    beside = _subtitles_beside(stems, names)
    for entry in entries:
        stem = Path(entry.name).stem
        if _suffix(entry.name) in suffixes and not _is_copy(stem, stems) and entry.is_file():
            status = entry.stat()
            subtitles = tuple(beside.get(stem, ()))
            yield FoundFile(Path(entry.path), status.st_size, status.st_mtime_ns, subtitles)
        elif (
            options.recursive
            and entry.name.lower() not in _NAS_FOLDERS
            and entry.is_dir(follow_symlinks=False)
        ):
            try:
                yield from _walk(Path(entry.path), options)
            except OSError:
                continue


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _is_copy(stem: str, stems: Collection[str]) -> bool:
    original, _, ending = stem.rpartition(".")
    return ending in (SUBTITLED, BURNED) and original in stems


def _subtitles_beside(stems: Collection[str], names: Sequence[str]) -> dict[str, list[str]]:
    """Of a folder's media, by stem, the languages of their subtitles; "" where a name tells none.

    names: of all files. Subtitles belong to the longest stem that they begin with:
    film.extras.en.srt to film.extras.mkv, not to film.mkv.
    """
    beside: dict[str, list[str]] = {}
    for name in sorted(name for name in names if _suffix(name) in SUBTITLE_SUFFIXES):
        stem = name.rpartition(".")[0]
        while stem and stem not in stems:
            stem = stem.rpartition(".")[0]
        rest = name[len(stem) :]  # as .de.forced.srt
        if stem and all(map(_may_be_language, rest.split(".")[1:-1])):
            beside.setdefault(stem, []).append(language_in_name("x" + rest))
    return beside


def _may_be_language(part: str) -> bool:
    """Whether a part of a subtitle file's name is a language or a flag.

    What is as short as a code may be a language that Whisper does not know, or a number.
    """
    is_short = len(language_code(part)) <= _LONGEST_CODE
    return is_short or part.lower() in FLAGS or part.lower() in _LANGUAGE_NAMES


def has_subtitles_inside(info: MediaInfo, wanted: Sequence[str]) -> bool:
    """Whether the container holds subtitles in one of the languages, or "any"."""
    return _match([track.language for track in info.subtitles], wanted)


def speaks(info: MediaInfo, wanted: Sequence[str]) -> bool:
    """Whether a sound track is in one of the languages, as far as the container tells."""
    return _match([track.language for track in info.audio], wanted)


def _match(found: Sequence[str | None], wanted: Sequence[str]) -> bool:
    return (ANY in wanted and bool(found)) or any(code in wanted for code in found if code)
