from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from subvino import pipeline
from subvino.errors import (
    DamagedMediaError,
    MediaNotFoundError,
    OptionError,
    OutputExistsError,
    SubtitleFileError,
)
from subvino.formats import FORMATS, MAX_FILE_BYTES
from subvino.media import read_audio
from subvino.outputs import OutputPlace
from subvino.pipeline import (
    FileWriter,
    OutputOptions,
    Transcriber,
    decoding_options,
    load_transcriber,
    place_outputs,
    read_transcript,
    stream,
    transcribe,
)
from subvino.transcript import Segment, Transcript, Word
from tests.sounds import Track, write_media

SAMPLE = Path(__file__).parents[1] / "samples" / "rainbow.mp4"
TALK = Transcript((Segment("One two three four five six seven eight.", 0.5, 3.5),), "de", 0.9, 4.0)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBVINO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def place(tmp_path: Path) -> OutputPlace:
    return OutputPlace(tmp_path / "out", "talk")


# --- writing


def test_all_files_are_named_by_the_language_of_the_text(place: OutputPlace) -> None:
    paths = FileWriter(OutputOptions(("srt", "json"))).write(TALK, place)
    assert paths == (place.folder / "talk.de.srt", place.folder / "talk.de.json")
    translated = Transcript(TALK.segments, "de", 0.9, 4.0, task="translate")
    assert FileWriter().write(translated, place) == (place.folder / "talk.en.srt",)


def test_rules_of_the_language_hold_with_the_users_changes() -> None:
    options = OutputOptions(profile="netflix", rules={"max_lines": 1})
    assert options.rules_for("ko").max_chars == 16
    assert options.rules_for("en").max_chars == 42
    assert options.rules_for("ko").max_lines == options.rules_for("en").max_lines == 1


@pytest.mark.parametrize(
    "values",
    [{"formats": ("sub",)}, {"profile": "none"}, {"rules": {"min_duration_ms": 8000}}],
)
def test_options_that_would_fail_later_are_refused_at_once(values: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        OutputOptions(**values)  # type: ignore[arg-type]


def test_a_rule_that_suits_one_language_only_is_refused_at_once() -> None:
    """At most 700 ms goes with at least 500 ms, in Japanese, and not with 833 ms, elsewhere."""
    with pytest.raises(OptionError, match="min_duration_ms"):
        OutputOptions(rules={"max_duration_ms": 700})


@pytest.mark.parametrize("existing", ["replace-own", "overwrite", "skip"])
def test_what_happens_to_a_file_of_somebody_else(place: OutputPlace, existing: str) -> None:
    place.folder.mkdir()
    foreign = place.path("de", ".srt")
    foreign.write_text("somebody else's")
    writer = FileWriter(OutputOptions(("srt", "txt"), existing))  # type: ignore[arg-type]
    if existing == "replace-own":
        with pytest.raises(OutputExistsError):
            writer.check(place, "de")
        writer.check(place, None)
        writer.check(place, "fr")
        with pytest.raises(OutputExistsError):
            writer.write(TALK, place)
        assert not place.path("de", ".txt").exists()
    else:
        writer.check(place, "de")
        suffixes = [path.suffix for path in writer.write(TALK, place)]
        assert suffixes == ([".txt"] if existing == "skip" else [".srt", ".txt"])
    assert (foreign.read_text() == "somebody else's") == (existing != "overwrite")


def test_all_files_exist_in_any_of_the_languages(place: OutputPlace) -> None:
    writer = FileWriter(OutputOptions(("srt", "txt")))
    FileWriter(OutputOptions(("srt",))).write(TALK, place)
    assert not writer.all_exist(place, ["de"])
    FileWriter(OutputOptions(("txt",))).write(TALK, place)
    assert writer.all_exist(place, ["en", "de"])
    assert not writer.all_exist(place, ["en"])


def test_every_format_has_contents_even_of_silence() -> None:
    silence = Transcript((), "und", 0.0, 4.0)
    contents = FileWriter().contents(silence, tuple(FORMATS))
    assert list(contents) == list(FORMATS)
    assert contents["srt"] == contents["txt"] == b""


# --- places and transcripts


def test_outputs_lie_beside_the_input_or_in_the_folder() -> None:
    assert place_outputs(Path("a/talk.v2.mp4")) == OutputPlace(Path("a"), "talk.v2")
    assert place_outputs(Path("a/talk.mp4"), Path("b")) == OutputPlace(Path("b"), "talk")


def test_the_language_in_a_transcripts_name_is_not_said_twice() -> None:
    assert place_outputs(Path("talk.en.json"), language="en").stem == "talk"
    assert place_outputs(Path("talk.de.json"), language="en").stem == "talk.de"
    assert place_outputs(Path("talk.json"), language="en").stem == "talk"
    assert place_outputs(Path(".en.json"), language="en").stem == ".en"


def test_a_transcript_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text("\ufeff" + TALK.to_json(), encoding="utf-16")
    assert read_transcript(path) == TALK


def test_a_transcript_that_can_not_be_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError):
        read_transcript(tmp_path / "none.json")
    with pytest.raises(SubtitleFileError):
        read_transcript(tmp_path)
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(SubtitleFileError, match="too large"):
        read_transcript(tmp_path / "huge.json")


