from __future__ import annotations

import time
import wave
from dataclasses import replace
from pathlib import Path

import pytest

from subvino.errors import (
    AudioTrackError,
    ForbiddenError,
    JobCancelledError,
    JobNotFoundError,
    ModelNotFoundError,
    NotMediaError,
    ServerError,
    TooLargeError,
    TooManyRequestsError,
)
from subvino.pipeline import OutputOptions
from subvino.server import Job, JobOptions, Jobs, Limits, ServerSettings
from subvino.server.loaded import Load
from tests.server.conftest import CLIP, OTHER_CLIP, s16le


def finish(jobs: Jobs, job: Job) -> Job:
    return list(jobs.watch(job.id))[-1]


def test_a_file_becomes_a_transcript_that_every_format_can_be_made_of(jobs: Jobs) -> None:
    job = jobs.submit_file(CLIP, name="A talk.flac")
    assert (job.state, job.name, job.source) == ("queued", "A talk.flac", "page")
    done = finish(jobs, job)
    assert (done.state, done.progress, done.error) == ("done", 1.0, None)
    transcript = jobs.transcript(job.id)
    assert transcript.media == "A talk.flac"
    assert jobs.segments(job.id) == transcript.segments
    assert b"-->" in jobs.render(job.id, "srt")
    assert jobs.render(job.id, "vtt", OutputOptions(profile="netflix")).startswith(b"WEBVTT")


def test_the_same_sound_and_options_are_heard_once(jobs: Jobs, tmp_path: Path) -> None:
    first = finish(jobs, jobs.submit_file(CLIP))
    copy = tmp_path / "copy.flac"
    copy.write_bytes(CLIP.read_bytes())
    again = jobs.submit_file(copy)
    assert again.state == "done"
    assert again.id != first.id
    assert jobs.transcript(again.id).segments == jobs.transcript(first.id).segments
    assert jobs.submit_file(CLIP, JobOptions(language="de")).state == "queued"


def test_jobs_that_wait_for_the_same_are_done_together(
    settings: ServerSettings, load: Load
) -> None:
    """One attempt in all: those that did not run themselves have none."""
    with Jobs(settings, load) as jobs:
        asked = [jobs.submit_file(CLIP) for _ in range(5)]
        done = [finish(jobs, job) for job in asked]
    assert {job.state for job in done} == {"done"}
    assert sum(job.attempts for job in done) == 1


def test_the_language_is_told_without_a_transcript(jobs: Jobs) -> None:
    job = finish(jobs, jobs.submit_file(CLIP, JobOptions(task="detect-language")))
    transcript = jobs.transcript(job.id)
    assert transcript.segments == ()
    assert 0.0 < transcript.language_probability <= 1.0


