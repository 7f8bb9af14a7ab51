"""How errors are told: in the shape that OpenAI's clients read, or, to those who would take any
text for subtitles, without a text.

Floor 5 of the road.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from subvino.errors import SubvinoError
from subvino.server.failure import status_of

ERROR_HEADER = "Subvino-Error"
WARNING_HEADER = "Subvino-Warning"
RETRY_SECONDS = 10

SUBTITLE_PATHS = ("/asr", "/detect-language")
"""Bazarr saves whatever these answer as the subtitles, without a look at the status: so an error
has no body, and its reason stands in a header."""

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {401: "invalid_api_key", 404: "not_found", 413: "too_large", 429: "rate_limit_exceeded"}


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """An error, as OpenAI's API has it."""

    error: ErrorDetail


ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "The request is refused; the message says why."},
    "5XX": {"model": ErrorBody, "description": "The server can't do it now."},
}
"""For the OpenAPI document."""

NO_BODY: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": f"Refused; the header {ERROR_HEADER} says why."},
    "5XX": {"description": f"Not possible now; the header {ERROR_HEADER} says why."},
}
"""The same for `SUBTITLE_PATHS`."""


def error_body(status: int, message: str, param: str | None = None) -> ErrorBody:
    """An error in OpenAI's shape."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    code = _CODES.get(status)
    return ErrorBody(error=ErrorDetail(message=message, type=kind, param=param, code=code))


def error_response(
    request: Request, status: int, message: str, param: str | None = None
) -> Response:
    """The answer that tells of an error, as who asks at this path can read it."""
    headers = {"Retry-After": str(RETRY_SECONDS)} if status in (429, 503) else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    wants_json = "application/json" in request.headers.get("accept", "")
    if request.url.path.rstrip("/") in SUBTITLE_PATHS and not wants_json:
        headers[ERROR_HEADER] = header_text(message)
        return Response(status_code=status, headers=headers)
    return JSONResponse(error_body(status, message, param).model_dump(), status, headers)


def warning_header(warning: str | None) -> dict[str, str]:
    """The header that tells what of the media was lost, where something was."""
    return {WARNING_HEADER: header_text(warning)} if warning else {}


def header_text(text: str) -> str:
    """A text as a header may hold it: one line of ASCII."""
    line = " ".join(text.split())[:500]
    return line.encode("ascii", "backslashreplace").decode()


def tell_error(request: Request, error: SubvinoError) -> Response:
    """The answer to a request that failed with one of our errors."""
    return error_response(request, status_of(error), str(error))


def add_error_handlers(app: FastAPI) -> None:
    """Have all errors told in one way."""

    @app.exception_handler(SubvinoError)
    def _ours(request: Request, error: SubvinoError) -> Response:
        return tell_error(request, error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        param, message = first_complaint(error.errors())
        return error_response(request, 422, message, param)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        answer = error_response(request, error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(ClientDisconnect)
    def _gone(request: Request, error: ClientDisconnect) -> Response:
        del request, error
        return Response(status_code=499)  # nobody reads it; the log does, as nginx has it

    @app.exception_handler(Exception)
    def _bug(request: Request, error: Exception) -> Response:
        del error  # uvicorn logs it
        return error_response(request, 500, "an error of the server's own; its log tells more")


def first_complaint(complaints: Any) -> tuple[str | None, str]:
    """The first of pydantic's complaints: parameter and message."""
    rows: list[Mapping[str, Any]] = list(complaints)
    if not rows:
        return None, "the request can't be read"
    place = [str(part) for part in rows[0]["loc"] if part not in ("body", "query", "path")]
    param = ".".join(place) or None
    return param, f"{param}: {rows[0]['msg']}" if param else str(rows[0]["msg"])
