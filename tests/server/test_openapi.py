"""The OpenAPI document, and the server held to it by schemathesis, which nobody here wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from subvino.server import ServerSettings, create_app

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
PATHS = create_app(ServerSettings(Path("unused"), page=False)).openapi()["paths"]
OPERATIONS = [(path, method) for path, row in PATHS.items() for method in row]


@pytest.fixture(scope="module")
def document(address: str) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{address}/openapi.json")


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_whatever_is_sent_right_or_wrong_is_answered_as_the_document_says(
    document: BaseSchema, path: str, method: str, mode: GenerationMode
) -> None:
    operation = document[path][method]
    if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body):
        return  # nothing that could be wrong

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=8, deadline=None, derandomize=True, database=None)
    def ask(case: schemathesis.Case[Any]) -> None:
        case.validate_response(case.call(timeout=60), checks=CHECKS)

    ask()


def test_every_endpoint_is_in_the_document(address: str) -> None:
    paths = requests.get(f"{address}/openapi.json", timeout=60).json()["paths"]
    assert {
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
        "/v1/models",
        "/asr",
        "/detect-language",
        "/jobs",
        "/jobs/{job_id}",
        "/jobs/{job_id}/events",
        "/jobs/{job_id}/cancel",
        "/health",
        "/metrics",
    } <= set(paths)
    form = paths["/v1/audio/transcriptions"]["post"]["requestBody"]["content"]
    assert set(form) == {"multipart/form-data"}
    fields = form["multipart/form-data"]["schema"]["properties"]
    assert {"file", "model", "language", "timestamp_granularities[]", "stream"} <= set(fields)
