"""A few dozen of the damaged files that `benchmarks/fuzz_media.py` makes by the thousand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.media.fuzzing.cases import MP3_FRAME, hear, judge
from tests.media.fuzzing.mutations import mutate
from tests.media.fuzzing.seeds import SEEDS, make_seed

ONE_OF_EACH = {seed.suffix: seed for seed in SEEDS if seed.n_tracks == seed.parts == 1}
CASES = 5
"""Of each container."""


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    return {seed.name: make_seed(seed, folder) for seed in ONE_OF_EACH.values()}


def test_there_is_a_seed_in_every_common_container() -> None:
    wanted = ["mp4", "mkv", "webm", "mov", "avi", "ts", "mp3", "m4a", "ogg", "flac", "wav"]
    assert {f".{suffix}" for suffix in wanted} <= set(ONE_OF_EACH)


def test_damaged_files_are_read_or_refused_and_what_is_lost_is_told(
    seeds: dict[str, bytes], tmp_path: Path
) -> None:
    verdicts: Counter[str] = Counter()
    for suffix, seed in ONE_OF_EACH.items():
        whole = tmp_path / seed.name
        whole.write_bytes(seeds[seed.name])
        sound = hear(whole)[0]
        for index in range(CASES):
            path = tmp_path / f"case{suffix}"
            path.write_bytes(mutate(seeds[seed.name], seeds, f"suite:{suffix}:{index}")[1])
            verdicts[judge(path, sound, seed.is_counted).verdict] += 1
    assert verdicts["refused"] < CASES * len(ONE_OF_EACH) / 2
    assert verdicts["untold"] <= 1, "what is spoilt depends on the encoders' versions"


def test_an_mp3_that_lost_its_count_leaves_no_trace_unless_something_else_is_left(
    tmp_path: Path,
) -> None:
    seed = next(seed for seed in SEEDS if seed.name == "a.mp3")
    whole = make_seed(seed, tmp_path)
    path = tmp_path / seed.name
    sound = hear(path)[0]
    rest = whole[len(whole) // 2 :]
    path.write_bytes(rest)
    assert judge(path, sound, is_counted=True).verdict == "traceless"
    path.write_bytes(bytes(MP3_FRAME) + rest)
    assert judge(path, sound, is_counted=True).verdict == "untold"


def test_a_number_stands_for_the_same_damage_at_every_call(seeds: dict[str, bytes]) -> None:
    for name, data in seeds.items():
        assert mutate(data, seeds, "1:2") == mutate(data, seeds, "1:2")
        assert mutate(data, seeds, "1:2") != mutate(data, seeds, "1:3"), name
