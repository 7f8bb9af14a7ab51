"""`/health` and `/metrics`.

Floor 5 of the road.
"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from subvino import __version__
from subvino.errors import ServerError
from subvino.server.gate import check_key
from subvino.server.jobs import Jobs
from subvino.server.metrics import CONTENT_TYPE, Metrics

router = APIRouter(tags=["Status"])


class Health(BaseModel):
    """That the server works."""

    status: Literal["ok"] = "ok"
    version: str = __version__
    models_loaded: list[str]
    jobs: dict[str, int]


@router.get("/health")
def get_health(request: Request) -> Health:
    """200 while jobs are being worked on, or would be; 503 otherwise."""
    jobs: Jobs = request.app.state.jobs
    if not jobs.is_working:
        raise ServerError("no jobs are worked on: the server is stopping, or is broken")
    return Health(models_loaded=list(jobs.loaded_models()), jobs=jobs.store.counts())


@router.get("/metrics", response_class=Response, dependencies=[Depends(check_key)])
def get_metrics(request: Request) -> Response:
    """What the server counts, for Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})
