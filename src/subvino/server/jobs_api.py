"""`/jobs`: all that the server has to do, did, and could not.

Floor 5 of the road. One handler for each endpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response, StreamingResponse

from subvino.cues import PROFILES
from subvino.errors import OptionError
from subvino.formats import find_format
from subvino.network import WeightsKind
from subvino.pipeline import DEFAULT_PROFILE, OutputOptions
from subvino.server.job import Job, JobOptions, JobState, JobTask
from subvino.server.jobs import Jobs
from subvino.server.responses import ERRORS, first_complaint
from subvino.server.uploads import Form, form_document, receive_form
from subvino.server.waiting import KEEP_ALIVE, event, event_stream
from subvino.transcript import ChineseScript, Segment

router = APIRouter(prefix="/jobs", tags=["Jobs"], responses=ERRORS)


class JobForm(BaseModel):
    """What a job is asked for with, but for its file: see `JobOptions`."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field("", description="Of the media, instead of a file; where the server allows it.")
    model: str = ""
    task: JobTask = "transcribe"
    language: str | None = None
    weights: WeightsKind | None = None
    audio_track: str | None = None
    clip: str = ""
    prompt: str = ""
    hotwords: str = ""
    chinese: ChineseScript | None = None
    temperature: float | None = Field(None, ge=0.0, le=1.0, allow_inf_nan=False)
    beam_size: int | None = Field(None, ge=1, le=64)
    vad: bool = True
    multilingual: bool = False

    def options(self) -> JobOptions:
        """The job that is asked for."""
        return JobOptions(**self.model_dump(exclude={"url"}))


class JobView(BaseModel):
    """A job as clients see it; times are seconds since 1970, durations seconds."""

    id: str
    state: JobState
    name: str
    source: str
    model: str
    task: JobTask
    language: str | None
    created: float
    started: float | None
    finished: float | None
    position: float
    duration: float | None
    progress: float | None
    eta: float | None
    step: str
    waiting: int | None = Field(description="Jobs before this one; null unless it waits.")
    error: str | None
    error_kind: str | None
    warning: str | None


class JobList(BaseModel):
    """Jobs, the newest first."""

    jobs: list[JobView]


def _view(jobs: Jobs, job: Job) -> JobView:
    own = {name: getattr(job, name) for name in JobView.model_fields if hasattr(job, name)}
    options = {name: getattr(job.options, name) for name in ("model", "task", "language")}
    waiting = jobs.place(job.id) if job.state == "queued" else None
    return JobView(**own, **options, waiting=waiting)


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


@router.post(
    "",
    status_code=202,
    openapi_extra=form_document(JobForm.model_json_schema(), "file", required=False),
)
async def create_job(request: Request, response: Response) -> JobView:
    """A job for a file or an address; ask `/jobs/{id}` how it goes."""
    jobs = _jobs(request)
    async with receive_form(request, jobs.settings) as received:
        form = _read_form(received.fields)
        job = await asyncio.to_thread(_submit, jobs, form, received)
    response.headers["Location"] = f"/jobs/{job.id}"
    return await asyncio.to_thread(_view, jobs, job)


def _read_form(fields: Mapping[str, tuple[str, ...]]) -> JobForm:
    try:
        return JobForm.model_validate({name: values[-1] for name, values in fields.items()})
    except ValidationError as error:
        raise OptionError(first_complaint(error.errors())[1]) from error


def _submit(jobs: Jobs, form: JobForm, received: Form) -> Job:
    if form.url and received.file is not None:
        raise OptionError("a file and an address came; send one of them")
    if form.url:
        return jobs.submit_url(form.url, form.options(), "jobs")
    return jobs.submit(received.need_file("file"), form.options(), "jobs")


@router.get("")
def list_jobs(
    request: Request,
    state: JobState | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[float | None, Query(allow_inf_nan=False)] = None,
) -> JobList:
    """Jobs, the newest first; `before`: only those created before, for the next page."""
    jobs = _jobs(request)
    return JobList(jobs=[_view(jobs, job) for job in jobs.list(limit, state, before)])


@router.get("/{job_id}")
def get_job(request: Request, job_id: str) -> JobView:
    """How a job goes."""
    jobs = _jobs(request)
    return _view(jobs, jobs.get(job_id))


@router.get("/{job_id}/result", response_class=Response)
def get_result(
    request: Request,
    job_id: str,
    wanted: Annotated[str, Query(alias="format")] = "json",
    profile: str = DEFAULT_PROFILE,
) -> Response:
    """What came of it, in any format that `subvino` writes, its cues by any of its profiles."""
    if profile not in PROFILES:
        raise OptionError(f"no profile {profile[:40]!r}; use one of: {', '.join(PROFILES)}")
    kind = find_format(wanted)
    jobs = _jobs(request)
    transcript = jobs.transcript(job_id)
    content = jobs.render(job_id, wanted, OutputOptions((wanted,), profile=profile))
    name = quote(f"{transcript.media}.{transcript.text_language}{kind.suffix}")
    headers = {
        "Content-Type": f"{kind.media_type}; charset=utf-8",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
    }
    return Response(content, headers=headers)


@router.get("/{job_id}/events", response_class=StreamingResponse)
async def get_events(request: Request, job_id: str) -> Response:
    """A job's changes as server-sent events: `job`, and `segment` with what was heard."""
    jobs = _jobs(request)
    await asyncio.to_thread(jobs.get, job_id)
    return event_stream(_events(jobs, job_id))


async def _events(jobs: Jobs, job_id: str) -> AsyncIterator[str]:
    n_sent, last = 0, None
    async for job in jobs.watch_async(job_id):
        for segment in await asyncio.to_thread(jobs.segments, job_id, n_sent):
            n_sent += 1
            yield event(_segment_row(segment), "segment")
        view = await asyncio.to_thread(_view, jobs, job)
        yield KEEP_ALIVE if view == last else event(view.model_dump(), "job")
        last = view


def _segment_row(segment: Segment) -> dict[str, Any]:
    return {
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        "verdict": segment.verdict,
    }


@router.post("/{job_id}/cancel")
def cancel_job(request: Request, job_id: str) -> JobView:
    """Let a job end; one that is finished stays as it is."""
    jobs = _jobs(request)
    return _view(jobs, jobs.cancel(job_id))


@router.delete("/{job_id}", status_code=204)
def delete_job(request: Request, job_id: str) -> None:
    """Forget a job with all that belongs to it; one that runs ends first."""
    _jobs(request).delete(job_id)
