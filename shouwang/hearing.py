"""Whether silence means anything: not while a gateway, or the service itself, could not hear."""

import functools
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from rules import hearing as gaps
from rules.community import Device
from rules.hearing import Gap
from rules.liveness import Audible
from shouwang.core import Core
from store import hearing, registry
from store.database import Transaction
from store.registry import GatewayRow

#: How often it is noted that the broker is heard.
NOTE_EVERY_S = 10

#: Without a note for so long, nothing was heard meanwhile.
DEAF_AFTER = timedelta(seconds=60)

#: Gaps are of use for as long as the slowest heartbeat takes to be missed.
KEEP = timedelta(days=60)


class Ears:
    """What can be heard now, and what could be, as of one transaction."""

    def __init__(
        self,
        known: hearing.Hearing,
        gateways: Mapping[tuple[str, str], GatewayRow],
        now: datetime,
        *,
        began: datetime | None = None,
    ) -> None:
        """Make them; `began` is when this process began to listen, where it is one that does."""
        self._began = began
        self._known = known
        self._gateways = gateways
        self._by_source: dict[str, list[tuple[str, str]]] = {}
        for one in gateways:
            self._by_source.setdefault(one[0], []).append(one)
        self._now = now
        self._deaf_since = known.until if known.until is not None and now - known.until > DEAF_AFTER else None

    @classmethod
    async def of(
        cls, tx: Transaction, now: datetime, *, sources: Collection[str], began: datetime | None = None
    ) -> "Ears":
        """Look it up, as far as it concerns the devices of some sources: a city has a gateway in each home."""
        gateways = await registry.gateways(tx, sources)
        keys = {*sources, *(hearing.key(*one) for one in gateways)}
        return cls(await hearing.load(tx, keys), gateways, now, began=began)

    def hear(self, device: Device) -> bool:
        """Say whether anything that a device said now would be heard: by one of its gateways at least."""
        states = [self._gateways[one].state for one in self._behind(device)]
        return self._deaf_since is None and (not states or any(state != "offline" for state in states))

    def deaf_since(self, device: Device) -> datetime | None:
        """Say since when nothing that a device said would have been heard; None: it would be."""
        if self.hear(device):
            return None
        off = [self._gateways[one].since for one in self._behind(device)]
        gone = max(off) if off and all(self._gateways[one].state == "offline" for one in self._behind(device)) else None
        return min(one for one in (gone, self._deaf_since) if one is not None)

    def back_at(self, devices: Iterable[Device]) -> datetime | None:
        """Say when one of these devices could be heard again last, after a gap or a start of its gateway or of ours."""
        found = list(devices)
        moments = [gap.ended for gap in self.gaps(found) if gap.ended < self._now]
        for device in found:
            starts = [self._gateways[one].started_at for one in self._behind(device)]
            known = [at for at in starts if at is not None]
            if known and len(known) == len(starts):
                # Where several hear it, one that did not start then has.
                moments.append(min(known))
        if self._began is not None:
            moments.append(self._began)
        return max((at for at in moments if at <= self._now), default=None)

    @property
    def own_deafness(self) -> datetime | None:
        """Say since when the service itself hears nothing; None: it does."""
        return self._deaf_since

    def audible(self, devices: Iterable[Device]) -> dict[str, Audible]:
        """Give what is known of hearing each of some devices, by id."""
        ours = self._deaf_since is not None
        return {
            device.id: Audible(self.deaf_since(device), tuple(self.gaps([device])), self.back_at([device]), ours)
            for device in devices
        }

    def outage(self, source: str, name: str) -> tuple[datetime | None, bool]:
        """Say since when a gateway has been off (None: it is not), and whether others of its source are on."""
        row = self._gateways.get((source, name))
        of_source = self._by_source.get(source, [])
        others = any(self._gateways[one].state != "offline" for one in of_source if one[1] != name)
        return (row.since if row is not None and row.state == "offline" else None), others

    def unheard(self, devices: Iterable[Device]) -> Collection[str]:
        """Give the ids of those that would not be."""
        return {device.id for device in devices if not self.hear(device)}

    def gaps(self, devices: Iterable[Device]) -> list[Gap]:
        """Give the times in which none of these devices could be heard."""
        keys = {hearing.key(*one) for device in devices for one in self._behind(device) or [(device.source, "")]}
        each = [self._known.of(one, self._now) for one in sorted(keys)]
        missed = functools.reduce(gaps.common, each) if each else []
        return missed if self._deaf_since is None else [*missed, Gap(self._deaf_since, self._now)]

    def _behind(self, device: Device) -> list[tuple[str, str]]:
        """Give the gateways that a device may be heard through: its own, by its name, else any of its source."""
        of_source = self._by_source.get(device.source, [])
        own = [one for one in of_source if one[1] and device.name.startswith(f"{one[1]}/")]
        return own or of_source


async def note(core: Core) -> None:
    """Note that the broker is heard now. To be called every NOTE_EVERY_S for as long as it is."""
    async with core.database.write() as tx:
        await hearing.listens(tx, core.now(), at_least=DEAF_AFTER)
