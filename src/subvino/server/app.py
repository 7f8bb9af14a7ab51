"""The application: every interface on one set of jobs.

Floor 5 of the road.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from subvino import __version__
from subvino.pipeline import load_transcriber
from subvino.server.jobs import Jobs
from subvino.server.loaded import Load
from subvino.server.settings import ServerSettings


def create_app(settings: ServerSettings, load: Load = load_transcriber) -> FastAPI:
    """The application; `app.state.jobs` are its jobs, `app.state.settings` its settings.

    load: gives a loaded model; another one in tests.
    """
    jobs = Jobs(settings, load)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        await asyncio.to_thread(jobs.start)
        yield
        await asyncio.to_thread(jobs.stop)

    app = FastAPI(title="subvino", version=__version__, lifespan=lifespan)
    app.state.jobs, app.state.settings = jobs, settings
    return app
