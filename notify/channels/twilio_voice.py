"""Calls by Twilio."""

from typing import Any

from notify import twiml
from notify.channel import DoubtResult, SendResult
from notify.channels.twilio_client import TwilioClient
from notify.channels.twilio_doubt import A_WHILE_AGO, Memory, Requested, Taken, belongs_to_another, look_for, oldest_of
from rules.decisions import Delivery

#: Seconds a phone rings: long enough to wake somebody, short enough not to reach most voice boxes.
RING_S = 25

_EVENTS = ["initiated", "ringing", "answered", "completed"]


class TwilioVoice:
    """Channel `voice`.

    With a public address Twilio fetches what to say from us at the moment somebody answers, so that a call which is no
    longer needed says so. Without one the words go along with the request, and no key can be pressed.
    """

    name = "voice"

    def __init__(
        self,
        client: TwilioClient,
        *,
        language: str = "zh",
        ring_s: int = RING_S,
        detect_machines: bool = False,
        taken: Taken | None = None,
        requested: Requested | None = None,
    ) -> None:
        """Make it; `taken` tells which calls belong to other deliveries, `requested` when theirs were asked for.

        See twilio_doubt.py.

        With `detect_machines` Twilio listens for a voice box first; it costs some seconds of silence.
        """
        self._client = client
        self._language = language
        self._ring_s = ring_s
        self._detect_machines = detect_machines
        self._memory = Memory(taken)
        self._requested = requested

    async def send(self, delivery: Delivery) -> SendResult:
        """Create the call."""
        account = self._client.account
        fields: dict[str, Any] = {"to": delivery.address, "from_": account.from_number, "timeout": self._ring_s}
        if script := account.webhook("voice", delivery.id):
            fields["url"] = script
            fields["status_callback"] = account.webhook("status", delivery.id)
            fields["status_callback_event"] = _EVENTS
        else:
            fields["twiml"] = twiml.say(delivery.speech or delivery.text, self._language)
        if self._detect_machines:
            fields["machine_detection"] = "Enable"
        result = await self._client.create(lambda rest: rest.calls.create_async(**fields))
        self._memory.note(result.provider_id, delivery.id)
        return result

    async def ask(self, delivery: Delivery) -> DoubtResult:
        """Look for the call: from our number to this one, not older than the delivery, and nobody else's."""
        sender = self._client.account.from_number
        own, others = await self._requested(delivery) if self._requested is not None else (None, ())

        def fits(call: Any) -> bool:
            # The library names it `_from`: `from` is a word of Python.
            ours = call._from in {None, sender}  # noqa: SLF001 - its documented name
            return ours and not belongs_to_another(call.date_created, own, others, ahead=self._client.ahead)

        def listed(limit: int, **narrow: Any) -> Any:
            fields = {"to": delivery.address, "limit": limit, "page_size": limit, **narrow}
            return self._client.read(lambda rest: rest.calls.list_async(**fields))

        return await look_for(
            delivery,
            newest=listed,
            since=lambda moment, limit: listed(limit, start_time_after=moment.date()),
            fits=fits,
            memory=self._memory,
            oldest=lambda: oldest_of(
                delivery.created_at, now=self._client.now(), ahead=self._client.ahead, if_set_back=A_WHILE_AGO
            ),
        )
