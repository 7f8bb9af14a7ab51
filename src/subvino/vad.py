"""Sound → speech segments, by Silero's detector (https://github.com/snakers4/silero-vad).

Floor 1 of the road. Three steps, each usable alone:

- `SpeechScorer`: samples → the probability of speech in each frame of 512 samples (32 ms);
- `SpeechTracker`: probabilities → stretches of speech, with hysteresis (pure);
- `SileroDetector`: a stream of sound → the same sound with its speech, in bounded memory.

The network runs on the CPU in f32 and in calls of one fixed shape, cut at places that depend on the
sound alone, so the probabilities are the same bits in every run and for any block size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from subvino.audio import (
    SAMPLE_RATE,
    Audio,
    DetectedAudio,
    Samples,
    SpeechSegment,
    even_blocks,
    to_position,
)
from subvino.errors import OptionError

if TYPE_CHECKING:
    from openvino import CompiledModel

FRAME_SAMPLES = 512
"""Samples the network judges at once (32 ms at 16 kHz)."""

CONTEXT_SAMPLES = 64
"""Samples of the frame before that each frame begins with."""

FRAMES_PER_CALL = 128
"""4.1 s of sound. Calls of 64 to 1,024 frames run within 15 % of the same speed."""

CALL_SAMPLES = FRAMES_PER_CALL * FRAME_SAMPLES
STATE_SHAPE = (1, 1, 128)

MODEL_FILE = "silero_vad_16k_sequence.onnx"

TARGET_LEVEL = 0.1
"""RMS (-20 dBFS) to which quiet sound is raised before it is judged."""

MAX_GAIN = 100.0
"""40 dB. Without gain, speech at -55 dBFS lost 10 % of its word time, at -65 dBFS 23 % and 15 whole
clips of 235; with it nothing is lost, and music, noise, hum and tones from -20 to -75 dBFS still
give no speech at all."""

RAMP_SAMPLES = 8_192
"""Half a second over which the gain changes: a step in level looks like the onset of a word."""

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class VadOptions:
    """When a run of frames counts as speech; times in seconds.

    threshold: probability at which speech begins (0 to 1). On clean speech 0.25 to 0.5 hardly
        differ; below 0.3 music begins to count.
    negative_threshold: probability under which it may end, at most `threshold`.
    min_speech: shorter stretches are dropped (clicks).
    min_silence: shorter pauses are bridged.
    pad_before: added to each start: the detector fires one to two frames (median 32 ms) after the
        edge of a word aligned by hand.
    pad_after: added to each end: there it is 26 ms (median) late already.
    """

    threshold: float = 0.35
    negative_threshold: float = 0.2
    min_speech: float = 0.12
    min_silence: float = 0.1
    pad_before: float = 0.05
    pad_after: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values that contradict each other."""
        if not 0 < self.negative_threshold <= self.threshold < 1:
            raise OptionError(
                f"speech thresholds {self.negative_threshold} and {self.threshold} must be "
                "in order and between 0 and 1"
            )
        if min(self.min_speech, self.pad_before, self.pad_after) < 0:
            raise OptionError("min_speech and the padding of speech can't be negative")
        if self.pad_before + self.pad_after > self.min_silence:
            raise OptionError(
                f"padding of {self.pad_before} + {self.pad_after} s is more than the shortest "
                f"pause of {self.min_silence} s"
            )


def load_detector(options: VadOptions | None = None, *, threads: int = 1) -> SileroDetector:
    """The detector that ships with subvino, compiled (about 40 ms)."""
    from openvino import Core

    core = Core()
    content = (resources.files("subvino") / "data" / MODEL_FILE).read_bytes()
    network = core.read_model(content, b"")
    network.reshape(
        {
            "input": [FRAMES_PER_CALL, CONTEXT_SAMPLES + FRAME_SAMPLES],
            "h": list(STATE_SHAPE),
            "c": list(STATE_SHAPE),
        }
    )
    properties = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        # See `subvino.devices.to_properties`.
        "ENABLE_CPU_PINNING": False,
    }
    return SileroDetector(core.compile_model(network, "CPU", properties), options or VadOptions())


