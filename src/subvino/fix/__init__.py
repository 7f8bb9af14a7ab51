"""Subtitles of anybody's making → the same words in cues that break fewer rules.

Floor 3 of the road; pure. What can be said of each cue alone comes first: leftovers of markup go,
cues are put in order, overlaps end, out-times are set by what follows. Then cue after cue that
still breaks a rule is tried in other shapes: lines broken anew, cut anew alone or together with a
neighbour by the cue builder. A shape is taken only if it makes the sum of what is wrong clearly
smaller, and the search ends where no shape does: so the fixed cues, fixed again, stay as they
are. No word is lost or moved past another.

    changes   what is asked for, and what was changed
    work      the steps from a file's cues to better ones
    shapes    cues that may stand in place of others
    prices    what is wrong with cues, as one number
    times     out-times as the rules want them
"""

from __future__ import annotations

from subvino.fix.changes import Change, Fixed, FixOptions
from subvino.fix.work import fix_cues, fix_transcript

__all__ = ["Change", "FixOptions", "Fixed", "fix_cues", "fix_transcript"]
