"""URL → media file on disk, through yt-dlp (extra `url`).

Floor 1 of the road. A URL names one film or a list of them; `find_entries` tells which, and
`download` brings one. What a server says about itself (titles, names, types) is hostile: files
land in the folder given, under names made here, and nothing that was downloaded is run.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from subvino.errors import MissingExtraError, UrlError

SCHEMES = ("http", "https")
"""The schemes that are fetched; file: and the like would read what the URL's writer may not."""

MAX_ENTRIES = 10_000
"""Entries taken from one list; some lists have no end."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MAX_STEM = 120
_PLAIN_PROTOCOLS = "[protocol~='^(https?|m3u8_native|http_dash_segments)$']"
"""Those that yt-dlp speaks itself."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows gives to devices."""


@dataclass(frozen=True, slots=True)
class UrlEntry:
    """One film behind a URL.

    url: its page, or the list's page where it has none of its own.
    title: one printable line.
    stem: safe as a file name without its suffix; no two entries of a list have the same.
    place: its number in the list at `url`, from 1; None where `url` is its own.
    """

    url: str
    title: str
    stem: str
    place: int | None = None


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far a download is: bytes so far, bytes in all and bytes per second where known."""

    title: str
    n_bytes: int
    n_bytes_total: int | None
    bytes_per_second: float | None


OnProgress = Callable[[DownloadProgress], None]


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """What to fetch.

    video: the picture too, not only the sound.
    max_bytes: refuse anything larger.
    proxy: through which all is fetched, and nothing that could not be; "" takes none but the
        environment's.
    """

    video: bool = False
    max_bytes: int | None = None
    proxy: str = ""


def is_url(text: str) -> bool:
    """Whether a text is meant as a URL and not as a path.

    >>> is_url("https://example.org/a.mp4"), is_url("C:/a.mp4"), is_url("a.mp4")
    (True, False, False)
    """
    return _URL.match(text) is not None


def find_entries(url: str, proxy: str = "") -> tuple[UrlEntry, ...]:
    """The films behind a URL: one, or all of a list. Raises UrlError, MissingExtraError.

    proxy: see `DownloadOptions`.
    """
    _check_scheme(url)
    settings = {"extract_flat": "in_playlist", "playlistend": MAX_ENTRIES}
    info = _extract(url, settings | _through(proxy))
    if info.get("_type", "video") == "video":
        return (_entry(url, info, None),)
    entries = _unique(_listed(url, info.get("entries") or ()))
    if not entries:
        raise UrlError(f"{url}: an empty list; give the address of a film", url)
    return entries


def download(
    entry: UrlEntry,
    folder: Path,
    options: DownloadOptions | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """The entry's media file in the folder; goes on where a download broke off.

    Raises UrlError, MissingExtraError, and what `on_progress` raises.
    """
    options = options or DownloadOptions()
    watch = _Watch(entry, options.max_bytes, on_progress)
    _extract(entry.url, _download_settings(entry, folder, options, watch))
    path = watch.path
    if path is None or not path.is_file() or folder.resolve() not in path.resolve().parents:
        raise UrlError(
            f"{entry.url}: no single media file to fetch; give its own address", entry.url
        )
    return path


# --- yt-dlp


def _extract(url: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """What yt-dlp finds at a URL; downloads it where `settings` name a folder."""
    yt_dlp = _yt_dlp()
    try:
        with yt_dlp.YoutubeDL({**_quiet_settings(), **settings}) as loader:
            info = loader.extract_info(url, download="paths" in settings)
            return dict(loader.sanitize_info(info) or {})
    except UrlError:
        raise
    except (yt_dlp.utils.YoutubeDLError, OSError, ValueError) as error:
        raise UrlError(f"{url}: {_reason(error)}", url) from error


def _yt_dlp() -> Any:
    """The package, which has no types; without the plugins that lie about in users' folders."""
    try:
        yt_dlp = import_module("yt_dlp")
        import_module("yt_dlp.globals").plugin_dirs.value = []
    except ImportError as error:
        raise MissingExtraError("url", "reading URLs") from error
    return yt_dlp


def _quiet_settings() -> dict[str, Any]:
    """Nothing printed, nothing kept, nothing read but the URL: no cookies, no configuration."""
    return {
        "logger": _Silence(),
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "cachedir": False,
        "socket_timeout": 20,
        "retries": 3,
        "fragment_retries": 3,
        "extractor_retries": 1,
        "enable_file_urls": False,
        "external_downloader": "native",
        "fixup": "never",
        "lazy_playlist": True,
    }


