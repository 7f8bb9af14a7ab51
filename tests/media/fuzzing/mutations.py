"""A seed's bytes and a number → damaged bytes, always the same ones."""

from __future__ import annotations

import io
import random
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

import av

Mutation = Callable[[bytes, random.Random], bytes]

_FIELDS = re.compile(
    # MP4 boxes, RIFF chunks, Ogg and FLAC and MP3 headers; Matroska's Cluster, Timestamp, Duration,
    # SamplingFrequency, Channels, CodecDelay, SimpleBlock
    rb"stts|stsz|stsc|stco|co64|mdhd|tkhd|mvhd|elst|moof|traf|tfhd|tfdt|trun|trex|esds|mp4a|stsd|"
    rb"mdat|moov|ctts|edts|dinf|hdlr|fmt |data|idx1|movi|strh|strf|avih|LIST|RIFF|OggS|OpusHead|"
    rb"\x01vorbis|fLaC|Xing|Info|ID3|\x1fC\xb6u|\xe7\x81|\xe7\x82|D\x89|\xb5\x84|\xb5\x88|\x9f\x81|"
    rb"V\xaa|\xa3",
    re.DOTALL,
)
"""Where fields begin that decide how the rest is read."""

_VALUES = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
)
_MAX_BITS = 64
_MAX_RUN = 4096


def mutate(data: bytes, others: Mapping[str, bytes], number: str) -> tuple[str, bytes]:
    """The name of the mutation and the damaged bytes that belong to a number.

    others: seeds that may be spliced in, by name.
    """
    rng = random.Random(number)  # noqa: S311 (the same numbers in every run)
    name = rng.choice(tuple(MUTATIONS))
    if name == "splice":
        return name, _splice(data, others[rng.choice(sorted(others))], rng)
    damaged = MUTATIONS[name](data, rng)
    while rng.random() < 0.15:
        damaged = flip_bits(damaged, rng)
    return name, damaged


def truncate(data: bytes, rng: random.Random) -> bytes:
    """The end is missing."""
    return data[: rng.randrange(1, len(data))]


def behead(data: bytes, rng: random.Random) -> bytes:
    """The beginning is missing."""
    return data[rng.randrange(1, len(data)) :]


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    """Single bits anywhere, or all within the first or last kilobyte."""
    damaged = bytearray(data)
    if not damaged:
        return data
    low, high = rng.choice(
        [(0, len(data)), (0, min(1024, len(data))), (max(0, len(data) - 1024), len(data))]
    )
    for _ in range(rng.randint(1, _MAX_BITS)):
        damaged[rng.randrange(low, high)] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def overwrite_run(data: bytes, rng: random.Random) -> bytes:
    """A stretch is zeros, ones or noise."""
    start, end = _run(data, rng)
    fill = rng.choice([bytes(end - start), b"\xff" * (end - start), rng.randbytes(end - start)])
    return data[:start] + fill + data[end:]


def delete_run(data: bytes, rng: random.Random) -> bytes:
    """A stretch is missing."""
    start, end = _run(data, rng)
    return data[:start] + data[end:]


def repeat_run(data: bytes, rng: random.Random) -> bytes:
    """A stretch comes twice, or many times."""
    start, end = _run(data, rng)
    return data[:start] + data[start:end] * rng.choice([2, 2, 3, 50]) + data[end:]


def move_run(data: bytes, rng: random.Random) -> bytes:
    """A stretch stands elsewhere."""
    start, end = _run(data, rng)
    rest = data[:start] + data[end:]
    at = rng.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def insert_noise(data: bytes, rng: random.Random) -> bytes:
    """A stretch that does not belong there."""
    at = rng.randrange(len(data))
    n = rng.randint(1, _MAX_RUN)
    return data[:at] + rng.choice([bytes(n), rng.randbytes(n)]) + data[at:]


def set_field(data: bytes, rng: random.Random) -> bytes:
    """Sizes, counts, rates or times are extreme, just before or behind the name of a field."""
    damaged = bytearray(data)
    places = [match.start() for match in _FIELDS.finditer(data)] or [0]
    for _ in range(rng.randint(1, 3)):
        at = rng.choice(places) + rng.choice([-4, 1, 2, 4, 8, 12, 16, 20, 24, 28, 32])
        form = rng.choice("BHHIIIQ")
        value = rng.choice(_VALUES) & (1 << 8 * struct.calcsize(form)) - 1
        field = struct.pack(rng.choice("<>") + form, value)
        if 0 <= at <= len(data) - len(field):
            damaged[at : at + len(field)] = field
    return bytes(damaged)


