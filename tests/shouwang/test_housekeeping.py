from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from ingest.message import Message
from shouwang import housekeeping
from store import hearing, incidents
from store.tables import hearing_gaps, quarantine, replies, state_changes

Start = Callable[[], Awaitable[Any]]


async def test_what_is_older_than_the_retention_goes_and_incidents_stay(start: Start) -> None:
    """Changes, quarantine and replies of before go; those of after, and every incident with its journal, stay."""
    service, _ = await start()
    core = service.core
    began = core.now()

    async def a_day(*, after: timedelta) -> None:
        moment = began + after
        core.now = lambda: moment
        gas = after == timedelta()
        fields = b'{"gas":true}' if gas else b'{"gas":false}'
        messages = [
            Message(topic="zigbee2mqtt/yl-1-2-301-gas", payload=fields, retain=False, received_at=moment),
            Message(topic="zigbee2mqtt/unknown", payload=b"{}", retain=False, received_at=moment),
        ]
        await service.intake.take_in(messages)
        await service.phone.sms(provider_id=f"SM{after}", sender="+8613700000001", text="?")
        async with core.database.write() as tx:
            await hearing.loses(tx, "xinsheng", moment)
            await hearing.regains(tx, "xinsheng", moment + timedelta(hours=1))

    await a_day(after=timedelta())
    await a_day(after=timedelta(days=40))

    async def counts() -> list[int]:
        async with core.database.read() as tx:
            return [
                await tx.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                for table in (state_changes, quarantine, replies, hearing_gaps)
            ]

    await housekeeping.tidy(core, retention=timedelta(days=41))
    assert await counts() == [2, 2, 2, 2]
    await housekeeping.tidy(core, retention=timedelta(days=30))
    assert await counts() == [1, 1, 1, 2], "gaps are kept for the slowest heartbeats"
    async with core.database.read() as tx:
        found = await incidents.listing(tx, open_only=False, limit=10)
        assert len(found) == 1
        assert await incidents.journal(tx, found[0].id) != []

    core.now = lambda: began + timedelta(days=90)
    await housekeeping.tidy(core, retention=timedelta(days=365))
    assert await counts() == [1, 1, 1, 1]
