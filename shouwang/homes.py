"""Which homes are watched over, and which are not: since when, and because of which devices."""

from datetime import datetime
from typing import Any

from notify.masking import mask_place
from rules.conditions import life
from rules.liveness import silences, unwatched_since
from shouwang.hearing import Ears
from store import registry, states
from store.database import Transaction

#: So many homes are read at a time, and looked at for one answer at the most: the next asks on from there.
_AT_ONCE = 500
_AT_MOST = 20_000


async def listing(
    tx: Transaction, now: datetime, *, unwatched_only: bool, limit: int, after: str = ""
) -> dict[str, Any]:
    """Give homes by id behind `after`, at most `limit`; `next` is where to ask on, None at the end.

    A home is watched over as long as each of its devices gives the signs of life that it has promised, and can be
    heard. Addresses are masked: such a list says where nobody would notice.
    """
    deaf_since: datetime | None = None
    found: list[dict[str, Any]] = []
    looked_at = 0
    more: str | None = after
    while more is not None and len(found) < limit and looked_at < _AT_MOST:
        page = await registry.homes_behind(tx, more, _AT_ONCE if unwatched_only else min(_AT_ONCE, limit - len(found)))
        devices = await registry.devices_of_homes(tx, [home.id for home in page])
        known = await states.load(tx, [one.id for of_home in devices.values() for one in of_home])
        ears = await Ears.of(tx, now, sources={one.source for of_home in devices.values() for one in of_home})
        deaf_since = ears.own_deafness
        more = page[-1].id if page else None
        for home in page:
            looked_at += 1
            here = devices.get(home.id, [])
            silent = silences(here, states=known, audible=ears.audible(here), now=now)
            if unwatched_only and here and not silent:
                continue
            found.append(
                {
                    "id": home.id,
                    "address": mask_place(home.address),
                    "grid": home.grid,
                    "away": home.away,
                    "watched": not silent and bool(here),
                    "unwatched_since": _iso(unwatched_since(silent)),
                    "devices": [
                        {
                            "id": one.device.id,
                            "kind": one.device.kind,
                            "room": one.device.room,
                            "cause": str(one.cause),
                            "since": _iso(one.since),
                        }
                        for one in silent
                    ],
                    "without_heartbeat": [
                        one.id for one in here if one.heartbeat_s is None and life(one.id, known).heard
                    ],
                }
            )
            if len(found) == limit:
                more = home.id
                break
    return {"homes": found, "next": more, "deaf_since": _iso(deaf_since)}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
