"""Every published architecture, from the files of a checkpoint to text.

The weights are random and the states few; depths, mel bins, vocabularies and languages are the real
ones. What a network should say is computed by `tests.numpy_whisper`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from subvino.devices import compile_properties
from subvino.features import log_mel
from subvino.graphs.layers import quantize_rows
from subvino.models import MODELS, prepare_model
from subvino.network import Dimensions, WeightsKind
from subvino.recognizer import DecodingOptions
from subvino.whisper import WhisperRecognizer, load_recognizer
from subvino.whisper.slots import RowRules
from tests import tiny_checkpoints as tiny
from tests.numpy_whisper import NumpyWhisper
from tests.whisper.conftest import as_window, read_speech

Array = npt.NDArray[np.float32]

TOLERANCE = 2e-4
"""Of logits, whose standard deviation is near 3; 2e-5 seen, with 32 layers."""


@dataclass(frozen=True)
class Published:
    """An architecture, the models that have it, and what its vocabulary must come to."""

    models: str
    dimensions: Dimensions
    n_languages: int
    files: str
    kind: WeightsKind


def published(
    models: str, n_mels: int, depths: tuple[int, int], n_languages: int, conversion: str
) -> Published:
    """With two heads of 16 states; the vocabulary is 51864, 51865 or 51866 tokens.

    conversion: the kind of files, and the kind of weights they are converted to.
    """
    n_vocab = {0: 51864, 99: 51865, 100: 51866}[n_languages]
    dimensions = Dimensions(n_mels, 32, 2, *depths, n_vocab)
    files, _, kind = conversion.partition(" to ")
    return Published(models, dimensions, n_languages, files, "int8" if kind == "int8" else "fp16")


HUGGINGFACE = {
    "f32": tiny.HuggingFaceStyle("f32"),
    "f16": tiny.HuggingFaceStyle("f16"),
    "bf16": tiny.HuggingFaceStyle("bf16"),
    "f32 shards": tiny.HuggingFaceStyle("f32", n_shards=3),
    "f16 shards": tiny.HuggingFaceStyle("f16", n_shards=2),
    "bf16 shards": tiny.HuggingFaceStyle("bf16", n_shards=5),
}
CTRANSLATE2: dict[str, tiny.CTranslate2Element] = {"float16": "float16", "float32": "float32"}

# Sizes from openai/whisper's model card and the config.json of distil-whisper's models.
PUBLISHED = (
    published("tiny", 80, (4, 4), 99, "f32 to int8"),
    published("tiny.en", 80, (4, 4), 0, "float16 to fp16"),
    published("base", 80, (6, 6), 99, "float16 to int8"),
    published("base.en", 80, (6, 6), 0, "f16 to fp16"),
    published("small", 80, (12, 12), 99, "bf16 to fp16"),
    published("small.en", 80, (12, 12), 0, "f32 to int8"),
    published("medium", 80, (24, 24), 99, "float32 to int8"),
    published("medium.en", 80, (24, 24), 0, "bf16 to fp16"),
    published("large-v1 large-v2", 80, (32, 32), 99, "f16 shards to fp16"),
    published("large-v3", 128, (32, 32), 100, "bf16 shards to int8"),
    published("large-v3-turbo", 128, (32, 4), 100, "float16 to int8"),
    published("distil-small.en", 80, (12, 4), 0, "f32 shards to int8"),
    published("distil-medium.en", 80, (24, 2), 0, "f32 to int8"),
    published("distil-large-v2", 80, (32, 2), 99, "f16 to int8"),
    published("distil-large-v3 distil-large-v3.5", 128, (32, 2), 100, "float32 to fp16"),
)


def is_deep(one: Published) -> bool:
    """Whether it is left out of a quick run, where the turbo model stands for all large ones."""
    return one.dimensions.n_encoder_layers == 32 and "turbo" not in one.models


def test_every_model_of_the_catalogue_is_here() -> None:
    assert {name for one in PUBLISHED for name in one.models.split()} == set(MODELS)


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(one, id=one.models, marks=[pytest.mark.slow] if is_deep(one) else [])
        for one in PUBLISHED
    ],
)
def test_an_architecture_runs_from_its_files_to_text(
    one: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUBVINO_CACHE", str(tmp_path / "cache"))
    weights = peaked_weights(one.dimensions)
    write(tmp_path / "model", one, weights)
    folder = prepare_model(tmp_path / "model", one.kind)
    assert folder.dimensions == one.dimensions
    properties = compile_properties("CPU", precision="reference")
    recognizer = load_recognizer(folder, "CPU", properties)
    check_prompt(recognizer, one)
    check_logits(recognizer, NumpyWhisper(one.dimensions, as_stored(weights, one.kind)))
    check_text(recognizer, one)


def peaked_weights(dimensions: Dimensions) -> dict[str, Array]:
    """Random weights that 16-bit elements of either kind hold exactly.

    The token table is larger than a fresh network's: logits then differ enough to be told apart.
    """
    weights = tiny.random_weights(dimensions)
    weights["decoder.embed_tokens.weight"] *= 5
    return {
        name: (tiny.to_bfloat16_bits(array).astype(np.uint32) << 16).view(np.float32)
        for name, array in weights.items()
    }


def write(folder: Path, one: Published, weights: dict[str, Array]) -> None:
    if one.files in HUGGINGFACE:
        tiny.write_huggingface(folder, one.dimensions, weights, HUGGINGFACE[one.files])
    else:
        tiny.write_ctranslate2(folder, one.dimensions, weights, CTRANSLATE2[one.files])


def as_stored(weights: dict[str, Array], kind: WeightsKind) -> dict[str, Array]:
    """The weights as a converted model holds them; positions and vectors stay as they are."""
    return {
        name: _to_eight_bits(array) if kind == "int8" and _is_matrix(name, array) else array
        for name, array in weights.items()
    }


def _is_matrix(name: str, array: Array) -> bool:
    return array.ndim == 2 and "embed_positions" not in name


def _to_eight_bits(matrix: Array) -> Array:
    codes, scale, zero = quantize_rows(matrix)
    result: Array = (codes.astype(np.float32) - zero) * scale
    return result


def check_prompt(recognizer: WhisperRecognizer, one: Published) -> None:
    """Start, language and task, by the vocabulary's own places."""
    tokenizer, n_vocab = recognizer.tokenizer, one.dimensions.n_vocab
    assert len(tokenizer.language_ids) == one.n_languages
    assert len(recognizer.languages) == max(one.n_languages, 1)
    names = ["<|startoftranscript|>"]
    if one.n_languages:
        names += [f"<|{recognizer.languages[-1]}|>", "<|transcribe|>"]
    found = tokenizer.prompt_ids(recognizer.languages[-1], "transcribe", timestamps=True)
    assert found == [tiny.token_id(n_vocab, name) for name in names]
    assert tokenizer.timestamp_begin == tiny.token_id(n_vocab, "<|0.00|>") == n_vocab - 1501


