"""Log lines that programs can read: one JSON object each.

Floor 5 of the road.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone
from typing import Any

_OWN = frozenset(vars(logging.makeLogRecord({})))
"""What every record has; the rest was given with `extra`."""


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and what came with it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        time = datetime.fromtimestamp(record.created, timezone.utc)
        row: dict[str, Any] = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        extra = {name: value for name, value in vars(record).items() if name not in _OWN}
        row |= {name: value for name, value in extra.items() if name != "color_message"}
        if record.exc_info:
            row["traceback"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=False, default=str)


def log_config(level: str = "INFO", *, as_json: bool = True) -> dict[str, Any]:
    """For `logging.config.dictConfig`: everything to stderr, the libraries' chatter left out."""
    plain = {"format": "%(asctime)s %(levelname)-7s %(message)s"}
    form = {"()": "subvino.server.logs.JsonFormatter"} if as_json else plain
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": form},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "subvino": {"handlers": ["stderr"], "level": level, "propagate": False},
            "uvicorn": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
        },
    }
