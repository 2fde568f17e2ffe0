"""What is known of each kind of fact of each device, and the history of its changes. The hot path."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from rules.readings import DeviceState, Freshness, Reading
from store import dialect
from store.database import Transaction
from store.tables import UtcTime, device_states, state_changes

_FRESHNESS = {str(one): one for one in Freshness}
_CHANGING = ("state", "value", "unit", "true_since", "last_seen", "active_at", "freshness")
_CHANGE = ("device_id", "kind", "state", "value", "unit", "received_at", "observed_at", "freshness")
_change = attrgetter(*_CHANGE)


@dialect.statement
def _load(on_sqlite: bool) -> sa.Select[Any]:
    columns = (device_states.c[name] for name in DeviceState._fields)
    # Times as they are stored: they are converted in place below.
    raw = (sa.type_coerce(column, sa.BigInteger) if isinstance(column.type, UtcTime) else column for column in columns)
    return sa.select(*raw).where(dialect.among(device_states.c.device_id, "device_ids", on_sqlite=on_sqlite))


async def load(tx: Transaction, device_ids: Iterable[str]) -> dict[tuple[str, str], DeviceState]:
    """Give all that is known of some devices, by device and kind."""
    rows = (await tx.execute(_load(tx), {"device_ids": dialect.keys(tx, device_ids)})).all()
    # A batch reads thousands of these: made without the named tuple's own constructor, with the conversion of
    # store.tables.moment written out, in half the time.
    new, at = tuple.__new__, datetime.fromtimestamp
    return {
        (device_id, kind): new(
            DeviceState,
            (
                device_id,
                kind,
                state,
                value,
                unit,
                at(true_since / 1e6, UTC),
                at(last_seen / 1e6, UTC),
                None if active_at is None else at(active_at / 1e6, UTC),
                _FRESHNESS[freshness],
            ),
        )
        for device_id, kind, state, value, unit, true_since, last_seen, active_at, freshness in rows
    }


async def save(tx: Transaction, states: Sequence[DeviceState]) -> None:
    """Write states as they are now; of two of one device and kind the last counts."""
    await dialect.upsert(tx, device_states, DeviceState._fields, states, change=_CHANGING)


async def touch(tx: Transaction, seen: Sequence[tuple[str, str, datetime]]) -> None:
    """Note that known facts were heard again; a time never goes back. What is not known yet is passed over."""
    rows: Iterable[tuple[str, str, datetime]] = seen
    if not dialect.is_sqlite(tx):
        # In order, so that two writers never wait for each other crosswise, and each row once.
        rows = {(device_id, kind): (device_id, kind, at) for device_id, kind, at in sorted(seen)}.values()
    await dialect.update(tx, device_states, ("device_id", "kind", "last_seen"), rows, newest=True)


async def record_changes(tx: Transaction, readings: Sequence[Reading]) -> None:
    """Keep changes of state for the history."""
    await dialect.insert(tx, state_changes, _CHANGE, map(_change, readings))


async def prune_changes(tx: Transaction, before: datetime, *, limit: int = 20_000) -> int:
    """Forget changes received before a time, the oldest first, at most `limit` at once; return how many went."""
    return await dialect.prune(tx, state_changes, state_changes.c.received_at, before, limit=limit)
