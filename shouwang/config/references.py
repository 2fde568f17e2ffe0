"""What one entry says of another: ids that must be there, ids that must not be there twice, and how things must fit."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from ingest.decoded import ANYWHERE
from rules.community import Grid, GridLevel, Source, Worker
from rules.rulebook import Policy, Rule
from shouwang.config.entries import Household
from shouwang.config.layout_entries import JSON, path_problem
from shouwang.config.notes import At
from shouwang.config.problems import listed, nearest
from shouwang.config.reading import Item, Reading
from shouwang.config.vocabulary import ROLES_TO

#: From the top of the tree down; a part must be below its whole.
_RANK: Final = {
    GridLevel.CITY: 0,
    GridLevel.DISTRICT: 1,
    GridLevel.STREET: 2,
    GridLevel.COMMUNITY: 3,
    GridLevel.GENERAL: 4,
    GridLevel.MICRO: 5,
    GridLevel.EXCLUSIVE: 5,
}
#: The dialect whose topics name the home.
OWN_DIALECT: Final = "shouwang"
#: So many ids are listed where nothing similar is known.
_FEW: Final = 8


class References:
    """Checks everything that has been read against everything else."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._wrong = reading.notes.add
        #: The same wrong id may stand in many homes, and looking for a similar one takes a while.
        self._absent: dict[tuple[str, str], str] = {}

    def check(self) -> None:
        """Take down whatever does not fit."""
        for section in ("sources", "grids", "workers", "homes", "rules", "plans", "policies"):
            self._unique(section, ((item.id, item.at("id")) for item in self._items(section) if item.id))
        self._sources()
        self._grids()
        self._workers()
        self._homes()
        self._rules()
        self._policies()

    def _items(self, section: str) -> list[Item]:
        return self._reading.items.get(section, [])

    def _known(self, section: str) -> set[str] | None:
        """The ids of a section; None where not all of it could be read, so that nothing can be said."""
        if section not in self._reading.items or section in self._reading.incomplete:
            return None
        return {item.id for item in self._items(section)}

    def _unique(self, what: str, entries: Iterable[tuple[str, At]]) -> None:
        seen: dict[str, At] = {}
        for identity, at in entries:
            first = seen.setdefault(identity, at)
            if first is not at:
                self._wrong(at, f"the id '{identity}' is taken by another of the {what}", other=first)

    def _missing(self, what: str, identity: str, known: AbstractSet[str] | None) -> str | None:
        """Say that there is no such id; None where there is."""
        if known is None or identity in known:
            return None
        sentence = self._absent.get((what, identity))
        if sentence is None:
            sentence = self._absent[what, identity] = _absent(what, identity, known)
        return sentence

    def _sources(self) -> None:
        seen: list[tuple[str, At]] = []
        anywhere: dict[str, At] = {}
        homes = self._known("homes")
        for item in self._items("sources"):
            source: Source | None = item.value
            if source is None:
                continue
            if source.home is not None and (sentence := self._missing("home", source.home, homes)):
                self._wrong(item.at("home"), sentence)
            at = item.at("base")
            for mine in (source.base, *source.more):
                if mine == ANYWHERE:
                    # Those of different dialects tell their topics apart by how they end.
                    if (first := anywhere.setdefault(source.dialect, at)) is not at:
                        self._wrong(at, f"another source has every '{source.dialect}' device already", other=first)
                    continue
                for base, other in seen:
                    if f"{base}/".startswith(f"{mine}/") or f"{mine}/".startswith(f"{base}/"):
                        message = f"'{mine}' overlaps with '{base}': messages would be read twice"
                        self._wrong(at, message, other=other)
                seen.append((mine, at))

    def _grids(self) -> None:
        known = self._known("grids")
        grids: dict[str, Grid] = {item.id: item.value for item in self._items("grids") if item.value is not None}
        in_a_ring: set[str] = set()
        for item in self._items("grids"):
            grid: Grid | None = item.value
            if grid is None or grid.parent is None or grid.id in in_a_ring:
                continue
            above = grids.get(grid.parent)
            if sentence := self._missing("grid", grid.parent, known):
                self._wrong(item.at("parent"), sentence)
            elif ring := _ring(grid, grids):
                in_a_ring.update(ring)
                self._wrong(item.at("parent"), f"the grids {', '.join(ring)} would be parts of one another")
            elif above is not None and _RANK[above.level] >= _RANK[grid.level]:
                message = f"a {grid.level} grid cannot be a part of '{above.id}', which is a {above.level} grid"
                self._wrong(item.at("parent"), message)

    def _workers(self) -> None:
        grids, workers = self._known("grids"), self._known("workers")
        both = None if grids is None or workers is None else grids | workers
        for item in self._items("workers"):
            worker: Worker | None = item.value
            if grids is not None and item.id in grids:
                self._wrong(item.at("id"), f"the id '{item.id}' is taken by a grid; backup_for could mean either")
            if worker is None:
                continue
            for number, grid in enumerate(worker.grids):
                if sentence := self._missing("grid", grid, grids):
                    self._wrong(item.at("grids", number), sentence)
            for number, other in enumerate(worker.backup_for):
                if other == worker.id:
                    self._wrong(item.at("backup_for", number), "nobody can stand in for themselves")
                if sentence := self._missing("worker or grid", other, both):
                    self._wrong(item.at("backup_for", number), sentence)

    def _homes(self) -> None:
        grids, sources = self._known("grids"), self._known("sources")
        own = {item.id for item in self._items("sources") if item.value and item.value.dialect == OWN_DIALECT}
        laid_out = {item.id for item in self._items("sources") if item.value and item.value.dialect == JSON}
        #: Of the first device with an id or name: its home and its number there. Places are made when one is needed.
        ids: dict[str, tuple[Item, int]] = {}
        names: dict[tuple[str, str], tuple[Item, int]] = {}
        for item in self._items("homes"):
            household: Household | None = item.value
            if household is None:
                continue
            if sentence := self._missing("grid", household.home.grid, grids):
                self._wrong(item.at("grid"), sentence)
            for number, device in enumerate(household.devices):
                here = (item, number)
                if (first := ids.setdefault(device.id, here)) is not here:
                    message = f"the id '{device.id}' is taken by another of the devices"
                    self._wrong(item.at("devices", number, "id"), message, other=_device_at(first, "id"))
                elif (first := names.setdefault((device.source, device.name), here)) is not here:
                    message = f"'{device.name}' of source '{device.source}' is another device already"
                    self._wrong(item.at("devices", number, "name"), message, other=_device_at(first, "name"))
                if device.source in own and "/" in device.name and not device.name.startswith(f"{item.id}/"):
                    message = f"in this dialect '{device.name}' is a device of another home than '{item.id}'"
                    self._wrong(item.at("devices", number, "name"), message)
                if sentence := self._missing("source", device.source, sources):
                    self._wrong(item.at("devices", number, "source"), sentence)
                for field in (device.map or ()) if device.source in laid_out else ():
                    if sentence := path_problem(field):
                        self._wrong(item.at("devices", number, "map", field), sentence)

    def _rules(self) -> None:
        plans, policies = self._known("plans"), self._known("policies")
        for item in self._items("rules"):
            rule: Rule | None = item.value
            if rule is None:
                continue
            if sentence := self._missing("plan", rule.plan, plans):
                self._wrong(item.at("plan"), sentence)
            if sentence := self._missing("policy", rule.policy, policies):
                self._wrong(item.at("policy"), sentence)

    def _policies(self) -> None:
        workers = self._known("workers")
        known = None if workers is None else ROLES_TO | workers
        for item in self._items("policies"):
            policy: Policy | None = item.value
            if policy is None:
                continue
            for step_number, step in enumerate(policy.steps):
                for number, name in enumerate(step.to):
                    if sentence := self._missing("worker", name, known):
                        self._wrong(item.at("steps", step_number, "to", number), sentence)


def _absent(what: str, identity: str, known: AbstractSet[str]) -> str:
    meant = nearest(identity, known)
    if meant is not None:
        return f"there is no {what} '{identity}'; did you mean '{meant}'?"
    if not known:
        return f"there is no {what} '{identity}'"
    return f"there is no {what} '{identity}'; there are: {listed(sorted(known), shown=_FEW)}"


def _ring(grid: Grid, grids: dict[str, Grid]) -> list[str]:
    """The grids through which this one would be a part of itself; none if it is not."""
    passed: list[str] = []
    step: Grid | None = grid
    while step is not None and step.id not in passed:
        passed.append(step.id)
        if step.parent == grid.id:
            return passed
        step = grids.get(step.parent or "")
    return []


def _device_at(where: tuple[Item, int], key: str) -> At:
    item, number = where
    return item.at("devices", number, key)
