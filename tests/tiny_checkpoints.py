"""Writes small random Whisper checkpoints in the file layouts of real ones.

Any `Dimensions` will do, so that every published architecture can be tried without its weights:

    weights = random_weights(dimensions)
    write_huggingface(folder, dimensions, weights, HuggingFaceStyle(element="bf16", n_shards=3))
    write_ctranslate2(folder, dimensions, weights, element="int8")
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from subvino.network import Dimensions, GenerationSettings

Array = npt.NDArray[np.float32]
HuggingFaceElement = Literal["f32", "f16", "bf16"]
CTranslate2Element = Literal["float32", "float16", "int8", "int8_float16", "int16"]

# Codes in the order of openai/whisper's tokenizer.py; "yue" came with large-v3.
LANGUAGE_CODES = (  # noqa: SIM905 (a hundred quoted codes read worse)
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th "
    "ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr "
    "pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt "
    "haw ln ha ba jw su yue"
).split()
_N_TIMESTAMPS = 1501
_BEFORE_LANGUAGES = ("<|endoftext|>", "<|startoftranscript|>")
_AFTER_LANGUAGES = (
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)

TINY = Dimensions(
    n_mels=80,
    n_state=64,
    n_heads=2,
    n_encoder_layers=2,
    n_decoder_layers=3,
    n_vocab=2000,
    n_audio_context=1500,
    n_text_context=448,
)
"""Odd depths and few tokens: quick, and different in every size that could be mixed up."""

ARCHITECTURES: dict[str, Dimensions] = {
    "tiny.en": Dimensions(80, 384, 6, 4, 4, 51864),
    "tiny": Dimensions(80, 384, 6, 4, 4, 51865),
    "base": Dimensions(80, 512, 8, 6, 6, 51865),
    "small": Dimensions(80, 768, 12, 12, 12, 51865),
    "medium": Dimensions(80, 1024, 16, 24, 24, 51865),
    "large-v2": Dimensions(80, 1280, 20, 32, 32, 51865),
    "large-v3": Dimensions(128, 1280, 20, 32, 32, 51866),
    "large-v3-turbo": Dimensions(128, 1280, 20, 32, 4, 51866),
    "distil-small.en": Dimensions(80, 768, 12, 12, 4, 51864),
    "distil-medium.en": Dimensions(80, 1024, 16, 24, 2, 51864),
    "distil-large-v2": Dimensions(80, 1280, 20, 32, 2, 51865),
    "distil-large-v3": Dimensions(128, 1280, 20, 32, 2, 51866),
}
"""The published networks in full size."""


def narrow(dimensions: Dimensions, n_state: int = 32) -> Dimensions:
    """The same network with heads of 16 states in all: its depths, mels and tokens stay."""
    return Dimensions(
        dimensions.n_mels,
        n_state,
        n_state // 16,
        dimensions.n_encoder_layers,
        dimensions.n_decoder_layers,
        dimensions.n_vocab,
        dimensions.n_audio_context,
        dimensions.n_text_context,
    )


# --- weights ---------------------------------------------------------------------------------


def random_weights(dimensions: Dimensions, seed: int = 0) -> dict[str, Array]:
    """Weights by the names of `network.Weights`, scaled so that activations stay near 1."""
    rng = np.random.default_rng(seed)
    return {name: _draw(rng, name, shape) for name, shape in weight_shapes(dimensions)}


def _draw(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    values: Array = rng.standard_normal(shape, dtype=np.float32)
    if len(shape) == 1 or "embed" in name:
        values *= 0.1
    else:
        values /= np.sqrt(np.prod(shape[1:]))
    if "layer_norm" in name and name.endswith("weight"):
        values += 1
    return values


def weight_shapes(dimensions: Dimensions) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes, written down anew so that the readers are not checked by themselves."""
    d = dimensions.n_state
    yield "encoder.conv1.weight", (d, dimensions.n_mels, 3)
    yield "encoder.conv1.bias", (d,)
    yield "encoder.conv2.weight", (d, d, 3)
    yield "encoder.conv2.bias", (d,)
    yield "encoder.embed_positions.weight", (dimensions.n_audio_context, d)
    yield "decoder.embed_tokens.weight", (dimensions.n_vocab, d)
    yield "decoder.embed_positions.weight", (dimensions.n_text_context, d)
    for side, n_layers in (
        ("encoder", dimensions.n_encoder_layers),
        ("decoder", dimensions.n_decoder_layers),
    ):
        yield f"{side}.layer_norm.weight", (d,)
        yield f"{side}.layer_norm.bias", (d,)
        for n in range(n_layers):
            yield from _layer_shapes(f"{side}.layers.{n}", side, d)


