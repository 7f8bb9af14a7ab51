"""A bucket of a local server, to which s3: URLs lead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def open_bucket(name: str) -> Iterator[Any]:
    """A client of the server, which has an empty bucket of this name; skips where it can't run."""
    moto_server = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    s3fs = pytest.importorskip("s3fs")
    server = moto_server.ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    s3fs.S3FileSystem.clear_instance_cache()  # those of another server before this one
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", address)
        client = boto3.client("s3", endpoint_url=address)
        client.create_bucket(Bucket=name)
        yield client
    server.stop()
