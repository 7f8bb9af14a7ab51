"""The weights that a Whisper network has, by name and shape, and the sizes it may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from subvino.errors import CheckpointError
from subvino.network import Dimensions

Shape = tuple[int, ...]

# Well beyond any Whisper published (large: 1280 states, 32 layers, 51866 tokens), and small
# enough that a hostile file can't make the list of its weights itself too long.
MAX_MELS = 1024
MAX_STATES = 16_384
MAX_LAYERS = 256
MAX_VOCAB = 2**20
MAX_CONTEXT = 2**16

# (decoder states, decoder layers, tokens) → (layer, head) pairs, for files that carry none:
# `_ALIGNMENT_HEADS` in openai/whisper's __init__.py. Left out are the English-only and the large
# v1 and v2 networks, which the sizes alone don't tell apart or whose files do carry them.
_PUBLISHED_ALIGNMENT_HEADS: dict[tuple[int, int, int], tuple[tuple[int, int], ...]] = {
    (384, 4, 51865): ((2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)),
    (512, 6, 51865): ((3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)),
    (768, 12, 51865): (
        (5, 3),
        (5, 9),
        (8, 0),
        (8, 4),
        (8, 7),
        (8, 8),
        (9, 0),
        (9, 7),
        (9, 9),
        (10, 5),
    ),
    (1024, 24, 51865): ((13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)),
    (1280, 32, 51866): (
        (7, 0),
        (10, 17),
        (12, 18),
        (13, 12),
        (16, 1),
        (17, 14),
        (19, 11),
        (21, 4),
        (24, 1),
        (25, 6),
    ),
    (1280, 4, 51866): ((2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14)),
}


def choose_alignment_heads(
    given: tuple[tuple[int, int], ...], dimensions: Dimensions
) -> tuple[tuple[int, int], ...]:
    """The pairs that the file gave; where they don't fit the network, the published ones, or ().

    A distilled network is sometimes published with its teacher's list, which names layers that it
    does not have: no reason to refuse it.
    """
    if given and all(_is_head(pair, dimensions) for pair in given):
        return given
    key = (dimensions.n_state, dimensions.n_decoder_layers, dimensions.n_vocab)
    return _PUBLISHED_ALIGNMENT_HEADS.get(key, ())


def _is_head(pair: tuple[int, int], dimensions: Dimensions) -> bool:
    layer, head = pair
    return 0 <= layer < dimensions.n_decoder_layers and 0 <= head < dimensions.n_heads


def weight_shapes(dimensions: Dimensions) -> dict[str, Shape]:
    """Name → shape of every weight that a network of these dimensions has."""
    d = dimensions.n_state
    shapes: dict[str, Shape] = {
        "encoder.conv1.weight": (d, dimensions.n_mels, 3),
        "encoder.conv1.bias": (d,),
        "encoder.conv2.weight": (d, d, 3),
        "encoder.conv2.bias": (d,),
        "encoder.embed_positions.weight": (dimensions.n_audio_context, d),
        "decoder.embed_tokens.weight": (dimensions.n_vocab, d),
        "decoder.embed_positions.weight": (dimensions.n_text_context, d),
    }
    shapes.update(_norm("encoder.layer_norm", d))
    shapes.update(_norm("decoder.layer_norm", d))
    for n in range(dimensions.n_encoder_layers):
        shapes.update(_layer(f"encoder.layers.{n}", ("self_attn",), d))
    for n in range(dimensions.n_decoder_layers):
        shapes.update(_layer(f"decoder.layers.{n}", ("self_attn", "encoder_attn"), d))
    return shapes


def _layer(prefix: str, attentions: tuple[str, ...], d: int) -> Iterator[tuple[str, Shape]]:
    for attention in attentions:
        yield from _norm(f"{prefix}.{attention}_layer_norm", d)
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            yield f"{prefix}.{attention}.{part}.weight", (d, d)
            if part != "k_proj":
                yield f"{prefix}.{attention}.{part}.bias", (d,)
    yield from _norm(f"{prefix}.final_layer_norm", d)
    yield f"{prefix}.fc1.weight", (4 * d, d)
    yield f"{prefix}.fc1.bias", (4 * d,)
    yield f"{prefix}.fc2.weight", (d, 4 * d)
    yield f"{prefix}.fc2.bias", (d,)


def _norm(prefix: str, d: int) -> Iterator[tuple[str, Shape]]:
    yield f"{prefix}.weight", (d,)
    yield f"{prefix}.bias", (d,)


def check_shapes(found: Mapping[str, Shape], dimensions: Dimensions, path: Path) -> None:
    """Raise unless every weight of the network is in `found`, in its shape."""
    for name, wanted in weight_shapes(dimensions).items():
        if name not in found:
            raise CheckpointError(f"{path}: tensor {name} is missing", path)
        if found[name] != wanted:
            raise CheckpointError(
                f"{path}: tensor {name} has shape {found[name]}, expected {wanted}", path
            )


def make_dimensions(path: Path, **sizes: int) -> Dimensions:
    """`Dimensions` of the sizes, which came out of `path`."""
    try:
        return Dimensions(**sizes)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}", path) from error
