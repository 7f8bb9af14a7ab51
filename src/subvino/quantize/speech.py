"""Speech to calibrate with: a folder, a manifest, a data set on the hub, or the clips shipped.

The clips that ship are free recordings in five languages, apart for calibrating and for checking;
`data/speech/ATTRIBUTION.md` says whose they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from subvino.errors import CalibrationError, ManifestError
from subvino.evaluate import Manifest, read_manifest
from subvino.models.manifest import digest_file
from subvino.quantize.hub_speech import fetch_speech, parse_hub_speech
from subvino.quantize.recording import CountProgress

SHIPPED = "shipped clips"
_MEDIA = frozenset(
    [
        ".aac",
        ".aiff",
        ".flac",
        ".m4a",
        ".mka",
        ".mkv",
        ".mov",
        ".mp3",
        ".mp4",
        ".oga",
        ".ogg",
        ".opus",
        ".wav",
        ".webm",
        ".wma",
    ]
)
_MOST_FILES = 10_000


@dataclass(frozen=True, slots=True)
class Speech:
    """Files in which somebody speaks.

    name: what they are, in words.
    """

    name: str
    files: tuple[Path, ...]

    def digest(self) -> str:
        """SHA-256 over the digests of the files, in their order."""
        whole = hashlib.sha256()
        for path in self.files:
            whole.update(bytes.fromhex(digest_file(path)))
        return whole.hexdigest()


def find_speech(
    data: str | None,
    languages: Collection[str],
    n_files: int,
    scratch: Path,
    progress: CountProgress,
) -> Speech:
    """The speech that `data` names.

    data: a folder of media files or with a manifest.jsonl, a manifest, or `org/name[:path]` on the
        hub; None takes the clips shipped.
    languages: codes that the model knows; clips said to be in others are left out.
    n_files: taken from the hub at most.
    scratch: where files from the hub are put.

    Raises:
        CalibrationError: there is nothing in it, or it can't be had.
        ManifestError: it is a manifest with a fault.
    """
    if data is None:
        return _known(read_manifest(shipped("calibrate")), languages, SHIPPED)
    path = Path(data).expanduser()
    if path.is_file() or (path / "manifest.jsonl").is_file():
        return _known(read_manifest(path), languages, str(path))
    if path.is_dir():
        return Speech(str(path), _media_files(path))
    source = parse_hub_speech(data)
    if source is None:
        raise CalibrationError(
            f"{data}: no such folder or manifest; give one, or org/name of a data set on the hub",
            data,
        )
    return Speech(f"hub data set {data}", fetch_speech(source, n_files, scratch, progress))


def checking_sets(paths: Sequence[Path], languages: Collection[str]) -> tuple[Manifest, ...]:
    """The clips to check accuracy on: those of the manifests given, else the ones shipped.

    Raises ManifestError where none is in a language of the model's.
    """
    sets = [read_manifest(path) for path in paths or (shipped("evaluate"),)]
    known = [
        replace(one, clips=tuple(clip for clip in one.clips if clip.language in languages))
        for one in sets
    ]
    kept = tuple(one for one in known if one.clips)
    if not kept:
        names = ", ".join(one.name for one in sets)
        raise ManifestError(f"{names}: no clip in a language that the model knows", names)
    return kept


def shipped(purpose: str) -> Path:
    """The manifest of the clips shipped: "calibrate" or "evaluate"."""
    return Path(str(resources.files("subvino") / "data" / "speech" / f"{purpose}.jsonl"))


def _known(manifest: Manifest, languages: Collection[str], name: str) -> Speech:
    clips = [clip for clip in manifest.clips if clip.language is None or clip.language in languages]
    if not clips:
        raise CalibrationError(f"{name}: no clip in a language that the model knows", name)
    return Speech(name, tuple(clip.audio for clip in clips))


def _media_files(folder: Path) -> tuple[Path, ...]:
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _MEDIA)
    if not found:
        raise CalibrationError(f"{folder}: no sound or video files in it", folder)
    return tuple(found[:_MOST_FILES])
