"""`subvino INPUT...`, the main command: its options."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated

import typer

from subvino.cli.options import CHINESE_METAVAR, TASK_METAVAR, WEIGHTS_METAVAR, given, split_list
from subvino.cli.screen import Screen
from subvino.cli.subtitle_input import (
    RULE_NAMES,
    ChainGap,
    FrameRate,
    MaxChars,
    MaxCps,
    MaxDuration,
    MaxLines,
    MaxLinger,
    MaxWpm,
    MinDuration,
    MinGap,
    NarrowWidth,
    RuleOptions,
)
from subvino.errors import OptionError

if TYPE_CHECKING:
    from subvino.cli.subtitling import Plan
    from subvino.cluster import ClusterOptions

_VIDEO = "Into the video"
_FILES, _CUES, _SPEECH, _MODEL = "Files written", "Cues", "Speech", "Model and device"
_DECODING = "Decoding"
_FOLDERS = "Folders"


def transcribe(  # as long as there are options: Typer reads them off the parameters
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Video or audio files, folders, URLs, or JSON transcripts to cut into cues again.",
            show_default=False,
        ),
    ],
    language: Annotated[
        str | None,
        typer.Option(
            "--language",
            "-l",
            metavar="LANG",
            help="What is spoken: a code or an English name; auto finds out (default: auto).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            metavar=TASK_METAVAR,
            help="Write what is said, or translate it into English (default: transcribe).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    multilingual: Annotated[
        bool,
        typer.Option(
            "--multilingual",
            help="Let the language change within a file, at pauses; what is said comes in the "
            "language it is said in.",
            rich_help_panel=_SPEECH,
        ),
    ] = False,
    chinese: Annotated[
        str | None,
        typer.Option(
            "--chinese",
            metavar=CHINESE_METAVAR,
            help="Script of Chinese; models mix both (default: simplified, traditional where "
            "--language is zh-TW, zh-HK or zh-Hant).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(
            "--clip",
            metavar="FROM-TO,...",
            help="Hear only these parts, as 0:10-1:30,2:00- (default: the whole).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt",
            metavar="TEXT",
            help="What could have been said before: its spelling and style carry over.",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    hotwords: Annotated[
        str | None,
        typer.Option(
            "--hotwords",
            metavar="TEXT",
            help="Names and jargon to expect.",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    vad: Annotated[
        bool,
        typer.Option(
            "--vad/--no-vad",
            help="Find speech first and hear only that.",
            rich_help_panel=_SPEECH,
        ),
    ] = True,
    vad_threshold: Annotated[
        float | None,
        typer.Option(
            "--vad-threshold",
            metavar="P",
            help="How sure it must be, 0 to 1; lower hears more, noise too (default: 0.35).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    audio_track: Annotated[
        str | None,
        typer.Option(
            "--audio-track",
            metavar="N|LANG",
            help="Audio track: its number, from 0, or its language (default: the file's).",
            rich_help_panel=_SPEECH,
        ),
    ] = None,
    beam_size: Annotated[
        int | None,
        typer.Option(
            "--beam-size",
            metavar="N",
            help="Hypotheses followed at once: 1 is the fastest (default: 5).",
            rich_help_panel=_DECODING,
        ),
    ] = None,
    sure_logprob: Annotated[
        float | None,
        typer.Option(
            "--sure-logprob",
            metavar="P",
            help="A quick draft stands where the mean log-probability of each phrase is at least "
            "this; other windows are heard in full (default: -0.25; 0 makes no drafts).",
            rich_help_panel=_DECODING,
        ),
    ] = None,
    best_of: Annotated[
        int | None,
        typer.Option(
            "--best-of",
            metavar="N",
            help="Samples drawn at each temperature above 0; the likeliest is taken (default: 1).",
            rich_help_panel=_DECODING,
        ),
    ] = None,
    temperature: Annotated[
        str | None,
        typer.Option(
            "--temperature",
            metavar="T,...",
            help="Tried in turn while a text is doubtful; above 0 words are drawn by lot, the same "
            "in every run (default: 0,0.2,0.4,0.6,0.8,1).",
            rich_help_panel=_DECODING,
        ),
    ] = None,
    suppress: Annotated[
        str | None,
        typer.Option(
            "--suppress",
            metavar="TEXT",
            help="Signs and words, parted by spaces, whose tokens are never chosen.",
            rich_help_panel=_DECODING,
        ),
    ] = None,
    condition_on_previous: Annotated[
        bool,
        typer.Option(
            "--condition-on-previous",
            help="Let each window's text prompt the next one; slower: windows go one by one.",
            rich_help_panel=_DECODING,
        ),
    ] = False,
    max_compression_ratio: Annotated[
        float | None,
        typer.Option(
            "--max-compression-ratio",
            metavar="N",
            help="A text that compresses better repeats itself: doubtful (default: 2.4).",
            rich_help_panel=_DECODING,
        ),
    ] = None,
    min_avg_logprob: Annotated[
        float | None,
        typer.Option(
            "--min-avg-logprob",
            metavar="N",
            help="A text less likely by its tokens is doubtful (default: -1.0).",
            rich_help_panel=_DECODING,
        ),
    ] = None,
    max_no_speech_prob: Annotated[
        float | None,
        typer.Option(
            "--max-no-speech-prob",
            metavar="P",
            help="Above this, doubtful text is taken out as no speech (default: 0.6).",
            rich_help_panel=_DECODING,
        ),
    ] = None,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            "-o",
            metavar="DIR",
            help="Write into this folder (default: beside the input).",
            rich_help_panel=_FILES,
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT,...",
            help="Which files: srt, vtt, ass, ttml, lrc, tsv, txt, json (default: srt).",
            rich_help_panel=_FILES,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace any file. Without it, one that subvino did not write, or that was "
            "edited since, is left alone.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing",
            help="Skip inputs whose files are all there; replace none.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume",
            help="Go on where an earlier run of the same work was stopped or killed; the files are "
            "the same to the byte. See `subvino jobs`.",
            rich_help_panel=_FILES,
        ),
    ] = True,
    words: Annotated[
        bool | None,
        typer.Option(
            "--words/--no-words",
            help="Give the time of each word, where the format can: vtt, ass, ttml, lrc, json "
            "(default: in json only, from which cues can be cut again).",
            show_default=False,
            rich_help_panel=_FILES,
        ),
    ] = None,
    bilingual: Annotated[
        str | None,
        typer.Option(
            "--bilingual",
            metavar="files|lines",
            help="Translate into English as well: files makes talk.en.srt beside talk.de.srt; "
            "lines makes talk.de-en.srt, whose cues show the original above the translation.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    bom: Annotated[
        bool,
        typer.Option(
            "--bom",
            help="Begin files with a byte order mark, for players that need one.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    mux: Annotated[
        bool,
        typer.Option(
            "--mux",
            help="Make talk.subtitled.mp4 too: the video with the subtitles as a track.",
            rich_help_panel=_VIDEO,
        ),
    ] = False,
    burn: Annotated[
        bool,
        typer.Option(
            "--burn",
            help="Make talk.burned.mp4 too: the subtitles drawn into the picture.",
            rich_help_panel=_VIDEO,
        ),
    ] = False,
    shots: Annotated[
        bool,
        typer.Option(
            "--shots",
            help="Find the cuts in the picture and let cues come and go with them.",
            rich_help_panel=_VIDEO,
        ),
    ] = False,
    keep_suspect: Annotated[
        bool,
        typer.Option(
            "--keep-suspect",
            help="Keep text that was taken out as doubtful; JSON tells of it either way.",
            rich_help_panel=_CUES,
        ),
    ] = False,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="Rules that cues follow: default, netflix, bbc, bbc-vertical, arte, "
            "social-vertical (default: default). The options below change one.",
            rich_help_panel=_CUES,
        ),
    ] = None,
    max_chars: MaxChars = None,
    max_lines: MaxLines = None,
    max_cps: MaxCps = None,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    max_wpm: MaxWpm = None,
    min_gap: MinGap = None,
    frame_rate: FrameRate = None,
    chain_gap: ChainGap = None,
    max_linger: MaxLinger = None,
    narrow_width: NarrowWidth = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="A name of `subvino models list`, a hub id, or a folder (default: base).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar=WEIGHTS_METAVAR,
            help="How the model is stored when it is converted (default: int8).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            "-d",
            metavar="DEVICE",
            help="AUTO, CPU, GPU, GPU.1, NPU: see `subvino devices` (default: AUTO).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads",
            metavar="N",
            min=1,
            help="Threads on the CPU (default: all cores).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Share the work among the machines of a Ray cluster: auto for the one that this "
            "machine is part of, ray://HOST:PORT, or local for workers on this machine alone.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            min=1,
            help="Models in memory on the cluster, each with --threads cores (default: as many as "
            "it has cores for, with 2 each).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            metavar="N",
            help="Windows decoded at once (default: fits the model).",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    recursive: Annotated[
        bool,
        typer.Option(
            "--recursive",
            "-r",
            help="Take the folders inside a folder too.",
            rich_help_panel=_FOLDERS,
        ),
    ] = False,
    extensions: Annotated[
        list[str] | None,
        typer.Option(
            "--extensions",
            metavar="EXT,...",
            help="Only files with these endings, as mkv,mp4 (default: those of videos and sound).",
            rich_help_panel=_FOLDERS,
        ),
    ] = None,
    skip_subtitled: Annotated[
        list[str] | None,
        typer.Option(
            "--skip-subtitled",
            metavar="LANG,...|any",
            help="Leave out files that have subtitles in one of these languages, beside them or "
            "inside.",
            rich_help_panel=_FOLDERS,
        ),
    ] = None,
    audio_language: Annotated[
        list[str] | None,
        typer.Option(
            "--audio-language",
            metavar="LANG,...",
            help="Only files that say they have a sound track in one of these languages.",
            rich_help_panel=_FOLDERS,
        ),
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            "--order",
            metavar="ORDER",
            help="Which file comes first: name, newest, oldest, smallest, largest (default: name).",
            rich_help_panel=_FOLDERS,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            max=64,
            help="Files read at the same time, ahead of what is recognized (default: 2).",
            rich_help_panel=_FOLDERS,
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print what became of each input as JSON, not the paths of the files.",
            rich_help_panel=_FOLDERS,
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print nothing but errors."),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Print cues as they come; where windows of speech meet, those in the file may "
            "be cut otherwise.",
        ),
    ] = False,
) -> None:
    """Make subtitles for videos: talk.mp4 gets talk.en.srt beside it."""
    options = SimpleNamespace(**locals())
    plan = read_plan(options)
    from subvino.cli.subtitling import make_subtitles

    if not make_subtitles(inputs, plan, Screen(quiet, verbose)):
        raise typer.Exit(1)


def _cluster_options(o: SimpleNamespace) -> ClusterOptions:
    from subvino.cluster import ClusterOptions

    return ClusterOptions(o.cluster, o.workers)


def read_plan(o: SimpleNamespace) -> Plan:
    """What is to be done, from the options of `transcribe` by name; raises OptionError."""
    from subvino.cli import subtitling
    from subvino.cli.video_output import VideoPlan
    from subvino.clip import parse_clips

    _refuse_both("--overwrite", o.overwrite, "--skip-existing", o.skip_existing)
    _refuse_both("--quiet", o.quiet, "--verbose", o.verbose)
    if o.workers is not None and o.cluster is None:
        raise OptionError("--workers is for --cluster; name one, or leave it out")
    _refuse_both("--no-vad", not o.vad, "--vad-threshold", o.vad_threshold is not None)
    return subtitling.Plan(
        engine=subtitling.engine_options(o.vad, o.vad_threshold, o.device, o.weights, o.threads),
        decoding=subtitling.decoding(
            o.language,
            o.task,
            o.temperature,
            o.chinese,
            multilingual=o.multilingual,
            condition_on_previous=o.condition_on_previous,
            **given(
                beam_size=o.beam_size,
                sure_logprob=o.sure_logprob,
                best_of=o.best_of,
                prompt=o.prompt,
                hotwords=o.hotwords,
                suppress=o.suppress,
                max_compression_ratio=o.max_compression_ratio,
                min_avg_logprob=o.min_avg_logprob,
                max_no_speech_prob=o.max_no_speech_prob,
                batch_size=o.batch_size,
            ),
        ),
        outputs=subtitling.output_options(
            split_list(o.formats),
            o.overwrite,
            o.skip_existing,
            words=o.words,
            keep_suspect=o.keep_suspect,
            bom=o.bom,
            bilingual=o.bilingual,
            profile=o.profile,
            rules=RuleOptions(
                **{name: getattr(o, name) for name in RULE_NAMES if name != "profile"}
            ).changes,
        ),
        videos=VideoPlan(o.mux, o.burn, o.shots),
        clips=() if o.clip is None else parse_clips(o.clip),
        resume=o.resume,
        folders=subtitling.folder_options(
            o.recursive,
            split_list(o.extensions),
            split_list(o.skip_subtitled),
            split_list(o.audio_language),
            o.order,
        ),
        as_json=o.as_json,
        cluster=None if o.cluster is None else _cluster_options(o),
        **given(model=o.model, audio_track=o.audio_track, folder=o.output_dir, n_jobs=o.jobs),
    )


def _refuse_both(name: str, is_given: bool, other: str, other_is_given: bool) -> None:
    if is_given and other_is_given:
        raise OptionError(f"{name} and {other} don't go together; leave one out")
