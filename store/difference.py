"""Bringing a registry into the database by difference: what is gone is closed, what comes back is opened again.

The stored rows are walked through once, a few thousand at a time, and compared with what is wanted; only what differs
is written. So applying the same files again writes nothing, and a hundred thousand homes never lie in memory twice.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import orjson
import sqlalchemy as sa

from rules.community import Device, Grid, Home, Registry, Source, Worker
from store import dialect
from store.database import Transaction
from store.documents import to_json
from store.tables import devices, grids, homes, sources, worker_backups, worker_grids, worker_phones, workers
from store.transaction import SLOW


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


_Item = TypeVar("_Item", bound=_HasId)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Ids of what was added, changed, closed, and opened again."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.closed or self.reopened)

    def __str__(self) -> str:
        counts = {
            "added": self.added,
            "changed": self.changed,
            "closed": self.closed,
            "opened again": self.reopened,
        }
        return ", ".join(f"{len(ids)} {word}" for word, ids in counts.items() if ids) or "none changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedChanges:
    """What applying a registry changed, by kind of thing."""

    sources: Difference
    grids: Difference
    workers: Difference
    homes: Difference
    devices: Difference

    def __bool__(self) -> bool:
        return any((self.sources, self.grids, self.workers, self.homes, self.devices))

    def __str__(self) -> str:
        parts = {name: getattr(self, name) for name in ("sources", "grids", "workers", "homes", "devices")}
        return "; ".join(f"{name}: {part}" for name, part in parts.items() if part) or "nothing changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind(Generic[_Item]):
    """How one kind of thing is a row."""

    table: sa.Table
    #: The columns that are compared and written, apart from `id`, `origin` and `closed_at`.
    columns: tuple[str, ...]
    values: Callable[[_Item], tuple[Any, ...]]
    #: Whether such things may also come from tables.
    imported: bool = False


def _home_document(home: Home) -> dict[str, Any]:
    return {
        "location": home.location,
        "residents": home.residents,
        "contacts": home.contacts,
        "access": home.access,
        "hazards": home.hazards,
        # What the file says; the column of that name is what holds now, and follows the file only when it changes.
        "away": home.away,
    }


def _worker_document(worker: Worker) -> dict[str, Any]:
    return {
        "grids": worker.grids,
        "contact": worker.contact,
        "shifts": worker.shifts,
        "backup_for": worker.backup_for,
    }


def _source_document(source: Source) -> dict[str, Any]:
    # What is not said is left out: it takes the default again when it is read.
    names = ("more", "topic", "discovery", "map", "heartbeat_s", "home", "layout")
    values = {name: getattr(source, name) for name in names}
    return {name: value for name, value in values.items() if value}


def _device_document(device: Device) -> str | None:
    values = {name: value for name in ("vendor", "model", "map") if (value := getattr(device, name))}
    return to_json(values) if values else None


_SOURCES: _Kind[Source] = _Kind(
    table=sources,
    columns=("dialect", "base", "document"),
    values=lambda one: (one.dialect, one.base, to_json(_source_document(one))),
)
_GRIDS: _Kind[Grid] = _Kind(
    table=grids, columns=("level", "name", "parent"), values=lambda one: (str(one.level), one.name, one.parent)
)
_WORKERS: _Kind[Worker] = _Kind(
    table=workers,
    columns=("name", "role", "document"),
    values=lambda one: (one.name, str(one.role), to_json(_worker_document(one))),
)
_HOMES: _Kind[Home] = _Kind(
    table=homes,
    columns=("grid", "address", "document"),
    values=lambda one: (one.grid, one.address, to_json(_home_document(one))),
    imported=True,
)
_DEVICES: _Kind[Device] = _Kind(
    table=devices,
    columns=("home_id", "kind", "source", "name", "room", "heartbeat_s", "invert", "document"),
    values=lambda one: (
        one.home_id,
        one.kind,
        one.source,
        one.name,
        one.room,
        one.heartbeat_s,
        one.invert,
        _device_document(one),
    ),
    imported=True,
)


@dataclass(frozen=True, slots=True)
class _Part:
    """What a table has a say in: these homes and what is in them."""

    origin: str
    homes: frozenset[str]


async def apply(tx: Transaction, registry: Registry, now: datetime) -> AppliedChanges:
    """Make the database say what the registry says."""
    return AppliedChanges(
        sources=await _bring_in(tx, _SOURCES, registry.sources, now),
        grids=await _bring_in(tx, _GRIDS, registry.grids, now),
        workers=await _bring_in_workers(tx, registry.workers, now),
        homes=await _bring_in_homes(tx, registry.homes, now),
        devices=await _bring_in_devices(tx, registry.devices, now),
    )


async def apply_part(
    tx: Transaction, homes: Iterable[Home], devices: Iterable[Device], *, origin: str, now: datetime
) -> tuple[Difference, Difference]:
    """Make the database say what a table says of some homes, and of all devices in them; the others stay as they are.

    Devices of these homes that the same table brought in before, and that are not named any more, are closed.
    """
    wanted = {home.id: home for home in homes}
    part = _Part(origin, frozenset(wanted))
    return (
        await _bring_in_homes(tx, wanted.values(), now, part),
        await _bring_in_devices(tx, devices, now, part),
    )


async def _bring_in(tx: Transaction, kind: _Kind[_Item], items: Iterable[_Item], now: datetime) -> Difference:
    wanted = {item.id: item for item in items}
    difference, _ = await _compare(tx, kind, wanted)
    await _close(tx, kind.table, difference.closed, now)
    await _write(tx, kind, wanted, difference)
    return difference


async def _bring_in_workers(tx: Transaction, items: Iterable[Worker], now: datetime) -> Difference:
    wanted = {item.id: item for item in items}
    difference = await _bring_in(tx, _WORKERS, wanted.values(), now)
    touched = [*difference.changed, *difference.closed, *difference.reopened]
    for table in (worker_grids, worker_phones, worker_backups):
        for chunk in dialect.chunks(touched):
            among = dialect.among(table.c.worker_id, "ids", on_sqlite=dialect.is_sqlite(tx))
            await tx.execute(sa.delete(table).where(among), {"ids": dialect.keys(tx, chunk)})
    written = [wanted[one] for one in (*difference.added, *difference.changed, *difference.reopened)]
    await dialect.insert(
        tx, worker_grids, ("worker_id", "grid_id"), sorted({(one.id, grid) for one in written for grid in one.grids})
    )
    await dialect.insert(
        tx,
        worker_phones,
        ("worker_id", "phone"),
        sorted({(one.id, way.address) for one in written for way in one.contact if way.channel in {"sms", "voice"}}),
    )
    await dialect.insert(
        tx,
        worker_backups,
        ("worker_id", "backs_up"),
        sorted({(one.id, other) for one in written for other in one.backup_for}),
    )
    return difference


async def _bring_in_homes(
    tx: Transaction, items: Iterable[Home], now: datetime, part: _Part | None = None
) -> Difference:
    wanted = {item.id: item for item in items}
    difference, before = await _compare(tx, _HOMES, wanted, part)
    await _close(tx, homes, difference.closed, now)
    await _write(tx, _HOMES, wanted, difference, part)
    reopened = set(difference.reopened)
    elsewhere = [
        (one, wanted[one].away)
        for one, row in before.items()
        if one in reopened or bool(orjson.loads(row[2]).get("away")) != wanted[one].away
    ]
    elsewhere += [(one, True) for one in difference.added if wanted[one].away]
    await dialect.update(tx, homes, ("id", "away"), sorted(elsewhere))
    return difference


async def _bring_in_devices(
    tx: Transaction, items: Iterable[Device], now: datetime, part: _Part | None = None
) -> Difference:
    wanted = {item.id: item for item in items}
    difference, before = await _compare(tx, _DEVICES, wanted, part)
    # A device that gives up its name does so before another takes it; two may also exchange theirs.
    renamed = [one for one in difference.changed if (wanted[one].source, wanted[one].name) != before[one][2:4]]
    await _close(tx, devices, [*difference.closed, *renamed], now)
    await _write(tx, _DEVICES, wanted, difference, part)
    return difference


async def _compare(
    tx: Transaction, kind: _Kind[_Item], wanted: Mapping[str, _Item], part: _Part | None = None
) -> tuple[Difference, dict[str, tuple[Any, ...]]]:
    """Give the difference, and what is stored of the changed and the reopened."""
    added = dict.fromkeys(wanted)
    changed: list[str] = []
    closed: list[str] = []
    reopened: list[str] = []
    before: dict[str, tuple[Any, ...]] = {}
    mine = None if part is None else part.origin
    async for one, is_closed, origin, stored in _stored(tx, kind, wanted, part):
        item = wanted.get(one)
        if item is None:
            if not is_closed and origin == mine:
                closed.append(one)
            continue
        del added[one]
        if is_closed:
            reopened.append(one)
        elif stored != kind.values(item) or origin != mine:
            changed.append(one)
        else:
            continue
        before[one] = stored
    found = Difference(added=tuple(added), changed=tuple(changed), closed=tuple(closed), reopened=tuple(reopened))
    return found, before


async def _stored(
    tx: Transaction, kind: _Kind[Any], wanted: Collection[str] = (), part: _Part | None = None
) -> AsyncIterator[tuple[str, bool, str | None, tuple[Any, ...]]]:
    table = kind.table
    # Documents are compared as the text they are stored as.
    columns = (
        sa.cast(table.c[name], sa.Text) if isinstance(table.c[name].type, sa.JSON) else table.c[name]
        for name in kind.columns
    )
    origin = table.c.origin if kind.imported else sa.null()
    page = (
        sa.select(table.c.id, table.c.closed_at.is_not(None), origin, *columns)
        .where(table.c.id > sa.bindparam("after"))
        .order_by(table.c.id)
        .limit(dialect.CHUNK)
        .execution_options(**SLOW)
    )
    bound: dict[str, Any] = {}
    if part is not None:
        on_sqlite = dialect.is_sqlite(tx)
        concerned = dialect.among(table.c.id, "ids", on_sqlite=on_sqlite)
        bound["ids"] = dialect.keys(tx, wanted)
        if table is devices:
            concerned |= dialect.among(table.c.home_id, "homes", on_sqlite=on_sqlite)
            bound["homes"] = dialect.keys(tx, part.homes)
        page = page.where(concerned)
    after = ""
    while rows := (await tx.execute(page, {"after": after, **bound})).all():
        for row in rows:
            yield row[0], row[1], row[2], tuple(row[3:])
        after = rows[-1][0]


async def _close(tx: Transaction, table: sa.Table, ids: Iterable[str], now: datetime) -> None:
    await dialect.update(tx, table, ("id", "closed_at"), ((one, now) for one in sorted(ids)))


async def _write(
    tx: Transaction,
    kind: _Kind[_Item],
    wanted: Mapping[str, _Item],
    difference: Difference,
    part: _Part | None = None,
) -> None:
    ids = (*difference.added, *difference.changed, *difference.reopened)
    origin = (part.origin if part is not None else None,) if kind.imported else ()
    rows = ((one, *kind.values(wanted[one]), *origin, None) for one in ids)
    columns = ("id", *kind.columns, *(("origin",) if kind.imported else ()), "closed_at")
    await dialect.upsert(tx, kind.table, columns, rows, change=columns[1:])
    if len(ids) >= dialect.CHUNK:
        await dialect.take_stock(tx, kind.table)
