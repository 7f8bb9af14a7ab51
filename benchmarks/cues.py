"""How good cues are: every profile on real speech, and beside the subtitles of other tools.

Transcribes the sets once (transcripts are kept in --work and cut again the next time), cuts them
with every profile, checks the files with `subvino check`'s rules, and holds in-times against phrase
times that somebody measured. Prints tables and writes them into benchmarks/RESULTS.md. SET is a
manifest as `subvino evaluate` takes it, or its folder.

    pip install -e ".[base,evaluate]"
    python benchmarks/cues.py SET... --work DIR

Other tools need PyTorch and have an environment of their own (see benchmarks/peer_cues.py):

    python benchmarks/cues.py SET... --work DIR --peer-python peers/bin/python --peer-sets NAME,...
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from results import describe_run, put_section

from subvino.check import RULES, Finding, check
from subvino.cues import PROFILES, CueRules, build_cues, rules_for
from subvino.evaluate import read_manifest
from subvino.evaluate.manifest import Clip, TimedText
from subvino.evaluate.timing import compare_times
from subvino.formats import SubtitleFile, read, write
from subvino.outputs import write_file
from subvino.pipeline import EngineOptions, decoding_options, load_transcriber
from subvino.speech import find_speech
from subvino.subtitles import Cue, Subtitles
from subvino.transcript import Transcript

SIDE_BY_SIDE_PROFILE = "netflix"
PEERS = {
    "openai-whisper": {"": "openai-whisper, its SRT"},
    "faster-whisper": {"": "faster-whisper, its segments"},
    "stable-ts": {
        "": "stable-ts, its SRT (a cue a word, that word coloured)",
        ".segments": "stable-ts, word_level=False",
    },
}
"""What `peer_cues.py` knows: by the end of the name of a file that it writes, what that file is."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip of a set and its transcript."""

    set_name: str
    clip: Clip
    transcript: Transcript


# --- transcripts ----------------------------------------------------------------------------------


def transcribe_sets(options: argparse.Namespace) -> list[Spoken]:
    """Every clip's transcript: from the work folder, or made and kept there."""
    loaded = None
    found = []
    for path in options.sets:
        manifest = read_manifest(path)
        for clip in manifest.clips:
            kept = options.work / "transcripts" / manifest.name / f"{clip.id}.json"
            if not kept.is_file():
                loaded = loaded or load_transcriber(
                    options.model, EngineOptions(device="CPU", threads=options.threads)
                )
                stream = loaded.open(clip.audio, decoding_options(clip.language))
                for _ in stream:
                    pass
                write_file(kept, stream.transcript().to_json().encode())
                print(f"\r{kept.parent.name}/{kept.stem:<60.60}", end="", file=sys.stderr)
            transcript = Transcript.from_json(kept.read_text(encoding="utf-8"))
            found.append(Spoken(manifest.name, clip, transcript))
    return found


# --- rules ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """Cues of a profile: how many obey it, and why the others do not."""

    n_cues: int = 0
    n_obeying: int = 0
    n_lost: int = 0
    n_moved: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)


def tally_profile(profile: str, spoken: Sequence[Spoken]) -> Tally:
    """Cut all transcripts with a profile, write and read the file, check it."""
    tally = Tally()
    for one in spoken:
        language = one.transcript.text_language
        rules = rules_for(profile, language)
        subtitles = build_cues(one.transcript, rules)
        if not subtitles.cues:
            continue
        file = read(write(subtitles, "srt").encode(), "talk.srt")
        report = check(file, rules, language=language)
        count_words(one.transcript, subtitles, tally)
        listed: dict[int, list[Finding]] = {}
        for finding in report.findings:
            tally.found[finding.rule] += 1
            if finding.cue is not None and finding.rule not in ("orphan_line", "orphan_cue"):
                listed.setdefault(finding.cue, []).append(finding)
        tally.n_cues += len(subtitles.cues)
        tally.n_obeying += len(subtitles.cues) - len(listed)
        for number, findings in listed.items():
            tally.reasons[explain(findings, one.transcript, subtitles.cues, number - 1, rules)] += 1
    return tally


def count_words(transcript: Transcript, subtitles: Subtitles, tally: Tally) -> None:
    """Words that the cues lost or moved: characters of the two, white space aside."""
    said = "".join("".join(part.text.split()) for part in transcript.spoken)
    shown = "".join("".join(line.split()) for cue in subtitles.cues for line in cue.lines)
    if said != shown:
        lost = Counter(said) - Counter(shown)
        tally.n_lost += lost.total()
        tally.n_moved += 0 if lost else 1


