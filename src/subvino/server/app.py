"""The application: every interface on one set of jobs.

Floor 5 of the road.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.responses import RedirectResponse

from subvino import __version__
from subvino.pipeline import load_transcriber
from subvino.server import asr_api, jobs_api, openai_api, status_api
from subvino.server.gate import Gate, check_key
from subvino.server.jobs import Jobs
from subvino.server.loaded import Load
from subvino.server.metrics import Metrics
from subvino.server.responses import add_error_handlers
from subvino.server.settings import ServerSettings


def create_app(settings: ServerSettings, load: Load = load_transcriber) -> FastAPI:
    """The application; `app.state.jobs` are its jobs, `app.state.settings` its settings.

    load: gives a loaded model; another one in tests.
    """
    jobs = Jobs(settings, load)
    app = FastAPI(
        title="subvino",
        description="Subtitles for any video, made on this machine.",
        version=__version__,
        lifespan=_life,
    )
    app.state.jobs, app.state.settings = jobs, settings
    app.state.metrics = Metrics(jobs)
    for router in (jobs_api.router, openai_api.router, asr_api.router):
        app.include_router(router, dependencies=[Depends(check_key)])
    app.include_router(status_api.router)
    add_error_handlers(app)
    app.add_middleware(Gate, settings=settings, metrics=app.state.metrics)
    if settings.page:
        from subvino.server.web import mount_page  # with Gradio, which takes seconds to import

        return mount_page(app, jobs)
    app.add_api_route("/", _show_documents, include_in_schema=False)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    await asyncio.to_thread(app.state.jobs.start)
    try:
        yield
    finally:
        await asyncio.to_thread(app.state.jobs.stop)


def _show_documents() -> RedirectResponse:
    return RedirectResponse("/docs")
