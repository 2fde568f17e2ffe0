"""What becomes of messages in doubt, and of those that nobody waits for any more."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.message import Message
from notify.channel import DoubtOutcome, DoubtResult, SendOutcome, SendResult
from rules.decisions import Delivery, DeliveryState
from rules.incident import Verb
from shouwang import deliveries
from store import incidents, outbox, replies

Start = Callable[[], Awaitable[Any]]

UNKNOWN = SendResult(outcome=SendOutcome.UNKNOWN, error="no answer")
ABSENT = DoubtResult(outcome=DoubtOutcome.ABSENT)
CANNOT_ASK = DoubtResult(outcome=DoubtOutcome.CANNOT_ASK)


class Line:
    """A service with an open gas incident, and its outbox worked by hand."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.outbox: deliveries.Deliveries = service.deliveries
        self.moment: datetime = service.core.now()
        service.core.now = lambda: self.moment

    def passes(self, **time: float) -> None:
        self.moment += timedelta(**time)

    async def alarm(self) -> None:
        alarm = Message(
            topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=self.moment
        )
        await self.service.intake.take_in([alarm])

    async def claim(self) -> list[Delivery]:
        await self.service.clockwork.tick()
        return list(await self.outbox.claim(16))

    async def states(self) -> dict[str, DeliveryState]:
        """By `<step> <channel> <to>`."""
        async with self.service.core.database.read() as tx:
            incident = (await incidents.listing(tx, open_only=False, limit=1))[0]
            rows = await outbox.of_incident(tx, incident.id)
        return {f"{one.step_key} {one.channel} {one.recipient_id}": one.state for one in rows}

    async def events(self) -> list[str]:
        async with self.service.core.database.read() as tx:
            incident = (await incidents.listing(tx, open_only=False, limit=1))[0]
            return [entry.event for entry in await incidents.journal(tx, incident.id)]

    async def act(self, verb: Verb, by: str = "li") -> None:
        async with self.service.core.database.read() as tx:
            incident = (await incidents.listing(tx, open_only=False, limit=1))[0]
        assert (await self.service.desk.act(incident.id, verb, by=by, via="cli")).refused is None


@pytest.fixture
async def line(start: Start) -> Line:
    service, _ = await start()
    service.deliveries.asking = frozenset({"sms", "voice"})
    line = Line(service)
    await line.alarm()
    return line


async def test_who_cannot_go_is_not_tried_again(line: Line) -> None:
    """A text that the provider had no time for does not reach somebody who has said no meanwhile."""
    (page,) = await line.claim()
    await line.outbox.send_finished(page, SendResult(outcome=SendOutcome.RETRY, error="too many"))
    await line.act(Verb.CANNOT_GO)

    assert (await line.states())["r0s0 sms li"] is DeliveryState.CANCELLED


@pytest.mark.parametrize("verb", [Verb.ACKNOWLEDGE, Verb.CANNOT_GO])
async def test_a_doubt_that_outlived_the_answer_is_not_sent_again(line: Line, verb: Verb) -> None:
    """Nor does the journal say so (invariants one-page, quiet-after-answer)."""
    (page,) = await line.claim()
    await line.outbox.send_finished(page, UNKNOWN)
    await line.act(verb)
    line.passes(seconds=20)
    (doubt,) = [one for one in await line.claim() if one.id == page.id]
    await line.outbox.doubt_answered(doubt, ABSENT)

    assert (await line.states())["r0s0 sms li"] is DeliveryState.CANCELLED
    assert "doubt_resent" not in await line.events()


async def test_a_message_for_several_homes_is_one_doubt(start: Start) -> None:
    """Asked about at one time and sent again whole, however slowly it was written down (invariant never-silent)."""
    service, _ = await start()
    service.deliveries.asking = frozenset({"sms", "voice"})
    line = Line(service)
    await line.alarm()
    next_door = Message(
        topic="shouwang/v1/yl-1-2-302/gas/event",
        payload=b'{"kind":"gas","state":"alarm"}',
        retain=False,
        received_at=line.moment,
    )
    await service.intake.take_in([next_door])
    (page,) = [one for one in await line.claim() if one.channel == "sms"]
    assert len(page.members) == 2

    def passing() -> datetime:
        line.passes(milliseconds=10)
        return line.moment

    service.core.now = passing
    await line.outbox.send_finished(page, UNKNOWN)
    async with service.core.database.read() as tx:
        soonest = await outbox.next_at(tx)
        # And nothing of it is due later.
        assert soonest == await outbox.latest_at(tx)
    assert soonest is not None
    line.moment = soonest + timedelta(seconds=20)
    (doubt,) = [one for one in await line.outbox.claim(16) if one.channel == "sms"]
    assert [one.id for one in doubt.members] == [one.id for one in page.members]


