"""The calls that Bazarr's provider makes, as its whisperai.py (May 2025) makes them."""

from __future__ import annotations

import contextlib
from typing import Any

import av
import pysubs2
import pytest
import requests

from subvino.server.responses import ERROR_HEADER
from subvino.tokenizer import LANGUAGES
from tests.server.conftest import CLIP, OTHER_CLIP, s16le


def ask(address: str, path: str, content: bytes, **params: str) -> requests.Response:
    session = requests.Session()
    session.headers["User-Agent"] = "Subliminal/2.1"
    url = f"{address}/{path}"
    return session.post(url, params=params, files={"audio_file": content}, timeout=(60, 60))


def test_subtitles_are_made_of_headerless_sound(address: str) -> None:
    params = {"task": "transcribe", "language": "en", "output": "srt", "encode": "false"}
    answer = ask(address, "asr", s16le(CLIP), **params)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["asr-engine"] == "subvino"
    assert 'filename="audio_file.srt"' in answer.headers["content-disposition"]
    subtitles = pysubs2.SSAFile.from_string(answer.text)
    assert len(subtitles) > 0
    with av.open(str(CLIP)) as container:
        assert container.duration is not None
        assert subtitles[-1].end / 1000 <= container.duration / 1e6 + 0.5


def test_sound_with_and_without_a_header_gives_the_same(address: str) -> None:
    params = {"language": "en", "output": "srt"}
    raw = ask(address, "asr", s16le(OTHER_CLIP), encode="false", **params)
    assert raw.text == ask(address, "asr", OTHER_CLIP.read_bytes(), **params).text


def test_the_language_is_told_by_code_and_name(address: str) -> None:
    answer = ask(address, "detect-language", s16le(CLIP), encode="false")
    assert answer.status_code == 200
    told = answer.json()
    assert told["detected_language"] == LANGUAGES[told["language_code"]].lower()
    assert 0.0 < told["confidence"] <= 1.0


@pytest.mark.parametrize("output", ["txt", "vtt", "srt", "tsv", "json"])
def test_every_output_of_the_service_is_made(address: str, output: str) -> None:
    answer = ask(address, "asr", CLIP.read_bytes(), output=output, word_timestamps="true")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    if output == "json":
        told = answer.json()
        assert set(told) == {"language", "text", "segments", "words"}
        assert told["text"] == "".join(row["text"] for row in told["segments"]).strip()
    else:
        begins = {"vtt": "WEBVTT", "srt": "1\n", "tsv": "start\tend\ttext\n"}
        assert answer.text.startswith(begins.get(output, ""))


def test_who_asks_again_after_giving_up_is_answered_from_the_store(address: str) -> None:
    content, params = s16le(OTHER_CLIP), {"output": "srt", "encode": "false", "language": "fr"}
    files = {"audio_file": content}
    with contextlib.suppress(requests.ReadTimeout):
        requests.post(f"{address}/asr", params=params, files=files, timeout=(60, 0.05))
    first = ask(address, "asr", content, **params)
    assert first.status_code == 200
    jobs = requests.get(f"{address}/jobs", timeout=60).json()["jobs"]
    again = ask(address, "asr", content, **params)
    assert again.text == first.text
    after = requests.get(f"{address}/jobs", timeout=60).json()["jobs"]
    assert len(after) == len(jobs) + 1
    assert after[0]["started"] == after[0]["finished"]  # nothing was heard for it


BAD: dict[str, dict[str, Any]] = {
    "not media": {"content": b"1\n00:00:01,000 --> 00:00:02,000\nNot media\n"},
    "nothing": {"content": b""},
    "an unknown language": {"content": CLIP.read_bytes(), "language": "tlh"},
    "an unknown task": {"content": CLIP.read_bytes(), "task": "summarize"},
    "an unknown output": {"content": CLIP.read_bytes(), "output": "docx"},
}


@pytest.mark.parametrize("what", BAD)
def test_an_error_is_never_taken_for_subtitles(address: str, what: str) -> None:
    """Bazarr saves any body there is; an empty one it takes for a failure."""
    values = {"output": "srt", **BAD[what]}
    answer = ask(address, "asr", values.pop("content"), **values)
    assert 400 <= answer.status_code < 500
    assert answer.content == b""
    assert answer.headers[ERROR_HEADER]
    with pytest.raises(pysubs2.exceptions.FormatAutodetectionError):
        pysubs2.SSAFile.from_string(answer.text)


def test_who_reads_json_is_told_errors_in_json(address: str) -> None:
    headers, files = {"Accept": "application/json"}, {"audio_file": b"no media"}
    answer = requests.post(f"{address}/asr", headers=headers, files=files, timeout=60)
    assert answer.status_code == 415
    assert "not a media file" in answer.json()["error"]["message"]


def test_a_wrong_path_or_method_has_no_body_either(address: str) -> None:
    answer = requests.get(f"{address}/asr", timeout=60)
    assert (answer.status_code, answer.content) == (405, b"")
