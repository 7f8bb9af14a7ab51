"""What a fork server imports beforehand."""

from __future__ import annotations

import av
import openvino

from subvino.cli import app, subtitling

__all__ = ["app", "av", "openvino", "subtitling"]
