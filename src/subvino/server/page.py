"""What the page can do, without the page: its buttons call these, and show what they give.

Floor 5 of the road. Everything comes back as plain values, an error too: {"error": message}.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

from subvino.cues import rules_for
from subvino.errors import JobNotReadyError, MediaNotFoundError, OptionError, SubvinoError
from subvino.formats import FORMATS, find_format, write
from subvino.media import probe
from subvino.pipeline import AUTO_LANGUAGE, DEFAULT_PROFILE
from subvino.server.drafts import Draft, Drafts
from subvino.server.editing import cut_cues, to_subtitles, to_transcript
from subvino.server.job import Job, JobOptions
from subvino.server.jobs import Jobs
from subvino.server.videos import MadeVideo, Source, Videos
from subvino.server.views import Row, cue_rows, draft_row, job_row, sentence, video_row
from subvino.transcript import Transcript

HISTORY = 100
"""Jobs that the history lists."""
VIDEO_KINDS = ("subtitled", "burned")

log = logging.getLogger("subvino.server")

P = ParamSpec("P")


PageCall = Callable[Concatenate["Page", P], Row]


def _told(call: PageCall[P]) -> PageCall[P]:
    """Errors as rows: the page shows their message."""

    @wraps(call)
    def told(page: Page, /, *args: P.args, **kwargs: P.kwargs) -> Row:
        try:
            return call(page, *args, **kwargs)
        except SubvinoError as error:
            return {"error": sentence(str(error))}
        except Exception:
            log.exception("the page asked for what broke")
            return {"error": "Something went wrong here; the server's log has more"}

    return told


@dataclass(frozen=True, slots=True)
class Order:
    """What the form asks for; a file on this machine and its owner's name for it, or a URL."""

    path: Path | None = None
    name: str = ""
    url: str = ""
    options: JobOptions = JobOptions()  # noqa: RUF009  it is frozen
    profile: str = DEFAULT_PROFILE


