"""The inputs of one call: checked, heard with one model, their files written, and summed up."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from subvino.cli.broken_rules import count_rules, describe_broken
from subvino.cli.claims import Claims
from subvino.cli.jobs import format_clock
from subvino.cli.progress import MediaBars, show_steps
from subvino.cli.screen import Screen, align
from subvino.cues import violations
from subvino.errors import (
    DeviceError,
    JobBusyError,
    ModelError,
    OptionError,
    SubvinoError,
)
from subvino.folders import FoundFile, find_media, has_subtitles_inside, speaks
from subvino.formats import FORMATS
from subvino.journal import Journal
from subvino.ledger import Ledger
from subvino.media import choose_audio_track, probe
from subvino.models import Progress
from subvino.outputs import OutputPlace
from subvino.pipeline import (
    TRANSCRIPT_SUFFIX,
    EngineOptions,
    FileWriter,
    Transcriber,
    TranscriptStream,
    jobs_folder,
    ledger_place,
    place_outputs,
    read_transcript,
)
from subvino.recognizer import WindowResult
from subvino.storage import fetch_stored, find_stored, is_storage_url, stored_stem
from subvino.subtitles import Cue, Subtitles
from subvino.tokenizer import LANGUAGES
from subvino.transcript import Transcript
from subvino.transcription import UNDETERMINED
from subvino.urls import DownloadProgress, UrlEntry, download, find_entries, is_url

if TYPE_CHECKING:
    from subvino.cli.subtitling import Plan

Load = Callable[[str, EngineOptions, Progress], Transcriber]
_T = TypeVar("_T")
State = Literal["done", "skipped", "failed"]

CHECKED_SUFFIXES = frozenset(row.suffix for row in FORMATS.values() if row.needs_cues and row.read)
"""Of files that `subvino check` reads: their cues have texts, in-times and out-times."""

HOW_TO_GO_ON = "interrupted; the same command goes on where this one stopped"

DONE_BEFORE = "done before"
HAS_SUBTITLES = "has subtitles"
OTHER_LANGUAGE = "in another language"
HAS_FILES = "its files are there"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an input.

    reason: why it was skipped or failed. files: what was written for it.
    duration: of what was heard, seconds. broken: cues by the rule of the profile they break.
    """

    input: str
    state: State
    reason: str = ""
    files: tuple[str, ...] = ()
    language: str | None = None
    duration: float = 0.0
    broken: Mapping[str, int] = field(default_factory=dict)


BATCH_TO_TRANSLATE = 16
"""Media that are heard before they are translated: what was fetched is kept until then."""


