"""`subvino serve`: jobs for whoever asks, over HTTP."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subvino.cli.options import given, split_list
from subvino.cli.screen import Screen
from subvino.errors import OptionError

if TYPE_CHECKING:
    from subvino.server import Limits
    from subvino.server.loaded import Load

_ACCESS, _LIMITS, _MODEL = "Who may ask", "Limits", "Model and device"
CLUSTER_JOBS = 8
"""Jobs that are done at once where a cluster does them; each can keep several workers busy."""

MEGABYTE, MINUTE, DAY = 1_000_000, 60.0, 86_400.0


def serve(  # as long as there are options: Typer reads them off the parameters
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen; 0.0.0.0 is open to the whole network (default: 127.0.0.1).",
            rich_help_panel=_ACCESS,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", "-p", min=0, max=65535, help="Default: 8000.", rich_help_panel=_ACCESS
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            envvar="SUBVINO_API_KEY",
            show_envvar=False,
            help="What clients must send as Bearer token; better put into SUBVINO_API_KEY, as "
            "others on this machine can read command lines (default: none is asked for).",
            rich_help_panel=_ACCESS,
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name by which clients call this machine; may be given several times.",
            rich_help_panel=_ACCESS,
        ),
    ] = None,
    allow_urls: Annotated[
        bool,
        typer.Option(
            "--allow-urls",
            help="Fetch media from addresses that clients give; never from this machine or its "
            "network.",
            rich_help_panel=_ACCESS,
        ),
    ] = False,
    allow_private_urls: Annotated[
        bool,
        typer.Option(
            "--allow-private-urls",
            help="From there too: only where every client is trusted.",
            rich_help_panel=_ACCESS,
        ),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Taken where a client names none: a name, a hub id or a folder (default: base).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--offer",
            metavar="NAMES",
            help="Which others clients may ask for (default: all that are on this machine).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            "-d",
            metavar="NAME",
            help="What computes: see subvino devices (default: AUTO).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Of the CPU (default: all cores).", rich_help_panel=_MODEL),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Have jobs done by the workers of a Ray cluster, several at once: auto, "
            "ray://HOST:PORT, or local for workers on this machine alone.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Models in memory on the cluster, each with --threads cores (default: as many as "
            "it has cores for, with 2 each).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    model_idle: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.0,
            help="How long a model that nobody needs stays in memory (default: 300).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    max_upload: Annotated[
        float | None,
        typer.Option(metavar="MB", help="Of one file (default: 4000).", rich_help_panel=_LIMITS),
    ] = None,
    max_duration: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES", help="Of one file's sound (default: 360).", rich_help_panel=_LIMITS
        ),
    ] = None,
    max_waiting: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Jobs that may wait (default: 100).", rich_help_panel=_LIMITS
        ),
    ] = None,
    max_requests: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Requests served at once (default: 100).", rich_help_panel=_LIMITS
        ),
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option(
            metavar="DAYS",
            min=0.0,
            help="How long finished jobs and their results are kept (default: 7).",
            rich_help_panel=_LIMITS,
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where jobs, their media and results lie (default: the system's place for data).",
        ),
    ] = None,
    page: Annotated[
        bool,
        typer.Option("--page/--no-page", help="A page for people, besides what programs call."),
    ] = True,
    log: Annotated[
        str | None,
        typer.Option(
            metavar="text|json", help="How log lines look (default: json, text on a terminal)."
        ),
    ] = None,
) -> None:
    """Serve subtitles: a page for people, and the interfaces that Whisper clients already speak.

    Programs that talk to OpenAI's audio API, or to whisper-asr-webservice (Bazarr), are given this
    server's address instead; /docs describes all it takes. Jobs survive a restart.
    """
    from subvino.server import ServerSettings, default_folder
    from subvino.server.gate import is_loopback
    from subvino.server.running import run_server

    values = given(
        host=host,
        port=port,
        api_key=api_key,
        model=model,
        models=split_list(models),
        device=device,
        threads=threads,
        n_jobs=None if cluster is None else CLUSTER_JOBS,
        model_idle=model_idle,
        keep=None if keep is None else keep * DAY,
    )
    settings = ServerSettings(
        folder=folder or default_folder(),
        page=page,
        allow_urls=allow_urls or allow_private_urls,
        allow_private_urls=allow_private_urls,
        allowed_hosts=tuple(allow_host or ()),
        limits=_limits(max_upload, max_duration, max_waiting, max_requests),
        **values,
    )
    if not is_loopback(settings.host) and not settings.api_key:
        Screen().note("open to the network, and no key is asked for: see --api-key")
    with _loading(cluster, workers) as load:
        run_server(settings, load, json_logs=_wants_json(log))


@contextmanager
def _loading(address: str | None, n_workers: int | None) -> Iterator[Load]:
    """What loads models, here or on a cluster, which is left at the end."""
    from subvino.cluster import Cluster, ClusterOptions
    from subvino.pipeline import load_transcriber

    if address is None:
        if n_workers is not None:
            raise OptionError("--workers is for --cluster; name one, or leave it out")
        yield load_transcriber
        return
    log = logging.getLogger("subvino.server")
    with Cluster(ClusterOptions(address, n_workers), lambda event: log.info("%s", event)) as load:
        yield load


def _limits(
    max_upload: float | None,
    max_duration: float | None,
    max_waiting: int | None,
    max_requests: int | None,
) -> Limits:
    from subvino.server import Limits

    values: dict[str, Any] = given(max_waiting=max_waiting, max_requests=max_requests)
    if max_upload is not None:
        values["max_upload_bytes"] = round(max_upload * MEGABYTE)
    if max_duration is not None:
        values["max_duration"] = max_duration * MINUTE
    return replace(Limits(), **values)


def _wants_json(log: str | None) -> bool:
    if log not in (None, "text", "json"):
        raise OptionError(f"log {log!r} is not known; use one of: text, json")
    return log == "json" if log else not sys.stderr.isatty()
