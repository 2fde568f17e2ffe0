"""A device that nobody knows fills a counter, and no disk."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.message import Message
from shouwang import aside
from shouwang.aside import Allowance
from store import quarantine
from store.database import Database
from store.errors import DatabaseUnavailableError
from store.quarantine import Quarantined

Start = Callable[[], Awaitable[Any]]
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


def row(topic: str, reason: str = "unknown_device") -> Quarantined:
    return Quarantined(received_at=NOON, topic=topic, payload=b"{}", retain=False, reason=reason, sentence="")


def keep(allowance: Allowance, rows: list[Quarantined], after: timedelta = timedelta()) -> int:
    chosen = allowance.choose(rows, NOON + after)
    allowance.count(chosen)
    return len(chosen)


def test_of_a_topic_the_first_of_an_hour_are_kept() -> None:
    allowance = Allowance()
    assert keep(allowance, [row("a")] * 7) == 7
    assert keep(allowance, [row("a")] * 7) == aside.OF_TOPIC - 7
    assert keep(allowance, [row("a", "malformed_json"), row("b")]) == 2
    assert keep(allowance, [row("a")], timedelta(minutes=59)) == 0
    assert keep(allowance, [row("a")], timedelta(minutes=61)) == 1
    assert keep(allowance, [row("a")], timedelta(hours=-5)) == 1, "the clock was set back"


def test_of_all_topics_there_is_an_end_as_well() -> None:
    allowance = Allowance()
    assert keep(allowance, [row(str(number)) for number in range(aside.OF_ALL + 10)]) == aside.OF_ALL
    assert keep(allowance, [row("more")]) == 0


def test_what_was_not_written_takes_no_place() -> None:
    """A batch that is tried again and again while the database is away is kept at last."""
    allowance = Allowance()
    for _ in range(50):
        assert len(allowance.choose([row("a")], NOON)) == 1


async def test_all_of_it_is_counted(start: Start, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant nothing-dropped: kept until there is enough, counted for ever."""
    service, _ = await start()
    stranger = Message(topic="zigbee2mqtt/stranger", payload=b'{"gas":true}', retain=False, received_at=NOON)
    with monkeypatch.context() as patch:

        async def away(*_: object) -> None:
            raise DatabaseUnavailableError("The database is busy.")

        patch.setattr(quarantine, "add", away)
        for _ in range(20):
            with pytest.raises(DatabaseUnavailableError):
                await service.intake.take_in([stranger])
    for _ in range(3):
        await service.intake.take_in([stranger] * 100)

    async with sqlite_database.read() as tx:
        assert await quarantine.counts(tx) == {"unknown_device": aside.OF_TOPIC}
    assert b'shouwang_quarantine_total{reason="unknown_device"} 300.0' in await service.core.metrics.scrape()
