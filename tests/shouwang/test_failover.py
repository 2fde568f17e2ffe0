"""Who sends, by what the record of tries says; and what becomes of a doubt whose provider is gone."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.message import Message
from notify.channel import DoubtOutcome, DoubtResult, SendOutcome, SendResult
from rules.decisions import Delivery, DeliveryState, NewDelivery, Priority, Purpose
from rules.pace import Pacing
from rules.providers import LOOK_BACK, TRIAL_EVERY
from shouwang.failover import Failover
from shouwang.health import Health
from store import outbox

Start = Callable[[], Awaitable[Any]]

BOTH = ("twilio", "twilio_2")
TAKEN = SendResult(outcome=SendOutcome.ACCEPTED, provider_id="SM1", status="queued")
BUSY = SendResult(outcome=SendOutcome.RETRY, error="too many requests")
WRONG_TOKEN = SendResult(outcome=SendOutcome.PERMANENT, error="401", account_refused=True)
NO_ANSWER = SendResult(outcome=SendOutcome.UNKNOWN, error="no answer")


class Office:
    """A service with two providers of texts, and an outbox worked by hand."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.moment: datetime = service.core.now()
        service.core.now = lambda: self.moment
        service.core.failover = Failover({"sms": BOTH, "voice": BOTH, "webhook": ("webhook",)})
        service.deliveries.asking = frozenset({"sms", "voice"})
        # Whom a message goes by is decided when it leaves; when it leaves is told elsewhere.
        service.deliveries.pacing = Pacing(limits={}, gap_s=0)
        self.written = 0

    def passes(self, **time: float) -> None:
        self.moment += timedelta(**time)

    async def write(
        self, number: int = 1, *, priority: Priority = Priority.INFORM, to: str = "li", channel: str = "sms"
    ) -> None:
        """Let some messages wait that nobody has to answer."""
        new = []
        for _ in range(number):
            self.written += 1
            new.append(
                NewDelivery(
                    incident_id="an-incident",
                    step_key=f"inform:{self.written}",
                    recipient_id=to,
                    recipient_name=to,
                    channel=channel,
                    address="+8613800000001",
                    purpose=Purpose.INFORM,
                    priority=priority,
                    text="…",
                    code="K7",
                    expires_at=self.moment + timedelta(days=1),
                )
            )
        async with self.service.core.database.write() as tx:
            await outbox.add(tx, new, self.moment)

    async def claim(self, limit: int = 100) -> list[Delivery]:
        return list(await self.service.deliveries.claim(limit))

    async def settle(self, deliveries: Sequence[Delivery], result: SendResult) -> None:
        for one in deliveries:
            await self.service.deliveries.send_finished(one, result)

    async def one(self, result: SendResult = TAKEN, **fields: Any) -> str | None:
        """Write one message, let it be handed over with a result, and say to whom."""
        await self.write(**fields)
        (delivery,) = await self.claim()
        await self.settle([delivery], result)
        return delivery.provider

    async def states(self) -> list[DeliveryState]:
        async with self.service.core.database.read() as tx:
            return [one.state for one in await outbox.of_incident(tx, "an-incident")]


@pytest.fixture
async def office(start: Start) -> Office:
    service, _ = await start()
    return Office(service)


async def test_a_channel_without_a_choice_is_its_own_provider(office: Office) -> None:
    assert await office.one(channel="webhook") == "webhook"
    assert await office.one(SendResult(outcome=SendOutcome.PERMANENT, ours=True), channel="pigeon") is None


async def test_what_was_not_taken_is_handed_on_at_once_and_then_waits(office: Office) -> None:
    await office.write()
    for provider, pause in (("twilio", 0), ("twilio_2", 2), ("twilio", 0), ("twilio_2", 4)):
        (delivery,) = await office.claim()
        assert delivery.provider == provider
        await office.settle([delivery], BUSY)
        if pause:
            office.passes(seconds=pause - 0.1)
            assert await office.claim() == []
            office.passes(seconds=0.1)


async def test_what_both_refuse_for_good_has_failed(office: Office) -> None:
    await office.write()
    for provider in BOTH:
        (delivery,) = await office.claim()
        assert delivery.provider == provider
        await office.settle([delivery], WRONG_TOKEN)

    assert await office.states() == [DeliveryState.FAILED]


async def test_who_has_refused_it_for_good_does_not_get_it_again(office: Office) -> None:
    """And whoever may take it later is not given up because of the other."""
    await office.write()
    (first,) = await office.claim()
    await office.settle([first], BUSY)
    for _ in range(3):
        office.passes(minutes=2)
        (again,) = await office.claim()
        await office.settle([again], WRONG_TOKEN if again.provider == "twilio_2" else BUSY)

    assert again.provider == "twilio"
    assert await office.states() == [DeliveryState.PENDING]


async def test_a_sick_one_gets_one_message_of_many_to_try(office: Office) -> None:
    await office.one(NO_ANSWER)
    office.passes(seconds=TRIAL_EVERY.total_seconds())
    (doubt,) = await office.claim()
    assert (doubt.state, doubt.provider) == (DeliveryState.UNKNOWN, "twilio")
    await office.write(8)
    claimed = await office.claim()
    assert sorted(one.provider or "" for one in claimed) == ["twilio", *["twilio_2"] * 7]

    # Nothing is known yet of the one that tries: there is no second.
    office.passes(seconds=1)
    assert await office.one() == "twilio_2"
    await office.settle(claimed, TAKEN)
    assert await office.one() == "twilio"


