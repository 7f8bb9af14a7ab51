"""What people made of their jobs' cues, kept beside the jobs, with every step to go back to.

Floor 5 of the road. A folder for each job, a file for each step: the profile, and the cues as they
were left, or none while they are as the profile cuts them. A number says which step is shown, so
that going back and forth changes no file.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from subvino.cues import rules_for
from subvino.errors import OptionError
from subvino.inputs import read_file
from subvino.outputs import write_file
from subvino.pipeline import DEFAULT_PROFILE
from subvino.server.editing import Cues, EditedCue, EditRules, HeardWord, apply_change, cut_cues
from subvino.transcript import Transcript

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_STEPS = 100
"""How many steps back are kept."""
MAX_BYTES = 64 * 2**20
_SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Step:
    """profile: of cue rules. cues: as a person left them; None where none was changed."""

    profile: str = DEFAULT_PROFILE
    cues: Cues | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A job's cues as they stand.

    revision: the number of the step shown; every change makes another.
    edited: whether any cue is not as the profile cuts it.
    """

    profile: str
    cues: Cues
    revision: int = 0
    edited: bool = False
    can_undo: bool = False
    can_redo: bool = False


class Recent(Generic[K, V]):
    """The values asked for last, up to a number of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[K, V] = {}

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value kept under a key, made where there is none."""
        value = self._values.pop(key) if key in self._values else make()
        self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep a value in place of the one asked for longest ago."""
        self._values.pop(key, None)
        self._values[key] = value
        while len(self._values) > self._most:
            del self._values[next(iter(self._values))]


class Drafts:
    """The drafts in a folder; may be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        # A film has a thousand cues and more: what was read or cut last is likely asked for next.
        self._steps: Recent[tuple[str, int], Step] = Recent(8)
        self._cuts: Recent[tuple[str, str], Cues] = Recent(8)

    def begin(self, job_id: str, profile: str) -> None:
        """Choose the profile of a new job. Raises OptionError for an unknown one."""
        rules_for(profile)
        with self._lock:
            self._write(job_id, 0, Step(profile))

    def profile(self, job_id: str) -> str:
        """The profile chosen."""
        with self._lock:
            return self._read(job_id, self._shown(job_id)).profile

    def open(self, job_id: str, transcript: Transcript) -> Draft:
        """The cues as they stand."""
        with self._lock:
            return self._draft(job_id, transcript)

    def change(
        self, job_id: str, transcript: Transcript, revision: int, change: Mapping[str, Any]
    ) -> Draft:
        """The cues after a change as the page names it (`editing.CHANGES`), or undo, redo, profile.

        revision: of the draft that the change was made on.

        Raises OptionError, also where another page changed the draft meanwhile.
        """
        with self._lock:
            draft = self._draft(job_id, transcript)
            if draft.revision != revision:
                raise OptionError("the cues were changed on another page; here they are")
            name = change.get("do")
            if name in ("undo", "redo"):
                self._go(job_id, draft, -1 if name == "undo" else 1)
            elif name == "profile":
                self._add(job_id, draft, Step(str(change.get("profile"))))
            else:
                language = transcript.text_language
                by = EditRules(rules_for(draft.profile, language), language)
                cues = apply_change(draft.cues, change, by)
                if cues != draft.cues:
                    self._add(job_id, draft, Step(draft.profile, cues))
            return self._draft(job_id, transcript)

    def keep_only(self, job_ids: Collection[str]) -> None:
        """Forget the drafts of all other jobs."""
        with self._lock:
            if self._folder.is_dir():
                for path in self._folder.iterdir():
                    if path.name not in job_ids:
                        shutil.rmtree(path, ignore_errors=True)

    # --- inside

    def _draft(self, job_id: str, transcript: Transcript) -> Draft:
        at = self._shown(job_id)
        step = self._read(job_id, at)
        return Draft(
            profile=step.profile,
            cues=self._cut(job_id, transcript, step.profile) if step.cues is None else step.cues,
            revision=at,
            edited=step.cues is not None,
            can_undo=self._path(job_id, at - 1).is_file(),
            can_redo=self._path(job_id, at + 1).is_file(),
        )

    def _cut(self, job_id: str, transcript: Transcript, profile: str) -> Cues:
        rules = rules_for(profile, transcript.text_language)
        return self._cuts.get((job_id, profile), lambda: cut_cues(transcript, rules))

    def _path(self, job_id: str, number: int) -> Path:
        return self._folder / job_id / f"{number}.json"

    def _shown(self, job_id: str) -> int:
        path = self._folder / job_id / _SHOWN
        return int(path.read_text(encoding="utf-8")) if path.is_file() else 0

    def _go(self, job_id: str, draft: Draft, steps: int) -> None:
        if not (draft.can_undo if steps < 0 else draft.can_redo):
            raise OptionError("there is nothing to undo" if steps < 0 else "nothing to redo")
        self._show(job_id, draft.revision + steps)

    def _show(self, job_id: str, number: int) -> None:
        write_file(self._folder / job_id / _SHOWN, str(number).encode())

    def _add(self, job_id: str, draft: Draft, step: Step) -> None:
        rules_for(step.profile)
        if draft.revision == 0 and not self._path(job_id, 0).is_file():
            self._write(job_id, 0, Step(draft.profile))
        number = draft.revision + 1
        self._write(job_id, number, step)
        self._show(job_id, number)
        later = number + 1
        while self._path(job_id, later).is_file():
            self._path(job_id, later).unlink()
            later += 1
        self._path(job_id, number - MAX_STEPS).unlink(missing_ok=True)

    def _read(self, job_id: str, number: int) -> Step:
        path = self._path(job_id, number)
        if not path.is_file():
            return Step()
        return self._steps.get(
            (job_id, number), lambda: _step(json.loads(read_file(path, MAX_BYTES)))
        )

    def _write(self, job_id: str, number: int, step: Step) -> None:
        path = self._path(job_id, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        cues = None if step.cues is None else [_cue_row(cue) for cue in step.cues]
        row = {"profile": step.profile, "cues": cues}
        write_file(path, json.dumps(row, ensure_ascii=False).encode())
        self._steps.put((job_id, number), step)


def _step(row: Mapping[str, Any]) -> Step:
    rows: Sequence[Sequence[Any]] | None = row["cues"]
    return Step(row["profile"], None if rows is None else tuple(map(_read_cue, rows)))


def _cue_row(cue: EditedCue) -> list[Any]:
    words = [[word.text, word.start_ms, word.end_ms, word.probability] for word in cue.heard]
    return [cue.start_ms, cue.end_ms, cue.text, words]


def _read_cue(row: Sequence[Any]) -> EditedCue:
    start_ms, end_ms, text, heard = row
    return EditedCue(start_ms, end_ms, text, tuple(HeardWord(*word) for word in heard))
