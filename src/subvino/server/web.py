"""The page at `/`: Gradio's form, our player and table of cues, and the files they load.

Floor 5 of the road. It only wires: what happens stands in `page`, `editing` and `drafts`. Nothing
is fetched from anybody but this server, and nobody is told of its use.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable
from functools import partial
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
from fastapi import Depends, FastAPI
from starlette.responses import FileResponse, Response

from subvino.cues import PROFILES
from subvino.errors import SubvinoError
from subvino.formats import FORMATS
from subvino.pipeline import AUTO_LANGUAGE, DEFAULT_PROFILE
from subvino.server.jobs import Jobs
from subvino.server.loaded import offered_models
from subvino.server.login import add_login, check_page_key, is_let_in
from subvino.server.page import Order, Page, order_options
from subvino.server.views import Row, choices, sentence
from subvino.tokenizer import LANGUAGES

PROFILE_NAMES = {
    "default": "subvino",
    "netflix": "Netflix",
    "bbc": "BBC",
    "bbc-vertical": "BBC, upright video",
    "arte": "Arte",
    "social-vertical": "Social media, upright video",
}
"""What profiles are called where people choose; one without a name goes by its own."""

# The media are somebody else's bytes: whatever they are, they run nothing here.
_MEDIA_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, max-age=3600",
}
_FRESH = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def mount_page(app: FastAPI, jobs: Jobs) -> FastAPI:
    """The application with the page at `/`, behind all routes that it has already."""
    # Where Gradio keeps uploads until a job takes them: not where every user of the machine reads.
    uploads = jobs.settings.folder / "uploads"
    uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    page, key = Page(jobs), jobs.settings.api_key
    _add_routes(app, page)
    if key:
        add_login(app, key)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        _build(page, jobs),
        path="/",
        auth_dependency=(lambda request: "owner" if is_let_in(request, key) else None),
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size=jobs.settings.limits.max_upload_bytes,
        theme=_theme(),
        css=_asset("page.css"),
        head=_HEAD,
    )
    return mounted


def _asset(name: str) -> str:
    return files("subvino.server").joinpath("assets").joinpath(name).read_text(encoding="utf-8")


# --- files --------------------------------------------------------------------------------------


def _add_routes(app: FastAPI, page: Page) -> None:
    """What the player and the links load; with ranges, so that videos can be sought in."""

    def script() -> Response:
        return Response(_asset("page.js"), media_type="text/javascript", headers=_FRESH)

    def subtitles(job_id: str, name: str, save: bool = False) -> Response:
        file_name, content = page.file(job_id, name)
        headers = {**_FRESH, "Content-Disposition": _disposition(file_name, save)}
        return Response(content, media_type=FORMATS[name].media_type, headers=headers)

    def media(job_id: str) -> FileResponse:
        return _send(*page.media(job_id), "inline")

    def video(job_id: str, revision: int, kind: str) -> FileResponse:
        return _send(*page.video(job_id, revision, kind), "attachment")

    def _send(name: str, path: Path, how: str) -> FileResponse:
        kind = mimetypes.guess_type(name)[0] or ""
        kind = kind if kind.startswith(("video/", "audio/")) else "application/octet-stream"
        return FileResponse(
            path,
            media_type=kind,
            filename=name,
            content_disposition_type=how,
            headers=_MEDIA_HEADERS,
        )

    calls: dict[str, Callable[..., Response]] = {
        "/page/page.js": script,
        "/page/jobs/{job_id}/subtitles/{name}": subtitles,
        "/page/jobs/{job_id}/media": media,
        "/page/jobs/{job_id}/video/{revision}/{kind}": video,
    }
    guard = [Depends(check_page_key)]
    for path, call in calls.items():
        app.add_api_route(
            path, call, include_in_schema=False, response_model=None, dependencies=guard
        )


def _disposition(name: str, save: bool) -> str:
    how = "attachment" if save else "inline"
    return f"{how}; filename*=utf-8''{quote(name, safe='')}"


# --- the page -----------------------------------------------------------------------------------

_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" aria-hidden="true">'
    '<rect width="64" height="64" rx="14" fill="#0f766e"/><rect x="12" y="33" width="40" '
    'height="6" rx="3" fill="#fff"/><rect x="18" y="44" width="28" height="6" rx="3" '
    'fill="#8fe3d8"/><path d="M27 12l14 8-14 8z" fill="#fff"/></svg>'
)
_HEAD = f'<link rel="icon" type="image/svg+xml" href="data:image/svg+xml,{quote(_ICON)}">'
_SCRIPT = '<script src="page/page.js"></script>'

_TOP = f"""<header class="sv-top">{_ICON}<b>subvino</b><span>subtitles, made on this machine</span>
<button type="button" class="sv-icon" data-act="theme"></button></header>"""
_HERO = """<div class="sv-hero"><h1>Subtitles for any video</h1>
<p>Drop a film, a talk or a recording. It is heard on this machine,
and goes nowhere else.</p></div>"""


def _theme() -> Any:
    fonts = ["system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif"]
    return gr.themes.Default(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.gray,
        radius_size=gr.themes.sizes.radius_lg,
        font=fonts,  # names, not links: a link would be fetched
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    )


def _build(page: Page, jobs: Jobs) -> Any:
    """All parts of the page, wired."""
    with gr.Blocks(title="subvino", analytics_enabled=False, delete_cache=(3600, 86_400)) as blocks:
        _own(_TOP, "subvino.theme(element)")
        with gr.Column(elem_id="start"):
            _own(_HERO, None)
            with gr.Row():
                with gr.Column(scale=3, min_width=340, elem_id="order"):
                    form = _form(jobs)
                    alert = _own(
                        "<div role=\"alert\" class=\"${value ? 'sv-alert' : ''}\">${value}</div>",
                        None,
                        value="",
                    )
                    button = gr.Button("Make subtitles", variant="primary", size="lg")
                with gr.Column(scale=2, min_width=300):
                    _own(
                        _asset("history.html"),
                        "subvino.history(element, server)",
                        server_functions=[
                            _named("history", page.history),
                            _named("delete_job", page.delete),
                        ],
                    )
        workbench = _own(
            _asset("workbench.html"),
            "subvino.workbench(element, props, server, watch)",
            value={},
            profiles={name: PROFILE_NAMES.get(name, name) for name in PROFILES},
            server_functions=[
                _named("look", page.look),
                _named("change", page.change),
                _named("cancel", page.cancel),
                _named("make_video", page.make_video),
            ],
        )
        blocks.load(page.sweep, api_visibility="private", show_progress="hidden")
        submit = partial(_submit, page, tuple(form))
        outputs = [workbench, alert, form["file"], form["url"]]
        gr.on(
            [button.click, form["url"].submit],
            submit,
            list(form.values()),
            outputs,
            show_progress="hidden",
            api_visibility="private",
            concurrency_limit=4,
        )
    return blocks


def _own(template: str, script: str | None, **values: Any) -> Any:
    """A part of ours: a template, and the function of page.js that brings it to life."""
    return gr.HTML(
        html_template=template,
        js_on_load=script,
        head=_SCRIPT if script else None,
        apply_default_css=False,
        **values,
    )


def _form(jobs: Jobs) -> dict[str, Any]:
    """The form's parts by name, in their order."""
    models = list(offered_models(jobs.settings))
    profiles = [(PROFILE_NAMES.get(name, name), name) for name in PROFILES]
    parts: dict[str, Any] = {}
    parts["file"] = gr.File(
        label="Video or audio file", elem_id="file", type="filepath", height=190
    )
    parts["url"] = gr.Textbox(
        label="or its address",
        placeholder="https://…",
        visible=jobs.settings.allow_urls,
        type="text",
    )
    with gr.Row():
        parts["language"] = gr.Dropdown(
            choices(tuple(LANGUAGES)), value=AUTO_LANGUAGE, label="Spoken language"
        )
        parts["task"] = gr.Radio(
            [("As it is spoken", "transcribe"), ("In English", "translate")],
            value="transcribe",
            label="Subtitles",
        )
    with gr.Row():
        parts["model"] = gr.Dropdown(models, value=models[0], label="Model")
        parts["profile"] = gr.Dropdown(profiles, value=DEFAULT_PROFILE, label="Style")
    parts["int8"] = gr.Checkbox(
        value=True, label="8-bit weights (INT8): half the room on disk, heard as well"
    )
    with gr.Accordion("Names and jargon", open=False):
        parts["hotwords"] = gr.Textbox(
            label="Words to expect", placeholder="Aoife, OpenVINO, Reykjavík", max_lines=3
        )
    return parts


def _submit(page: Page, names: tuple[str, ...], *values: Any) -> tuple[Any, ...]:
    """The form is sent: which job to open, or what is wrong; and the form emptied."""
    row: Row = dict(zip(names, values, strict=True))
    path = Path(row["file"]) if row["file"] else None
    try:
        options = order_options(row)
        name = path.name if path else ""
        job = page.submit(Order(path, name, row["url"] or "", options, row["profile"]))
    except SubvinoError as error:
        told = str(error).replace(str(path), path.name) if path else str(error)
        return gr.skip(), gr.HTML(value=escape(sentence(told))), gr.skip(), gr.skip()
    if path is not None:
        path.unlink(missing_ok=True)  # the job has its own copy
    return {"open": job.id}, gr.HTML(value=""), None, ""


def _named(name: str, call: Callable[..., Row]) -> Callable[[Any], Row]:
    """A function that the page calls by a name; what it sends comes as one list."""

    def called(data: Any = None) -> Row:
        return call(*(data if isinstance(data, list) else [] if data is None else [data]))

    called.__name__ = name
    return called
