"""Homes that live: ordinary days by themselves, and on request alarms, low batteries, silence, somebody away."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Protocol

from simulators.community import Community, SimDevice, SimSource
from simulators.gateway import Gateway, wall_clock
from simulators.life import ALARM, CALM, Fact, ordinary_life
from simulators.mqtt import Publish

#: How often a sensor repeats an alarm that stands, in seconds.
REPEAT_S = 30

_INVERTED = {"open": "closed", "closed": "open"}


class Outlet(Protocol):
    """Brings what a device says to the broker, in the dialect of its source."""

    async def tell(self, device: SimDevice, facts: Sequence[Fact], *, test: bool = False) -> None:
        """Say some facts of one device and one moment."""

    async def availability(self, device: SimDevice, *, online: bool) -> None:
        """Say that a device is there, or gone."""

    async def start(self) -> None:
        """Say what is said at the beginning."""


class OwnDialect:
    """Devices that speak Shouwang's own dialect: `<base>/<home>/<device>/event` and `…/status`."""

    def __init__(
        self,
        source: SimSource,
        devices: Iterable[SimDevice],
        publish: Publish,
        *,
        now: Callable[[], datetime] = wall_clock,
    ) -> None:
        self.source = source
        self.devices = [device for device in devices if device.source == source.id]
        self.publish = publish
        self.now = now

    async def start(self) -> None:
        """Every device says that it is there."""
        for device in self.devices:
            await self.availability(device, online=True)

    async def tell(self, device: SimDevice, facts: Sequence[Fact], *, test: bool = False) -> None:
        """One event for each fact."""
        for fact in facts:
            event: dict[str, object] = {"kind": fact.kind}
            if fact.value is None:
                event["state"] = fact.state
            else:
                event |= {"value": fact.value, "unit": fact.unit}
            event |= {"at": self.now().isoformat(timespec="milliseconds"), "id": secrets.token_hex(8)}
            if test:
                event["test"] = True
            await self.publish(f"{self._topic(device)}/event", json.dumps(event).encode())

    async def availability(self, device: SimDevice, *, online: bool) -> None:
        """The retained status."""
        await self.publish(f"{self._topic(device)}/status", b"online" if online else b"offline", retain=True)

    def _topic(self, device: SimDevice) -> str:
        name = device.name if "/" in device.name else f"{device.home_id}/{device.name}"
        return f"{self.source.base}/{name}"


def outlet_for(
    source: SimSource,
    devices: Iterable[SimDevice],
    publish: Publish,
    *,
    now: Callable[[], datetime] = wall_clock,
    seed: int = 0,
) -> "OwnDialect | Gateway":
    """The outlet of a source; raises ValueError for a dialect that is not simulated."""
    match source.dialect:
        case "shouwang":
            return OwnDialect(source, devices, publish, now=now)
        case "zigbee2mqtt":
            return Gateway(source, devices, publish, now=now, seed=seed)
        case other:
            raise ValueError(f"source {source.id}: the dialect {other} is not simulated")


