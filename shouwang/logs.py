"""Logs: readable on a terminal, one JSON object a line otherwise."""

import json
import logging
import sys
from datetime import UTC, datetime

from notify.masking import mask_text

#: What callers attach with `extra`, and nothing else of a record, goes into the JSON.
_FIELDS = ("incident", "delivery", "home", "device", "source")


_CHATTY = ("httpx", "httpcore", "apscheduler", "alembic", "twilio.http_client", "watchfiles")


class _Masked(logging.Filter):
    """Takes phone numbers out of every line, whoever wrote it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = mask_text(record.getMessage())
        record.args = None
        return True


class _Words(logging.Formatter):
    """For people: the line, and which incident and delivery it is about."""

    def format(self, record: logging.LogRecord) -> str:
        line = record.getMessage()
        if about := " ".join(f"{name}={value}" for name, value in _about(record).items()):
            line += f"  [{about}]"
        if record.exc_info:
            line += "\n" + mask_text(self.formatException(record.exc_info))
        return line


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(_about(record))
        if record.exc_info:
            line["exception"] = mask_text(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def _about(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None}


def configure(*, level: str, style: str = "auto") -> None:
    """Set up logging for the process; `style` is `auto`, `text` or `json`. Logs go to standard error."""
    handler: logging.Handler
    if style == "text" or (style == "auto" and sys.stderr.isatty()):
        from rich.console import Console  # noqa: PLC0415 - only for people
        from rich.logging import RichHandler  # noqa: PLC0415

        # Not Rich's own tracebacks: what an exception says may hold numbers, and goes through the masks as text.
        handler = RichHandler(console=Console(stderr=True), show_path=False, log_time_format="%X")
        handler.setFormatter(_Words())
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_JsonLines())
    handler.addFilter(_Masked())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # These say at INFO what the service says better, and some of them say it with whole addresses.
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
