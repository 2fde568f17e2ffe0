"""What /readyz and /metrics are told."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from ingest.message import Message
from shouwang.health import Health
from store.errors import DatabaseUnavailableError

Start = Callable[[], Awaitable[Any]]


def gas(service: Any) -> Message:
    return Message(
        topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"gas":true}', retain=False, received_at=service.core.now()
    )


@contextlib.asynccontextmanager
async def away() -> AsyncIterator[None]:
    raise DatabaseUnavailableError("The database did not answer.")
    yield


async def test_ready_is_nothing_to_say(start: Start) -> None:
    service, _ = await start()

    assert await Health(service.core, broker_up=lambda: True).problems() == []


async def test_each_part_that_is_out_of_order_is_named(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service, _ = await start()
    health = Health(service.core, broker_up=lambda: False)
    assert await health.problems() == ["broker: not connected; messages wait there until it is back"]

    monkeypatch.setattr(service.core.database, "read", away)
    assert await health.problems() == [
        "broker: not connected; messages wait there until it is back",
        "database: The database did not answer.",
    ]


async def test_a_life_safety_page_that_waits_is_named(start: Start) -> None:
    service, _ = await start()
    began = service.core.now()
    await service.intake.take_in([gas(service)])
    health = Health(service.core, broker_up=lambda: True)

    service.core.now = lambda: began + timedelta(seconds=30)
    assert await health.problems() == []
    service.core.now = lambda: began + timedelta(seconds=31)
    assert await health.problems() == ["outbox: a life-safety page has waited 31 s; look at the provider"]


async def test_an_ordinary_page_that_waits_is_not(start: Start) -> None:
    service, _ = await start()
    began = service.core.now()
    low = Message(topic="zigbee2mqtt/yl-1-2-301-gas", payload=b'{"battery":5}', retain=False, received_at=began)
    await service.intake.take_in([low])

    service.core.now = lambda: began + timedelta(minutes=5)
    assert await Health(service.core, broker_up=lambda: True).problems() == []


async def test_gauges_are_read_off_the_database(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    service, _ = await start()
    began = service.core.now()
    await service.intake.take_in([gas(service)])
    service.core.now = lambda: began + timedelta(seconds=12)
    metrics = service.core.metrics
    metrics.on_scrape = Health(service.core, broker_up=lambda: True).refresh_gauges

    shown = (await metrics.scrape()).decode().splitlines()
    for line in (
        "shouwang_broker_up 1.0",
        "shouwang_database_up 1.0",
        "shouwang_outbox_waiting 1.0",
        'shouwang_outbox_oldest_seconds{priority="life_safety_page"} 12.0',
        'shouwang_incidents_open{state="open"} 1.0',
        "shouwang_gauges_stale 0.0",
    ):
        assert line in shown

    monkeypatch.setattr(service.core.database, "read", away)
    shown = (await metrics.scrape()).decode().splitlines()
    assert "shouwang_database_up 0.0" in shown
    assert "shouwang_gauges_stale 1.0" in shown
