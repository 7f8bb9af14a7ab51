"""Media in, subtitle files out: the one place that builds objects.

Floor 4 of the road. `Transcriber` holds what is costly to make and serves any number of files;
`FileWriter` turns a transcript into the files that were asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Protocol, TypedDict

from typing_extensions import Unpack

from subvino.ahead import Ahead
from subvino.audio import Audio, WindowSound
from subvino.bilingual import pair_cues
from subvino.chinese import script_of_tag
from subvino.clip import Clip, clip_audio, heard_seconds, parse_clips
from subvino.cues import PROFILES, CueRules, build_cues, rules_for
from subvino.errors import (
    DamagedMediaError,
    InputError,
    MediaNotFoundError,
    MediaPermissionError,
    OptionError,
    SubtitleFileError,
    SubvinoError,
)
from subvino.formats import (
    FORMATS,
    MAX_FILE_BYTES,
    WriteOptions,
    decode_text,
    encode_text,
    find_format,
    write,
)
from subvino.journal import (
    Job,
    Journal,
    JournalledRecognizer,
    digest_code,
    digest_media,
    digest_values,
)
from subvino.media import AudioStream, read_audio
from subvino.models import (
    DEFAULT_WEIGHTS,
    Progress,
    cache_folder,
    digest_model,
    outputs_folder,
    prepare_model,
)
from subvino.network import WeightsKind
from subvino.outputs import Existing, OutputLog, OutputPlace, check_writable
from subvino.recognizer import (
    DecodingOptions,
    FileRecognizer,
    FileWindows,
    Recognizer,
    WindowResult,
    always_ready,
)
from subvino.subtitles import Subtitles
from subvino.text_alignment import GivenText, WordAligner, align_windows, place_words
from subvino.tokenizer import language_code
from subvino.transcript import ChineseScript, Segment, Task, Transcript
from subvino.transcription import make_transcript
from subvino.vad import VadOptions, load_detector
from subvino.windows import Detector, WindowOptions, hear_everything, stream_windows

DEFAULT_MODEL = "base"
DEFAULT_PROFILE = "default"
AUTO_LANGUAGE = "auto"
WINDOWS_AHEAD = 4
"""Windows (2 MB each) of a file that wait for the recognizer."""

MULTILINGUAL_WINDOW = 10.0
MULTILINGUAL_PAUSE = 0.6
"""Seconds at most of a window that may be in a language of its own, and of a pause inside it: it
has one language, so it must not go on where the next speaker has another."""

LANGUAGE_WINDOWS = 6
"""Windows at the start of a file by which its language is told."""

TRANSCRIPT_SUFFIX = ".json"
"""Of inputs that are transcripts and need no model."""

OnSound = Callable[[float], None]
"""Told the seconds of each piece of sound before it is heard; what it raises ends the work."""


class MediaSource(Protocol):
    """Where a stream's windows come from.

    media: the file or URL. parts: which of its sound is heard, in words: track and clips.
    n_ahead: windows that may be made beforehand.
    """

    media: str
    parts: str
    n_ahead: int

    @property
    def duration(self) -> float | None:
        """Of the media, seconds, as its container says; None where it does not."""

    def windows(self) -> Iterator[WindowSound]:
        """The windows, once. Raises InputError."""

    def digest(self) -> str:
        """As `journal.digest_media`; raises OSError."""

    def error(self) -> DamagedMediaError | None:
        """What could not be read of the media, known at the end; None if nothing was lost."""

    def close(self) -> None:
        """Read no more."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a model is run on, and how.

    device: "AUTO", "CPU", "GPU", "GPU.1", "NPU", ...
    weights: how matrices are stored when a checkpoint is converted, "int8" or "fp16".
    threads: of the CPU; None takes the cores this process may use.
    vad: None finds no speech first and hears everything.
    """

    device: str = "AUTO"
    weights: WeightsKind = DEFAULT_WEIGHTS
    threads: int | None = None
    vad: VadOptions | None = field(default_factory=VadOptions)
    windows: WindowOptions = field(default_factory=WindowOptions)


class Transcriber:
    """A loaded model and a speech detector, ready for any number of media files.

    identity: a digest of all that makes text out of sound here, for the names of journals.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        detector: Detector,
        windows: WindowOptions | None = None,
        identity: str = "",
    ) -> None:
        self.recognizer = recognizer
        self.identity = identity
        self._detector = detector
        self._windows = windows or WindowOptions()

    def open(
        self,
        media: str | Path,
        options: DecodingOptions | None = None,
        audio_track: str | None = None,
        clips: Sequence[Clip] = (),
        on_sound: OnSound | None = None,
    ) -> TranscriptStream:
        """The media's transcript as it is made.

        audio_track: its number among the audio tracks, from 0, or its language.
        clips: from `parse_clips`; only what lies in them is heard, all where there are none.
        on_sound: told of each block of sound.

        Raises:
            InputError: the media can't be read, or has no such track.
            OptionError: the model does not know the language or the task.
        """
        options = options or DecodingOptions()
        self.check(options)
        source = self.source(media, options, audio_track, clips, on_sound)
        return TranscriptStream(self, source, options, clips)

    def source(
        self,
        media: str | Path,
        options: DecodingOptions,
        audio_track: str | None = None,
        clips: Sequence[Clip] = (),
        on_sound: OnSound | None = None,
    ) -> MediaSource:
        """The media's windows, read here; as `open` takes and raises."""
        audio = read_audio(media, audio_track)
        return FileSource(self, audio, options, clips, on_sound)

    def detect_language(
        self,
        media: str | Path,
        audio_track: str | None = None,
        clips: Sequence[Clip] = (),
        on_sound: OnSound | None = None,
    ) -> Mapping[str, float]:
        """Language code → probability, likeliest first, by the first minutes of speech.

        Where nobody speaks, by the first window of whatever sound there is. Raises InputError.
        """
        for detector, n_windows in ((self._detector, LANGUAGE_WINDOWS), (hear_everything, 1)):
            with read_audio(media, audio_track) as audio:
                sound = _watched(clip_audio(audio, clips), on_sound)
                windows = stream_windows(sound, detector, self._windows)
                heard = self.recognizer.detect_language(islice(windows, n_windows))
            if heard:
                break
        return heard

    def hear(
        self, streams: Iterable[TranscriptStream], options: DecodingOptions, n_read: int = 1
    ) -> Generator[tuple[TranscriptStream, WindowResult | None], None, None]:
        """A result for every window of several media, each with its stream; None at a stream's end.

        Windows of different media are recognized together, so that short clips are as fast as long
        ones; each has the results that it would have alone.

        options: those that the streams were opened with.
        n_read: media that are read beforehand.

        What is wrong with one of the media ends its stream and none else: see `failure`.
        """
        heard: dict[int, TranscriptStream] = {}

        def files() -> Iterator[FileWindows]:
            with closing(_read_ahead(streams, n_read)) as ready:
                for number, stream in enumerate(ready):
                    heard[number] = stream
                    yield stream.begin()

        try:
            for number, result in self.recognizer.recognize_many(files(), options):
                stream = heard[number]
                for one in stream.take(result):
                    yield stream, one
                if result is None:
                    heard.pop(number).close()
                    yield stream, None
        finally:
            for stream in heard.values():
                stream.close()

    def windows(self, audio: Iterable[Audio], options: DecodingOptions) -> Iterator[WindowSound]:
        """The windows of speech in the audio."""
        windows = self._windows
        if options.multilingual:
            shorter = min(windows.max_duration, MULTILINGUAL_WINDOW)
            windows = replace(windows, max_duration=shorter, split_pause=MULTILINGUAL_PAUSE)
        return stream_windows(audio, self._detector, windows)

    def align(
        self,
        media: str | Path,
        text: str,
        options: DecodingOptions | None = None,
        audio_track: str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> AlignedText:
        """A transcript of a text that is known to be what is said in the media.

        progress: told the seconds of the media that were heard; the words' times come after that.

        Raises what `open` raises, OptionError where the recognizer can't align words, and
        DamagedMediaError where part of the media can't be read.
        """
        if not isinstance(self.recognizer, WordAligner):
            raise OptionError(f"model {self.recognizer.name} can't tell when given words are said")
        stream = self.open(media, options, audio_track)
        results = []
        for result in stream:
            results.append(result)
            if progress is not None:
                progress(stream.heard)
        if (error := stream.error()) is not None:
            raise error
        heard, given = stream.transcript(), GivenText.of(text)
        if not results:
            return AlignedText(heard, len(given.words), 0)
        placing = place_words(given, results)
        # The same sound gives the same windows.
        with read_audio(media, audio_track) as audio:
            sounds = stream_windows(audio, self._detector, self._windows)
            segments = align_windows(given, placing, sounds, self.recognizer, heard.language)
            aligned = replace(heard, segments=tuple(segments))
        return AlignedText(aligned, len(given.words), placing.n_heard)

    def check(self, options: DecodingOptions) -> None:
        """Refuse what the model can't do before any work is done; raises OptionError."""
        known = self.recognizer.languages
        if options.language is not None and options.language not in known:
            raise OptionError(
                f"model {self.recognizer.name} does not know the language {options.language!r}, "
                f"only: {', '.join(known)}; choose a multilingual model"
            )
        if len(known) == 1 and (options.task == "translate" or options.multilingual):
            raise OptionError(
                f"model {self.recognizer.name} knows one language only and can't translate; "
                "choose a multilingual model"
            )


@dataclass(frozen=True, slots=True)
class AlignedText:
    """A transcript of given text; how many words it has, and how many of them were heard."""

    transcript: Transcript
    n_words: int
    n_heard: int


class FileSource:
    """The windows of a file that is read here; see `MediaSource`."""

    n_ahead = WINDOWS_AHEAD

    def __init__(
        self,
        transcriber: Transcriber,
        audio: AudioStream,
        options: DecodingOptions,
        clips: Sequence[Clip] = (),
        on_sound: OnSound | None = None,
    ) -> None:
        self._transcriber, self._audio, self._options = transcriber, audio, options
        self._clips, self._on_sound = tuple(clips), on_sound
        self.media = str(audio.info.path)
        self.parts = repr((audio.track.index, self._clips))

    @property
    def duration(self) -> float | None:
        """See `MediaSource`; so are the others."""
        return self._audio.info.duration

    def windows(self) -> Iterator[WindowSound]:
        """The windows of speech."""
        sound = _watched(clip_audio(self._audio, self._clips), self._on_sound)
        return self._transcriber.windows(sound, self._options)

    def digest(self) -> str:
        """Of the file."""
        return digest_media(self._audio.info.path)

    def error(self) -> DamagedMediaError | None:
        """What was lost."""
        return self._audio.error()

    def close(self) -> None:
        """Close the file."""
        self._audio.close()


class TranscriptStream:
    """A transcript in the making: iterate over it for the windows' results, in order.

    position: media time, seconds, up to which results have come.
    failure: what ended it before its time, where several are heard (`Transcriber.hear`).
    """

    def __init__(
        self,
        transcriber: Transcriber,
        source: MediaSource,
        options: DecodingOptions,
        clips: Sequence[Clip] = (),
    ) -> None:
        self._transcriber, self._source, self._options = transcriber, source, options
        self._clips = tuple(clips)
        self._journal: Journal | None = None
        self._ahead: Ahead[WindowSound] | None = None
        self._recalled: list[WindowResult] = []
        self._results: list[WindowResult] = []
        self.position = 0.0
        self.failure: SubvinoError | None = None
        self.is_stopped = False

    def __iter__(self) -> Iterator[WindowResult]:
        recognizer: FileRecognizer = self._transcriber.recognizer
        if self._journal is not None:
            recognizer = JournalledRecognizer(recognizer, self._journal)
        try:
            for result in recognizer.recognize(self._windows(), self._options):
                self._keep(result)
                yield result
        finally:
            self.close()

    def begin(self) -> FileWindows:
        """The windows that are to be recognized, where several media are heard."""
        sounds, after = self._guarded(self._windows()), None
        if self._journal is not None:
            self._recalled = list(self._journal.recall(sounds))
            after = self._recalled[-1].carry if self._recalled else None
            sounds = self._journal.rest(sounds)
        is_ready = always_ready if self._ahead is None else self._ahead.is_ready
        return FileWindows(sounds, after, is_ready, self._fail)

    def take(self, result: WindowResult | None) -> Iterator[WindowResult]:
        """Those that the journal had, and the next window's result; None: no more windows come."""
        recalled, self._recalled = self._recalled, []
        for one in recalled:
            self._keep(one)
            yield one
        if result is not None:
            if self._journal is not None:
                self._journal.note(result)
            self._keep(result)
            yield result

    def _keep(self, result: WindowResult) -> None:
        self._results.append(result)
        self.position = result.window.end

    def _guarded(self, sounds: Iterator[WindowSound]) -> Iterator[WindowSound]:
        """The windows up to where the media can't be read, or is not wanted any more."""
        try:
            for sound in sounds:
                if self.is_stopped:
                    return
                yield sound
        except InputError as error:
            self._fail(error)

    def _fail(self, error: SubvinoError) -> None:
        self.failure = error

    def read_ahead(self) -> None:
        """Begin to read the media, in a thread, as far as there is room."""
        self._ahead = Ahead(self._windows(), self._source.n_ahead)

    def stop(self) -> None:
        """Let no more of it be heard, where several are."""
        self.is_stopped = True

    def close(self) -> None:
        """Read no more."""
        if self._ahead is None or self._ahead.close():
            self._source.close()

    def _windows(self) -> Iterator[WindowSound]:
        if self._ahead is not None:
            return iter(self._ahead)
        return self._source.windows()

    def job(self, name: str = "") -> Job:
        """The work that this is, for its journal; name: what the user calls the media.

        Raises OSError where the media can't be read.
        """
        return Job(
            media=name or self._source.media,
            model=self._transcriber.recognizer.name,
            media_digest=self._source.digest(),
            engine=self._transcriber.identity,
            options=self._options,
            parts=self._source.parts,
        )

    def go_on_with(self, journal: Journal) -> None:
        """Take what this work's journal has, and write the rest into it; before the first result.

        The journal stays open until its owner closes it, or discards it with the files written.
        """
        self._journal = journal

    @property
    def duration(self) -> float | None:
        """Of the media, seconds, as its container says; None where it does not."""
        return self._source.duration

    @property
    def heard(self) -> float:
        """Seconds done of those that are to be heard, which is all but what no clip holds."""
        return heard_seconds(self._clips, self.position)

    @property
    def to_hear(self) -> float | None:
        """Seconds to be heard in all; None where the container does not tell."""
        return None if self.duration is None else heard_seconds(self._clips, self.duration)

    @property
    def language(self) -> str | None:
        """Code of the language spoken; None until the first result."""
        return self._results[0].language if self._results else None

    @property
    def segments(self) -> Iterator[Segment]:
        """All segments that have come so far."""
        return (segment for result in self._results for segment in result.segments)

    def transcript(self) -> Transcript:
        """The transcript of the results that have come so far."""
        return make_transcript(
            self._results,
            duration=self.duration or self.position,
            options=self._options,
            media=self._source.media,
            model=self._transcriber.recognizer.name,
        )

    def error(self) -> DamagedMediaError | None:
        """What could not be read of the media, known at the end; None if nothing was lost."""
        return self._source.error()


def _read_ahead(
    streams: Iterable[TranscriptStream], n: int
) -> Generator[TranscriptStream, None, None]:
    """The streams, each begun to be read `n` streams before it is wanted."""
    source = iter(streams)
    ready: deque[TranscriptStream] = deque()
    try:
        while True:
            for stream in islice(source, n - len(ready)):
                stream.read_ahead()
                ready.append(stream)
            if not ready:
                return
            yield ready.popleft()
    finally:
        for stream in ready:
            stream.close()


def _watched(blocks: Iterable[Audio], on_sound: OnSound | None) -> Iterator[Audio]:
    for block in blocks:
        if on_sound is not None:
            on_sound(block.duration)
        yield block


def load_transcriber(
    model: str | Path = DEFAULT_MODEL,
    options: EngineOptions | None = None,
    progress: Progress | None = None,
) -> Transcriber:
    """Find the model, convert it the first time, compile it for the device.

    model: a name, a hub id, or a folder; see `models.prepare_model`.

    Raises:
        ModelError: the model can't be found, read or trusted.
        DeviceError: no such device.
    """
    from subvino.devices import list_devices, pick, to_properties
    from subvino.whisper import load_recognizer

    options = options or EngineOptions()
    device = pick(options.device, list_devices())
    folder = prepare_model(model, options.weights, progress)
    properties = to_properties(device, threads=options.threads)
    code_digest, model_digest = digest_code(), digest_model(folder)
    compiled = cache_folder() / "compiled" / digest_values(code_digest, model_digest)[:16]
    with ThreadPoolExecutor(1) as beside:
        detector = beside.submit(load_detector, options.vad) if options.vad else None
        kept = {**properties, "CACHE_DIR": str(compiled)}
        recognizer = load_recognizer(folder, device.name, kept)
    how = repr((device, sorted(properties.items()), options.vad, options.windows))
    identity = digest_values(code_digest, model_digest, how)
    heard = hear_everything if detector is None else detector.result()
    return Transcriber(recognizer, heard, options.windows, identity)


def jobs_folder() -> Path:
    """Where the journals of unfinished jobs lie."""
    return cache_folder() / "jobs"


def ledger_place(folder: Path, how: str) -> Path:
    """Where it is noted which files of a folder are done; how: a digest of what is done to them."""
    key = digest_values(str(folder.resolve()), how)
    return cache_folder() / "folders" / key


class Options(TypedDict, total=False):
    """The keywords of `transcribe` and `stream`; one that is left out has the tool's default.

    language: a code or an English name; "auto" detects it.
    task: "transcribe", or "translate" into English.
    audio_track: its number among the audio tracks, from 0, or its language.
    clip: what of the media is heard, as "0:10-1:30,2:00-".
    device, weights, threads, vad, windows: see `EngineOptions`.
    The others: see `recognizer.DecodingOptions`.
    """

    language: str
    task: Task
    audio_track: str | None
    clip: str
    device: str
    weights: WeightsKind
    threads: int | None
    vad: VadOptions | None
    windows: WindowOptions
    beam_size: int
    sure_logprob: float | None
    best_of: int
    temperatures: tuple[float, ...]
    max_compression_ratio: float
    min_avg_logprob: float
    max_no_speech_prob: float
    batch_size: int | None
    words: bool
    multilingual: bool
    prompt: str
    hotwords: str
    suppress: str
    condition_on_previous: bool
    chinese: ChineseScript


def stream(
    media: str | Path, model: str | Path = DEFAULT_MODEL, **options: Unpack[Options]
) -> TranscriptStream:
    """The transcript of a media file as it is made, window by window.

    >>> for result in stream("talk.mp4"):  # doctest: +SKIP
    ...     for segment in result.segments:
    ...         print(segment.start, segment.text)

    Raises InputError, ModelError, DeviceError or OptionError before any work is done.
    """
    values: dict[str, Any] = dict(options)
    audio_track, clip = values.pop("audio_track", None), values.pop("clip", "")
    clips = parse_clips(clip) if clip else ()
    engine = EngineOptions(**_taken(values, EngineOptions))
    decoding = decoding_options(**_taken(values, DecodingOptions))
    if values:
        raise OptionError(f"unknown option {next(iter(values))!r}")
    return load_transcriber(model, engine).open(media, decoding, audio_track, clips)


def transcribe(
    media: str | Path, model: str | Path = DEFAULT_MODEL, **options: Unpack[Options]
) -> Transcript:
    """What is said in a media file, video or audio.

    >>> transcribe("talk.mp4", model="base").text  # doctest: +SKIP

    Raises what `stream` raises, and DamagedMediaError where part of the media can't be read; the
    error's `transcript` is that of the rest.
    """
    results = stream(media, model, **options)
    for _ in results:
        pass
    if (error := results.error()) is not None:
        error.transcript = results.transcript()
        raise error
    return results.transcript()


def decoding_options(language: str | None = None, **values: Any) -> DecodingOptions:
    """Decoding options with the language as users write it: a code, a tag, a name or "auto"."""
    if language is None or language == AUTO_LANGUAGE:
        return DecodingOptions(**values)
    wanted = language_code(language)
    values.setdefault("chinese", script_of_tag(language))
    return DecodingOptions(language=wanted, **values)


def _taken(values: dict[str, Any], kind: type) -> dict[str, Any]:
    """The values that are fields of the dataclass, taken out."""
    names = [item.name for item in fields(kind) if item.name in values]
    return {name: values.pop(name) for name in names}


# --- files out ----------------------------------------------------------------------------------


Bilingual = Literal["files", "lines"]
_TRANSLATED = "en"
"""Code of the language that models translate into."""


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Which files are made of a transcript, and how.

    formats: names of `FORMATS`.
    profile: of cue rules, see `cues.PROFILES`.
    rules: fields of `CueRules` that differ from the profile's, by name.
    words_in_json: whether a transcript's file tells the time of each word, from which cues are cut.
    keep_suspect: whether text that a verdict took out stands in the subtitles all the same.
    bilingual: what comes of the English translation beside the original: a file of its own
        ("files"), or a file whose cues show both ("lines"); None: there is none.
    byte_order_mark: for players that take UTF-8 for something else without one.
    """

    formats: tuple[str, ...] = ("srt",)
    existing: Existing = "replace-own"
    profile: str = DEFAULT_PROFILE
    rules: Mapping[str, Any] = field(default_factory=dict)
    write: WriteOptions = field(default_factory=WriteOptions)
    words_in_json: bool = True
    keep_suspect: bool = False
    byte_order_mark: bool = False
    bilingual: Bilingual | None = None

    def __post_init__(self) -> None:
        """Raises OptionError for what would fail later, in whatever language."""
        for name in self.formats:
            find_format(name)
        if self.bilingual == "lines" and not any(FORMATS[x].needs_cues for x in self.formats):
            raise OptionError("both languages in a cue need a format of cues, as srt")
        self.rules_for("")
        for language in PROFILES[self.profile].by_language:
            self.rules_for(language)

    def rules_for(self, language: str) -> CueRules:
        """The profile's rules for a language, changed as the user wants."""
        return replace(rules_for(self.profile, language), **self.rules)


class FileWriter:
    """Writes the files of transcripts, and knows which may be written.

    log: of what was written.
    """

    def __init__(self, options: OutputOptions | None = None) -> None:
        self.options = options or OutputOptions()
        self.log = OutputLog(outputs_folder())

    def paths(self, place: OutputPlace, language: str) -> dict[str, Path]:
        """Path by format; language: code of the text's."""
        return {name: place.path(language, FORMATS[name].suffix) for name in self.options.formats}

    def check(self, place: OutputPlace, language: str | None) -> None:
        """Refuse, before the long work, what could not be written after it.

        language: code of the text's, None while it is not known: then only the folder is looked at.

        Raises OutputPermissionError, OutputExistsError or another OutputError.
        """
        check_writable(place.folder)
        if language is not None and self.options.existing == "replace-own":
            for path in self.paths(place, language).values():
                self.log.check(path)

    def all_exist(self, place: OutputPlace, languages: Iterable[str]) -> bool:
        """Whether every file is there already, each in any one of the languages."""
        codes = tuple(languages)
        suffixes = [FORMATS[name].suffix for name in self.options.formats]
        return all(any(place.path(code, suffix).exists() for code in codes) for suffix in suffixes)

    def write(
        self,
        transcript: Transcript,
        place: OutputPlace,
        shot_changes: Sequence[float] = (),
        cues: Subtitles | None = None,
    ) -> tuple[Path, ...]:
        """Write the files, each whole or not at all; gives the paths of those written.

        shot_changes: as `cues` takes them. cues: what that gave, where it was called before.

        Nothing is written where one of the files may not be replaced. Raises OutputError.
        """
        language = transcript.text_language
        self.check(place, language)
        paths = self.paths(place, language)
        if self.options.existing == "skip":
            paths = {name: path for name, path in paths.items() if not path.exists()}
        contents = self.contents(transcript, tuple(paths), shot_changes, cues)
        for name, path in paths.items():
            self.log.write(path, contents[name])
        return tuple(paths.values())

    def write_translation(
        self,
        transcript: Transcript,
        translated: Transcript,
        place: OutputPlace,
        shot_changes: Sequence[float] = (),
    ) -> tuple[Path, ...]:
        """Write what `bilingual` asks for beside the files of `transcript`: talk.en.srt, or
        talk.de-en.srt with both in each cue, in the formats that are made of cues.
        """
        if self.options.bilingual != "lines":
            return self.write(translated, place, shot_changes)
        subtitles = self.paired_cues(transcript, translated, shot_changes)
        self.check_translation(place, transcript.text_language)
        paths = self._paired_paths(place, transcript.text_language)
        if self.options.existing == "skip":
            paths = {name: path for name, path in paths.items() if not path.exists()}
        for name, path in paths.items():
            self.log.write(path, self._encode(name, subtitles))
        return tuple(paths.values())

    def check_translation(self, place: OutputPlace, language: str | None) -> None:
        """As `check`, of the files that `bilingual` asks for beside those of a language."""
        if self.options.bilingual == "files":
            self.check(place, _TRANSLATED)
        elif language is not None and self.options.existing == "replace-own":
            for path in self._paired_paths(place, language).values():
                self.log.check(path)

    def translations_exist(self, place: OutputPlace, languages: Iterable[str]) -> bool:
        """Whether the files that `bilingual` asks for are there, beside those of any language.

        What was said in English has no others than its own.
        """
        if self.options.bilingual is None or self.all_exist(place, [_TRANSLATED]):
            return True
        return self.options.bilingual == "lines" and any(
            all(path.exists() for path in self._paired_paths(place, code).values())
            for code in languages
        )

    def paired_cues(
        self,
        transcript: Transcript,
        translated: Transcript,
        shot_changes: Sequence[float] = (),
    ) -> Subtitles:
        """Cues that show what was said and its translation below."""
        return pair_cues(
            self._shown(transcript),
            self._shown(translated),
            self.options.rules_for(transcript.text_language),
            self.options.rules_for(translated.text_language),
            shot_changes,
        )

    def _paired_paths(self, place: OutputPlace, language: str) -> dict[str, Path]:
        paths = self.paths(place, f"{language}-{_TRANSLATED}")
        return {name: path for name, path in paths.items() if FORMATS[name].needs_cues}

    def contents(
        self,
        transcript: Transcript,
        formats: Sequence[str],
        shot_changes: Sequence[float] = (),
        cues: Subtitles | None = None,
    ) -> dict[str, bytes]:
        """What stands in the files, by format; shot_changes, cues: as `write` takes them."""
        if any(FORMATS[name].needs_cues for name in formats):
            subtitles = self.cues(transcript, shot_changes) if cues is None else cues
        return {
            name: self._encode(
                name, subtitles if FORMATS[name].needs_cues else self._shown(transcript, name)
            )
            for name in formats
        }

    def cues(self, transcript: Transcript, shot_changes: Sequence[float] = ()) -> Subtitles:
        """The transcript cut into cues by the rules asked for.

        shot_changes: media times, seconds, at which a new shot begins; cues snap to them.
        """
        rules = self.options.rules_for(transcript.text_language)
        return build_cues(self._shown(transcript), rules, shot_changes=shot_changes)

    def _shown(self, transcript: Transcript, name: str = "") -> Transcript:
        """The transcript as the options want it in a file; in JSON verdicts always stand."""
        if name == "json":
            return transcript if self.options.words_in_json else _without_words(transcript)
        return transcript.without_verdicts() if self.options.keep_suspect else transcript

    def _encode(self, name: str, content: Subtitles | Transcript) -> bytes:
        # RFC 8259, 8.1: JSON must not begin with a byte order mark.
        mark = self.options.byte_order_mark and name != "json"
        return encode_text(write(content, name, self.options.write), mark)


def _without_words(transcript: Transcript) -> Transcript:
    segments = tuple(replace(segment, words=None) for segment in transcript.segments)
    return replace(transcript, segments=segments)


def place_outputs(path: Path, folder: Path | None = None, language: str = "") -> OutputPlace:
    """Where an input's outputs lie: beside it, or in `folder`.

    language: dropped from the end of the input's name: `talk.en.json` and `talk.mp4` are both the
        talk.
    """
    ending = f".{language}"
    stem = path.stem.removesuffix(ending) if language else path.stem
    return OutputPlace(path.parent if folder is None else folder, stem or path.stem)


def read_transcript(path: Path) -> Transcript:
    """The transcript in a JSON file; raises SubtitleFileError and other InputErrors."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise MediaNotFoundError(path) from error
    except PermissionError as error:
        raise MediaPermissionError(path) from error
    except (OSError, ValueError) as error:
        raise SubtitleFileError(f"{path}: can't be read ({error})", path) from error
    if len(data) > MAX_FILE_BYTES:
        raise SubtitleFileError(f"{path}: too large to be a transcript", path)
    return Transcript.from_json(decode_text(data)[0], str(path))
