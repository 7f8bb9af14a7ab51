"""The main command where no model is needed: options, saved transcripts, unreadable inputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import webvtt

from subvino.formats import FORMATS
from subvino.transcript import Segment, Transcript, Word
from tests.cli.conftest import SAID, Run
from tests.sounds import Track, beeps, write_media

SOUND = beeps([1.0], 2.0, 48_000)


def captions_of(path: str) -> list[webvtt.Caption]:
    """The cues of a VTT file, as a reader that nobody here wrote finds them."""
    return list(webvtt.read(path).captions)


# --- a transcript read back


def test_a_saved_transcript_is_cut_into_cues_again_without_a_model(run: Run, saved: Path) -> None:
    call = run(saved, "-f", "vtt")
    assert (call.code, call.out, call.err) == (0, ["talk.en.vtt"], [])
    text = " ".join(caption.text for caption in captions_of("talk.en.vtt"))
    assert text.split() == " ".join(SAID).split()


def test_formats_come_by_commas_and_by_repetition(run: Run, saved: Path) -> None:
    call = run(saved, "-f", "srt,VTT", "--format", "txt,srt")
    assert call.out == ["talk.en.srt", "talk.en.vtt", "talk.en.txt"]


def test_every_format_can_be_written(run: Run, saved: Path) -> None:
    call = run(saved, "-f", ",".join(FORMATS), "-o", "new/folder", "--words")
    assert call.code == 0, call.err
    written = sorted(path.name for path in Path("new/folder").iterdir())
    assert written == sorted(f"talk.en{row.suffix}" for row in FORMATS.values())
    assert json.loads(Path("new/folder/talk.en.json").read_text())["language"] == "en"


def test_the_rules_of_cues_can_be_changed(run: Run, saved: Path) -> None:
    call = run(saved, "-f", "vtt", "--max-chars", "20", "--max-lines", "1")
    assert call.code == 0
    lines = [line for caption in captions_of("talk.en.vtt") for line in caption.lines]
    assert len(lines) >= 5
    assert max(map(len, lines)) <= 20


def test_durations_are_given_in_seconds(run: Run, saved: Path) -> None:
    assert run(saved, "-f", "vtt", "--max-duration", "1.5", "--min-duration", "0.5").code == 0
    captions = captions_of("talk.en.vtt")
    assert max(c.end_in_seconds - c.start_in_seconds for c in captions) <= 2


def test_a_byte_order_mark_comes_on_demand_but_never_into_json(run: Run, saved: Path) -> None:
    assert run(saved, "-f", "srt,json", "-o", "plain").code == 0
    assert run(saved, "-f", "srt,json", "-o", "marked", "--bom").code == 0
    mark = b"\xef\xbb\xbf"
    assert Path("marked/talk.en.srt").read_bytes() == mark + Path("plain/talk.en.srt").read_bytes()
    assert Path("marked/talk.en.json").read_bytes() == Path("plain/talk.en.json").read_bytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a transcript"),
        (b"{}", "'segments' is missing"),
        (b"[1, 2]", "not a transcript"),
        (b"\xff\xfe\x00", "not a transcript"),
        (b"[" * 100_000, "not a transcript"),
    ],
)
def test_what_is_no_transcript_is_refused(run: Run, content: bytes, reason: str) -> None:
    Path("a.json").write_bytes(content)
    call = run("a.json")
    assert call.code == 1
    assert len(call.err) == 1
    assert call.err[0].startswith("error: a.json: not a transcript")
    assert reason in call.err[0]


def test_a_transcript_that_is_not_there_is_not_found(run: Run) -> None:
    assert run("no.json").err == ["error: no.json: no such file; check the path"]


def test_words_stand_in_the_files_that_are_asked_for_them(run: Run) -> None:
    words = (Word("Hello", 0.5, 0.9, 0.9), Word(" there.", 1.0, 1.5, 0.9))
    talk = Transcript((Segment("Hello there.", 0.5, 1.5, words),), "en", 0.9, 2.0)
    Path("talk.json").write_text(talk.to_json(), encoding="utf-8")
    times, rows = {}, {}
    for option in ("", "--words", "--no-words"):
        folder = Path(f"out{option}")
        call = run("talk.json", "-f", "vtt,json", "-o", folder, *filter(None, [option]))
        assert call.code == 0
        times[option] = (folder / "talk.en.vtt").read_text().count("<00:00:01.000>")
        (row,) = json.loads((folder / "talk.en.json").read_text())["segments"]
        rows[option] = len(row.get("words", ()))
    assert times == {"": 0, "--words": 1, "--no-words": 0}
    assert rows == {"": 2, "--words": 2, "--no-words": 0}


def test_suspect_text_is_kept_on_demand_and_json_tells_of_it_either_way(run: Run) -> None:
    segments = (Segment("Really said.", 0.5, 1.5), Segment("Made up.", 3, 4, verdict="a loop"))
    Path("talk.json").write_text(Transcript(segments, "en", 0.9, 5.0).to_json(), encoding="utf-8")
    for option, texts in (
        ((), ["Really said."]),
        (("--keep-suspect",), ["Really said.", "Made up."]),
    ):
        assert run("talk.json", "-f", "vtt,txt,json", *option).code == 0
        assert [caption.text for caption in captions_of("talk.en.vtt")] == texts
        assert Path("talk.en.txt").read_text().splitlines() == texts
        saved = json.loads(Path("talk.en.json").read_text())["segments"]
        assert [row.get("verdict") for row in saved] == [None, "a loop"]


# --- files that are there already


def test_a_file_of_ones_own_is_replaced_without_a_word(run: Run, saved: Path) -> None:
    assert run(saved).code == 0
    before = Path("talk.en.srt").read_bytes()
    assert run(saved, "--max-chars", "20").code == 0
    assert Path("talk.en.srt").read_bytes() != before


def test_an_edited_file_is_left_alone_until_overwriting_is_asked_for(run: Run, saved: Path) -> None:
    run(saved)
    edited = Path("talk.en.srt").read_bytes() + b"\nmine\n"
    Path("talk.en.srt").write_bytes(edited)
    call = run(saved)
    assert call.code == 1
    assert call.out == []
    assert call.err == ["error: talk.en.srt: exists already; use --overwrite to replace it"]
    assert Path("talk.en.srt").read_bytes() == edited
    assert run(saved, "--overwrite").code == 0
    assert b"mine" not in Path("talk.en.srt").read_bytes()


def test_no_file_is_written_where_one_may_not_be(run: Run, saved: Path) -> None:
    Path("talk.en.vtt").write_text("somebody else's")
    assert run(saved, "-f", "srt,vtt").code == 1
    assert not Path("talk.en.srt").exists()


def test_existing_files_are_skipped_and_others_made(run: Run, saved: Path) -> None:
    Path("talk.en.srt").write_text("somebody else's")
    call = run(saved, "--skip-existing")
    assert (call.code, call.out) == (0, [])
    assert call.err == ["talk.en.json: skipped, its files are there"]
    assert run(saved, "--skip-existing", "-f", "srt,txt").out == ["talk.en.txt"]
    assert Path("talk.en.srt").read_text() == "somebody else's"


def test_media_of_unknown_language_is_skipped_where_files_of_any_language_are_there(
    run: Run,
) -> None:
    write_media(Path("talk.wav"), Track(SOUND, "pcm_s16le"))
    Path("talk.de.srt").write_text("")
    assert run("talk.wav", "--skip-existing").err == ["talk.wav: skipped, its files are there"]


def test_two_inputs_never_write_the_same_file(run: Run, saved: Path) -> None:
    other = Path("sub")
    other.mkdir()
    (other / "talk.en.json").write_bytes(saved.read_bytes())
    call = run(saved, other / "talk.en.json", "-o", "out")
    assert call.code == 1
    assert call.out == [str(Path("out/talk.en.srt"))]
    assert "would write the same files as talk.en.json" in call.err[0]


# --- several inputs


def test_one_bad_input_does_not_stop_the_others_and_a_summary_names_it(
    run: Run, saved: Path
) -> None:
    Path("b.en.json").write_bytes(saved.read_bytes())
    call = run(saved, "no.json", "no.mp4", "b.en.json")
    assert call.code == 1
    assert call.out == ["talk.en.srt", "b.en.srt"]
    assert call.err[:2] == [
        "error: no.json: no such file; check the path",
        "error: no.mp4: no such file; check the path",
    ]
    assert call.err[2:] == [
        "2 of 4 inputs failed:",
        "  no.json: no such file; check the path",
        "  no.mp4: no such file; check the path",
    ]


def test_quiet_prints_nothing_but_errors(run: Run, saved: Path) -> None:
    call = run(saved, "--quiet")
    assert (call.code, call.out, call.err) == (0, [], [])
    assert run("no.json", "-q").err != []


# --- inputs that can't be read


def test_what_is_not_media_is_called_so(run: Run) -> None:
    Path("notes.mp4").write_text("just some words\n" * 100)
    call = run("notes.mp4")
    assert call.code == 1
    assert call.err == ["error: notes.mp4: not a media file that FFmpeg knows"]


def test_an_empty_file_is_called_so(run: Run) -> None:
    Path("a.mp4").touch()
    call = run("a.mp4")
    assert call.code == 1
    assert call.err == ["error: a.mp4: the file is empty; get it again"]


def test_a_film_without_sound_names_its_tracks(run: Run) -> None:
    write_media(Path("a.mp4"), video=1.0)
    call = run("a.mp4")
    assert call.code == 1
    assert len(call.err) == 1
    assert "a.mp4: no audio track (tracks found: " in call.err[0]
    assert "mpeg4" in call.err[0]


def test_an_audio_track_that_is_not_there_is_refused_with_those_that_are(run: Run) -> None:
    write_media(Path("a.mkv"), Track(SOUND, "aac", metadata={"language": "ger"}))
    call = run("a.mkv", "--audio-track", "fr")
    assert call.code == 1
    assert len(call.err) == 1
    assert "no audio track 'fr'; use one of: " in call.err[0]
    assert "de" in call.err[0]


def test_nothing_is_made_for_an_input_that_can_not_be_read(run: Run) -> None:
    run("no/such/film.mp4", "no.mp4", "-o", "out")
    assert os.listdir() == []  # noqa: PTH208


# --- outputs that can't be written


def call_limited(before: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process that first runs `before`."""
    code = f"import sys\nfrom subvino.cli import main, subtitling\n{before}\nmain(sys.argv[1:])"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk_leaves_the_file_that_stood_there(run: Run, saved: Path) -> None:
    run(saved)
    before = Path("talk.en.srt").read_bytes()
    # More than the limit can't be written, as if the disk were full.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))"
    done = call_limited(limit, str(saved), "--max-chars", "20")
    assert done.returncode == 1
    assert done.stderr == ("error: talk.en.srt: the disk is full; free some space and run again\n")
    assert Path("talk.en.srt").read_bytes() == before
    assert sorted(os.listdir()) == ["talk.en.json", "talk.en.srt"]  # noqa: PTH208


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_folder_that_may_not_be_written_is_refused_before_any_work(
    saved: Path, tmp_path: Path
) -> None:
    """In a process that has given up root, for root may write anywhere."""
    write_media(Path("film.wav"), Track(SOUND, "pcm_s16le"))
    # Python's own files may be root's too: all that is needed is loaded before.
    drop = (
        "import contextlib, os; from subvino.media import probe; probe('film.wav')\n"
        f"with contextlib.suppress(SystemExit): main(['talk.en.json', '-q', '-o', '{tmp_path}'])\n"
        "if os.getuid() == 0: os.setuid(65534)"
    )
    Path().chmod(0o555)
    try:
        for name in (str(saved), "film.wav"):
            done = call_limited(drop, name)
            assert done.returncode == 1
            assert done.stderr == "error: .: may not be written; choose another --output-dir\n"
    finally:
        Path().chmod(0o755)


