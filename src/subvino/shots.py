"""Video → the media times at which a new shot begins: cue edges snap to them (`cues.build_cues`).

Floor 2 of the road. FFmpeg's `select` filter, as PyAV carries it, scores each frame against the
one before; frames come one after the other, small, whatever the length of the video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

from subvino.errors import OptionError
from subvino.media import open_media

if TYPE_CHECKING:
    import av.filter
    from av.container import InputContainer

DEFAULT_THRESHOLD = 0.15
"""Of the filter's score, 0 to 1: how much more a frame differs from the one before than that one
did from its own. In the film it was tried on, cuts score 0.2 and more, all else below 0.06."""

_WIDTH = 192
"""Pixels that frames are scaled to: what is left of grain and of a moving mouth does not count."""

_MAX_FAILURES = 1_000
"""Read errors after which the rest of the file is given up; each one skips ahead."""

Report = Callable[[float], None]


def detect_shots(
    path: str | Path,
    threshold: float = DEFAULT_THRESHOLD,
    progress: Report | None = None,
) -> tuple[float, ...]:
    """Seconds of media time at which a new shot begins, in order; () where there is no picture.

    The first shot, which begins the video, is not among them. Rounded down to whole milliseconds:
    rounded up, a cue that comes in with a shot would miss its first frame.

    progress: told the media time that is done.

    Raises InputError.
    """
    if not 0 < threshold <= 1:
        raise OptionError(f"threshold is {threshold}; it must lie between 0 and 1")
    with open_media(path) as (container, info):
        if info.video is None:
            return ()
        frames = _frames(container, info.start, progress)
        return tuple(floor(time * 1000) / 1000 for time in _cuts(frames, threshold) if time > 0)


_Frames = Iterator[tuple["av.VideoFrame", float]]


def _frames(container: InputContainer, zero: float, progress: Report | None) -> _Frames:
    """The frames of the first moving picture, each with its media time."""
    stream = _moving_picture(container)
    stream.thread_type = "AUTO"
    for other in container.streams:
        if other.index != stream.index and hasattr(other, "discard"):  # since PyAV 17
            other.discard = type(other.discard).all
    for frame in _decoded(container, stream):
        if frame.pts is None or frame.time_base is None:
            continue
        time = float(frame.pts * frame.time_base) - zero
        if progress:
            progress(time)
        yield frame, time


def _moving_picture(container: InputContainer) -> av.VideoStream:
    """The stream that `MediaInfo.video` describes; the cover of a song is none."""
    return next(
        stream
        for stream in container.streams.video
        if stream.codec_context and not stream.disposition & stream.disposition.attached_pic
    )


def _decoded(container: InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """The frames, past what can't be read or decoded: a cut missed there is no harm."""
    from av.error import FFmpegError

    for _ in range(_MAX_FAILURES):
        try:
            yield from container.decode(stream)
        except (FFmpegError, OSError):  # noqa: PERF203
            continue
        except IndexError:  # PyAV's way to end a file in which streams turned up later
            return
        else:
            return


def _cuts(frames: _Frames, threshold: float) -> Iterator[float]:
    """Media times of the frames that begin a shot; another size of picture is another shot."""
    form: tuple[int, int, str] | None = None
    for frame, time in frames:
        shape = (frame.width, frame.height, frame.format.name)
        if is_new := shape != form:
            graph = _graph(frame, threshold)
        graph.push(frame)
        if _passed(graph) or (is_new and form is not None):
            yield time
        form = shape


def _graph(frame: av.VideoFrame, threshold: float) -> av.filter.Graph:
    """Frames in, frames out that differ: `select` lets no first frame pass."""
    import av

    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base,
    )
    scale = graph.add("scale", f"{_WIDTH}:-2:flags=area")
    select = graph.add("select", f"gt(scene\\,{threshold:.4f})")
    graph.link_nodes(source, scale, select, graph.add("buffersink")).configure()
    return graph


def _passed(graph: av.filter.Graph) -> bool:
    """Whether the frame that was pushed comes out at the other end; neither filter keeps any."""
    from av.error import BlockingIOError as NothingYet

    try:
        graph.pull()
    except NothingYet:
        return False
    return True
