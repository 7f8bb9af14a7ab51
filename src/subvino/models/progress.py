"""How the steps of getting a model report what they have done."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the step in words, what is done and what there is to do (bytes; 0: not known)."""


def ignore_progress(step: str, done: int, total: int) -> None:
    """Reports to nobody."""
