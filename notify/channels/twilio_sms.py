"""Texts by Twilio."""

from typing import Any

from notify.channel import DoubtResult, SendResult
from notify.channels.twilio_client import TwilioClient
from notify.channels.twilio_doubt import LONG_AGO, Memory, Taken, look_for, oldest_of
from rules.bundle import is_it
from rules.decisions import Delivery, Priority

#: Seconds a text may wait in Twilio's queue, which by itself is ten hours: a page must not come when all is over.
VALIDITY_S = {
    Priority.LIFE_SAFETY_PAGE: 300,
    Priority.LIFE_SAFETY_INFORM: 300,
    Priority.PAGE: 600,
    Priority.INFORM: 600,
}
_SHORTEST_S = 120


class TwilioSms:
    """Channel `sms`."""

    name = "sms"

    def __init__(self, client: TwilioClient, *, taken: Taken | None = None) -> None:
        """Make it; `taken` tells which messages belong to other deliveries (see twilio_doubt.py)."""
        self._client = client
        self._memory = Memory(taken)

    async def send(self, delivery: Delivery) -> SendResult:
        """Create the message."""
        account = self._client.account
        fields: dict[str, Any] = {
            "to": delivery.address,
            "messaging_service_sid" if account.from_number.startswith("MG") else "from_": account.from_number,
            "body": delivery.text,
            "validity_period": self._validity_s(delivery),
        }
        if callback := account.webhook("status", delivery.id):
            fields["status_callback"] = callback
        result = await self._client.create(lambda rest: rest.messages.create_async(**fields))
        self._memory.note(result.provider_id, delivery.id)
        return result

    async def ask(self, delivery: Delivery) -> DoubtResult:
        """Look for the message: to this number, with this text, not older than the delivery."""

        def listed(limit: int, **narrow: Any) -> Any:
            fields = {"to": delivery.address, "limit": limit, "page_size": limit, **narrow}
            return self._client.read(lambda rest: rest.messages.list_async(**fields))

        return await look_for(
            delivery,
            newest=listed,
            since=lambda moment, limit: listed(limit, date_sent_after=moment.date()),
            fits=lambda message: is_it(delivery, message.body or ""),
            memory=self._memory,
            oldest=lambda: oldest_of(
                delivery.created_at, now=self._client.now(), ahead=self._client.ahead, if_set_back=LONG_AGO
            ),
        )

    def _validity_s(self, delivery: Delivery) -> int:
        """By priority, and not longer than the delivery itself is of use."""
        left_s = int((delivery.expires_at - self._client.now()).total_seconds())
        return max(_SHORTEST_S, min(VALIDITY_S[delivery.priority], left_s))
