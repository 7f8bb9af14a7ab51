"""Writes reference.json: what Silero's own package hears in jfk.flac.

pip install "silero-vad==6.2.3" onnxruntime torch av; python scripts/make_vad_reference.py
"""

import json
from importlib import resources
from pathlib import Path

import av
import numpy as np
import torch
from silero_vad import get_speech_timestamps
from silero_vad.utils_vad import OnnxWrapper

FOLDER = Path(__file__).parents[1] / "tests" / "data" / "vad"
OPTIONS = {
    "threshold": 0.5,
    "neg_threshold": 0.35,
    "min_speech_duration_ms": 250,
    "min_silence_duration_ms": 100,
    "speech_pad_ms": 0,
}


def read(path: Path) -> torch.Tensor:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return torch.from_numpy(np.concatenate(frames).astype(np.float32) / 32768)


def main() -> None:
    # The stateful network, called frame by frame: not the file that subvino ships.
    model = OnnxWrapper(str(resources.files("silero_vad") / "data" / "silero_vad.onnx"))
    samples = read(FOLDER / "jfk.flac")
    probabilities = model.audio_forward(samples, 16_000)[0].tolist()
    speech = get_speech_timestamps(samples, model, **OPTIONS)
    reference = {
        "probabilities": [round(value, 6) for value in probabilities],
        "speech": [[stretch["start"], stretch["end"]] for stretch in speech],
    }
    (FOLDER / "reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
