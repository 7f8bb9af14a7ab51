from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysubs2
import pytest
import requests

from subvino.formats import FORMATS
from subvino.transcript import Transcript
from tests.server.conftest import CLIP, OTHER_CLIP


def submit(address: str, path: Path = CLIP, **fields: str) -> requests.Response:
    with path.open("rb") as file:
        return requests.post(f"{address}/jobs", files={"file": file}, data=fields, timeout=60)


def events(address: str, job_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with requests.get(f"{address}/jobs/{job_id}/events", stream=True, timeout=60) as answer:
        name = ""
        for line in answer.iter_lines():
            key, _, value = line.decode().partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                yield name, json.loads(value)


def finish(address: str, job_id: str) -> dict[str, Any]:
    return [data for name, data in events(address, job_id) if name == "job"][-1]


def test_a_job_goes_from_its_upload_to_files_in_every_format(address: str) -> None:
    answer = submit(address, language="en")
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    done = finish(address, job["id"])
    assert (done["state"], done["progress"], done["name"]) == ("done", 1.0, CLIP.name)
    for name in FORMATS:
        url = f"{address}/jobs/{job['id']}/result"
        file = requests.get(url, params={"format": name, "profile": "bbc"}, timeout=60)
        assert file.status_code == 200
        assert file.headers["content-type"].startswith(FORMATS[name].media_type)
        assert f"{CLIP.name}.en{FORMATS[name].suffix}" in file.headers["content-disposition"]
    srt = requests.get(f"{address}/jobs/{job['id']}/result?format=srt", timeout=60).text
    assert len(pysubs2.SSAFile.from_string(srt)) > 0


def test_events_tell_every_segment_and_each_state_in_order(address: str) -> None:
    job_id = submit(address, OTHER_CLIP).json()["id"]
    told = list(events(address, job_id))
    url = f"{address}/jobs/{job_id}/result"
    transcript = Transcript.from_json(requests.get(url, timeout=60).text)
    heard = [data["text"] for name, data in told if name == "segment"]
    assert heard == [segment.text for segment in transcript.segments]
    states = [data["state"] for name, data in told if name == "job"]
    order = ["queued", "running", "done"]
    assert states == sorted(states, key=order.index)
    assert states[-1] == "done"


def test_the_list_has_the_newest_first_in_pages(address: str) -> None:
    ids = [submit(address, prompt=f"page {n}").json()["id"] for n in range(3)]
    first = requests.get(f"{address}/jobs", params={"limit": 2}, timeout=60).json()["jobs"]
    assert [job["id"] for job in first] == ids[:0:-1]
    params = {"limit": 1, "before": first[-1]["created"]}
    rest = requests.get(f"{address}/jobs", params=params, timeout=60).json()["jobs"]
    assert [job["id"] for job in rest] == ids[:1]


def test_a_job_is_cancelled_and_deleted(address: str) -> None:
    job_id = submit(address, OTHER_CLIP, prompt="never mind").json()["id"]
    answer = requests.post(f"{address}/jobs/{job_id}/cancel", timeout=60)
    assert answer.status_code == 200
    assert finish(address, job_id)["state"] in ("cancelled", "done")
    assert requests.delete(f"{address}/jobs/{job_id}", timeout=60).status_code == 204
    answer = requests.get(f"{address}/jobs/{job_id}", timeout=60)
    assert answer.status_code == 404
    assert "no job" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"language": "klingonese"}, "klingonese"),
        ({"task": "summarize"}, "task"),
        ({"clip": "9-3"}, "clip"),
        ({"temperature": "nan"}, "temperature"),
        ({"beam_size": "1000"}, "beam_size"),
        ({"unknown": "1"}, "unknown"),
        ({"multilingual": "true", "language": "en"}, "multilingual"),
        ({"prompt": "x" * 20_000}, "prompt"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    address: str, fields: dict[str, str], complaint: str
) -> None:
    answer = submit(address, CLIP, **fields)
    assert answer.status_code == 400
    assert complaint in answer.json()["error"]["message"]


def test_a_result_can_be_had_only_when_it_is_there(address: str) -> None:
    job_id = submit(address, OTHER_CLIP, prompt="wait for it").json()["id"]
    requests.post(f"{address}/jobs/{job_id}/cancel", timeout=60)
    if finish(address, job_id)["state"] == "cancelled":
        answer = requests.get(f"{address}/jobs/{job_id}/result", timeout=60)
        assert answer.status_code == 409
        assert "cancelled" in answer.json()["error"]["message"]


def test_addresses_are_refused_unless_they_are_allowed(address: str) -> None:
    form = {"url": (None, "https://example.org/talk.mp4")}
    answer = requests.post(f"{address}/jobs", files=form, timeout=60)
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "this server fetches no addresses; upload the file"
