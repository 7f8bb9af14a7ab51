"""Draw samples/rainbow.mp4: read sentences over a rainbow that grows as they are read.

    python scripts/make_sample.py samples/rainbow.mp4 FIRST.flac SECOND.flac

The recordings are utterances p228_008 and p228_011 of the VCTK corpus (samples/ATTRIBUTION.md);
the picture is computed here, so that the whole film is free. Needs only numpy and av.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from functools import cache

import av
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT, FPS = 960, 540, 25
LEAD_IN, PAUSE, TAIL = 0.8, 0.8, 1.2
"""Seconds of silence before, between and after the recordings, besides their own."""
GAIN = 0.8
AUDIO_RATE = 44_100

Floats = npt.NDArray[np.float64]
Image = npt.NDArray[np.float64]
"""(HEIGHT, WIDTH, 3), red green blue in [0, 1]."""

Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64) / HEIGHT
"""Both in picture heights: 1 is the bottom edge, WIDTH / HEIGHT the right one."""
CENTRE_X, HORIZON = 0.5 * WIDTH / HEIGHT, 0.80
OUTER, INNER = 0.64, 0.53
"""Radii of the bow's red and violet edge."""


def mix(below: Image, colour: Floats | tuple[float, float, float], alpha: Floats) -> Image:
    """Paint a colour over an image; alpha (HEIGHT, WIDTH) in [0, 1]."""
    cover = np.clip(alpha, 0, 1)[..., None]
    return below * (1 - cover) + np.asarray(colour) * cover


def ramp(value: Floats, start: float, stop: float) -> Floats:
    """0 at start, 1 at stop, smooth between."""
    t = np.clip((value - start) / (stop - start), 0, 1)
    return t * t * (3 - 2 * t)


@cache
def sky() -> Image:
    """Rain clouds above, light near the horizon; brighter inside the bow, as real ones are."""
    image = mix(np.full((HEIGHT, WIDTH, 3), (0.30, 0.39, 0.52)), (0.80, 0.85, 0.88), Y / HORIZON)
    radius = np.hypot(X - CENTRE_X, Y - HORIZON)
    return mix(image, (0.93, 0.95, 0.96), 0.35 * (1 - ramp(radius, INNER - 0.02, INNER + 0.04)))


@cache
def bow_colours() -> tuple[Image, Floats]:
    """The bow's colours by radius, and how strongly each point is covered."""
    radius = np.hypot(X - CENTRE_X, Y - HORIZON)
    across = np.clip((OUTER - radius) / (OUTER - INNER), 0, 1)
    stops = np.linspace(0, 1, 7)
    spectrum = np.array(
        [
            (0.90, 0.22, 0.22),
            (0.97, 0.55, 0.20),
            (0.99, 0.87, 0.30),
            (0.35, 0.75, 0.40),
            (0.25, 0.62, 0.85),
            (0.30, 0.38, 0.80),
            (0.55, 0.35, 0.75),
        ]
    )
    colours = np.stack([np.interp(across, stops, spectrum[:, i]) for i in range(3)], axis=-1)
    cover = ramp(radius, INNER - 0.02, INNER + 0.02) * (
        1 - ramp(radius, OUTER - 0.02, OUTER + 0.02)
    )
    return colours, 0.8 * cover


def paint_hills(image: Image) -> Image:
    """Two rows of hills in front of everything."""
    far = 0.79 - 0.035 * np.sin(3.1 * X + 0.4) - 0.012 * np.sin(9 * X)
    near = 0.90 - 0.045 * np.sin(2.2 * X + 2.6) - 0.010 * np.sin(7 * X + 1)
    image = mix(image, (0.38, 0.55, 0.36), ramp(Y - far, 0, 0.004))
    shade = np.stack([0.24 - 0.06 * Y, 0.47 - 0.12 * Y, 0.24 - 0.06 * Y], axis=-1)
    return mix(image, shade, ramp(Y - near, 0, 0.004))


def paint_pot(image: Image, alpha: float) -> Image:
    """The pot of gold at the right end of the bow."""
    x, y = X - (CENTRE_X + 0.5 * (OUTER + INNER)), Y - 0.84
    for coin_x, coin_y in ((-0.028, -0.045), (0.0, -0.058), (0.028, -0.045)):
        coin = np.hypot(x - coin_x, y - coin_y)
        image = mix(image, (0.98, 0.80, 0.25), alpha * (1 - ramp(coin, 0.024, 0.028)))
    body = np.hypot(x, 1.15 * y)
    image = mix(image, (0.13, 0.12, 0.15), alpha * (1 - ramp(body, 0.058, 0.062)) * (y > -0.042))
    rim = np.maximum(np.abs(x) / 0.056, np.abs(y + 0.040) / 0.010)
    return mix(image, (0.22, 0.20, 0.25), alpha * (1 - ramp(rim, 0.95, 1.0)))


def paint_frame(progress: float, pot: float) -> npt.NDArray[np.uint8]:
    """One picture; progress of the bow from left to right and the pot's strength, both 0 to 1."""
    colours, cover = bow_colours()
    angle = np.arctan2(np.maximum(HORIZON - Y, 0), CENTRE_X - X) / np.pi
    grown = 1 - ramp(angle, progress * 1.1 - 0.1, progress * 1.1)
    image = paint_hills(mix(sky(), colours, cover * grown))
    return np.round(255 * paint_pot(image, pot)).astype(np.uint8)


def read_sound(path: str) -> Floats:
    """Mono samples at AUDIO_RATE in [-1, 1]."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=AUDIO_RATE)
    with av.open(path) as container:
        frames = [*container.decode(audio=0), None]
        parts = [out.to_ndarray()[0] for frame in frames for out in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.float64)


def silence(seconds: float) -> Floats:
    """Samples of nothing."""
    return np.zeros(round(seconds * AUDIO_RATE))


def write_film(path: str, first: Floats, second: Floats) -> None:
    """Encode sound and picture as H.264 and AAC, with the index at the front for the web."""
    sound = np.concatenate([silence(LEAD_IN), first, silence(PAUSE), second, silence(TAIL)])
    second_at = LEAD_IN + len(first) / AUDIO_RATE + PAUSE
    with av.open(path, "w", options={"movflags": "+faststart"}) as film:
        picture = film.add_stream("libx264", rate=FPS, options={"crf": "24", "tune": "animation"})
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        voice = film.add_stream("aac", rate=AUDIO_RATE, layout="mono", bit_rate=80_000)
        voice.metadata["language"] = "eng"
        for index in range(round(FPS * len(sound) / AUDIO_RATE)):
            now = index / FPS
            pixels = paint_frame(
                now / (second_at - 1), float(ramp(np.float64(now - second_at), 2.5, 3.5))
            )
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
        samples = np.clip(GAIN * sound, -1, 1).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = AUDIO_RATE, 0
        film.mux(voice.encode(frame))
        film.mux(voice.encode(None))


def main() -> None:
    """Read the command line and make the film."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("first")
    parser.add_argument("second")
    options = parser.parse_args()
    write_film(options.output, read_sound(options.first), read_sound(options.second))


if __name__ == "__main__":
    main()
