"""Videos with a job's subtitles in them, made one at a time while the page waits.

Floor 5 of the road.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from subvino.errors import OptionError, SubvinoError
from subvino.subtitles import Subtitles
from subvino.video import BURN_SUFFIXES, SubtitleTrack, burn, mux
from subvino.video.source import CONTAINERS

Kind = Literal["subtitled", "burned"]
"""As a track that viewers switch on, or drawn into the picture: the endings of their names."""
VideoState = Literal["working", "done", "failed"]

log = logging.getLogger("subvino.server")


@dataclass(frozen=True, slots=True)
class Source:
    """A job's video: its file here, its owner's name for it, seconds where known."""

    path: Path
    name: str
    duration: float | None


@dataclass(frozen=True, slots=True)
class MadeVideo:
    """A video in the making, or made. position: seconds done. message: what to know, or why not."""

    state: VideoState
    path: Path
    position: float = 0.0
    duration: float | None = None
    message: str = ""

    @property
    def progress(self) -> float | None:
        """0 to 1; None while that can't be told."""
        return min(self.position / self.duration, 1.0) if self.duration else None


class Videos:
    """The videos in a folder: one for each job, draft and kind; from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, int, str], MadeVideo] = {}
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="subvino-video")

    def get(self, job_id: str, revision: int, kind: str) -> MadeVideo | None:
        """How far it is; None where nobody asked for it."""
        with self._lock:
            return self._made.get((job_id, revision, kind))

    def start(
        self, job_id: str, revision: int, kind: str, source: Source, subtitles: Subtitles
    ) -> MadeVideo:
        """Begin to make one, unless that was begun already. Raises OptionError."""
        if kind not in ("subtitled", "burned"):
            raise OptionError(f"no kind of video {kind[:40]!r}; use subtitled or burned")
        if not subtitles.cues:
            raise OptionError("there are no subtitles to put into the video")
        key = (job_id, revision, kind)
        with self._lock:
            found = self._made.get(key)
            if found is not None and found.state != "failed":
                return found
            self._forget_older(job_id, kind)
            path = self._folder / job_id / f"{revision}.{kind}{_suffix(source.name, kind)}"
            self._made[key] = MadeVideo("working", path, duration=source.duration)
            self._worker.submit(self._make, key, source, subtitles)
            return self._made[key]

    def _forget_older(self, job_id: str, kind: str) -> None:
        """Remove what was made of the job's earlier drafts: only the latest is asked for."""
        for key, video in tuple(self._made.items()):
            if key[0] == job_id and key[2] == kind and video.state != "working":
                video.path.unlink(missing_ok=True)
                del self._made[key]

    def close(self) -> None:
        """Wait for what is being made; nothing more is."""
        self._worker.shutdown()

    def keep_only(self, job_ids: Collection[str]) -> None:
        """Forget the videos of all other jobs."""
        with self._lock:
            gone = [key for key in self._made if key[0] not in job_ids]
            for key in gone:
                if self._made[key].state != "working":
                    del self._made[key]
            kept = {key[0] for key in self._made}
            if self._folder.is_dir():
                for path in self._folder.iterdir():
                    if path.name not in kept:
                        shutil.rmtree(path, ignore_errors=True)

    def _make(self, key: tuple[str, int, str], source: Source, subtitles: Subtitles) -> None:
        video = self._made[key]
        try:
            video.path.parent.mkdir(parents=True, exist_ok=True)
            track = SubtitleTrack(subtitles)
            progress = self._progress(key)
            if key[2] == "burned":
                done = burn(source.path, track, video.path, overwrite=True, progress=progress)
            else:
                done = mux(source.path, [track], video.path, overwrite=True, progress=progress)
            message = "; ".join(_named(note, source) for note in done.notes)
            self._note(key, replace(video, state="done", message=message))
        except SubvinoError as error:
            self._note(key, replace(video, state="failed", message=_named(str(error), source)))
        except Exception:
            log.exception("a video could not be made")
            self._note(key, replace(video, state="failed", message="the video could not be made"))

    def _progress(self, key: tuple[str, int, str]) -> Callable[[float], None]:
        return lambda position: self._note(key, replace(self._made[key], position=position))

    def _note(self, key: tuple[str, int, str], video: MadeVideo) -> None:
        with self._lock:
            self._made[key] = video


def _suffix(name: str, kind: str) -> str:
    known = BURN_SUFFIXES if kind == "burned" else tuple(CONTAINERS)
    suffix = Path(name).suffix.lower()
    return suffix if suffix in known else ".mp4" if kind == "burned" else ".mkv"


def _named(text: str, source: Source) -> str:
    """A message with the owner's name of the file in the place of ours."""
    return text.replace(str(source.path), source.name)
