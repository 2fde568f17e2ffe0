"""What the service itself says in the end: its database, read beside it, and its API."""

import asyncio
import re
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import asyncpg

from simulators.twilio import FakeTwilio
from simulators.twilio.resources import Call
from tests.faults.ledger import Ledger, Message, Seen, now
from tests.faults.words import homes_heard, read_text
from tests.faults.world import World
from tests.real.waiting import PATIENCE_S

_INCIDENTS = """
    SELECT id, code, home_id, state, answered_by,
           EXISTS (SELECT 1 FROM due WHERE due.subject = incidents.id AND due.kind IN ('step', 'arrival', 'outcome'))
    FROM incidents
"""
_FACTS = "SELECT count(*) FROM device_states"
_EVENTS = "SELECT DISTINCT incident_id, event FROM journal"
_ANSWERED = "SELECT DISTINCT incident_id, actor FROM journal WHERE event = 'acknowledged'"
_OTHER_WAYS = "SELECT incident_id, recipient_id, channel FROM outbox WHERE step_key LIKE 'fb:%' AND purpose = 'page'"
_WAITING = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending', 'unknown')"
_CALLS = """
    SELECT outbox.id, outbox.bundle, outbox.provider_id, outbox.state, outbox.purpose, incidents.home_id,
           coalesce(outbox.error, '') LIKE '%not needed any more'
    FROM outbox JOIN incidents ON incidents.id = outbox.incident_id
    WHERE outbox.channel = 'voice'
"""
_DELIVERY = re.compile(r"[?&]delivery=(\d+)")


class _Row(NamedTuple):
    """A call in the outbox, for one home of those it is about."""

    id: int
    bundle: int | None
    provider_id: str | None
    state: str
    purpose: str
    home_id: str
    #: It was in doubt with others, and was left behind when they were sent again: somebody had answered.
    left_behind: bool

    @property
    def home(self) -> int:
        return int(self.home_id.removeprefix("h"))


class CallMap:
    """Which homes each call is about. A call names three of them at the most, so this is the outbox's own word."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._rows = {row[0]: _Row(*row) for row in rows}
        self._bundles: dict[int, list[_Row]] = defaultdict(list)
        for row in self._rows.values():
            if row.bundle is not None:
                self._bundles[row.bundle].append(row)

    def of(self, call: Call) -> frozenset[int]:
        """Give the homes of a call; none where there is no such delivery."""
        row = self._rows.get(delivery_of(call.url) or 0)
        if row is None:
            return frozenset()
        those = self._bundles[row.bundle] if row.bundle is not None else [row]
        those = [one for one in those if not one.left_behind] or those
        named = [one for one in those if one.provider_id == call.sid]
        left = [one for one in those if one.state not in {"pending", "cancelled"}]
        return frozenset(one.home for one in named or left or [row])

    def asks(self, call: Call) -> bool:
        """Say whether it asks somebody to go."""
        row = self._rows.get(delivery_of(call.url) or 0)
        return row is None or row.purpose == "page"


def delivery_of(url: str | None) -> int | None:
    """Give the number of the delivery that an address of ours names."""
    found = _DELIVERY.search(url or "")
    return int(found[1]) if found else None


async def homes_of_calls(world: World) -> CallMap:
    """Read which homes calls are about."""
    (rows,) = await _read(world, _CALLS)
    return CallMap(rows)


async def codes_of_homes(world: World) -> dict[int, str]:
    """Read the code of the latest incident of each home."""
    (rows,) = await _read(world, "SELECT home_id, code FROM incidents ORDER BY opened_at")
    return {int(home.removeprefix("h")): code for home, code in rows}


async def collect_messages(world: World) -> None:
    """Write down every text and every call that a provider has accepted until now."""
    about = await homes_of_calls(world) if any(one.calls for one in world.providers) else CallMap([])
    world.ledger.messages = [
        message for twilio in world.providers for message in (*_texts(world, twilio), *_calls(world, twilio, about))
    ]


def _texts(world: World, twilio: FakeTwilio) -> list[Message]:
    arrived = {one.sid: one.arrived for one in twilio.requests if one.accepted}
    return [
        read_text(
            one.sid,
            one.to,
            one.body,
            arrived.get(one.sid, world.monotonic(one.created_at.timestamp())),
            delivery_of(one.status_callback),
        )
        for one in twilio.messages
        if one.direction == "outbound-api"
    ]


def _calls(world: World, twilio: FakeTwilio, about: CallMap) -> list[Message]:
    arrived = {one.sid: one.arrived for one in twilio.requests if one.accepted}
    return [
        Message(
            sid=one.sid,
            to=one.to,
            body=" ".join(one.heard),
            homes=about.of(one),
            page=about.asks(one),
            at=arrived.get(one.sid, world.monotonic(one.created_at.timestamp())),
            channel="voice",
            delivery=delivery_of(one.url),
            heard=homes_heard(" ".join(one.heard)),
        )
        for one in twilio.calls
    ]


async def taken_in(world: World, facts: int) -> None:
    """Wait until so many facts of sensors have been committed."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (((known,),),) = await _read(world, _FACTS)
            if known >= facts:
                return
            await asyncio.sleep(0.1)


async def observe(world: World) -> None:
    """Write down what the database and the API show; the service must be running."""
    incidents, events, answered, other_ways, ((waiting,),) = await _read(
        world, _INCIDENTS, _EVENTS, _ANSWERED, _OTHER_WAYS, _WAITING
    )
    listed = (await world.shouwang.get("/api/v1/incidents?state=all&limit=500")).json()["incidents"]
    by_api = {one["id"]: one["state"] for one in listed}
    of_incident, takers = _by_incident(events), _by_incident(answered)
    fell_back: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for incident, worker, channel in other_ways:
        fell_back[incident].append((worker, channel))
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
            acknowledged_by=frozenset(takers[row[0]]),
            fell_back=tuple(fell_back[row[0]]),
            api_state=by_api.get(row[0]),
        )
        for row in incidents
    ]


def _by_incident(rows: Sequence[Sequence[Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for incident, word in rows:
        found[incident].add(word)
    return found


async def _read(world: World, *queries: str) -> list[Sequence[Sequence[Any]]]:
    """Ask the database beside the service; again for a while, since a fault may have struck it."""
    deadline = now() + PATIENCE_S
    while True:
        try:
            return await _read_once(world, *queries)
        except (sqlite3.Error, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if now() > deadline:
                raise
        await asyncio.sleep(0.5)


async def _read_once(world: World, *queries: str) -> list[Sequence[Sequence[Any]]]:
    if world.postgres is not None:
        connection = await world.postgres.connect()
        try:
            return [await connection.fetch(query) for query in queries]
        finally:
            await connection.close()
    file = sqlite3.connect(f"file:{world.sqlite_file}?mode=ro", uri=True, timeout=30)
    try:
        return [file.execute(query).fetchall() for query in queries]
    finally:
        file.close()
