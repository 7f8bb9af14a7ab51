"""`/asr` and `/detect-language`, as whisper-asr-webservice has them and Bazarr calls them.

Floor 5 of the road. An error has no body here: see `responses.SUBTITLE_PATHS`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from subvino.server.job import JobOptions
from subvino.server.jobs import Jobs, render
from subvino.server.openai_shapes import (
    language_name,
    plain_text,
    segment_rows,
    word_rows,
)
from subvino.server.responses import NO_BODY, warning_header
from subvino.server.store import Result
from subvino.server.uploads import UploadPlan, form_document, receive_form
from subvino.server.waiting import wait_for_result
from subvino.transcript import Task, Transcript

Output = Literal["txt", "vtt", "srt", "tsv", "json"]
ENGINE = "subvino"

router = APIRouter(tags=["Whisper ASR webservice"], responses=NO_BODY)

_FILE = form_document({"type": "object", "properties": {}}, "audio_file")
Encode = Annotated[
    bool, Query(description="false: the file is 16-bit PCM, 16 kHz, mono, without a header.")
]
VideoFile = Annotated[str, Query(description="What the file is called, for the list of jobs.")]


@router.post("/asr", openapi_extra=_FILE, response_class=Response)
async def transcribe(  # as many parameters as the service that it stands in for has
    request: Request,
    encode: Encode = True,
    task: Task = "transcribe",
    language: str | None = None,
    initial_prompt: str = "",
    word_timestamps: bool = False,
    output: Output = "txt",
    video_file: VideoFile = "",
) -> Response:
    """Subtitles, or the text, of a file. `vad_filter` changes nothing: speech is always found."""
    jobs: Jobs = request.app.state.jobs
    options = JobOptions(task=task, language=language, prompt=initial_prompt)
    plan = UploadPlan(files=("audio_file",), name=video_file, raw=not encode)
    async with receive_form(request, jobs.settings, plan) as received:
        file = received.need_file("audio_file")
        job = await asyncio.to_thread(jobs.submit, file, options, "asr")
    result = await wait_for_result(request, jobs, job)
    return await asyncio.to_thread(_shape, result, output, word_timestamps)


@router.post("/detect-language", openapi_extra=_FILE)
async def detect_language(
    request: Request,
    encode: Encode = True,
    detect_lang_length: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
    detect_lang_offset: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
    video_file: VideoFile = "",
) -> dict[str, Any]:
    """The language that is spoken, by the first minutes of speech or by the seconds named."""
    jobs: Jobs = request.app.state.jobs
    clip = _clip(detect_lang_offset, detect_lang_length)
    options = JobOptions(task="detect-language", clip=clip)
    plan = UploadPlan(files=("audio_file",), name=video_file, raw=not encode)
    async with receive_form(request, jobs.settings, plan) as received:
        file = received.need_file("audio_file")
        job = await asyncio.to_thread(jobs.submit, file, options, "asr")
    transcript = (await wait_for_result(request, jobs, job)).transcript
    return {
        "detected_language": language_name(transcript.language),
        "language_code": transcript.language,
        "confidence": round(transcript.language_probability, 4),
    }


def _clip(offset: float, length: float) -> str:
    """The range in which the language is looked for; "" is anywhere."""
    if not offset and not length:
        return ""
    return f"{offset:f}-" + (f"{offset + length:f}" if length else "")


def _shape(result: Result, output: Output, words: bool) -> Response:
    transcript = result.transcript
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Asr-Engine": ENGINE,
        "Content-Disposition": f'attachment; filename="{quote(transcript.media)}.{output}"',
        **warning_header(result.warning),
    }
    return Response(_content(transcript, output, words), headers=headers)


def _content(transcript: Transcript, output: Output, words: bool) -> bytes:
    if output == "txt":
        return (plain_text(transcript.segments) + "\n").encode()
    if output != "json":
        return render(transcript, output)
    answer: dict[str, Any] = {
        "language": transcript.text_language,
        "text": plain_text(transcript.segments),
        "segments": segment_rows(transcript),
    }
    if words:
        answer["words"] = word_rows(transcript)
    return json.dumps(answer, ensure_ascii=False).encode()
