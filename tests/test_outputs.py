from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from subvino import outputs
from subvino.errors import (
    DiskFullError,
    OutputError,
    OutputExistsError,
    OutputPermissionError,
)
from subvino.outputs import OutputLog, OutputPlace, check_writable, write_file

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="as POSIX has it")


# --- writing


def test_a_file_is_written_to_the_byte_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "talk.en.srt"
    write_file(path, b"1\r\n\xff")
    assert path.read_bytes() == b"1\r\n\xff"
    assert list(path.parent.iterdir()) == [path]


@POSIX
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_may_be_read_by_whom_the_mask_allows(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_file(tmp_path / "a", b"")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EFBIG, DiskFullError),
        (errno.EACCES, OutputPermissionError),
        (errno.EROFS, OutputPermissionError),
        (errno.EIO, OutputError),
    ],
)
def test_a_write_that_fails_leaves_what_stood_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[OutputError]
) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(b"good")

    def refuse(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(kind, match=r"a\.srt: ") as caught:
        write_file(path, b"new")
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"good"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a" * 300, "folder", "file/under", "nul\0inside"])
def test_a_name_that_can_not_be_is_an_output_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="can't be written"):
        write_file(tmp_path / name, b"")


@POSIX
def test_a_kill_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_bytes(b"good")
    code = (
        "import os, signal, sys; from pathlib import Path; from subvino.outputs import write_file\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_file(Path(sys.argv[1]), b'half')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    assert path.read_bytes() == b"good"


def test_a_folder_is_made_and_found_writable(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(OutputError):
        check_writable(tmp_path / "a")


# --- whose file it is


@pytest.fixture
def log(tmp_path: Path) -> OutputLog:
    return OutputLog(tmp_path / "log")


def test_a_file_is_ones_own_until_it_is_edited(tmp_path: Path, log: OutputLog) -> None:
    path = tmp_path / "a.srt"
    log.check(path)
    path.write_bytes(b"ours")
    with pytest.raises(OutputExistsError):
        log.check(path)
    log.note(path)
    log.check(path)
    OutputLog(tmp_path / "log").check(path)
    path.write_bytes(b"edited")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        log.check(path)


def test_a_file_is_ones_own_wherever_between_two_steps_its_writing_ended(
    tmp_path: Path, log: OutputLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.srt"
    log.write(path, b"first")
    log.check(path)

    def end_before(path: Path, content: bytes) -> None:
        raise KeyboardInterrupt

    def end_after(path: Path, content: bytes) -> None:
        if path.suffix == ".srt":
            path.write_bytes(content)
            raise KeyboardInterrupt
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    for end, stands in ((end_before, b"first"), (end_after, b"second")):
        monkeypatch.setattr(outputs, "write_file", end)
        with pytest.raises(KeyboardInterrupt):
            log.write(path, b"second")
        assert path.read_bytes() == stands
        log.check(path)
    path.write_bytes(b"edited")
    with pytest.raises(OutputExistsError):
        log.check(path)


def test_the_same_bytes_elsewhere_are_not_ones_own(tmp_path: Path, log: OutputLog) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"ours")
    log.note(tmp_path / "a")
    with pytest.raises(OutputExistsError):
        log.check(tmp_path / "b")


@POSIX
def test_a_file_reached_by_another_way_is_still_ones_own(
    tmp_path: Path, log: OutputLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "link").symlink_to("films")
    (tmp_path / "films" / "a").write_bytes(b"ours")
    log.note(tmp_path / "films" / "a")
    log.check(tmp_path / "link" / "a")
    monkeypatch.chdir(tmp_path / "films")
    log.check(Path("a"))


def test_a_video_is_ones_own_until_it_changes(tmp_path: Path, log: OutputLog) -> None:
    video = tmp_path / "a.mp4"
    video.write_bytes(b"video")
    changed_ns = video.stat().st_mtime_ns
    assert not log.has_video(video, 5, changed_ns)
    log.note_video(video)
    assert OutputLog(tmp_path / "log").has_video(video, 5, changed_ns)
    assert not log.has_video(video, 6, changed_ns)
    assert not log.has_video(video, 5, changed_ns + 1)
    assert not log.has_video(tmp_path / "b.mp4", 5, changed_ns)
    log.note_video(tmp_path / "gone.mp4")


def test_a_log_that_can_not_be_kept_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = OutputLog(tmp_path / "file" / "log")
    path = tmp_path / "a"
    path.write_bytes(b"ours")
    log.note(path)
    with pytest.raises(OutputExistsError):
        log.check(path)


def test_a_log_with_nonsense_in_it_makes_nothing_ones_own(tmp_path: Path, log: OutputLog) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"ours")
    log.note(path)
    for entry in (tmp_path / "log").iterdir():
        entry.write_bytes(b"\xff\x00")
    with pytest.raises(OutputExistsError):
        log.check(path)


def test_a_folder_of_the_files_name_is_an_output_error(tmp_path: Path, log: OutputLog) -> None:
    (tmp_path / "a.srt").mkdir()
    with pytest.raises(OutputError):
        log.check(tmp_path / "a.srt")


def test_a_name_that_is_not_unicode_can_be_noted(tmp_path: Path, log: OutputLog) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has such names")
    path = tmp_path / os.fsdecode(b"caf\xe9.srt")
    write_file(path, b"ours")
    log.note(path)
    log.check(path)


def test_a_dot_in_the_stem_stays() -> None:
    assert OutputPlace(Path("x"), "a.b").path("pt", ".vtt") == Path("x/a.b.pt.vtt")