async def test_a_stale_answer_to_a_doubt_changes_nothing(line: Line) -> None:
    """Somebody slow hears that it is absent, when somebody else has sent it already (fence)."""
    (page,) = await line.claim()
    await line.outbox.send_finished(page, UNKNOWN)
    line.passes(seconds=20)
    (slow,) = await line.claim()
    line.passes(seconds=40)
    doubts = [one for one in await line.claim() if one.id == page.id]
    await line.outbox.doubt_answered(doubts[0], DoubtResult(outcome=DoubtOutcome.FOUND, provider_id="SM1"))
    told = await line.states()
    for answer in (ABSENT, CANNOT_ASK, DoubtResult(outcome=DoubtOutcome.FOUND, provider_id="SM2", status="failed")):
        await line.outbox.doubt_answered(slow, answer)

    assert (await line.states())["r0s0 sms li"] is DeliveryState.SENT
    assert await line.states() == told
    assert "doubt_resent" not in await line.events()


async def test_a_service_that_hangs_and_cannot_be_asked_is_not_told_for_ever(line: Line) -> None:
    """It may deliver every time; after a few tries the person's next way has its turn instead."""
    line.outbox.asking = frozenset()
    tries = 0
    for _ in range(20):
        for one in await line.claim():
            if one.step_key != "r0s0":
                await line.outbox.send_finished(one, SendResult(outcome=SendOutcome.ACCEPTED, provider_id=str(one.id)))
            elif one.state is DeliveryState.SENDING:
                tries += 1
                await line.outbox.send_finished(one, UNKNOWN)
            else:
                await line.outbox.doubt_answered(one, CANNOT_ASK)
        line.passes(seconds=15)

    assert tries == deliveries.UNASKED_TRIES
    assert (await line.states())["r0s0 sms li"] is DeliveryState.FAILED


async def test_a_doubt_that_nobody_can_clear_up_ends_when_the_page_is_of_no_use(line: Line) -> None:
    (page,) = await line.claim()
    await line.outbox.send_finished(page, UNKNOWN)
    line.passes(minutes=31)
    (doubt,) = [one for one in await line.claim() if one.id == page.id]
    await line.outbox.doubt_answered(doubt, CANNOT_ASK)

    assert (await line.states())["r0s0 sms li"] is DeliveryState.FAILED


async def test_a_text_to_a_number_that_has_said_stop_is_marked(line: Line) -> None:
    """The dispatcher does not send it, and moves on; calls to the number go out."""
    line.passes(seconds=180)
    async with line.service.core.database.write() as tx:
        await replies.opt_out(tx, "+8613800000001", line.moment)

    claimed = await line.claim()

    assert {"zhang", "chen", "duty-room"} <= {one.recipient_id for one in claimed if not one.stopped}
    assert [(one.recipient_id, one.channel) for one in claimed if one.stopped] == [("li", "sms")]


async def test_a_voice_box_moves_on_at_once_and_stays_nobody(line: Line) -> None:
    """Its call is completed in the end, as any other; that does not mean that somebody was reached."""
    await line.claim()
    line.passes(seconds=60)
    (call,) = [one for one in await line.claim() if one.channel == "voice"]
    accepted = SendResult(outcome=SendOutcome.ACCEPTED, provider_id="CA1", status="queued")
    await line.outbox.send_finished(call, accepted)
    for status in ("answered-by-machine", "completed"):
        await line.service.phone.receipt(
            delivery_id=call.id, provider_id="CA1", status=status, error_code=None, kind="call"
        )
    await line.service.clockwork.tick()

    states = await line.states()
    assert states["r0s1 voice li"] is DeliveryState.FAILED
    assert "r0s2 voice chen" in states
