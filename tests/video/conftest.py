"""Videos that several tests look at and none changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.video.videos import SHAPES, write_video


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A landscape video of each kind, by its suffix."""
    folder = tmp_path_factory.mktemp("videos")
    return {
        suffix: write_video(folder / f"talk{suffix}", shape) for suffix, shape in SHAPES.items()
    }
