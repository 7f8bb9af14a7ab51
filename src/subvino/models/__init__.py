"""Models by name: find, verify, convert once, keep.

Floor 2 of the road: `checkpoints` reads what is found here, `graphs` converts it, `whisper` runs
the `ModelFolder` that comes out.
"""

from __future__ import annotations

from subvino.models.cache import cache_folder, outputs_folder
from subvino.models.catalogue import MODELS, Model, find_model
from subvino.models.manifest import Manifest
from subvino.models.prepare import (
    DEFAULT_WEIGHTS,
    convert_model,
    digest_model,
    prepare_model,
    store_model,
)
from subvino.models.progress import Progress
from subvino.models.shelf import (
    ConvertedModel,
    ModelInfo,
    ModelState,
    list_models,
    model_info,
    remove_model,
)

__all__ = [
    "DEFAULT_WEIGHTS",
    "MODELS",
    "ConvertedModel",
    "Manifest",
    "Model",
    "ModelInfo",
    "ModelState",
    "Progress",
    "cache_folder",
    "convert_model",
    "digest_model",
    "find_model",
    "list_models",
    "model_info",
    "outputs_folder",
    "prepare_model",
    "remove_model",
    "store_model",
]