class Page:
    """The page's side of the jobs; from any thread."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        folder = jobs.settings.folder
        self._drafts = Drafts(folder / "drafts")
        # A result never changes; reading a film's takes a good part of a second.
        self._transcript = lru_cache(maxsize=4)(jobs.transcript)
        self._videos = Videos(folder / "videos")

    def close(self) -> None:
        """Wait for the video that is being made."""
        self._videos.close()

    # --- jobs

    def submit(self, order: Order) -> Job:
        """A job for what the form asks for. Raises SubvinoError."""
        rules_for(order.profile)
        if order.path is not None:
            job = self._jobs.submit_file(order.path, order.options, order.name)
        elif order.url.strip():
            job = self._jobs.submit_url(order.url.strip(), order.options)
        else:
            raise OptionError("choose a video or audio file first")
        self._drafts.begin(job.id, order.profile)
        return job

    @_told
    def history(self) -> Row:
        """The jobs, the newest first."""
        jobs = self._jobs.list(limit=HISTORY)
        rows = [job_row(job, self._waiting(job)) for job in jobs if job.options.task in _SHOWN]
        return {"jobs": rows}

    def sweep(self) -> None:
        """Forget the drafts and videos of jobs that are gone."""
        known = {job.id for job in self._jobs.list(limit=1_000_000)}
        self._drafts.keep_only(known)
        self._videos.keep_only(known)

    @_told
    def cancel(self, job_id: str) -> Row:
        """Let the job end."""
        return {"job": job_row(self._jobs.cancel(str(job_id)))}

    @_told
    def delete(self, job_id: str) -> Row:
        """Forget the job and all that belongs to it."""
        self._jobs.delete(str(job_id))
        self.sweep()
        return {}

    # --- one job

    @_told
    def look(self, job_id: str, seen: str = "") -> Row:
        """How the job is; with its cues where they are not those that were `seen` (a stamp)."""
        job = self._jobs.get(str(job_id))
        row: Row = {"job": job_row(job, self._waiting(job))}
        if job.state == "done":
            return row | self._look_at_draft(job, seen)
        segments = self._jobs.segments(job.id) if job.state == "running" else ()
        stamp = f"{job.state} {len(segments)}"
        if stamp == seen:
            return row | {"stamp": stamp}
        cues = cut_cues(self._so_far(job), self._rules(job))
        return row | self._look_at_media(job) | {"stamp": stamp, "cues": cue_rows(cues)}

    def _look_at_draft(self, job: Job, seen: str) -> Row:
        transcript = self._transcript(job.id)
        draft = self._drafts.open(job.id, transcript)
        stamp = f"done {draft.revision}"
        videos = {"stamp": stamp, "videos": self._video_rows(job, draft)}
        return videos if stamp == seen else self._full(job, transcript, draft) | videos

    def _full(self, job: Job, transcript: Transcript, draft: Draft) -> Row:
        language = transcript.text_language
        about = {"language": language, "spoken": transcript.language}
        return {
            **self._look_at_media(job),
            **draft_row(draft, language),
            **about,
            "formats": list(FORMATS),
        }

    @_told
    def change(self, job_id: str, revision: int, change: Mapping[str, Any]) -> Row:
        """The cues after a change (`Drafts.change`); with an error, as they are without it."""
        job = self._jobs.get(str(job_id))
        transcript = self._transcript(job.id)
        trouble: Row = {}
        try:
            draft = self._drafts.change(job.id, transcript, revision, change)
        except OptionError as error:
            trouble = {"error": sentence(str(error))}
            draft = self._drafts.open(job.id, transcript)
        shown = {"stamp": f"done {draft.revision}", "videos": self._video_rows(job, draft)}
        return {"job": job_row(job)} | self._full(job, transcript, draft) | shown | trouble

    # --- files

    def file(self, job_id: str, name: str) -> tuple[str, bytes]:
        """A subtitle file as the cues stand: what to call it, and what is in it.

        name: a format's; of a job at work, what there is so far.
        """
        found = find_format(name)
        job = self._jobs.get(job_id)
        if job.state == "running":
            transcript = self._so_far(job)
            cues = cut_cues(transcript, self._rules(job))
            edited = False
        else:
            transcript = self._transcript(job_id)
            draft = self._drafts.open(job_id, transcript)
            cues, edited = draft.cues, draft.edited
        if name == "json":
            text = write(to_transcript(cues, transcript) if edited else transcript, name)
        else:
            text = write(to_subtitles(cues, transcript.text_language), name)
        return f"{_stem(job.name)}.{transcript.text_language}{found.suffix}", text.encode()

    def media(self, job_id: str) -> tuple[str, Path]:
        """The name and the file of a job's media. Raises MediaNotFoundError where it is gone."""
        job = self._jobs.get(job_id)
        path = self._jobs.media(job_id)
        if path is None:
            raise MediaNotFoundError(job.name)
        return job.name, path

    @_told
    def make_video(self, job_id: str, kind: str) -> Row:
        """Begin to make the video with the subtitles as they stand."""
        job = self._jobs.get(str(job_id))
        transcript = self._transcript(job.id)
        draft = self._drafts.open(job.id, transcript)
        source = Source(self.media(job.id)[1], job.name, job.duration)
        subtitles = to_subtitles(draft.cues, transcript.text_language)
        self._videos.start(job.id, draft.revision, str(kind), source, subtitles)
        return {"videos": self._video_rows(job, draft)}

    def video(self, job_id: str, revision: int, kind: str) -> tuple[str, Path]:
        """The name and the file of a video that was made."""
        job = self._jobs.get(job_id)
        made: MadeVideo | None = self._videos.get(job_id, revision, kind)
        if made is None or made.state != "done":
            raise JobNotReadyError("this video is not made yet; ask for it on the page")
        return f"{_stem(job.name)}.{kind}{made.path.suffix}", made.path

    # --- inside

    def _waiting(self, job: Job) -> int:
        return self._jobs.place(job.id) if job.state == "queued" else 0

    def _rules(self, job: Job) -> Any:
        return rules_for(self._drafts.profile(job.id), job.options.language or "")

    def _so_far(self, job: Job) -> Transcript:
        language, duration = job.options.language or "", job.duration or 0.0
        heard = Transcript(self._jobs.segments(job.id), language, 1.0, duration)
        return replace(heard, task="translate") if job.options.task == "translate" else heard

    def _look_at_media(self, job: Job) -> Row:
        path = self._jobs.media(job.id)
        try:
            picture = path is not None and probe(path).video is not None
        except SubvinoError:
            picture = False
        return {"media": f"page/jobs/{job.id}/media" if path else "", "picture": picture}

    def _video_rows(self, job: Job, draft: Draft) -> list[Row]:
        address = f"page/jobs/{job.id}/video/{draft.revision}"
        return [
            video_row(self._videos.get(job.id, draft.revision, kind), kind, f"{address}/{kind}")
            for kind in VIDEO_KINDS
        ]


_SHOWN = ("transcribe", "translate")


def order_options(values: Mapping[str, Any]) -> JobOptions:
    """A job's options from what stands in the form. Raises OptionError."""
    language = values.get("language")
    return JobOptions(
        model=str(values.get("model") or ""),
        task="translate" if values.get("task") == "translate" else "transcribe",
        language=None if language in (None, "", AUTO_LANGUAGE) else str(language),
        weights="int8" if values.get("int8", True) else "fp16",
        hotwords=str(values.get("hotwords") or "").strip(),
    )


def _stem(name: str) -> str:
    """What files made of a job are called: as its media, or the last part of its address."""
    last = name.rstrip("/").rpartition("/")[2].partition("?")[0]
    return (last.rpartition(".")[0] or last)[:120] or "subtitles"
