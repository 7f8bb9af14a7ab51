"""Checkpoints as Hugging Face's transformers saves them: config.json and safetensors."""

from __future__ import annotations

from pathlib import Path

from subvino.checkpoints import layout
from subvino.checkpoints.json_file import JsonFile
from subvino.checkpoints.safetensors import read_tensors
from subvino.checkpoints.stored import StoredTensor, StoredWeights
from subvino.errors import CheckpointError
from subvino.network import Checkpoint, Dimensions, GenerationSettings

_INDEX = "model.safetensors.index.json"


def open_huggingface(folder: Path) -> Checkpoint:
    """The checkpoint in a folder with config.json, tokenizer.json and safetensors.

    Raises:
        CheckpointError: a file is missing, damaged, or of another kind of network.
    """
    dimensions, settings, tokenizer = read_openvino_description(folder)
    tensors = _read_all_tensors(folder)
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    layout.check_shapes(shapes, dimensions, folder)
    # Only the network's own: `proj_out.weight`, tied to the embedding, is not read twice.
    weights = StoredWeights({name: tensors[name] for name in layout.weight_shapes(dimensions)})
    return Checkpoint(dimensions, settings, weights, tokenizer)


def read_openvino_description(folder: Path) -> tuple[Dimensions, GenerationSettings, Path]:
    """Dimensions, settings and tokenizer.json of a folder that has Hugging Face's JSON files.

    Optimum-Intel's folders have the same ones, which is all that is read of those here.
    """
    config = JsonFile.read(folder / "config.json")
    dimensions = _read_dimensions(config)
    return dimensions, _read_settings(folder, config, dimensions), find_tokenizer(folder)


def find_tokenizer(folder: Path) -> Path:
    """The folder's tokenizer.json."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise CheckpointError(f"{path}: is missing; copy it from the model's repository", path)
    return path


def _read_dimensions(config: JsonFile) -> Dimensions:
    if config.values.get("model_type") != "whisper":
        found = config.values.get("model_type")
        raise CheckpointError(f"{config.path}: is of a {found!r} model, not Whisper", config.path)
    n_heads = config.size("decoder_attention_heads", layout.MAX_STATES)
    if config.size("encoder_attention_heads", layout.MAX_STATES) != n_heads:
        raise CheckpointError(
            f"{config.path}: encoder and decoder differ in their number of heads", config.path
        )
    return layout.make_dimensions(
        config.path,
        n_mels=config.size("num_mel_bins", layout.MAX_MELS),
        n_state=config.size("d_model", layout.MAX_STATES),
        n_heads=n_heads,
        n_encoder_layers=config.size("encoder_layers", layout.MAX_LAYERS),
        n_decoder_layers=config.size("decoder_layers", layout.MAX_LAYERS),
        n_vocab=config.size("vocab_size", layout.MAX_VOCAB),
        n_audio_context=config.size("max_source_positions", layout.MAX_CONTEXT),
        n_text_context=config.size("max_target_positions", layout.MAX_CONTEXT),
    )


def _read_settings(folder: Path, config: JsonFile, dimensions: Dimensions) -> GenerationSettings:
    path = folder / "generation_config.json"
    # Checkpoints from before transformers 4.26 have these fields in config.json.
    source = JsonFile.read(path) if path.is_file() else config
    heads = source.head_pairs("alignment_heads")
    return GenerationSettings(
        suppress_tokens=source.token_ids("suppress_tokens", dimensions.n_vocab),
        begin_suppress_tokens=source.token_ids("begin_suppress_tokens", dimensions.n_vocab),
        alignment_heads=layout.choose_alignment_heads(heads, dimensions),
    )


def _read_all_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Canonical name → tensor, over all the files that hold weights."""
    tensors: dict[str, StoredTensor] = {}
    for path in _weight_files(folder):
        for name, tensor in read_tensors(path).items():
            tensors[name.removeprefix("model.")] = tensor
    return tensors


def _weight_files(folder: Path) -> list[Path]:
    whole = folder / "model.safetensors"
    return [whole] if whole.is_file() else list_shards(folder / _INDEX)


def list_shards(index: Path) -> list[Path]:
    """The files that a model.safetensors.index.json names, all beside it."""
    weight_map = JsonFile.read(index).values.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{index}: has no weight_map", index)
    return [_shard_path(index, name) for name in sorted(set(map(str, weight_map.values())))]


def _shard_path(index: Path, name: str) -> Path:
    if not name.endswith(".safetensors") or any(sign in name for sign in ("/", "\\", ":", "\0")):
        raise CheckpointError(f"{index}: {name!r} is no name of a file beside it", index)
    return index.parent / name
