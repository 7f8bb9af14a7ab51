"""An address that a client gives → its media here, without becoming that client's hand.

Floor 5 of the road.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from subvino.errors import ForbiddenError
from subvino.server.media_store import ArrivedMedia
from subvino.server.settings import ServerSettings
from subvino.server.worker import Running


def check_address(url: str, settings: ServerSettings) -> None:
    """Refuse an address that can't be fetched. Raises ForbiddenError."""
    del url, settings
    raise ForbiddenError("this server fetches no addresses; upload the file")


def fetch(
    running: Running,
    settings: ServerSettings,
    stopping: threading.Event,
    tell: Callable[[], None],
) -> ArrivedMedia:
    """The media at the job's address. Raises SubvinoError."""
    del running, settings, stopping, tell
    raise ForbiddenError("this server fetches no addresses; upload the file")
