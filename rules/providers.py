"""Which of several providers of one channel a message is handed to, by how they have done lately.

They are named in the order of preference; where many messages are under way to one, the next one helps out. One that
does badly is sick: messages go by another that is well, and now and then a single one that is no life-safety page tries
whether it has recovered. It gets all of them again by doing well, one try after the other, and is forgiven when nobody
has tried it for as long as anybody looks back.

A message that one provider has surely not taken is handed to another at once. One that it may have taken never is: that
is a doubt, and a doubt belongs to the provider at which it arose (invariant one-page).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.decisions import Priority

#: Older tries say nothing any more.
LOOK_BACK = timedelta(hours=1)

#: So many of the latest tries are looked at.
TRIES = 10

#: A provider is sick from this share of its tries on that speak against it, where there is one more that speaks for it
#: than there are: a single failure after an hour of silence makes it sick, one among five does not.
SICK_FROM = 0.4

#: How often, at the most, a sick provider gets a message to try.
TRIAL_EVERY = timedelta(seconds=30)

#: What a message counts that was taken and then did not arrive through no fault of the phone: by itself it may be the
#: carrier's, several of them are the provider's.
UNDELIVERED = 0.5

#: A request that has not been answered for this long counts as one that never will be. Nobody waits for the time-out.
SLOW_AFTER = timedelta(seconds=3)

#: With so many messages under way to one provider, the next ones go by another that is well: half of what is sent at a
#: time by one channel, so that a provider that hangs never holds up all of it.
FULL_FROM = 8

_WELL = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one provider of a channel has done lately."""

    #: The share of its tries that speak against it, 0 to 1.
    share: float = _WELL
    #: When it was handed anything last; None: not lately.
    last_at: datetime | None = None
    #: Messages that are under way to it now.
    under_way: int = 0

    @property
    def is_full(self) -> bool:
        """Whether enough is under way to it."""
        return self.under_way >= FULL_FROM

    @property
    def is_sick(self) -> bool:
        """Whether it is to be spared."""
        return self.share >= SICK_FROM


def health(
    against: Sequence[float], last_at: datetime | None, *, under_way: Sequence[datetime] = (), now: datetime
) -> Health:
    """Judge by the latest tries, each counted from 0 (nothing to say against it) to 1 (refused, or never answered).

    `last_at` is when the latest of them was over; `under_way` says since when others have been waiting for an answer.
    """
    slow = [1.0 for since in under_way if now - since >= SLOW_AFTER]
    counted = [*slow, *against][:TRIES]
    times = [*under_way, *([last_at] if last_at else [])]
    return Health(share=sum(counted) / (len(counted) + 1), last_at=max(times, default=None), under_way=len(under_way))


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """An earlier try of the same message that is known not to have been taken."""

    provider: str
    #: It will never take it, for a reason that need not be another provider's.
    refused: bool = False


class Turn(StrEnum):
    """When a message that was not taken is tried again."""

    #: Another provider has not had its turn.
    AT_ONCE = "at_once"
    #: All have had it; after a pause.
    LATER = "later"
    #: All of them have refused it for good.
    NEVER = "never"


def turn(providers: Sequence[str], before: Sequence[Try]) -> Turn:
    """Say when to try again. `before` are all tries of the message, the one that is just over the last of them."""
    left = _left(providers, before)
    if not left:
        return Turn.NEVER
    tries = Counter(one.provider for one in before)
    last = before[-1].provider
    return Turn.AT_ONCE if any(tries[one] < tries[last] for one in left if one != last) else Turn.LATER


def pick(
    providers: Sequence[str],
    health: Mapping[str, Health],
    *,
    before: Sequence[Try] = (),
    priority: Priority,
    now: datetime,
) -> str:
    """Choose one of the providers, of which there is at least one; those not named in `health` are well."""
    tries = Counter(one.provider for one in before)
    left = _left(providers, before) or list(providers)
    fewest = min(tries[one] for one in left)
    candidates = [one for one in left if tries[one] == fewest]
    known = {one: health.get(one, Health()) for one in candidates}
    # min keeps the order of preference among equals.
    best = min(candidates, key=lambda one: (known[one].share if known[one].is_sick else _WELL, known[one].is_full))
    if before or priority is Priority.LIFE_SAFETY_PAGE:
        return best
    preferred = candidates[: candidates.index(best)]
    return next((one for one in preferred if known[one].is_sick and _may_be_tried(known[one], now)), best)


def _left(providers: Sequence[str], before: Sequence[Try]) -> list[str]:
    refused = {one.provider for one in before if one.refused}
    return [one for one in providers if one not in refused]


def _may_be_tried(health: Health, now: datetime) -> bool:
    return health.last_at is None or now - health.last_at >= TRIAL_EVERY