def explain(
    findings: Sequence[Finding],
    transcript: Transcript,
    cues: Sequence[Cue],
    at: int,
    rules: CueRules,
) -> str:
    """Why a cue breaks its rules: what speech made impossible, or the rule itself."""
    broken = {finding.rule for finding in findings}
    spoken_until = cues[at].words[-1].end_ms if cues[at].words else cues[at].end_ms
    latest = min(spoken_until + rules.max_linger_ms, 1000 * transcript.duration)
    if at + 1 < len(cues):
        latest = min(latest, cues[at + 1].start_ms - rules.min_gap_ms)
    # Shown until the last moment that the rules leave: what is left is the speaker's pace.
    had_time = cues[at].end_ms < latest - 1
    if broken & {"max_cps", "max_wpm"}:
        return "too fast, had time" if had_time else "speech faster than the rule"
    if "min_duration_ms" in broken:
        return "too short, had time" if had_time else "speech shorter than the rule"
    return ", ".join(sorted(broken))


# --- in-times -------------------------------------------------------------------------------------


def onset_errors(
    cues: Iterable[tuple[int, int, str]], clip: Clip, language: str | None
) -> list[float]:
    """Errors in ms, late is positive, of cues that begin with the word that a phrase does."""
    phrases = list(clip.phrases or ())
    heard = [TimedText(text, start / 1000, end / 1000) for start, end, text in cues]
    errors = compare_times(phrases, heard, language)
    return [1000 * error for error in errors.onsets]


def voice_delays(clip: Clip) -> list[float]:
    """How long after each phrase's time somebody begins to speak, by the detector, in ms.

    Of phrases that begin in a pause. A reference set on a grid, or to where a recording begins
    and not its voice, shows here: cues can be no nearer to it than the voice is.
    """
    speech = find_speech(clip.audio).segments
    delays = []
    for phrase in clip.phrases or ():
        spoken = [one for one in speech if one.end > phrase.start]
        if spoken and phrase.start - 0.05 <= spoken[0].start < phrase.end:
            delays.append(1000 * (spoken[0].start - phrase.start))
    return delays


def subtitle_rows(subtitles: Subtitles) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in subtitles.cues]


def file_rows(file: SubtitleFile) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in file.cues]


# --- other tools ----------------------------------------------------------------------------------


def run_peers(spoken: Sequence[Spoken], options: argparse.Namespace) -> dict[str, list[Path]]:
    """The SRT files of each other tool by title, in the order of `spoken`; made where missing."""
    jobs = [
        {"audio": str(one.clip.audio), "language": one.clip.language, "name": _name(one)}
        for one in spoken
    ]
    paths = {}
    for peer, kinds in PEERS.items():
        folder = options.work / "peers" / peer
        missing = [job for job in jobs if not (folder / f"{job['name']}.srt").is_file()]
        if missing:
            script = Path(__file__).with_name("peer_cues.py")
            command = [options.peer_python, script, peer, options.model, folder]
            subprocess.run([*map(str, command)], input=json.dumps(missing), text=True, check=True)
        for ending, title in kinds.items():
            paths[title] = [folder / f"{job['name']}{ending}.srt" for job in jobs]
    return paths


def _name(one: Spoken) -> str:
    return f"{one.set_name}-{one.clip.id}"


@dataclass(slots=True)
class Side:
    """What one tool's files come to."""

    n_cues: int = 0
    n_clean: int = 0
    found: Counter[str] = field(default_factory=Counter)
    onsets: list[float] = field(default_factory=list)

    def add(self, file: SubtitleFile, one: Spoken, profile: str) -> None:
        language = one.transcript.text_language
        file = replace(file, cues=tuple(cue for cue in file.cues if cue.text.strip()))
        report = check(file, rules_for(profile, language), language=language)
        self.n_cues += len(file.cues)
        self.n_clean += len(file.cues) - len(report.by_cue())
        self.found.update(report.counts())
        if one.clip.phrases:
            self.onsets += onset_errors(file_rows(file), one.clip, language)


def compare(spoken: Sequence[Spoken], options: argparse.Namespace) -> dict[str, Side]:
    sides: dict[str, Side] = {"subvino": Side()}
    for one in spoken:
        rules = rules_for(SIDE_BY_SIDE_PROFILE, one.transcript.text_language)
        text = write(build_cues(one.transcript, rules), "srt")
        sides["subvino"].add(read(text.encode(), "talk.srt"), one, SIDE_BY_SIDE_PROFILE)
    for title, paths in run_peers(spoken, options).items():
        side = sides[title] = Side()
        for one, path in zip(spoken, paths, strict=True):
            side.add(read(path.read_bytes(), str(path)), one, SIDE_BY_SIDE_PROFILE)
    return sides


# --- tables ---------------------------------------------------------------------------------------


def to_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown; the first column to the left, numbers to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def profile_table(tallies: dict[str, Tally]) -> str:
    reasons = [
        name
        for name, _ in sum((tally.reasons for tally in tallies.values()), Counter()).most_common()
    ]
    head = ["profile", "cues", "obey it %", *(f"listed: {name} %" for name in reasons)]
    head += ["neither %", "characters lost", "files out of order"]
    return to_table(head, (profile_row(*item, reasons) for item in tallies.items()))


