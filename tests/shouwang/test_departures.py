"""What was decided on leaves at once, and nothing depends on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.message import Message
from notify.channel import SendOutcome, SendResult
from rules.decisions import Delivery, DeliveryState
from shouwang.deliveries import Deliveries
from shouwang.departures import Departures
from shouwang.service import Service
from store import incidents, outbox, quarantine
from store.database import Transaction

Start = Callable[[], Awaitable[Any]]
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
LEAK = Message("zigbee2mqtt/yl-1-2-301-gas", b'{"gas":true}', False, NOON)


class Sms:
    """A channel that takes everything, and notes what the outbox said at that moment to somebody else."""

    name = "sms"

    def __init__(self, service: Service) -> None:
        self._service = service
        self.states: list[DeliveryState] = []
        self.used = asyncio.Event()

    async def send(self, delivery: Delivery) -> SendResult:
        async with self._service.core.database.read() as tx:
            row = await outbox.by_id(tx, delivery.id)
        assert row is not None
        self.states.append(row.state)
        self.used.set()
        return SendResult(outcome=SendOutcome.ACCEPTED, provider_id=f"SM{delivery.id}", status="queued")


@contextlib.asynccontextmanager
async def dispatching(service: Service) -> AsyncIterator[Sms]:
    """Run the dispatcher, with a channel for texts."""
    sms = Sms(service)
    service.send_by({"sms": sms})
    running = asyncio.create_task(service.dispatcher.run())
    await asyncio.sleep(0.05)
    try:
        yield sms
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _texts(service: Service) -> list[DeliveryState]:
    async with service.core.database.read() as tx:
        (incident,) = await incidents.listing(tx, open_only=True, limit=9)
        return [one.state for one in await outbox.of_incident(tx, incident.id) if one.channel == "sms"]


async def test_a_page_has_left_when_the_batch_is_done(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was claimed, and the claim was on disk, before it left (invariant one-page); no claim of its own was made."""
    service, _ = await start()

    async def claim(*_: Any, **__: Any) -> Sequence[Delivery]:
        return ()

    monkeypatch.setattr(Deliveries, "claim", claim)
    async with dispatching(service) as sms:
        await service.intake.take_in([LEAK])

        assert sms.states == [DeliveryState.SENDING]
    assert await _texts(service) == [DeliveryState.SENT]


async def test_without_a_dispatcher_nothing_is_claimed(start: Start) -> None:
    service, _ = await start()
    await service.intake.take_in([LEAK])

    assert await _texts(service) == [DeliveryState.PENDING]


async def test_what_is_not_claimed_at_once_wakes_the_dispatcher(start: Start) -> None:
    """Else it would lie there until the dispatcher looks of itself (invariant life-first)."""
    service, _ = await start()
    woken: list[str] = []
    service.core.wake_dispatcher = lambda: woken.append("woken")
    await service.intake.take_in([LEAK], send_at_once=False)

    assert woken == ["woken"]


async def test_a_claim_that_fails_costs_no_alarm(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that cannot be read must not take with it what was decided beside it (invariant nothing-dropped)."""
    service, _ = await start()

    async def fail(self: Deliveries, tx: Transaction, limit: int, **narrow: Any) -> Sequence[Delivery]:
        raise KeyError("a column that is not there")

    async with dispatching(service):
        monkeypatch.setattr(Deliveries, "claim_within", fail)
        await service.intake.take_in([LEAK])

    assert await _texts(service) == [DeliveryState.PENDING]
    async with service.core.database.read() as tx:
        assert await quarantine.counts(tx) == {}


async def test_what_there_was_no_room_for_leaves_as_well(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service, _ = await start()
    monkeypatch.setattr(type(service.dispatcher), "room", 0)
    async with dispatching(service) as sms:
        await service.intake.take_in([LEAK])
        async with asyncio.timeout(5):
            await sms.used.wait()
    assert await _texts(service) == [DeliveryState.SENT]


async def test_a_stop_leaves_nothing_claimed_behind(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to stop between the claim and the request, the page still leaves; a doubt would cost it half a minute."""
    service, _ = await start()
    committing, go_on = asyncio.Event(), asyncio.Event()
    claim = Departures.claim

    async def and_wait(self: Departures, tx: Transaction) -> Any:
        claimed = await claim(self, tx)
        committing.set()
        await go_on.wait()
        return claimed

    monkeypatch.setattr(Departures, "claim", and_wait)
    async with dispatching(service) as sms:
        taking = asyncio.create_task(service.intake.take_in([LEAK]))
        await committing.wait()
        taking.cancel()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
    with contextlib.suppress(asyncio.CancelledError):
        await taking

    assert sms.states == [DeliveryState.SENDING]
    assert await _texts(service) == [DeliveryState.SENT]
