"""The sound of a file as a stream of blocks, and what of it was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np

from subvino.audio import SAMPLE_RATE, Audio, Samples
from subvino.containers import declared_size, has_sample_count
from subvino.errors import DamagedMediaError, EmptyMediaError, InputError
from subvino.media import watchdog
from subvino.media.file import MediaFile
from subvino.media.frames import MIN_LOST, Report, decoded_frames, steady_frames
from subvino.media.info import AudioTrack, choose_audio_track
from subvino.media.samples import placed_samples
from subvino.media.watchdog import StalledError

BLOCK_SECONDS = 20.0
"""Length of the blocks that `AudioStream` gives."""


def read_audio(
    path: str | Path, track: str | None = None, block: float = BLOCK_SECONDS
) -> AudioStream:
    """The sound of a file as a stream of blocks of `block` seconds, 16 kHz mono, in media time.

        with read_audio("talk.mp4") as stream:
            for audio in stream:
                ...
            if error := stream.error():
                print(error)

    track: as `choose_audio_track` takes it. Raises InputError, here and while it is read.
    """
    return AudioStream(Path(path), track, block)


class AudioStream:
    """The blocks of one audio track, in order, without holes: `Audio.end` is the next `start`.

    Stretches that the file has no sound for are silent; `gaps` tells where. What could not be
    read is known at the end: `lost`, `damage`, `error()`. It can be read through once.
    """

    def __init__(self, path: Path, track: str | None, block: float) -> None:
        self._file = MediaFile(path)
        try:
            self.info = self._file.info
            self.track = choose_audio_track(self.info, track)
            self._file.check_readable(self.track)
            self._continuity = self._file.continuity(self.track)
        except BaseException:
            self._file.close()
            raise
        self._block = round(block * SAMPLE_RATE)
        self._report = Report()

    def __enter__(self) -> AudioStream:
        """Itself; the file is closed on leaving."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[Audio]:
        """The blocks; raises InputError where nothing at all can be read."""
        from av.error import FFmpegError

        frames = steady_frames(decoded_frames(self._file, self.track, self._report))
        pieces = placed_samples(frames, self.info.duration, self._continuity, self._report)
        blocks = _blocks(pieces, self._block)
        end = 0.0
        try:
            while (block := self._file.watchdog.run(lambda: next(blocks, None))) is not None:
                start, samples = block
                audio = Audio(samples, start / SAMPLE_RATE)
                end = audio.end
                yield audio
        except FFmpegError as error:  # the resampler refuses a format that no decoder should give
            path = self.info.path
            message = f"{path}: the sound can't be converted ({error.strerror})"
            raise DamagedMediaError(message, path) from error
        except StalledError:
            self._give_up(end)
            return
        with suppress(StalledError):
            self._file.watchdog.run(self._check_end)

    def _give_up(self, end: float) -> None:
        """Nothing moves any more: what has been given out so far, up to `end`, is all there is."""
        report = self._report
        report.is_cut, report.end = True, end
        report.missing = max(0.0, (self.info.duration or 0.0) - end)
        report.count(f"nothing moved for {watchdog.STALL_SECONDS:.0f} s", report.end)

    def _check_end(self) -> None:
        if not self._report.end:
            raise self._nothing_heard()
        file, report = self._file, self._report
        listed = self._continuity.contradicted_seconds()
        report.missing = max(0.0, _missing_seconds(file, self.track, report.end, listed))
        breaks_off = report.missing > MIN_LOST or file.broken_off or self._lacks_bytes()
        report.is_cut |= breaks_off or report.is_unread
        if file.lacks_header:
            report.is_cut = True
            report.count("its header is missing", 0.0)
        if breaks_off and listed is not None:
            report.count(f"its index lists {listed:.1f} s and gives out {report.end:.1f} s", 0.0)
        elif breaks_off:
            report.count(f"the file breaks off after {report.end:.1f} s", report.end)
        elif self._is_spoilt_behind():
            report.is_cut = True
            report.count(f"the file is damaged after {report.end:.1f} s", report.end)
        if not self._is_filled() and self._continuity.begins_late(report.first):
            report.is_cut = True
            report.count("the file is damaged before its sound", 0.0)

    def _lacks_bytes(self) -> bool:
        """Whether the file is cut off, and not all the time it announces has sound."""
        wanted, duration = declared_size(self._file.head), self.info.duration
        silent = sum(end - start for start, end in self.gaps)
        is_cut = wanted is not None and wanted > self._file.size
        return is_cut and duration is not None and self._report.end - silent < duration - MIN_LOST

    def _is_spoilt_behind(self) -> bool:
        """Whether there may have been more sound where the file can't be read."""
        report = self._report
        if report.seconds_in(self._continuity.surplus(report.first, report.span)) > MIN_LOST:
            return True
        return not self._is_filled() and self._continuity.goes_on(report.span, report.read)

    def _is_filled(self) -> bool:
        """Whether all of the time that the file declares has sound."""
        duration, container = self.info.duration, self.info.container
        if duration is None or not (container == "avi" or container.startswith("matroska")):
            return False  # of other forms FFmpeg works out the duration from as much as it found
        silent = (self.track.start or 0.0) + sum(end - start for start, end in self.gaps)
        return self._report.end - silent > duration - MIN_LOST

    def _nothing_heard(self) -> InputError:
        path = self.info.path
        if self._report.kinds:
            what = "; ".join(self.damage)
            return DamagedMediaError(f"{path}: no sound can be read ({what})", path)
        return EmptyMediaError(f"{path}: audio track {self.track} holds no sound", path)

    @property
    def lost(self) -> float:
        """Seconds of sound that could not be read, as far as the file tells; 0 before the end."""
        return self._report.lost + self._report.missing

    @property
    def gaps(self) -> tuple[tuple[float, float], ...]:
        """(start, end) of the stretches without sound that were filled with silence."""
        return tuple(self._report.gaps)

    @property
    def damage(self) -> tuple[str, ...]:
        """What was wrong with the file, one phrase for each kind of damage."""
        return self._report.phrases()

    def error(self) -> DamagedMediaError | None:
        """The damage as an error, when all is read; None if too little is lost to hold a word."""
        path, what = self.info.path, "; ".join(self.damage)
        if self.lost >= MIN_LOST:
            message = f"{path}: {self.lost:.1f} s of sound could not be read ({what})"
            return DamagedMediaError(f"{message}; the rest was", path, self.lost)
        if self._report.is_cut:
            message = f"{path}: some of its sound is missing ({what}); what there is was read"
            return DamagedMediaError(message, path)
        return None