def check_logits(recognizer: WhisperRecognizer, network: NumpyWhisper) -> None:
    """Token by token through the caches, against all tokens at once in numpy."""
    mel = log_mel(read_speech("p225_020"), network.dimensions.n_mels)
    n_vocab = network.dimensions.n_vocab
    ids = np.linspace(1, n_vocab - 1, 6).astype(np.int32)
    slots = recognizer.engine.new_slots(1, 1)
    slots.enter(0, recognizer.engine.hear(mel))
    slots.restart(0)
    found = []
    for place, token in enumerate(ids):
        slots.step(np.array([[token]], np.int32), np.array([[place]], np.int32))
        recognizer.engine.choose(FREE, 1)
        found.append(recognizer.engine.logits[0, 0].copy())
    expected = network.decode(network.encode(mel), ids)
    assert expected.std() > 1
    np.testing.assert_allclose(np.stack(found), expected, atol=TOLERANCE)


_ZERO, _ONE = np.zeros(1, np.float32), np.ones(1, np.float32)
FREE = RowRules(_ZERO, _ZERO, _ONE, _ZERO, _ONE, np.zeros((1, 1), np.float32))
"""Rules for one row that forbid nothing but timestamps."""


def check_text(recognizer: WhisperRecognizer, one: Published) -> None:
    """Windows of real speech in a batch: languages, segments and words come out in order."""
    speech = read_speech("p225_020")
    sounds = [as_window(speech[:16_000], 0.0), as_window(speech[16_000:40_000], 1.0)]
    probabilities = recognizer.detect_language(sounds)
    assert len(probabilities) == max(one.n_languages, 1)
    assert sum(probabilities.values()) == pytest.approx(1.0, abs=1e-5)
    options = DecodingOptions(
        temperatures=(0.0,), beam_size=2, batch_size=2, max_no_speech_prob=1.0
    )
    results = list(recognizer.recognize(sounds, options))
    assert [result.window for result in results] == [sound.window for sound in sounds]
    assert {result.language for result in results} <= set(recognizer.languages)
    words = [word for result in results for part in result.segments for word in part.words or ()]
    assert words
    assert all(0.0 <= word.start <= word.end <= 2.5 for word in words)