def _layer_shapes(prefix: str, side: str, d: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    attentions = ["self_attn"] if side == "encoder" else ["self_attn", "encoder_attn"]
    for attention in attentions:
        for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield f"{prefix}.{attention}.{projection}.weight", (d, d)
            if projection != "k_proj":
                yield f"{prefix}.{attention}.{projection}.bias", (d,)
    for norm in [*(f"{attention}_layer_norm" for attention in attentions), "final_layer_norm"]:
        yield f"{prefix}.{norm}.weight", (d,)
        yield f"{prefix}.{norm}.bias", (d,)
    yield f"{prefix}.fc1.weight", (4 * d, d)
    yield f"{prefix}.fc1.bias", (4 * d,)
    yield f"{prefix}.fc2.weight", (d, 4 * d)
    yield f"{prefix}.fc2.bias", (d,)


# --- tokenizer -------------------------------------------------------------------------------


def n_languages(n_vocab: int) -> int:
    """100 for the vocabulary of large-v3, 99 for all others, the English-only among them."""
    return 100 if n_vocab == 51866 else 99


def special_tokens(n_vocab: int) -> list[str]:
    """All tokens after the text, in order of id; the last one's id is `n_vocab - 1`."""
    languages = [f"<|{code}|>" for code in LANGUAGE_CODES[: n_languages(n_vocab)]]
    times = [f"<|{n * 0.02:.2f}|>" for n in range(_N_TIMESTAMPS)]
    return [*_BEFORE_LANGUAGES, *languages, *_AFTER_LANGUAGES, *times]


def n_text_tokens(n_vocab: int) -> int:
    """How many tokens stand for text; the end-of-text token has this id."""
    return n_vocab - len(special_tokens(n_vocab))


def token_id(n_vocab: int, token: str) -> int:
    """The id of a special token."""
    return n_text_tokens(n_vocab) + special_tokens(n_vocab).index(token)


def write_tokenizer(path: Path, n_vocab: int, *, timestamps: bool = True) -> None:
    """A byte-level BPE tokenizer.json with Whisper's special tokens at their places.

    Each byte is a token; the rest of the text ids are fillers that no text gives. Without
    `timestamps` those have no entry, as in the files that come with CTranslate2 checkpoints.
    """
    n_text = n_text_tokens(n_vocab)
    vocab = {character: n for n, character in enumerate(_byte_characters())}
    vocab.update({f"Ġfiller{n}": n for n in range(len(vocab), n_text)})
    specials = special_tokens(n_vocab)
    if not timestamps:
        specials = specials[:-_N_TIMESTAMPS]
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    model = {"type": "BPE", "vocab": vocab, "merges": []}
    content = {
        "version": "1.0",
        "added_tokens": [_added_token(n_text + n, token) for n, token in enumerate(specials)],
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": model,
    }
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _added_token(number: int, content: str) -> dict[str, object]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": content, **flags, "special": True}


def _byte_characters() -> list[str]:
    """GPT-2's printable stand-in for each byte: printable ones first, then the others."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]


def default_settings(dimensions: Dimensions) -> GenerationSettings:
    """Settings of the kind that real checkpoints carry."""
    end = n_text_tokens(dimensions.n_vocab)
    start_of_transcript = end + 1
    return GenerationSettings(
        suppress_tokens=(1, 2, 7, start_of_transcript),
        begin_suppress_tokens=(10, end),
        alignment_heads=((dimensions.n_decoder_layers - 1, 0), (0, dimensions.n_heads - 1)),
    )


# --- Hugging Face ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HuggingFaceStyle:
    """How a Hugging Face folder is written.

    n_shards: 1 for one model.safetensors, more for shards and their index.
    prefix: what stands before the names; "" as in checkpoints saved without the output head.
    """

    element: HuggingFaceElement = "f32"
    n_shards: int = 1
    prefix: str = "model."


def write_huggingface(
    folder: Path,
    dimensions: Dimensions,
    weights: Mapping[str, Array] | None = None,
    style: HuggingFaceStyle | None = None,
    settings: GenerationSettings | None = None,
) -> None:
    """A folder as transformers' `save_pretrained` writes it."""
    style = style or HuggingFaceStyle()
    folder.mkdir(parents=True, exist_ok=True)
    weights = random_weights(dimensions) if weights is None else weights
    _write_json(folder / "config.json", huggingface_config(dimensions))
    settings = settings or default_settings(dimensions)
    _write_json(folder / "generation_config.json", _generation_config(settings))
    write_tokenizer(folder / "tokenizer.json", dimensions.n_vocab)
    named = {style.prefix + name: array for name, array in weights.items()}
    names = sorted(named)
    shards = [names[n :: style.n_shards] for n in range(style.n_shards)]
    if style.n_shards == 1:
        write_safetensors(folder / "model.safetensors", named, style.element)
        return
    files = [f"model-{n + 1:05}-of-{style.n_shards:05}.safetensors" for n in range(style.n_shards)]
    for file, shard in zip(files, shards, strict=True):
        write_safetensors(folder / file, {name: named[name] for name in shard}, style.element)
    weight_map = {name: file for file, shard in zip(files, shards, strict=True) for name in shard}
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    _write_json(folder / "model.safetensors.index.json", index)


def huggingface_config(dimensions: Dimensions) -> dict[str, object]:
    """The fields of config.json that describe the network."""
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "d_model": dimensions.n_state,
        "encoder_attention_heads": dimensions.n_heads,
        "decoder_attention_heads": dimensions.n_heads,
        "encoder_ffn_dim": 4 * dimensions.n_state,
        "decoder_ffn_dim": 4 * dimensions.n_state,
        "encoder_layers": dimensions.n_encoder_layers,
        "decoder_layers": dimensions.n_decoder_layers,
        "vocab_size": dimensions.n_vocab,
        "num_mel_bins": dimensions.n_mels,
        "max_source_positions": dimensions.n_audio_context,
        "max_target_positions": dimensions.n_text_context,
        "decoder_start_token_id": n_text_tokens(dimensions.n_vocab) + 1,
        "eos_token_id": n_text_tokens(dimensions.n_vocab),
        "pad_token_id": n_text_tokens(dimensions.n_vocab),
    }


