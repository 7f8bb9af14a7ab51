"""How a server is set up.

Floor 5 of the road.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from subvino.errors import OptionError
from subvino.pipeline import DEFAULT_MODEL

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server takes from its clients.

    max_upload_bytes: of one request's body, and of what a URL gives.
    max_duration: of one media file, seconds.
    max_waiting: jobs that wait; those that another one's result will answer are not counted.
    max_requests: served at once.
    max_idle: seconds between two pieces of a request's body, and of its headers altogether.
    min_rate: bytes a second of an upload, on the whole, once it is `max_idle` old.
    max_fetch: seconds that fetching an address may take.
    max_attempts: how often a job is begun again after the server died working on it.
    """

    max_upload_bytes: int = 4_000_000_000
    max_duration: float = 6 * HOUR
    max_waiting: int = 100
    max_requests: int = 100
    max_idle: float = 30.0
    min_rate: float = 1000.0
    max_fetch: float = HOUR
    max_attempts: int = 3

    def __post_init__(self) -> None:
        """Raises OptionError for limits that would let nothing through."""
        for name in self.__dataclass_fields__:
            if not getattr(self, name) > 0:
                raise OptionError(f"{name} is {getattr(self, name)}; give a number above 0")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """All that `subvino serve` can be told.

    folder: of the jobs, their media and results; one server at a time has it.
    model: taken where a client names none, or "whisper-1".
    models: names that clients may ask for; None: those that are on this machine already.
    threads: of the CPU; None takes the cores this process may use.
    n_jobs: transcribed at once; more than one only where the model runs on a cluster.
    model_idle: seconds after its last job that a model stays loaded.
    keep: seconds for which finished jobs and their results are kept.
    api_key: what clients must send; "" asks for none.
    allow_urls: whether the server fetches addresses that clients give.
    allow_private_urls: also of this machine and its network; only for who trusts every client.
    allowed_hosts: names by which clients may call the server, besides its own addresses; a server
        that is open to the network answers to any where this is empty.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8000
    model: str = DEFAULT_MODEL
    models: tuple[str, ...] | None = None
    device: str = "AUTO"
    threads: int | None = None
    n_jobs: int = 1
    model_idle: float = 300.0
    keep: float = 7 * DAY
    api_key: str = ""
    allow_urls: bool = False
    allow_private_urls: bool = False
    allowed_hosts: tuple[str, ...] = ()
    page: bool = True
    limits: Limits = field(default_factory=Limits)

    @property
    def media_folder(self) -> Path:
        """Where the media of jobs lie, by digest."""
        return self.folder / "media"

    @property
    def journal_folder(self) -> Path:
        """Where the journals of running jobs lie, by which they go on after a stop."""
        return self.folder / "journals"

    @property
    def incoming_folder(self) -> Path:
        """Where uploads and downloads lie until they are whole."""
        return self.folder / "incoming"


def default_folder() -> Path:
    """Where a server keeps its jobs unless told otherwise: the system's place for such data."""
    from platformdirs import user_data_path

    return user_data_path("subvino", appauthor=False) / "server"
