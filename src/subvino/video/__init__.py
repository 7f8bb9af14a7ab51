"""Subtitles into videos: as tracks that players can switch on, or as part of the picture.

Floor 2 of the road. An ffmpeg executable does the work: PyAV, which reads media elsewhere, has no
libass, and what it copies loses its codec tag (`hvc1`, without which Apple's players refuse a
file) and its frame rate.
"""

from __future__ import annotations

from subvino.video.burning import BURN_NEEDS, BURN_SUFFIXES, BurnOptions, Position, burn
from subvino.video.ffmpeg import find_ffmpeg
from subvino.video.muxing import mux
from subvino.video.track import SubtitleTrack, read_track
from subvino.video.work import Finished, Progress, check_output, default_output

__all__ = [
    "BURN_NEEDS",
    "BURN_SUFFIXES",
    "BurnOptions",
    "Finished",
    "Position",
    "Progress",
    "SubtitleTrack",
    "burn",
    "check_output",
    "default_output",
    "find_ffmpeg",
    "mux",
    "read_track",
]
