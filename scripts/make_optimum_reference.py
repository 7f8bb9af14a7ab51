"""Exports a small random network with Optimum-Intel, and runs it there, for tests/data/optimum.

In an environment of its own (the product never needs these packages):

    pip install torch==2.13.0 "transformers>=4.51,<5.6" "optimum~=2.3.0" openvino nncf requests
    pip install --no-deps optimum-intel==2.2.0   # asks for torchvision, which is not needed
    pip install -e .
    python scripts/make_optimum_reference.py

The logits come from transformers, the tokens from `generate` of both transformers and
Optimum-Intel, all in float32 on the CPU; the script stops where the two differ. `--data` writes
elsewhere, to compare.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from optimum.intel import OVModelForSpeechSeq2Seq
from transformers import (
    GenerationConfig,
    GenerationMixin,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)
from transformers.generation.logits_process import WhisperTimeStampLogitsProcessor

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.exported_network import (  # noqa: E402
    EOT,
    EXPORTED,
    SETTINGS,
    SOUNDS,
    VOCABULARY_STEP,
    exported_sound,
)
from tests.reference_networks import (  # noqa: E402
    reference_ids,
    reference_mel,
    reference_weights,
)
from tests.tiny_checkpoints import huggingface_config, token_id  # noqa: E402

from subvino.audio import SAMPLE_RATE  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT / "tests" / "data" / "optimum")
    data = parser.parse_args().data
    torch.manual_seed(0)
    model = build_model()
    export(model, data)
    np.savez_compressed(data / "logits.npz", logits=logits(model)[..., ::VOCABULARY_STEP])
    exported = OVModelForSpeechSeq2Seq.from_pretrained(
        data, ov_config={"EXECUTION_MODE_HINT": "ACCURACY"}
    )
    tokens = {name: agreed_tokens(model, exported, name) for name in SOUNDS}
    (data / "tokens.json").write_text(json.dumps(tokens) + "\n", encoding="utf-8")


_CLASS_FIELDS = ("architectures", "model_type")


def build_model() -> WhisperForConditionalGeneration:
    config = huggingface_config(EXPORTED)
    fields = {key: value for key, value in config.items() if key not in _CLASS_FIELDS}
    special = {"bos_token_id": EOT, "suppress_tokens": None, "begin_suppress_tokens": None}
    model = WhisperForConditionalGeneration(WhisperConfig(**fields, **special)).eval()
    weights = reference_weights(EXPORTED)
    tensors = {f"model.{name}": torch.from_numpy(a.astype("f4")) for name, a in weights.items()}
    tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"]
    model.load_state_dict(tensors, strict=True)
    model.generation_config = generation_config()
    return model


def generation_config() -> GenerationConfig:
    """Half of the context is for the text, as openai-whisper has it."""
    return GenerationConfig(
        no_timestamps_token_id=token_id(EXPORTED.n_vocab, "<|notimestamps|>"),
        suppress_tokens=list(SETTINGS.suppress_tokens),
        begin_suppress_tokens=list(SETTINGS.begin_suppress_tokens),
        decoder_start_token_id=token_id(EXPORTED.n_vocab, "<|startoftranscript|>"),
        eos_token_id=EOT,
        pad_token_id=EOT,
        bos_token_id=EOT,
        max_new_tokens=EXPORTED.n_text_context // 2,
        max_initial_timestamp_index=50,
    )


def export(model: WhisperForConditionalGeneration, data: Path) -> None:
    """The folder that `optimum-cli export openvino --weight-format fp16` would write."""
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        exported = OVModelForSpeechSeq2Seq.from_pretrained(
            folder, export=True, compile=False, load_in_8bit=False
        )
    exported.half()
    exported.save_pretrained(data)


@torch.no_grad()
def logits(model: WhisperForConditionalGeneration) -> np.ndarray[Any, Any]:
    """(2, 8, n_vocab)."""
    output = model(
        input_features=torch.from_numpy(reference_mel(EXPORTED)),
        decoder_input_ids=torch.from_numpy(reference_ids(EXPORTED)),
    )
    return output.logits.numpy()


def agreed_tokens(
    model: WhisperForConditionalGeneration, exported: OVModelForSpeechSeq2Seq, name: str
) -> list[int]:
    """Greedy tokens of a sound, with timestamps, without prompt and end."""
    extract = WhisperFeatureExtractor(feature_size=EXPORTED.n_mels)
    sound = exported_sound(name)
    mel = extract(sound, sampling_rate=SAMPLE_RATE, return_tensors="pt").input_features
    found = [generate(one, mel) for one in (model, exported)]
    if found[0] != found[1]:
        raise SystemExit(f"{name}: transformers and Optimum-Intel differ: {found}")
    return found[0]


def generate(model: Any, mel: torch.Tensor) -> list[int]:
    """By the plain `generate`: Whisper's own goes on behind the last timestamp pair by itself."""
    names = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>")
    prompt = [token_id(EXPORTED.n_vocab, name) for name in names]
    ids = GenerationMixin.generate(
        model,
        mel,
        generation_config=generation_config(),
        decoder_input_ids=torch.tensor([prompt]),
        logits_processor=[
            WhisperTimeStampLogitsProcessor(generation_config(), begin_index=len(prompt))
        ],
    )[0].tolist()
    body = ids[len(prompt) :]
    return body[: body.index(EOT)] if EOT in body else body


if __name__ == "__main__":
    main()
