"""A walk through a home: each device is made to speak, and whether we hear it is written down with date and person."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules import commissioning
from rules.commissioning import Said, Verdict
from rules.community import Device, Home
from rules.decisions import DueKind
from store import commissioning as store
from store import due, registry
from store.commissioning import Heard, Test, Window
from store.database import Database
from store.hearing import load as hearing

#: The service notes every ten seconds that it hears the broker; see shouwang.hearing.
_DEAF_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the test of a device stands."""

    device: Device
    verdict: Verdict
    #: What it has said so far, oldest first.
    heard: tuple[Heard, ...]
    before: Test | None


class UnknownHomeError(Exception):
    """There is no such home, or nothing in it to test."""


class Commissioning:
    """One window in one home. All times are aware and in UTC."""

    def __init__(self, database: Database, home: Home, devices: Collection[Device], window: Window) -> None:
        self._database = database
        self.home = home
        self.devices = tuple(devices)
        self.window = window

    @classmethod
    async def begin(
        cls, database: Database, home_id: str, *, by: str, now: datetime, lasts: timedelta, only: Collection[str] = ()
    ) -> "Commissioning":
        """Open a window. `only` are ids of devices; all of the home where there are none. Raises UnknownHomeError."""
        async with database.write() as tx:
            home = (await registry.homes(tx, [home_id])).get(home_id)
            devices = (await registry.devices_of_homes(tx, [home_id])).get(home_id, [])
            if home is None:
                raise UnknownHomeError(f"there is no home {home_id!r}; `shouwang homes` lists them")
            if unknown := sorted(set(only) - {device.id for device in devices}):
                raise UnknownHomeError(f"the home {home_id!r} has no device {', '.join(map(repr, unknown))}")
            chosen = [device for device in devices if not only or device.id in only]
            if not chosen:
                raise UnknownHomeError(f"the home {home_id!r} has no devices to test; add them to devices.yaml first")
            window = Window(home_id, now, now + lasts, by)
            await store.begin(tx, window)
        return cls(database, home, chosen, window)

    async def hears(self, now: datetime) -> bool:
        """Say whether the service hears the broker, so that anything can be heard at all."""
        async with self._database.read() as tx:
            until = (await hearing(tx)).until
        return until is not None and now - until <= _DEAF_AFTER

    async def look(self) -> list[Standing]:
        """Say how each device stands, in the order of their ids."""
        ids = [device.id for device in self.devices]
        async with self._database.read() as tx:
            heard = await store.heard(tx, ids, self.window.began_at)
            before = await store.last_tests(tx, [self.home.id])
        standings = []
        for device in self.devices:
            of_it = tuple(one for one in heard if one.device_id == device.id)
            verdict = commissioning.judge(device.kind, [Said(one.kind, one.state) for one in of_it])
            standings.append(Standing(device=device, verdict=verdict, heard=of_it, before=before.get(device.id)))
        return standings

    async def finish(self, now: datetime) -> list[Standing]:
        """Close the window, and write down how each device did."""
        standings = await self.look()
        async with self._database.write() as tx:
            await store.end(tx, self.home.id)
            await store.record(
                tx,
                [
                    Test(one.device.id, self.home.id, now, self.window.by, one.verdict.passed, said_in_words(one.heard))
                    for one in standings
                ],
            )
            # Whoever asked for the test hears that it was done.
            await due.hasten(tx, DueKind.UNTESTED, self.home.id, now)
        return standings


def said_in_words(heard: Collection[Heard]) -> str | None:
    """Give what was heard as `gas test, battery ok`: each once, in the order of the first time; None: nothing."""
    words = dict.fromkeys(f"{one.kind} {one.state}" if one.state else one.kind for one in heard)
    return ", ".join(words) or None
