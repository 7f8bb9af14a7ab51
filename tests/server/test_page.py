"""The page's side of real jobs: a tiny random network hears, so texts mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from subvino.errors import JobNotFoundError, OptionError
from subvino.formats import FORMATS, read
from subvino.media import probe
from subvino.server import Jobs
from subvino.server.page import Order, Page, order_options
from subvino.server.views import Row
from subvino.transcript import Transcript
from tests.server.conftest import CLIP

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "samples" / "rainbow.mp4"


@pytest.fixture
def page(jobs: Jobs) -> Page:
    return Page(jobs)


def make(page: Page, jobs: Jobs, path: Path, profile: str = "default") -> str:
    job = page.submit(Order(path, path.name, profile=profile))
    assert [job.state for job in jobs.watch(job.id)][-1] == "done"
    return job.id


def change(page: Page, job_id: str, row: Row, **values: object) -> Row:
    return page.change(job_id, row["revision"], values)


def test_a_job_is_looked_at_from_its_beginning_to_its_report(page: Page, jobs: Jobs) -> None:
    job_id = make(page, jobs, SAMPLE, profile="bbc")
    row = page.look(job_id)
    assert row["job"]["state"] == "done"
    assert (row["profile"], row["edited"], row["picture"]) == ("bbc", False, True)
    assert row["report"]["n_cues"] == len(row["cues"]) > 0
    assert row["formats"] == list(FORMATS)
    again = page.look(job_id, row["stamp"])
    assert "cues" not in again
    json.dumps(row)  # what the browser gets
    assert [item["name"] for item in page.history()["jobs"]] == ["rainbow.mp4"]


def test_an_edit_is_in_every_file_from_then_on(page: Page, jobs: Jobs) -> None:
    job_id = make(page, jobs, CLIP)
    row = page.look(job_id)
    row = change(page, job_id, row, do="text", cue=0, text="Written by hand.")
    assert row["cues"][0]["text"] == "Written by hand."
    for name, kind in FORMATS.items():
        file_name, content = page.file(job_id, name)
        assert file_name.endswith(kind.suffix)
        assert "Written by hand." in content.decode()
    name, content = page.file(job_id, "srt")
    (first, *_) = read(content, name).cues
    assert (first.text, first.start_ms) == ("Written by hand.", row["cues"][0]["start_ms"])
    heard = Transcript.from_json(page.file(job_id, "json")[1].decode())
    assert heard.segments[0].text == "Written by hand."


def test_a_file_that_nobody_edited_is_the_one_that_the_jobs_render(page: Page, jobs: Jobs) -> None:
    job_id = make(page, jobs, CLIP)
    for name in FORMATS:
        assert page.file(job_id, name)[1] == jobs.render(job_id, name)


def test_a_refused_change_comes_with_the_reason_and_the_cues_as_they_are(
    page: Page, jobs: Jobs
) -> None:
    job_id = make(page, jobs, CLIP)
    row = page.look(job_id)
    refused = change(page, job_id, row, do="text", cue=0, text=" ")
    assert "needs text" in refused["error"]
    assert refused["cues"] == row["cues"]


@pytest.mark.parametrize("job_id", ["nothing", "../drafts", "", "a/b"])
def test_a_job_that_is_not_there_is_told_of(page: Page, job_id: str) -> None:
    assert "no job" in page.look(job_id)["error"].lower()
    assert "no job" in page.change(job_id, 0, {"do": "undo"})["error"].lower()
    with pytest.raises(JobNotFoundError):
        page.file(job_id, "srt")


def test_a_form_without_a_video_or_with_nonsense_is_refused(page: Page) -> None:
    with pytest.raises(OptionError, match="choose a video"):
        page.submit(Order())
    with pytest.raises(OptionError, match="no profile"):
        page.submit(Order(CLIP, profile="nonsense"))
    with pytest.raises(OptionError, match="language"):
        order_options({"language": "klingon"})


def test_the_form_says_how_the_job_is_done() -> None:
    options = order_options(
        {"language": "de", "task": "translate", "int8": False, "hotwords": " A "}
    )
    assert (options.language, options.task, options.weights) == ("de", "translate", "fp16")
    assert options.hotwords == "A"
    assert order_options({"language": "auto"}).language is None


def test_a_deleted_job_takes_its_draft_along(page: Page, jobs: Jobs) -> None:
    job_id = make(page, jobs, CLIP)
    change(page, job_id, page.look(job_id), do="text", cue=0, text="Gone.")
    assert page.delete(job_id) == {}
    assert page.history() == {"jobs": []}
    assert list((jobs.settings.folder / "drafts").iterdir()) == []


@pytest.mark.parametrize(("kind", "n_tracks"), [("subtitled", 1), ("burned", 0)])
def test_a_video_is_made_with_the_subtitles_as_they_stand(
    page: Page, jobs: Jobs, kind: str, n_tracks: int
) -> None:
    job_id = make(page, jobs, SAMPLE)
    (row,) = [row for row in page.make_video(job_id, kind)["videos"] if row["kind"] == kind]
    assert row["state"] in ("working", "done")
    page.close()  # waits for what is being made
    (row,) = [row for row in page.look(job_id)["videos"] if row["kind"] == kind]
    assert row["state"] == "done", row
    name, path = page.video(job_id, 0, kind)
    assert name == f"rainbow.{kind}.mp4"
    assert len(probe(path).subtitles) == n_tracks


def test_sound_alone_gets_no_picture_and_an_unknown_kind_of_video_is_refused(
    page: Page, jobs: Jobs
) -> None:
    job_id = make(page, jobs, CLIP)
    assert not page.look(job_id)["picture"]
    assert "no kind" in page.make_video(job_id, "smoked")["error"].lower()
