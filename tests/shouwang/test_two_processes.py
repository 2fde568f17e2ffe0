"""Two processes over one database hear of the same home in the same moment."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.message import Message
from rules.incident import OutcomeKind, Verb
from shouwang.configuration import Configuration
from shouwang.service import Service
from store import incidents, quarantine
from store.database import Database

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


async def test_gas_and_smoke_heard_by_two_are_one_incident(database_url: str, folder: Path) -> None:
    """Neither is lost: whoever comes second sees what the first has made of the home (nothing-dropped)."""
    both: list[Service] = []
    databases = [await Database.open(database_url) for _ in range(2)]
    moment = NOON
    for database in databases:
        configuration = Configuration(folder, time_zone="Asia/Shanghai", language="zh")
        service = Service(database, configuration.rulebook(), now=lambda: moment)
        await configuration.apply(service)
        both.append(service)

    for number in range(20):
        moment = NOON + number * timedelta(hours=1)
        for state in (b"true", b"false"):
            await asyncio.gather(
                *(
                    service.intake.take_in(
                        [
                            Message(
                                topic=f"zigbee2mqtt/yl-1-2-301-{kind}",
                                payload=b'{"%s":%s}' % (kind.encode(), state),
                                retain=False,
                                received_at=moment,
                            )
                        ]
                    )
                    for service, kind in zip(both, ("gas", "smoke"), strict=True)
                )
            )
        async with databases[0].read() as tx:
            assert await quarantine.counts(tx) == {}
            (incident,) = await incidents.listing(tx, open_only=True, limit=9)
        assert sorted(incident.kinds) == ["gas", "smoke"]
        await both[0].desk.act(incident.id, Verb.OUTCOME, by="li", via="cli", outcome=OutcomeKind.TEST)
    for database in databases:
        await database.close()