def _blocks(pieces: Iterator[Samples], n: int) -> Iterator[tuple[int, Samples]]:
    """The same samples in blocks of n (the last may be shorter), with the index of their first."""
    parts: list[Samples] = []
    first = have = 0
    for piece in pieces:
        while len(piece):
            part, piece = piece[: n - have], piece[n - have :]
            parts.append(part)
            have += len(part)
            if have == n:
                yield first, np.concatenate(parts)
                parts, first, have = [], first + n, 0
    if have:
        yield first, np.concatenate(parts)


def _missing_seconds(file: MediaFile, track: AudioTrack, end: float, listed: float | None) -> float:
    """Seconds of the track that its file announces and does not have; 0 where it doesn't say.

    listed: as `Continuity.contradicted_seconds` gives it.
    """
    head, info = file.head, file.info
    if listed is not None:
        return (track.start or 0.0) + listed - end
    counted = (track.start or 0.0) + (track.duration or 0.0) - end
    if track.duration and (info.container.startswith("mov") or has_sample_count(head)):
        return counted
    if info.container == "avi" and counted > MIN_LOST:
        return counted
    wanted, found = declared_size(head), file.size
    if wanted is None or wanted <= found:
        return 0.0
    if info.duration and info.container.startswith("matroska"):
        return info.duration - end
    return end * (wanted - found) / found  # FFmpeg shortens RIFF's duration to what is there
