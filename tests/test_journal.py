"""Work that is stopped at any window goes on to the very results of work that never was.

With a small random network, whose text fails every gate there is, so that windows are cut in two,
sampled and gone back for, and the next one depends on the last in every way that there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from subvino import journal as journal_module
from subvino.audio import WindowSound
from subvino.errors import JobBusyError
from subvino.journal import (
    Job,
    Journal,
    JournalledRecognizer,
    clean_jobs,
    digest_media,
    list_jobs,
)
from subvino.recognizer import Carry, DecodingOptions, FileWindows, Recognizer, WindowResult
from subvino.whisper import WhisperRecognizer
from tests.whisper.conftest import as_window
from tests.whisper.test_decoding import noise, with_pause
from tests.whisper.tiny_recognizer import make_recognizer

QUICK = DecodingOptions(beam_size=2, temperatures=(0.0, 0.6), batch_size=4)
OPTIONS = {
    "language found out": QUICK,
    "previous text": replace(QUICK, condition_on_previous=True, prompt="So it was"),
    "both": replace(QUICK, multilingual=True, condition_on_previous=True),
    "samples": replace(QUICK, beam_size=1, max_compression_ratio=0.1, best_of=2),
}
WINDOWS = (
    as_window(noise(180_000, 0), 0.0),
    with_pause(40.0, 2),
    as_window(noise(300, 1), 130.0),
    *(as_window(noise(70_000, seed), 200.0 + 10 * seed) for seed in range(5, 8)),
)


class Counting:
    """Passes windows on and counts them."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self.n_windows = 0

    @property
    def name(self) -> str:
        return self._recognizer.name

    @property
    def languages(self) -> tuple[str, ...]:
        return self._recognizer.languages

    @property
    def batch_size(self) -> int:
        return self._recognizer.batch_size

    def detect_language(self, sounds: Iterable[WindowSound]) -> Mapping[str, float]:
        return self._recognizer.detect_language(sounds)

    def recognize(
        self, sounds: Iterable[WindowSound], options: DecodingOptions, after: Carry | None = None
    ) -> Iterator[WindowResult]:
        return self._recognizer.recognize(self._counted(sounds), options, after)

    def recognize_many(
        self, files: Iterable[FileWindows], options: DecodingOptions
    ) -> Iterator[tuple[int, WindowResult | None]]:
        counted = (FileWindows(self._counted(file.sounds), file.after) for file in files)
        return self._recognizer.recognize_many(counted, options)

    def _counted(self, sounds: Iterable[WindowSound]) -> Iterator[WindowSound]:
        for sound in sounds:
            self.n_windows += 1
            yield sound


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> WhisperRecognizer:
    return make_recognizer(tmp_path_factory.mktemp("tiny"), seed=1)


def job(options: DecodingOptions = QUICK, **values: str) -> Job:
    names = {"media": "talk.mp4", "model": "tiny", "media_digest": "m", "engine": "e", **values}
    return Job(options=options, **names)


def run(
    recognizer: Recognizer,
    folder: Path,
    work: Job,
    windows: Iterable[WindowSound] = WINDOWS,
    stop_after: int | None = None,
) -> list[WindowResult]:
    """What the work gives with its journal; the first results if it is stopped."""
    results = []
    with Journal(folder, work) as journal:
        for result in JournalledRecognizer(recognizer, journal).recognize(windows, work.options):
            results.append(result)
            if len(results) == stop_after:
                break
    return results


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_stopped_anywhere_it_goes_on_to_the_same_results(
    recognizer: WhisperRecognizer, tmp_path: Path, options: DecodingOptions
) -> None:
    whole = list(recognizer.recognize(WINDOWS, options))
    work = job(options)
    for n_done in (1, 3):
        run(recognizer, tmp_path, work, stop_after=n_done)
        counting = Counting(recognizer)
        assert run(counting, tmp_path, work) == whole
        assert counting.n_windows == len(WINDOWS) - n_done
        clean_jobs(tmp_path)


def test_it_may_be_stopped_again_and_again(recognizer: WhisperRecognizer, tmp_path: Path) -> None:
    whole = list(recognizer.recognize(WINDOWS, QUICK))
    for n_done in range(2, len(WINDOWS) + 1, 2):
        assert run(recognizer, tmp_path, job(), stop_after=n_done) == whole[:n_done]


def test_a_torn_record_is_done_again(recognizer: WhisperRecognizer, tmp_path: Path) -> None:
    whole = run(recognizer, tmp_path, job())
    (path,) = tmp_path.glob("*.journal")
    content = path.read_bytes()
    for n_bytes in (1, content.index(b"\n") + 10, len(content) - 1):
        path.write_bytes(content[:n_bytes])
        counting = Counting(recognizer)
        assert run(counting, tmp_path, job()) == whole
        assert counting.n_windows == len(WINDOWS) - max(content[:n_bytes].count(b"\n") - 1, 0)


def test_other_sound_is_recognized_anew_from_where_it_differs(
    recognizer: WhisperRecognizer, tmp_path: Path
) -> None:
    """By a sample that nobody hears, in a file that is the same in all its sampled blocks."""
    single = replace(QUICK, batch_size=1, language="en")
    run(recognizer, tmp_path, job(single))
    samples = WINDOWS[2].samples.copy()
    samples[100] += np.float32(1e-6)
    other = (*WINDOWS[:2], WindowSound(WINDOWS[2].window, samples), *WINDOWS[3:])
    counting = Counting(recognizer)
    assert run(counting, tmp_path, job(single), other) == list(recognizer.recognize(other, single))
    assert counting.n_windows == len(WINDOWS) - 2


