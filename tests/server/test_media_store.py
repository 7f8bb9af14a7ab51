"""Where the server keeps what it is given."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from subvino.server.media_store import prepare_folders


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_what_others_may_not_hear_lies_where_only_the_server_reads(tmp_path: Path) -> None:
    folder = tmp_path / "server" / "media"
    prepare_folders(folder.parent, folder)
    assert [path.stat().st_mode & 0o777 for path in (folder.parent, folder)] == [0o700, 0o700]
