"""The main command on real speech, with the real models."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
import pysubs2
import pytest

from subvino.audio import Samples
from subvino.cli import subtitling
from subvino.media import probe, read_audio
from subvino.pipeline import Transcriber
from subvino.transcript import Transcript
from tests.cli.conftest import Run
from tests.sounds import Track, write_media

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("real_models")]

SAMPLES = Path(__file__).parents[2] / "samples"
CLIPS = Path(__file__).parents[1] / "data" / "speech"
ENGLISH, GERMAN = CLIPS / "ls_61-70968-0000.flac", CLIPS / "de_rhasspy-0219.flac"
SAMPLE = SAMPLES / "rainbow.mp4"
GERMAN = Path(__file__).parents[1] / "data" / "speech" / "de_rhasspy-0219.flac"


def words_of(text: str) -> list[str]:
    """Lower case, without punctuation."""
    kept = "".join(char if char.isalnum() or char.isspace() else " " for char in text.lower())
    return kept.split()


SAID = words_of((SAMPLES / "rainbow.txt").read_text(encoding="utf-8"))


def words_of_file(path: str) -> list[str]:
    """Of a subtitle file, as a reader that nobody here wrote finds them."""
    return words_of(" ".join(event.plaintext for event in pysubs2.load(path)))


@cache
def samples_of(path: Path) -> Samples:
    with read_audio(path) as stream:
        return np.concatenate([block.samples for block in stream])


def speech(repeats: int = 1) -> Track:
    """The sample's sound, 16.3 s a time, in 16 kHz."""
    return Track(np.tile(samples_of(SAMPLE), repeats), "pcm_s16le", rate=16_000)


@pytest.fixture(autouse=True)
def loaded(load_once: Callable[..., Transcriber], monkeypatch: pytest.MonkeyPatch) -> None:
    """Models stay loaded from test to test; those that start a process load them as users do."""
    monkeypatch.setattr(subtitling, "load_transcriber", load_once)


@pytest.fixture
def talk(folder: Path) -> Path:
    """talk.wav in the working directory."""
    return write_media(Path("talk.wav"), speech())


def test_the_subtitles_of_the_sample_are_right_word_for_word(run: Run) -> None:
    call = run(SAMPLE, "--model", "base", "-o", "out", "-f", "srt,vtt,txt,json", "--verbose")
    assert call.code == 0, call.err
    assert words_of_file("out/rainbow.en.srt") == SAID
    assert words_of_file("out/rainbow.en.vtt") == SAID
    assert words_of(Path("out/rainbow.en.txt").read_text()) == SAID
    *cues, srt, vtt, txt, transcript = call.out
    assert words_of(" ".join(line[23:] for line in cues)) == SAID
    assert [Path(path).suffix for path in (srt, vtt, txt, transcript)] == [
        ".srt", ".vtt", ".txt", ".json",
    ]  # fmt: skip
    saved = Transcript.from_json(Path(transcript).read_text(encoding="utf-8"))
    assert (saved.language, saved.model, saved.media) == ("en", "base", str(SAMPLE))
    with av.open("out/rainbow.en.vtt") as container:
        assert container.streams.subtitles


def test_a_saved_transcript_gives_the_same_cues_again(run: Run, talk: Path) -> None:
    assert run(talk, "-m", "tiny.en", "-f", "srt,json").code == 0
    assert run("talk.en.json", "-o", "again").code == 0
    assert Path("again/talk.en.srt").read_bytes() == Path("talk.en.srt").read_bytes()


def test_one_model_serves_all_inputs_and_each_has_its_line(run: Run, talk: Path) -> None:
    write_media(Path("b.mkv"), speech(), video=1.0)
    call = run(talk, "no.wav", "b.mkv", "-m", "tiny.en")
    assert call.code == 1
    assert call.out == ["talk.en.srt", "b.en.srt"]
    lines = [line for line in call.err if not line.startswith("model: ")]
    heard = [line for line in lines if ": en (" in line and line.endswith("x)")]
    assert [line.split(":")[0] for line in heard] == ["talk.wav", "b.mkv"]
    assert [line for line in lines if line not in heard] == [
        "error: no.wav: no such file; check the path",
        "1 of 3 inputs failed:",
        "  no.wav: no such file; check the path",
    ]


