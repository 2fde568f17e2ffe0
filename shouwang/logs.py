"""Logs: readable on a terminal, one JSON object a line otherwise."""

import json
import logging
import sys
from datetime import UTC, datetime

from rich.console import Console
from rich.logging import RichHandler

from notify.masking import mask_text

#: What callers attach with `extra`, and nothing else of a record, goes into the JSON.
_FIELDS = ("incident", "delivery", "home", "device", "source")


_CHATTY = ("httpx", "httpcore", "apscheduler", "alembic", "twilio.http_client", "aiosqlite", "watchfiles")


class _Masked(logging.Filter):
    """Takes phone numbers out of every line, whoever wrote it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = mask_text(record.getMessage())
        record.args = None
        return True


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None})
        if record.exc_info:
            line["exception"] = mask_text(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(*, level: str, style: str = "auto") -> None:
    """Set up logging for the process; `style` is `auto`, `text` or `json`. Logs go to standard error."""
    handler: logging.Handler
    if style == "text" or (style == "auto" and sys.stderr.isatty()):
        handler = RichHandler(console=Console(stderr=True), show_path=False, rich_tracebacks=True, log_time_format="%X")
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_JsonLines())
    handler.addFilter(_Masked())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # These say at INFO what the service says better, and some of them say it with whole addresses.
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
