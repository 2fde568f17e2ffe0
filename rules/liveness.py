"""Whether a home is watched over: which of its devices give no sign of life, since when, and as far as is known why.

A gateway that is off is one cause, however many devices are behind it, and a rule on it raises one finding for it. What
is behind it is not called silent meanwhile, nor quiet; but neither is it called watched over.
"""

from collections.abc import Collection, Container, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from rules.community import Device
from rules.conditions import States, life, silent_at
from rules.decisions import CancelDue, DueKind, Finding, FindingEvent, SetDue
from rules.hearing import Gap, credited, not_before
from rules.watch import GATEWAY, LOOK_AGAIN, UNWATCHED, Evaluation, Rulings, Standing

_NO_GRACE = timedelta()


class Audible(NamedTuple):
    """What is known of hearing one device."""

    #: Since when nothing that it says could be heard, because all its gateways, or we, are off; None: it could be.
    deaf_since: datetime | None = None
    #: When it could not be heard, now included.
    gaps: Collection[Gap] = ()
    #: When it could be heard again last.
    back_at: datetime | None = None
    #: It is the service itself that hears nothing.
    ours: bool = False


class Cause(StrEnum):
    """Why a device gives no sign of life."""

    #: It has missed its heartbeats.
    SILENT = "silent"
    #: Its gateway, or the broker for it, has called it offline.
    OFFLINE = "offline"
    #: Whatever it may say, its gateway does not hand it on.
    GATEWAY = "gateway"
    #: Whatever it may say, the service does not hear it.
    SERVICE = "service"
    #: It has never been heard of.
    NEVER = "never_heard"


class Silence(NamedTuple):
    """A device that gives no sign of life."""

    device: Device
    cause: Cause
    #: Until when there was one; None: there has never been any.
    since: datetime | None
    #: From when that counts: when the missed heartbeats were enough. None where `since` is.
    counts_from: datetime | None


class Outage(NamedTuple):
    """What is to be known of a gateway to decide on it."""

    source: str
    #: Empty where the source is one gateway.
    name: str
    #: Since when it has been off; None: it is not.
    since: datetime | None
    #: The home in which it is raised; None where there is none to raise it in.
    home_id: str | None
    #: What can be heard through nothing else.
    homes: int = 0
    devices: int = 0

    @property
    def subject(self) -> str:
        """Name it: `<source>/<gateway>`; ids of devices and homes hold no slash."""
        return subject(self.source, self.name)


def subject(source: str, name: str) -> str:
    """Name a gateway in findings and due times."""
    return f"{source}/{name}"


def silence(device: Device, *, states: States, audible: Audible, now: datetime) -> Silence | None:
    """Say whether a device gives no sign of life at `now`; None where it does, as far as it has promised any.

    A device that is expected to sleep is not offline. One without a heartbeat has promised nothing: once it has been
    heard, only its gateway can say that it is gone.
    """
    alive = life(device.id, states)
    if device.heartbeat_s is not None and alive.seen is not None:
        counted = alive._replace(
            seen=credited(alive.seen, audible.gaps, now),
            offline_since=credited(alive.offline_since, audible.gaps, now) if alive.offline_since else None,
        )
        moment = silent_at(device, counted, _NO_GRACE)
        moment = None if moment is None else not_before(moment, audible.back_at)
        if moment is not None and moment <= now:
            cause = Cause.OFFLINE if alive.offline_since is not None else Cause.SILENT
            return Silence(device, cause, alive.offline_since or alive.seen, moment)
    elif device.heartbeat_s is None and alive.offline_since is not None and audible.deaf_since is None:
        return Silence(device, Cause.OFFLINE, alive.offline_since, alive.offline_since)
    elif not alive.heard:
        return Silence(device, Cause.NEVER, None, None)
    if audible.deaf_since is not None:
        cause = Cause.SERVICE if audible.ours else Cause.GATEWAY
        return Silence(device, cause, audible.deaf_since, audible.deaf_since)
    return None


def silences(
    devices: Iterable[Device], *, states: States, audible: Mapping[str, Audible], now: datetime
) -> list[Silence]:
    """Give the devices of a home that give no sign of life, by id; a home without any is watched over."""
    nothing = Audible()
    found = (
        silence(device, states=states, audible=audible.get(device.id, nothing), now=now)
        for device in sorted(devices, key=lambda one: one.id)
    )
    return [one for one in found if one is not None]


def unwatched_since(found: Iterable[Silence]) -> datetime | None:
    """Give since when not all of a home is watched over; None where nothing of it ever was, or all of it is."""
    return min((one.since for one in found if one.since is not None), default=None)


