"""Ten minutes in which nobody speaks: silence, noise, tones and music, the same on every machine.

Every clip lasts `SECONDS` and has a seed of its own, so that a clip more changes no other.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from subvino.evaluate import Clip, Manifest

RATE = 16_000
SECONDS = 25.0
Samples = npt.NDArray[np.float64]
Maker = Callable[[np.random.Generator], Samples]

_N = round(SECONDS * RATE)
_TIME = np.arange(_N) / RATE


def make_nonspeech(folder: Path) -> Manifest:
    """Write all clips as WAV into the folder."""
    clips = [_write(folder, number, name) for number, name in enumerate(MAKERS)]
    return Manifest("made_nonspeech", tuple(clips))


def _write(folder: Path, seed: int, name: str) -> Clip:
    path = folder / f"{name}.wav"
    write_wav(path, [MAKERS[name](np.random.default_rng(seed))])
    return Clip(name, path, "")


def write_wav(path: Path, parts: Iterable[npt.NDArray[np.floating[Any]]]) -> None:
    """Mono, 16 kHz, 16 bits, part after part; samples in [-1, 1]."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for part in parts:
            file.writeframesraw(np.round(np.clip(part, -1, 1) * 32767).astype("<i2").tobytes())


# --- silence ------------------------------------------------------------------------------------


def digital_silence(_: np.random.Generator) -> Samples:
    return np.zeros(_N)


def dither(draw: np.random.Generator) -> Samples:
    """The last bit of 16, as a converter gives it."""
    return draw.integers(-1, 2, _N) / 32767


def room_tone(draw: np.random.Generator) -> Samples:
    """A quiet room at -60 dB with the hum of its lamps."""
    return colored(draw, 1.0, 10**-3) + 3e-4 * np.sin(2 * np.pi * 100 * _TIME)


def tape_hiss(draw: np.random.Generator) -> Samples:
    return colored(draw, -0.5, 10 ** (-45 / 20))


# --- noise --------------------------------------------------------------------------------------


def colored(draw: np.random.Generator, exponent: float, level: float) -> Samples:
    """Noise whose power falls as 1/f^exponent, at this root mean square."""
    spectrum = np.fft.rfft(draw.standard_normal(_N))
    frequency = np.maximum(np.fft.rfftfreq(_N, 1 / RATE), 20.0)
    noise = np.fft.irfft(spectrum / frequency ** (exponent / 2), _N)
    return noise * (level / float(np.sqrt(np.mean(noise**2))))


def white_noise(draw: np.random.Generator) -> Samples:
    return colored(draw, 0.0, 0.1)


def pink_noise(draw: np.random.Generator) -> Samples:
    return colored(draw, 1.0, 0.1)


def engine_rumble(draw: np.random.Generator) -> Samples:
    """Brown noise with the harmonics of an engine that runs unevenly."""
    pitch = 45 + 4 * np.sin(2 * np.pi * 0.13 * _TIME)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    hum = _mix(np.sin(k * phase) / k for k in range(1, 9))
    return colored(draw, 2.0, 0.08) + 0.05 * hum


def surf(draw: np.random.Generator) -> Samples:
    """Noise that swells and falls, as waves on a beach."""
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * _TIME / 7.0)
    return colored(draw, 1.0, 0.15) * (0.1 + swell**2)


def rain(draw: np.random.Generator) -> Samples:
    """Drops over a bed of noise."""
    drops = np.zeros(_N)
    at = draw.integers(0, _N, 2500)
    drops[at] = draw.exponential(0.04, len(at))
    grain = np.exp(-np.arange(160) / 25) * draw.standard_normal(160)
    return colored(draw, 0.3, 0.02) + np.convolve(drops, grain)[:_N]