async def test_one_that_hangs_never_holds_up_all_that_leaves(office: Office) -> None:
    """Half of a crowd goes by the next one, and all of it once the first has been silent for three seconds."""
    for crowd in range(18):
        await office.write(to=f"w{crowd}")
    claimed = await office.claim(16)
    assert Counter(one.provider for one in claimed) == {"twilio": 8, "twilio_2": 8}
    await office.settle([one for one in claimed if one.provider == "twilio_2"], TAKEN)
    office.passes(seconds=2)
    assert {one.provider for one in await office.claim(2)} == {"twilio_2"}
    office.passes(seconds=1)
    assert await office.one(priority=Priority.LIFE_SAFETY_PAGE) == "twilio_2"


async def test_no_life_safety_page_is_used_to_try(office: Office) -> None:
    """Invariant life-first."""
    await office.one(BUSY)
    (handed_on,) = await office.claim()
    await office.settle([handed_on], TAKEN)
    office.passes(minutes=10)

    assert await office.one(priority=Priority.LIFE_SAFETY_PAGE) == "twilio_2"
    assert await office.one(priority=Priority.PAGE) == "twilio"


async def test_each_channel_has_its_own_health(office: Office) -> None:
    await office.one(NO_ANSWER)

    assert await office.one() == "twilio_2"
    assert await office.one(channel="voice") == "twilio"


async def test_what_is_long_ago_says_nothing(office: Office) -> None:
    await office.one(NO_ANSWER)
    assert await office.one(priority=Priority.LIFE_SAFETY_PAGE) == "twilio_2"
    office.passes(seconds=LOOK_BACK.total_seconds() + 1)
    for doubt in await office.claim():
        await office.service.deliveries.doubt_answered(
            doubt, DoubtResult(outcome=DoubtOutcome.FOUND, provider_id="SM0", status="sent")
        )

    assert await office.one(priority=Priority.LIFE_SAFETY_PAGE) == "twilio"


@pytest.mark.parametrize(
    ("people", "error_code", "provider"),
    [
        (["li", "zhang", "chen", "wang"], "30007", "twilio_2"),
        (["li", "li", "li", "li"], "30007", "twilio"),
        (["li", "zhang", "chen", "wang"], "30003", "twilio"),
    ],
    ids=["four people, the carrier", "one person", "four phones that are off"],
)
async def test_what_does_not_arrive_counts_where_it_is_the_provider_s(
    office: Office, people: list[str], error_code: str, provider: str
) -> None:
    for number, who in enumerate(people):
        await office.write(to=who)
        (delivery,) = await office.claim()
        sid = f"SM{number}"
        await office.settle([delivery], SendResult(outcome=SendOutcome.ACCEPTED, provider_id=sid))
        await office.service.phone.receipt(
            delivery_id=delivery.id,
            provider_id=sid,
            status="undelivered",
            error_code=error_code,
            kind="message",
            provider=delivery.provider,
        )

    assert await office.one() == provider


async def test_a_lease_that_ran_out_is_asked_at_the_one_it_was_handed_to(office: Office) -> None:
    """Whoever died in the midst of it had written down whom it was for (invariant one-page)."""
    await office.one(NO_ANSWER, to="zhang")
    await office.write()
    (lost,) = await office.claim()
    assert lost.provider == "twilio_2"
    office.passes(seconds=31)
    doubts = {one.id: one for one in await office.claim()}

    assert (doubts[lost.id].state, doubts[lost.id].provider) == (DeliveryState.UNKNOWN, "twilio_2")


async def alarm(office: Office) -> Delivery:
    message = Message(
        topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=office.moment
    )
    await office.service.intake.take_in([message])
    await office.service.clockwork.tick()
    (page,) = await office.claim()
    return page


async def test_a_doubt_at_a_provider_that_is_gone_cannot_be_asked_about(office: Office) -> None:
    """A life-safety page goes out again then, by whoever is there (invariant one-page)."""
    page = await alarm(office)
    await office.settle([page], NO_ANSWER)
    office.service.core.failover = Failover({"sms": ("twilio_2",)})
    office.passes(seconds=20)
    (doubt,) = [one for one in await office.claim() if one.id == page.id]
    cannot = DoubtResult(outcome=DoubtOutcome.CANNOT_ASK, error="gone")
    await office.service.deliveries.doubt_answered(doubt, cannot)
    again = [one for one in await office.claim() if one.id == page.id]

    assert [(one.state, one.provider) for one in again] == [(DeliveryState.SENDING, "twilio_2")]


async def test_a_doubt_at_a_provider_that_is_there_is_never_sent_by_the_other(office: Office) -> None:
    """However long it cannot be asked (invariant one-page)."""
    page = await alarm(office)
    await office.settle([page], NO_ANSWER)
    for _ in range(20):
        office.passes(minutes=1)
        for one in await office.claim():
            if one.id == page.id:
                assert (one.state, one.provider) == (DeliveryState.UNKNOWN, "twilio")
                cannot = DoubtResult(outcome=DoubtOutcome.CANNOT_ASK, error="not reached")
                await office.service.deliveries.doubt_answered(one, cannot)


async def test_the_gauge_tells_who_is_sick(office: Office) -> None:
    await office.one(NO_ANSWER)
    await Health(office.service.core, broker_up=lambda: True).refresh_gauges()
    registry = office.service.core.metrics.registry

    def gauge(provider: str) -> float | None:
        labels = {"channel": "sms", "provider": provider}
        value: float | None = registry.get_sample_value("shouwang_provider_sick", labels)
        return value

    assert (gauge("twilio"), gauge("twilio_2")) == (1, 0)
