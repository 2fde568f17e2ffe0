"""What must not be, and how exactly it is measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "lost", "doubled", "late", "early", "unowned", "misdirected", "after answer", "answer lost", "forged", "other"
]
KINDS: tuple[Kind, ...] = (
    "lost",
    "doubled",
    "late",
    "early",
    "unowned",
    "misdirected",
    "after answer",
    "answer lost",
    "forged",
    "other",
)

#: A step that is due leaves within this, on a machine that has much else to do (and this harness beside it).
PROMPT_S = 60.0
#: A doubt is settled within this: a lease of 30 s, the age at which an absence is believed, and a few questions.
DOUBT_S = 150.0
#: What may have been on its way already when an answer was taken.
UNDER_WAY_S = 2.0
#: Clocks of three processes, and the second to which a policy is exact.
EXACT_S = 1.0

#: Events of the journal that explain a step which came later than the policy says.
_DOUBTS = frozenset({"doubt", "doubt_found", "doubt_resent", "delivery_in_doubt", "delivery_failed", "stepped_on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that must not be."""

    kind: Kind
    home: int | None
    sentence: str

    def __str__(self) -> str:
        where = "" if self.home is None else f"home {self.home}: "
        return f"{self.kind}: {where}{self.sentence}"


def bound_s(events: Iterable[str]) -> float:
    """Give how late a step may be, by what the journal tells of its incident."""
    return DOUBT_S if not _DOUBTS.isdisjoint(events) else PROMPT_S
