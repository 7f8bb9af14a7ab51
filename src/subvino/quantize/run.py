"""A model in, a quantized one out that passed its own gate, or the reason why there is none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import openvino as ov

from subvino.devices import compile_properties
from subvino.errors import OptionError
from subvino.evaluate import (
    Comparison,
    Manifest,
    PartOptions,
    SubvinoEngine,
    hear,
    time_parts,
)
from subvino.evaluate.comparison import Hearing
from subvino.memory import peak_memory
from subvino.models import Manifest as ModelManifest
from subvino.models import prepare_model, remove_model, store_model
from subvino.models.cache import entry_name, list_entries, models_folder
from subvino.models.manifest import FILE_NAME, read_manifest
from subvino.network import ModelFolder
from subvino.pipeline import Transcriber
from subvino.quantize.card import (
    CalibrationCard,
    Card,
    PartCard,
    describe_calibration,
    made_with,
    write_card,
)
from subvino.quantize.gate import Verdict, judge
from subvino.quantize.nncf_backend import compress, load_nncf
from subvino.quantize.options import PARTS, Part, QuantizeOptions
from subvino.quantize.recording import CountProgress, Recording, record
from subvino.quantize.speech import checking_sets, find_speech
from subvino.quantize.static import StaticPart, decoder_inputs, encoder_inputs, make_static
from subvino.tokenizer import Tokenizer
from subvino.vad import VadOptions, load_detector
from subvino.whisper import WhisperRecognizer, load_recognizer

_FASTER = 0.97
"""A part counts as faster where its median time is below this share of the original's."""


class Report(Protocol):
    """How the work is told."""

    def progress(self, step: str, done: int, total: int) -> None:
        """A step of it, how much is done and how much there is."""

    def note(self, text: str) -> None:
        """A line worth keeping."""


@dataclass(frozen=True, slots=True)
class Data:
    """calibration: see `speech.find_speech`; checking: manifests, none for the clips shipped."""

    calibration: str | None = None
    checking: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """folder: the model to use from now on.

    kept: names of the parts that are quantized, none where the original is better. card: of the
    model, and of all that was tried.
    """

    folder: ModelFolder
    kept: tuple[Part, ...]
    card: Card


def quantize_model(
    model: str | Path, options: QuantizeOptions, data: Data, report: Report
) -> Outcome:
    """Quantize a model, check it, and keep it in the cache as `MODEL-int8-static` or `MODEL-int4`.

    Raises:
        MissingExtraError: NNCF is not installed.
        ModelError: the model can't be found or read.
        InputError: the calibration data or the clips to check on can't be read.
    """
    load_nncf()
    original = prepare_model(model, "int8", report.progress)
    with (
        _exact_model(model, report.progress) as exact,
        tempfile.TemporaryDirectory(prefix="subvino-quantize-") as scratch,
    ):
        work = _Work(original, exact, options, report, Path(scratch))
        return work.compress(data) if options.kind == "int4" else work.make_static(data)


@contextmanager
def _exact_model(model: str | Path, progress: CountProgress) -> Iterator[ModelFolder]:
    """The model with 16-bit weights; in the cache afterwards only if it was there before."""
    before = {entry for entry, _ in list_entries()}
    exact = prepare_model(model, "fp16", progress)
    if exact.layout != "subvino" or exact.weights != "fp16":
        raise OptionError(f"{model}: comes as IR; quantize the checkpoint that it was made from")
    try:
        yield exact
    finally:
        if exact.path.parent == models_folder() and exact.path.name not in before:
            remove_model(exact.path.name)


