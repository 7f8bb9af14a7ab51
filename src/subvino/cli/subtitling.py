"""What `subvino INPUT...` does: one input after another, with one model for all of them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from subvino.cli.jobs import format_clock
from subvino.cli.options import check_choice, given, split_numbers
from subvino.cli.progress import show_media, show_steps
from subvino.cli.screen import Screen
from subvino.cli.video_output import VideoPlan
from subvino.clip import Clip
from subvino.devices import choose_device
from subvino.errors import (
    DeviceError,
    JobBusyError,
    ModelError,
    OptionError,
    OutputError,
    SubvinoError,
)
from subvino.formats import WriteOptions
from subvino.journal import Journal
from subvino.media import choose_audio_track, probe
from subvino.models import find_model
from subvino.network import WeightsKind
from subvino.outputs import OutputPlace
from subvino.pipeline import (
    DEFAULT_MODEL,
    TRANSCRIPT_SUFFIX,
    EngineOptions,
    FileWriter,
    OutputOptions,
    Transcriber,
    TranscriptStream,
    decoding_options,
    jobs_folder,
    load_transcriber,
    place_outputs,
    read_transcript,
)
from subvino.recognizer import DecodingOptions, WindowResult
from subvino.subtitles import Cue, Subtitles
from subvino.tokenizer import LANGUAGES
from subvino.transcript import Task, Transcript
from subvino.transcription import UNDETERMINED
from subvino.urls import DownloadProgress, UrlEntry, download, find_entries, is_url
from subvino.vad import VadOptions

_HOW_TO_GO_ON = "interrupted; the same command goes on where this one stopped"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with every input.

    videos: what is made of its picture. clips: what is heard of media; all where there are none.
    model: a name, a hub id or a folder. folder: of the files written; None: beside the input.
    resume: whether to go on where an earlier run was stopped.
    """

    engine: EngineOptions
    decoding: DecodingOptions
    outputs: OutputOptions
    videos: VideoPlan = field(default_factory=VideoPlan)
    clips: tuple[Clip, ...] = ()
    model: str = DEFAULT_MODEL
    audio_track: str | None = None
    folder: Path | None = None
    resume: bool = True

    def __post_init__(self) -> None:
        """Refuse what is known to fail before a model is fetched; OptionError, DeviceError."""
        choose_device(self.engine.device)
        model = find_model(self.model)
        if model is None or not model.name.endswith(".en"):
            return
        wanted = self.decoding
        if wanted.language not in (None, "en") or wanted.task == "translate" or wanted.multilingual:
            other = model.name.removesuffix(".en")
            raise OptionError(
                f"model {model.name} knows English only and does not translate; "
                f"use --model {other if find_model(other) else DEFAULT_MODEL}"
            )

    @property
    def text_language(self) -> str | None:
        """Code of the language the text will be in; None where the speech must tell."""
        return "en" if self.decoding.task == "translate" else self.decoding.language


# --- options ------------------------------------------------------------------------------------


def engine_options(
    vad: bool,
    vad_threshold: float | None,
    device: str | None,
    weights: str | None,
    threads: int | None,
) -> EngineOptions:
    """How the model is run."""
    kind = None if weights is None else check_choice("weights", weights, WeightsKind)
    values = given(device=device, weights=kind, threads=threads)
    return EngineOptions(vad=_vad_options(vad_threshold) if vad else None, **values)


def _vad_options(threshold: float | None) -> VadOptions:
    if threshold is None:
        return VadOptions()
    lower = min(VadOptions().negative_threshold, threshold)
    return VadOptions(threshold=threshold, negative_threshold=lower)


def decoding(
    language: str | None, task: str | None, temperature: str | None, **values: Any
) -> DecodingOptions:
    """How windows become text; `values` are fields of `DecodingOptions` as they are."""
    kind = None if task is None else check_choice("task", task, Task)
    numbers = None if temperature is None else split_numbers("temperature", temperature)
    options = decoding_options(language, **given(task=kind, temperatures=numbers), **values)
    if options.multilingual and options.language is not None:
        raise OptionError("--multilingual finds the languages out; leave --language out")
    return options


def rule_changes(
    max_chars: int | None,
    max_lines: int | None,
    max_cps: float | None,
    min_duration: float | None,
    max_duration: float | None,
) -> dict[str, float]:
    """Fields of `CueRules` that the user sets; durations in seconds come in milliseconds."""
    return given(
        max_chars=max_chars,
        max_lines=max_lines,
        max_cps=max_cps,
        min_duration_ms=None if min_duration is None else round(min_duration * 1000),
        max_duration_ms=None if max_duration is None else round(max_duration * 1000),
    )


