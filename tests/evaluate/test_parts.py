from __future__ import annotations

from pathlib import Path

import pytest

from subvino.evaluate import PartOptions, time_parts
from subvino.evaluate.parts import interleave
from tests.whisper.tiny_recognizer import make_recognizer


def test_functions_run_in_turn_and_their_first_round_does_not_count() -> None:
    calls: list[str] = []
    times = interleave(
        [lambda i: calls.append(f"a{i}"), lambda i: calls.append(f"b{i}")], repeats=2
    )
    assert calls == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert [len(own) for own in times] == [2, 2]


@pytest.fixture(scope="module")
def recognizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parts")


def test_encoder_and_steps_of_a_network_are_timed(recognizer_folder: Path) -> None:
    engine = make_recognizer(recognizer_folder, seed=1).engine
    options = PartOptions(encoder_runs=2, steps=3, windows=(1, 2))
    for times in time_parts([engine, engine], options):
        assert len(times.encoder) == 2
        assert {n: len(steps) for n, steps in times.steps.items()} == {1: 3, 2: 3}
        assert min(*times.encoder, *times.steps[1], *times.steps[2]) > 0
