from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from subvino.quantize.hub_speech import HubSpeech, choose_file, parse_hub_speech
from tests.quantize.conftest import CLIPS
from tests.quantize.hub_data import DataHub, serve

pyarrow = pytest.importorskip("pyarrow")

FETCH = """
import json, sys
from pathlib import Path
from subvino.errors import SubvinoError
from subvino.quantize.hub_speech import fetch_speech, parse_hub_speech
try:
    found = fetch_speech(parse_hub_speech(sys.argv[1]), 3, Path(sys.argv[2]), lambda *_: None)
    print(json.dumps([str(path) for path in found]))
except SubvinoError as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error)}))
"""


def fetch(hub: DataHub, name: str, folder: Path) -> object:
    """`fetch_speech` in a process of its own: the hub's address is read at import."""
    folder.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-c", FETCH, name, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def as_parquet(clips: list[bytes]) -> bytes:
    """A table as the hub has it, in groups of rows."""
    from pyarrow import Table
    from pyarrow.parquet import write_table

    rows = [
        {"audio": {"bytes": clip, "path": f"{i}.flac"}, "text": "said"}
        for i, clip in enumerate(clips)
    ]
    buffer = io.BytesIO()
    write_table(Table.from_pylist(rows), buffer, row_group_size=2, compression="none")
    return buffer.getvalue()


def test_the_first_clips_come_as_they_are_and_the_rest_stays_there(tmp_path: Path) -> None:
    clips = [CLIPS[0].read_bytes(), CLIPS[1].read_bytes(), *(os.urandom(2**20) for _ in range(40))]
    files = {"all/train.parquet": b"no", "clean/validation.parquet": as_parquet(clips)}
    with serve(DataHub(files)) as hub:
        found = fetch(hub, "org/speech:clean", tmp_path / "got")
    assert isinstance(found, list)
    assert [Path(path).suffix for path in found] == [".flac"] * 3
    assert [Path(path).read_bytes() for path in found] == clips[:3]
    assert hub.sent < len(files["clean/validation.parquet"]) / 2


def test_what_the_hub_does_not_have_is_said_in_a_line(tmp_path: Path) -> None:
    with serve(DataHub({"README.md": b"x"})) as hub:
        without = fetch(hub, "org/speech", tmp_path / "a")
        unknown = fetch(hub, "org/nothing", tmp_path / "b")
    assert without == {
        "error": "CalibrationError",
        "message": "org/speech: no Parquet file at all in it",
    }
    assert isinstance(unknown, dict)
    assert unknown["error"] == "CalibrationError"
    assert "\n" not in unknown["message"]


def test_a_damaged_table_is_said_in_a_line(tmp_path: Path) -> None:
    with serve(DataHub({"test.parquet": os.urandom(5000)})) as hub:
        found = fetch(hub, "org/speech", tmp_path / "a")
    assert isinstance(found, dict)
    assert found["error"] == "CalibrationError"
    assert "can't be read from the hub" in found["message"]


@pytest.mark.parametrize("text", ["", "name", "/abs/path", "a/b/c", "../up", "org/../x", "a b/c"])
def test_what_is_no_name_on_the_hub_is_not_asked_for(text: str) -> None:
    assert parse_hub_speech(text) is None


def test_a_name_may_say_which_of_its_files() -> None:
    wanted = HubSpeech("openslr/librispeech_asr", "clean/test")
    assert parse_hub_speech("openslr/librispeech_asr:clean/test/") == wanted
    paths = ["clean/test/0000.parquet", "clean/validation/0000.parquet", "clean/README.md"]
    assert choose_file(paths, "clean/test") == "clean/test/0000.parquet"
    assert choose_file(paths, "") == "clean/validation/0000.parquet"
    assert choose_file(paths, "other") is None
