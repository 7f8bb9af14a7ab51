"""What the main command makes beside subtitle files: copies of the video with subtitles in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from subvino.cli.progress import show_media
from subvino.cli.screen import Screen
from subvino.errors import NotMediaError, OptionError
from subvino.media import probe
from subvino.outputs import BURNED, SUBTITLED, OutputPlace
from subvino.pipeline import OutputOptions
from subvino.subtitles import Subtitles


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """Which copies are made, and whether cues are timed to the cuts of the picture."""

    mux: bool = False
    burn: bool = False
    shots: bool = False

    def refuse_without_picture(self, name: str) -> None:
        """Raises OptionError, for an input that is no file with a picture in it."""
        wanted = [f"--{kind}" for kind in ("mux", "burn", "shots") if getattr(self, kind)]
        if wanted:
            raise OptionError(f"{name}: {wanted[0]} needs a video file; save it as one first")

    def check(self, video: Path, place: OutputPlace, outputs: OutputOptions) -> None:
        """Refuse, before the long work, what could not be made after it; raises SubvinoError."""
        from subvino.video import BURN_NEEDS, check_output, find_ffmpeg

        for path in self._paths(video, place).values():
            check_output(video, path, overwrite=outputs.existing != "replace-own")
        if self.mux or self.burn:
            find_ffmpeg("putting subtitles into a video", BURN_NEEDS if self.burn else ())
        if self.burn and probe(video).video is None:
            raise NotMediaError(f"{video}: there is no picture in it for --burn", video)

    def find_shots(self, video: Path, screen: Screen) -> tuple[float, ...]:
        """Media times at which shots begin, where they are wanted; else none."""
        from subvino.shots import detect_shots

        if not self.shots:
            return ()
        with show_media(screen, f"{video}: cuts", probe(video).duration) as advance:
            return detect_shots(video, progress=advance)

    def make(
        self,
        video: Path,
        shown: Sequence[Subtitles],
        place: OutputPlace,
        outputs: OutputOptions,
        screen: Screen,
    ) -> Iterator[Path]:
        """Make the copies; gives the path of each when it is done. Raises SubvinoError.

        shown: each a track, the first by default and the one that is drawn.
        """
        from subvino.video import BurnOptions, SubtitleTrack, burn, mux

        tracks = [SubtitleTrack(subtitles) for subtitles in shown]
        for kind, path in self._paths(video, place).items():
            if outputs.existing == "skip" and path.exists():
                continue
            with show_media(screen, f"{video}: {kind}", probe(video).duration) as advance:
                if kind == "mux":
                    made = mux(video, tracks, path, overwrite=True, progress=advance)
                else:
                    options = BurnOptions(words=outputs.write.words)
                    made = burn(video, tracks[0], path, options, overwrite=True, progress=advance)
            for note in made.notes:
                screen.note(note)
            yield made.path

    def _paths(self, video: Path, place: OutputPlace) -> dict[str, Path]:
        from subvino.video import BURN_SUFFIXES, default_output

        named = place.folder / f"{place.stem}{video.suffix}"
        paths = {}
        if self.mux:
            paths["mux"] = default_output(named, SUBTITLED)
        if self.burn:
            paths["burn"] = default_output(named, BURNED, BURN_SUFFIXES)
        return paths
