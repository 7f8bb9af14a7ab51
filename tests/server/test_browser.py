"""The page in a real browser, with a real model: a whole job, from the drop to the saved file.

Needs a Chromium; without one these are skipped, but fail on CI, where one must be.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from subvino.formats import read
from tests.chromium import launch_chromium
from tests.installed_weights import tiny_en_folder

pytestmark = [pytest.mark.model, pytest.mark.slow]

SAMPLE = Path(__file__).parents[2] / "samples" / "rainbow.mp4"
expect.set_options(timeout=30_000)
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(model_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`subvino serve`, as anybody starts it."""
    tiny_en_folder()
    with serve(model_cache, tmp_path_factory.mktemp("served")) as address:
        yield address


@contextmanager
def serve(cache: Path, folder: Path, *options: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "subvino", "serve", "--model", "tiny.en", *options]
    command += ["--port", str(port), "--folder", str(folder / "jobs")]
    environment = {**os.environ, "SUBVINO_CACHE": str(cache)}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_it_answers(address, process, folder / "log")
            yield address
        finally:
            process.terminate()


def wait_until_it_answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    with httpx.Client(base_url=address) as client:
        while process.poll() is None:
            time.sleep(0.2)
            with suppress(httpx.TransportError):
                client.get("/health")
                return
    pytest.fail(log.read_text(encoding="utf-8"))


@contextmanager
def opened(browser: Browser, address: str, **options: object) -> Iterator[Page]:
    """The page in a browser of its own; fails where a script does, or asks anybody else."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    errors: list[str] = []
    others: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: others.append(request.url))
    page.goto(address)
    page.wait_for_selector("body[data-job]", state="attached")
    yield page
    context.close()
    own = (re.match(r"http://[^/]+/", f"{address}/")[0], "data:", "blob:")  # type: ignore[index]
    assert errors == []
    assert [url for url in others if not url.startswith(own)] == []


def send(page: Page, path: Path) -> None:
    page.set_input_files("#file input[type=file]", path)
    expect(page.locator("#file table a")).to_be_visible()
    page.get_by_role("button", name="Make subtitles").click()


def wait_until_done(page: Page) -> None:
    expect(page.locator(".sv-job[data-state=done]")).to_be_visible(timeout=120_000)
    expect(page.locator(".sv-cues tbody tr").first).to_be_visible()


@pytest.fixture(scope="module")
def job(browser: Browser, address: str) -> str:
    """The address of a job of the sample that is done."""
    with opened(browser, address) as page:
        send(page, SAMPLE)
        wait_until_done(page)
        return page.url


def rows(page: Page) -> list[str]:
    return page.locator(".sv-cues tbody .sv-text").all_inner_texts()


def times(page: Page, row: int) -> list[str]:
    fields = page.locator(".sv-cues tbody tr").nth(row).locator("input")
    return [fields.nth(n).input_value() for n in range(2)]


def saved(page: Page, name: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {name}").click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def shown_at(page: Page, seconds: float) -> list[str]:
    """What the browser's own text track shows at a time."""
    page.wait_for_function("document.querySelector('video').textTracks[0]?.cues?.length > 0")
    found: list[str] = page.evaluate(
        """async (seconds) => {
          const video = document.querySelector("video");
          const sought = new Promise((done) => (video.onseeked = done));
          video.currentTime = seconds;
          await sought;
          for (let tries = 0; tries < 50 && !video.textTracks[0].activeCues.length; tries++)
            await new Promise((done) => setTimeout(done, 50));
          return [...video.textTracks[0].activeCues].map((cue) => cue.text);
        }""",
        seconds,
    )
    return found


