"""Models come from a hub over HTTP: here one on loopback that can break, stall and lie."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from subvino.errors import CheckpointError, PickleRefusedError
from subvino.models.hub import Reference, choose_files, parse_reference
from tests import tiny_checkpoints as tiny
from tests.models.conftest import RunPython, finish
from tests.models.hub_server import COMMIT, Hub, read_folder, serve

PrepareApart = Callable[..., dict[str, object]]

# What `huggingface_hub` writes at once: from less it does not go on.
CHUNK = 10 * 2**20

DOWNLOAD = """
import json, sys
from subvino.errors import SubvinoError
from subvino.models.hub import Reference, download
try:
    reference = Reference("org/model", "main", sys.argv[1] or None)
    answer = {"folder": str(download(reference, lambda *report: None).folder)}
except SubvinoError as error:
    answer = {"error": type(error).__name__, "message": str(error)}
print(json.dumps(answer))
"""


@pytest.fixture
def hub(checkpoint: Path) -> Iterator[Hub]:
    files = read_folder(checkpoint)
    strangers = {"pytorch_model.bin": b"PK\x03\x04", "flax_model.msgpack": b"x", "README.md": b"#"}
    only_pickle = {"config.json": files["config.json"], "pytorch_model.bin": b"PK\x03\x04"}
    repositories = {"org/model": files | strangers, "org/pickle": only_pickle}
    with serve(Hub(repositories)) as running:
        yield running


@pytest.fixture
def large_hub(hub: Hub) -> Hub:
    """The hub with weights of 25 MB, the most of them zeros that no tensor claims."""
    files = dict(hub.repositories["org/model"])
    files["model.safetensors"] += bytes(25 * 2**20 - len(files["model.safetensors"]))
    hub.repositories = {"org/model": files}
    return hub


def test_a_model_is_downloaded_converted_and_then_needs_no_hub(
    hub: Hub, prepare_apart: PrepareApart
) -> None:
    answer = prepare_apart("org/model", HF_ENDPOINT=hub.url)
    assert answer.get("error") is None, answer
    assert answer["source"] == f"hub org/model@{COMMIT}"
    assert sorted(hub.files_got()) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    size = len(hub.repositories["org/model"]["model.safetensors"])
    steps = answer["steps"]
    assert isinstance(steps, list)
    assert ["download model.safetensors", size, size] in steps
    asked = len(hub.requests)
    again = prepare_apart("org/model", HF_ENDPOINT=hub.url)
    assert again["path"] == answer["path"]
    assert len(hub.requests) == asked


def test_a_download_that_breaks_off_goes_on_from_there(
    large_hub: Hub, prepare_apart: PrepareApart
) -> None:
    large_hub.break_after.append(15 * 2**20)
    answer = prepare_apart("org/model", HF_ENDPOINT=large_hub.url)
    assert answer.get("error") is None, answer
    assert large_hub.ranges == [f"bytes={CHUNK}-"]


def test_files_in_the_hubs_cache_serve_without_the_network(hub: Hub, run_python: RunPython) -> None:
    first = finish(run_python(DOWNLOAD, "", HF_ENDPOINT=hub.url))
    asked = len(hub.requests)
    offline = finish(run_python(DOWNLOAD, "", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1"))
    assert offline == first
    assert len(hub.requests) == asked


def test_offline_with_nothing_cached_names_the_ways_to_a_model(
    hub: Hub, prepare_apart: PrepareApart
) -> None:
    answer = prepare_apart("small", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert answer["error"] == "ModelNotFoundError"
    message = str(answer["message"])
    for way in ("can't be reached", "pip install", "folder", "subvino models get small"):
        assert way in message
    assert "\n" not in message
    assert hub.requests == []


def test_a_hub_that_is_not_there_names_the_ways_to_a_model(prepare_apart: PrepareApart) -> None:
    # Port 9 (discard) on loopback: nothing listens.
    answer = prepare_apart("turbo", HF_ENDPOINT="http://127.0.0.1:9")
    assert answer["error"] == "ModelNotFoundError"
    assert "subvino models get large-v3-turbo" in str(answer["message"])


def test_a_repository_that_is_not_there_is_called_so(hub: Hub, prepare_apart: PrepareApart) -> None:
    answer = prepare_apart("org/nothing@v1", HF_ENDPOINT=hub.url)
    assert answer["error"] == "ModelNotFoundError"
    assert "org/nothing@v1: the hub has no such model" in str(answer["message"])


def test_a_pickle_is_refused_before_it_is_downloaded(hub: Hub, prepare_apart: PrepareApart) -> None:
    answer = prepare_apart("org/pickle", HF_ENDPOINT=hub.url)
    assert answer["error"] == "PickleRefusedError"
    assert hub.files_got() == []


def test_weights_with_another_digest_are_refused_with_both(
    hub: Hub, run_python: RunPython, tmp_path: Path
) -> None:
    found = hashlib.sha256(hub.repositories["org/model"]["model.safetensors"]).hexdigest()
    right = finish(run_python(DOWNLOAD, found, HF_ENDPOINT=hub.url))
    assert "error" not in right
    answer = finish(run_python(DOWNLOAD, "0" * 64, HF_ENDPOINT=hub.url))
    assert answer["error"] == "DigestMismatchError"
    assert found in str(answer["message"])
    assert "0" * 64 in str(answer["message"])
    # The file named is the one to delete, not a link to it.
    named = Path(str(answer["message"]).partition(": SHA-256")[0])
    assert named.is_file()
    assert not named.is_symlink()


@pytest.mark.slow
def test_a_stalled_download_gives_up_and_the_next_succeeds(
    hub: Hub, prepare_apart: PrepareApart
) -> None:
    hub.stalled = "model.safetensors"
    answer = prepare_apart("org/model", HF_ENDPOINT=hub.url, HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert answer["error"] == "DownloadError"
    assert "model.safetensors broke off" in str(answer["message"])
    assert "\n" not in str(answer["message"])
    hub.stalled = None
    assert "error" not in prepare_apart("org/model", HF_ENDPOINT=hub.url)


def test_a_ctranslate2_repository_serves_too(tmp_path: Path, prepare_apart: PrepareApart) -> None:
    tiny.write_ctranslate2(tmp_path / "ct2", tiny.TINY, element="int8")
    with serve(Hub({"org/ct2": read_folder(tmp_path / "ct2")})) as hub:
        answer = prepare_apart("org/ct2@v2.0", HF_ENDPOINT=hub.url)
    assert answer.get("error") is None, answer
    assert answer["name"] == "org/ct2@v2.0"
    assert sorted(hub.files_got()) == ["config.json", "model.bin", "tokenizer.json"]


REFERENCE = Reference("org/model")


@pytest.mark.parametrize(
    ("names", "weights"),
    [
        # openai/whisper-large-v3 has them all.
        (
            ["model.safetensors", "model.fp32-00001-of-00002.safetensors", "pytorch_model.bin"],
            ["model.safetensors"],
        ),
        (
            [
                "model.safetensors.index.json",
                "model-00002-of-00002.safetensors",
                "model-00001-of-00002.safetensors",
                "model.fp32-00001-of-00002.safetensors",
                "../model-00001-of-00002.safetensors",
            ],
            [
                "model.safetensors.index.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ],
        ),
        (["model.bin", "vocabulary.json"], ["model.bin"]),
    ],
)
def test_only_the_files_that_are_needed_are_chosen(names: list[str], weights: list[str]) -> None:
    assert choose_files({"config.json", *names}, REFERENCE) == ["config.json", *weights]


def test_a_repository_without_weights_is_refused() -> None:
    with pytest.raises(CheckpointError):
        choose_files({"config.json", "README.md"}, REFERENCE)
    with pytest.raises(PickleRefusedError):
        choose_files({"config.json", "pytorch_model.bin"}, REFERENCE)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("org/name", Reference("org/name", "main")),
        ("org/name@v1", Reference("org/name", "v1")),
        ("org/name@refs/pr/3", Reference("org/name", "refs/pr/3")),
        ("name", None),
        ("a/b/c", None),
        ("../name", None),
        ("org/..", None),
        ("org/na me", None),
        ("org/name@../../x", None),
        ("https://host/name", None),
    ],
)
def test_an_id_on_the_hub_is_told_from_other_names(name: str, wanted: Reference | None) -> None:
    assert parse_reference(name) == wanted