class Homes:
    """The homes of a community and what happens in them.

    `now` is the clock the sensors stamp their messages with; life itself runs `speed` times as fast as real time from
    `start` (default: now) on.
    """

    def __init__(
        self,
        community: Community,
        outlets: Mapping[str, Outlet],
        *,
        now: Callable[[], datetime] = wall_clock,
        seed: int = 0,
    ) -> None:
        self.community = community
        self._outlets = outlets
        self._now = now
        self._seed = seed
        self._devices = {device.id: device for device in community.devices()}
        #: States that stand until somebody ends them: (device id, kind) → state; and battery levels set by hand.
        self._standing: dict[tuple[str, str], str] = {}
        self._charge: dict[str, float] = {}
        #: What each sensor said last, which is what it says again when it is time to say something.
        self._last: dict[tuple[str, str], str | None] = {}
        self._silent: set[str] = set()
        self._away: set[str] = set()
        #: Facts told, for whoever watches.
        self.told = 0

    # --- on request ---------------------------------------------------------------------------------------------------

    async def alarm(self, device_id: str, *, test: bool = False) -> None:
        """Let a sensor raise its alarm (a contact: open; a button: pressed); it stands until `clear`."""
        device = self._device(device_id)
        state = ALARM[device.kind]
        if device.kind != "sos" and not test:
            self._standing[device.id, device.kind] = state
        await self._tell(device, [Fact(self._now(), device, device.kind, state)], test=test)

    async def repeat(self, device_id: str) -> None:
        """Let a sensor say again what stands."""
        device = self._device(device_id)
        if (state := self._standing.get((device.id, device.kind))) is not None:
            await self._tell(device, [Fact(self._now(), device, device.kind, state, routine=True)])

    async def clear(self, device_id: str) -> None:
        """Let a sensor say that all is well again."""
        device = self._device(device_id)
        self._standing.pop((device.id, device.kind), None)
        if device.kind in CALM:
            await self._tell(device, [Fact(self._now(), device, device.kind, CALM[device.kind])])

    async def battery(self, device_id: str, percent: float) -> None:
        """Let a device report this charge, now and from now on."""
        device = self._device(device_id)
        self._charge[device.id] = percent
        await self._tell(device, [Fact(self._now(), device, "battery", value=percent, unit="%")])

    def silence(self, device_id: str) -> None:
        """Let a device say nothing any more, as one does whose battery is empty."""
        self._silent.add(self._device(device_id).id)

    def wake(self, device_id: str) -> None:
        """Let it speak again."""
        self._silent.discard(device_id)

    async def unreachable(self, device_id: str) -> None:
        """Silence a device, and let its gateway notice."""
        device = self._device(device_id)
        self.silence(device_id)
        await self._outlets[device.source].availability(device, online=False)

    async def reachable(self, device_id: str) -> None:
        """Undo `unreachable`."""
        device = self._device(device_id)
        self.wake(device_id)
        await self._outlets[device.source].availability(device, online=True)

    def leave(self, home_id: str) -> None:
        """Nobody is at home any more: no door, no motion; the sensors go on reporting."""
        self._away.add(self.community.home(home_id).id)

    def come_back(self, home_id: str) -> None:
        """Ordinary life goes on."""
        self._away.discard(home_id)

    def _device(self, device_id: str) -> SimDevice:
        if device_id not in self._devices:
            raise LookupError(f"there is no device {device_id} among those simulated")
        return self._devices[device_id]

    # --- by themselves ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Let every gateway and device say what it says at its beginning."""
        for outlet in self._outlets.values():
            await outlet.start()

    async def run(self, *, speed: float = 1.0, start: datetime | None = None, until: datetime | None = None) -> None:
        """Live, in real time times `speed`, without end or until a moment of that life."""
        first = start or self._now()
        begun = time.monotonic()
        for at, facts in self.moments(first):
            if until is not None and at >= until:
                return
            wait_s = (at - first).total_seconds() / speed - (time.monotonic() - begun)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            await self.live(facts)

    def moments(self, start: datetime) -> Iterator[tuple[datetime, list[Fact]]]:
        """Ordinary life from a time on: what one device says in one moment, in order of time, without end.

        For worlds in virtual time, which bring each moment to `live` when they have come to it.
        """
        facts = ordinary_life(self.community.homes, start=start, seed=self._seed)
        for (at, _), group in groupby(facts, key=lambda fact: (fact.at, fact.device.id)):
            yield at, list(group)

    async def live(self, facts: Sequence[Fact]) -> None:
        """One moment of one device, as it is under what was requested: alarms that stand, silence, absence."""
        device = facts[0].device
        said = [
            self._as_it_is(fact)
            for fact in facts
            if fact.routine or (device.home_id not in self._away and (device.id, fact.kind) not in self._standing)
        ]
        if said:
            await self._tell(device, said)

    def _as_it_is(self, fact: Fact) -> Fact:
        if fact.kind == "battery":
            return fact._replace(value=self._charge.get(fact.device.id, fact.value))
        key = (fact.device.id, fact.kind)
        return fact._replace(
            state=self._standing.get(key) or (self._last.get(key) if fact.routine else None) or fact.state
        )

    async def repeat_alarms(self, *, speed: float = 1.0) -> None:
        """Let every standing alarm be said again every REPEAT_S, without end; contacts and motion excepted."""
        while True:
            await asyncio.sleep(REPEAT_S / speed)
            for device_id, kind in list(self._standing):
                if ALARM[kind] == "alarm":
                    await self.repeat(device_id)

    async def _tell(self, device: SimDevice, facts: Sequence[Fact], *, test: bool = False) -> None:
        if device.id in self._silent or device.source not in self._outlets:
            return
        self.told += len(facts)
        if not test:
            self._last |= {(device.id, fact.kind): fact.state for fact in facts if fact.kind != "sos"}
        if device.invert:
            # Wired the other way round: the sensor itself says the opposite.
            facts = [fact._replace(state=_INVERTED.get(fact.state or "", fact.state)) for fact in facts]
        await self._outlets[device.source].tell(device, facts, test=test)
