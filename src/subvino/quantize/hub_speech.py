"""Clips of a data set on the Hugging Face hub, read from its Parquet files as a stream.

Only groups of rows that are wanted cross the network: a file of half a gigabyte is never fetched
whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subvino.errors import CalibrationError, MissingExtraError
from subvino.quantize.recording import CountProgress

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}", re.ASCII)
_ROWS = 4  # of a batch: a row is a clip of some 15 s
_BUFFER = 2**20  # bytes read at once
_CONVERTED = "refs/convert/parquet"
"""The branch on which the hub keeps data sets of other forms as Parquet."""
_PREFERRED = ("validation", "dev", "test", "train")
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class HubSpeech:
    """A data set on the hub; path: what its Parquet files' paths begin with, "" for any."""

    repo_id: str
    path: str = ""


def parse_hub_speech(text: str) -> HubSpeech | None:
    """`org/name` or `org/name:path`, or None where the text is neither.

    >>> parse_hub_speech("openslr/librispeech_asr:clean/validation")
    HubSpeech(repo_id='openslr/librispeech_asr', path='clean/validation')
    """
    repo_id, _, path = text.partition(":")
    if not _ID.fullmatch(repo_id) or ".." in text:
        return None
    return HubSpeech(repo_id, path.strip("/"))


def choose_file(paths: Sequence[str], wanted: str) -> str | None:
    """The Parquet file to read: below `wanted`, validation data before test and training data.

    >>> choose_file(["all/train/0.parquet", "all/validation/0.parquet"], "")
    'all/validation/0.parquet'
    """
    found = sorted(path for path in paths if path.endswith(".parquet") and path.startswith(wanted))
    return min(found, key=_rank, default=None)


def _rank(path: str) -> tuple[int, str]:
    ranks = [i for i, word in enumerate(_PREFERRED) if word in path]
    return min(ranks, default=len(_PREFERRED)), path


def fetch_speech(
    source: HubSpeech, n_clips: int, folder: Path, progress: CountProgress
) -> tuple[Path, ...]:
    """Write the first clips of a data set into the folder, as they are.

    Raises:
        MissingExtraError: pyarrow is not installed.
        CalibrationError: the hub has no such data set, or it has no sound in Parquet files.
    """
    found: list[Path] = []
    for name, data in _stream(source):
        path = folder / f"{len(found):05}{Path(name).suffix[:8]}"
        path.write_bytes(data)
        found.append(path)
        progress(f"get clips of {source.repo_id}", len(found), n_clips)
        if len(found) == n_clips:
            break
    if not found:
        raise CalibrationError(f"{source.repo_id}: no sound in its rows", source.repo_id)
    return tuple(found)


def _stream(source: HubSpeech) -> Iterator[tuple[str, bytes]]:
    """(name, encoded sound) of each row."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise MissingExtraError("hub-speech", "calibrating with a data set on the hub") from error
    try:
        with _open(source) as file:
            # Group by group, or all of the column would be fetched ahead.
            table = ParquetFile(file, buffer_size=_BUFFER)
            for group in range(table.num_row_groups):
                for batch in table.iter_batches(_ROWS, row_groups=[group], columns=["audio"]):
                    for row in batch.to_pylist():
                        yield _sound_of(source, row.get("audio"))
    except (ArrowException, *_network_errors()) as error:
        if isinstance(error, CalibrationError):
            raise
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise CalibrationError(
            f"{source.repo_id}: its clips can't be read from the hub ({reason})", source.repo_id
        ) from error


def _open(source: HubSpeech) -> Any:
    """The chosen Parquet file, opened for reading parts of it."""
    from huggingface_hub import HfApi, HfFileSystem

    api = HfApi()
    for revision in (None, _CONVERTED):
        info = api.dataset_info(source.repo_id, revision=revision)
        path = choose_file([file.rfilename for file in info.siblings or ()], source.path)
        if path is not None:
            # The commit: what was listed is what is read.
            return HfFileSystem().open(
                f"datasets/{source.repo_id}@{info.sha}/{path}", "rb", block_size=_BUFFER
            )
    raise CalibrationError(
        f"{source.repo_id}: no Parquet file {source.path or 'at all'} in it", source.repo_id
    )


def _sound_of(source: HubSpeech, cell: object) -> tuple[str, bytes]:
    """A cell of a column of the hub's kind `Audio`: {"bytes": ..., "path": ...}."""
    data = cell.get("bytes") if isinstance(cell, dict) else None
    if not isinstance(data, bytes) or len(data) > _MOST_BYTES:
        raise CalibrationError(
            f"{source.repo_id}: its column `audio` holds no encoded sound", source.repo_id
        )
    name = cell.get("path") if isinstance(cell, dict) else None
    return (name if isinstance(name, str) else ""), data


def _network_errors() -> tuple[type[Exception], ...]:
    from huggingface_hub.errors import HfHubHTTPError

    return (
        OSError,
        ValueError,
        *(base for base in HfHubHTTPError.__bases__ if issubclass(base, Exception)),
    )
