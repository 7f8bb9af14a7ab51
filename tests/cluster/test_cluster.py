"""Two nodes of a Ray cluster on this machine, with a small random network on each.

What the network says means nothing, but each window's text is like no other's.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from subvino.cli.batch import Batch
from subvino.cli.screen import Screen
from subvino.cli.subtitling import Plan
from subvino.cluster import Cluster, ClusterOptions, ClusterTranscriber
from subvino.cluster.pool import Task
from subvino.pipeline import (
    EngineOptions,
    FileSource,
    OutputOptions,
    TranscriptStream,
    load_transcriber,
)
from subvino.recognizer import DecodingOptions, WindowResult
from subvino.server import JobOptions, Jobs, ServerSettings
from subvino.windows import WindowOptions
from tests import tiny_checkpoints as tiny
from tests.buckets import open_bucket
from tests.sounds import Track, write_media
from tests.whisper.tiny_recognizer import DIMENSIONS

pytestmark = pytest.mark.filterwarnings("default")  # of Ray's own, and of S3's libraries

QUICK = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 100,
    "health_check_failure_threshold": 10,
    "health_check_timeout_ms": 20_000,
}
"""So that a machine is known to be dead when its port has been closed for a second."""
ENGINE = EngineOptions("CPU", threads=1, vad=None, windows=WindowOptions(max_duration=10.0))
"""Windows of 10 s: the long film has three spans of them."""
N_WINDOWS = 18
N_HEARD = 11
"""Of the long film; what a run that is stopped has heard of them ends within a span."""
SECONDS = {"long": 150.0, "a": 4.0, "b": 13.0, "c": 5.0, "d": 2.0}


@dataclass(frozen=True)
class Nodes:
    """The cluster: two machines, one of which is going to die; and what they have in common."""

    machines: Any
    doomed: Any
    bucket: Any
    model: Path

    def kill(self) -> None:
        """The second machine's end, without a word."""
        self.machines.remove_node(self.doomed, allow_graceful=False)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for number, (name, seconds) in enumerate(SECONDS.items()):
        rng = np.random.default_rng(number)
        samples = rng.normal(scale=0.1, size=round(seconds * 16_000)).astype(np.float32)
        write_media(folder / f"{name}.wav", Track(samples, "pcm_s16le", rate=16_000))
    return folder


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Iterator[Nodes]:
    place = tmp_path_factory.mktemp("model")
    weights = tiny.random_weights(DIMENSIONS, 3)
    weights["decoder.embed_tokens.weight"] *= 8
    tiny.write_huggingface(place / "tiny", DIMENSIONS, weights)
    scratch = tempfile.mkdtemp(prefix="ray")  # sockets lie in it: its name must be short
    with pytest.MonkeyPatch.context() as patch, open_bucket("films") as bucket:
        patch.setenv("SUBVINO_CACHE", str(place / "cache"))
        patch.setenv("RAY_TMPDIR", scratch)
        (Path(scratch) / "ray").mkdir()  # where no Ray ever ran, it notes its address in no folder
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # keeps it to this machine
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        source = str(Path(__file__).parents[2] / "src")
        patch.setenv("PYTHONPATH", os.pathsep.join([source, os.environ.get("PYTHONPATH", "")]))
        bucket.upload_file(str(films / "b.wav"), "films", "b.wav")
        pytest.importorskip("ray")  # reads its settings as it is imported
        from ray.cluster_utils import Cluster as Machines

        size: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
        head = {"include_dashboard": False, "temp_dir": scratch, "_system_config": QUICK}
        machines = Machines(initialize_head=True, head_node_args={**size, **head})
        yield Nodes(machines, machines.add_node(**size), bucket, place / "tiny")
        machines.shutdown()  # type: ignore[no-untyped-call]
    shutil.rmtree(scratch, ignore_errors=True)


@pytest.fixture(scope="module")
def transcriber(nodes: Nodes) -> Iterator[ClusterTranscriber]:
    """Workers on both machines."""
    with Cluster(ClusterOptions(nodes.machines.address)) as cluster:
        transcriber = cluster(str(nodes.model), ENGINE)
        while sum(transcriber.pool.nodes.values()) < 2:
            time.sleep(0.01)
        yield transcriber


def make(transcriber: Any, inputs: Sequence[str], out: Path, **how: Any) -> Batch:
    """What the command does with inputs and a loaded model."""
    decoding = DecodingOptions(**{"temperatures": (0.0,), "beam_size": 1, **how})
    outputs = OutputOptions(("srt", "json"))
    cluster = ClusterOptions() if isinstance(transcriber, ClusterTranscriber) else None
    plan = Plan(ENGINE, decoding, outputs, folder=out, cluster=cluster)
    batch = Batch(plan, Screen(quiet=True), lambda *_: transcriber)
    batch.run(inputs)
    return batch


