"""Options as users write them, made into what the road takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from subvino.errors import OptionError

TASK_METAVAR = "transcribe|translate"
CHINESE_METAVAR = "simplified|traditional|as-heard"
WEIGHTS_METAVAR = "int8|fp16"


def given(**values: Any) -> dict[str, Any]:
    """The options that were given: the others have the default of what they are passed to."""
    return {name: value for name, value in values.items() if value is not None}


def check_choice(name: str, value: str, choices: Any) -> Any:
    """The value, in lower case, if it is one of a Literal's; raises OptionError."""
    known = get_args(choices)
    if value.lower() not in known:
        raise OptionError(f"{name} {value!r} is not known; use one of: {', '.join(known)}")
    return value.lower()


def split_numbers(name: str, text: str) -> tuple[float, ...]:
    """Numbers parted by commas; raises OptionError where there are others things or none.

    >>> split_numbers("temperature", "0, 0.5")
    (0.0, 0.5)
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise OptionError(f"{name} {text!r} is no list of numbers such as 0,0.5") from None


def split_list(words: Sequence[str] | None) -> tuple[str, ...] | None:
    """The parts of words parted by commas, each once; None where there are none.

    >>> split_list(["srt,VTT", "srt"])
    ('srt', 'vtt')
    """
    parts = [part.strip().lower() for word in words or () for part in word.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part)) or None
