"""`/v1`: OpenAI's audio API, for any client of it.

Floor 5 of the road. One handler for each endpoint; `openai_shapes` says what goes in and out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from subvino.errors import ModelNotFoundError, SubvinoError
from subvino.server.failure import status_of
from subvino.server.job import Job
from subvino.server.jobs import Jobs, render
from subvino.server.loaded import choose_model, offered_models
from subvino.server.openai_shapes import (
    MEDIA_TYPES,
    FormError,
    TranscriptionForm,
    TranslationForm,
    json_answer,
    plain_text,
    read_form,
    spoken_text,
    verbose_answer,
)
from subvino.server.responses import ERRORS, error_body, error_response, warning_header
from subvino.server.store import Result
from subvino.server.uploads import form_document, receive_form
from subvino.server.waiting import KEEP_ALIVE, event, event_stream, wait_for_result

router = APIRouter(prefix="/v1", tags=["OpenAI's API"], responses=ERRORS)


@router.post(
    "/audio/transcriptions",
    openapi_extra=form_document(TranscriptionForm.model_json_schema(), "file"),
)
async def create_transcription(request: Request) -> Response:
    """What is said, in the language it is said in."""
    return await _answer(request, TranscriptionForm)


@router.post(
    "/audio/translations", openapi_extra=form_document(TranslationForm.model_json_schema(), "file")
)
async def create_translation(request: Request) -> Response:
    """What is said, in English."""
    return await _answer(request, TranslationForm)


@router.get("/models")
def list_models(request: Request) -> dict[str, Any]:
    """The models that can be asked for."""
    names = offered_models(request.app.state.settings)
    return {"object": "list", "data": [_model_row(name) for name in names]}


@router.get("/models/{name:path}")
def get_model(request: Request, name: str) -> dict[str, Any]:
    """One of them."""
    if not name.strip():
        raise ModelNotFoundError("no model has an empty name")
    return _model_row(choose_model(name, request.app.state.settings))


def _model_row(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "subvino"}


async def _answer(
    request: Request, kind: type[TranscriptionForm] | type[TranslationForm]
) -> Response:
    """A job for the file in the form, and its result in the form's shape."""
    jobs: Jobs = request.app.state.jobs
    async with receive_form(request, jobs.settings) as received:
        try:
            form = read_form(kind, received.fields)
        except FormError as error:
            return error_response(request, 400, str(error), error.param)
        file = received.need_file("file")
        job = await asyncio.to_thread(jobs.submit, file, form.options(), "openai")
    if form.stream:
        return event_stream(_events(request, jobs, job))
    result = await wait_for_result(request, jobs, job)
    return await asyncio.to_thread(_shape, result, form)


def _shape(result: Result, form: TranscriptionForm | TranslationForm) -> Response:
    transcript, name = result.transcript, form.response_format
    headers = warning_header(result.warning)
    if name == "json":
        return JSONResponse(json_answer(transcript), headers=headers)
    if name == "verbose_json":
        wanted = form.timestamp_granularities if isinstance(form, TranscriptionForm) else ()
        return JSONResponse(verbose_answer(transcript, wanted), headers=headers)
    if name == "text":
        content = (plain_text(transcript.segments) + "\n").encode()
    else:
        content = render(transcript, name)
    return Response(content, headers={**headers, "Content-Type": MEDIA_TYPES[name]})


async def _events(request: Request, jobs: Jobs, job: Job) -> AsyncIterator[str]:
    """The text as it is made, then the whole."""
    sent: list[str] = []
    try:
        async for seen in jobs.watch_async(job.id):
            new = await asyncio.to_thread(jobs.segments, job.id, len(sent))
            for segment in new:
                text = spoken_text(segment)
                delta = text if "".join(sent) else text.lstrip()
                sent.append(delta)
                if delta:
                    yield event({"type": "transcript.text.delta", "delta": delta})
            if not new and not seen.is_finished:
                yield KEEP_ALIVE
        await wait_for_result(request, jobs, job)
    except SubvinoError as error:
        body = error_body(status_of(error), str(error)).model_dump()
        yield event({"type": "error", **body})
        return
    yield event({"type": "transcript.text.done", "text": "".join(sent)})
