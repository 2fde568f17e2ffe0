"""Incidents and their journal."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from rules.decisions import DeliveryState, JournalEntry, Purpose
from rules.incident import Incident, IncidentState, OutcomeKind, Snapshot
from rules.rulebook import Severity
from store import dialect
from store.codes import new_code, release_code
from store.database import Transaction
from store.documents import from_document
from store.errors import StaleIncident
from store.prepared import once
from store.tables import due, incidents, microseconds, outbox, reply_codes
from store.tables import journal as lines

__all__ = [
    "StaleIncident",
    "add_journal",
    "asked_of",
    "find",
    "from_ahead",
    "insert",
    "journal",
    "last_in_home",
    "listing",
    "load",
    "new_code",
    "open_counts",
    "open_in_home",
    "paged_to",
    "release_code",
    "save",
    "with_code",
    "without_next",
]

#: What never changes. The snapshot may: a finding that makes it worse brings its plan and policy.
_FIXED = frozenset({"id", "code", "home_id", "group", "opened_at", "drill"})
_COLUMNS = tuple(field.name for field in fields(Incident))
_values_of = attrgetter(*_COLUMNS)
_CHANGING = tuple(name for name in _COLUMNS if name not in _FIXED)

_IS_OPEN = sa.text("incidents.state <> 'resolved'")  # in the words of the partial indexes
_LINE = ("incident_id", "at", "event", "actor", "detail")
_ALL = sa.select(*(incidents.c[name] for name in _COLUMNS))

# Made once: making a statement takes longer than SQLite takes for it.
_WITH_ID = once(_ALL.where(incidents.c.id == sa.bindparam("which")))
_OPEN_IN_HOME = once(
    _ALL.where(incidents.c.home_id == sa.bindparam("home"), incidents.c.group == sa.bindparam("among"), _IS_OPEN)
)

#: The least of an id that names an incident.
_SHORTEST_PREFIX = 4


async def insert(tx: Transaction, incident: Incident) -> None:
    """Write a new incident. The database refuses a second open one of the same home and group."""
    await dialect.insert(tx, incidents, _COLUMNS, [_values_of(incident)])


async def save(tx: Transaction, incident: Incident, *, before: Incident) -> Incident:
    """Write what is new of an incident since it was loaded as `before`, and return it with its new version.

    Raises StaleIncident where somebody else has written it since.
    """
    saved = replace(incident, version=before.version + 1)
    new = {name: value for name in _CHANGING if (value := getattr(saved, name)) != getattr(before, name)}
    values = {f"new_{name}": value for name, value in new.items()}
    changed = await tx.execute(_saving(tuple(new)), {**values, "which": before.id, "read": before.version})
    if not changed.rowcount:
        raise StaleIncident(
            f"Incident {incident.code} ({incident.id}) is not at version {before.version} any more; somebody else has"
            " written it."
        )
    return saved


async def load(tx: Transaction, incident_id: str, *, lock: bool = False) -> Incident | None:
    """Give an incident; with `lock` nobody else may write it until this transaction ends."""
    if lock:
        await _lock_timers(tx, incident_id)
    return await _one(tx, _WITH_ID, {"which": incident_id}, lock=lock)


async def open_in_home(tx: Transaction, home_id: str, group: str, *, lock: bool = False) -> Incident | None:
    """Give the open incident of a home and group; there is never more than one."""
    values = {"home": home_id, "among": group}
    if lock and not dialect.is_sqlite(tx):
        found = await _one(tx, _OPEN_IN_HOME, values)
        if found is None:
            return None
        await _lock_timers(tx, found.id)
    return await _one(tx, _OPEN_IN_HOME, values, lock=lock)


async def last_in_home(tx: Transaction, home_id: str, group: str) -> Incident | None:
    """Give the incident of a home and group that was opened last, open or not."""
    of_home = _ALL.where(incidents.c.home_id == home_id, incidents.c.group == group)
    return await _one(tx, of_home.order_by(incidents.c.opened_at.desc()).limit(1))


async def with_code(tx: Transaction, code: str) -> Incident | None:
    """Give the incident that a reply code belongs to: an open one, or one that was resolved within the last 30 days."""
    belongs = _ALL.join(reply_codes, reply_codes.c.incident_id == incidents.c.id)
    return await _one(tx, belongs.where(reply_codes.c.code == code.upper()))


async def find(tx: Transaction, reference: str) -> Incident | None:
    """Give the incident that a person names by its id, its code, or the unmistakable beginning of its id."""
    found = await load(tx, reference.lower()) or await with_code(tx, reference)
    if found is not None or len(reference) < _SHORTEST_PREFIX:
        return found
    begins = _ALL.where(incidents.c.id.startswith(reference.lower(), autoescape=True)).limit(2)
    candidates = await _many(tx, begins)
    return candidates[0] if len(candidates) == 1 else None


async def listing(tx: Transaction, *, open_only: bool, limit: int, before: datetime | None = None) -> list[Incident]:
    """Give incidents, newest first; `before` goes on where an earlier list ended."""
    chosen = _ALL.order_by(incidents.c.opened_at.desc(), incidents.c.id).limit(limit)
    if open_only:
        chosen = chosen.where(_IS_OPEN)
    if before is not None:
        chosen = chosen.where(incidents.c.opened_at < before)
    return await _many(tx, chosen)


async def open_counts(tx: Transaction) -> dict[str, int]:
    """Count the open incidents by state."""
    counted = sa.select(incidents.c.state, sa.func.count()).where(_IS_OPEN).group_by(incidents.c.state)
    return {row[0]: row[1] for row in await tx.execute(counted)}


async def without_next(tx: Transaction) -> list[Incident]:
    """Give the open incidents with no clock running: no step due, nobody due to arrive or to give an outcome.

    There should be none (invariant never-silent).
    """
    fitting = sa.case(
        {str(IncidentState.OPEN): "step", str(IncidentState.ACKNOWLEDGED): "arrival"},
        value=incidents.c.state,
        else_="outcome",
    )
    clock = sa.exists().where(due.c.kind == fitting, due.c.subject == incidents.c.id)
    return await _many(tx, _ALL.where(_IS_OPEN, ~clock).order_by(incidents.c.opened_at))


async def from_ahead(tx: Transaction, at: datetime) -> list[Incident]:
    """Give the open incidents whose clocks count from a time after `at`.

    An outcome is asked for again and again, and only its due time tells from when it counts.
    """
    counted = (incidents.c.round_began_at, incidents.c.answered_at, incidents.c.arrived_at)
    within_s = sa.cast(incidents.c.snapshot["policy"]["outcome_within_s"].as_integer(), sa.BigInteger)
    began = sa.type_coerce(due.c.due_at, sa.BigInteger) - 1_000_000 * within_s
    asked = sa.exists().where(
        incidents.c.state == str(IncidentState.ON_SCENE),
        due.c.kind == "outcome",
        due.c.subject == incidents.c.id,
        began > microseconds(at),
    )
    return await _many(tx, _ALL.where(_IS_OPEN, sa.or_(*(one > at for one in counted), asked)))


async def paged_to(tx: Transaction, recipient_id: str) -> list[Incident]:
    """Give the open incidents that a person was paged for, the latest page first."""
    left = outbox.c.state.not_in([str(DeliveryState.PENDING), str(DeliveryState.CANCELLED)])
    paged = (
        sa.select(outbox.c.incident_id, sa.func.max(outbox.c.id).label("latest"))
        .where(outbox.c.recipient_id == recipient_id, outbox.c.purpose == str(Purpose.PAGE), left)
        .group_by(outbox.c.incident_id)
        .subquery()
    )
    open_ones = _ALL.join(paged, paged.c.incident_id == incidents.c.id).where(_IS_OPEN)
    return await _many(tx, open_ones.order_by(paged.c.latest.desc()))


async def asked_of(tx: Transaction, recipient_ids: Collection[str], address: str = "") -> list[Incident]:
    """Give the open incidents whose page has left for one of these people or for an address: life first, then oldest.

    What failed, or waits still, nobody can have meant. Nor is it known of what is in doubt that it was ever read: who
    took such a home with a word for all of them would own it without having heard of it, and nobody else would go.
    """
    read = (DeliveryState.SENT, DeliveryState.DELIVERED)
    told = sa.exists().where(
        outbox.c.incident_id == incidents.c.id,
        outbox.c.purpose == str(Purpose.PAGE),
        outbox.c.state.in_([str(state) for state in read]),
        sa.or_(outbox.c.recipient_id.in_(sorted(recipient_ids)), outbox.c.address == address),
    )
    found = await _many(tx, _ALL.where(_IS_OPEN, told).order_by(incidents.c.opened_at, incidents.c.id))
    return sorted(found, key=lambda one: not one.is_life_safety)


async def add_journal(tx: Transaction, entries: Iterable[JournalEntry]) -> None:
    """Add lines to the history of incidents."""
    rows = ((one.incident_id, one.at, one.event, one.actor, one.detail) for one in entries)
    await dialect.insert(tx, lines, _LINE, rows)


async def journal(tx: Transaction, incident_id: str) -> list[JournalEntry]:
    """Give the history of an incident, oldest line first."""
    columns = (lines.c[name] for name in _LINE)
    rows = await tx.execute(sa.select(*columns).where(lines.c.incident_id == incident_id).order_by(lines.c.id))
    return [JournalEntry(**row) for row in rows.mappings()]


async def _lock_timers(tx: Transaction, incident_id: str) -> None:
    """Lock what is due of an incident, before the incident itself.

    Whoever handles what is due holds it when it comes to the incident; in the other order the two would wait for each
    other.
    """
    if not dialect.is_sqlite(tx):
        await tx.execute(
            sa.select(due.c.kind).where(due.c.subject == incident_id).order_by(due.c.kind).with_for_update()
        )


async def _one(
    tx: Transaction, chosen: sa.Select[Any], values: Mapping[str, str] | None = None, *, lock: bool = False
) -> Incident | None:
    if lock and not dialect.is_sqlite(tx):
        chosen = chosen.with_for_update(of=incidents)
    row = (await tx.execute(chosen, values)).mappings().first()
    return None if row is None else _incident(row)


async def _many(tx: Transaction, chosen: sa.Select[Any]) -> list[Incident]:
    return [_incident(row) for row in (await tx.execute(chosen)).mappings()]


@cache
def _saving(names: tuple[str, ...]) -> sa.Update:
    unchanged = (incidents.c.id == sa.bindparam("which"), incidents.c.version == sa.bindparam("read"))
    return once(sa.update(incidents).where(*unchanged).values({name: sa.bindparam(f"new_{name}") for name in names}))


def _incident(row: Mapping[Any, Any]) -> Incident:
    return Incident(
        **{
            **row,
            "state": IncidentState(row["state"]),
            "severity": Severity(row["severity"]),
            "kinds": tuple(row["kinds"]),
            "declined": tuple(row["declined"]),
            "outcome": None if row["outcome"] is None else OutcomeKind(row["outcome"]),
            "snapshot": from_document(Snapshot, row["snapshot"]),
        }
    )