class SpeechScorer:
    """Probabilities of speech along one contiguous run of sound; keeps the state between calls."""

    def __init__(self, network: CompiledModel) -> None:
        """Start a run with a compiled network (see `load_detector`)."""
        self._request = network.create_infer_request()
        self._hidden = np.zeros(STATE_SHAPE, np.float32)
        self._cell = np.zeros(STATE_SHAPE, np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._gain: float | None = None

    def score(self, samples: Samples) -> Probabilities:
        """Probabilities (ceil(n / 512),) of the next `samples`, float32 (n,), n <= `CALL_SAMPLES`.

        Only the last call of a run may bring less than `CALL_SAMPLES`; what lacks counts as zero.
        """
        padded = np.zeros(CONTEXT_SAMPLES + CALL_SAMPLES, np.float32)
        padded[:CONTEXT_SAMPLES] = self._context
        padded[CONTEXT_SAMPLES : CONTEXT_SAMPLES + len(samples)] = self._raise_quiet(samples)
        frames = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT_SAMPLES + FRAME_SAMPLES)
        results = self._request.infer(
            {
                "input": np.ascontiguousarray(frames[::FRAME_SAMPLES]),
                "h": self._hidden,
                "c": self._cell,
            }
        )
        self._hidden = np.array(results["hn"])
        self._cell = np.array(results["cn"])
        self._context = padded[-CONTEXT_SAMPLES:]
        n_frames = -(-len(samples) // FRAME_SAMPLES)
        return np.array(results["speech_probs"], np.float32)[:n_frames]

    def _raise_quiet(self, samples: Samples) -> Samples:
        # A file of floats may hold NaN, which would stay in the network's state for good.
        clean = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
        gain = quiet_gain(clean)
        gains = np.full(len(clean), gain, np.float32)
        ramp = min(RAMP_SAMPLES, len(clean))
        gains[:ramp] = np.linspace(gain if self._gain is None else self._gain, gain, ramp)
        self._gain = gain
        raised: Samples = np.clip(clean * gains, -1.0, 1.0)
        return raised


def quiet_gain(samples: Samples) -> float:
    """Factor, 1 to `MAX_GAIN`, that brings the loud frames of `samples` up to `TARGET_LEVEL`."""
    n_frames = -(-len(samples) // FRAME_SAMPLES)
    padded = np.zeros((n_frames, FRAME_SAMPLES), np.float64)
    padded.ravel()[: len(samples)] = samples
    levels = np.sqrt(np.mean(padded**2, axis=1))
    loud = float(np.percentile(levels, 95)) if n_frames else 0.0
    return min(max(TARGET_LEVEL / max(loud, 1e-9), 1.0), MAX_GAIN)


class SpeechTracker:
    """Stretches of speech along one contiguous run, from its frames' probabilities.

    Speech begins with a frame at or over `threshold`. It ends where the probability fell under
    `negative_threshold`, if it is still or again under it after `min_silence` without a frame at
    or over `threshold` between (the rule of Silero's own `get_speech_timestamps`).
    """

    def __init__(self, options: VadOptions) -> None:
        """Start a run."""
        self._options = options
        self._min_speech = to_frames(options.min_speech)
        self._min_silence = to_frames(options.min_silence)
        self._pad_before = to_position(options.pad_before)
        self._pad_after = to_position(options.pad_after)
        self._n_frames = 0
        self._start: int | None = None  # frame
        self._quiet: int | None = None  # frame since which the speech may have ended
        self._told: int | None = None  # sample up to which the speech has been told

    @property
    def settled(self) -> int:
        """Sample of the run before which no speech will be told any more."""
        if self._told is not None:
            return self._told
        frame = self._n_frames if self._start is None else self._start
        return max(frame * FRAME_SAMPLES - self._pad_before, 0)

    def push(self, probabilities: Probabilities) -> list[tuple[int, int]]:
        """Speech that the next frames make certain: (start, end) in samples of the run.

        A stretch that goes on is told in pieces that touch.
        """
        told: list[tuple[int, int]] = []
        for probability in probabilities.tolist():
            self._step(probability)
            if self._is_over(probability):
                told += self._end_speech()
        told += self._tell(self._n_frames if self._quiet is None else self._quiet, 0)
        return told

    def finish(self) -> list[tuple[int, int]]:
        """The rest: call it when the run is over."""
        return self._end_speech()

    def _step(self, probability: float) -> None:
        if self._start is None:
            if probability >= self._options.threshold:
                self._start = self._n_frames
        elif probability >= self._options.threshold:
            self._quiet = None
        elif probability < self._options.negative_threshold and self._quiet is None:
            self._quiet = self._n_frames
        self._n_frames += 1

    def _is_over(self, probability: float) -> bool:
        return (
            self._quiet is not None
            and probability < self._options.negative_threshold
            and self._n_frames - self._quiet >= self._min_silence
        )

    def _end_speech(self) -> list[tuple[int, int]]:
        told = [] if self._quiet is None else self._tell(self._quiet, self._pad_after)
        self._start = self._quiet = self._told = None
        return told

    def _tell(self, end_frame: int, pad: int) -> list[tuple[int, int]]:
        """What the speech in progress has gained, if it ends (for now) before a frame."""
        if self._start is None or end_frame - self._start < self._min_speech:
            return []
        begin = max(self._start * FRAME_SAMPLES - self._pad_before, 0)
        if self._told is not None:
            begin = self._told
        end = end_frame * FRAME_SAMPLES + pad
        if end <= begin:
            return []
        self._told = end
        return [(begin, end)]


def to_frames(time: float) -> int:
    """The least number of frames, at least 1, that last `time` seconds."""
    return max(math.ceil(round(time * SAMPLE_RATE / FRAME_SAMPLES, 6)), 1)


class SileroDetector:
    """Finds the speech in a stream of sound; one may serve several streams at once."""

    def __init__(self, network: CompiledModel, options: VadOptions) -> None:
        """Take the compiled network; `load_detector` makes both."""
        self.network = network
        self._options = options

    def __call__(self, blocks: Iterable[Audio]) -> Iterator[DetectedAudio]:
        """The sound of `blocks`, in even blocks of about 4 s, with the speech found so far.

        A jump in time between two blocks ends all speech and starts afresh.
        """
        run: _Run | None = None
        for block in even_blocks(blocks, CALL_SAMPLES):
            if run is None or to_position(block.start) != run.end:
                if run is not None:
                    yield run.finish()
                run = _Run(SpeechScorer(self.network), SpeechTracker(self._options), block.start)
            yield run.hear(block)
        if run is not None:
            yield run.finish()


class _Run:
    """One contiguous run of sound; positions are samples of media time."""

    def __init__(self, scorer: SpeechScorer, tracker: SpeechTracker, start: float) -> None:
        self._scorer = scorer
        self._tracker = tracker
        self._start = self.end = to_position(start)

    def hear(self, block: Audio) -> DetectedAudio:
        self.end += len(block.samples)
        told = self._tracker.push(self._scorer.score(block.samples))
        settled = min(self._start + self._tracker.settled, self.end)
        return DetectedAudio(block, self._to_segments(told), settled / SAMPLE_RATE)

    def finish(self) -> DetectedAudio:
        end = self.end / SAMPLE_RATE
        nothing = Audio(np.empty(0, np.float32), end)
        return DetectedAudio(nothing, self._to_segments(self._tracker.finish()), end)

    def _to_segments(self, told: list[tuple[int, int]]) -> tuple[SpeechSegment, ...]:
        # The last frame of a run is filled up with zeros: speech may not end in those.
        clipped = [(self._start + a, min(self._start + b, self.end)) for a, b in told]
        return tuple(SpeechSegment(a / SAMPLE_RATE, b / SAMPLE_RATE) for a, b in clipped if a < b)


def join_speech(detected: Iterable[DetectedAudio]) -> Iterator[SpeechSegment]:
    """Whole stretches of speech: segments that touch are joined."""
    last: SpeechSegment | None = None
    for item in detected:
        for segment in item.speech:
            if last is None or segment.start != last.end:
                if last is not None:
                    yield last
                last = segment
            else:
                last = SpeechSegment(last.start, segment.end)
    if last is not None:
        yield last
