"""What the service itself says in the end: its database, read beside it, and its API."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from tests.faults.ledger import Ledger, Seen
from tests.faults.load import read_text
from tests.faults.world import World

_INCIDENTS = """
    SELECT id, code, home_id, state, answered_by,
           EXISTS (SELECT 1 FROM due WHERE due.subject = incidents.id AND due.kind IN ('step', 'arrival', 'outcome'))
    FROM incidents
"""
_EVENTS = "SELECT DISTINCT incident_id, event FROM journal"
_WAITING = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending', 'unknown')"


def collect_texts(world: World) -> None:
    """Write down every text that the provider has accepted until now."""
    arrived = {one.sid: one.arrived for one in world.twilio.requests if one.accepted}
    world.ledger.texts = [
        read_text(one.sid, one.to, one.body, arrived.get(one.sid, world.monotonic(one.created_at.timestamp())))
        for one in world.twilio.messages
        if one.direction == "outbound-api"
    ]


async def observe(world: World) -> None:
    """Write down what the database and the API show; the service must be running."""
    incidents, events, waiting = await _database(world)
    listed = (await world.shouwang.get("/api/v1/incidents?state=all&limit=500")).json()["incidents"]
    by_api = {one["id"]: one["state"] for one in listed}
    of_incident: dict[str, set[str]] = defaultdict(set)
    for incident, event in events:
        of_incident[incident].add(event)
    ledger: Ledger = world.ledger
    ledger.waiting = waiting
    ledger.incidents = [
        Seen(
            id=row[0],
            code=row[1],
            home=int(row[2].removeprefix("h")),
            state=row[3],
            answered_by=row[4],
            has_next=bool(row[5]),
            events=frozenset(of_incident[row[0]]),
            api_state=by_api.get(row[0]),
        )
        for row in incidents
    ]


async def _database(world: World) -> tuple[Iterable[Sequence[Any]], Iterable[Sequence[Any]], int]:
    if world.postgres is not None:
        connection = await world.postgres.connect()
        try:
            waiting = await connection.fetchval(_WAITING)
            return await connection.fetch(_INCIDENTS), await connection.fetch(_EVENTS), waiting
        finally:
            await connection.close()
    file = sqlite3.connect(f"file:{world.sqlite_file}?mode=ro", uri=True)
    try:
        (waiting,) = file.execute(_WAITING).fetchone()
        return file.execute(_INCIDENTS).fetchall(), file.execute(_EVENTS).fetchall(), waiting
    finally:
        file.close()
