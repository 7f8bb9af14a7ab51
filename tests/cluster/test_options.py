from __future__ import annotations

import socket
import sys

import pytest

from subvino.cli import main
from subvino.cluster import Cluster, ClusterOptions
from subvino.errors import ClusterError, MissingExtraError
from subvino.pipeline import EngineOptions


@pytest.mark.parametrize("address", ["", "head", "ray://", "head:port", "http://head:1", "[::1"])
def test_what_is_no_address_is_told_in_a_line(address: str) -> None:
    with pytest.raises(ClusterError, match="no cluster can be at"):
        ClusterOptions(address)


def test_a_cluster_that_is_not_there_is_told_in_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with (
        Cluster(ClusterOptions(f"ray://127.0.0.1:{port}")) as cluster,
        pytest.raises(ClusterError, match="no Ray cluster at"),
    ):
        cluster("base", EngineOptions())


def test_without_ray_the_pip_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        Cluster(ClusterOptions("ray://127.0.0.1:1")) as cluster,
        pytest.raises(MissingExtraError, match=r'pip install "subvino\[cluster\]"'),
    ):
        cluster("base", EngineOptions())


@pytest.mark.parametrize("command", [["talk.mp4"], ["serve"]])
def test_workers_need_a_cluster(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, "--workers", "2"])
    assert end.value.code
    assert "--workers is for --cluster" in capsys.readouterr().err
