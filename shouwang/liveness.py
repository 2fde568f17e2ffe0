"""What is known of gateways and of the devices behind them, gathered to be decided on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from rules.decisions import DueKind, SetDue
from rules.engine import Engine
from rules.liveness import Outage, subject
from rules.watch import GATEWAY
from shouwang.hearing import Ears
from store import due, findings, registry
from store.database import Transaction


class Found(NamedTuple):
    """A gateway, and the homes that can be heard through nothing else, or could not be while it was off."""

    outage: Outage
    homes: Sequence[str]


async def outage(tx: Transaction, source_id: str, name: str, ears: Ears) -> Found:
    """Gather what is to be known of a gateway.

    It is raised in the home that its source names; one with devices of its own name in the home of the first of them,
    for such a source has gateways in many homes; one without either in the home of the source's first device.
    """
    source = await registry.source(tx, source_id)
    if source is None:
        return Found(Outage(source_id, name, None, None), ())
    since, others_hear = ears.outage(source_id, name)
    homes, devices = await registry.behind(tx, source_id, name) if name else ([], 0)
    home_id = homes[0] if homes else source.home
    if not homes:
        homes, devices = await registry.behind(tx, source_id)
        home_id = home_id or (homes[0] if homes else None)
        if others_hear and since is not None:
            homes, devices = [], 0
    if home_id is not None and home_id not in await registry.homes(tx, [home_id]):
        home_id = homes[0] if homes else None
    return Found(Outage(source_id, name, since, home_id, len(homes), devices), homes)


def gateway_said(source: str, name: str, at: datetime) -> SetDue:
    """Let it be looked at what follows from a gateway's having gone or come back."""
    return SetDue(kind=DueKind.GATEWAY, subject=subject(source, name), due_at=at)


async def look_again(tx: Transaction, now: datetime) -> None:
    """Let every gateway that is off, or is said to be, be looked at: rules or sources have changed."""
    off = {subject(*one) for one, row in (await registry.gateways(tx)).items() if row.state == "offline"}
    off |= await findings.subjects_of(tx, GATEWAY)
    await due.put(tx, [SetDue(kind=DueKind.GATEWAY, subject=one, due_at=now) for one in sorted(off)])


async def watch_said(tx: Transaction, engine: Engine, now: datetime) -> None:
    """Watch the devices of which only their gateways say how often they speak: there may be new ones."""
    async for devices in registry.devices_by_word(tx):
        await due.put_absent(tx, engine.watch_due(devices, now))


def says_heartbeats(
    definitions: Mapping[str, Any] | None, learnt: Mapping[str, Mapping[str, Any] | None] | None
) -> bool:
    """Say whether definitions may change how often devices are expected to speak."""
    said = () if learnt is None else learnt.values()
    return definitions is not None or any(one is not None and registry.HEARTBEAT in one for one in said)


async def heed_heartbeats(tx: Transaction, source: str, before: dict[str, int], engine: Engine, now: datetime) -> bool:
    """Watch devices of which something new was said of how often they speak; say whether there were any."""
    after = await registry.said_heartbeats(tx, source)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if not changed:
        return False
    devices = await registry.devices_named(tx, [(source, name) for name in changed])
    await due.put_absent(tx, engine.watch_due(devices.values(), now))
    return True