def test_other_sound_that_had_a_say_in_the_language_makes_all_the_rest_anew(
    recognizer: WhisperRecognizer, tmp_path: Path
) -> None:
    run(recognizer, tmp_path, job(), stop_after=1)
    other = (*WINDOWS[:2], as_window(noise(9_000, 3), 130.0), *WINDOWS[3:])
    counting = Counting(recognizer)
    assert run(counting, tmp_path, job(), other) == list(recognizer.recognize(other, QUICK))
    assert counting.n_windows == len(WINDOWS)


def test_the_same_sound_at_another_time_is_another_window(
    recognizer: WhisperRecognizer, tmp_path: Path
) -> None:
    run(recognizer, tmp_path, job(), WINDOWS[:1])
    moved = (as_window(WINDOWS[0].samples, 5.0),)
    assert run(recognizer, tmp_path, job(), moved) == list(recognizer.recognize(moved, QUICK))


def test_media_that_became_shorter_has_no_more_results_than_windows(
    recognizer: WhisperRecognizer, tmp_path: Path
) -> None:
    run(recognizer, tmp_path, job())
    shorter = list(recognizer.recognize(WINDOWS[:3], QUICK))
    for _ in range(2):
        assert run(recognizer, tmp_path, job(), WINDOWS[:3]) == shorter


@pytest.mark.parametrize(
    "other",
    [
        job(media_digest="n"),
        job(engine="f"),
        job(parts="(None, (Clip(start=1.0, end=2.0),))"),
        job(replace(QUICK, language="en")),
        job(replace(QUICK, beam_size=3)),
        job(replace(QUICK, hotwords="Xanthippe")),
        job(replace(QUICK, temperatures=(0.0, 0.7))),
    ],
)
def test_work_that_differs_in_anything_has_a_journal_of_its_own(other: Job) -> None:
    assert other.key != job().key


def test_work_is_the_same_whatever_its_media_is_called() -> None:
    assert job(media="b.mp4").key == job().key


def test_a_journal_of_other_work_under_its_name_is_not_used(
    recognizer: WhisperRecognizer, tmp_path: Path
) -> None:
    run(recognizer, tmp_path, job(replace(QUICK, language="de")))
    (path,) = tmp_path.glob("*.journal")
    path.replace(tmp_path / f"{job().key}.journal")
    counting = Counting(recognizer)
    run(counting, tmp_path, job())
    assert counting.n_windows == len(WINDOWS)


def test_one_may_begin_anew(recognizer: WhisperRecognizer, tmp_path: Path) -> None:
    run(recognizer, tmp_path, job())
    with Journal(tmp_path, job(), resume=False) as journal:
        assert (journal.n_results, journal.position) == (0, 0.0)
    with Journal(tmp_path, job()) as journal:
        assert journal.n_results == 0


def test_it_tells_how_far_an_earlier_run_came(
    recognizer: WhisperRecognizer, tmp_path: Path
) -> None:
    results = run(recognizer, tmp_path, job(), stop_after=3)
    with Journal(tmp_path, job()) as journal:
        assert (journal.n_results, journal.position) == (3, results[-1].window.end)


def test_only_one_holds_it_at_a_time_and_nothing_of_it_stays_in_the_end(tmp_path: Path) -> None:
    with Journal(tmp_path, job()) as journal:
        with pytest.raises(JobBusyError, match=r"talk\.mp4: another process"):
            Journal(tmp_path, job())
        with Journal(tmp_path, job(engine="f")):
            assert clean_jobs(tmp_path) == (0, 0)
        journal.discard()
    Journal(tmp_path, job(engine="f")).discard()
    assert list(tmp_path.iterdir()) == []


def test_what_was_stopped_is_listed_and_can_be_forgotten(
    recognizer: WhisperRecognizer, tmp_path: Path
) -> None:
    results = run(recognizer, tmp_path, job(), stop_after=2)
    with Journal(tmp_path, job(media="a.wav", engine="f")):
        pass
    (tmp_path / "torn.journal").write_bytes(b"")
    listed = {(one.media, one.model, one.position) for one in list_jobs(tmp_path)}
    assert listed >= {("a.wav", "tiny", 0.0), ("talk.mp4", "tiny", results[-1].window.end)}
    size = sum(path.stat().st_size for path in tmp_path.glob("*.journal"))
    assert clean_jobs(tmp_path) == (3, size)
    assert list(tmp_path.iterdir()) == []


def test_media_is_told_apart_by_size_beginning_middle_and_end(tmp_path: Path) -> None:
    path = tmp_path / "a"
    content = bytearray(np.random.default_rng(0).bytes(3_000_000))
    path.write_bytes(content)
    digests = {digest_media(path)}
    path.rename(tmp_path / "b")
    path = tmp_path / "b"
    assert digest_media(path) in digests
    for place in (0, 2_934_464 * 7 // 15, 2_999_999):
        content[place] ^= 1
        path.write_bytes(content)
        digests.add(digest_media(path))
    path.write_bytes(content[:-1])
    digests.add(digest_media(path))
    assert len(digests) == 5


def test_small_media_is_told_apart_by_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "a"
    digests = set()
    for content in (b"", b"a", b"b", bytes(70_000), bytes(69_999) + b"b"):
        path.write_bytes(content)
        digests.add(digest_media(path))
    assert len(digests) == 5


def test_the_code_that_is_digested_holds_all_that_makes_text() -> None:
    package = Path(journal_module.__file__).parent
    assert (package / "whisper" / "decoding.py").is_file()
    assert len(journal_module.digest_code()) == 32
