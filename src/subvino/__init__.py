"""Subtitles for any video, made on your own machine by Whisper on OpenVINO.

    import subvino

    transcript = subvino.transcribe("talk.mp4", model="base")
    subtitles = subvino.build_cues(transcript)
    print(transcript.language, len(subtitles.cues))

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from subvino.cues import CueRules as CueRules
    from subvino.cues import build_cues as build_cues
    from subvino.cues import rules_for as rules_for
    from subvino.errors import SubvinoError as SubvinoError
    from subvino.models import MODELS as MODELS
    from subvino.pipeline import Transcriber as Transcriber
    from subvino.pipeline import TranscriptStream as TranscriptStream
    from subvino.pipeline import load_transcriber as load_transcriber
    from subvino.pipeline import stream as stream
    from subvino.pipeline import transcribe as transcribe
    from subvino.recognizer import DecodingOptions as DecodingOptions
    from subvino.subtitles import Cue as Cue
    from subvino.subtitles import Subtitles as Subtitles
    from subvino.transcript import Segment as Segment
    from subvino.transcript import Transcript as Transcript
    from subvino.transcript import Word as Word

# OpenVINO tells its makers of every import, unless this package of theirs is missing. Here nothing
# is sent: to Python a module that is None is missing. An application that has it keeps it.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

_HOMES = {
    "MODELS": "models",
    "Cue": "subtitles",
    "CueRules": "cues",
    "DecodingOptions": "recognizer",
    "Segment": "transcript",
    "Subtitles": "subtitles",
    "SubvinoError": "errors",
    "Transcriber": "pipeline",
    "Transcript": "transcript",
    "TranscriptStream": "pipeline",
    "Word": "transcript",
    "build_cues": "cues",
    "load_transcriber": "pipeline",
    "rules_for": "cues",
    "stream": "pipeline",
    "transcribe": "pipeline",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("subvino")
    if name not in _HOMES:
        raise AttributeError(f"module 'subvino' has no attribute {name!r}")
    return getattr(import_module(f"subvino.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
