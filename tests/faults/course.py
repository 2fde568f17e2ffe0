"""How answers made an incident go, by what people were told: who has it, since when, and who cannot go. Pure.

Two people may answer at the same moment, and which of them came first shows in what they were told. So answers whose
times overlap are tried in each order until one agrees with all that was said.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from math import inf

from tests.faults.ledger import Ledger, Reply, Seen

#: More answers to one home than these are taken in the order in which they were taken in.
_ORDERED_AT_MOST = 6


@dataclass(slots=True, kw_only=True)
class Turn:
    """Somebody has it: from when the service had said so, until when they said that they cannot go."""

    worker: str
    since: float
    until: float = inf


@dataclass(slots=True, kw_only=True)
class Declined:
    """Somebody cannot go, and it is nobody's now: others must be told."""

    reply: Reply
    #: Who is left: the numbers that have not said so.
    left: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Course:
    """What became of one incident by its answers."""

    owner: str | None = None
    closed: bool = False
    turns: list[Turn] = field(default_factory=list)
    declines: list[Declined] = field(default_factory=list)
    #: From when somebody is not to be asked (any more), by number; until when, where they went after all.
    spared: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: What does not fit together, in a sentence.
    conflict: str | None = None

    def is_answered(self) -> bool:
        """Whether nobody need be told any more."""
        return self.closed or self.owner is not None

    def has_turn(self, at: float, slack_s: float) -> Turn | None:
        """Give who had it at a time, for longer than `slack_s` already."""
        return next((one for one in self.turns if one.since + slack_s < at < one.until), None)


def courses(ledger: Ledger) -> dict[int, Course]:
    """Give the course of each home; where several would do, one that agrees with how it ended, if that is known."""
    seen = {one.home: one for one in ledger.incidents}
    replies: dict[int, list[Reply]] = defaultdict(list)
    for one in ledger.replies:
        replies[one.home].append(one)
    return {home: _course(replies[home], people, seen.get(home)) for home, people in ledger.people.items()}


def _course(replies: Sequence[Reply], people: Sequence[str], seen: Seen | None) -> Course:
    first: Course | None = None
    for order in _orders(sorted(replies, key=lambda one: one.taken_at)):
        made = _follow(order, people)
        if made.conflict is None and (seen is None or _agrees(made, seen)):
            return made
        if first is None or (first.conflict is not None and made.conflict is None):
            first = made
    return first or Course()


def _agrees(made: Course, seen: Seen) -> bool:
    return made.closed == (seen.state == "resolved") and (made.closed or made.owner == seen.answered_by)


def _orders(replies: Sequence[Reply]) -> Iterator[Sequence[Reply]]:
    yield replies
    if len(replies) < 2 or len(replies) > _ORDERED_AT_MOST:
        return
    for order in permutations(replies):
        if all(one.said_at <= other.taken_at for number, other in enumerate(order) for one in order[:number]):
            yield order


def _follow(order: Sequence[Reply], people: Sequence[str]) -> Course:
    made = Course()
    for one in order:
        _take(made, one, people)
    return made


def _take(made: Course, one: Reply, people: Sequence[str]) -> None:
    match one.said, one.verdict:
        case "go", "mine":
            if made.closed or made.owner not in {None, one.worker}:
                made.conflict = f"{one.worker} was told it is theirs, and it was {made.owner}'s"
            _has_it(made, one)
        case "arrived", "there":
            if made.closed:
                made.conflict = f"{one.worker} was told they are there, and it was closed"
            _has_it(made, one)
        case "cannot go", "other" if one.worker == made.owner:
            pass  # Who is there already cannot say so any more.
        case "cannot go", "declined" | "declined before" | "other":
            _declined(made, one, people)
        # Where somebody had closed it, it may have been the same person, who heard no answer.
        case "outcome", "closed" | "other":
            _let_go(made, one)
            made.turns.append(Turn(worker=one.worker, since=one.taken_at))
            made.closed = True
        case _:
            pass


def _has_it(made: Course, one: Reply) -> None:
    since, _ = made.spared.get(one.number, (inf, inf))
    if since < inf:
        made.spared[one.number] = (since, one.said_at)
    if made.owner != one.worker:
        if made.owner is None:
            made.turns.append(Turn(worker=one.worker, since=one.taken_at))
        made.owner = one.worker


def _declined(made: Course, one: Reply, people: Sequence[str]) -> None:
    if one.verdict == "declined before" and made.spared.get(one.number, (0.0, 0.0))[1] == inf:
        return  # Said once more: the others were told the first time.
    made.spared[one.number] = (one.taken_at, inf)
    if made.owner == one.worker:
        _let_go(made, one)
        made.owner = None
    elif made.owner is not None:
        if one.verdict == "declined":
            made.conflict = f"{one.worker} was told that others are told, and it was {made.owner}'s"
        return
    if one.verdict == "other" or made.closed:
        return
    left = frozenset(number for number in people if made.spared.get(number, (0.0, 0.0))[1] < inf)
    made.declines.append(Declined(reply=one, left=left))


def _let_go(made: Course, one: Reply) -> None:
    if made.turns and made.turns[-1].until == inf:
        made.turns[-1].until = one.said_at
