"""The database itself refuses what must never be, whatever the program thinks."""

from typing import Any

import pytest
import sqlalchemy as sa

from rules.incident import IncidentState
from store import incidents, outbox
from store.database import Database, RefusedError
from store.tables import due as due_table
from store.tables import incidents as incident_table
from store.tables import metadata, microseconds, moment
from store.tables import outbox as outbox_table
from store.tables import reply_codes as code_table

_RESOLVED: dict[str, Any] = {"state": "resolved", "outcome": "real", "resolved_at": moment(1)}
_SENDING: dict[str, Any] = {"state": "sending", "owner": "one", "lease_until": moment(1)}


async def _change(database: Database, table: sa.Table, **values: Any) -> None:
    async with database.write() as tx:
        await tx.execute(sa.update(table).values(values))


@pytest.fixture
async def filled(database: Database, make: Any) -> Database:
    """Give a database with an open incident, its code, and a pending delivery."""
    async with database.write() as tx:
        await incidents.insert(tx, make.incident())
        await tx.execute(sa.insert(code_table).values(code="K7", incident_id="0a1b2c3d"))
        await outbox.add(tx, [make.delivery()], make.now)
    return database


@pytest.mark.parametrize(
    "illegal",
    [
        {"state": "forgotten"},
        {"severity": "dreadful"},
        {**_RESOLVED, "outcome": "whatever"},
        {**_RESOLVED, "outcome": None},
        {**_RESOLVED, "resolved_at": None},
        {"outcome": "real"},
        {"resolved_at": moment(1)},
        {"state": "acknowledged"},
        {"version": None},
        {"snapshot": sa.null()},
    ],
)
async def test_incidents_in_an_illegal_state_are_refused(illegal: dict[str, Any], filled: Database) -> None:
    """Closed only with an outcome, answered only by somebody, and always in one of four states."""
    with pytest.raises(RefusedError):
        await _change(filled, incident_table, **illegal)


@pytest.mark.parametrize(
    "legal",
    [
        _RESOLVED,
        {**_RESOLVED, "answered_by": "w07-a"},
        {"state": "acknowledged", "answered_by": "w07-a"},
        {"state": "on_scene"},
    ],
)
async def test_incidents_in_a_legal_state_are_not(legal: dict[str, Any], filled: Database) -> None:
    await _change(filled, incident_table, **legal)


@pytest.mark.parametrize(
    "illegal",
    [
        {"state": "lost"},
        {"purpose": "chat"},
        {"priority": 4},
        {"priority": -1},
        {**_SENDING, "owner": None},
        {**_SENDING, "lease_until": None},
        {"owner": "one", "lease_until": moment(1)},
        {"next_attempt_at": None},
        {"state": "unknown", "next_attempt_at": None, "doubt_since": moment(1)},
        {"state": "unknown", "doubt_since": None},
        {"text": None},
        {"expires_at": None},
    ],
)
async def test_deliveries_in_an_illegal_state_are_refused(illegal: dict[str, Any], filled: Database) -> None:
    """Whoever sends has a name and a lease, whatever waits has a time, and a doubt knows since when."""
    with pytest.raises(RefusedError):
        await _change(filled, outbox_table, **illegal)


@pytest.mark.parametrize(
    "legal",
    [
        {**_SENDING, "next_attempt_at": None},
        {"state": "unknown", "doubt_since": moment(1)},
        {"state": "sent", "next_attempt_at": None},
    ],
)
async def test_deliveries_in_a_legal_state_are_not(legal: dict[str, Any], filled: Database) -> None:
    await _change(filled, outbox_table, **legal)


async def test_a_second_page_with_one_key_is_refused_also_when_written_past_the_program(
    filled: Database, make: Any
) -> None:
    """Invariant one-page."""
    columns = [column for column in outbox_table.columns if column.name != "id"]
    copied = sa.insert(outbox_table).from_select([column.name for column in columns], sa.select(*columns))

    async def copy() -> None:
        async with filled.write() as tx:
            await tx.execute(copied)

    with pytest.raises(RefusedError):
        await copy()


async def test_a_second_open_incident_of_a_home_and_group_is_refused_and_a_closed_one_is_not(
    filled: Database, make: Any
) -> None:
    async def another(**values: Any) -> None:
        async with filled.write() as tx:
            await incidents.insert(tx, make.incident("another", **values))

    with pytest.raises(RefusedError):
        await another()
    with pytest.raises(RefusedError):
        await another(state=IncidentState.ACKNOWLEDGED, answered_by="w07-a")
    await _change(filled, incident_table, **_RESOLVED)
    await another()


async def test_a_code_cannot_be_given_twice(filled: Database) -> None:
    """Invariant code-is-unique."""

    async def give_again() -> None:
        async with filled.write() as tx:
            await tx.execute(sa.insert(code_table).values(code="K7", incident_id="another"))

    with pytest.raises(RefusedError):
        await give_again()


async def test_only_known_kinds_of_things_are_due(database: Database) -> None:
    async def put(kind: str) -> None:
        async with database.write() as tx:
            await tx.execute(sa.insert(due_table).values(kind=kind, subject="i", due_at=moment(1)))

    await put("step")
    with pytest.raises(RefusedError):
        await put("step")
    with pytest.raises(RefusedError):
        await put("tea")


def test_every_constraint_has_a_name() -> None:
    """A later migration has to be able to name what it changes."""
    nameless = [
        constraint for table in metadata.tables.values() for constraint in table.constraints if constraint.name is None
    ]

    assert nameless == []


@pytest.mark.parametrize("value", [0, 1, 1_772_334_000_123_457, 4_102_444_799_999_999, 7_258_118_399_999_999, -1])
def test_times_are_exact_to_the_microsecond(value: int) -> None:
    assert microseconds(moment(value)) == value