def gusts(draw: np.random.Generator) -> Samples:
    """Wind at a microphone: brown noise in gusts at about the pace of speech."""
    envelope = np.convolve(np.abs(draw.standard_normal(_N // 800)), np.hanning(8), "same")
    gust: Samples = np.interp(_TIME, np.arange(len(envelope)) * 0.05, envelope)
    return colored(draw, 1.5, 0.03) * gust


def keyboard(draw: np.random.Generator) -> Samples:
    """Clicks of keys, four a second, in a quiet room."""
    sound = room_tone(draw)
    for start in np.cumsum(draw.exponential(0.25, 90)):
        click = draw.standard_normal(400) * np.exp(-np.arange(400) / 60) * draw.uniform(0.05, 0.3)
        _add(sound, click, float(start))
    return sound


def radio_static(draw: np.random.Generator) -> Samples:
    """Bursts of noise in a telephone's band."""
    spectrum = np.fft.rfft(draw.standard_normal(_N))
    frequency = np.fft.rfftfreq(_N, 1 / RATE)
    spectrum[(frequency < 300) | (frequency > 3400)] = 0
    band = np.fft.irfft(spectrum, _N)
    gate = np.repeat(draw.random(_N // 3200 + 1) < 0.6, 3200)[:_N]
    return band * (0.1 / float(np.std(band))) * gate


# --- tones --------------------------------------------------------------------------------------


def sine(_: np.random.Generator) -> Samples:
    return 0.3 * np.sin(2 * np.pi * 440 * _TIME)


def mains_hum(_: np.random.Generator) -> Samples:
    return _mix(0.1 / k * np.sin(2 * np.pi * 50 * k * _TIME) for k in (1, 2, 3, 5, 7))


def sweep(_: np.random.Generator) -> Samples:
    """100 Hz to 4 kHz and back, every five seconds."""
    octaves = 1 - np.abs(2 * (_TIME / 5 % 1) - 1)
    return 0.3 * np.sin(2 * np.pi * np.cumsum(100 * 40**octaves) / RATE)


def dialing(draw: np.random.Generator) -> Samples:
    """The tones of a telephone's keys (ITU-T Q.23)."""
    low, high = (697, 770, 852, 941), (1209, 1336, 1477)
    sound = np.zeros(_N)
    for start in np.arange(0.5, SECONDS - 0.2, 0.3):
        pair = draw.choice(low), draw.choice(high)
        _add(sound, 0.2 * _mix(_tone(pitch, 0.15) for pitch in pair), float(start))
    return sound


def ringing(_: np.random.Generator) -> Samples:
    """A telephone's ring: one second in five (ITU-T E.180)."""
    return 0.2 * np.sin(2 * np.pi * 425 * _TIME) * (_TIME % 5 < 1)


def alarm(_: np.random.Generator) -> Samples:
    """Beeps of 2 kHz, two a second."""
    return 0.3 * np.sin(2 * np.pi * 2000 * _TIME) * (_TIME % 0.5 < 0.2)


# --- music --------------------------------------------------------------------------------------

_SCALE = 220 * 2 ** (np.array([0, 2, 3, 5, 7, 8, 10, 12, 14, 15]) / 12)
_CHORDS = ((0, 2, 4), (5, 7, 9), (3, 5, 7), (4, 6, 8))


def piano(draw: np.random.Generator) -> Samples:
    """A melody over chords, struck notes that die away."""
    sound = np.zeros(_N)
    for beat in range(int(SECONDS / 0.4) - 4):
        notes = (*_CHORDS[beat // 8 % 4],) if beat % 4 == 0 else ()
        for note in (*notes, draw.integers(3, 10)):
            _add(sound, _struck(float(_SCALE[note])), beat * 0.4)
    return _scaled(sound, 0.5)


def strings(_: np.random.Generator) -> Samples:
    """Slow chords with vibrato."""
    sound = np.zeros(_N)
    for bar in range(int(SECONDS / 3)):
        for note in _CHORDS[bar % 4]:
            _add(sound, _bowed(float(_SCALE[note]), 3.2), bar * 3.0)
    return _scaled(sound, 0.4)


def guitar(draw: np.random.Generator) -> Samples:
    """Plucked strings in broken chords (Karplus and Strong 1983)."""
    sound = np.zeros(_N)
    for beat in range(int(SECONDS / 0.25) - 6):
        note = _CHORDS[beat // 12 % 4][beat % 3]
        _add(sound, _plucked(draw, float(_SCALE[note]) / 2), beat * 0.25)
    return _scaled(sound, 0.5)


def drums(draw: np.random.Generator) -> Samples:
    """Bass drum, snare and cymbal at 110 beats a minute."""
    sound = np.zeros(_N)
    for eighth in range(int(SECONDS / 0.2727) - 1):
        start = eighth * 0.2727
        _add(sound, 0.1 * _burst(draw, 0.05), start)
        if eighth % 4 == 0:
            _add(sound, 0.8 * _tone(60, 0.2) * np.exp(-np.arange(3200) / 900), start)
        if eighth % 4 == 2:
            _add(sound, 0.4 * _burst(draw, 0.2), start)
    return _scaled(sound, 0.6)


def band(draw: np.random.Generator) -> Samples:
    """Drums, guitar and a lead that slides between notes as a voice does."""
    pitch = np.repeat(_SCALE[draw.integers(2, 9, 64)], round(0.4 * RATE))[:_N]
    pitch = np.convolve(np.pad(pitch, 400, "edge"), np.full(801, 1 / 801), "valid")[:_N]
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.01 * np.sin(2 * np.pi * 5.5 * _TIME))) / RATE
    lead = _mix(np.sin(k * phase) / k**1.5 for k in range(1, 7))
    sung = lead * (0.6 + 0.4 * np.sin(2 * np.pi * 1.25 * _TIME))
    return 0.5 * drums(draw) + 0.5 * guitar(draw) + 0.12 * sung


def organ(_: np.random.Generator) -> Samples:
    """Held chords of pure partials."""
    sound = np.zeros(_N)
    for bar in range(int(SECONDS / 2.5)):
        for note in _CHORDS[bar % 4]:
            pitch = float(_SCALE[note]) / 2
            partials = (_tone(k * pitch, 2.4) / k for k in (1, 2, 3, 4, 6, 8))
            _add(sound, _mix(partials), bar * 2.5)
    return _scaled(sound, 0.4)


def _mix(parts: Iterable[Samples]) -> Samples:
    return np.asarray(np.sum(list(parts), axis=0))


def _scaled(sound: Samples, peak: float) -> Samples:
    return sound * (peak / float(np.max(np.abs(sound))))


def _add(sound: Samples, part: Samples, start: float) -> None:
    """Mix a part into the sound from this time on; its end is cut."""
    first = round(start * RATE)
    room = max(0, min(len(part), len(sound) - first))
    sound[first : first + room] += part[:room]


def _tone(pitch: float, seconds: float) -> Samples:
    """A sine with soft edges of 5 ms."""
    time = np.arange(round(seconds * RATE)) / RATE
    edge = np.minimum(1.0, np.minimum(time, seconds - time) / 0.005)
    return np.sin(2 * np.pi * pitch * time) * edge


def _struck(pitch: float) -> Samples:
    time = np.arange(round(1.6 * RATE)) / RATE
    return _mix(
        np.exp(-time * (2 + k)) * np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 8)
    )


def _bowed(pitch: float, seconds: float) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * pitch * time + 0.15 * np.sin(2 * np.pi * 5 * time)
    tone = _mix(np.sin(k * phase) / k for k in range(1, 10))
    return tone * np.minimum(1.0, np.minimum(time, seconds - time) / 0.4)


def _plucked(draw: np.random.Generator, pitch: float) -> Samples:
    period = round(RATE / pitch)
    rounds = [draw.uniform(-1, 1, period)]
    for _ in range(round(1.2 * pitch)):
        rounds.append(0.498 * (rounds[-1] + np.roll(rounds[-1], 1)))
    return np.concatenate(rounds)


def _burst(draw: np.random.Generator, seconds: float) -> Samples:
    n = round(seconds * RATE)
    return draw.standard_normal(n) * np.exp(-np.arange(n) / (n / 5))


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        *(digital_silence, dither, room_tone, tape_hiss),
        *(white_noise, pink_noise, engine_rumble, surf, rain, gusts, keyboard, radio_static),
        *(sine, mains_hum, sweep, dialing, ringing, alarm),
        *(piano, strings, guitar, drums, band, organ),
    )
}
"""Name → clip; 24 of 25 s make ten minutes. A new one goes to the end: its place is its seed."""
