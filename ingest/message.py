"""What arrived on MQTT."""

from datetime import datetime
from typing import Any, Final, NamedTuple

#: Messages that are handed over at once, at the most: then more are waiting.
FULL_BATCH: Final = 700


class Message(NamedTuple):
    """A message as the broker handed it over; the receive time is aware and in UTC."""

    topic: str
    payload: bytes
    retain: bool
    received_at: datetime
    dup: bool = False
    #: What the source needs to acknowledge it: nobody else looks inside.
    handle: Any = None
    #: It looks as if a life-safety fact were in it (see ingest.urgent).
    urgent: bool = False
    #: How many bytes the payload had, where it was too large and only its beginning is here; 0: it is whole.
    size: int = 0
