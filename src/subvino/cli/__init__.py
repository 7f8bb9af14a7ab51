"""The command `subvino`: options in, the paths of the files made and a line per error out.

Floor 5 of the road. `app` puts the commands together; a module of a command's name holds its
options and imports nothing heavy, so that `subvino --help` comes at once; what the command does
lies below, or in a module that it imports when it is called.

To add a command: a function in a module of its own, registered in `app`, and
`python scripts/render_help.py`, which brings its help into docs/cli.md.
"""

from __future__ import annotations

from subvino.cli.app import main

__all__ = ["main"]
