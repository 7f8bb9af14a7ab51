"""Media → where somebody speaks in it: what subtitles are held against.

Floor 2 of the road.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from subvino.audio import Audio, SpeechSegment
from subvino.media import AudioStream, read_audio
from subvino.vad import VadOptions, join_speech, load_detector


@dataclass(frozen=True, slots=True)
class MediaSpeech:
    """The speech of a media file.

    segments: in order, not touching; seconds in media time.
    end: media time at which the sound ends, seconds.
    damage: what could not be read, a phrase for each kind.
    """

    segments: tuple[SpeechSegment, ...]
    end: float
    damage: tuple[str, ...] = ()


def find_speech(
    path: str | Path,
    track: str | None = None,
    options: VadOptions | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> MediaSpeech:
    """Where somebody speaks in a media file.

    track: as `media.choose_audio_track` takes it.
    on_progress: called with the seconds heard so far.

    Raises InputError where the media can't be read.
    """
    detector = load_detector(options)
    end = 0.0

    def told(stream: AudioStream) -> Iterator[Audio]:
        nonlocal end
        for block in stream:
            yield block
            end = block.end
            if on_progress is not None:
                on_progress(end)

    with read_audio(path, track) as stream:
        segments = tuple(join_speech(detector(told(stream))))
        return MediaSpeech(segments, end, stream.damage)
