"""Whether sound is missing between two packets, or behind the last one.

FFmpeg steps over damage without a word: a page whose checksum is wrong, a cluster whose header is
spoilt, a fragment whose index can't be read. The time stamps then show a gap, as they do where a
recorder wrote nothing in a pause, or the sound just ends early. What the file's own structure says
between the packets, or behind them, tells the one from the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from subvino.containers import Seekable
from subvino.media import avi, fragments, matroska, movie, mpegts, ogg, wav

_UNBROKEN = frozenset({"avi", "flac", "ogg", "wav", "w64", "aiff"})
"""Formats in which every packet follows the one before: each gap is a loss (in Ogg by its mappings
for Vorbis, Opus and FLAC; the others have no time stamps of their own)."""

BARE = frozenset({"aac", "ac3", "amr", "dts", "eac3", "loas", "mp3", "truehd"})
"""Formats that are nothing but frames. FFmpeg makes up stamps for them, which go wrong where the
sample rate changes, so only the first one counts (an MP3's skips the encoder's delay)."""

_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBE")
"""How what may stand between frames and is no sound begins: ID3, APEv2, Lyrics3."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Span:
    """A packet's place in the file, bytes."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Continuity:
    """Looks into a file between packets; gives the file back where it stood.

    container: FFmpeg's name of the format; track: of the sound, its number in the container.
    """

    file: Seekable
    size: int
    container: str
    track: int

    def is_broken(self, after: Span | None, before: Span | None) -> bool:
        """Whether something is damaged between two packets of a track that are a gap apart."""
        if self.container in _UNBROKEN:
            return True
        if after is None or before is None:
            return False
        if self.container.startswith("matroska"):
            start, end = after.start, before.start
            return not self._looked(lambda: matroska.leads(self.file, self.size, start, end))
        if self.container.startswith("mov"):  # each fragment begins with its own index
            start, end = after.end, before.start
            return self._looked(lambda: fragments.count(self.file, start, end, self.track)) > 1
        return False

    def follows(self, after: Span | None, before: Span | None) -> bool:
        """Whether a packet goes on where the last one ended, whatever the time stamps say.

        Ogg numbers its pages, so one that comes again is told from one with wrong stamps, or from
        the first of the next song.
        """
        if self.container != "ogg" or after is None or before is None:
            return False
        return self._looked(lambda: ogg.leads(self.file, after.start, before.start))

    def hole(self, after: Span | None, before: Span | None) -> int:
        """Bytes of a bare stream of frames that gave none."""
        if after is None or before is None or self.container not in BARE:
            return 0
        return self._untagged(after.end, before.start)

    def surplus(self, first: Span | None, last: Span | None) -> int:
        """Bytes behind the last packet that ought to be sound, in forms that are little else."""
        if first is None or last is None:
            return 0
        if self.container == "wav":
            n = self._looked(lambda: wav.surplus(self.file, self.size, first.start))
            return self._untagged(self.size - n, self.size)
        return self._untagged(last.end, self.size) if self.container in BARE else 0

    def _untagged(self, start: int, end: int) -> int:
        return end - start if start < end and not self._looked(lambda: self._is_tag(start)) else 0

    def _is_tag(self, start: int) -> bool:
        self.file.seek(start)
        return self.file.read(8).startswith(_TAGS)

    def begins_late(self, first: Span | None) -> bool:
        """Whether there is more sound, or damage, before the first packet that was read."""
        if first is None or not self.container.startswith("matroska"):
            return False
        return not self._looked(lambda: matroska.leads(self.file, self.size, None, first.start))

    def contradicted_seconds(self) -> float | None:
        """How long an MP4's samples last, where its index says that and less; otherwise None."""
        if not self.container.startswith("mov"):
            return None
        return self._looked(lambda: movie.contradicted_seconds(self.file, self.track))

    def goes_on(self, last: Span | None, read: Span | None) -> bool:
        """Whether there is more sound, or damage, behind the last packet that gave sound.

        read: the last packet that FFmpeg found.
        """
        last = last or read
        if self.container == "ogg":
            return self._looked(lambda: ogg.is_damaged(self.file))
        if last is None:
            return False
        if self.container.startswith("matroska"):
            args = (self.file, self.size, last.start, None, (read or last).start)
            return not self._looked(lambda: matroska.leads(*args))
        if self.container == "avi":
            return self._looked(lambda: avi.goes_on(self.file, self.size, last.end, self.track))
        if self.container.startswith("mov"):
            return self._looked(lambda: fragments.go_on(self.file, self.size, last.end, self.track))
        if self.container == "mpegts":
            return not self._looked(lambda: mpegts.ends_in_packets(self.file, self.size))
        return False

    def _looked(self, look: Callable[[], Found]) -> Found:
        position = self.file.tell()
        try:
            return look()
        finally:
            self.file.seek(position)
