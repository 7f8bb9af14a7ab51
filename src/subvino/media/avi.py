"""AVI's chunks: whether sound goes on where FFmpeg stopped to read.

A spoilt size of a list, or of the movie in it, ends the reading before the file does.
"""

from __future__ import annotations

import re

from subvino.containers import Seekable

_READ = 1 << 20
_AFTER = re.compile(rb"\d\d(?:wb|dc|db|pc|tx)|idx1|LIST|JUNK|ix\d\d")
"""Names of what may follow a chunk of sound."""


def goes_on(file: Seekable, size: int, start: int, track: int) -> bool:
    """Whether chunks of a track's sound come behind an offset.

    The index at the end names such chunks too, so only those count that hold what they announce.
    """
    pattern = re.compile(rb"%02dwb" % track)
    overlap = b""
    file.seek(start)
    position = start
    while data := file.read(_READ):
        for match in pattern.finditer(overlap + data):
            at = position - len(overlap) + match.start()
            if _is_chunk(file, at, size):
                return True
        overlap = data[-3:]
        position += len(data)
        file.seek(position)
    return False


def _is_chunk(file: Seekable, at: int, size: int) -> bool:
    """Whether a chunk stands there: another one, a list or the end follows it."""
    file.seek(at + 4)
    length = int.from_bytes(file.read(4), "little")
    end = at + 8 + length + length % 2
    if not length or end > size:
        return False
    file.seek(end)
    following = file.read(4)
    return not following or _AFTER.fullmatch(following) is not None
