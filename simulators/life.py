"""A day of ordinary life in a home, as its sensors see it. Pure: the same seed gives the same days.

Somebody gets up, moves about, goes out once to three times, comes back, goes to bed, and gets up in the night once or
twice. Beside that every sensor reports from time to time that nothing is wrong, and how its battery is.
"""

import heapq
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulators.community import SimDevice, SimHome

SHANGHAI = ZoneInfo("Asia/Shanghai")

#: What a kind of sensor says while all is well. A kind that is not here says nothing by itself.
CALM = {
    "gas": "clear",
    "smoke": "clear",
    "carbon_monoxide": "clear",
    "water_leak": "clear",
    "tamper": "clear",
    "contact": "closed",
    "motion": "clear",
    "presence": "clear",
    "vibration": "clear",
    "fall": "clear",
}
#: What it says when something is wrong, or somebody asks for help.
ALARM = {
    "gas": "alarm",
    "smoke": "alarm",
    "carbon_monoxide": "alarm",
    "water_leak": "alarm",
    "tamper": "alarm",
    "contact": "open",
    "motion": "detected",
    "presence": "detected",
    "vibration": "detected",
    "fall": "alarm",
    "sos": "pressed",
}
#: A device that registers no heartbeat reports about so often.
_HEARTBEAT_S = 3000
_STILL_S = 90


class Fact(NamedTuple):
    """Something a sensor has to say at a time; several facts of one moment go in one message."""

    at: datetime
    device: SimDevice
    kind: str
    state: str | None = None
    value: float | None = None
    unit: str | None = None
    #: Said because it is time to say something, not because anything has changed.
    routine: bool = False


def ordinary_life(
    homes: Sequence[SimHome], *, start: datetime, seed: int = 0, zone: ZoneInfo = SHANGHAI
) -> Iterator[Fact]:
    """Without end, all homes together, in order of time from `start` (aware) on."""
    return heapq.merge(*(_home(home, start, seed, zone) for home in homes), key=lambda fact: fact.at)


def _home(home: SimHome, start: datetime, seed: int, zone: ZoneInfo) -> Iterator[Fact]:
    today = start.astimezone(zone).date()
    while True:
        yield from (fact for fact in day(home, today, seed=seed, zone=zone) if fact.at >= start)
        today += timedelta(days=1)


def day(home: SimHome, today: date, *, seed: int = 0, zone: ZoneInfo = SHANGHAI) -> list[Fact]:
    """The facts of one local day of one home, in order of time."""
    random = Random(f"{seed}/{home.id}/{today.isoformat()}")
    midnight = datetime.combine(today, time(), zone).astimezone(tz=ZoneInfo("UTC"))

    def at(hours: float) -> datetime:
        return midnight + timedelta(hours=hours)

    up, to_bed = random.gauss(6.4, 0.3), random.gauss(21.5, 0.4)
    outings = _outings(random, up, to_bed)
    facts: list[Fact] = []
    for device in home.of_kind("contact"):
        for left, came in outings:
            for moment in (left, came):
                closed = at(moment) + timedelta(seconds=random.uniform(8, 40))
                facts += [Fact(at(moment), device, "contact", "open"), Fact(closed, device, "contact", "closed")]
    moving = [hour for hour in _moments(random, up, to_bed) if not any(left <= hour <= came for left, came in outings)]
    moving += [random.uniform(0.5, 4.5) for _ in range(random.randint(1, 2))]
    for kind in ("motion", "presence"):
        for device in home.of_kind(kind):
            for hour in sorted(moving):
                still = at(hour) + timedelta(seconds=_STILL_S)
                facts += [Fact(at(hour), device, kind, "detected"), Fact(still, device, kind, "clear")]
    for device in home.devices:
        facts += _reports(device, today, midnight, random, seed)
    facts.sort(key=lambda fact: fact.at)
    return facts


def _outings(random: Random, up: float, to_bed: float) -> list[tuple[float, float]]:
    """When somebody is out: hours of the day, not overlapping."""
    outings: list[tuple[float, float]] = []
    hour = up + random.uniform(0.7, 2.0)
    for _ in range(random.randint(1, 3)):
        back = hour + random.uniform(0.3, 2.0)
        if back > to_bed - 1:
            break
        outings.append((hour, back))
        hour = back + random.uniform(1.0, 4.0)
    return outings


def _moments(random: Random, first: float, last: float) -> Iterator[float]:
    hour = first
    while hour < last:
        yield hour
        hour += random.uniform(3, 25) / 60


def _reports(device: SimDevice, today: date, midnight: datetime, random: Random, seed: int) -> Iterator[Fact]:
    """Signs of life: two to three in each heartbeat, with the battery's level."""
    every_s = device.heartbeat_s or _HEARTBEAT_S
    charge = battery(device, today, seed=seed)
    moment = midnight + timedelta(seconds=random.uniform(0, every_s * 0.4))
    while moment < midnight + timedelta(days=1):
        if device.kind in CALM:
            yield Fact(moment, device, device.kind, CALM[device.kind], routine=True)
        yield Fact(moment, device, "battery", value=charge, unit="%", routine=True)
        moment += timedelta(seconds=random.uniform(0.35, 0.48) * every_s)


def battery(device: SimDevice, today: date, *, seed: int = 0) -> float:
    """The charge in per cent on a day: each device has its own, falling by a per cent in some weeks, then renewed."""
    random = Random(f"{seed}/{device.id}/battery")
    days_a_percent = random.uniform(5, 20)
    used = (today.toordinal() / days_a_percent + random.uniform(0, 70)) % 70
    return float(round(100 - used))