def test_a_video_goes_in_and_subtitles_come_out(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        page.evaluate(
            """() => {
              window.states = [];
              const job = document.querySelector(".sv-job");
              new MutationObserver(() => {
                const bar = job.querySelector("[role=progressbar]");
                window.states.push([job.dataset.state, bar.checkVisibility()]);
              }).observe(job, { attributeFilter: ["data-state"] });
            }"""
        )
        send(page, SAMPLE)
        wait_until_done(page)
        states = page.evaluate("window.states")
        assert states[-1] == ["done", False]
        assert ["running", True] in states[:-1] or ["queued", True] in states[:-1]
        assert " ".join(" ".join(rows(page)).split()).startswith("These take the shape of a long")
        assert shown_at(page, 2.0) == [rows(page)[0]]
        name, content = saved(page, "SRT")
        assert name == "rainbow.en.srt"
        assert [cue.text for cue in read(content, name).cues] == rows(page)


def test_an_edited_cue_is_in_the_player_the_saved_file_and_after_a_reload(
    browser: Browser, job: str
) -> None:
    with opened(browser, job) as page:
        wait_until_done(page)
        text = page.get_by_role("textbox", name="Text of cue 2")
        text.fill("A line of my own")
        # Saving at once must take along what was typed last.
        content = saved(page, "VTT")[1]
        cues = read(content, "a.vtt").cues
        assert cues[1].text == "A line of my own"
        assert shown_at(page, cues[1].start_ms / 1000 + 0.2) == ["A line of my own"]
        page.reload()
        wait_until_done(page)
        assert rows(page)[1] == "A line of my own"
        page.get_by_role("button", name="Undo").click()
        expect(text).not_to_have_text("A line of my own")


def test_cues_are_split_merged_and_timed_from_the_keyboard(browser: Browser, job: str) -> None:
    with opened(browser, job) as page:
        wait_until_done(page)
        before = rows(page)
        first = page.get_by_role("textbox", name="Text of cue 1")
        first.focus()
        page.keyboard.press("Control+Home")
        page.keyboard.press("Control+ArrowRight")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".sv-cues tbody tr")).to_have_count(len(before) + 1)
        assert rows(page)[0] == before[0].split()[0]
        first.focus()
        page.keyboard.press("Alt+m")
        expect(page.locator(".sv-cues tbody tr")).to_have_count(len(before))
        assert " ".join(rows(page)[0].split()) == " ".join(before[0].split())
        start = page.get_by_label("Start of cue 1")
        was = start.input_value()
        start.press("ArrowUp")
        expect(start).not_to_have_value(was)
        start.fill("9:59")
        start.press("Enter")
        expect(page.locator(".sv-toast")).to_contain_text("must")
        for _ in range(3):
            page.keyboard.press("Control+z")
        expect(start).to_have_value(was)
        expect(page.locator(".sv-cues tbody .sv-text")).to_have_text(before)


def test_what_is_typed_while_the_server_answers_stays(browser: Browser, job: str) -> None:
    with opened(browser, job) as page:
        wait_until_done(page)
        start = page.get_by_label("Start of cue 1")
        was = start.input_value()
        held: list[Route] = []
        page.route("**/*", lambda route: held.append(route))
        start.press("ArrowUp")
        expect(start).not_to_have_value(was)
        moved = start.input_value()
        start.fill("9:5")
        page.wait_for_timeout(200)
        page.unroute("**/*")  # lets those go that were held
        assert held, "the change was not sent"
        expect(page.get_by_role("button", name="Undo")).to_be_enabled()
        expect(start).to_have_value("9:5")
        expect(start).to_be_focused()
        page.keyboard.type("9")
        start.press("Enter")
        expect(page.locator(".sv-toast")).to_contain_text("must")
        expect(start).to_have_value(moved)
        page.keyboard.press("Control+z")
        expect(start).to_have_value(was)


