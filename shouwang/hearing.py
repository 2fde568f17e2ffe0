"""Whether silence means anything: not while a gateway, or the service itself, could not hear."""

import functools
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from rules import hearing as gaps
from rules.community import Device
from rules.hearing import Gap
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

    def __init__(self, known: hearing.Hearing, gateways: Mapping[tuple[str, str], GatewayRow], now: datetime) -> None:
        self._known = known
        self._gateways = gateways
        self._now = now
        self._deaf_since = known.until if known.until is not None and now - known.until > DEAF_AFTER else None

    @classmethod
    async def of(cls, tx: Transaction, now: datetime) -> "Ears":
        """Look it up."""
        return cls(await hearing.load(tx), await registry.gateways(tx), now)

    def hear(self, device: Device) -> bool:
        """Say whether anything that a device said now would be heard: by one of its gateways at least."""
        states = [self._gateways[one].state for one in self._behind(device)]
        return self._deaf_since is None and (not states or any(state != "offline" for state in states))

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
        of_source = [one for one in self._gateways if one[0] == device.source]
        own = [one for one in of_source if one[1] and device.name.startswith(f"{one[1]}/")]
        return own or of_source


async def note(core: Core) -> None:
    """Note that the broker is heard now. To be called every NOTE_EVERY_S for as long as it is."""
    async with core.database.write() as tx:
        await hearing.listens(tx, core.now(), at_least=DEAF_AFTER)
