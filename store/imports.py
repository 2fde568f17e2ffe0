"""Homes and devices that came from tables: whose they are, and that they have changed."""

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa

from rules.community import Device, Home
from store import dialect
from store.database import Transaction
from store.difference import Difference, apply_part
from store.registry import IMPORTED
from store.tables import config_files, devices, grids, homes, sources

__all__ = ["Difference", "apply_part", "close_others", "known_grids", "known_sources", "note", "owners", "version"]


async def known_grids(tx: Transaction) -> set[str]:
    """Give the ids of all grids."""
    return set(await tx.scalars(sa.select(grids.c.id).where(grids.c.closed_at.is_(None))))


async def known_sources(tx: Transaction) -> set[str]:
    """Give the ids of all sources."""
    return set(await tx.scalars(sa.select(sources.c.id).where(sources.c.closed_at.is_(None))))


async def owners(tx: Transaction, kind: type[Home] | type[Device], ids: Iterable[str]) -> dict[str, str | None]:
    """Say of those ids that are taken which import they came with; None: they are in the files."""
    table = homes if kind is Home else devices
    found: dict[str, str | None] = {}
    among = dialect.among(table.c.id, "ids", on_sqlite=dialect.is_sqlite(tx))
    for chunk in dialect.chunks(ids):
        chosen = sa.select(table.c.id, table.c.origin).where(among, table.c.closed_at.is_(None))
        found |= {row[0]: row[1] for row in await tx.execute(chosen, {"ids": dialect.keys(tx, chunk)})}
    return found


async def close_others(tx: Transaction, origin: str, kept: Collection[str], now: datetime) -> int:
    """Close the homes of an import, and what is in them, that are not named any more; return how many homes."""
    mine = sa.select(homes.c.id).where(homes.c.origin == origin, homes.c.closed_at.is_(None))
    gone = sorted(set(await tx.scalars(mine)) - set(kept))
    among = dialect.among(devices.c.home_id, "ids", on_sqlite=dialect.is_sqlite(tx))
    for chunk in dialect.chunks(gone):
        inside = sa.update(devices).where(among, devices.c.closed_at.is_(None)).values(closed_at=now)
        await tx.execute(inside, {"ids": dialect.keys(tx, chunk)})
    await dialect.update(tx, homes, ("id", "closed_at"), ((one, now) for one in gone))
    return len(gone)


async def note(tx: Transaction, origin: str, digest: str, now: datetime) -> None:
    """Note that an import has changed the registry, so that running services read it again."""
    row = (f"{IMPORTED}{origin}", digest, now)
    await dialect.upsert(tx, config_files, ("name", "digest", "applied_at"), [row], change=("digest", "applied_at"))


async def version(tx: Transaction) -> frozenset[tuple[str, str]]:
    """Give what was noted of all imports: where it is another than before, the registry is."""
    chosen = sa.select(config_files.c.name, config_files.c.digest)
    rows = await tx.execute(chosen.where(config_files.c.name.startswith(IMPORTED, autoescape=True)))
    return frozenset((name, digest) for name, digest in rows)
