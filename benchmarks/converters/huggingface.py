"""A checkpoint as a Hugging Face folder, from which Optimum-Intel exports its OpenVINO form.

python benchmarks/converters/huggingface.py MODEL FOLDER   # MODEL: a checkpoint's folder
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from subvino.checkpoints import open_checkpoint
from subvino.network import Checkpoint
from subvino.tokenizer import Tokenizer

_DECODED_TOKENS = 448
_FIRST_TIMESTAMP = 50
"""Of the published generation configs: the context, and one second for the first timestamp."""


def write_huggingface(checkpoint: Checkpoint, folder: Path) -> None:
    """Write weights in float16, sizes, decoding settings, tokenizer and front end."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = checkpoint.weights
    tensors = {f"model.{name}": weights[name].astype(np.float16) for name in weights}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    tokenizer = Tokenizer(checkpoint.tokenizer)
    shutil.copyfile(checkpoint.tokenizer, folder / "tokenizer.json")
    for name, content in {
        "config": _config(checkpoint, tokenizer),
        "generation_config": _generation_config(checkpoint, tokenizer),
        "preprocessor_config": _front_end(checkpoint),
        "tokenizer_config": _tokenizer_config(),
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _config(checkpoint: Checkpoint, tokenizer: Tokenizer) -> Mapping[str, Any]:
    sizes = checkpoint.dimensions
    return {
        "model_type": "whisper",
        "architectures": ["WhisperForConditionalGeneration"],
        "d_model": sizes.n_state,
        "encoder_layers": sizes.n_encoder_layers,
        "decoder_layers": sizes.n_decoder_layers,
        "encoder_attention_heads": sizes.n_heads,
        "decoder_attention_heads": sizes.n_heads,
        "encoder_ffn_dim": 4 * sizes.n_state,
        "decoder_ffn_dim": 4 * sizes.n_state,
        "num_mel_bins": sizes.n_mels,
        "vocab_size": sizes.n_vocab,
        "max_source_positions": sizes.n_audio_context,
        "max_target_positions": sizes.n_text_context,
        "torch_dtype": "float16",
        **_ends(tokenizer),
    }


def _ends(tokenizer: Tokenizer) -> Mapping[str, int]:
    end = {f"{name}_token_id": tokenizer.eot for name in ("bos", "eos", "pad")}
    return {**end, "decoder_start_token_id": tokenizer.sot}


def _generation_config(checkpoint: Checkpoint, tokenizer: Tokenizer) -> Mapping[str, Any]:
    settings = checkpoint.settings
    config = {
        "suppress_tokens": settings.suppress_tokens,
        "begin_suppress_tokens": settings.begin_suppress_tokens,
        "alignment_heads": settings.alignment_heads,
        "is_multilingual": tokenizer.is_multilingual,
        "max_initial_timestamp_index": _FIRST_TIMESTAMP,
        "max_length": _DECODED_TOKENS,
        "no_timestamps_token_id": tokenizer.no_timestamps,
        "prev_sot_token_id": tokenizer.sot_prev,
        "return_timestamps": False,
        **_ends(tokenizer),
    }
    if tokenizer.is_multilingual:
        config["lang_to_id"] = {f"<|{c}|>": i for c, i in tokenizer.language_ids.items()}
        config["task_to_id"] = {
            "transcribe": tokenizer.transcribe,
            "translate": tokenizer.translate,
        }
    return config


def _front_end(checkpoint: Checkpoint) -> Mapping[str, Any]:
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": checkpoint.dimensions.n_mels,
        "sampling_rate": 16_000,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
    }


def _tokenizer_config() -> Mapping[str, Any]:
    names = ("bos_token", "eos_token", "pad_token", "unk_token")
    return {
        "tokenizer_class": "WhisperTokenizer",
        "processor_class": "WhisperProcessor",
        **dict.fromkeys(names, "<|endoftext|>"),
    }


def main() -> None:
    model, folder = sys.argv[1:]
    write_huggingface(open_checkpoint(Path(model)), Path(folder))


if __name__ == "__main__":
    main()
