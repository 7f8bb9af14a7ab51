"""The sample video, in which somebody speaks."""

from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "samples" / "rainbow.mp4"
