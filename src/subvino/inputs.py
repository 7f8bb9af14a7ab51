"""Reading what a user names: whole files, never more of them than is wanted.

Floor 1 of the road; the counterpart of `outputs`.
"""

from __future__ import annotations

from pathlib import Path

from subvino.errors import MediaNotFoundError, MediaPermissionError, SubtitleFileError


def read_file(path: Path, most_bytes: int) -> bytes:
    """The file's bytes, one more than `most_bytes` at most: the reader then sees it is too large.

    Raises MediaNotFoundError, MediaPermissionError, SubtitleFileError (folders and the like).
    """
    try:
        with path.open("rb") as file:
            return file.read(most_bytes + 1)
    except FileNotFoundError as error:
        raise MediaNotFoundError(path) from error
    except PermissionError as error:
        raise MediaPermissionError(path) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SubtitleFileError(f"{path}: can't be read ({reason})", path) from error