def unwatched_due(
    rulings: Rulings,
    rule_id: str,
    home_id: str,
    *,
    devices: Collection[Device],
    states: States,
    standing: Standing,
    away: Container[str],
    now: datetime,
    audible: Mapping[str, Audible],
) -> Evaluation:
    """Say what follows when a home may have lost, or found again, somebody to watch over it.

    What was never heard of and has promised nothing shows in lists, and wakes no rule: it may not be there yet.
    """
    key = f"{rule_id}/{home_id}"
    over = Evaluation(due=[CancelDue(kind=DueKind.UNWATCHED, subject=key)])
    rule, condition = next((one for one in rulings.unwatched if one[0].id == rule_id), (None, None))
    if rule is None or condition is None:
        return over
    if any(one.ours for one in audible.values()):
        # What there was to hear comes as soon as we hear again.
        return Evaluation(due=[SetDue(kind=DueKind.UNWATCHED, subject=key, due_at=now + LOOK_AGAIN)])
    found = silences(devices, states=states, audible=audible, now=now)
    found = [one for one in found if one.cause is not Cause.NEVER or one.device.heartbeat_s is not None]
    stands = standing.get((rule_id, home_id))

    def finding(event: FindingEvent, reason: str) -> Finding:
        return Finding(
            event=event, rule_id=rule_id, home_id=home_id, device_id=None, kind=UNWATCHED, at=now, reason=reason
        )

    if not found:
        if stands is None:
            return over
        return Evaluation(findings=[finding(FindingEvent.CLEARED, rulings.reasons.watched_again())], due=over.due)
    if stands is not None:
        return over
    if "away" in rule.unless and home_id in away:
        return Evaluation(due=[SetDue(kind=DueKind.UNWATCHED, subject=key, due_at=now + LOOK_AGAIN)])
    due_at = min(one.counts_from or now for one in found) + timedelta(seconds=condition.hold_s)
    if due_at > now and not any(one.counts_from is None for one in found):
        return Evaluation(due=[SetDue(kind=DueKind.UNWATCHED, subject=key, due_at=due_at)])
    since = unwatched_since(found)
    reason = rulings.reasons.unwatched(
        [(one.device, str(one.cause)) for one in found], None if since is None else now - since
    )
    return Evaluation(findings=[finding(FindingEvent.RAISED, reason)], due=over.due)


def gateway_due(rulings: Rulings, outage: Outage, *, standing: Standing, now: datetime) -> Evaluation:
    """Say what follows when a gateway has gone or come back: one finding, however many devices are behind it."""
    key = outage.subject
    findings: list[Finding] = []
    looks: list[datetime] = []
    for rule, condition in rulings.gateways:
        stands = standing.get((rule.id, key))
        if outage.since is None:
            if stands is not None:
                findings.append(
                    Finding(
                        event=FindingEvent.CLEARED,
                        rule_id=rule.id,
                        home_id=stands.home_id,
                        device_id=None,
                        kind=GATEWAY,
                        at=now,
                        reason=rulings.reasons.gateway_back(outage.source, outage.name),
                        about=key,
                    )
                )
            continue
        due_at = outage.since + timedelta(seconds=condition.hold_s)
        if stands is not None or outage.home_id is None:
            continue
        if due_at > now:
            looks.append(due_at)
            continue
        findings.append(
            Finding(
                event=FindingEvent.RAISED,
                rule_id=rule.id,
                home_id=outage.home_id,
                device_id=None,
                kind=GATEWAY,
                at=now,
                reason=rulings.reasons.gateway(
                    outage.source, outage.name, now - outage.since, homes=outage.homes, devices=outage.devices
                ),
                about=key,
            )
        )
    due: list[SetDue | CancelDue] = (
        [SetDue(kind=DueKind.GATEWAY, subject=key, due_at=min(looks))]
        if looks
        else [CancelDue(kind=DueKind.GATEWAY, subject=key)]
    )
    return Evaluation(findings=findings, due=due)


def look_at_homes(rulings: Rulings, home_ids: Iterable[str], at: datetime, *, waits: bool) -> list[SetDue]:
    """Let somebody look whether homes are watched over: now, or (`waits`) once a rule has been true for its time."""
    return [
        SetDue(
            kind=DueKind.UNWATCHED,
            subject=f"{rule.id}/{home_id}",
            due_at=at + timedelta(seconds=condition.hold_s) if waits else at,
            if_absent=waits,
        )
        for rule, condition in rulings.unwatched
        for home_id in home_ids
    ]