def profile_row(name: str, tally: Tally, reasons: Sequence[str]) -> list[str]:
    share = [100 * tally.reasons[reason] / tally.n_cues for reason in reasons]
    obeying = 100 * tally.n_obeying / tally.n_cues
    left = tally.n_cues - tally.n_obeying - tally.reasons.total()
    cells = [f"{obeying:.2f}", *(f"{one:.2f}" for one in share), f"{100 * left / tally.n_cues:.2f}"]
    return [name, str(tally.n_cues), *cells, str(tally.n_lost), str(tally.n_moved)]


def onset_table(spoken: Sequence[Spoken]) -> str:
    head = ["set", "phrases", "cue begins with one", "median ms", "bias ms", "within 120 ms %"]
    head.append("voice after the phrase's time, median ms")
    return to_table(head, onset_rows(spoken))


def onset_rows(spoken: Sequence[Spoken]) -> Iterator[list[str]]:
    everything, all_delays = list[float](), list[float]()
    n_phrases = 0
    for name in dict.fromkeys(one.set_name for one in spoken):
        errors, delays, n = list[float](), list[float](), 0
        for one in spoken:
            if one.set_name == name and one.clip.phrases:
                subtitles = build_cues(one.transcript)
                errors += onset_errors(subtitle_rows(subtitles), one.clip, one.transcript.language)
                delays += voice_delays(one.clip)
                n += len(one.clip.phrases)
        if errors:
            yield onset_row(name, n, errors, delays)
            everything += errors
            all_delays += delays
            n_phrases += n
    if everything:
        yield onset_row("all", n_phrases, everything, all_delays)


def onset_row(name: str, n: int, errors: Sequence[float], delays: Sequence[float]) -> list[str]:
    near = sum(abs(error) <= 120 for error in errors)
    sizes = f"{median(map(abs, errors)):.0f}", f"{median(errors):+.0f}"
    late = f"{median(delays):+.0f}" if delays else ""
    return [name, str(n), str(len(errors)), *sizes, f"{100 * near / len(errors):.0f}", late]


def side_table(sides: dict[str, Side]) -> str:
    rules = [rule for rule in RULES if any(side.found[rule] for side in sides.values())]
    head = ["", *(f"{name} ({side.n_cues} cues)" for name, side in sides.items())]
    rows = [
        [rule, *(f"{100 * side.found[rule] / side.n_cues:.1f}" for side in sides.values())]
        for rule in rules
    ]
    every = [f"{100 * side.found.total() / side.n_cues:.1f}" for side in sides.values()]
    clean = [f"{100 * side.n_clean / side.n_cues:.1f}" for side in sides.values()]
    late = [f"{median(map(abs, side.onsets)):.0f}" for side in sides.values()]
    rows += [["**all**", *every], ["cues with none, %", *clean], ["in-times, median ms", *late]]
    return to_table(head, rows)


def describe(options: argparse.Namespace, spoken: Sequence[Spoken]) -> str:
    """What the figures hold for: command, versions, machine."""
    sets = " ".join(path.name for path in options.sets)
    minutes = sum(one.transcript.duration for one in spoken) / 60
    notes = f"{options.model}, language told", f"{len(spoken)} files, {minutes:.0f} minutes"
    return describe_run(f"python benchmarks/cues.py {sets} --work DIR", ("openvino",), *notes)


def main() -> None:
    options = read_options()
    spoken = transcribe_sets(options)
    print(file=sys.stderr)
    tallies = {profile: tally_profile(profile, spoken) for profile in PROFILES}
    parts = [
        f"## Cues ({options.model})\n\n{describe(options, spoken)}",
        f"**Rules**\n\n{profile_table(tallies)}",
        f"**In-times against phrase times, profile default**\n\n{onset_table(spoken)}",
    ]
    if options.peer_python:
        wanted = options.peer_sets.split(",") if options.peer_sets else None
        chosen = [one for one in spoken if wanted is None or one.set_name in wanted]
        title = (
            f"**Violations of 100 cues beside other tools, same weights, profile "
            f"{SIDE_BY_SIDE_PROFILE}; sets {', '.join(dict.fromkeys(o.set_name for o in chosen))}**"
        )
        parts.append(f"{title}\n\n{side_table(compare(chosen, options))}")
    text = "\n".join(parts)
    print(text)
    if not options.no_results:
        put_section(f"cues-{options.model}", text)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", metavar="SET", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-results", action="store_true", help="print only")
    parser.add_argument("--peer-python", type=Path, metavar="FILE")
    parser.add_argument("--peer-sets", default="", metavar="NAME,...", help="default: all")
    return parser.parse_args()


if __name__ == "__main__":
    main()
