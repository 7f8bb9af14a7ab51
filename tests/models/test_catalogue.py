"""The catalogue is complete, pinned, and finds a model by all its names."""

from __future__ import annotations

import re

import pytest

from subvino.models.catalogue import MODELS, find_model

OPENAI = [
    *("tiny", "tiny.en", "base", "base.en", "small", "small.en", "medium", "medium.en"),
    *("large-v1", "large-v2", "large-v3", "large-v3-turbo"),
]
DISTILLED = [
    f"distil-{name}" for name in ("small.en", "medium.en", "large-v2", "large-v3", "large-v3.5")
]


def test_every_published_checkpoint_is_there() -> None:
    assert list(MODELS) == OPENAI + DISTILLED


@pytest.mark.parametrize("model", MODELS.values(), ids=str)
def test_a_row_is_pinned_to_a_commit_and_its_digests_are_digests(model: object) -> None:
    row = find_model(getattr(model, "name", ""))
    assert row is not None
    assert re.fullmatch(r"[0-9a-f]{40}", row.revision)
    digests = [file.sha256 for file in row.packaged] + ([row.sha256] if row.sha256 else [])
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests)
    assert row.hub_id.split("/")[0] in ("openai", "distil-whisper")
    assert (row.extra is None) == (not row.packaged)


def test_no_two_rows_share_a_name_or_a_commit() -> None:
    names = [name for row in MODELS.values() for name in (row.name, row.hub_id, *row.aliases)]
    assert len(names) == len(set(names))
    assert len({row.revision for row in MODELS.values()}) == len(MODELS)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("large", "large-v3"),
        ("turbo", "large-v3-turbo"),
        ("openai/whisper-large", "large-v1"),
        ("distil-whisper/distil-large-v3.5", "distil-large-v3.5"),
        ("base", "base"),
    ],
)
def test_aliases_and_hub_ids_mean_their_model(name: str, wanted: str) -> None:
    model = find_model(name)
    assert model is not None
    assert model.name == wanted


def test_english_models_are_known_as_such() -> None:
    english = [name for name, model in MODELS.items() if not model.multilingual]
    assert english == ["tiny.en", "base.en", "small.en", "medium.en", *DISTILLED]
