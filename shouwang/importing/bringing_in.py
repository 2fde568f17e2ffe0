"""Checked against what is there, and written, a part at a time: the service goes on meanwhile."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2s
from itertools import islice

from rules.community import Device, Home
from rules.engine import Engine
from shouwang import liveness
from shouwang.config.entries import Household
from shouwang.config.loading import with_heartbeats
from shouwang.config.problems import Problem, one_of
from shouwang.importing.gathering import Gathered, Written
from store import due, imports, registry
from store.database import Database

#: Homes in one transaction: an alarm waits for no longer than these take to write.
_HOMES_AT_ONCE = 250

Located = tuple[Household, Written]


@dataclass(slots=True)
class Brought:
    """What an import has changed."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    closed: int = 0
    devices: int = 0


async def check(database: Database, gathered: Gathered, origin: str) -> None:
    """Look for what does not fit to what is in the database; adds problems and refuses homes.

    Ids that the files have, or another import, are theirs.
    """
    ids: dict[str, str] = {}
    names: dict[tuple[str, str], str] = {}
    async with database.read() as tx:
        grids, sources = await imports.known_grids(tx), await imports.known_sources(tx)
        homes = [household.home.id for household, _ in gathered.homes]
        of_homes = await imports.owners(tx, Home, homes)
        of_devices = await imports.owners(tx, Device, (one.id for home, _ in gathered.homes for one in home.devices))
        taken: dict[tuple[str, str], Device] = {}
        for some in _parts(gathered.homes):
            wanted = [(one.source, one.name) for household, _ in some for one in household.devices]
            taken |= await registry.devices_named(tx, wanted)
    # What else is in these homes gives its name up: it is closed, or named otherwise.
    here = {household.home.id for household, _ in gathered.homes}
    for household, written in gathered.homes:
        found: list[Problem] = []
        home = household.home
        if home.grid not in grids:
            found.append(written.home.problem(_absent("grid", home.grid, grids), ("grid",)))
        if of_homes.get(home.id, origin) != origin:
            found.append(written.home.problem(_taken("home", home.id, of_homes[home.id]), ("id",)))
        for number, (device, row) in enumerate(zip(household.devices, written.devices, strict=True)):
            at = ("devices", number)
            name = (device.source, device.name)
            if device.source not in sources:
                found.append(row.problem(_absent("source", device.source, sources), (*at, "source")))
            if of_devices.get(device.id, origin) != origin:
                found.append(row.problem(_taken("device", device.id, of_devices[device.id]), (*at, "id")))
            if ids.setdefault(device.id, home.id) != home.id or _twice(household, device):
                found.append(row.problem(f"the device '{device.id}' stands here a second time", (*at, "id")))
            elif names.setdefault(name, device.id) != device.id or (
                name in taken and taken[name].id != device.id and taken[name].home_id not in here
            ):
                other = names[name] if names[name] != device.id else taken[name].id
                message = f"'{device.name}' of source '{device.source}' is '{other}' already"
                found.append(row.problem(message, (*at, "name")))
        if found:
            gathered.problems += found
            gathered.refused.add(home.id)
    gathered.homes = [one for one in gathered.homes if one[0].home.id not in gathered.refused]


async def bring_in(
    database: Database,
    gathered: Gathered,
    engine: Engine,
    *,
    origin: str,
    now: datetime,
    close_missing: bool,
    progress: Callable[[int], None] = lambda _: None,
) -> Brought:
    """Write what was gathered.

    With `close_missing`, homes that the same import brought in before, and that are not in it any more, are closed.
    """
    brought = Brought()
    async with database.read() as tx:
        sources = await registry.sources(tx)
    for some in _parts(gathered.homes):
        homes = [household.home for household, _ in some]
        devices = with_heartbeats((device for household, _ in some for device in household.devices), sources)
        async with database.write() as tx:
            of_homes, _ = await imports.apply_part(tx, homes, devices, origin=origin, now=now)
            await due.put_sooner(tx, engine.watch_due(devices, now))
        new = len(of_homes.added) + len(of_homes.reopened)
        brought.added += new
        brought.changed += len(of_homes.changed)
        brought.unchanged += len(homes) - new - len(of_homes.changed)
        brought.devices += len(devices)
        progress(len(homes))
        # Whoever else wants to write has their turn.
        await asyncio.sleep(0)
    async with database.write() as tx:
        if close_missing:
            kept = {household.home.id for household, _ in gathered.homes} | gathered.refused
            brought.closed = await imports.close_others(tx, origin, kept, now)
        stamp = blake2s(f"{origin} {now.isoformat()}".encode(), digest_size=16).hexdigest()
        await liveness.watch_said(tx, engine, now)
        await imports.note(tx, origin, stamp, now)
    return brought


def _parts(homes: Sequence[Located]) -> Iterator[list[Located]]:
    rest = iter(homes)
    while some := list(islice(rest, _HOMES_AT_ONCE)):
        yield some


def _twice(household: Household, device: Device) -> bool:
    return next(one for one in household.devices if one.id == device.id) is not device


def _absent(what: str, identity: str, known: set[str]) -> str:
    if not known:
        return f"there is no {what} '{identity}', nor any other; start the service with its three files first"
    return f"there is no {what} '{identity}'; {one_of(identity, known)}"


def _taken(what: str, identity: str, origin: str | None) -> str:
    where = "devices.yaml, and is changed there" if origin is None else f"the import '{origin}'"
    return f"the {what} '{identity}' belongs to {where}"
