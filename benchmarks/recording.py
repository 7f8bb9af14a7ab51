"""The recording that the speed benchmarks hear: clips of sets joined, with the sound of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
from joined import encode_aac, join_clips

from subvino.evaluate import Clip, Manifest, read_manifest


def read_sets(paths: Sequence[Path], strip_accents: str) -> list[Manifest]:
    """strip_accents: names of sets whose references have none, parted by commas."""
    plain = strip_accents.split(",")
    return [read_manifest(path, strip_accents=path.name in plain) for path in paths]


def make_recording(sets: Sequence[Manifest], minutes: float, folder: Path) -> Clip:
    """The sets joined to at least so many minutes, as MP4 with AAC sound."""
    wav, media = folder / "recording.wav", folder / "recording.mp4"
    clip = join_clips(sets, wav, minutes)
    encode_aac(wav, media)
    wav.unlink()
    return replace(clip, audio=media)


def repeat_sound(path: Path, target: Path, times: int) -> None:
    """The sound of a file so many times, as it is encoded there: encoding ten hours takes ten
    minutes."""
    with av.open(str(path)) as source, av.open(str(target), "w", format="mp4") as joined:
        template = source.streams.audio[0]
        stream = joined.add_stream_from_template(template)
        packets = [packet for packet in source.demux(template) if packet.size]
        contents = [(bytes(packet), packet.pts or 0, packet.duration or 0) for packet in packets]
        begin, (_, last, duration) = contents[0][1], contents[-1]
        for start in range(0, times * (last + duration - begin), last + duration - begin):
            for content, time, length in contents:
                packet = av.Packet(content)
                packet.pts = packet.dts = start + time
                packet.duration, packet.time_base = length, template.time_base
                packet.stream = stream
                joined.mux(packet)


def media_seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return (container.duration or 0) / av.time_base