def test_a_click_on_a_cue_seeks_the_video_and_shift_moves_them_all(
    browser: Browser, job: str
) -> None:
    with opened(browser, job) as page:
        wait_until_done(page)
        was = times(page, 1)
        page.locator(".sv-cues tbody .sv-text").nth(1).click()
        expect(page.locator(".sv-cues tbody tr").nth(1)).to_have_attribute("aria-current", "true")
        seconds = page.evaluate("document.querySelector('video').currentTime")
        assert abs(seconds - float(was[0].partition(":")[2])) < 0.01
        page.locator("summary", has_text="Shift").click()
        page.get_by_label("by", exact=False).last.fill("-0.2")
        page.get_by_role("button", name="Shift", exact=True).click()
        expect(page.get_by_label("Start of cue 2")).not_to_have_value(was[0])
        moved = float(times(page, 1)[0].partition(":")[2])
        assert abs(moved - (float(was[0].partition(":")[2]) - 0.2)) < 0.0015
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_label("Start of cue 2")).to_have_value(was[0])


def test_another_style_is_reported_and_doubtful_words_are_found(browser: Browser, job: str) -> None:
    with opened(browser, job) as page:
        wait_until_done(page)
        n_rows = len(rows(page))
        page.get_by_label("by the rules of").select_option("social-vertical")
        expect(page.locator(".sv-cues tbody tr")).not_to_have_count(n_rows)
        expect(page.get_by_role("region", name="Quality")).to_contain_text(
            "cues keep to every rule"
        )
        doubt = page.get_by_role("button", name=re.compile("doubtful"))
        if doubt.is_enabled():
            doubt.click()
            marked = page.locator("mark").all_inner_texts()
            assert page.evaluate("window.getSelection().toString()") in marked
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".sv-cues tbody tr")).to_have_count(n_rows)


def test_what_can_not_be_heard_is_refused_in_words(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0" * 4096)
    with opened(browser, address) as page:
        page.get_by_role("button", name="Make subtitles").click()
        alert = page.locator("#order [role=alert]")
        expect(alert).to_contain_text("Choose a video")
        send(page, broken)
        expect(alert).to_contain_text("broken.mp4: ", ignore_case=True)
        assert str(tmp_path) not in alert.inner_text()
        assert "job=" not in page.url


def test_the_history_lists_jobs_opens_and_deletes_them(browser: Browser, address: str) -> None:
    with opened(browser, address) as page:
        send(page, SAMPLE)
        wait_until_done(page)
        page.get_by_role("button", name="All videos").click()
        listed = page.get_by_role("region", name="Your videos").get_by_role("listitem")
        expect(listed.first).to_contain_text("rainbow.mp4")
        n_jobs = listed.count()
        listed.first.get_by_role("button", name=re.compile("Done")).click()
        wait_until_done(page)
        page.go_back()
        page.on("dialog", lambda dialog: dialog.accept())
        listed.first.get_by_role("button", name="Delete rainbow.mp4").click()
        expect(listed).to_have_count(n_jobs - 1)


@pytest.mark.parametrize("place", ["", "job"])
def test_a_phone_shows_all_of_it_and_every_control_has_a_name(
    browser: Browser, address: str, job: str, place: str
) -> None:
    with opened(browser, job if place else address, viewport=PHONE, has_touch=True) as page:
        expect(page.locator(".sv-top")).to_be_visible()
        if place:
            wait_until_done(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, [role=textbox]")]
              .filter((node) => node.checkVisibility() && node.type !== "file")
              .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim()
                || node.labels?.length || node.title || node.getAttribute("aria-labelledby")))
              .map((node) => node.outerHTML.slice(0, 200))"""
        )
        assert nameless == []


def test_light_and_dark_follow_the_system_until_somebody_chooses(
    browser: Browser, address: str
) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, address, color_scheme="dark") as page:
        page.get_by_role("button", name="Light colours").click()
        expect(page.get_by_role("button", name="Dark colours")).to_be_visible()
        light = page.evaluate(background)
        page.reload()
        expect(page.get_by_role("button", name="Dark colours")).to_be_visible()
        page.get_by_role("button", name="Dark colours").click()
        assert page.evaluate(background) != light
