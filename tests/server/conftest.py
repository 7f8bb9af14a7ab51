"""A small random network behind the server: what it says means nothing, but is always the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from subvino.models import Progress
from subvino.pipeline import EngineOptions, Transcriber, load_transcriber
from subvino.server import Jobs, ServerSettings
from subvino.server.loaded import Load
from subvino.server.running import make_server
from tests import tiny_checkpoints as tiny
from tests.whisper.tiny_recognizer import DIMENSIONS

CLIP = Path(__file__).parents[1] / "data" / "speech" / "p225_020.flac"
"""A few seconds of English."""
OTHER_CLIP = CLIP.with_name("ls_61-70968-0000.flac")


def s16le(path: Path) -> bytes:
    """What `ffmpeg -f s16le -ac 1 -ar 16000` gives."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", 16_000)
        frames = [*container.decode(audio=0), None]
        pieces = [piece.to_ndarray()[0] for frame in frames for piece in resampler.resample(frame)]
    return np.concatenate(pieces).astype("<i2").tobytes()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-random"
    weights = tiny.random_weights(DIMENSIONS, 3)
    weights["decoder.embed_tokens.weight"] *= 8
    tiny.write_huggingface(folder, DIMENSIONS, weights)
    return folder


@pytest.fixture(scope="session")
def tiny_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny-cache")


@pytest.fixture(autouse=True)
def cache(tiny_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBVINO_CACHE", str(tiny_cache))


@pytest.fixture(scope="session")
def load() -> Load:
    """`load_transcriber`, each model and set of options loaded once a session."""
    loaded: dict[tuple[str, EngineOptions], Transcriber] = {}

    def load_once(
        model: str, options: EngineOptions, progress: Progress | None = None
    ) -> Transcriber:
        key = (model, options)
        if key not in loaded:
            loaded[key] = load_transcriber(model, options, progress)
        return loaded[key]

    return load_once


@pytest.fixture
def settings(tmp_path: Path, tiny_model: Path) -> ServerSettings:
    return ServerSettings(tmp_path / "server", model=str(tiny_model), threads=1, page=False)


@pytest.fixture
def jobs(settings: ServerSettings, load: Load) -> Iterator[Jobs]:
    with Jobs(settings, load) as running:
        yield running


@contextmanager
def served(settings: ServerSettings, load: Load) -> Iterator[str]:
    """A server in this process; gives its address."""
    server = make_server(replace(settings, port=0), load)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def module_settings(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> ServerSettings:
    folder = tmp_path_factory.mktemp("server")
    return ServerSettings(folder, model=str(tiny_model), threads=1, page=False)


@pytest.fixture(scope="module")
def address(module_settings: ServerSettings, load: Load, tiny_cache: Path) -> Iterator[str]:
    """The address of a server that the tests of a module share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUBVINO_CACHE", str(tiny_cache))
        with served(module_settings, load) as url:
            yield url
