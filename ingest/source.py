"""What the subscriber needs of an MQTT client."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ingest.message import Message


class MqttSource(Protocol):
    """A stream of messages that are acknowledged by hand.

    A message's handle belongs to the connection it came in. Acknowledging it later than that connection lasted does
    nothing, because the broker may have given its id to another message by then (invariant ack-after-commit).
    """

    @property
    def connected(self) -> bool:
        """Whether the broker has confirmed our subscriptions and the connection stands."""

    @property
    def last_message_at(self) -> datetime | None:
        """When the last message arrived; aware, in UTC."""

    async def run(self) -> None:
        """Stay connected until cancelled."""

    async def gather(self, limit: int, seconds: float) -> list[Message]:
        """Wait for messages and take up to `limit` of them, in order of arrival.

        Waits up to `seconds` for more after the first, but not once an urgent one is among them.
        """

    def acknowledge(self, messages: Sequence[Message]) -> int:
        """Acknowledge messages in the order given; gives how many were still to be acknowledged."""
