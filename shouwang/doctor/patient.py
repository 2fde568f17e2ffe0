"""Whom the doctor examines: one installation, by its settings and its files."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rules.community import Registry
from shouwang.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """An installation, and how much of it is to be tried out."""

    settings: Settings
    #: None where the three files cannot be used.
    registry: Registry | None
    #: The aware time in UTC.
    now: Callable[[], datetime]
    #: Seconds to listen on the topics of the sources.
    listen_s: float = 10.0
    #: Messages to publish to a session of the doctor's own that is away; 0: none.
    queue: int = 1_500
    #: Where to send a test message: a number, an address, or a worker's id.
    send_to: tuple[str, ...] = ()