@pytest.fixture
def alone(nodes: Nodes) -> Any:
    """The model in this process."""
    return load_transcriber(nodes.model, ENGINE)


def after(
    monkeypatch: pytest.MonkeyPatch,
    transcriber: ClusterTranscriber,
    n_results: int,
    happens: Callable[[], None],
) -> None:
    """Let something happen as soon as some results have come."""
    hear = transcriber.hear

    def heard(
        streams: Iterable[TranscriptStream], options: DecodingOptions, n_read: int = 1
    ) -> Generator[tuple[TranscriptStream, WindowResult | None], None, None]:
        for number, one in enumerate(hear(streams, options, n_read), 1):
            yield one
            if number == n_results:
                happens()

    monkeypatch.setattr(transcriber, "hear", heard)


def same(one: Path, other: Path) -> None:
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    assert names
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_machine_that_dies_changes_no_byte_of_what_comes_of_a_folder(
    nodes: Nodes,
    transcriber: ClusterTranscriber,
    alone: Any,
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after(monkeypatch, transcriber, 3, nodes.kill)
    assert make(transcriber, [str(films)], tmp_path / "together").is_sound
    assert make(alone, [str(films)], tmp_path / "alone").is_sound
    assert transcriber.pool.n_replaced == 1
    assert len(list((tmp_path / "alone").iterdir())) == 2 * len(SECONDS)
    same(tmp_path / "together", tmp_path / "alone")


def test_work_that_was_stopped_goes_on_where_it_stood(
    transcriber: ClusterTranscriber,
    alone: Any,
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    how: dict[str, Any] = {"condition_on_previous": True, "words": False}
    inputs = [str(films / "long.wav")]
    with monkeypatch.context() as patch:
        after(patch, transcriber, N_HEARD, interrupt)
        with pytest.raises(KeyboardInterrupt):
            make(transcriber, inputs, tmp_path / "together", **how)
    asked: list[int] = []
    ask = transcriber.pool.ask

    def noted(task: Task) -> Future[Any]:
        asked.append(task.n_windows)
        return ask(task)

    monkeypatch.setattr(transcriber.pool, "ask", noted)
    assert make(transcriber, inputs, tmp_path / "together", **how).is_sound
    assert sum(asked) == N_WINDOWS - N_HEARD
    make(alone, inputs, tmp_path / "alone", **how)
    same(tmp_path / "together", tmp_path / "alone")


def test_a_worker_fetches_what_lies_in_a_bucket_and_reads_what_the_driver_alone_has(
    transcriber: ClusterTranscriber,
    alone: Any,
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one is at no place that the driver knows, the other at none that the worker knows."""
    make(alone, [str(films / "b.wav")], tmp_path / "alone")
    batch = make(transcriber, ["s3://films/b.wav"], tmp_path / "stored")
    assert batch.outcomes[0].duration == pytest.approx(SECONDS["b"])
    monkeypatch.setattr(FileSource, "digest", lambda self: "of another file")
    make(transcriber, [str(films / "b.wav")], tmp_path / "sent")
    same(tmp_path / "sent", tmp_path / "alone")
    srt = f"b.{batch.outcomes[0].language}.srt"
    assert (tmp_path / "stored" / srt).read_bytes() == (tmp_path / "alone" / srt).read_bytes()


def test_what_a_worker_cannot_fetch_or_read_fails_alone(
    transcriber: ClusterTranscriber, films: Path, nodes: Nodes, tmp_path: Path
) -> None:
    nodes.bucket.put_object(Bucket="films", Key="broken.mp4", Body=b"no media")
    inputs = ["s3://films/none.mp4", "s3://films/broken.mp4", str(films / "a.wav")]
    batch = make(transcriber, inputs, tmp_path / "out")
    assert [outcome.state for outcome in batch.outcomes].count("failed") == 2
    assert all("s3://films/" in one.reason for one in batch.outcomes if one.state == "failed")
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_server_shares_its_jobs_among_the_workers(
    transcriber: ClusterTranscriber, alone: Any, films: Path, tmp_path: Path, nodes: Nodes
) -> None:
    settings = ServerSettings(tmp_path, model=str(nodes.model), n_jobs=3)
    with Jobs(settings, lambda *_: transcriber) as jobs:
        options = JobOptions(vad=False, beam_size=1, language="de")
        asked = {name: jobs.submit_file(films / f"{name}.wav", options).id for name in "acd"}
        for name, job in asked.items():
            assert list(jobs.watch(job))[-1].state == "done"
            stream = alone.open(films / f"{name}.wav", options.decoding())
            list(stream)
            assert jobs.transcript(job).text == stream.transcript().text