def _download_settings(
    entry: UrlEntry, folder: Path, options: DownloadOptions, watch: _Watch
) -> dict[str, Any]:
    """The name carries a digest of the address: films of one title don't go on from each other."""
    key = f"{entry.url} {entry.place or ''} {'video' if options.video else 'audio'}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    return {
        "paths": {"home": str(folder)},
        "outtmpl": {"default": f"{entry.stem.replace('%', '%%')}.{digest}.%(ext)s"},
        "format": _format(options),
        "playlist_items": str(entry.place or 0),  # 0: nothing, where it turns out to be a list
        "continuedl": True,
        "updatetime": False,
        "progress_hooks": [watch.progress],
        "post_hooks": [watch.finished],
        **_through(options.proxy),
    }


def _format(options: DownloadOptions) -> str:
    kinds = ("best", "bestvideo") if options.video else ("bestaudio", "best")
    return "/".join(kind + (_PLAIN_PROTOCOLS if options.proxy else "") for kind in kinds)


def _through(proxy: str) -> dict[str, Any]:
    """Settings that let everything pass a proxy; other programs would not ask it."""
    return {"proxy": proxy, "ffmpeg_location": os.devnull} if proxy else {}


class _Silence:
    """A logger for yt-dlp, whose messages come back as exceptions anyway."""

    def debug(self, message: str) -> None:
        pass

    info = warning = error = debug


class _Watch:
    """Follows a download: passes progress on, stops it when too large, keeps the path."""

    def __init__(
        self, entry: UrlEntry, max_bytes: int | None, on_progress: OnProgress | None
    ) -> None:
        self.path: Path | None = None
        self._entry = entry
        self._max_bytes = max_bytes
        self._on_progress = on_progress

    def progress(self, status: Mapping[str, Any]) -> None:
        n_bytes = int(status.get("downloaded_bytes") or 0)
        total = status.get("total_bytes")
        if self._max_bytes is not None and max(n_bytes, int(total or 0)) > self._max_bytes:
            raise _too_large(self._entry.url, self._max_bytes)
        if self._on_progress is not None:
            self._on_progress(
                DownloadProgress(
                    title=self._entry.title,
                    n_bytes=n_bytes,
                    n_bytes_total=int(total) if total else None,
                    bytes_per_second=status.get("speed"),
                )
            )

    def finished(self, path: str) -> None:
        self.path = Path(path)


def _too_large(url: str, max_bytes: int) -> UrlError:
    return UrlError(f"{url}: larger than {max_bytes / 1e6:.0f} MB; raise the limit", url)


# --- entries


def _check_scheme(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UrlError(f"{_line(url)}: not a URL ({error})", url) from error
    if parts.scheme.lower() not in SCHEMES or not parts.hostname:
        raise UrlError(f"{_line(url)}: only http and https addresses are fetched", url)


def _listed(url: str, infos: Iterable[Mapping[str, Any]]) -> Iterator[UrlEntry]:
    """The entries of a list; those that yt-dlp can't tell apart by address go by their place."""
    for place, info in enumerate(infos, 1):
        own = str(info.get("url") or "") if info.get("_type", "video") != "video" else ""
        if urlsplit(own).scheme in SCHEMES:
            yield _entry(own, info, None)
        else:
            yield _entry(url, info, place)


def _entry(url: str, info: Mapping[str, Any], place: int | None) -> UrlEntry:
    title = _line(str(info.get("title") or info.get("id") or "")) or "untitled"
    return UrlEntry(url, title, safe_stem(title), place)


def _unique(entries: Iterator[UrlEntry]) -> tuple[UrlEntry, ...]:
    """The same entries, " (2)" and so on behind stems that came before."""
    taken: set[str] = set()
    result = []
    for entry in entries:
        stem, number = entry.stem, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{entry.stem} ({number})"
        taken.add(stem.casefold())
        result.append(UrlEntry(entry.url, entry.title, stem, entry.place))
    return tuple(result)


def safe_stem(title: str) -> str:
    """A title as a file name on any system: letters and digits of any script, and " -_.()".

    >>> safe_stem("../../etc/passwd"), safe_stem("Was ist <das>?"), safe_stem("con")
    ('etc_passwd', 'Was ist das', '_con')
    """
    text = unicodedata.normalize("NFC", title)
    text = "".join(char if _is_plain(char) else "_" for char in text)
    text = re.sub(r"[ _]* [ _]*", " ", re.sub(r"[_.]{2,}", "_", text))
    text = text.encode()[:_MAX_STEM].decode(errors="ignore").strip(" ._-")
    return f"_{text}" if _RESERVED.fullmatch(text) else text or "media"


def _is_plain(char: str) -> bool:
    return char in " -_.()" or unicodedata.category(char)[0] in "LMN"


def _line(text: str) -> str:
    """One printable line: a title may hold what a terminal takes for commands."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:300]


def _reason(error: Exception) -> str:
    """What went wrong, without yt-dlp's prefixes and its advice for its own command line."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    text = re.sub(r"^(ERROR: )?(\[[^\]]+\] )?([^ :]+: )?(?=[A-Z])", "", text)
    return _line(re.split(r"; please report|\. Use --|\. If you believe|\(caused by", text)[0])