class _Work:
    """The steps, and what they share."""

    def __init__(
        self,
        original: ModelFolder,
        exact: ModelFolder,
        options: QuantizeOptions,
        report: Report,
        scratch: Path,
    ) -> None:
        self._original, self._exact, self._options = original, exact, options
        self._report, self._scratch = report, scratch
        self._languages = Tokenizer(original.tokenizer).languages

    def make_static(self, data: Data) -> Outcome:
        """Static INT8, by part."""
        sets = checking_sets(data.checking, self._languages)
        recording, calibration = self._record(data.calibration)
        parts = {part: self._quantize(part, recording) for part in self._options.parts or PARTS}
        cards = self._time(parts)
        verdicts, kept = self._check(parts, cards, sets)
        cards = {part: replace(card, kept=part in kept) for part, card in cards.items()}
        card = self._card(cards, verdicts, sets, calibration)
        if not kept:
            return Outcome(self._original, (), card)
        graphs = {part: parts[part].model for part in kept}
        return Outcome(self._store(graphs, card), kept, card)

    def compress(self, data: Data) -> Outcome:
        """4-bit weights."""
        sets = checking_sets(data.checking, self._languages)
        graphs: dict[Part, ov.Model] = {}
        for i, part in enumerate(PARTS):
            self._report.progress("compress", i, len(PARTS))
            graphs[part] = compress(self._read(part), self._options.group_size)
        self._report.progress("compress", len(PARTS), len(PARTS))
        before = self._hear(self._original, sets, "original")
        after = self._hear(self._candidate(graphs), sets, "4-bit weights")
        verdict = judge("4-bit weights", Comparison(before, after), self._options.gate)
        self._report.note(verdict.in_words())
        card = self._card({}, (verdict,), sets, None)
        if not verdict.passed:
            return Outcome(self._original, (), card)
        return Outcome(self._store(graphs, card), PARTS, card)

    def _record(self, data: str | None) -> tuple[Recording, CalibrationCard]:
        limits, progress = self._options.limits, self._report.progress
        found = find_speech(data, self._languages, limits.windows, self._scratch, progress)
        recording = record(self._exact, found.files, limits, progress)
        card = CalibrationCard(
            data=found.name,
            data_sha256=found.digest(),
            files=len(found.files),
            windows=len(recording.mels),
            steps=len(recording.steps),
            steps_seen=recording.n_steps_seen,
            recording_sha256=recording.digest(),
        )
        self._report.note(f"calibration: {describe_calibration(card)}")
        return recording, card

    def _quantize(self, part: Part, recording: Recording) -> StaticPart:
        inputs = (
            encoder_inputs(recording)
            if part == "encoder"
            else decoder_inputs(self._read("encoder"), recording)
        )
        static = self._options.static(part)
        made = make_static(part, self._read(part), inputs, static, self._report.progress)
        error = made.errors[made.alpha]
        alone = made.weights_error
        compared = "" if alone is None else f" (8-bit weights alone {alone:.3f})"
        self._report.note(
            f"{part}: alpha {made.alpha:g}, relative error {error:.3f}{compared}, "
            f"{made.n_quantizers} activations quantized, {len(made.left_out)} products left out"
        )
        return made

    def _time(self, parts: Mapping[Part, StaticPart]) -> dict[Part, PartCard]:
        """The parts' times beside the original's, in turn, and which are wanted by them."""
        graphs = {part: static.model for part, static in parts.items()}
        engines = [
            self._load(folder).engine for folder in (self._original, self._candidate(graphs))
        ]
        size = min(8, *(engine.default_batch_size for engine in engines))
        before, after = time_parts(
            engines,
            PartOptions(windows=(size,)),
            lambda done, total, _: self._report.progress("time", done, total),
        )
        times = {
            "encoder": (before.encoder_ms, after.encoder_ms),
            "decoder": (before.step_ms(size), after.step_ms(size)),
        }
        cards = {}
        for part, static in parts.items():
            old, new = times[part]
            wanted = self._options.parts is not None or new < _FASTER * old
            what = "a window" if part == "encoder" else f"a step of {size} windows"
            self._report.note(
                f"{part}: {new:.1f} ms {what}, {old:.1f} ms with 8-bit weights alone"
                + ("" if wanted else ": no faster here, left as it is")
            )
            cards[part] = _part_card(static, old, new, kept=wanted)
        return cards

    def _check(
        self,
        parts: Mapping[Part, StaticPart],
        cards: Mapping[Part, PartCard],
        sets: Sequence[Manifest],
    ) -> tuple[tuple[Verdict, ...], tuple[Part, ...]]:
        """What the gate says of both parts, then of the encoder alone."""
        wanted = tuple(part for part in PARTS if part in cards and cards[part].kept)
        tries = [wanted, ("encoder",)] if len(wanted) == 2 else [wanted] if wanted else []
        verdicts: list[Verdict] = []
        before = self._hear(self._original, sets, "original") if tries else ()
        for chosen in tries:
            folder = self._candidate({part: parts[part].model for part in chosen})
            name = " and ".join(chosen)
            after = self._hear(folder, sets, name)
            verdicts.append(judge(name, Comparison(before, after), self._options.gate))
            self._report.note(verdicts[-1].in_words())
            if verdicts[-1].passed:
                return tuple(verdicts), chosen
        return tuple(verdicts), ()

    def _hear(
        self, folder: ModelFolder, sets: Sequence[Manifest], name: str
    ) -> tuple[Hearing, ...]:
        transcriber = Transcriber(self._load(folder), load_detector(VadOptions()))
        engine = SubvinoEngine(name, transcriber)
        clips = [(one.name, clip) for one in sets for clip in one.clips]
        heard = []
        for i, (manifest, clip) in enumerate(clips):
            self._report.progress(f"check {name}", i, len(clips))
            heard.append(hear(engine, manifest, clip))
        self._report.progress(f"check {name}", len(clips), len(clips))
        return tuple(heard)

    def _load(self, folder: ModelFolder) -> WhisperRecognizer:
        properties = compile_properties("CPU", threads=self._options.threads)
        return load_recognizer(folder, "CPU", properties)

    def _read(self, part: Part) -> ov.Model:
        return ov.Core().read_model(self._exact.path / f"{part}.xml")

    def _candidate(self, graphs: Mapping[Part, ov.Model]) -> ModelFolder:
        """The original with other graphs, in a folder of its own."""
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        _fill(folder, self._original.path, graphs)
        tokenizer = folder / self._original.tokenizer.name
        return replace(self._original, path=folder, tokenizer=tokenizer)

    def _store(self, graphs: Mapping[Part, ov.Model], card: Card) -> ModelFolder:
        def fill(new: Path, work: Path) -> ModelManifest:
            del work
            _fill(new, self._original.path, graphs)
            sizes = {path.name: path.stat().st_size for path in sorted(new.glob("*.bin"))}
            write_card(replace(card, size=sizes), new)
            return replace(
                read_manifest(self._original.path),
                name=card.name,
                weights=card.kind,
                source=f"{card.made_from} (subvino quantize {card.made_from})",
            )

        return replace(store_model(card.name, fill), name=card.name)

    def _card(
        self,
        parts: Mapping[Part, PartCard],
        verdicts: tuple[Verdict, ...],
        sets: Sequence[Manifest],
        calibration: CalibrationCard | None,
    ) -> Card:
        manifest = read_manifest(self._original.path)
        options = self._options
        return Card(
            name=entry_name(self._original.name, options.kind),
            kind=options.kind,
            made_from=self._original.name,
            source=manifest.source,
            source_fingerprint=manifest.fingerprint,
            recipe=asdict(options),
            calibration=calibration,
            parts={str(part): made for part, made in parts.items()},
            checked_on=", ".join(f"{one.name} ({len(one.clips)} clips)" for one in sets),
            verdicts=verdicts,
            peak_memory=peak_memory(),
            size={},
            versions=made_with(),
        )


def _part_card(static: StaticPart, before: float, after: float, *, kept: bool) -> PartCard:
    return PartCard(
        alpha=static.alpha,
        tried={f"{alpha:g}": error for alpha, error in static.errors.items()},
        error=static.errors[static.alpha],
        weights_error=static.weights_error,
        n_quantizers=static.n_quantizers,
        left_out=static.left_out,
        before_ms=before,
        after_ms=after,
        kept=kept,
    )


def _fill(folder: Path, original: Path, graphs: Mapping[Part, ov.Model]) -> None:
    """Write a model's files: those of the original, but for the graphs given."""
    replaced = {f"{part}{suffix}" for part in graphs for suffix in (".xml", ".bin")}
    for path in original.iterdir():
        if path.name != FILE_NAME and path.name not in replaced:
            shutil.copyfile(path, folder / path.name)
    for part, graph in graphs.items():
        ov.save_model(graph, folder / f"{part}.xml", compress_to_fp16=False)
