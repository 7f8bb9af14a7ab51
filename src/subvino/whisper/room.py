"""Windows that are decoded together, a slot each.

Floor 2 of the road.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from subvino.whisper.occupant import Occupant
from subvino.whisper.slots import Slots


@dataclass(slots=True)
class Room:
    """Windows of one width; the first slots are theirs, in the order of `occupants`.

    width: hypotheses a window. drafts: what is decoded here need not be the window's last text.
    """

    slots: Slots
    width: int
    drafts: bool
    occupants: list[Occupant] = field(default_factory=list)

    def admit(self, one: Occupant) -> None:
        """Give the window a slot."""
        self.slots.enter(len(self.occupants), one.heard)
        self.occupants.append(one)

    def dismiss(self, one: Occupant) -> None:
        """Free the window's slot; the last window goes on in it."""
        slot, last = self.slot_of(one), len(self.occupants) - 1
        if slot != last:
            self.slots.move(last, slot)
            self.occupants[slot] = self.occupants[last]
        self.occupants.pop()

    def slot_of(self, one: Occupant) -> int:
        """Where the window is."""
        return self.occupants.index(one)
