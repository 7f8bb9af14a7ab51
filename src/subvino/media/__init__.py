"""Media file → sound: what is in it, which track to take, and its samples in media time.

Floor 1 of the road. PyAV (FFmpeg) does the reading. A file is a stream here: blocks of some
seconds come out one after the other, whatever its length.

Media time 0 is the start of the presentation, as players show it: a container whose stamps begin
at 1.4 s (MPEG-TS) begins at 0, and a track that starts later than the others keeps its delay.
Stamps below 0 are encoder padding in front of the sound, which is cut.

A file is hostile. FFmpeg reads it through a Python file object and may open nothing else, so that
a playlist in disguise reaches neither other files nor the network.
"""

from __future__ import annotations

from subvino.media.file import open_media, probe
from subvino.media.frames import MIN_LOST
from subvino.media.info import (
    AudioTrack,
    MediaInfo,
    SubtitleTrack,
    VideoInfo,
    choose_audio_track,
)
from subvino.media.mixing import channel_weights, mix_down
from subvino.media.stream import BLOCK_SECONDS, AudioStream, read_audio

__all__ = [
    "BLOCK_SECONDS",
    "MIN_LOST",
    "AudioStream",
    "AudioTrack",
    "MediaInfo",
    "SubtitleTrack",
    "VideoInfo",
    "channel_weights",
    "choose_audio_track",
    "mix_down",
    "open_media",
    "probe",
    "read_audio",
]
