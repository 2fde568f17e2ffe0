"""What could not be heard, and when: everything while the service was away, a gateway's devices while it was off."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from rules.hearing import Gap
from store import dialect
from store.database import Transaction
from store.tables import hearing_gaps, listening

#: The source of a gap in which nothing at all could be heard.
EVERYTHING = ""

#: The only listener there is.
_SERVICE = "service"


class Hearing(NamedTuple):
    """What is known of it."""

    #: Until when the service has heard its broker, as far as is known; None: it never has.
    until: datetime | None
    #: By `key()` of the gateway, and EVERYTHING among them; a gap that lasts has no end.
    gaps: dict[str, list[tuple[datetime, datetime | None]]]

    def of(self, key: str, now: datetime) -> list[Gap]:
        """Give the gaps in which what is behind a gateway could not be heard; one that lasts goes on until now."""
        both = self.gaps.get(EVERYTHING, []) + self.gaps.get(key, [])
        return [Gap(began, ended or now) for began, ended in both]


def key(source: str, gateway: str) -> str:
    """Give the name under which a gateway's gaps are kept; ids of sources hold no slash."""
    return f"{source}/{gateway}" if gateway else source


_GAPS = sa.select(hearing_gaps.c.source, hearing_gaps.c.began_at, hearing_gaps.c.ended_at).order_by(
    hearing_gaps.c.began_at
)


@dialect.statement
def _gaps(on_sqlite: bool) -> sa.Select[Any]:
    return _GAPS.where(dialect.among(hearing_gaps.c.source, "keys", on_sqlite=on_sqlite))


async def load(tx: Transaction, keys: Iterable[str] | None = None) -> Hearing:
    """Give what is known of some gateways (by `key()`; None: of all), and of EVERYTHING."""
    until = await tx.scalar(sa.select(listening.c.until).where(listening.c.name == _SERVICE))
    gaps: dict[str, list[tuple[datetime, datetime | None]]] = {}
    if keys is None:
        rows = await tx.execute(_GAPS)
    else:
        rows = await tx.execute(_gaps(tx), {"keys": dialect.keys(tx, {EVERYTHING, *keys})})
    for source, began, ended in rows:
        gaps.setdefault(source, []).append((began, ended))
    return Hearing(until, gaps)


async def listens(tx: Transaction, now: datetime, *, at_least: timedelta) -> Gap | None:
    """Note that the broker is heard now; give the gap that ends with it, if it is one of `at_least` so long."""
    until: datetime | None = await tx.scalar(sa.select(listening.c.until).where(listening.c.name == _SERVICE))
    await dialect.upsert(tx, listening, ("name", "until"), [(_SERVICE, now)], change=("until",))
    if until is None or now - until < at_least:
        return None
    await dialect.insert_new(tx, hearing_gaps, ("source", "began_at", "ended_at"), [(EVERYTHING, until, now)])
    return Gap(until, now)


async def loses(tx: Transaction, source: str, at: datetime) -> None:
    """Note that a gateway is off from now on; once it is, saying so again changes nothing."""
    lasts = sa.select(hearing_gaps.c.source).where(hearing_gaps.c.source == source, hearing_gaps.c.ended_at.is_(None))
    if await tx.scalar(lasts) is None:
        await dialect.insert_new(tx, hearing_gaps, ("source", "began_at", "ended_at"), [(source, at, None)])


async def regains(tx: Transaction, source: str, at: datetime) -> None:
    """Note that a gateway is on again."""
    lasting = sa.update(hearing_gaps).where(hearing_gaps.c.source == source, hearing_gaps.c.ended_at.is_(None))
    await tx.execute(lasting.values(ended_at=at))


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget gaps that ended before a time; return how many went."""
    return (await tx.execute(sa.delete(hearing_gaps).where(hearing_gaps.c.ended_at < before))).rowcount
