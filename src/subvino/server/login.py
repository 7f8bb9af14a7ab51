"""Who may see the page of a server that has an API key: who gave it once, in this browser.

Floor 5 of the road. The browser keeps a cookie that is made of the key but does not tell it.
"""

from __future__ import annotations

import hashlib
import hmac
from html import escape
from typing import Annotated

from fastapi import FastAPI, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from subvino.errors import UnauthorizedError

COOKIE = "subvino_page"
COOKIE_SECONDS = 30 * 24 * 3600
PATH = "/page/login"

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>subvino</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root { color-scheme: light dark } body { font: 1rem/1.5 system-ui, sans-serif; display: grid;
place-items: center; min-height: 90vh; margin: 0 1rem } form { display: grid; gap: .8rem;
width: min(22rem, 100%) } input, button { font: inherit; padding: .6rem .8rem; border-radius: 10px;
border: 1px solid #8888 } button { background: #0f766e; color: #fff; border: 0; cursor: pointer }
p { margin: 0; color: #b3261e } </style></head><body><form method="post" action="ACTION">
<h1>subvino</h1><label for="key">The key of this server</label>
<input id="key" name="key" type="password" autocomplete="current-password" autofocus required>
<p role="alert">ALERT</p><button>Open</button></form></body></html>"""


def page_token(api_key: str) -> str:
    """What the cookie holds."""
    return hmac.new(api_key.encode(), b"subvino page", hashlib.sha256).hexdigest()


def is_let_in(request: Request, api_key: str) -> bool:
    """Whether a request comes from a browser that was given the key, or none is needed."""
    if not api_key:
        return True
    return hmac.compare_digest(request.cookies.get(COOKIE, ""), page_token(api_key))


def check_page_key(request: Request) -> None:
    """Let in who may see the page. Raises UnauthorizedError."""
    if not is_let_in(request, request.app.state.settings.api_key):
        raise UnauthorizedError("open the page and give the server's key first")


class AskForKey:
    """Shows the form for the key in place of the page, to who has not given it yet."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app, self._api_key = app, api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on all but the page itself."""
        is_page = scope["type"] == "http" and scope["path"] == "/"
        if is_page and not is_let_in(Request(scope), self._api_key):
            await _ask()(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _ask(alert: str = "", action: str = "page/login") -> Response:
    """The form. action: where it goes, from the address that it is shown at."""
    page = _PAGE.replace("ACTION", action).replace("ALERT", escape(alert))
    return HTMLResponse(page, 401, headers={"Cache-Control": "no-store"})


def add_login(app: FastAPI, api_key: str) -> None:
    """The form for the key, and what takes it."""

    def log_in(request: Request, key: Annotated[str, Form(max_length=1000)] = "") -> Response:
        if not hmac.compare_digest(key.encode(), api_key.encode()):
            return _ask("This is not the key.", "login")
        answer = RedirectResponse("../", 303)
        answer.set_cookie(
            COOKIE,
            page_token(api_key),
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    app.add_api_route(PATH, log_in, methods=["POST"], include_in_schema=False)
    app.add_middleware(AskForKey, api_key=api_key)