# --- the library's calls


def words_of(transcript: Transcript) -> list[Word]:
    return [word for segment in transcript.segments for word in segment.words or ()]


def is_same(word: Word, other: Word) -> bool:
    """The same text, and at nearly the same time."""
    return word.text.lower() == other.text.lower() and abs(word.start - other.start) <= 0.25


def test_languages_are_taken_as_users_write_them() -> None:
    assert decoding_options("German").language == "de"
    assert decoding_options("auto").language is None
    assert decoding_options(None).language is None


@pytest.mark.model
@pytest.mark.usefixtures("cache", "real_models")
class TestTranscribe:
    @pytest.fixture(autouse=True)
    def loaded(
        self, load_once: Callable[..., Transcriber], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipeline, "load_transcriber", load_once)

    def test_the_library_hears_the_sample(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """This one loads the model as users do."""
        monkeypatch.setattr(pipeline, "load_transcriber", load_transcriber)
        transcript = transcribe(SAMPLE, model="tiny.en")
        assert transcript.language == "en"
        assert transcript.model == "tiny.en"
        assert transcript.duration == pytest.approx(16.3, abs=0.1)
        assert transcript.text.startswith("These take the shape of a long round arch")

    def test_a_stream_gives_segments_as_they_come(self) -> None:
        results = stream(str(SAMPLE), model="tiny.en", batch_size=1)
        languages = [results.language]
        segments = [segment for result in results for segment in result.segments]
        languages.append(results.language)
        assert languages == [None, "en"]
        assert tuple(segments) == results.transcript().segments
        assert segments == list(results.segments)
        assert 15 < results.position <= 16.5
        assert results.error() is None

    def test_a_language_in_doubt_is_the_one_whose_text_is_likelier(
        self, load_once: Callable[..., Transcriber]
    ) -> None:
        """By its first token the model takes this English sentence for Welsh, about 56 to 43."""
        clip = Path(__file__).parent / "data" / "speech" / "p225_020.flac"
        detected = load_once("base").detect_language(clip)
        assert next(iter(detected)) == "cy"
        heard = transcribe(clip, model="base")
        assert heard.language == "en"
        assert heard.text == transcribe(clip, model="base", language="en").text

    def test_of_a_clip_the_words_come_at_their_times_in_the_whole(self) -> None:
        whole = words_of(transcribe(SAMPLE, model="tiny.en"))
        results = stream(SAMPLE, model="tiny.en", clip="0:02-0:06,0:12-")
        for _ in results:
            pass
        parts = words_of(results.transcript())
        assert all(2.0 <= word.start <= 6.0 or word.start >= 12.0 for word in parts)
        inside = [word for word in whole if 2.0 <= word.start < 5.8 or word.start >= 12.0]
        assert 10 <= len(inside) < len(whole) - 10
        found = [any(is_same(word, other) for other in parts) for word in inside]
        assert found.count(False) <= 3  # at the edges, where the sound begins in a word
        assert results.to_hear == pytest.approx(8.3, abs=0.1)
        assert 7.0 < results.heard <= 8.4

    def test_damage_is_an_error_that_brings_the_transcript_of_the_rest(
        self, tmp_path: Path
    ) -> None:
        with read_audio(SAMPLE) as sound:
            samples = np.concatenate([block.samples for block in sound])
        track = Track(samples, "pcm_s16le", rate=16_000)
        whole = write_media(tmp_path / "whole.wav", track).read_bytes()
        (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DamagedMediaError) as caught:
            transcribe(tmp_path / "cut.wav", model="tiny.en")
        assert caught.value.lost == pytest.approx(8.15, abs=0.2)
        assert isinstance(caught.value.transcript, Transcript)
        assert caught.value.transcript.text.startswith("These take the shape")

    def test_an_option_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(OptionError, match="unknown option 'volume'"):
            transcribe(SAMPLE, model="tiny.en", volume=3)  # type: ignore[call-arg]
