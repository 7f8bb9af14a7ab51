"""Whose files are whose: no input's subtitles take the place of another's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from subvino.errors import OutputError
from subvino.outputs import OutputPlace


@dataclass(frozen=True, slots=True)
class _Owner:
    """An input; media: its URL or real path. name: what the user calls it."""

    media: str
    name: str

    @property
    def is_there(self) -> bool:
        """Whether it is a file that has not gone."""
        return Path(self.media).exists()


class Claims:
    """Which input the files of each place are made of, in one call or while folders are watched."""

    def __init__(self) -> None:
        self._owners: dict[OutputPlace, _Owner] = {}
        self._taken: set[OutputPlace] = set()
        self._real: dict[Path, Path] = {}

    def begin(self) -> None:
        """From now on inputs may be taken again, as they have changed."""
        self._taken.clear()
        self._real.clear()

    def keep(self, place: OutputPlace, path: Path) -> None:
        """An earlier run wrote the files of the place, out of this media file."""
        self._owners.setdefault(self._real_place(place), self._owner(path, str(path)))

    def take(self, place: OutputPlace, media: str | Path, name: str) -> bool:
        """Whether the input is to be worked on now: False where it was taken under another name.

        Raises OutputError where the files are another input's.
        """
        place, wanting = self._real_place(place), self._owner(media, name)
        owner = self._owners.setdefault(place, wanting)
        if owner.media != wanting.media:
            if place in self._taken or owner.is_there:
                raise OutputError(
                    f"{name}: would write the same files as {owner.name}; "
                    "run it alone with another --output-dir",
                    place.folder / place.stem,
                )
            self._owners[place] = wanting
        is_new = place not in self._taken
        self._taken.add(place)
        return is_new

    def _owner(self, media: str | Path, name: str) -> _Owner:
        if isinstance(media, Path):
            media = str(self._real_folder(media.parent) / media.name)
        return _Owner(media, name)

    def _real_place(self, place: OutputPlace) -> OutputPlace:
        return OutputPlace(self._real_folder(place.folder), place.stem)

    def _real_folder(self, folder: Path) -> Path:
        # Once for a folder, not for each file: every step of a path is asked for.
        if folder not in self._real:
            self._real[folder] = Path(os.path.realpath(folder))  # Path.resolve raises for loops
        return self._real[folder]