def output_options(
    formats: tuple[str, ...] | None,
    overwrite: bool,
    skip_existing: bool,
    *,
    words: bool | None,
    keep_suspect: bool,
    bom: bool,
    profile: str | None,
    rules: dict[str, float],
) -> OutputOptions:
    """Which files are written, and how; words: None leaves it to each format's purpose."""
    existing = "overwrite" if overwrite else "skip" if skip_existing else None
    return OutputOptions(
        rules=rules,
        write=WriteOptions(words=bool(words)),
        words_in_json=words is not False,
        keep_suspect=keep_suspect,
        byte_order_mark=bom,
        **given(formats=formats, existing=existing, profile=profile),
    )


# --- the work -----------------------------------------------------------------------------------


def make_subtitles(inputs: Sequence[str], plan: Plan, screen: Screen) -> bool:
    """Make the files of every input; whether all went well.

    Raises what would befall every input alike: OptionError, DeviceError, ModelError.
    """
    batch = _Batch(plan, screen)
    for name in inputs:
        batch.attempt(partial(batch.take, name))
    batch.sum_up()
    return not batch.failures


@dataclass(slots=True)
class _Batch:
    """The inputs of one call.

    claimed: what wrote to a place, by place; two inputs must not write the same files.
    failures: a line for each input that failed.
    """

    plan: Plan
    screen: Screen
    n_done: int = 0
    failures: list[str] = field(default_factory=list)
    claimed: dict[OutputPlace, str] = field(default_factory=dict)
    _transcriber: Transcriber | None = None
    _writer: FileWriter = field(init=False)

    def __post_init__(self) -> None:
        self._writer = FileWriter(self.plan.outputs)

    def attempt(self, work: Callable[[], None]) -> None:
        """Do it; what concerns this input alone is noted, and the next one has its turn."""
        try:
            work()
        except (OptionError, DeviceError, ModelError):
            raise
        except SubvinoError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001  one bad file does not stop the others
            self._fail(self.screen.bug(error))

    def _fail(self, reason: str) -> None:
        self.failures.append(reason)
        self.screen.error(reason)

    def sum_up(self) -> None:
        """Of several inputs, say again which failed: it may be long ago."""
        n_inputs = self.n_done + len(self.failures)
        if not self.failures or n_inputs == 1:
            return
        self.screen.complain(f"{len(self.failures)} of {n_inputs} inputs failed:")
        for reason in self.failures:
            self.screen.complain(f"  {reason}")

    def take(self, name: str) -> None:
        """Make the files of an input, or of each entry of a list."""
        path = Path(name)
        if is_url(name):
            self.plan.videos.refuse_without_picture(name)
            for entry in find_entries(name):
                self.attempt(partial(self._take_entry, entry))
        elif path.suffix.lower() == TRANSCRIPT_SUFFIX:
            self.plan.videos.refuse_without_picture(name)
            self._recut(path)
        else:
            self._take_media(path, place_outputs(path, self.plan.folder), name)

    def _take_entry(self, entry: UrlEntry) -> None:
        place = OutputPlace(self.plan.folder or Path(), entry.stem)
        if self._is_done(place, entry.title):
            return
        with tempfile.TemporaryDirectory(prefix="subvino.") as folder:
            with show_steps(self.screen) as progress:
                path = download(entry, Path(folder), on_progress=_as_step(progress))
            self._take_media(path, place, entry.url)

    def _recut(self, path: Path) -> None:
        """Cut a saved transcript into cues again, without the model."""
        transcript = read_transcript(path)
        place = place_outputs(path, self.plan.folder, transcript.text_language)
        self._claim(place, str(path))
        if self._is_done(place, str(path)):
            return
        self._show_files(self._writer.write(transcript, place))
        self.n_done += 1

    def _take_media(self, path: Path, place: OutputPlace, name: str) -> None:
        """Make the files of a media file; `name` is what the user calls it."""
        self._claim(place, name)
        if self._is_done(place, name):
            return
        choose_audio_track(probe(path), self.plan.audio_track)
        self._writer.check(place, self.plan.text_language)
        self.plan.videos.check(path, place, self.plan.outputs)
        plan = self.plan
        stream = self._load().open(path, plan.decoding, plan.audio_track, plan.clips)
        with self._journalled(stream, name) as journal:
            self._listen(stream, place, name)
            transcript = replace(stream.transcript(), media=name)
            shots = plan.videos.find_shots(path, self.screen)
            self._show_files(self._writer.write(transcript, place, shots))
            self._make_videos(path, self._writer.cues(transcript, shots), place)
            if journal is not None:
                journal.discard()
        if (damage := stream.error()) is not None:
            raise damage
        self.n_done += 1

    @contextmanager
    def _journalled(self, stream: TranscriptStream, name: str) -> Iterator[Journal | None]:
        """The journal of the work, in use; None, and a line, where there can't be one."""
        try:
            journal = Journal(jobs_folder(), stream.job(name), self.plan.resume)
        except JobBusyError as error:
            self.screen.note(f"{error}; does the same beside it")
            yield None
            return
        except OSError as error:
            self.screen.note(f"{name}: can't be gone on with after a stop ({error.strerror})")
            yield None
            return
        stream.go_on_with(journal)
        with journal:
            if journal.n_results:
                told = format_clock(journal.position)
                self.screen.note(f"{name}: goes on at {told}, where an earlier run was stopped")
            try:
                yield journal
            except KeyboardInterrupt:
                raise KeyboardInterrupt(_HOW_TO_GO_ON) from None

    def _make_videos(self, path: Path, subtitles: Subtitles, place: OutputPlace) -> None:
        if not subtitles.cues:
            return
        plan = self.plan
        for made in plan.videos.make(path, subtitles, place, plan.outputs, self.screen):
            self.screen.result(str(made))

    def _claim(self, place: OutputPlace, name: str) -> None:
        place = OutputPlace(place.folder.absolute(), place.stem)
        if place in self.claimed:
            path = place.folder / place.stem
            raise OutputError(
                f"{name}: would write the same files as {self.claimed[place]}; "
                "run it alone with another --output-dir",
                path,
            )
        self.claimed[place] = name

    def _is_done(self, place: OutputPlace, name: str) -> bool:
        if self.plan.outputs.existing != "skip":
            return False
        known = self.plan.text_language
        codes = [known] if known else [*LANGUAGES, UNDETERMINED]
        done = self._writer.all_exist(place, codes)
        if done:
            self.screen.note(f"{name}: skipped, its files are there")
            self.n_done += 1
        return done

    def _load(self) -> Transcriber:
        if self._transcriber is None:
            with show_steps(self.screen) as progress:
                self._transcriber = load_transcriber(self.plan.model, self.plan.engine, progress)
        return self._transcriber

    def _listen(self, stream: TranscriptStream, place: OutputPlace, name: str) -> None:
        """Have the stream transcribed; stop as soon as its files can't be written."""
        begin = time.perf_counter()
        language: str | None = None
        with show_media(self.screen, name, stream.to_hear) as advance:
            for result in stream:
                if language is None:
                    language = stream.transcript().text_language
                    self._writer.check(place, language)
                advance(stream.heard)
                self._show_cues(stream, result)
            advance(stream.to_hear or stream.heard)
        took = time.perf_counter() - begin
        told = _describe_work(stream, name, took)
        if self.screen.verbose:
            told += _describe_doubts(stream.transcript(), self.plan.outputs.keep_suspect)
        self.screen.note(told)

    def _show_cues(self, stream: TranscriptStream, result: WindowResult) -> None:
        if self.screen.verbose:
            part = replace(stream.transcript(), segments=result.segments)
            for cue in self._writer.cues(part).cues:
                for line in _describe_cue(cue):
                    self.screen.result(line)

    def _show_files(self, paths: Sequence[Path]) -> None:
        for path in paths:
            self.screen.result(str(path))