def _generation_config(settings: GenerationSettings) -> dict[str, object]:
    return {
        "suppress_tokens": list(settings.suppress_tokens),
        "begin_suppress_tokens": list(settings.begin_suppress_tokens),
        "alignment_heads": [list(pair) for pair in settings.alignment_heads],
    }


def to_bfloat16_bits(values: Array) -> npt.NDArray[np.uint16]:
    """The upper half of each float32, rounded to nearest even."""
    bits = values.view(np.uint32)
    rounded: npt.NDArray[np.uint32] = bits + 0x7FFF + ((bits >> 16) & 1)
    return (rounded >> 16).astype(np.uint16)


def write_safetensors(
    path: Path, arrays: Mapping[str, Array], element: HuggingFaceElement = "f32"
) -> None:
    """One safetensors file, written from the format's description."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.size * (4 if element == "f32" else 2)
        header[name] = {
            "dtype": element.upper(),
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(_encode(array, element))


def _encode(array: Array, element: HuggingFaceElement) -> bytes:
    if element == "bf16":
        return to_bfloat16_bits(np.ascontiguousarray(array)).tobytes()
    return array.astype("<f4" if element == "f32" else "<f2").tobytes()


# --- CTranslate2 -----------------------------------------------------------------------------

Variable = npt.NDArray[np.generic]
_TYPE_IDS = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}


def write_ctranslate2(
    folder: Path,
    dimensions: Dimensions,
    weights: Mapping[str, Array] | None = None,
    element: CTranslate2Element = "float16",
    settings: GenerationSettings | None = None,
) -> None:
    """A folder as `ct2-transformers-converter` writes it, with the tokenizer copied in."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = random_weights(dimensions) if weights is None else weights
    variables = _scalars(dimensions) | _quantize(ctranslate2_variables(weights), element)
    # The output projection is the embedding, as in every real file.
    aliases = {"decoder/projection/weight": "decoder/embeddings/weight"}
    write_model_bin(folder / "model.bin", variables, aliases)
    settings = settings or default_settings(dimensions)
    config = {
        "alignment_heads": [list(pair) for pair in settings.alignment_heads],
        "suppress_ids": list(settings.suppress_tokens),
        "suppress_ids_begin": list(settings.begin_suppress_tokens),
        "lang_ids": [
            token_id(dimensions.n_vocab, f"<|{code}|>")
            for code in LANGUAGE_CODES[: n_languages(dimensions.n_vocab)]
        ],
    }
    _write_json(folder / "config.json", config)
    write_tokenizer(folder / "tokenizer.json", dimensions.n_vocab, timestamps=False)
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokens = [*content["model"]["vocab"], *special_tokens(dimensions.n_vocab)]
    (folder / "vocabulary.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")


