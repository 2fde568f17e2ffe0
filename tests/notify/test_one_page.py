"""Dispatcher, channels and a provider at which everything goes wrong: every text is there once, none twice."""

import dataclasses
import random
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from notify.channel import Channel, DoubtOutcome, DoubtResult, SendOutcome, SendResult
from notify.channels.http import Courier
from notify.channels.twilio_client import TwilioAccount, TwilioClient
from notify.channels.twilio_sms import TwilioSms
from notify.channels.twilio_voice import TwilioVoice
from notify.dispatcher import Dispatcher
from rules.decisions import Delivery, DeliveryState, Priority
from simulators.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio

SENDER = "+15005550006"

FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("error_before", {}),
    ("error_after", {}),
    ("answer_lost", {}),
    ("hang", {}),
    ("hang_before", {}),
    ("refuse", {}),
    ("rate_limited", {"retry_after": 1}),
    ("lands_late", {"seconds": 12}),
    ("late_listing", {"seconds": 10}),
)


class Outbox:
    """Follows the rules of the real one: a doubt is asked about before anything is sent again."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self.open = {one.id: one for one in deliveries}
        self.owned: dict[str, int] = {}

    async def claim(
        self, limit: int, *, channels: Collection[str] | None = None, max_priority: Priority | None = None
    ) -> Sequence[Delivery]:
        fitting = [one for one in self.open.values() if one.owner is None and (not channels or one.channel in channels)]
        claimed = fitting[:limit]
        for one in claimed:
            self.open[one.id] = dataclasses.replace(one, owner="here")
        return claimed

    def release(self) -> None:
        """Let everything be due again, as time would."""
        self.open = {key: dataclasses.replace(one, owner=None) for key, one in self.open.items()}

    async def send_finished(self, delivery: Delivery, result: SendResult) -> None:
        match result.outcome:
            case SendOutcome.ACCEPTED:
                self._done(delivery, result.provider_id)
            case SendOutcome.UNKNOWN:
                self._turn(delivery, DeliveryState.UNKNOWN)
            case SendOutcome.RETRY:
                self._turn(delivery, DeliveryState.SENDING)
            case SendOutcome.PERMANENT:
                pytest.fail(f"{result.error}")

    async def doubt_answered(self, delivery: Delivery, result: DoubtResult) -> None:
        if result.outcome is DoubtOutcome.FOUND:
            self._done(delivery, result.provider_id)
        elif result.outcome is DoubtOutcome.ABSENT:
            self._turn(delivery, DeliveryState.SENDING)

    async def taken(self, delivery: Delivery, provider_ids: Collection[str]) -> Collection[str]:
        return [one for one in provider_ids if self.owned.get(one, delivery.id) != delivery.id]

    def _done(self, delivery: Delivery, provider_id: str | None) -> None:
        assert provider_id is not None
        assert self.owned.setdefault(provider_id, delivery.id) == delivery.id
        del self.open[delivery.id]

    def _turn(self, delivery: Delivery, state: DeliveryState) -> None:
        self.open[delivery.id] = dataclasses.replace(delivery, state=state, owner="here")


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
async def site(make_delivery: Callable[..., Delivery]) -> AsyncIterator[tuple[Clock, FakeTwilio, TwilioClient]]:
    clock = Clock(make_delivery().created_at)

    async def nowhere(*_: Any, **__: Any) -> Any:
        raise OSError("no service listens in these tests")

    async with FakeTwilio(now=clock, post=nowhere) as twilio:
        account = TwilioAccount(
            account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, from_number=SENDER, api_base_url=twilio.base_url
        )
        client = TwilioClient(account, now=clock, courier=Courier(timeout_s=0.4, connect_timeout_s=0.4))
        yield clock, twilio, client
        await client.aclose()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_step_reaches_the_provider_once(
    site: tuple[Clock, FakeTwilio, TwilioClient], make_delivery: Callable[..., Delivery], seed: int
) -> None:
    """Invariant one-page. Ten people, six messages each of which some read the same, up to three faults a person."""
    clock, twilio, client = site
    chance = random.Random(seed)
    deliveries = []
    for person in range(10):
        number = f"+861380000{person:04d}"
        deliveries += [
            make_delivery(address=number, channel="voice" if turn == 5 else "sms", text=f"第{turn % 3}件")
            for turn in range(6)
        ]
        for kind, options in chance.choices(FAULTS, k=chance.randrange(4)):
            twilio.faults.add(kind, number, times=1, **options)
    outbox = Outbox(deliveries)

    for _ in range(30):
        # Each round is another process: nothing is remembered but what the outbox knows.
        channels: dict[str, Channel] = {
            "sms": TwilioSms(client, taken=outbox.taken),
            "voice": TwilioVoice(client, taken=outbox.taken),
        }
        await Dispatcher(outbox, channels, timeout_s=2).run_once()
        if not outbox.open:
            break
        clock.at += timedelta(seconds=16)
        await twilio.advance()
        outbox.release()
    assert outbox.open == {}

    for person in range(10):
        number = f"+861380000{person:04d}"
        assert sorted(text.body for text in twilio.texts_to(number)) == ["第0件", "第0件", "第1件", "第1件", "第2件"]
        assert len(twilio.calls_to(number)) == 1
