"""What `subvino INPUT...` does: one input after another, with one model for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subvino.cli.batch import Batch, Load
from subvino.cli.options import check_choice, given, split_numbers
from subvino.cli.screen import Screen
from subvino.cli.video_output import VideoPlan
from subvino.clip import Clip
from subvino.devices import choose_device
from subvino.errors import (
    OptionError,
)
from subvino.folders import ANY, FolderOptions, Order
from subvino.formats import WriteOptions
from subvino.journal import digest_values
from subvino.models import find_model
from subvino.network import WeightsKind
from subvino.pipeline import (
    DEFAULT_MODEL,
    Bilingual,
    EngineOptions,
    OutputOptions,
    decoding_options,
    load_transcriber,
)
from subvino.recognizer import DecodingOptions
from subvino.tokenizer import language_code
from subvino.transcript import ChineseScript, Task
from subvino.vad import VadOptions

if TYPE_CHECKING:
    from subvino.cluster import ClusterOptions


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with every input.

    videos: what is made of its picture. clips: what is heard of media; all where there are none.
    model: a name, a hub id or a folder. folder: of the files written; None: beside the input.
    resume: whether to go on where an earlier run was stopped.
    folders: which of their files are taken. n_jobs: files read at once.
    as_json: a summary for programs instead of the paths of the files written.
    cluster: where the model runs; None: here.
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
    folders: FolderOptions = field(default_factory=FolderOptions)
    n_jobs: int = 2
    as_json: bool = False
    cluster: ClusterOptions | None = None

    def __post_init__(self) -> None:
        """Refuse what is known to fail before a model is fetched; OptionError, DeviceError."""
        if self.outputs.bilingual and self.decoding.task == "translate":
            raise OptionError("--bilingual translates too; leave --task translate out")
        if self.cluster is None:
            choose_device(self.engine.device)
        model = find_model(self.model)
        if model is None or not model.name.endswith(".en"):
            return
        wanted = self.decoding
        if (
            self.outputs.bilingual
            or wanted.language not in (None, "en")
            or wanted.task == "translate"
            or wanted.multilingual
        ):
            other = model.name.removesuffix(".en")
            raise OptionError(
                f"model {model.name} knows English only and does not translate; "
                f"use --model {other if find_model(other) else DEFAULT_MODEL}"
            )

    @property
    def key(self) -> str:
        """A digest of what is done with each file of a folder."""
        outputs = replace(self.outputs, existing="skip")
        folder = self.folder
        what = (self.engine, self.decoding, outputs, self.videos, self.clips, self.model)
        return digest_values(repr(what), self.audio_track, folder and str(folder.absolute()))

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
    language: str | None,
    task: str | None,
    temperature: str | None,
    chinese: str | None = None,
    **values: Any,
) -> DecodingOptions:
    """How windows become text; `values` are fields of `DecodingOptions` as they are."""
    kind = None if task is None else check_choice("task", task, Task)
    numbers = None if temperature is None else split_numbers("temperature", temperature)
    script = None if chinese is None else check_choice("chinese", chinese, ChineseScript)
    told = given(task=kind, temperatures=numbers, chinese=script)
    options = decoding_options(language, **told, **values)
    if options.multilingual and options.language is not None:
        raise OptionError("--multilingual finds the languages out; leave --language out")
    return options


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
    bilingual: str | None = None,
) -> OutputOptions:
    """Which files are written, and how; words: None leaves it to each format's purpose."""
    existing = "overwrite" if overwrite else "skip" if skip_existing else None
    both = None if bilingual is None else check_choice("bilingual", bilingual, Bilingual)
    return OutputOptions(
        bilingual=both,
        rules=rules,
        write=WriteOptions(words=bool(words)),
        words_in_json=words is not False,
        keep_suspect=keep_suspect,
        byte_order_mark=bom,
        **given(formats=formats, existing=existing, profile=profile),
    )


def folder_options(
    recursive: bool,
    extensions: tuple[str, ...] | None,
    skip_subtitled: tuple[str, ...] | None,
    audio_languages: tuple[str, ...] | None,
    order: str | None,
) -> FolderOptions:
    """Which files of folders are taken; languages as users write them."""
    return FolderOptions(
        recursive=recursive,
        suffixes=None if extensions is None else frozenset(x.lstrip(".") for x in extensions),
        skip_subtitled=tuple(
            name if name == ANY else language_code(name) for name in skip_subtitled or ()
        ),
        audio_languages=tuple(map(language_code, audio_languages or ())),
        **given(order=None if order is None else check_choice("order", order, Order)),
    )


# --- the work -----------------------------------------------------------------------------------


def make_subtitles(inputs: Sequence[str], plan: Plan, screen: Screen) -> bool:
    """Make the files of every input; whether all went well.

    Raises what would befall every input alike: OptionError, DeviceError, ModelError.
    """
    with loading(plan, screen) as load:
        batch = Batch(plan, screen, load)
        batch.run(inputs)
    batch.sum_up()
    return batch.is_sound


@contextmanager
def loading(plan: Plan, screen: Screen) -> Iterator[Load]:
    """What loads the model, here or on a cluster, which is left at the end."""
    if plan.cluster is None:
        yield load_transcriber
        return
    from subvino.cluster import Cluster

    with Cluster(plan.cluster, lambda event: screen.note(f"cluster: {event}")) as cluster:
        yield cluster
