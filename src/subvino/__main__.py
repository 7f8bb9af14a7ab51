"""`python -m subvino` is the command `subvino`."""

from __future__ import annotations

from subvino.cli import main

if __name__ == "__main__":
    main()
