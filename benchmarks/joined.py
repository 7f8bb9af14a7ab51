"""Long recordings out of short ones: the clips of manifests one after the other, with pauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, cycle
from pathlib import Path

import av
import numpy as np
from made_sound import RATE, write_wav

from subvino.audio import Samples
from subvino.evaluate import Clip, Manifest, TimedText
from subvino.evaluate.manifest import Span
from subvino.media import read_audio

PAUSE = 1.0
"""Seconds before, between and after the clips."""

Spoken = tuple[Clip, Samples]


def read_samples(path: Path) -> Samples:
    """float32 (n,), mono, 16 kHz."""
    with read_audio(path) as blocks:
        parts = [block.samples for block in blocks]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def join_clips(manifests: Sequence[Manifest], path: Path, minutes: float | None = None) -> Clip:
    """Write the clips as one WAV file and give it as a clip with all their text.

    minutes: at least so long; clips come again where there are too few. None takes each once.
    """
    clips = [clip for manifest in manifests for clip in manifest.clips]
    spoken = [(clip, read_samples(clip.audio)) for clip in clips]
    chosen = spoken if minutes is None else list(_fill(spoken, round(minutes * 60 * RATE)))
    write_wav(path, _with_pauses(chosen))
    return replace(_joined(chosen), id=path.stem, audio=path, language=_language(clips))


def _fill(spoken: Sequence[Spoken], n_samples: int) -> Iterator[Spoken]:
    pause = total = round(PAUSE * RATE)
    for clip, samples in cycle(spoken):
        if total >= n_samples:
            return
        total += len(samples) + pause
        yield clip, samples


def _with_pauses(spoken: Sequence[Spoken]) -> Iterator[Samples]:
    pause = np.zeros(round(PAUSE * RATE), np.float32)
    yield pause
    for _, samples in spoken:
        yield samples
        yield pause


def _joined(spoken: Sequence[Spoken]) -> Clip:
    """The text of all clips, with the parts of it that don't count."""
    pieces, excluded, start = list[TimedText](), list[Span](), PAUSE
    for clip, samples in spoken:
        end = start + len(samples) / RATE
        pieces += [_moved(piece, start, end) for piece in clip.pieces]
        excluded += [Span(span.start + start, min(end, span.end + start)) for span in clip.excluded]
        start = end + PAUSE
    text = " ".join(clip.text for clip, _ in spoken)
    plain = any(clip.strip_accents for clip, _ in spoken)
    return Clip(
        "", Path(), text, pieces=tuple(pieces), excluded=tuple(excluded), strip_accents=plain
    )


def _moved(piece: TimedText, start: float, end: float) -> TimedText:
    """The piece in a clip that lies from `start` to `end`; one without times is all of it."""
    if piece.start is None or piece.end is None:
        return TimedText(piece.text, start, end)
    return TimedText(piece.text, piece.start + start, piece.end + start)


def _language(clips: Sequence[Clip]) -> str | None:
    """The language of all clips, where they have one in common."""
    languages = {clip.language for clip in clips}
    return languages.pop() if len(languages) == 1 else None


def encode_aac(wav: Path, path: Path) -> None:
    """The sound as most videos have it: AAC, 48 kHz, two channels alike, in MP4."""
    resampler = av.AudioResampler("fltp", "mono", 48_000)
    with av.open(str(wav)) as source, av.open(str(path), "w", format="mp4") as target:
        stream = target.add_stream("aac", rate=48_000, layout="stereo")
        for frame in chain(source.decode(audio=0), [None]):
            for part in resampler.resample(frame):
                target.mux(stream.encode(_doubled(part)))
        target.mux(stream.encode(None))


def _doubled(mono: av.AudioFrame) -> av.AudioFrame:
    """FFmpeg's own way from one channel to two makes each 3 dB quieter."""
    samples = mono.to_ndarray().astype(np.float32, copy=False)
    frame = av.AudioFrame.from_ndarray(np.repeat(samples, 2, axis=0), "fltp", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = mono.sample_rate, mono.pts, mono.time_base
    return frame