def test_what_is_no_media_is_refused_at_once_under_its_own_name(jobs: Jobs, tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no film at all")
    with pytest.raises(NotMediaError, match=r"^notes\.mp4: not a media file"):
        jobs.submit_file(path)
    with pytest.raises(AudioTrackError):
        jobs.submit_file(CLIP, JobOptions(audio_track="7"))
    assert jobs.list() == ()
    assert list(jobs.settings.media_folder.iterdir()) == []
    assert list(jobs.settings.incoming_folder.iterdir()) == []


def test_a_model_that_is_not_offered_is_refused(jobs: Jobs, tiny_model: Path) -> None:
    for name in ("no-such", "large-v3", str(tiny_model), "../tiny-random"):
        with pytest.raises(ModelNotFoundError, match="only: tiny-random"):
            jobs.submit_file(CLIP, JobOptions(model=name))
    for name in ("", "whisper-1", "tiny-random"):
        assert jobs.submit_file(CLIP, JobOptions(model=name)).options.model == "tiny-random"


def test_media_longer_than_allowed_are_refused(settings: ServerSettings, load: Load) -> None:
    with Jobs(replace(settings, limits=Limits(max_duration=1.0)), load) as jobs:
        with pytest.raises(TooLargeError, match="longer than"):
            jobs.submit_file(CLIP)
        job = jobs.submit_file(CLIP, JobOptions(clip="0-0.9"))
        assert finish(jobs, job).state == "done"


def submit_until_full(jobs: Jobs) -> list[Job]:
    accepted: list[Job] = []
    with pytest.raises(TooManyRequestsError, match="1 jobs wait already"):  # noqa: PT012
        while True:
            accepted.append(jobs.submit_file(CLIP, JobOptions(prompt=f"try {len(accepted)}")))
    return accepted


def test_no_more_jobs_wait_than_allowed_but_known_ones_always_may(
    settings: ServerSettings, load: Load
) -> None:
    with Jobs(replace(settings, limits=Limits(max_waiting=1)), load) as jobs:
        accepted = submit_until_full(jobs)
        assert 1 <= len(accepted) <= 3
        assert jobs.submit_file(CLIP, accepted[-1].options).state != "failed"
        for job in accepted:
            assert finish(jobs, job).state == "done"


def test_a_waiting_job_and_a_running_one_can_be_cancelled(jobs: Jobs) -> None:
    running, waiting = (jobs.submit_file(path) for path in (CLIP, OTHER_CLIP))
    assert jobs.cancel(waiting.id).state == "cancelled"
    jobs.cancel(running.id)
    assert finish(jobs, running).state in ("cancelled", "done")
    with pytest.raises(JobCancelledError):
        jobs.transcript(waiting.id)
    assert finish(jobs, jobs.submit_file(OTHER_CLIP)).state == "done"


def test_a_deleted_job_leaves_nothing(jobs: Jobs) -> None:
    job = finish(jobs, jobs.submit_file(CLIP))
    kept = jobs.media(job.id)
    assert kept is not None
    assert kept.read_bytes() == CLIP.read_bytes()
    jobs.delete(job.id)
    assert not kept.exists()
    assert jobs.store.result(job.key) is None
    with pytest.raises(JobNotFoundError):
        jobs.get(job.id)


def test_media_that_nobody_plays_go_when_the_job_is_done(jobs: Jobs) -> None:
    job = jobs.submit_file(CLIP, keep_media=False)
    assert finish(jobs, job).state == "done"
    assert jobs.media(job.id) is None


def test_jobs_are_forgotten_when_their_time_is_over(settings: ServerSettings, load: Load) -> None:
    with Jobs(settings, load) as jobs:
        job = finish(jobs, jobs.submit_file(CLIP))
        jobs.store.purge(keep=3600.0)
        assert jobs.get(job.id).state == "done"
        jobs.store.purge(keep=-1.0)
        assert jobs.list() == ()
        assert jobs.store.result(job.key) is None


def test_what_a_stopped_server_left_undone_is_done_after_the_next_start(
    settings: ServerSettings, load: Load
) -> None:
    with Jobs(settings, load) as jobs:
        asked = [jobs.submit_file(CLIP, JobOptions(prompt=str(n))) for n in range(4)]
    with Jobs(settings, load) as jobs:
        assert {finish(jobs, job).state for job in asked} == {"done"}


def test_a_stopped_job_goes_on_where_it_was(
    settings: ServerSettings, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the second run takes from the journal is not heard again."""
    path = long_talk(tmp_path / "talk.wav")
    jobs = Jobs(settings, load)

    def stop_after_a_window() -> None:
        if any(running.position for running in jobs._running.values()):
            jobs._stopping.set()

    monkeypatch.setattr(jobs.changes, "tell", stop_after_a_window)
    with jobs:
        job = jobs.submit_file(path)
        jobs._stopping.wait()
    assert (settings.journal_folder / job.key).is_dir()
    with Jobs(settings, load) as jobs:
        assert finish(jobs, job).state == "done"
        n_heard = jobs.seconds_heard
        assert not (settings.journal_folder / job.key).exists()
        gone_on = jobs.transcript(job.id)
    assert 0.0 < n_heard < gone_on.duration
    with Jobs(replace(settings, folder=tmp_path / "other"), load) as jobs:
        alone = jobs.transcript(finish(jobs, jobs.submit_file(path)).id)
    assert gone_on == alone


def long_talk(path: Path) -> Path:
    """The clips one after the other, several times: some batches of windows."""
    sound = s16le(CLIP) + s16le(OTHER_CLIP)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(sound * 10)
    return path


def test_one_folder_has_one_server(jobs: Jobs, load: Load) -> None:
    with pytest.raises(ServerError, match="another server has it"):
        Jobs(jobs.settings, load).start()


def test_a_model_goes_when_nobody_has_needed_it_for_a_while(
    settings: ServerSettings, load: Load
) -> None:
    with Jobs(replace(settings, model_idle=0.05), load) as jobs:
        finish(jobs, jobs.submit_file(CLIP))
        end = time.monotonic() + 20
        while any(worker.models.name for worker in jobs._workers) and time.monotonic() < end:
            time.sleep(0.02)
        assert not any(worker.models.name for worker in jobs._workers)
        assert finish(jobs, jobs.submit_file(OTHER_CLIP)).state == "done"


def test_addresses_are_fetched_only_where_that_is_allowed(jobs: Jobs) -> None:
    with pytest.raises(ForbiddenError, match="upload the file"):
        jobs.submit_url("https://example.org/talk.mp4")
    assert jobs.list() == ()
