"""Who lives where, with which devices, and who answers for them: as the three files say, and as gateways say.

What is gone from the files is closed, and is not there any more for anything in this module.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import datetime
from sys import intern
from typing import Any, NamedTuple

import sqlalchemy as sa

from rules.community import Device, Grid, GridLevel, Home, Mapped, Responsibility, Role, Source, Worker
from store import dialect
from store.database import Transaction
from store.difference import AppliedChanges, Difference, apply
from store.documents import from_document
from store.prepared import once
from store.tables import config_files, device_definitions, worker_backups, worker_grids, worker_phones
from store.tables import devices as device_table
from store.tables import gateways as gateway_table
from store.tables import grids as grid_table
from store.tables import homes as home_table
from store.tables import sources as source_table
from store.tables import workers as worker_table
from store.transaction import SLOW

__all__ = [
    "HEARTBEAT",
    "AppliedChanges",
    "Difference",
    "GatewayRow",
    "apply",
    "away",
    "behind",
    "count_devices",
    "definitions",
    "devices",
    "devices_by_word",
    "devices_named",
    "devices_of_homes",
    "digests",
    "each_device",
    "gateways",
    "homes",
    "homes_behind",
    "learn",
    "replace_definitions",
    "responsibility",
    "said_heartbeats",
    "set_away",
    "set_digests",
    "set_gateway",
    "source",
    "sources",
    "sources_of_names",
    "workers",
    "workers_with_phone",
]

#: Which rows of config_files tell of tables rather than of the files.
IMPORTED = "import:"
_OF_IMPORTS = config_files.c.name.startswith(IMPORTED, autoescape=True)

#: Where a definition says for how many seconds its device is silent at the most.
HEARTBEAT = "heartbeat_s"

#: No tree of grids is deeper; a loop in it ends here.
_DEEPEST = 16

_DEVICE_FIELDS = ("id", "home_id", "kind", "source", "name", "room", "heartbeat_s", "invert", "document")
#: What gateways say of a device is looked up only where the files say nothing.
_SAID = sa.select(device_definitions.c.heartbeat_s).where(
    device_definitions.c.source == device_table.c.source, device_definitions.c.name == device_table.c.name
)
_HEARTBEAT = sa.func.coalesce(device_table.c.heartbeat_s, _SAID.scalar_subquery()).label("heartbeat_s")
_DEVICES = sa.select(*(_HEARTBEAT if name == "heartbeat_s" else device_table.c[name] for name in _DEVICE_FIELDS)).where(
    sa.text("closed_at IS NULL")
)
_WORKERS = sa.select(worker_table).where(worker_table.c.closed_at.is_(None))


class GatewayRow(NamedTuple):
    """What a gateway last said of itself."""

    state: str
    #: Since when the state has been what it is.
    since: datetime
    started_at: datetime | None


# --- files, sources, gateways -----------------------------------------------------------------------------------------


async def digests(tx: Transaction) -> dict[str, str]:
    """Give the digests of the files that were applied last, by name."""
    chosen = sa.select(config_files.c.name, config_files.c.digest).where(~_OF_IMPORTS)
    return {row[0]: row[1] for row in await tx.execute(chosen)}


async def set_digests(tx: Transaction, digests: Mapping[str, str], now: datetime) -> None:
    """Note which files were applied; those that are not named any more are forgotten."""
    await tx.execute(sa.delete(config_files).where(~_OF_IMPORTS))
    rows = [(name, digest, now) for name, digest in digests.items()]
    await dialect.insert(tx, config_files, ("name", "digest", "applied_at"), rows)


async def sources(tx: Transaction) -> list[Source]:
    """Give the sources, by id."""
    chosen = sa.select(source_table.c.id, source_table.c.dialect, source_table.c.base, source_table.c.document)
    rows = await tx.execute(chosen.where(source_table.c.closed_at.is_(None)).order_by(source_table.c.id))
    return [
        from_document(Source, {**row.document, "id": row.id, "dialect": row.dialect, "base": row.base}) for row in rows
    ]


async def source(tx: Transaction, source_id: str) -> Source | None:
    """Give a source; None where there is none of that id."""
    columns = (source_table.c[name] for name in ("id", "dialect", "base", "document"))
    chosen = sa.select(*columns).where(source_table.c.id == source_id, source_table.c.closed_at.is_(None))
    row = (await tx.execute(chosen)).first()
    if row is None:
        return None
    return from_document(Source, {**row.document, "id": row.id, "dialect": row.dialect, "base": row.base})


async def gateways(tx: Transaction, of: Collection[str] | None = None) -> dict[tuple[str, str], GatewayRow]:
    """Give what each gateway last said of itself, by its source and its name there (empty where a source is one).

    `of` are the sources that are asked about; all where it is None.
    """
    columns = (gateway_table.c[name] for name in ("source", "name", "state", "since", "started_at"))
    of_open = sa.select(*columns).join(source_table, source_table.c.id == gateway_table.c.source)
    of_open = of_open.where(source_table.c.closed_at.is_(None))
    if of is None:
        rows = await tx.execute(of_open)
    else:
        among = dialect.among(gateway_table.c.source, "sources", on_sqlite=dialect.is_sqlite(tx))
        rows = await tx.execute(of_open.where(among), {"sources": dialect.keys(tx, of)})
    return {(source, name): GatewayRow(state, since, started_at) for source, name, state, since, started_at in rows}


async def set_gateway(
    tx: Transaction, source: str, name: str, state: str, *, at: datetime, started_at: datetime | None
) -> None:
    """Note what a gateway says of itself; without a start time the one that is known stays."""
    table = gateway_table
    known = (await tx.execute(sa.select(table).where(table.c.source == source, table.c.name == name))).first()
    since = known.since if known is not None and known.state == state else at
    started_at = started_at or (known.started_at if known is not None else None)
    row = (source, name, state, since, started_at)
    columns = ("source", "name", "state", "since", "started_at")
    await dialect.upsert(tx, table, columns, [row], change=columns[2:])


@dialect.statement
def _definitions(on_sqlite: bool) -> sa.Select[tuple[str, Any]]:
    table = device_definitions
    return sa.select(table.c.name, table.c.definition).where(
        table.c.source == sa.bindparam("source"), dialect.among(table.c.name, "names", on_sqlite=on_sqlite)
    )


async def definitions(tx: Transaction, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Give what gateways say of some of their devices, by source and name."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for source, wanted in _by_source(names).items():
        rows = await tx.execute(_definitions(tx), {"source": source, "names": dialect.keys(tx, wanted)})
        found |= {(source, name): definition for name, definition in rows}
    return found


async def replace_definitions(tx: Transaction, source: str, definitions: Mapping[str, dict[str, Any]]) -> None:
    """Note all that a gateway says of its devices, in place of what it said before."""
    await tx.execute(sa.delete(device_definitions).where(device_definitions.c.source == source))
    rows = [(source, name, definition, definition.get(HEARTBEAT)) for name, definition in definitions.items()]
    await dialect.insert(tx, device_definitions, ("source", "name", "definition", "heartbeat_s"), rows)


async def learn(tx: Transaction, source: str, learnt: Mapping[str, dict[str, Any] | None]) -> None:
    """Note what was said of single devices; None forgets what was known. The others stay as they are."""
    table = device_definitions
    gone = [name for name, definition in learnt.items() if definition is None]
    if gone:
        await tx.execute(sa.delete(table).where(table.c.source == source, table.c.name.in_(gone)))
    rows = [
        (source, name, definition, definition.get(HEARTBEAT))
        for name, definition in learnt.items()
        if definition is not None
    ]
    columns = ("source", "name", "definition", "heartbeat_s")
    await dialect.upsert(tx, table, columns, rows, change=columns[2:])


async def said_heartbeats(tx: Transaction, source: str) -> dict[str, int]:
    """Give how long devices of a source are silent at the most, by what is said of them, in seconds by name there."""
    table = device_definitions
    chosen = sa.select(table.c.name, table.c.heartbeat_s)
    rows = await tx.execute(chosen.where(table.c.source == source, table.c.heartbeat_s.is_not(None)))
    return {row[0]: row[1] for row in rows}


async def behind(tx: Transaction, source: str, name: str = "") -> tuple[list[str], int]:
    """Give the homes that have devices behind a gateway, that of the first device first, and the number of these.

    Behind a gateway with a name are the devices whose names begin with it and a slash; behind a source all its devices.
    """
    chosen = sa.select(device_table.c.home_id, sa.func.count(), sa.func.min(device_table.c.id).label("first"))
    chosen = chosen.where(device_table.c.source == source, sa.text("closed_at IS NULL"))
    if name:
        chosen = chosen.where(device_table.c.name.startswith(f"{name}/", autoescape=True))
    rows = (await tx.execute(chosen.group_by(device_table.c.home_id).order_by("first"))).all()
    return [row[0] for row in rows], sum(row[1] for row in rows)


# --- devices ----------------------------------------------------------------------------------------------------------


@dialect.statement
def _devices_named(on_sqlite: bool) -> sa.Select[Any]:
    return _DEVICES.where(
        device_table.c.source == sa.bindparam("source_id"),
        dialect.among(device_table.c.name, "names", on_sqlite=on_sqlite),
    )


async def devices_named(tx: Transaction, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], Device]:
    """Give devices by their source and their name there."""
    found: dict[tuple[str, str], Device] = {}
    for source, wanted in _by_source(names).items():
        rows = await tx.execute(_devices_named(tx), {"source_id": source, "names": dialect.keys(tx, wanted)})
        found |= {(device.source, device.name): device for device in map(_device, rows)}
    return found


@dialect.statement
def _devices_with_id(on_sqlite: bool) -> sa.Select[Any]:
    return _DEVICES.where(dialect.among(device_table.c.id, "ids", on_sqlite=on_sqlite))


async def devices(tx: Transaction, ids: Iterable[str]) -> dict[str, Device]:
    """Give devices by id."""
    rows = await tx.execute(_devices_with_id(tx), {"ids": dialect.keys(tx, ids)})
    return {device.id: device for device in map(_device, rows)}


@dialect.statement
def _devices_in_homes(on_sqlite: bool) -> sa.Select[Any]:
    return _DEVICES.where(dialect.among(device_table.c.home_id, "ids", on_sqlite=on_sqlite)).order_by(device_table.c.id)


async def devices_of_homes(tx: Transaction, home_ids: Iterable[str]) -> dict[str, list[Device]]:
    """Give the devices of some homes; a home without any is not in it."""
    found = defaultdict(list)
    for row in await tx.execute(_devices_in_homes(tx), {"ids": dialect.keys(tx, home_ids)}):
        device = _device(row)
        found[device.home_id].append(device)
    return dict(found)


async def count_devices(tx: Transaction, source: str) -> int:
    """Give how many devices a source has."""
    chosen = sa.select(sa.func.count()).select_from(device_table)
    found: int = await tx.scalar(chosen.where(device_table.c.source == source, sa.text("closed_at IS NULL")))
    return found


async def sources_of_names(tx: Transaction, names: Collection[str]) -> dict[str, str]:
    """Say of those of some names that devices have by which source; of a name that several have, by one of them."""
    among = dialect.among(device_table.c.name, "names", on_sqlite=dialect.is_sqlite(tx))
    of_open = sa.select(source_table.c.id).where(source_table.c.closed_at.is_(None))
    # By source and name, as the index has them.
    chosen = sa.select(device_table.c.name, device_table.c.source).where(
        device_table.c.source.in_(of_open), among, sa.text("closed_at IS NULL")
    )
    rows = await tx.execute(chosen, {"names": dialect.keys(tx, names)})
    return {row[0]: row[1] for row in rows}


async def each_device(tx: Transaction) -> AsyncIterator[Device]:
    """Go through all devices by id, a thousand or so at a time."""
    page = _DEVICES.execution_options(**SLOW).where(device_table.c.id > sa.bindparam("after"))
    page = page.order_by(device_table.c.id).limit(1_000)
    after = ""
    while rows := (await tx.execute(page, {"after": after})).all():
        for row in rows:
            yield _device(row)
        after = rows[-1].id


async def devices_by_word(tx: Transaction) -> AsyncIterator[list[Device]]:
    """Go through the devices of which only gateways say for how long they are silent, a thousand or so at a time."""
    said = sa.exists().where(
        device_definitions.c.source == device_table.c.source,
        device_definitions.c.name == device_table.c.name,
        device_definitions.c.heartbeat_s.is_not(None),
    )
    page = _DEVICES.where(device_table.c.heartbeat_s.is_(None), said).execution_options(**SLOW)
    page = page.where(device_table.c.id > sa.bindparam("after")).order_by(device_table.c.id).limit(1_000)
    after = ""
    while rows := (await tx.execute(page, {"after": after})).all():
        yield [_device(row) for row in rows]
        after = rows[-1].id


# --- homes ------------------------------------------------------------------------------------------------------------


@dialect.statement
def _homes(on_sqlite: bool) -> sa.Select[Any]:
    chosen = sa.select(home_table).where(home_table.c.closed_at.is_(None))
    return chosen.where(dialect.among(home_table.c.id, "ids", on_sqlite=on_sqlite))


async def homes(tx: Transaction, ids: Iterable[str]) -> dict[str, Home]:
    """Give homes by id."""
    rows = await tx.execute(_homes(tx), {"ids": dialect.keys(tx, ids)})
    return {
        row.id: from_document(
            Home, {**row.document, "id": row.id, "grid": row.grid, "address": row.address, "away": row.away}
        )
        for row in rows
    }


@dialect.statement
def _away(on_sqlite: bool) -> sa.Select[tuple[str]]:
    return sa.select(home_table.c.id).where(
        home_table.c.away, dialect.among(home_table.c.id, "ids", on_sqlite=on_sqlite)
    )


async def away(tx: Transaction, home_ids: Iterable[str]) -> set[str]:
    """Give those of some homes whose residents are known to be elsewhere."""
    return set(await tx.scalars(_away(tx), {"ids": dialect.keys(tx, home_ids)}))


async def set_away(tx: Transaction, home_id: str, away: bool) -> None:
    """Note that the residents of a home are elsewhere, or back; the file has a say again when its own word changes."""
    await tx.execute(sa.update(home_table).where(home_table.c.id == home_id).values(away=away))


class HomeRow(NamedTuple):
    """A home in a list."""

    id: str
    grid: str
    address: str
    away: bool


async def homes_behind(tx: Transaction, after: str, limit: int) -> list[HomeRow]:
    """Give homes by id, the first behind an id, at most so many."""
    table = home_table
    chosen = sa.select(table.c.id, table.c.grid, table.c.address, table.c.away)
    chosen = chosen.where(table.c.closed_at.is_(None), table.c.id > after).order_by(table.c.id).limit(limit)
    return [HomeRow(*row) for row in await tx.execute(chosen)]


# --- people -----------------------------------------------------------------------------------------------------------


@dialect.statement
def _workers_with_id(on_sqlite: bool) -> sa.Select[Any]:
    return _WORKERS.where(dialect.among(worker_table.c.id, "ids", on_sqlite=on_sqlite))


async def workers(tx: Transaction, ids: Iterable[str]) -> dict[str, Worker]:
    """Give workers by id."""
    rows = await tx.execute(_workers_with_id(tx), {"ids": dialect.keys(tx, ids)})
    return {worker.id: worker for worker in map(_worker, rows)}


async def workers_with_phone(tx: Transaction, phone: str) -> list[Worker]:
    """Give the workers who can be reached at a number (E.164) by message or call, by id."""
    chosen = _WORKERS.join(worker_phones, worker_phones.c.worker_id == worker_table.c.id)
    rows = await tx.execute(chosen.where(worker_phones.c.phone == phone).order_by(worker_table.c.id))
    return [_worker(row) for row in rows]


def _chain_of_grids() -> sa.Select[Any]:
    open_grid = grid_table.c.closed_at.is_(None)
    columns = (grid_table.c.id, grid_table.c.level, grid_table.c.name, grid_table.c.parent)
    first = sa.select(*columns, sa.literal_column("0").label("depth"))
    chain = first.where(grid_table.c.id == sa.bindparam("grid_id"), open_grid).cte("chain", recursive=True)
    further = sa.select(*columns, chain.c.depth + 1).join(chain, grid_table.c.id == chain.c.parent)
    chain = chain.union_all(further.where(open_grid, chain.c.depth < _DEEPEST))
    return sa.select(chain).order_by(chain.c.depth)


_CHAIN = once(_chain_of_grids())


@dialect.statement
def _workers_of_grids(on_sqlite: bool) -> sa.Select[Any]:
    chosen = _WORKERS.add_columns(worker_grids.c.grid_id)
    chosen = chosen.join(worker_grids, worker_grids.c.worker_id == worker_table.c.id)
    return chosen.where(dialect.among(worker_grids.c.grid_id, "ids", on_sqlite=on_sqlite))


@dialect.statement
def _backups(on_sqlite: bool) -> sa.Select[Any]:
    backing = sa.select(worker_backups.c.worker_id)
    backing = backing.where(dialect.among(worker_backups.c.backs_up, "ids", on_sqlite=on_sqlite))
    return _WORKERS.where(worker_table.c.id.in_(backing)).order_by(worker_table.c.id)


async def responsibility(tx: Transaction, grid_id: str) -> Responsibility:
    """Give the grids above a home, nearest first, and their people: nearest first, then by id, then those who stand in.

    Those who stand in are the workers whose `backup_for` names one of these grids or of these people.
    """
    chain: dict[str, Grid] = {}
    for row in await tx.execute(_CHAIN, {"grid_id": grid_id}):
        grid = Grid(id=row.id, level=GridLevel(row.level), name=row.name, parent=row.parent)
        chain.setdefault(grid.id, grid)
    distance = {each: number for number, each in enumerate(chain)}

    nearest: dict[str, tuple[int, str, Worker]] = {}
    for row in await tx.execute(_workers_of_grids(tx), {"ids": dialect.keys(tx, chain)}):
        place = (distance[row.grid_id], row.id, _worker(row))
        nearest[row.id] = min(nearest.get(row.id, place), place, key=lambda one: one[:2])
    people = {place[1]: place[2] for place in sorted(nearest.values(), key=lambda one: one[:2])}

    for row in await tx.execute(_backups(tx), {"ids": dialect.keys(tx, [*chain, *people])}):
        people.setdefault(row.id, _worker(row))
    return Responsibility(grids=tuple(chain.values()), workers=tuple(people.values()))


# --- rows to values ---------------------------------------------------------------------------------------------------


def _device(row: Any) -> Device:
    # Texts that thousands of devices have in common are kept once.
    return Device(
        id=row.id,
        home_id=row.home_id,
        kind=intern(row.kind),
        source=intern(row.source),
        name=row.id if row.name == row.id else row.name,
        room=None if row.room is None else intern(row.room),
        heartbeat_s=row.heartbeat_s,
        invert=row.invert,
        **({} if row.document is None else _more(row.document)),
    )


def _more(document: dict[str, Any]) -> dict[str, Any]:
    """What few devices have: vendor, model, map."""
    meanings = document.get("map")
    return {
        "vendor": document.get("vendor"),
        "model": document.get("model"),
        "map": None if meanings is None else {name: from_document(Mapped, one) for name, one in meanings.items()},
    }


def _worker(row: Any) -> Worker:
    return from_document(Worker, {**row.document, "id": row.id, "name": row.name, "role": Role(row.role)})


def _by_source(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for source, name in names:
        found[source].append(name)
    return found
