"""Clients that wait: for a job's result, or for events while it is made.

Floor 5 of the road.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse

from subvino.errors import ServerError
from subvino.server.job import Job
from subvino.server.jobs import Jobs
from subvino.server.store import Result

LOOK_EVERY = 5.0
"""Seconds between two looks whether a waiting client is still there; and between the comments that
keep a connection open while there is nothing to tell."""

KEEP_ALIVE = ": waiting\n\n"


async def wait_for_result(request: Request, jobs: Jobs, job: Job) -> Result:
    """What comes of the job, however long it takes.

    Who leaves meanwhile does not end the job: asking again gets its result.

    Raises what `Jobs.result` raises; ServerError where the server stops first.
    """
    async for seen in jobs.watch_async(job.id, every=LOOK_EVERY):
        if not seen.is_finished and await request.is_disconnected():
            raise ClientDisconnect
        if not seen.is_finished and jobs.is_stopping:
            raise ServerError("the server is stopping; the job goes on after its next start")
    return await asyncio.to_thread(jobs.result, job.id)


def event(data: Mapping[str, Any], name: str = "") -> str:
    """A server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n"


def event_stream(events: AsyncIterator[str]) -> StreamingResponse:
    """The answer that sends events as they come; proxies are asked not to hold them back."""
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
