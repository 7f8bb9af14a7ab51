"""Engines run as processes, in turn (A B C A B C ...): what each took, and the SRT it made."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from subvino.evaluate import Clip, ErrorCounts
from subvino.evaluate.normalize import split_units
from subvino.evaluate.wer import count_errors, reference_units
from subvino.formats import read

Command = Sequence[str]
"""With MEDIA, SRT and FOLDER in place of the media file, the SRT and the folder it goes into."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of one engine.

    seconds, cpu: on the clock, and of all cores together. peak_mib: the most memory it held.
    text: of all cues; None where there is no SRT.
    """

    seconds: float
    cpu: float
    peak_mib: float
    text: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """All runs of an engine but the first, which warms caches."""

    trials: tuple[Trial, ...]

    @property
    def seconds(self) -> float:
        return statistics.median(trial.seconds for trial in self.trials)

    @property
    def spread(self) -> str:
        times = [trial.seconds for trial in self.trials]
        return f"{min(times):.1f}-{max(times):.1f}"

    @property
    def cpu(self) -> float:
        return statistics.median(trial.cpu for trial in self.trials)

    @property
    def peak_mib(self) -> float:
        return max(trial.peak_mib for trial in self.trials)


def run_in_turn(
    commands: Mapping[str, Command], media: Path, rounds: int, cores: int, *, warm_up: bool = True
) -> dict[str, Outcome]:
    """Every engine once, then `rounds` times each in turn; an engine that fails is left out."""
    trials: dict[str, list[Trial]] = {name: [] for name in commands}
    for number in range(rounds + warm_up):
        for name in list(trials):
            print(f"round {number} {name}", file=sys.stderr, flush=True)
            try:
                trials[name].append(run_once(commands[name], media, cores))
            except subprocess.CalledProcessError as error:
                print(f"{name} is left out: {_last_line(error.stderr)}", file=sys.stderr)
                del trials[name]
    return {name: Outcome(tuple(found[warm_up:])) for name, found in trials.items()}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def run_once(command: Command, media: Path, cores: int) -> Trial:
    """Raises CalledProcessError where the engine fails."""
    with tempfile.TemporaryDirectory(prefix="subvino-speed-") as name:
        folder = Path(name)
        places = {"MEDIA": str(media), "SRT": str(folder / "out.srt"), "FOLDER": name}
        figures = folder / "figures.json"
        measured = [sys.executable, "-S", str(Path(__file__).with_name("measured.py"))]
        subprocess.run(
            [*measured, str(cores), str(figures), *(places.get(part, part) for part in command)],
            check=True,
            capture_output=True,
            text=True,
        )
        return Trial(**json.loads(figures.read_text()), text=_read_text(folder))


def _read_text(folder: Path) -> str | None:
    files = list(folder.glob("*.srt"))
    if not files:
        return None
    if not files[0].stat().st_size:
        return ""
    return " ".join(" ".join(cue.text.split()) for cue in read(files[0].read_bytes()).cues)


def count_word_errors(clip: Clip, text: str) -> ErrorCounts:
    heard = split_units(text, clip.language, strip_accents=clip.strip_accents)
    return count_errors(reference_units(clip), heard)
