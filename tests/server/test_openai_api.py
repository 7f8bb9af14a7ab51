"""Asked by the `openai` package, which nobody here wrote."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from typing import Any

import av
import openai
import pysubs2
import pytest
import requests
import webvtt
from openai.types.audio import TranscriptionVerbose

from tests.server.conftest import CLIP, OTHER_CLIP


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as made:
        yield made


def verbose(client: openai.OpenAI, *granularities: Any) -> TranscriptionVerbose:
    return client.audio.transcriptions.create(
        file=CLIP,
        model="whisper-1",
        language="en",
        response_format="verbose_json",
        timestamp_granularities=list(granularities),
    )


def test_the_models_are_listed(client: openai.OpenAI) -> None:
    assert next(iter(client.models.list())).id == "tiny-random"
    assert client.models.retrieve("whisper-1").id == "tiny-random"
    with pytest.raises(openai.NotFoundError, match="only: tiny-random"):
        client.models.retrieve("large-v9")


def test_words_and_segments_come_with_their_times(client: openai.OpenAI) -> None:
    told = verbose(client, "word", "segment")
    assert told.language == "english"
    assert told.duration == pytest.approx(clip_duration(), abs=0.05)
    assert told.usage is not None
    assert told.usage.seconds == told.duration
    assert told.segments
    assert "".join(segment.text for segment in told.segments).strip() == told.text
    assert told.words is not None
    for rows in (told.segments, told.words):
        assert all(0 <= row.start <= row.end <= told.duration + 0.5 for row in rows)


def clip_duration() -> float:
    with av.open(str(CLIP)) as container:
        assert container.duration is not None
        return float(container.duration) / 1e6


def test_only_what_was_asked_for_comes(client: openai.OpenAI) -> None:
    assert verbose(client, "word").segments is None
    assert verbose(client, "segment").words is None
    assert verbose(client).segments is not None


def test_every_text_form_is_what_it_says(client: openai.OpenAI) -> None:
    create = client.audio.transcriptions.create
    plain = create(file=CLIP, model="tiny-random", language="en")
    text = create(file=CLIP, model="tiny-random", language="en", response_format="text")
    assert text == plain.text + "\n"
    srt = create(file=CLIP, model="tiny-random", language="en", response_format="srt")
    vtt = create(file=CLIP, model="tiny-random", language="en", response_format="vtt")
    cues = webvtt.from_string(vtt)
    assert len(pysubs2.SSAFile.from_string(srt)) == len(cues) > 0


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as whisper-1 is, with them
def test_a_translation_is_in_english(client: openai.OpenAI) -> None:
    told = client.audio.translations.create(
        file=OTHER_CLIP, model="whisper-1", response_format="verbose_json"
    )
    assert told.language == "english"
    assert told.segments


def test_text_streams_as_it_is_made(client: openai.OpenAI) -> None:
    """The parts together are the whole, and that is what comes without streaming too."""
    stream = client.audio.transcriptions.create(
        file=OTHER_CLIP, model="whisper-1", language="de", prompt="streamed", stream=True
    )
    deltas, whole = [], ""
    for event in stream:
        if event.type == "transcript.text.delta":
            deltas.append(event.delta)
        elif event.type == "transcript.text.done":
            whole = event.text
    assert "".join(deltas) == whole != ""
    again = client.audio.transcriptions.create(
        file=OTHER_CLIP, model="whisper-1", language="de", prompt="streamed"
    )
    assert again.text == whole


@pytest.mark.parametrize(
    ("values", "param"),
    [
        ({"temperature": 3.0}, "temperature"),
        ({"response_format": "docx"}, "response_format"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"timestamp_granularities": ["syllable"]}, "timestamp_granularities[]"),
    ],
)
def test_a_wrong_value_is_named(client: openai.OpenAI, values: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.transcriptions.create(file=CLIP, model="whisper-1", **values)
    assert caught.value.type == "invalid_request_error"
    assert caught.value.param == param


def test_errors_are_those_of_their_kind(client: openai.OpenAI) -> None:
    create = client.audio.transcriptions.create
    with pytest.raises(openai.NotFoundError, match="not offered here"):
        create(file=CLIP, model="gpt-9")
    with pytest.raises(openai.BadRequestError, match="klingon"):
        create(file=CLIP, model="whisper-1", language="klingon")
    with pytest.raises(openai.APIStatusError, match="not a media file") as caught:
        create(file=("talk.mp3", b"no sound at all"), model="whisper-1")
    assert caught.value.status_code == 415
    with pytest.raises(openai.APIStatusError, match="empty") as caught:
        create(file=("talk.mp3", b""), model="whisper-1")
    assert caught.value.status_code == 422


def test_a_job_that_fails_while_it_is_streamed_is_told(client: openai.OpenAI) -> None:
    """A header without sound behind it: only who listens can tell."""
    empty = io.BytesIO()
    with wave.open(empty, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    with pytest.raises(openai.APIError, match=r"talk\.wav.* holds no sound"):
        for _ in client.audio.transcriptions.create(
            file=("talk.wav", empty.getvalue()), model="whisper-1", stream=True
        ):
            pass


def test_what_was_lost_of_the_sound_is_told(client: openai.OpenAI) -> None:
    broken = CLIP.read_bytes()[:30_000]
    answer = client.audio.transcriptions.with_raw_response.create(
        file=("talk.flac", broken), model="whisper-1"
    )
    assert "talk.flac" in answer.headers["subvino-warning"]


def test_what_subtitle_edit_sends_is_understood(address: str) -> None:
    fields = {
        "model": "whisper-1",
        "language": "en",
        "response_format": "verbose_json",
        "prompt": "",
        "temperature": "0",
        "stream": "false",
        "timestamp_granularities[]": ["word", "segment"],
    }
    with CLIP.open("rb") as file:
        url = f"{address}/v1/audio/transcriptions"
        answer = requests.post(url, data=fields, files={"file": file}, timeout=60)
    assert answer.status_code == 200
    assert {"text", "segments", "words", "language", "duration"} <= set(answer.json())
