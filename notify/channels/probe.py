"""The channel of probes: it takes the message, and there is nobody at its other end.

That a probe got here says that everything before it works: broker, database, outbox, dispatcher.
"""

from notify.channel import SendOutcome, SendResult
from rules.decisions import Delivery
from rules.probe import CHANNEL


class ProbeChannel:
    """Channel `probe`."""

    name = CHANNEL

    async def send(self, delivery: Delivery) -> SendResult:
        """Take it."""
        return SendResult(outcome=SendOutcome.ACCEPTED, provider_id=f"probe:{delivery.id}", status="delivered")