@dataclass(slots=True)
class _Work:
    """A media file on its way.

    name: what the user calls it. media: its path or URL.
    found: its row of a folder's listing, and the folder's ledger.
    advance: tells how many seconds are done.
    """

    name: str
    media: str | Path
    place: OutputPlace
    stream: TranscriptStream
    advance: Callable[[float], None]
    found: FoundFile | None = None
    ledger: Ledger | None = None
    journal: Journal | None = None
    language: str | None = None
    has_failed: bool = False
    begin: float = field(default_factory=time.perf_counter)
    cleanup: ExitStack = field(default_factory=ExitStack)

    @property
    def path(self) -> Path:
        """Of a media file that is no URL."""
        return Path(self.media)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A media file that was heard: what was said, and what was made of it so far.

    broken: as `Outcome` has it.
    """

    work: _Work
    transcript: Transcript
    shots: tuple[float, ...]
    files: tuple[Path, ...]
    cues: Subtitles
    broken: Mapping[str, int]


class Batch:
    """The inputs of one call.

    outcomes: of all inputs so far.
    busy: folders that were left alone, as another process is at work on them.
    """

    def __init__(
        self, plan: Plan, screen: Screen, load: Load, claims: Claims | None = None
    ) -> None:
        """claims: of the batches before this one, where folders are watched."""
        self.outcomes: list[Outcome] = []
        self.busy: list[Path] = []
        self._plan, self._screen, self._load_model = plan, screen, load
        self._writer = FileWriter(plan.outputs)
        self._claims = claims or Claims()
        self._claims.begin()
        self._folders: set[Path] = set()
        self._keys: set[str] = set()  # of the jobs whose journals are held
        self._to_translate: list[_Heard] = []
        self._transcriber: Transcriber | None = None
        self._bars = MediaBars(screen)
        self._open = ExitStack()
        self._began = time.perf_counter()
        self._has_folders = False
        self._n_skipped = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing failed."""
        return all(outcome.state != "failed" for outcome in self.outcomes)

    def run(self, inputs: Sequence[str]) -> None:
        """Make the files of every input; one that fails does not stop the others."""
        self._work_on(self._begin_all(inputs))

    def run_found(self, found: Mapping[Path, Sequence[FoundFile]]) -> None:
        """Make the files of these, by folder; those of `busy` ones are left for another time."""
        self._work_on(self._begin_found_in(found))

    def _work_on(self, works: Iterator[_Work]) -> None:
        batch_size = BATCH_TO_TRANSLATE if self._plan.outputs.bilingual else None
        with self._open, self._bars:
            try:
                for first in works:
                    self._hear(chain([first], islice(works, batch_size and batch_size - 1)))
                    self._translate()
            except KeyboardInterrupt:
                raise KeyboardInterrupt(HOW_TO_GO_ON) from None

    def _hear(self, works: Iterator[_Work]) -> None:
        with closing(self._heard(works)) as heard:
            for work, result in heard:
                self._attempt(work, partial(self._go_on, work, result))

    def _heard(
        self, works: Iterator[_Work]
    ) -> Generator[tuple[_Work, WindowResult | None], None, None]:
        plan, by_stream = self._plan, dict[int, _Work]()

        def streams() -> Iterator[TranscriptStream]:
            for work in works:
                by_stream[id(work.stream)] = work
                yield work.stream

        with closing(self._load().hear(streams(), plan.decoding, plan.n_jobs)) as heard:
            for stream, result in heard:
                yield by_stream[id(stream)], result
                if result is None:
                    del by_stream[id(stream)]

    def _go_on(self, work: _Work, result: WindowResult | None) -> None:
        """Take a result, or finish."""
        if result is not None:
            if not work.has_failed:
                self._take(work, result)
            return
        with work.cleanup:
            if not work.has_failed:
                self._finish(work)

    def _translate(self) -> None:
        """Hear once more, into English, what was heard in other languages."""
        for heard in self._to_translate:
            with heard.work.cleanup:
                self._attempt(heard.work, partial(self._translate_one, heard))
        self._to_translate.clear()

    def _attempt(self, work: _Work, step: Callable[[], None]) -> None:
        """Take a step of the work; what goes wrong and concerns this input alone is noted."""
        try:
            step()
        except (DeviceError, ModelError):
            raise
        except Exception as error:  # noqa: BLE001  one bad file does not stop the others
            work.has_failed = True
            work.stream.stop()
            self._fail(work.name, error)

    def _guarded(self, name: str, steps: Iterator[_T]) -> Iterator[_T]:
        """The steps; what goes wrong on the way to them concerns this input alone."""
        try:
            yield from steps
        except (OptionError, DeviceError, ModelError):
            raise
        except Exception as error:  # noqa: BLE001  one bad file does not stop the others
            self._fail(name, error)

    def _fail(self, name: str, error: Exception) -> None:
        reason = str(error) if isinstance(error, SubvinoError) else self._screen.bug(error)
        self._note(Outcome(name, "failed", reason))
        self._screen.error(reason)

    def _note(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._n_skipped += outcome.state == "skipped"
        self._bars.count(len(self.outcomes), self._n_skipped)

    # What an input comes to

    def _begin_all(self, inputs: Sequence[str]) -> Iterator[_Work]:
        """The works of all inputs.

        All folders are looked through before the first work: it must not take the place of what
        an earlier run wrote for a file of the last one.
        """
        begun = [
            works
            for name in dict.fromkeys(inputs)
            for works in self._guarded(name, self._look_through(name))
        ]
        yield from chain.from_iterable(begun)

    def _begin_found_in(self, found: Mapping[Path, Sequence[FoundFile]]) -> Iterator[_Work]:
        begun = [
            works for folder, files in found.items() for works in self._open_free(folder, files)
        ]
        yield from chain.from_iterable(begun)

    def _open_free(self, folder: Path, files: Sequence[FoundFile]) -> Iterator[Iterator[_Work]]:
        """The works of a folder, where no other process holds its ledger."""
        try:
            yield from self._open_folder(folder, files)
        except JobBusyError as error:
            self.busy.append(folder)
            self._screen.note_once(f"{error}; tries again until that ends")

    def _look_through(self, name: str) -> Iterator[Iterator[_Work]]:
        """The works of an input; a folder's files are found at once."""
        if os.path.isdir(name):  # noqa: PTH112  Path.is_dir raises for a name that is too long
            path = Path(name)
            yield from self._open_folder(path, find_media(path, self._plan.folders))
        else:
            yield self._guarded(name, self._begin(name))

    def _begin(self, name: str) -> Iterator[_Work]:
        """The works of an input that is no folder: of each entry of a list."""
        path = Path(name)
        if is_storage_url(name):
            self._plan.videos.refuse_without_picture(name)
            for url in find_stored(name):
                yield from self._guarded(url, self._begin_stored(url))
        elif is_url(name):
            self._plan.videos.refuse_without_picture(name)
            for entry in find_entries(name):
                yield from self._guarded(entry.url, self._begin_entry(entry))
        elif path.suffix.lower() == TRANSCRIPT_SUFFIX:
            self._plan.videos.refuse_without_picture(name)
            if self._plan.outputs.bilingual:
                raise OptionError(f"{name}: --bilingual needs the video or sound, no transcript")
            self._recut(path)
        else:
            yield from self._begin_media(path, place_outputs(path, self._plan.folder), name)

    def _begin_entry(self, entry: UrlEntry) -> Iterator[_Work]:
        place = OutputPlace(self._plan.folder or Path(), entry.stem)
        if self._is_done(place, entry.title):
            return
        with ExitStack() as cleanup:
            folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="subvino."))
            with self._bars.paused(), show_steps(self._screen) as progress:
                path = download(entry, Path(folder), on_progress=_as_step(progress))
            for work in self._begin_media(path, place, entry.url):
                work.cleanup.push(cleanup.pop_all())
                yield work

    def _begin_stored(self, url: str) -> Iterator[_Work]:
        place = OutputPlace(self._plan.folder or Path(), stored_stem(url))
        if self._plan.cluster is not None:  # the worker that reads it fetches it
            yield from self._begin_media(url, place, url)
            return
        if self._is_done(place, url):
            return
        with ExitStack() as cleanup:
            folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="subvino."))
            with self._bars.paused(), show_steps(self._screen) as progress:
                path = fetch_stored(url, Path(folder), partial(progress, f"fetch {url}"))
            for work in self._begin_media(path, place, url):
                work.cleanup.push(cleanup.pop_all())
                yield work

    def _open_folder(self, folder: Path, files: Sequence[FoundFile]) -> Iterator[Iterator[_Work]]:
        """The works of a folder; none where it was named before.

        Raises JobBusyError where another process holds its ledger.
        """
        if (real := folder.resolve()) in self._folders:
            return
        log = self._writer.log
        files = [one for one in files if not log.has_video(one.path, one.size, one.changed_ns)]
        ledger = self._open_ledger(folder)
        self._folders.add(real)
        self._has_folders = True
        if not files:
            self._screen.note(f"{folder}: no media files in it")
        self._bars.expect(len(files))
        for file in files:
            if ledger is not None and ledger.knows(file.path):
                self._claims.keep(self._place_found(folder, file), file.path)
        yield self._begin_files(folder, files, ledger)

    def _open_ledger(self, folder: Path) -> Ledger | None:
        """The folder's ledger; a line where there can't be one."""
        place = ledger_place(folder, self._plan.key)
        try:
            return self._open.enter_context(Ledger(place, folder, self._plan.resume))
        except OSError as error:
            self._tell_unkept(error)
            return None

    def _begin_files(
        self, folder: Path, files: Sequence[FoundFile], ledger: Ledger | None
    ) -> Iterator[_Work]:
        """The works of the files of a folder that are not done yet."""
        for file in files:
            place, name = self._place_found(folder, file), str(file.path)
            is_done = ledger is not None and ledger.is_done(file.path, file.size, file.changed_ns)
            step = self._pass_over if is_done else self._begin_found
            for work in self._guarded(name, step(file, place)):
                work.found, work.ledger = file, ledger
                yield work

    def _place_found(self, folder: Path, file: FoundFile) -> OutputPlace:
        out = self._plan.folder
        if out is not None:
            out = out / file.path.parent.relative_to(folder)
        return place_outputs(file.path, out)

    def _pass_over(self, file: FoundFile, place: OutputPlace) -> Iterator[_Work]:
        """No work: the file is done."""
        if self._claims.take(place, file.path, str(file.path)):
            self._skip(str(file.path), DONE_BEFORE)
        yield from ()

    def _begin_found(self, file: FoundFile, place: OutputPlace) -> Iterator[_Work]:
        options, name = self._plan.folders, str(file.path)
        if file.is_subtitled(options.skip_subtitled):
            self._skip(name, HAS_SUBTITLES)
            return
        if options.looks_inside:
            info = probe(file.path)
            if has_subtitles_inside(info, options.skip_subtitled):
                self._skip(name, HAS_SUBTITLES)
                return
            if options.audio_languages and not speaks(info, options.audio_languages):
                self._skip(name, OTHER_LANGUAGE)
                return
        yield from self._begin_media(file.path, place, name)

    def _begin_media(self, media: str | Path, place: OutputPlace, name: str) -> Iterator[_Work]:
        """The work of a media file, after all that can be checked before it."""
        plan = self._plan
        if not self._claims.take(place, media, name) or self._is_done(place, name):
            return
        if self._transcriber is None and isinstance(media, Path):  # no media, no model
            choose_audio_track(probe(media), plan.audio_track)
        self._writer.check(place, plan.text_language)
        self._writer.check_translation(place, plan.text_language)
        plan.videos.check(Path(media), place, plan.outputs)
        stream = self._load().open(media, plan.decoding, plan.audio_track, plan.clips)
        work = _Work(name, media, place, stream, self._bars.add(name, stream.to_hear))
        self._keep_journal(work)
        self._open.push(work.cleanup)
        yield work

    def _keep_journal(self, work: _Work) -> None:
        """Give the work its journal; a line where there can't be one."""
        name = work.name
        try:
            job = work.stream.job(name)
            if job.key in self._keys:  # the same film under two names
                return
            journal = Journal(jobs_folder(), job, self._plan.resume)
        except JobBusyError as error:
            self._screen.note(f"{error}; does the same beside it")
            return
        except OSError as error:
            self._tell_unkept(error)
            return
        self._keys.add(job.key)
        work.cleanup.callback(self._keys.discard, job.key)
        work.cleanup.callback(self._tell_problem, name, journal)
        work.journal = work.cleanup.enter_context(journal)
        work.stream.go_on_with(journal)
        if journal.n_results:
            told = format_clock(journal.position)
            self._screen.note(f"{name}: goes on at {told}, where an earlier run was stopped")

    def _tell_unkept(self, error: OSError) -> None:
        """A line, whatever the number of files that it befalls."""
        self._screen.note_once(
            f"what is done can't be kept for going on after a stop ({error.strerror or error})"
        )

    def _tell_problem(self, name: str, journal: Journal) -> None:
        """A line where results could not be written down while the work went on."""
        if journal.problem is not None:
            reason = journal.problem.strerror or str(journal.problem)
            self._screen.complain(
                f"{name}: not all of the work could be kept for going on after a stop ({reason})"
            )

    def _recut(self, path: Path) -> None:
        """Cut a saved transcript into cues again, without the model."""
        transcript = read_transcript(path)
        place = place_outputs(path, self._plan.folder, transcript.text_language)
        if not self._claims.take(place, path, str(path)) or self._is_done(place, str(path)):
            return
        cues = self._writer.cues(transcript)
        files = self._writer.write(transcript, place, cues=cues)
        broken = self._tell_broken(str(path), cues, files)
        self._show_files(files)
        self._note(Outcome(str(path), "done", files=tuple(map(str, files)), broken=broken))

    def _is_done(self, place: OutputPlace, name: str) -> bool:
        if self._plan.outputs.existing != "skip":
            return False
        known = self._plan.text_language
        codes = [known] if known else [*LANGUAGES, UNDETERMINED]
        done = self._writer.all_exist(place, codes)
        done = done and self._writer.translations_exist(place, codes)
        if done:
            self._screen.note(f"{name}: skipped, its files are there")
            self._note(Outcome(name, "skipped", HAS_FILES))
        return done

    def _skip(self, name: str, reason: str) -> None:
        if self._screen.verbose:
            self._screen.note(f"{name}: skipped, {reason}")
        self._note(Outcome(name, "skipped", reason))

    def _load(self) -> Transcriber:
        if self._transcriber is None:
            plan = self._plan
            with self._bars.paused(), show_steps(self._screen) as progress:
                self._transcriber = self._load_model(plan.model, plan.engine, progress)
        return self._transcriber

    # The work

    def _take(self, work: _Work, result: WindowResult) -> None:
        """Show a result; raises OutputError as soon as its files can't be written."""
        stream = work.stream
        if work.language is None:
            work.language = stream.transcript().text_language
            self._writer.check(work.place, work.language)
            self._writer.check_translation(work.place, work.language)
        work.advance(stream.heard)
        if self._screen.verbose:
            part = replace(stream.transcript(), segments=result.segments)
            for cue in self._writer.cues(part).cues:
                for line in _describe_cue(cue):
                    self._screen.result(line)

    def _finish(self, work: _Work) -> None:
        """Write the files of a media file that was heard."""
        stream, plan = work.stream, self._plan
        if stream.failure is not None:
            raise stream.failure
        work.advance(stream.to_hear or stream.heard)
        self._bars.remove(work.name)
        transcript = replace(stream.transcript(), media=work.name)
        self._tell(work, transcript)
        with self._bars.paused():
            shots = plan.videos.find_shots(work.path, self._screen)
            cues = self._writer.cues(transcript, shots)
            files = self._writer.write(transcript, work.place, shots, cues)
        broken = self._tell_broken(work.name, cues, files)
        heard = _Heard(work, transcript, shots, files, cues, broken)
        if self._must_translate(heard):
            self._postpone(heard)
        else:
            self._conclude(heard, [cues])

    def _must_translate(self, heard: _Heard) -> bool:
        if self._plan.outputs.bilingual is None or not heard.transcript.spoken:
            return False
        transcript = heard.transcript
        if {one.language or transcript.language for one in transcript.spoken} == {"en"}:
            self._screen.note(f"{heard.work.name}: it is in English; nothing to translate")
            return False
        return True

    def _postpone(self, heard: _Heard) -> None:
        """Translate it later: what recognizes is in use. All that is open for it stays so."""
        heard.work.cleanup = self._open.enter_context(heard.work.cleanup.pop_all())
        self._to_translate.append(heard)

    def _translate_one(self, heard: _Heard) -> None:
        work, plan = heard.work, self._plan
        language = None if plan.decoding.multilingual else heard.transcript.language
        decoding = replace(plan.decoding, task="translate", language=language)
        name = f"{work.name}: translation"
        stream = self._load().open(work.media, decoding, plan.audio_track, plan.clips)
        advance = self._bars.add(name, stream.to_hear)
        try:
            for _ in stream:
                advance(stream.heard)
        finally:
            self._bars.remove(name)
        translated = replace(stream.transcript(), media=work.name)
        written = self._writer.write_translation(
            heard.transcript, translated, work.place, heard.shots
        )
        if plan.outputs.bilingual == "lines":
            both = [self._writer.paired_cues(heard.transcript, translated, heard.shots)]
        else:
            both = [heard.cues, self._writer.cues(translated, heard.shots)]
            broken = Counter(heard.broken) + Counter(self._tell_broken(name, both[1], written))
            heard = replace(heard, broken=dict(broken))  # asdict can't copy a Counter
        self._conclude(replace(heard, files=heard.files + written), both)

    def _conclude(self, heard: _Heard, shown: Sequence[Subtitles]) -> None:
        """Make the videos, and note what was made; shown: in the video, the first by default."""
        work, stream = heard.work, heard.work.stream
        with self._bars.paused():
            files = heard.files + self._make_videos(work, shown)
        damage = stream.error()
        # Damaged, it is tried again next time: a share that was away for a moment is damage too.
        if damage is None and work.ledger is not None and work.found is not None:
            with suppress(OSError):  # then it is done again after a stop
                work.ledger.note(work.path, work.found.size, work.found.changed_ns, files)
        self._show_files(files)  # who reads them may stop us right then
        if work.journal is not None:
            work.journal.discard()
        if damage is not None:
            raise damage
        seconds = stream.to_hear or stream.heard
        names, language = tuple(map(str, files)), heard.transcript.language
        done = Outcome(work.name, "done", "", names, language, round(seconds, 3), heard.broken)
        self._note(done)

    def _tell(self, work: _Work, transcript: Transcript) -> None:
        """How it went, in a line."""
        seconds = work.stream.to_hear or work.stream.heard
        told = _describe_work(transcript, work.name, seconds, time.perf_counter() - work.begin)
        if self._screen.verbose:
            told += _describe_doubts(transcript, self._plan.outputs.keep_suspect)
        self._screen.note(told)

    def _tell_broken(self, name: str, cues: Subtitles, files: Sequence[Path]) -> dict[str, int]:
        """A line about the rules that cues break, where they can be checked in one of the files.

        Gives the number of cues by rule.
        """
        outputs = self._plan.outputs
        if not any(file.suffix in CHECKED_SUFFIXES for file in files):
            return {}
        found = violations(cues, outputs.rules_for(cues.language))
        if found:
            told = describe_broken(found, len(cues.cues), outputs.profile)
            self._screen.note(f"{name}: {told}; subvino check says which")
        return count_rules(found)

    def _make_videos(self, work: _Work, shown: Sequence[Subtitles]) -> tuple[Path, ...]:
        shown = [subtitles for subtitles in shown if subtitles.cues]
        if not shown:
            return ()
        plan = self._plan
        made = plan.videos.make(work.path, shown, work.place, plan.outputs, self._screen)
        return tuple(self._noted(path) for path in made)

    def _noted(self, video: Path) -> Path:
        """The video, remembered as ours from now on."""
        self._writer.log.note_video(video)
        return video

    def _show_files(self, paths: Sequence[Path]) -> None:
        for path in paths if not self._plan.as_json else ():
            self._screen.result(str(path))

    # The end

    def sum_up(self) -> None:
        """Of several inputs, say again which failed: it may be long ago."""
        if self._plan.as_json:
            self._screen.result(json.dumps(self._summary(), ensure_ascii=False, indent=2))
        elif self._has_folders:
            for line in align(self._table()):
                self._screen.note(line)
        failed = [outcome for outcome in self.outcomes if outcome.state == "failed"]
        if not failed or len(self.outcomes) == 1:
            return
        self._screen.complain(f"{len(failed)} of {len(self.outcomes)} inputs failed:")
        for outcome in failed:
            self._screen.complain(f"  {outcome.reason}")

    def _table(self) -> list[tuple[str, str]]:
        """What became of how many files, and what it took."""
        took = max(time.perf_counter() - self._began, 1e-3)
        heard = sum(outcome.duration for outcome in self.outcomes)
        counts = Counter(
            "failed"
            if one.state == "failed"
            else f"skipped: {one.reason}"
            if one.reason
            else "done"
            for one in self.outcomes
        )
        rows = [(name, str(n)) for name, n in sorted(counts.items())]
        speed = f"{format_clock(heard)} in {format_clock(took)} ({heard / took:.1f}x)"
        return [*rows, ("sound", speed)]

    def _summary(self) -> dict[str, object]:
        states = Counter(outcome.state for outcome in self.outcomes)
        return {
            **{state: states[state] for state in ("done", "skipped", "failed")},
            "seconds_heard": round(sum(outcome.duration for outcome in self.outcomes), 3),
            "seconds_taken": round(time.perf_counter() - self._began, 3),
            "inputs": [asdict(outcome) for outcome in self.outcomes],
        }


def _as_step(progress: Callable[[str, int, int], None]) -> Callable[[DownloadProgress], None]:
    """A download's progress, told as a step."""
    return lambda state: progress(
        f"download {state.title}", state.n_bytes, state.n_bytes_total or 0
    )


def _describe_work(transcript: Transcript, name: str, seconds: float, took: float) -> str:
    """How long it took to hear so many seconds, in a line."""
    if not transcript.spoken:
        return f"{name}: no speech found"
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
