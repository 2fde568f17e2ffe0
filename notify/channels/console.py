"""Messages as lines on a terminal: for the demo, and for a trial before there is a provider."""

import asyncio
import sys
from collections.abc import Callable
from typing import TextIO

from notify.channel import SendOutcome, SendResult
from notify.masking import mask_address
from rules.decisions import Delivery


class ConsoleChannel:
    """Channel `console`. With another `name` it stands in for that channel (`shouwang run --stub-channels`)."""

    def __init__(
        self, stream: TextIO | None = None, *, name: str = "console", show: Callable[[str], None] | None = None
    ) -> None:
        """Make it; lines go to `show`, or to `stream`, or to standard output as it is at the time."""
        self.name = name
        self._stream = stream
        self._show = show or self._write

    async def send(self, delivery: Delivery) -> SendResult:
        """Write one line. A stream that is closed for good is a refusal."""
        try:
            self._show(line(delivery))
        except (OSError, ValueError) as error:
            return SendResult(outcome=SendOutcome.PERMANENT, error=f"the terminal is gone: {error}")
        await asyncio.sleep(0)
        return SendResult(outcome=SendOutcome.ACCEPTED, provider_id=f"console:{delivery.id}", status="delivered")

    def _write(self, text: str) -> None:
        stream = self._stream or sys.stdout
        stream.write(text + "\n")
        stream.flush()


def line(delivery: Delivery) -> str:
    """Write a delivery as one line: who, how, and what."""
    words = delivery.speech or delivery.text
    address = f" {mask_address(delivery.address)}" if delivery.channel != "console" else ""
    return f"→ {delivery.recipient_name} [{delivery.channel}{address}] {' ⏎ '.join(words.splitlines())}"
