from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from subvino.cues import CueRules, build_cues
from subvino.errors import MediaNotFoundError, OptionError
from subvino.shots import detect_shots
from subvino.transcript import Segment, Transcript, Word
from tests.sounds import Track, beeps, write_media
from tests.video.videos import RATE, Picture, Shape, write_video


def scene(number: int, n_frames: int) -> list[Picture]:
    """A picture of its own, with grain and something that moves through it."""
    random = np.random.default_rng(number)
    coarse = random.integers(0, 200, (6, 8, 3))
    still = coarse.repeat(30, axis=0).repeat(40, axis=1)
    pictures = []
    for index in range(n_frames):
        picture = still + random.integers(-8, 9, still.shape)
        picture[40:140, 4 * index : 4 * index + 60] = 255
        pictures.append(picture.clip(0, 255).astype(np.uint8))
    return pictures


def fade(before: Picture, after: Picture, n_frames: int) -> list[Picture]:
    shares = np.linspace(0, 1, n_frames + 2)[1:-1]
    return [(before * (1 - share) + after * share).astype(np.uint8) for share in shares]


CUTS = (0.8, 1.96, 2.48)


@pytest.fixture(scope="module")
def cut_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four scenes; the last one is faded into from a fifth."""
    frames = [*scene(1, 20), *scene(2, 29), *scene(3, 13), *scene(4, 12)]
    last = scene(5, 10)
    frames += [*fade(frames[-1], last[0], 12), *last]
    return write_video(tmp_path_factory.mktemp("shots") / "cuts.mp4", Shape(), frames)


def test_cuts_are_found_to_the_frame_and_fades_and_movement_are_none(cut_video: Path) -> None:
    seen: list[float] = []
    assert detect_shots(cut_video, progress=seen.append) == CUTS
    assert seen == pytest.approx(np.arange(96) / RATE)


def test_times_are_media_times_whatever_the_stamps_and_round_down(tmp_path: Path) -> None:
    frames = [*scene(1, 20), *scene(2, 20)]
    video = write_video(tmp_path / "late.ts", Shape(), frames, start=5.0)
    (cut,) = detect_shots(video)
    assert cut == 0.821  # sound begins 21.333 ms before the picture, so that is media time 0


def test_another_size_of_picture_is_another_shot(tmp_path: Path) -> None:
    sizes = ((320, 180), (320, 180), (320, 160))
    whole = tmp_path / "whole.ts"
    with whole.open("wb") as joined:
        for number, (width, height) in enumerate(sizes):
            pictures = [scene(number, 1)[0][:height, :width]] * 20
            part = tmp_path / f"{number}.ts"
            write_video(part, Shape(width, height), pictures, start=0.8 * number)
            joined.write(part.read_bytes())
    first, second = detect_shots(whole)
    assert second - first == pytest.approx(0.8, abs=0.001)


def test_a_cue_that_belongs_to_a_shot_comes_in_and_goes_out_with_it(cut_video: Path) -> None:
    # Subtitle rules: an in-time up to half a second after a cut, or 7 frames before it, moves onto
    # it; an out-time within half a second before a cut moves to two frames before it.
    words = (Word("Hello", 1.0, 1.3, 0.9), Word(" there.", 1.3, 1.7, 0.9))
    after = (Word("Goodbye.", 1.9, 2.4, 0.9),)
    segments = tuple(
        Segment("".join(word.text for word in row), row[0].start, row[-1].end, row)
        for row in (words, after)
    )
    transcript = Transcript(segments, "en", 1.0, 3.8)
    rules = CueRules(frame_rate=RATE, min_duration_ms=300, max_chars=14, max_lines=1)
    first, second = build_cues(transcript, rules, shot_changes=detect_shots(cut_video)).cues
    assert (first.start_ms, first.end_ms) == (800, 1960 - 80)
    assert (second.start_ms, second.end_ms) == (1960, 2480 - 80)
    loose = build_cues(transcript, rules).cues
    assert (loose[0].start_ms, loose[1].start_ms) == (1000, 1900)


def test_sound_alone_has_no_shots(tmp_path: Path) -> None:
    sound = write_media(tmp_path / "sound.flac", Track(beeps([0.5], 1.0), "flac"))
    assert detect_shots(sound) == ()


def test_what_can_not_be_read_to_the_end_gives_what_came_before(
    cut_video: Path, tmp_path: Path
) -> None:
    whole = write_video(tmp_path / "whole.mkv", Shape(), [*scene(1, 20), *scene(2, 40)])
    data = whole.read_bytes()
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(data[: len(data) * 3 // 4])
    assert detect_shots(broken) == (0.8,)


def test_wrong_wishes_are_refused(cut_video: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="between 0 and 1"):
        detect_shots(cut_video, threshold=0)
    with pytest.raises(MediaNotFoundError):
        detect_shots(tmp_path / "none.mp4")
