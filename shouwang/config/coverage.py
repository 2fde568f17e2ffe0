"""What is allowed and yet probably not meant: hours without anybody on duty, devices that die unseen.

Pure: values in, remarks out. Remarks are grouped, because a hole in a roster concerns every home of a grid at once.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from rules.community import Device, Grid, Home, Registry, Role, Worker
from rules.readings import LIFE_SAFETY_KINDS
from rules.rulebook import (
    Absent,
    GatewayOffline,
    Offline,
    Rule,
    Rulebook,
    Severity,
    StateIs,
    Threshold,
    Untested,
    Unwatched,
)
from shouwang.config.hours import gaps, in_words
from shouwang.config.places import Loc
from shouwang.config.problems import listed
from shouwang.config.scalars import is_landline
from shouwang.config.vocabulary import source_of

#: An SMS (70 characters) has room for so much of an address beside person, kind, first action and code.
LONGEST_ADDRESS: Final = 30
_HAZARD: Final = re.compile(r"\{hazards\.([^{}]*)\}")


class Remark(NamedTuple):
    """Something worth a warning, about an entry of a section."""

    section: str
    id: str
    message: str
    #: Where in the entry.
    loc: Loc = ()


def coverage(registry: Registry, rulebook: Rulebook, mask: Callable[[str], str]) -> list[Remark]:
    """Look for holes; `mask` makes a phone number fit to be shown."""
    return [
        *_Roster(registry, rulebook).remarks(),
        *_workers(registry.workers, mask),
        *_homes(registry),
        *_rules(registry, rulebook),
        *_hazards(registry, rulebook),
    ]


class _Roster:
    """Who answers for the homes, grid by grid."""

    def __init__(self, registry: Registry, rulebook: Rulebook) -> None:
        self._grids = {grid.id: grid for grid in registry.grids}
        self._homes = Counter(home.grid for home in registry.homes)
        self._told = {name for policy in rulebook.policies.values() for step in policy.steps for name in step.to}
        self._of: dict[str, list[Worker]] = {}
        self._for: dict[str, list[Worker]] = {}
        for worker in registry.workers:
            for grid in worker.grids:
                self._of.setdefault(grid, []).append(worker)
            for other in worker.backup_for:
                self._for.setdefault(other, []).append(worker)

    def remarks(self) -> Iterator[Remark]:
        """What is missing, and in which grids; one remark for all the grids that lack the same."""
        lacking: dict[str, list[str]] = {}
        for grid_id in self._homes:
            for message in self._lacks(self._chain(grid_id)):
                lacking.setdefault(message, []).append(grid_id)
        for message, grids in lacking.items():
            homes = _count(sum(self._homes[grid] for grid in grids), "home")
            yield Remark("grids", grids[0], f"{message} ({homes} in {listed(grids)})")

    def _lacks(self, chain: list[Grid]) -> Iterator[str]:
        team = self._team(chain)
        if not team:
            yield "nobody answers for this grid, nor for any grid above it"
            return
        if nobody := _off_duty(team):
            yield f"nobody is on duty {nobody}"
        elif nobody := _off_duty([worker for worker in team if worker.role is not Role.DESK]):
            yield f"nobody but the desk is on duty {nobody}"
        if "desk" in self._told and not any(worker.role is Role.DESK for grid in chain for worker in self._in(grid)):
            yield "no worker of role desk answers for this grid; steps to `desk` go to whoever is assigned"
        if "backup" in self._told and not self._stand_ins(chain[0]):
            yield "nobody stands in (backup_for) for this grid or its people; steps to `backup` reach nobody"

    def _chain(self, grid_id: str) -> list[Grid]:
        chain: list[Grid] = []
        grid = self._grids.get(grid_id)
        while grid is not None and grid not in chain:
            chain.append(grid)
            grid = self._grids.get(grid.parent or "")
        return chain

    def _in(self, grid: Grid) -> list[Worker]:
        return self._of.get(grid.id, [])

    def _team(self, chain: list[Grid]) -> list[Worker]:
        """Everybody who may be told of a home below this chain of grids."""
        team = {worker.id: worker for grid in chain for worker in self._in(grid)}
        names = [*team, *(grid.id for grid in chain)]
        team |= {worker.id: worker for name in names for worker in self._for.get(name, [])}
        return list(team.values())

    def _stand_ins(self, grid: Grid) -> list[Worker]:
        own = self._in(grid)
        return [worker for name in [grid.id, *(one.id for one in own)] for worker in self._for.get(name, [])]


def _off_duty(workers: Iterable[Worker]) -> str:
    """The hours at which none of these is on duty, in words; empty where somebody always is."""
    team = list(workers)
    if any(not worker.shifts for worker in team):
        return ""
    return in_words(gaps(shift for worker in team for shift in worker.shifts))


def _workers(workers: Iterable[Worker], mask: Callable[[str], str]) -> Iterator[Remark]:
    phones: dict[str, Worker] = {}
    for worker in workers:
        for number, method in enumerate(worker.contact):
            if method.channel not in {"sms", "voice"}:
                continue
            loc = ("contact", number, method.channel)
            other = phones.setdefault(method.address, worker)
            if other is not worker:
                message = f"{mask(method.address)} is also the number of '{other.id}'; replies could come from either"
                yield Remark("workers", worker.id, message, loc)
            if method.channel == "sms" and is_landline(method.address):
                message = f"{mask(method.address)} is a landline and takes no text messages"
                yield Remark("workers", worker.id, message, loc)


def _homes(registry: Registry) -> Iterator[Remark]:
    equipped = {device.home_id for device in registry.devices}
    empty = [home.id for home in registry.homes if home.id not in equipped]
    if empty:
        yield Remark("homes", empty[0], f"{_count(len(empty), 'home')} without any device: {listed(empty)}")
    long = [home.id for home in registry.homes if len(home.address) > LONGEST_ADDRESS]
    if long:
        message = f"addresses of more than {LONGEST_ADDRESS} characters are shortened in an SMS: {listed(long)}"
        yield Remark("homes", long[0], message, ("address",))
    guards = [one for one in registry.devices if one.heartbeat_s is None and one.kind in LIFE_SAFETY_KINDS]
    if guards:
        concerned = list(dict.fromkeys(one.home_id for one in guards))
        message = (
            f"{_count(len(concerned), 'home')} with a life-safety device that has no heartbeat: nobody notices when it"
            f" is dead, unless its gateway says how it is powered: {listed(concerned)}"
        )
        yield Remark("homes", concerned[0], message, ("devices",))
    silent = [device for device in registry.devices if device.heartbeat_s is None]
    if silent:
        names = listed(device.id for device in silent)
        message = f"{_count(len(silent), 'device')} without a heartbeat, so that nobody notices when they die: {names}"
        yield Remark("homes", silent[0].home_id, message, ("devices",))


def _rules(registry: Registry, rulebook: Rulebook) -> Iterator[Remark]:
    kinds = {device.kind for device in registry.devices}
    for rule in rulebook.rules:
        needed = _needed_kind(rule)
        if needed is not None and needed not in kinds:
            message = f"no home has a device of kind {needed}, so that this rule never fires"
            yield Remark("rules", rule.id, message, ("when",))
        policy = rulebook.policies.get(rule.policy)
        if rule.severity is Severity.CRITICAL and policy and not any("voice" in step.by for step in policy.steps):
            message = f"this rule is critical, and '{policy.id}' calls nobody by voice; a text wakes nobody at night"
            yield Remark("rules", rule.id, message, ("policy",))
    watched = any(device.heartbeat_s is not None for device in registry.devices)
    if rulebook.rules and watched and not any(isinstance(rule.when, Offline | Unwatched) for rule in rulebook.rules):
        message = "no rule looks for silent devices (`when: {offline: device}`), so that heartbeats are watched in vain"
        yield Remark("rules", rulebook.rules[0].id, message)
    for name in rulebook.plans.keys() - {rule.plan for rule in rulebook.rules}:
        yield Remark("plans", name, "no rule names this plan")
    for name in rulebook.policies.keys() - {rule.policy for rule in rulebook.rules}:
        yield Remark("policies", name, "no rule names this policy")


def _needed_kind(rule: Rule) -> str | None:
    match rule.when:
        case StateIs(kind=kind) | Threshold(kind=kind) | Absent(kind=kind):
            return source_of(kind)
        case Offline() | GatewayOffline() | Unwatched() | Untested():
            return None


def _hazards(registry: Registry, rulebook: Rulebook) -> Iterator[Remark]:
    """Plans that name something of which a home says nothing."""
    homes = {home.id: home for home in registry.homes}
    devices: dict[str, list[Device]] = {}
    for device in registry.devices:
        devices.setdefault(device.kind, []).append(device)
    said: set[tuple[str, str]] = set()
    for rule in rulebook.rules:
        plan, kind = rulebook.plans.get(rule.plan), _needed_kind(rule)
        if plan is None or kind is None:
            continue
        concerned = [home for device in devices.get(kind, []) if (home := homes.get(device.home_id)) is not None]
        for hazard in dict.fromkeys(_HAZARD.findall(" ".join((plan.first, *plan.steps)))):
            silent = _without(hazard, concerned)
            if silent and (plan.id, hazard) not in said:
                said.add((plan.id, hazard))
                message = f"{{hazards.{hazard}}} is not known of {_count(len(silent), 'home')} with a {kind} device"
                yield Remark("plans", plan.id, f"{message}: {listed(silent)}")


def _without(hazard: str, homes: Iterable[Home]) -> list[str]:
    return list(dict.fromkeys(home.id for home in homes if hazard not in home.hazards))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
