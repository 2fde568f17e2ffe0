"""How long an alarm takes to the provider, and a burst with many of them."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from benchmarks.communities import address
from benchmarks.messages import HOMES, Sent, Trial
from benchmarks.processes import TrialError
from benchmarks.report import Figure
from rules.sms import shorten_address

_KINDS: Final = ("gas", "smoke", "carbon_monoxide")
_ADDRESS: Final = re.compile(r"长宁路\d+(?:号院\d+栋|院\d+-)\d{3}")
_SETTLES_S: Final = 10.0
#: Addresses as they stand in a text about one home, and in one about several.
_HOME_AT: Final = {
    shown: f"h{number:06d}" for number in range(HOMES) for shown in (address(number), shorten_address(address(number)))
}


def latency(folder: Path, *, rates: tuple[int, ...], seconds: int, alarms: int) -> Iterator[Figure]:
    """From the alarm being published to the request at the provider, under different loads."""
    for rate in rates:
        with Trial.begin(folder / f"latency-{rate}", "shouwang") as trial:
            trial.load.prepare(do="steady", rate=rate, seconds=seconds, alarms=alarms, marker="closed")
            sent = trial.send("closed")
            arrived = _arrived(trial, sent)
            trial.check()
            taken = [(arrived[device]["arrived"] - at) * 1e3 for device, at in sent.alarms.items()]
            name = f"alarm to provider at {rate:,}/s"
            cuts = quantiles(taken, n=100, method="inclusive")
            yield Figure(name=f"{name}, p50", value=cuts[49], unit="ms")
            yield Figure(name=f"{name}, p99", value=cuts[98], unit="ms")
            yield Figure(name=f"{name}, first", value=taken[0], unit="ms")
            yield Figure(name=f"{name}, longest", value=max(taken), unit="ms")


def burst(folder: Path, *, count: int, alarms: int) -> Iterator[Figure]:
    """Very many messages at once, with alarms spread among them."""
    with Trial.begin(folder / "burst", "shouwang") as trial:
        trial.load.prepare(do="burst", count=count, alarms=alarms, marker="closed")
        sent = trial.send("closed")
        arrived = _arrived(trial, sent)
        trial.check()
        read_at = trial.service.read_at(_KINDS)
        waited = [datetime.fromisoformat(arrived[device]["at"]).timestamp() - read_at[device] for device in sent.alarms]
        yield Figure(name="burst: load's own time", value=sent.seconds, unit="s")
        yield Figure(name="burst: drained", value=sent.committed - sent.began, unit="s")
        yield Figure(name="burst: last alarm handed over after being read", value=max(waited), unit="s")
        last = max(arrived[device]["arrived"] for device in sent.alarms)
        yield Figure(name="burst: all alarms at the provider", value=last - sent.began, unit="s")


def homes_in(text: str) -> list[str]:
    """Give the ids of the homes that a text is about."""
    return [_HOME_AT.get(place, place) for place in _ADDRESS.findall(text)]


def _arrived(trial: Trial, sent: Sent) -> dict[str, dict[str, Any]]:
    """Give the request for the alarm of each device; every one of them must be there, once."""
    found: dict[str, dict[str, Any]] = {}
    for request in trial.provider.wait_for(lambda body: len(homes_in(body)), len(sent.alarms), within_s=_SETTLES_S):
        for home in homes_in(request["params"]["Body"]):
            if home in found:
                raise TrialError(f"a text that is the second about a home: {request['params']['Body']}")
            found[home] = request
    return {device: found[device.rpartition("-")[0]] for device in sent.alarms}