def _as_step(progress: Callable[[str, int, int], None]) -> Callable[[DownloadProgress], None]:
    """A download's progress, told as a step."""
    return lambda state: progress(
        f"download {state.title}", state.n_bytes, state.n_bytes_total or 0
    )


def _describe_work(stream: TranscriptStream, name: str, took: float) -> str:
    """How long it took, in a line."""
    transcript = stream.transcript()
    if not transcript.spoken:
        return f"{name}: no speech found"
    seconds = stream.to_hear or stream.heard
    return (
        f"{name}: {_describe_language(transcript)}, "
        f"{seconds:.1f} s in {took:.1f} s ({seconds / took:.1f}x)"
    )


def _describe_language(transcript: Transcript) -> str:
    """As "en (98%)", or "de, en" where the segments have languages of their own."""
    languages = sorted({one.language for one in transcript.spoken if one.language is not None})
    if len(languages) > 1:
        return ", ".join(languages)
    return f"{transcript.language} ({transcript.language_probability:.0%})"


def _describe_doubts(transcript: Transcript, kept: bool) -> str:
    """What verdicts there are, as the end of a line; nothing where there are none."""
    n_doubtful = len(transcript.segments) - len(transcript.spoken)
    if not n_doubtful:
        return ""
    what = "passage" if n_doubtful == 1 else "passages"
    done = "kept though doubtful" if kept else "taken out as doubtful"
    return f"; {n_doubtful} {what} {done}: see the JSON"


def _describe_cue(cue: Cue) -> list[str]:
    """As `   0:01.000 -  0:02.500  first line`, its other lines below the first."""
    times = f"{_clock(cue.start_ms)} - {_clock(cue.end_ms)}"
    return [f"{times if n == 0 else ' ' * len(times)}  {line}" for n, line in enumerate(cue.lines)]


def _clock(time_ms: int) -> str:
    """As "1:02:03.450"; hours only where there are any."""
    minutes, rest = divmod(time_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"
    return f"{hours}:{clock}" if hours else clock
