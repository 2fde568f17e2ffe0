"""Devices that are heard and in no file: what an installer brings in next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from store import dialect
from store.database import Transaction
from store.tables import device_definitions, devices, sources, strangers

#: So many are kept at the most; a neighbourhood's radio sensors change their names with every battery.
AT_MOST = 10_000


class Stranger(NamedTuple):
    """A device that nobody has registered. Times are those at which it was heard, in UTC."""

    source: str
    name: str
    topic: str
    first_seen: datetime
    last_seen: datetime
    #: The kinds of facts that it has told of so far.
    kinds: tuple[str, ...]


class Unregistered(NamedTuple):
    """A stranger, or a device that only its gateway speaks of, with what the gateway says of it."""

    source: str
    dialect: str
    name: str
    definition: dict[str, Any] | None
    stranger: Stranger | None


async def note(tx: Transaction, heard: Sequence[Stranger]) -> None:
    """Note that strangers were heard; what they were known to tell of stays known."""
    known = await _known(tx, heard)
    if len(known) < len(heard):
        room = AT_MOST - (await tx.scalar(sa.select(sa.func.count()).select_from(strangers)) or 0)
        new = [one for one in heard if (one.source, one.name) not in known][: max(0, room)]
        await dialect.insert_new(tx, strangers, Stranger._fields, [one._replace(kinds=list(one.kinds)) for one in new])  # type: ignore[arg-type]
    again = [one for one in heard if (one.source, one.name) in known]
    rows = [(one.source, one.name, one.last_seen, sorted({*one.kinds, *known[one.source, one.name]})) for one in again]
    for source, name, last_seen, kinds in rows:
        mine = (strangers.c.source == source) & (strangers.c.name == name)
        await tx.execute(sa.update(strangers).where(mine).values(last_seen=last_seen, kinds=kinds))


async def _known(tx: Transaction, heard: Sequence[Stranger]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    chosen = sa.select(strangers.c.source, strangers.c.name, strangers.c.kinds)
    among = dialect.among(strangers.c.name, "names", on_sqlite=dialect.is_sqlite(tx))
    rows = await tx.execute(chosen.where(among), {"names": dialect.keys(tx, {one.name for one in heard})})
    for source, name, kinds in rows:
        found[source, name] = kinds
    return found


async def unregistered(tx: Transaction) -> list[Unregistered]:
    """Give what is heard, or spoken of by a gateway, and not registered; what was heard last comes first."""
    registered = sa.select(devices.c.id).where(devices.c.closed_at.is_(None)).correlate(strangers, device_definitions)
    found: dict[tuple[str, str], Unregistered] = {}
    of_open = sa.select(sources.c.id, sources.c.dialect).where(sources.c.closed_at.is_(None))
    dialects: dict[str, str] = {row[0]: row[1] for row in await tx.execute(of_open)}
    for table in (device_definitions, strangers):
        mine = registered.where(devices.c.source == table.c.source, devices.c.name == table.c.name)
        for row in (await tx.execute(sa.select(table).where(~sa.exists(mine)))).mappings():
            source, name = key = (row["source"], row["name"])
            if source not in dialects or (table is device_definitions and "model" not in row["definition"]):
                # Of a source that is gone; or what a dialect has learnt of something that is no device.
                continue
            before = found.get(key) or Unregistered(source, dialects[source], name, None, None)
            if table is strangers:
                stranger = Stranger(**{**row, "kinds": tuple(row["kinds"])})
                found[key] = before._replace(stranger=stranger)
            else:
                found[key] = before._replace(definition=row["definition"])
    return sorted(found.values(), key=_latest_first)


def _latest_first(one: Unregistered) -> tuple[float, str, str]:
    return (-one.stranger.last_seen.timestamp() if one.stranger is not None else 0.0, one.source, one.name)


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget those that were not heard since a time; return how many went."""
    return (await tx.execute(sa.delete(strangers).where(strangers.c.last_seen < before))).rowcount