# --- options


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-f", "sub"), "no format 'sub'; use one of: srt, vtt, "),
        (("-l", "Germn"), "did you mean german (de)?"),
        (("--profile", "nexflix"), "no profile 'nexflix'; use one of: default, netflix, "),
        (("-d", "TPU"), "device 'TPU' is not available; use one of: AUTO, CPU"),
        (("--task", "shout"), "task 'shout' is not known; use one of: transcribe, translate"),
        (("--weights", "int3"), "weights 'int3' is not known; use one of: int8, fp16"),
        (("--beam-size", "0"), "beam_size is 0"),
        (("--best-of", "65"), "best_of is 65"),
        (("--temperature", "0,warm"), "temperature '0,warm' is no list of numbers"),
        (("--temperature", "0,nan"), "temperatures are (0.0, nan)"),
        (("--max-compression-ratio", "nan"), "max_compression_ratio is nan"),
        (("--min-avg-logprob", "0.1"), "min_avg_logprob is 0.1"),
        (("--max-no-speech-prob", "1.1"), "max_no_speech_prob is 1.1"),
        (("--clip", "1:30-0:10"), "clip '1:30-0:10' does not start before its end"),
        (("--clip", "0:10"), "clip '0:10' is no range; write ranges as"),
        (("--multilingual", "-l", "de"), "--multilingual finds the languages out"),
        (("--multilingual", "-m", "tiny.en"), "model tiny.en knows English only"),
        (("--max-chars", "0"), "max_chars is 0"),
        (("--min-duration", "9", "--max-duration", "8"), "min_duration_ms is 9000"),
        (("--vad-threshold", "1.5"), "speech thresholds"),
        (("--overwrite", "--skip-existing"), "--overwrite and --skip-existing don't go together"),
        (("--quiet", "--verbose"), "--quiet and --verbose don't go together"),
        (("--no-vad", "--vad-threshold", "0.5"), "--no-vad and --vad-threshold don't go together"),
        (("-m", "tiny.en", "-l", "de"), "model tiny.en knows English only"),
        (("-m", "medium.en", "--task", "translate"), "use --model medium"),
    ],
)
def test_an_option_that_can_not_be_used_is_one_line_and_2(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    call = run("no.mp4", *arguments)
    assert call.code == 2
    assert len(call.err) == 1
    assert call.err[0].startswith("error: ")
    assert message in call.err[0]


def test_a_model_that_is_nowhere_stops_all_inputs_and_names_the_ways_to_one(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    write_media(Path("a.wav"), Track(SOUND, "pcm_s16le"))
    call = run("a.wav", "a.wav", "-m", "huge")
    assert call.code == 1
    assert len(call.err) == 1
    assert "no model 'huge' here" in call.err[0]
    assert 'pip install "subvino[base]"' in call.err[0]
