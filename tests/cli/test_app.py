from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import render_help

import subvino
from subvino.cli import app, options, screen, subtitling
from subvino.cues import PROFILES
from subvino.devices import AUTO
from subvino.formats import FORMATS
from subvino.models import DEFAULT_WEIGHTS
from subvino.pipeline import AUTO_LANGUAGE, DEFAULT_MODEL, DEFAULT_PROFILE, OutputOptions
from subvino.recognizer import DecodingOptions
from subvino.vad import VadOptions
from tests.cli.conftest import Run

HEAVY = {"openvino", "av", "numpy", "tokenizers", "huggingface_hub", "yt_dlp"}
HEAVY |= {"fastapi", "sqlalchemy", "uvicorn"}


def run_module(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


# --- help


def imports_of_help() -> set[str]:
    """Packages that `subvino --help` imports."""
    done = run_module("-X", "importtime", "-m", "subvino", "--help")
    assert done.returncode == 0
    names = re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", done.stderr, re.M)
    return {name.partition(".")[0] for name in names}


def test_help_imports_nothing_heavy() -> None:
    packages = imports_of_help()
    assert "typer" in packages
    assert not packages & HEAVY


def test_help_teaches_usage_options_and_commands(run: Run) -> None:
    for argument in ("--help", "-h"):
        call = run(argument)
        assert call.code == 0
        text = "\n".join(call.out)
        assert "subvino [OPTIONS] INPUT..." in text
        assert "subvino talk.mp4" in text
        for word in ("--format", "--audio-track", "--max-chars", "--device", "devices", "models"):
            assert word in text
        for panel in ("Speech", "Decoding", "Files written", "Cues", "Model and device"):
            assert f"─ {panel} ─" in text


def test_without_arguments_the_help_is_shown(run: Run) -> None:
    assert "subvino [OPTIONS] INPUT..." in "\n".join(run().out)


def test_the_page_of_help_is_current() -> None:
    assert render_help.TARGET.read_text(encoding="utf-8") == render_help.render()


def test_the_defaults_in_the_help_are_the_ones_in_force() -> None:
    rows = re.findall(r"\| `(--[a-z-]+)`.*\(default: ([^)]+)\)", render_help.render())
    told = dict(reversed(rows))  # of options of one name, the main command's, which comes first
    assert told["--model"] == DEFAULT_MODEL
    assert told["--device"] == AUTO
    assert told["--weights"] == DEFAULT_WEIGHTS
    assert told["--language"] == AUTO_LANGUAGE
    assert told["--profile"] == DEFAULT_PROFILE
    assert told["--format"] == ",".join(OutputOptions().formats)
    assert told["--task"] == DecodingOptions().task
    for name in ("beam_size", "best_of", "max_compression_ratio", "min_avg_logprob"):
        assert told[f"--{name.replace('_', '-')}"] == str(getattr(DecodingOptions(), name))
    assert told["--max-no-speech-prob"] == str(DecodingOptions().max_no_speech_prob)
    temperatures = options.split_numbers("temperature", told["--temperature"])
    assert temperatures == DecodingOptions().temperatures
    assert told["--vad-threshold"] == str(VadOptions().threshold)


def test_the_choices_in_the_help_are_all_there_are() -> None:
    text = render_help.render()
    assert f"Which files: {', '.join(FORMATS)} (" in text
    assert f"Rules that cues follow: {', '.join(PROFILES)} (" in text


# --- which command


def test_the_version_is_shown(run: Run) -> None:
    assert run("--version").out == [f"subvino {subvino.__version__}"]


def test_the_module_is_the_command() -> None:
    done = run_module("-m", "subvino", "--version")
    assert done.stdout == f"subvino {subvino.__version__}\n"


def test_an_option_may_come_before_the_input(run: Run, saved: Path) -> None:
    assert run("-f", "txt", saved).out == ["talk.en.txt"]


def test_the_main_command_can_be_named(run: Run, saved: Path) -> None:
    assert run("transcribe", saved).out == ["talk.en.srt"]


def test_a_file_with_the_name_of_a_command_is_given_with_its_folder(run: Run) -> None:
    assert run("./devices").err == ["error: devices: no such file; check the path"]
    assert run("devices").code == 0


@pytest.mark.parametrize("arguments", [("--no-such-option", "a.mp4"), ("a.mp4", "--threads", "0")])
def test_wrong_usage_exits_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    call = run(*arguments)
    assert call.code == 2
    assert "Usage: subvino" in "\n".join(call.err)


# --- errors nobody handles


def fail(error: BaseException) -> object:
    def raise_it(*_arguments: object) -> None:
        raise error

    return raise_it


def test_a_bug_is_a_line_that_says_how_to_see_more(
    run: Run, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subtitling, "make_subtitles", fail(ZeroDivisionError("by\nzero")))
    call = run(saved)
    assert call.code == 1
    (line,) = call.err
    assert line.startswith("error: unexpected ZeroDivisionError: by\\nzero; ")
    assert "--verbose" in line


def test_a_bug_shows_its_traceback_where_one_is_asked_for(
    run: Run, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subtitling, "make_subtitles", fail(ZeroDivisionError("by zero")))
    assert "Traceback (most recent call last):" in run(saved, "--verbose").err
    monkeypatch.setenv(screen.TRACEBACK_VARIABLE, "1")
    assert "Traceback (most recent call last):" in run(saved).err


def test_an_interrupt_is_one_line_and_130(
    run: Run, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subtitling, "make_subtitles", fail(KeyboardInterrupt()))
    call = run(saved)
    assert call.code == app.EXIT_INTERRUPTED == 130
    assert len(call.err) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
def test_a_reader_that_goes_away_ends_the_command_without_a_word(saved: Path) -> None:
    command = [sys.executable, "-m", "subvino", "models", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_terminal_of_ascii_shows_escapes(saved: Path) -> None:
    target = saved.rename(saved.with_name("Gespräch 日本.en.json"))
    done = run_module("-m", "subvino", str(target), PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Gespr\\xe4ch \\u65e5\\u672c.en.srt\n")
    assert target.with_suffix(".srt").is_file()


# --- what is shown


@pytest.mark.parametrize("module", [options, screen])
def test_the_examples_in_the_docstrings_hold(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted
    assert not results.failed


def test_nothing_in_a_name_acts_on_the_terminal() -> None:
    shown = screen.to_visible("a\x1b]0;title\x07\x9bb\r\n\u2028ü日می‌خواهم")
    assert shown == "a\\x1b]0;title\\x07\\x9bb\\r\\n\\u2028ü日می‌خواهم"
