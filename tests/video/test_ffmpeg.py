from __future__ import annotations

import sys
from pathlib import Path

import pytest

from subvino.errors import MissingExtraError
from subvino.video.ffmpeg import find_ffmpeg, run_ffmpeg

posix = pytest.mark.skipif(sys.platform == "win32", reason="stands in for ffmpeg by a shell script")
LISTING = " ... {name}  V->V  What it does."


def stand_in(folder: Path, body: str) -> Path:
    """A program called ffmpeg."""
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return program


@posix
def test_the_systems_is_taken_if_it_has_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "\n".join(LISTING.format(name=name) for name in ("ass", "libx264"))
    program = stand_in(tmp_path, f"cat <<'END'\n{lines}\nEND")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find_ffmpeg("testing", ("ass", "libx264")) == str(program)
    assert find_ffmpeg("testing", ("ass", "libx265")) != str(program)


@posix
def test_one_that_does_not_run_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = stand_in(tmp_path, "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_ffmpeg("testing", ("ass",)) != str(program)


def test_without_any_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingExtraError, match=r'pip install "subvino\[video\]"'):
        find_ffmpeg("testing")


@posix
def test_progress_trouble_and_missing_letters_are_heard_in_a_flood_of_lines(tmp_path: Path) -> None:
    flood = (
        "i=0; while [ $i -lt 2000 ]; do echo '[a @ 0x1] [b @ 0x2] [error] bad'; i=$((i+1)); done"
    )
    letter = "[ass @ 0x1] [warning] fontselect: failed to find any fallback with glyph 0x{} for x"
    odd = "printf 'out_time_us=N/A\\n\\377\\n'; head -c 100000 /dev/zero"
    program = stand_in(
        tmp_path,
        f"{flood} >&2; {odd}\necho\necho out_time_us=1500000\n"
        f"echo '{letter.format('4E2D')}'\necho '{letter.format('FFFFFF')}'\nexit 3",
    )
    seen: list[float] = []
    outcome = run_ffmpeg(str(program), [], tmp_path, seen.append)
    assert not outcome.succeeded
    assert seen == [0.0, 1.5]
    assert outcome.missing_letters == "中"
    assert set(outcome.trouble) == {"bad"}
    assert len(outcome.trouble) < 100
