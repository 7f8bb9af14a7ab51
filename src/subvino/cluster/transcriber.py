"""A transcriber whose media are read and recognized by the workers of a cluster."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterable, Sequence
from functools import partial
from pathlib import Path

from subvino.clip import Clip
from subvino.cluster.pool import Pool
from subvino.cluster.recognizer import ClusterRecognizer
from subvino.cluster.sources import ClusterSource, Known
from subvino.cluster.spans import Media
from subvino.journal import digest_values
from subvino.pipeline import EngineOptions, MediaSource, OnSound, Transcriber, TranscriptStream
from subvino.recognizer import DecodingOptions, WindowResult
from subvino.storage import digest_stored, is_storage_url
from subvino.vad import load_detector
from subvino.windows import hear_everything


class ClusterTranscriber(Transcriber):
    """A `Transcriber` that takes URLs of storage too.

    identity: of the software and options, whichever machines they run on.
    """

    def __init__(self, pool: Pool, options: EngineOptions) -> None:
        detector = load_detector(options.vad) if options.vad else hear_everything
        identity = digest_values("cluster", pool.describe().software, repr(options))
        super().__init__(ClusterRecognizer(pool), detector, options.windows, identity)
        self.pool = pool

    def source(
        self,
        media: str | Path,
        options: DecodingOptions,
        audio_track: str | None = None,
        clips: Sequence[Clip] = (),
        on_sound: OnSound | None = None,
    ) -> MediaSource:
        """The media's windows, read by a worker if it can."""
        reading = uuid.uuid4().hex
        clips = tuple(clips)
        if is_storage_url(str(media)):
            parts = repr((audio_track, clips))
            known = Known(str(media), parts, None, digest_stored(str(media)))
            there = Media(str(media), "", options, audio_track, clips, reading)
            return ClusterSource(self.pool, there, known, None, on_sound)
        open_here = partial(super().source, media, options, audio_track, clips, on_sound)
        here = open_here()
        try:
            known = Known(here.media, here.parts, here.duration, here.digest())
        finally:
            here.close()
        place = str(Path(media).absolute())
        there = Media(place, known.digest, options, audio_track, clips, reading)
        return ClusterSource(self.pool, there, known, open_here, on_sound)

    def hear(
        self, streams: Iterable[TranscriptStream], options: DecodingOptions, n_read: int = 1
    ) -> Generator[tuple[TranscriptStream, WindowResult | None], None, None]:
        """As `Transcriber.hear`; as many media as there are workers are read beforehand."""
        return super().hear(streams, options, max(n_read, self.pool.n_workers))
