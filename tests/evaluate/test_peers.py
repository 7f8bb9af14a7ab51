from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace as Row

import pytest

from subvino.errors import CheckpointError, MissingExtraError, OptionError
from subvino.evaluate.peers import (
    ctranslate2_folder,
    from_faster_whisper,
    from_openvino_genai,
    load_peer,
)
from subvino.transcript import Segment, Transcript, Word
from tests.installed_weights import tiny_en_folder


def test_faster_whisper_becomes_a_transcript() -> None:
    words = [Row(word=" Guten", start=0.5, end=0.9, probability=0.8),
             Row(word=" Tag.", start=1.0, end=0.98, probability=0.7)]  # fmt: skip
    common = {"avg_logprob": -0.2, "no_speech_prob": 0.1, "compression_ratio": 1.1}
    segments = [
        Row(text=" Guten Tag.", start=0.5, end=1.5, words=words, temperature=0.0, **common),
        Row(text=" Ja.", start=2.0, end=2.5, words=None, temperature=None, **common),
    ]
    info = Row(language="de", language_probability=0.9, duration=4.0)
    timed = (Word(" Guten", 0.5, 0.9, 0.8), Word(" Tag.", 1.0, 1.0, 0.7))
    assert from_faster_whisper(segments, info) == Transcript(
        (
            Segment("Guten Tag.", 0.5, 1.5, timed, -0.2, 0.1, 1.1),
            Segment("Ja.", 2.0, 2.5, None, -0.2, 0.1, 1.1),
        ),
        "de", 0.9, 4.0,
    )  # fmt: skip


def test_openvino_genai_becomes_a_transcript() -> None:
    result = Row(
        chunks=[
            Row(text=" Guten Tag.", start_ts=0.5, end_ts=1.5),
            Row(text=" Ja.", start_ts=2.0, end_ts=-1.0),
        ],
        words=[Row(word=" Guten", start_ts=0.5, end_ts=0.9)],
        languages=["<|de|>"],
    )
    segments = (Segment("Guten Tag.", 0.5, 1.5), Segment("Ja.", 2.0, 4.0))
    assert from_openvino_genai(result, 4.0, words=False) == Transcript(segments, "de", 1.0, 4.0)
    (timed,) = from_openvino_genai(result, 4.0, words=True).segments
    assert (timed.text, timed.start, timed.end) == ("Guten Tag. Ja.", 0.5, 4.0)
    assert timed.words == (Word(" Guten", 0.5, 0.9, 1.0),)


def test_nothing_heard_is_an_empty_transcript() -> None:
    silent = Row(chunks=None, words=None, languages=None)
    assert from_openvino_genai(silent, 4.0, words=True) == Transcript((), "und", 1.0, 4.0)


@pytest.mark.skipif(find_spec("faster_whisper") is not None, reason="the extra is installed")
def test_a_missing_peer_is_answered_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match=r'pip install "subvino\[peers\]"'):
        load_peer("faster-whisper", str(tmp_path))


@pytest.mark.skipif(find_spec("openvino_genai") is None, reason="the extra peers is missing")
def test_a_folder_without_an_exported_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Optimum-Intel"):
        load_peer("openvino-genai", str(tmp_path))


def test_weights_that_are_not_installed_must_be_given() -> None:
    for model in ("large-v3", "no/such"):
        with pytest.raises(OptionError, match="CTranslate2"):
            ctranslate2_folder(model)


@pytest.mark.model
def test_installed_weights_are_put_together_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tiny_en_folder()
    monkeypatch.setenv("SUBVINO_CACHE", str(tmp_path))
    folder = ctranslate2_folder("tiny.en")
    assert folder == ctranslate2_folder("tiny.en")
    names = {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
    assert {path.name for path in folder.iterdir()} == names
    assert [path.name for path in folder.parent.iterdir()] == ["tiny.en"]
    for name in names:
        assert (folder / name).stat().st_size == (installed / name).stat().st_size
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["alignment_heads"]


@pytest.mark.model
@pytest.mark.skipif(find_spec("faster_whisper") is None, reason="the extra peers is missing")
def test_faster_whisper_hears_the_same_words() -> None:
    tiny_en_folder()
    clip = Path(__file__).parents[1] / "data" / "speech" / "p225_020.flac"
    transcript = load_peer("faster-whisper", "tiny.en").transcribe(clip, "en", words=True)
    assert "rainbow" in transcript.text
    assert transcript.segments[0].words is not None