def ctranslate2_variables(weights: Mapping[str, Array]) -> dict[str, Array]:
    """The weights under CTranslate2's names, queries, keys and values stacked."""
    variables: dict[str, Array] = {}
    for name, array in weights.items():
        if not any(f".{part}_proj." in name for part in ("q", "k", "v")):
            variables[_ctranslate2_name(name)] = array
    for prefix in sorted({name.split(".q_proj")[0] for name in weights if ".q_proj." in name}):
        variables.update(_stack(prefix, weights))
    return variables


def _stack(prefix: str, weights: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    side, _, n, attention = prefix.split(".")
    kind = "self_attention" if attention == "self_attn" else "attention"
    base = f"{side}/layer_{n}/{kind}"
    groups = [["q", "k", "v"]] if attention == "self_attn" else [["q"], ["k", "v"]]
    for number, parts in enumerate(groups):
        matrices = [weights[f"{prefix}.{part}_proj.weight"] for part in parts]
        no_bias = np.zeros(matrices[0].shape[0], np.float32)
        biases = [weights.get(f"{prefix}.{part}_proj.bias", no_bias) for part in parts]
        yield f"{base}/linear_{number}/weight", np.concatenate(matrices)
        yield f"{base}/linear_{number}/bias", np.concatenate(biases)


def _ctranslate2_name(name: str) -> str:
    """The name of a weight that is not part of a stack."""
    parts = name.split(".")
    if "layer_norm" in parts[-2]:
        parts[-1] = {"weight": "gamma", "bias": "beta"}[parts[-1]]
    places = {
        "embed_tokens": ["embeddings"],
        "embed_positions": ["position_encodings"],
        "self_attn_layer_norm": ["self_attention", "layer_norm"],
        "encoder_attn_layer_norm": ["attention", "layer_norm"],
        "final_layer_norm": ["ffn", "layer_norm"],
        "fc1": ["ffn", "linear_0"],
        "fc2": ["ffn", "linear_1"],
    }
    if parts[-2] == "out_proj":
        cross = parts[-3] == "encoder_attn"
        tail = ["attention", "linear_2"] if cross else ["self_attention", "linear_1"]
        return "/".join([parts[0], f"layer_{parts[2]}", *tail, parts[-1]])
    tail = places.get(parts[-2], [parts[-2]])
    layer = [f"layer_{parts[2]}"] if parts[1] == "layers" else []
    last = "encodings" if parts[-2] == "embed_positions" else parts[-1]
    return "/".join([parts[0], *layer, *tail, last])


def _scalars(dimensions: Dimensions) -> dict[str, Variable]:
    heads = np.array(dimensions.n_heads, np.int16)
    return {
        "encoder/num_heads": heads,
        "decoder/num_heads": heads,
        "decoder/activation": np.array(3, np.int8),
        "decoder/pre_norm": np.array(1, np.int8),
        "decoder/scale_embeddings": np.array(0, np.int8),
        "decoder/alignment_layer": np.array(-1, np.int16),
    }


def _quantize(variables: Mapping[str, Array], element: CTranslate2Element) -> dict[str, Variable]:
    """As `LayerSpec._quantize` does it: rows of matrices for int8, the whole for int16."""
    floats = np.float16 if element in ("float16", "int8_float16") else np.float32
    result: dict[str, Variable] = {}
    for name, array in variables.items():
        quantizable = array.ndim > 1 and not name.endswith("encodings")
        if quantizable and element.startswith("int8"):
            rows = array.reshape(array.shape[0], -1)
            scale = np.float32(127.0) / np.abs(rows).max(axis=1)
            result[name] = np.rint(rows * scale[:, None]).astype(np.int8).reshape(array.shape)
            result[f"{name}_scale"] = scale
        elif quantizable and element == "int16":
            factor = np.float32(2**10) / np.abs(array).max()
            result[name] = np.rint(array * factor).astype(np.int16)
            result[f"{name}_scale"] = np.array(factor, np.float32)
        else:
            result[name] = array.astype(floats)
    return result


def write_model_bin(
    path: Path, variables: Mapping[str, Variable], aliases: Mapping[str, str]
) -> None:
    """CTranslate2's binary, version 6."""
    with path.open("wb") as file:
        file.write(struct.pack("<I", 6) + _string("WhisperSpec") + struct.pack("<I", 3))
        file.write(struct.pack("<I", len(variables)))
        for name, array in sorted(variables.items()):
            sizes = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
            head = struct.pack("<BI", _TYPE_IDS[array.dtype.name], array.nbytes)
            file.write(_string(name) + sizes + head + array.tobytes())
        file.write(struct.pack("<I", len(aliases)))
        for alias, name in aliases.items():
            file.write(_string(alias) + _string(name))


def _string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
