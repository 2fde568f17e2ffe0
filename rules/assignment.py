"""Who has to be told of a home at a moment: the words of a policy's steps, turned into people, with reasons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rules.community import ContactMethod, FamilyContact, Grid, GridLevel, Role, Worker
from rules.incident import Snapshot

#: How the ids of family begin; nobody else's does.
FAMILY = "family:"

#: The words a step may name people by; any other is a worker's id.
TARGETS = ("assigned", "backup", "general", "desk", "contacts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person a step reaches."""

    id: str
    name: str
    #: In order of preference; never empty.
    methods: tuple[ContactMethod, ...]
    #: False for family: they are told, and never asked to answer.
    asked: bool = True
    #: The word of the step that named this person.
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something about a choice of people that belongs into the journal."""

    event: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """People, each once, and what was remarkable about choosing them."""

    people: tuple[Recipient, ...]
    remarks: tuple[Remark, ...] = ()


def assign(targets: Iterable[str], snapshot: Snapshot, now: datetime) -> Assignment:
    """Turn the words of a step into people.

    Only people on duty at `now` (aware UTC) count. Where nobody of the home's own grid is, the nearest level up takes
    its place; where nobody at all is, the nearest people whatever their shift. Whoever has no contact method at all
    cannot be told and does not count.
    """
    roster = _Roster(snapshot, now)
    people: dict[str, Recipient] = {}
    remarks: list[Remark] = []
    for target in targets:
        chosen = roster.choose(target)
        remarks += chosen.remarks
        for person in chosen.people:
            # A worker who is also somebody's daughter is asked, whichever word comes first.
            if person.id not in people:
                people[person.id] = person
    return Assignment(people=tuple(people.values()), remarks=tuple(remarks))


def person(snapshot: Snapshot, worker_id: str) -> Recipient | None:
    """Find a worker of this incident by id, on duty or not; None where there is none who can be told anything."""
    for worker in snapshot.responsibility.workers:
        if worker.id == worker_id and worker.contact:
            return _recipient(worker, worker_id)
    return None


class _Roster:
    """The people around one home at one moment."""

    def __init__(self, snapshot: Snapshot, now: datetime) -> None:
        self._home = snapshot.home
        self._grids = snapshot.responsibility.grids
        self._workers = tuple(worker for worker in snapshot.responsibility.workers if worker.contact)
        self._now = now
        self._zone = ZoneInfo(snapshot.time_zone)

    def choose(self, target: str) -> Assignment:
        match target:
            case "assigned":
                return self._assigned()
            case "backup":
                return _assignment(self._backup(), target)
            case "general":
                return _assignment(self._general(), target)
            case "desk":
                return self._desk()
            case "contacts":
                return Assignment(people=self._family())
            case _:
                named = [worker for worker in self._on_duty(self._workers) if worker.id == target]
                return _assignment(named, target)

    def _assigned(self) -> Assignment:
        """Whoever is on duty in the home's grid, else in the nearest one above it that has somebody on duty."""
        levels = [(grid, self._of(grid)) for grid in self._grids]
        on_duty = [(grid, self._on_duty(workers)) for grid, workers in levels]
        if on_duty and on_duty[0][1]:
            return _assignment(on_duty[0][1], "assigned")
        wanted = self._grids[0].name if self._grids else self._home.grid
        for grid, workers in on_duty:
            if workers:
                remark = Remark(event="nobody_on_duty", detail={"wanted": wanted, "instead": grid.name})
                return _assignment(workers, "assigned", remark)
        # Nobody at all: better to wake the wrong person than nobody.
        nearest = next((workers for _, workers in levels if workers), self._workers)
        remark = Remark(event="nobody_on_duty_anywhere", detail={"wanted": wanted})
        return _assignment(nearest, "assigned", remark)

    def _backup(self) -> list[Worker]:
        """Whoever stands in for the home's grid, its people, or those who are assigned now; not those themselves."""
        assigned = {one.id for one in self._assigned().people}
        own = set(assigned)
        if self._grids:
            own.add(self._grids[0].id)
            own |= {worker.id for worker in self._of(self._grids[0])}
        stand_ins = [worker for worker in self._workers if not own.isdisjoint(worker.backup_for)]
        return [worker for worker in self._on_duty(stand_ins) if worker.id not in assigned]

    def _general(self) -> list[Worker]:
        """The people of the general grid above the home; of the nearest level up where there is no general grid."""
        general = next((grid for grid in self._grids if grid.level is GridLevel.GENERAL), None)
        for grid in (general,) if general else self._grids[1:]:
            workers = [worker for worker in self._of(grid) if worker.role is not Role.DESK]
            if general or workers:
                return self._on_duty(workers)
        return []

    def _desk(self) -> Assignment:
        """The nearest desk with somebody on duty, else any desk, else whoever would be assigned."""
        desks = [[worker for worker in self._of(grid) if worker.role is Role.DESK] for grid in self._grids]
        for desk in desks:
            if on_duty := self._on_duty(desk):
                return _assignment(on_duty, "desk")
        for desk in desks:
            if desk:
                return _assignment(desk, "desk", Remark(event="desk_off_duty"))
        instead = self._assigned()
        return _assignment_of(instead, Remark(event="no_desk"))

    def _family(self) -> tuple[Recipient, ...]:
        """Family who want to be told; one who is a worker here is that worker."""
        people = []
        for number, contact in enumerate(self._home.contacts):
            if contact.notify and contact.phone:
                people.append(self._worker_with(contact.phone) or self._relative(number, contact, contact.phone))
        return tuple(people)

    def _relative(self, number: int, contact: FamilyContact, phone: str) -> Recipient:
        methods = (ContactMethod(channel="sms", address=phone), ContactMethod(channel="voice", address=phone))
        identity = f"{FAMILY}{self._home.id}/{number}"
        return Recipient(id=identity, name=contact.name, methods=methods, asked=False, target="contacts")

    def _worker_with(self, phone: str) -> Recipient | None:
        for worker in self._workers:
            if any(method.address == phone for method in worker.contact):
                return _recipient(worker, "contacts")
        return None

    def _of(self, grid: Grid) -> list[Worker]:
        return [worker for worker in self._workers if grid.id in worker.grids]

    def _on_duty(self, workers: Iterable[Worker]) -> list[Worker]:
        return [
            worker
            for worker in workers
            if not worker.shifts or any(shift.contains(self._now, self._zone) for shift in worker.shifts)
        ]


def _recipient(worker: Worker, target: str) -> Recipient:
    return Recipient(id=worker.id, name=worker.name, methods=worker.contact, target=target)


def _assignment(workers: Sequence[Worker], target: str, *remarks: Remark) -> Assignment:
    return Assignment(people=tuple(_recipient(worker, target) for worker in workers), remarks=remarks)


def _assignment_of(other: Assignment, remark: Remark) -> Assignment:
    return Assignment(people=other.people, remarks=(remark, *other.remarks))