def test_what_can_be_read_of_a_truncated_file_is_subtitled_and_the_loss_is_told(
    run: Run, talk: Path
) -> None:
    data = talk.read_bytes()
    Path("cut.wav").write_bytes(data[: len(data) // 2])
    call = run("cut.wav", "-m", "tiny.en", "-q")
    assert call.code == 1
    assert len(call.err) == 1
    assert call.err[0].startswith("error: cut.wav: 8.")
    assert "s of sound could not be read" in call.err[0]
    words = words_of_file("cut.en.srt")
    assert words[:8] == SAID[:8]
    assert len(words) < len(SAID)


def test_the_track_asked_for_is_heard(run: Run) -> None:
    silence = Track(np.zeros(80_000, np.float32), "pcm_s16le", rate=16_000)
    english = Track(speech().samples, "pcm_s16le", rate=16_000, metadata={"language": "eng"})
    write_media(Path("film.mkv"), silence, english)
    assert run("film.mkv", "-m", "tiny.en", "--audio-track", "en", "-f", "txt").code == 0
    assert words_of(Path("film.en.txt").read_text())[:8] == SAID[:8]


def test_a_file_without_speech_gives_an_empty_file_and_says_so(run: Run) -> None:
    write_media(Path("a.wav"), Track(np.zeros(80_000, np.float32), "pcm_s16le", rate=16_000))
    call = run("a.wav", "-m", "tiny.en")
    assert call.code == 0
    assert call.err[-1] == "a.wav: no speech found"
    assert Path(call.out[0]).read_text() == ""


def test_a_file_of_somebody_else_is_seen_before_the_long_work(run: Run, talk: Path) -> None:
    Path("talk.en.srt").write_text("somebody else's")
    for language in ("en", "auto"):
        call = run(talk, "-m", "tiny.en", "--language", language)
        assert call.code == 1
        assert call.err[-1].startswith("error: talk.en.srt: exists already")
        assert not [line for line in call.err if line.startswith("talk.wav: ")]
    assert Path("talk.en.srt").read_text() == "somebody else's"


def test_a_language_that_the_model_does_not_know_stops_everything(
    run: Run, talk: Path, real_models: Path
) -> None:
    """The folder has a name of its own, so that only the model itself can tell."""
    assert run("models", "get", "tiny.en").code == 0
    converted = real_models / "models" / "tiny.en-int8"
    for option in (("--language", "German"), ("--task", "translate")):
        call = run(talk, talk, "-m", converted, *option)
        assert call.code == 2
        assert len(call.err) == 1


# --- how it is decoded


def test_media_in_a_language_is_named_by_it(run: Run) -> None:
    """German speech: the name of the file tells it."""
    for task, language in (("transcribe", "de"), ("translate", "en")):
        call = run(GERMAN, "-m", "base", "-o", "out", "--task", task, "--temperature", "0")
        assert (call.code, call.out) == (0, [str(Path("out", f"{GERMAN.stem}.{language}.srt"))])


def test_what_is_said_in_two_languages_comes_in_both(run: Run) -> None:
    """Within 30 s, half a second apart."""
    pause = np.zeros(8_000, np.float32)
    sound = np.concatenate([samples_of(ENGLISH), pause, samples_of(GERMAN)])
    write_media(Path("talk.wav"), Track(sound, "pcm_s16le", rate=16_000))
    call = run("talk.wav", "-m", "base", "--multilingual", "-f", "json")
    assert call.code == 0, call.err
    assert call.err[-1].startswith("talk.wav: de, en, ")
    segments = Transcript.from_json(Path("talk.en.json").read_text(encoding="utf-8")).segments
    said = dict.fromkeys(("en", "de"), "")
    for segment in segments:
        assert segment.language is not None
        said[segment.language] += segment.text
        assert (segment.language == "en") == (segment.start < len(samples_of(ENGLISH)) / 16_000)
    assert said["en"].startswith("He began a confused complaint against the wizard")
    assert said["de"].startswith("Durch den heißen Dampf schm")


def test_only_what_lies_in_the_clips_is_heard(run: Run, talk: Path) -> None:
    call = run(talk, "-m", "tiny.en", "-f", "srt", "--clip", "0:03.5-0:07,0:13-")
    assert call.code == 0, call.err
    assert " 6.8 s in " in call.err[-1]
    cues = pysubs2.load("talk.en.srt")
    assert all(3.4 <= cue.start / 1000 < 7 or cue.start / 1000 >= 12.9 for cue in cues)
    words = words_of_file("talk.en.srt")
    assert 8 <= len(words) <= 30
    assert words[-3:] == SAID[-3:]
    assert SAID[0] not in words[:3]


def test_text_that_fails_is_taken_out_told_and_kept_on_demand(run: Run, talk: Path) -> None:
    """With thresholds that no text passes."""
    doubts = ("--min-avg-logprob", "0", "--max-no-speech-prob", "0", "--temperature", "0")
    call = run(talk, "-m", "tiny.en", "-f", "txt,json", "--verbose", *doubts)
    told = re.fullmatch(
        r"talk.wav: no speech found; (\d+) passages? taken out as doubtful: see the JSON",
        call.err[-1],
    )
    assert told
    assert Path("talk.en.txt").read_text() == ""
    rows = json.loads(Path("talk.en.json").read_text())["segments"]
    assert [row["verdict"] for row in rows] == ["no speech"] * int(told[1])
    call = run(talk, "-m", "tiny.en", "-f", "txt,json", "--keep-suspect", *doubts)
    assert words_of(Path("talk.en.txt").read_text())[:8] == SAID[:8]
    assert json.loads(Path("talk.en.json").read_text())["segments"] == rows


def test_a_prompt_puts_nothing_into_silence(run: Run) -> None:
    write_media(Path("a.wav"), Track(np.zeros(80_000, np.float32), "pcm_s16le", rate=16_000))
    prompt = ("--hotwords", "Xanthippe", "--prompt", "A lecture on light.")
    call = run("a.wav", "-m", "tiny.en", *prompt)
    assert (call.code, call.err) == (0, ["a.wav: no speech found"])
    assert Path(call.out[0]).read_text() == ""
    run("a.wav", "-m", "tiny.en", "-f", "txt", "--no-vad", *prompt)
    assert not {"xanthippe", "lecture", "light"} & set(words_of(Path("a.en.txt").read_text()))


def test_what_is_suppressed_is_not_written_and_hotwords_are_spelled_as_given(run: Run) -> None:
    write_media(Path("a.wav"), Track(samples_of(ENGLISH), "pcm_s16le", rate=16_000))
    texts = []
    for options in ((), ("--suppress", ", ."), ("--hotwords", "the Wizard, the Curtain")):
        assert run("a.wav", "-m", "tiny.en", "-f", "txt", *options).code == 0
        texts.append(Path("a.en.txt").read_text())
    assert "," in texts[0]
    assert not {",", "."} & set(texts[1])
    assert words_of(texts[1])[:7] == words_of(texts[0])[:7]
    assert "Wizard" in texts[2]
    assert "Wizard" not in texts[0]


LONG_PROMPT = ", ".join(f"plate {n} of {n * n}" for n in range(100))
"""More than fits: its end is taken."""


@pytest.mark.parametrize(
    "options",
    [
        ("--beam-size", "1", "--best-of", "2"),
        ("--condition-on-previous", "--prompt", LONG_PROMPT),
    ],
)
def test_other_ways_of_decoding_hear_the_same(
    run: Run, talk: Path, options: tuple[str, ...]
) -> None:
    call = run(talk, "-m", "tiny.en", "-f", "txt", *options)
    assert call.code == 0, call.err
    assert words_of(Path("talk.en.txt").read_text())[:8] == SAID[:8]


# --- progress


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_bar_with_speed_and_stdout_stays_clean(talk: Path) -> None:
    import pty  # not on Windows

    long = write_media(Path("long.wav"), speech())
    command = [sys.executable, "-m", "subvino", str(long), "-m", "tiny.en"]
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave) as process:
        os.close(slave)
        shown = read_terminal(master)
        assert process.stdout is not None
        assert process.stdout.read() == b"long.en.srt\n"
    assert process.returncode == 0
    assert "long.wav" in shown
    assert "100%" in shown
    assert "\x1b[" in shown


def read_terminal(master: int) -> str:
    """All that is shown until the other end closes."""
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # Linux's way to say that nobody writes any more
            part = b""
        if not part:
            os.close(master)
            return shown.decode()
        shown += part


# --- interruption


def heed_ctrl_c() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def hear_long() -> tuple[Path, list[str]]:
    """long.wav, and a command that hears it window by window."""
    long = write_media(Path("long.wav"), speech(20))
    command = [sys.executable, "-m", "subvino", str(long), "-m", "tiny.en", "--verbose"]
    return long, [*command, "--batch-size", "1"]


def stop_at_work(command: list[str], number: int) -> tuple[int, str]:
    """Signal a command once it has shown a cue; its exit code and what it told."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the first cue: it is at work
        process.send_signal(number)
        _, told = process.communicate()
    return process.returncode, told


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_wish_to_end_is_ctrl_c(name: str, run: Run) -> None:
    _, command = hear_long()
    code, told = stop_at_work(command, getattr(signal, name))
    assert code == 130
    assert "error: interrupted; the same command goes on where this one stopped" in told
    assert run("jobs", "clean").code == 0  # of the session's cache


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_it_starts_gives_a_line() -> None:
    begun = "import os; from subvino.__main__ import main; os.write(1, b'.'); main()"
    for delay in (0.02, 0.05, 0.1, 0.2):
        with subprocess.Popen(
            [sys.executable, "-c", begun, "none.mp4"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=heed_ctrl_c,
        ) as process:
            assert process.stdout is not None
            process.stdout.read(1)
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate()
        assert b"Traceback" not in told, delay


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_stops_with_one_line_and_the_same_command_goes_on(run: Run, talk: Path) -> None:
    long, command = hear_long()
    code, told = stop_at_work(command, signal.SIGINT)
    assert code == 130
    lines = [line for line in told.splitlines() if not line.startswith("model: ")]
    assert lines == ["error: interrupted; the same command goes on where this one stopped"]
    assert sorted(os.listdir()) == ["long.wav", "talk.wav"]  # noqa: PTH208
    listed = run("jobs", "list")
    assert listed.out[0].split() == ["INPUT", "DONE", "TO", "MODEL"]
    name, done, model = listed.out[1].split()
    assert (name, model) == ("long.wav", "tiny.en")
    assert "0:00:10" < done < "0:05:00"
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"long.wav: goes on at {done}, where an earlier run was stopped" in again.stderr
    assert run("jobs", "list").err == ["nothing was stopped"]
    resumed = Path("long.en.srt").read_bytes()
    whole = run(long, "-m", "tiny.en", "--batch-size", "1", "--no-resume", "--overwrite")
    assert whole.code == 0, whole.err
    assert Path("long.en.srt").read_bytes() == resumed


# --- URLs


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A local server's, of the folder `site`."""
    site = tmp_path / "site"
    site.mkdir()
    handler = partial(QuietHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# yt-dlp leaves answers it doesn't want to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_url_is_fetched_and_its_subtitles_come_here(
    run: Run, tmp_path: Path, address: str
) -> None:
    pytest.importorskip("yt_dlp", reason="the extra url is not installed")
    write_media(tmp_path / "site" / "talk.wav", speech())
    call = run(f"{address}/talk.wav", f"{address}/no.wav", "-m", "tiny.en", "-f", "json")
    assert call.code == 1
    assert call.out == ["talk.en.json"]
    assert json.loads(Path("talk.en.json").read_text())["media"] == f"{address}/talk.wav"
    assert call.err[-1].startswith(f"  {address}/no.wav: ")
    assert os.listdir() == ["talk.en.json"]  # noqa: PTH208


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_entry_of_a_list_is_an_input(run: Run, tmp_path: Path, address: str) -> None:
    pytest.importorskip("yt_dlp", reason="the extra url is not installed")
    write_media(tmp_path / "site" / "a.wav", speech())
    item = "<item><title>{0}</title><enclosure url='{1}/{0}.wav' type='audio/wav'/></item>"
    items = item.format("a", address) + item.format("b", address)
    feed = f"<?xml version='1.0'?><rss version='2.0'><channel>{items}</channel></rss>"
    (tmp_path / "site" / "feed.xml").write_text(feed)
    call = run(f"{address}/feed.xml", "-m", "tiny.en")
    assert call.code == 1
    assert call.out == ["a.en.srt"]
    assert "1 of 2 inputs failed:" in call.err


def test_both_languages_come_as_two_files_or_in_the_same_cues(run: Run, folder: Path) -> None:
    shutil.copyfile(GERMAN, "talk.flac")
    files = run("talk.flac", "-l", "de", "--bilingual", "files")
    assert (files.code, files.out) == (0, ["talk.de.srt", "talk.en.srt"])
    lines = run("talk.flac", "-l", "de", "--bilingual", "lines", "-f", "srt,json")
    assert (lines.code, lines.out) == (0, ["talk.de.srt", "talk.de.json", "talk.de-en.srt"])
    both = Path("talk.de-en.srt").read_text(encoding="utf-8").split()
    german = Path("talk.de.srt").read_text(encoding="utf-8").split()[4:]
    english = Path("talk.en.srt").read_text(encoding="utf-8").split()[4:]
    assert all(word in both for word in (*german, *english) if word.isalpha())
    again = run("talk.flac", "-l", "de", "--bilingual", "lines", "--skip-existing")
    assert (again.code, again.out) == (0, [])
    assert again.err == ["talk.flac: skipped, its files are there"]
    Path("talk.de-en.srt").unlink()
    again = run("talk.flac", "-l", "de", "--bilingual", "lines", "--skip-existing")
    assert (again.code, again.out) == (0, [])


def test_what_is_said_in_english_is_not_translated_and_what_fails_stops_no_other(
    run: Run, talk: Path
) -> None:
    write_media(Path("film.mkv"), Track(samples_of(GERMAN), "pcm_s16le", rate=16_000), video=1.0)
    call = run("no.wav", talk, "film.mkv", "--bilingual", "files", "--mux")
    assert call.code == 1
    assert call.out[:2] == ["talk.en.srt", "talk.subtitled.mkv"]
    assert call.out[2:] == ["film.de.srt", "film.en.srt", "film.subtitled.mkv"]
    assert "talk.wav: it is in English; nothing to translate" in call.err
    tracks = probe(Path("film.subtitled.mkv")).subtitles
    assert [track.language for track in tracks] == ["de", "en"]


def test_both_languages_need_a_model_that_translates(run: Run) -> None:
    call = run("talk.mp4", "--bilingual", "files", "--model", "tiny.en")
    assert call.code == 2
    assert "English only" in call.err[0]
    assert run("talk.mp4", "--bilingual", "three").code == 2
    assert run("talk.mp4", "--bilingual", "lines", "--task", "translate").code == 2


def test_cues_that_break_rules_are_told_of_each_language_and_counted(
    run: Run, folder: Path
) -> None:
    shutil.copy(GERMAN, "talk.flac")
    options = ("-l", "de", "--bilingual", "files", "--max-cps", "5", "--overwrite")
    told = [line for line in run("talk.flac", *options).err if "check says which" in line]
    speed = re.compile(r"a rule of profile default \(reading speed (\d+)")
    german, english = (int(match[1]) for line in told if (match := speed.search(line)))
    assert [line.startswith("talk.flac: translation: ") for line in told] == [False, True]
    summary = json.loads("\n".join(run("talk.flac", *options, "--json").out))
    assert summary["inputs"][0]["broken"]["max_cps"] == german + english
