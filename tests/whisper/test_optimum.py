"""Networks that Optimum-Intel exported: tests/data/README.md says how the values were made."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov
import pytest
from openvino import opset15 as op

from subvino.devices import Precision, compile_properties
from subvino.errors import CheckpointError
from subvino.models import prepare_model
from subvino.recognizer import DecodingOptions
from subvino.whisper import WhisperRecognizer, load_recognizer
from subvino.whisper.decoding import Decoder
from subvino.whisper.language import VOTES
from subvino.whisper.slots import FLOAT32, INT32, RowRules, SlotEngine, Slots
from tests.exported_network import EXPORTED, SOUNDS, VOCABULARY_STEP, exported_sound
from tests.reference_networks import reference_ids, reference_mel
from tests.tiny_checkpoints import write_tokenizer
from tests.whisper.conftest import as_window

DATA = Path(__file__).parents[1] / "data" / "optimum"
DECODER, ENCODER = "openvino_decoder_model.xml", "openvino_encoder_model.xml"
TOKENS: dict[str, list[int]] = json.loads((DATA / "tokens.json").read_text(encoding="utf-8"))
LOGITS: npt.NDArray[np.float32] = np.load(DATA / "logits.npz")["logits"]
MEL = reference_mel(EXPORTED)
IDS: INT32 = reference_ids(EXPORTED).astype(np.int32)
ONE_ATTEMPT = DecodingOptions(
    beam_size=1,
    language="en",
    temperatures=(0.0,),
    max_no_speech_prob=0.0,
    min_avg_logprob=0.0,
    words=False,
)
"""Every result is taken for silence, so that none is decoded again, whole or in parts."""


def copy_export(folder: Path) -> Path:
    """The exported folder, with a tokenizer."""
    shutil.copytree(DATA, folder)
    write_tokenizer(folder / "tokenizer.json", EXPORTED.n_vocab)
    return folder


def load(folder: Path, precision: Precision = "reference") -> WhisperRecognizer:
    return load_recognizer(
        prepare_model(folder), "CPU", compile_properties("CPU", precision=precision)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_export(tmp_path_factory.mktemp("optimum") / "exported")


@pytest.fixture(scope="module")
def recognizer(folder: Path) -> WhisperRecognizer:
    return load(folder)


@pytest.fixture(scope="module")
def engine(recognizer: WhisperRecognizer) -> SlotEngine:
    return recognizer.engine


def step(engine: SlotEngine, slots: Slots, tokens: INT32, position: int) -> FLOAT32:
    """Feed tokens (slots, width); gives the logits stored of each: (slots, width, n)."""
    slots.step(tokens, np.full_like(tokens, position))
    none, all_ = np.zeros(tokens.size, np.float32), np.ones(tokens.size, np.float32)
    engine.choose(RowRules(none, none, all_, none, all_, np.zeros((1, 1), np.float32)), 1)
    logits: FLOAT32 = engine.logits[..., ::VOCABULARY_STEP].copy()
    return logits


def entered(engine: SlotEngine, width: int, *windows: int) -> Slots:
    """Slots that the windows of `MEL` are in."""
    slots = engine.new_slots(len(windows), width)
    for slot, window in enumerate(windows):
        slots.enter(slot, engine.hear(MEL[window]))
        slots.restart(slot)
    return slots


def assert_close(found: FLOAT32, expected: FLOAT32) -> None:
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_logits_token_by_token_are_those_of_transformers(engine: SlotEngine) -> None:
    slots = entered(engine, 1, 0, 1)
    for place in range(IDS.shape[1]):
        found = step(engine, slots, IDS[:, place, None], place)
        assert_close(found[:, 0], LOGITS[:, place])


def test_tokens_fed_at_once_are_heard_one_after_the_other(engine: SlotEngine) -> None:
    slots = entered(engine, 2, 0, 1)
    for slot in range(2):
        slots.feed(slot, IDS[slot, :5])
    for place in range(5, 8):
        found = step(engine, slots, np.repeat(IDS[:, place, None], 2, axis=1), place)
        assert_close(found[:, 0], LOGITS[:, place])
        assert_close(found[:, 1], LOGITS[:, place])


def test_a_slot_that_restarts_forgets_its_tokens_and_keeps_its_window(engine: SlotEngine) -> None:
    slots = entered(engine, 1, 0, 1)
    slots.feed(1, IDS[0, :6])
    slots.restart(1)
    slots.feed(0, IDS[0, :3])
    slots.feed(1, IDS[1, :3])
    assert_close(step(engine, slots, IDS[:, 3, None], 3)[:, 0], LOGITS[:, 3])


def test_a_window_that_moves_takes_its_past_along(engine: SlotEngine) -> None:
    slots = entered(engine, 1, 0, 1)
    for slot in range(2):
        slots.feed(slot, IDS[slot, :4])
    slots.move(1, 0)
    assert_close(step(engine, slots, IDS[1:, 4, None], 4)[0], LOGITS[1:, 4])
    slots.enter(1, engine.hear(MEL[0]))
    slots.restart(1)
    slots.feed(1, IDS[0, :5])
    assert_close(step(engine, slots, IDS[::-1, 5, None].copy(), 5)[:, 0], LOGITS[::-1, 5])


@pytest.mark.parametrize("parents", [(1, 0, 2), (1, 1, 1), (2, 0, 0), (0, 2, 2)])
def test_hypotheses_go_on_from_their_parents(
    engine: SlotEngine, parents: tuple[int, int, int]
) -> None:
    starts = IDS[0, [0, 2, 4]]
    expected = []
    for parent in parents:
        alone = entered(engine, 1, 1)
        alone.feed(0, starts[parent, None])
        expected.append(step(engine, alone, IDS[:1, :1], 1)[0, 0])
    slots = entered(engine, 3, 1)
    step(engine, slots, starts[None], 0)
    slots.reorder(0, parents)
    found = step(engine, slots, np.full((1, 3), IDS[0, 0], np.int32), 1)[0]
    assert_close(found, np.array(expected))
    # Copies are apart from what they were copied from.
    slots.step(IDS[:1, 5:8], np.full((1, 3), 2, np.int32))
    for row, parent in enumerate(parents):
        alone = entered(engine, 1, 1)
        alone.feed(0, np.array([starts[parent], IDS[0, 0], IDS[0, 5 + row]]))
        last = step(engine, alone, IDS[:1, 1:2], 3)[0, 0]
        if row == 0:
            found = step(engine, slots, np.full((1, 3), IDS[0, 1], np.int32), 3)[0]
        assert_close(found[row], last)


def test_an_export_that_asks_for_positions_is_told_them(tmp_path: Path) -> None:
    """As those of some versions do; here nothing hangs on what it is told."""
    folder = copy_export(tmp_path / "positions")
    model = ov.Core().read_model(DATA / DECODER)
    positions = op.parameter([-1], ov.Type.i64, name="cache_position")
    positions.output(0).get_tensor().set_names({"cache_position"})
    model.add_parameters([positions])
    ov.save_model(model, folder / DECODER)
    engine = load(folder).engine
    slots = entered(engine, 1, 0)
    slots.feed(0, IDS[0, :3])
    assert_close(step(engine, slots, IDS[:1, 3:4], 3)[0, 0], LOGITS[0, 3])


@pytest.mark.parametrize("batch_size", [None, 1, 3])
def test_greedy_tokens_are_those_that_optimum_generates(
    recognizer: WhisperRecognizer, batch_size: int | None
) -> None:
    assert decode(recognizer, batch_size) == TOKENS


def decode(recognizer: WhisperRecognizer, batch_size: int | None) -> dict[str, list[int]]:
    options = replace(ONE_ATTEMPT, batch_size=batch_size)
    sounds = [as_window(exported_sound(name)) for name in SOUNDS]
    decoded = Decoder(recognizer.engine, recognizer.tokenizer, options).decode(sounds)
    return {
        name: list(one.parts[0].attempt.hypothesis.tokens)
        for name, one in zip(SOUNDS, decoded, strict=True)
    }


def test_a_window_is_heard_the_same_whatever_came_before(folder: Path) -> None:
    """As users get it: on CPUs that compute in bf16 such a state goes wrong from the second on."""
    recognizer = load(folder, "fast")
    slots = entered(recognizer.engine, 1, 0)
    first = step(recognizer.engine, slots, IDS[:1, :1], 0)
    for window in (1, 0, 1, 0):
        slots.enter(0, recognizer.engine.hear(MEL[window]))
        slots.restart(0)
        slots.feed(0, IDS[window, :6])
        last = step(recognizer.engine, slots, IDS[window : window + 1, 6:7], 6)
        assert np.corrcoef(last.ravel(), LOGITS[window, 6])[0, 1] > 0.99
    slots.restart(0)
    np.testing.assert_array_equal(step(recognizer.engine, slots, IDS[:1, :1], 0), first)


def test_language_is_told_and_text_comes_out(recognizer: WhisperRecognizer) -> None:
    sounds = [as_window(exported_sound(name)) for name in SOUNDS]
    probabilities = recognizer.detect_language(sounds)
    assert sum(probabilities.values()) == pytest.approx(1.0, abs=1e-5)
    results = list(recognizer.recognize(sounds, DecodingOptions(temperatures=(0.0,))))
    assert [one.window for one in results] == [one.window for one in sounds]
    assert results[0].language == next(iter(probabilities))


def test_default_batch_holds_the_windows_that_vote(engine: SlotEngine) -> None:
    assert engine.default_batch_size == VOTES


def write_stateless(path: Path) -> None:
    """A decoder as exported without state: its past comes in and goes out."""
    ids = op.parameter([-1, -1], ov.Type.i64, name="input_ids")
    states = op.parameter([-1, -1, EXPORTED.n_state], name="encoder_hidden_states")
    past = op.parameter([-1, 2, -1, 16], name="past_key_values.0.decoder.key")
    for node in (ids, states, past):
        node.output(0).get_tensor().set_names({node.get_friendly_name()})
    logits = op.result(
        op.matmul(states, np.ones((EXPORTED.n_state, 1880), np.float32), False, False)
    )
    logits.output(0).get_tensor().set_names({"logits"})
    ov.save_model(ov.Model([logits], [ids, states, past], "stateless"), path)


def test_a_stateless_decoder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = copy_export(tmp_path / "old")
    for name in (DECODER, DECODER.replace("_model", "_with_past_model")):
        (folder / name).unlink(missing_ok=True)
        write_stateless(folder / name)
    with pytest.raises(CheckpointError, match="export the model anew, stateful") as caught:
        load(folder)
    assert caught.value.path == str(folder / DECODER)


@pytest.mark.parametrize("name", [ENCODER, DECODER])
@pytest.mark.parametrize(
    "content", [b"", b"<net/>", b"\0\1\2", b"<?xml version='1.0'?><net name='"]
)
def test_what_is_not_ir_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    folder = copy_export(tmp_path / "damaged")
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{name}: is not IR"):
        load(folder)


@pytest.mark.parametrize("name", [ENCODER, DECODER])
@pytest.mark.parametrize("kept", [None, 1000])
def test_missing_and_cut_weights_are_refused(tmp_path: Path, name: str, kept: int | None) -> None:
    folder = copy_export(tmp_path / "cut")
    weights = (folder / name).with_suffix(".bin")
    content = weights.read_bytes()
    weights.unlink()
    if kept is not None:
        weights.write_bytes(content[:kept])
    with pytest.raises(CheckpointError, match=f"{name}: is not IR"):
        load(folder)


def test_graphs_that_changed_places_are_refused(tmp_path: Path) -> None:
    folder = copy_export(tmp_path / "swapped")
    for suffix in (".xml", ".bin"):
        shutil.copyfile(
            (DATA / DECODER).with_suffix(suffix), (folder / ENCODER).with_suffix(suffix)
        )
    with pytest.raises(CheckpointError, match="is not a Whisper encoder"):
        load(folder)


@pytest.mark.parametrize(("field", "graph"), [("d_model", ENCODER), ("vocab_size", DECODER)])
def test_a_config_of_another_model_is_refused(tmp_path: Path, field: str, graph: str) -> None:
    folder = copy_export(tmp_path / "mixed")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config[field] *= 2
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(CheckpointError, match=f"{graph}: .* config.json says {config[field]}"):
        load(folder)