def set_granules(data: bytes, rng: random.Random) -> bytes:
    """Positions in Ogg pages jump, with checksums that are right; elsewhere as `set_field`."""
    starts = [match.start() for match in re.finditer(b"OggS", data)]
    if not starts:
        return set_field(data, rng)
    damaged = bytearray(data)
    jump = rng.choice([-(1 << 40), -48_000, 48_000, 480_000, 1 << 31, 1 << 33, 1 << 62])
    first = rng.choice(starts)
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        if start >= first and end - start >= 27:
            granule = int.from_bytes(data[start + 6 : start + 14], "little", signed=True) + jump
            damaged[start + 6 : start + 14] = (granule & (1 << 64) - 1).to_bytes(8, "little")
            damaged[start + 22 : start + 26] = bytes(4)
            checksum = ogg_checksum(bytes(damaged[start:end]))
            damaged[start + 22 : start + 26] = checksum.to_bytes(4, "little")
    return bytes(damaged)


def shift_stamps(data: bytes, rng: random.Random) -> bytes:
    """The same packets with time stamps that jump, wrap, stand still, go back or are missing."""
    try:
        return _remuxed(data, rng)
    except (av.error.FFmpegError, ValueError, OverflowError, OSError):
        return set_field(data, rng)  # the muxer wants none of it


MUTATIONS: dict[str, Mutation] = {
    "truncate": truncate,
    "behead": behead,
    "flip bits": flip_bits,
    "overwrite": overwrite_run,
    "delete": delete_run,
    "repeat": repeat_run,
    "move": move_run,
    "insert": insert_noise,
    "fields": set_field,
    "granules": set_granules,
    "time stamps": shift_stamps,
    "splice": lambda data, rng: data,
}
"""By the names that the table shows; a splice wants a second file and is made in `mutate`."""


def _splice(first: bytes, second: bytes, rng: random.Random) -> bytes:
    """The beginning of one file, then another one's end, middle or all of it."""
    cut = rng.randrange(1, len(first) + 1)
    start, end = rng.choice([(0, len(second)), _run(second, rng, len(second))])
    return first[:cut] + second[start:end] + rng.choice([b"", first[cut:]])


def _run(data: bytes, rng: random.Random, longest: int = _MAX_RUN) -> tuple[int, int]:
    if not data:
        return 0, 0
    start = rng.randrange(len(data))
    return start, min(len(data), start + rng.randint(1, longest))


def ogg_checksum(page: bytes) -> int:
    """RFC 3533, section 6: CRC-32 of polynomial 0x04c11db7, not reflected, from zero."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 1 << 31 else value << 1) & 0xFFFFFFFF
    return value


def _remuxed(data: bytes, rng: random.Random) -> bytes:
    target = io.BytesIO()
    with av.open(io.BytesIO(data)) as source:
        if len(source.streams) > 8:
            raise ValueError("too many tracks to be worth it")
        form = _muxer(source.format.name)
        with av.open(target, "w", format=form, options={"fflags": "+bitexact"}) as sink:
            sinks: dict[int, Any] = {
                stream.index: sink.add_stream_from_template(stream) for stream in source.streams
            }
            shift = _Shift(rng)
            for packet in source.demux():
                if packet.dts is not None and packet.pts is not None:
                    shift.apply(packet)
                    packet.stream = sinks[packet.stream_index]
                    sink.mux(packet)
    return target.getvalue()


def _muxer(demuxer: str) -> str:
    names = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska", "aac": "adts"}
    return names.get(demuxer, demuxer)


class _Shift:
    """One way of spoiling stamps, from a packet on."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._kind = rng.choice(["jump", "back", "wrap", "far", "jitter", "still", "gaps", "zero"])
        self._from, self._n = rng.randrange(2, 60), 0
        self._held = 0

    def apply(self, packet: av.Packet[Any]) -> None:
        self._n += 1
        if self._n < self._from:
            self._held = packet.dts or 0
            return
        seconds = 1 / float(packet.time_base or 1)
        moved = round(self._moved() * seconds)
        if self._kind == "still":
            moved = self._held - (packet.dts or 0)
        if self._kind == "zero":
            packet.duration = 0
        packet.dts, packet.pts = (packet.dts or 0) + moved, (packet.pts or 0) + moved

    def _moved(self) -> float:
        n = self._n - self._from
        return {
            "jump": 30.0,
            "back": -2.5,
            "wrap": -95443.7,  # 33 bits of 90 kHz (ISO/IEC 13818-1)
            "far": 4e6,
            "jitter": self._rng.uniform(-0.2, 0.2),
            "gaps": 1.5 * (n // 10),
        }.get(self._kind, 0.0)
