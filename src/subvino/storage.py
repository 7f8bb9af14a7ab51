"""Object storage and other file systems → a file on disk, through fsspec (extra `storage`).

Floor 1 of the road. A URL such as `s3://bucket/talk.mp4` names a file, or several with `*` in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from subvino.errors import MissingExtraError, UrlError

SCHEMES = ("s3", "gs", "gcs", "az", "abfs", "sftp", "hdfs", "smb")
"""Those of fsspec that name a place elsewhere: `file:`, or one that runs or unpacks things, would
read what the URL's writer may not."""

_READ = 1 << 22

OnBytes = Callable[[int, int], None]
"""Bytes so far and in all (0: not known)."""


def is_storage_url(text: str) -> bool:
    """Whether the text names a file on storage that fsspec reaches."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def find_stored(url: str) -> list[str]:
    """The URLs of the files that a URL with `*` names, in order; one without is itself.

    Raises UrlError where there is none, MissingExtraError.
    """
    if "*" not in url:
        return [url]
    system, path = _file_system(url)
    try:
        names = sorted(str(name) for name in system.glob(path))
    except Exception as error:
        raise _refused(url, error) from error
    if not names:
        raise UrlError(f"{url}: no such files; check the URL", url)
    return [system.unstrip_protocol(name) for name in names]


def stored_stem(url: str) -> str:
    """The file's name without its suffix, for the names of what is made of it."""
    return PurePosixPath(urlsplit(url).path).stem or "subtitles"


def fetch_stored(url: str, folder: Path, on_bytes: OnBytes | None = None) -> Path:
    """A copy of the file in a folder, under a name made here. Raises UrlError."""
    system, path = _file_system(url)
    target = folder / f"media{PurePosixPath(urlsplit(url).path).suffix[:10]}"
    try:
        n_bytes, n_all = 0, int(system.info(path).get("size") or 0)
        with system.open(path, "rb") as source, target.open("wb") as copy:
            while data := source.read(_READ):
                copy.write(data)
                n_bytes += len(data)
                if on_bytes is not None:
                    on_bytes(n_bytes, n_all)
    except Exception as error:
        raise _refused(url, error) from error
    return target


def digest_stored(url: str) -> str:
    """32 hex digits of what the storage says of the file without reading it. Raises UrlError."""
    system, path = _file_system(url)
    try:
        info = system.info(path)
    except Exception as error:
        raise _refused(url, error) from error
    known = [url, *(str(info.get(name)) for name in ("size", "ETag", "mtime", "LastModified"))]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:32]


def _file_system(url: str) -> tuple[Any, str]:
    """The file system and the path in it; its settings come from where its own tools have them."""
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise MissingExtraError("storage", f"reading {urlsplit(url).scheme}: URLs") from error
    except Exception as error:
        raise _refused(url, error) from error
    return system, path


def _refused(url: str, error: Exception) -> UrlError:
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return UrlError(f"{url}: can't be read ({reason}); check the URL and the credentials", url)
