"""Probes in the outbox, on both databases: counted by time, and forgotten without touching anybody else's messages."""

from datetime import timedelta
from typing import Any

from rules import probe
from rules.decisions import JournalEntry
from rules.probe import Call, Earlier
from store import incidents, outbox, probes
from store.database import Database


async def test_they_are_counted_by_time_and_forgotten_alone(database: Database, make: Any) -> None:
    now = make.now
    for minutes in (0, 30, 90):
        at = now - timedelta(minutes=minutes)
        call = Call(id=f"{minutes:016x}", at=at)
        async with database.write() as tx:
            assert await outbox.add(tx, [probe.delivery(call, ways={}, language="zh", now=at)], at) == 1
            # The same one again is none.
            assert await outbox.add(tx, [probe.delivery(call, ways={}, language="zh", now=at)], at) == 0
    async with database.write() as tx:
        await outbox.add(tx, [make.delivery()], now - timedelta(days=2))

    async with database.read() as tx:
        lately = await probes.since(tx, now - timedelta(hours=1))
    assert sorted(lately, key=lambda one: one.at) == [
        Earlier(at=now - timedelta(minutes=30), channel=probe.CHANNEL),
        Earlier(at=now, channel=probe.CHANNEL),
    ]

    doubt = JournalEntry(incident_id=f"probe:{90:016x}", at=now, event="doubt", actor="clock")
    async with database.write() as tx:
        await incidents.add_journal(tx, [doubt])
        assert await probes.prune(tx, now - timedelta(minutes=10)) == 2
        assert await incidents.journal(tx, doubt.incident_id) == []
        assert await probes.prune(tx, now - timedelta(minutes=10)) == 0
    async with database.read() as tx:
        assert await outbox.count_waiting(tx) == 2
