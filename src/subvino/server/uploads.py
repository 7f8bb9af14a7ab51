"""Receiving a form: its file goes to the disk piece by piece, whatever its size.

Floor 5 of the road. Nothing of a request is read before its sender was let in, and never more
than is allowed, nor for longer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from subvino.errors import OptionError, RequestTimeoutError
from subvino.server.media_store import ArrivedMedia, IncomingFile, too_large
from subvino.server.settings import Limits, ServerSettings

MAX_FIELDS = 100
MAX_FIELD_BYTES = 100_000
"""Of one field that is no file; a prompt takes less."""


@dataclass(frozen=True, slots=True)
class UploadPlan:
    """What a form may hold.

    files: names of the field that holds the file; any of them.
    name: what to call the file; "" takes what the client calls it.
    raw: the file is 16-bit PCM without a header, see `IncomingFile`.
    """

    files: tuple[str, ...] = ("file",)
    name: str = ""
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What came: values by field, and the file."""

    fields: Mapping[str, tuple[str, ...]]
    file: ArrivedMedia | None

    def need_file(self, name: str) -> ArrivedMedia:
        """The file; raises OptionError where none came."""
        if self.file is None:
            raise OptionError(f"no file came with the request; send it as form field {name!r}")
        return self.file


def form_document(schema: Mapping[str, Any], file: str, *, required: bool = True) -> dict[str, Any]:
    """How the OpenAPI document describes a form with a file, which FastAPI does not read itself.

    schema: of the other fields, as JSON Schema.
    """
    properties = {**schema["properties"], file: {"type": "string", "format": "binary"}}
    whole = {**schema, "properties": properties, "required": [file] if required else []}
    content = {"multipart/form-data": {"schema": whole}}
    return {"requestBody": {"required": True, "content": content}}


@asynccontextmanager
async def receive_form(
    request: Request, settings: ServerSettings, plan: UploadPlan | None = None
) -> AsyncIterator[Form]:
    """The form of a request. Its file is removed at the end of the block unless it was taken.

    Raises OptionError (no form, or a broken one), TooLargeError, RequestTimeoutError, OutputError.
    """
    plan = plan or UploadPlan()
    reader = _FormReader(_boundary(request), settings, plan)
    try:
        async for data in _body(request, settings.limits):
            await asyncio.to_thread(reader.write, data)
        yield await asyncio.to_thread(reader.finish)
    finally:
        reader.discard()


def _boundary(request: Request) -> bytes:
    kind, parameters = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not parameters.get(b"boundary"):
        raise OptionError("send a form of the type multipart/form-data, with the file in it")
    return parameters[b"boundary"]


async def _body(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """The request's body in pieces, as long as they come fast enough and are not too many."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told) > limits.max_upload_bytes:
        raise too_large(limits.max_upload_bytes)
    begin, n_bytes, stream = time.monotonic(), 0, request.stream()
    while True:
        try:
            data = await asyncio.wait_for(anext(stream), limits.max_idle)
        except StopAsyncIteration:
            return
        except asyncio.TimeoutError as error:
            raise RequestTimeoutError(
                f"nothing came for {limits.max_idle:g} s; send the file again"
            ) from error
        n_bytes += len(data)
        took = time.monotonic() - begin
        if took > limits.max_idle and n_bytes < took * limits.min_rate:
            raise RequestTimeoutError(
                f"the file comes at less than {limits.min_rate:g} bytes a second"
            )
        if n_bytes > limits.max_upload_bytes:
            raise too_large(limits.max_upload_bytes)
        yield data


@dataclass(slots=True)
class _Part:
    """A part of the form that is being received."""

    disposition: bytes = b""
    name: str = ""
    data: bytearray = field(default_factory=bytearray)
    is_file: bool = False


class _FormReader:
    """A multipart body, written to it in pieces (RFC 7578)."""

    def __init__(self, boundary: bytes, settings: ServerSettings, plan: UploadPlan) -> None:
        self._folder: Path = settings.incoming_folder
        self._max_bytes = settings.limits.max_upload_bytes
        self._plan = plan
        self._fields: dict[str, list[str]] = {}
        self._file: IncomingFile | None = None
        self._part = _Part()
        self._header, self._value = b"", b""
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._take_header,
                    "on_header_value": self._take_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._take_data,
                    "on_part_end": self._end,
                    "on_end": self._finish,
                },
            )
        except FormParserError as error:
            raise _broken(error) from error

    def write(self, data: bytes) -> None:
        """Take in the next piece; raises OptionError, TooLargeError, OutputError."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _broken(error) from error

    def finish(self) -> Form:
        """What came, now that it is whole; raises OptionError."""
        if not self._ended:
            raise OptionError("the form breaks off; send it again")
        fields = {name: tuple(values) for name, values in self._fields.items()}
        return Form(fields, self._file.finish() if self._file else None)

    def discard(self) -> None:
        """Remove the file, unless it was taken."""
        if self._file is not None:
            with suppress(OSError):
                self._file.discard()

    # --- called by the parser

    def _begin(self) -> None:
        self._part = _Part()

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._part.disposition = self._value
        self._header, self._value = b"", b""

    def _end_headers(self) -> None:
        _, parameters = parse_options_header(self._part.disposition)
        if b"name" not in parameters:
            raise OptionError("a part of the form has no name")
        self._part.name = parameters[b"name"].decode(errors="replace")
        # Some clients send the file's bytes under its name alone, without a file name.
        if b"filename" in parameters or self._part.name in self._plan.files:
            self._begin_file(parameters.get(b"filename", b"").decode(errors="replace"))
        elif sum(map(len, self._fields.values())) >= MAX_FIELDS:
            raise OptionError(f"the form has more than {MAX_FIELDS} fields")

    def _begin_file(self, name: str) -> None:
        if self._part.name not in self._plan.files:
            wanted = self._plan.files[0]
            raise OptionError(f"a file came as {self._part.name[:80]!r}, not {wanted!r}")
        if self._file is not None:
            raise OptionError("more than one file came; send one at a time")
        self._part.is_file = True
        name = self._plan.name or name
        self._file = IncomingFile(self._folder, name, self._max_bytes, raw=self._plan.raw)

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_file and self._file is not None:
            self._file.write(data[start:end])
            return
        self._part.data += data[start:end]
        if len(self._part.data) > MAX_FIELD_BYTES:
            raise OptionError(f"field {self._part.name[:80]!r} is too long")

    def _end(self) -> None:
        if not self._part.is_file:
            text = self._part.data.decode(errors="replace")
            self._fields.setdefault(self._part.name, []).append(text)

    def _finish(self) -> None:
        self._ended = True


def _broken(error: FormParserError) -> OptionError:
    return OptionError(f"the form can't be read ({error})")
