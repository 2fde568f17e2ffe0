"""What a ledger proves against the promise. Pure: a ledger goes in, problems come out.

Two texts to one person about one home are the same step told twice where they are closer together than the policy's
rounds; no answer of the service is needed to see that. A step may be early only where the incident's journal says that
the one before it could not be delivered (the next person is told at once), and late only by what the installation was
disturbed in between, and by what settling a doubt takes.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from tests.faults.ledger import Ledger, Seen, Text

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

#: Events of the journal that explain a step which came at another time than the policy says.
_DOUBTS = frozenset({"doubt", "doubt_found", "doubt_resent", "delivery_in_doubt", "delivery_failed", "stepped_on"})
_HURRIED = frozenset({"stepped_on", "delivery_failed", "delivery_in_doubt", "everybody_declined", "nobody_to_page"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that must not be."""

    kind: Kind
    home: int | None
    sentence: str

    def __str__(self) -> str:
        where = "" if self.home is None else f"home {self.home}: "
        return f"{self.kind}: {where}{self.sentence}"


def expected(ledger: Ledger) -> dict[int, tuple[str, ...]]:
    """Give who must have been told of each alarm: all steps, and the first alone where somebody has answered."""
    return {
        home: ledger.people[home][:1] if home in ledger.replies else ledger.people[home][: len(ledger.steps_s)]
        for home, alarm in ledger.alarms.items()
        if _counts(ledger, home) and alarm.had_at is not None
    }


def missing(ledger: Ledger) -> list[tuple[int, str]]:
    """Give who has not been told yet of what."""
    told = {(home, text.to) for text in ledger.texts if text.page for home in text.homes}
    return [(home, one) for home, people in expected(ledger).items() for one in people if (home, one) not in told]


def judge(ledger: Ledger) -> list[Problem]:
    """Give everything that is wrong; nothing where the promise was kept."""
    return [
        *_lost(ledger),
        *_pages(ledger),
        *_unowned(ledger),
        *_answers(ledger),
        *(
            Problem(kind="forged", home=None, sentence=f"{one.path} was believed ({one.status})")
            for one in ledger.forgeries
            if 200 <= one.status < 300
        ),
        *(Problem(kind="other", home=None, sentence=one) for one in ledger.complaints),
    ]


def _counts(ledger: Ledger, home: int) -> bool:
    """Whether the promise covers an alarm: acknowledged by Shouwang, or by a broker that loses nothing."""
    return home in ledger.acknowledged or home in ledger.lost_by_broker or not ledger.broker_may_lose


def _lost(ledger: Ledger) -> Iterator[Problem]:
    opened = {one.home for one in ledger.incidents}
    for home, one in missing(ledger):
        step = ledger.people[home].index(one)
        yield Problem(kind="lost", home=home, sentence=f"nobody told {one} of it (step {step})")
    for home, alarm in ledger.alarms.items():
        if home not in opened and _counts(ledger, home) and alarm.had_at is not None:
            yield Problem(kind="lost", home=home, sentence=f"its {alarm.kind} has opened no incident")
        if home in ledger.acknowledged and home not in opened:
            yield Problem(kind="lost", home=home, sentence="it was acknowledged to the broker, and is nowhere")


def _pages(ledger: Ledger) -> Iterator[Problem]:
    seen = {one.home: one for one in ledger.incidents}
    pages: dict[tuple[int, str], list[Text]] = defaultdict(list)
    for text in ledger.texts:
        for home in text.homes:
            if home not in ledger.alarms:
                yield Problem(kind="misdirected", home=home, sentence=f"{text.to} was told, and nothing had happened")
            elif text.to not in ledger.people[home]:
                yield Problem(
                    kind="misdirected", home=home, sentence=f"{text.to} was told, who has nothing to do with it"
                )
            elif text.page:
                pages[home, text.to].append(text)
    for (home, number), texts in pages.items():
        texts.sort(key=lambda one: one.at)
        for before, after in pairwise(texts):
            if after.at - before.at < ledger.repeat_s - EXACT_S:
                gap = after.at - before.at
                yield Problem(kind="doubled", home=home, sentence=f"{number} was paged again after {gap:.1f} s")
        yield from _times(ledger, home, texts, seen.get(home))


def _times(ledger: Ledger, home: int, texts: list[Text], seen: Seen | None) -> Iterator[Problem]:
    """Look at when the first page to one person left."""
    first, alarm = texts[0], ledger.alarms[home]
    step = ledger.people[home].index(first.to)
    if ledger.clock_moved or step >= len(ledger.steps_s):
        return
    events = seen.events if seen is not None else frozenset()
    after_s = ledger.steps_s[step]
    if first.at < alarm.said_at + after_s - EXACT_S and not events & _HURRIED:
        at = first.at - alarm.said_at
        yield Problem(kind="early", home=home, sentence=f"step {step} came after {at:.1f} s instead of {after_s:g} s")
    if alarm.had_at is None or home in ledger.lost_by_broker:
        return
    due = alarm.had_at + after_s
    over = ledger.undisturbed_s(due, first.at)
    bound = DOUBT_S if events & _DOUBTS else PROMPT_S
    if over > bound:
        yield Problem(
            kind="late", home=home, sentence=f"step {step} came {over:.0f} undisturbed seconds after its time"
        )


def _unowned(ledger: Ledger) -> Iterator[Problem]:
    for one in ledger.incidents:
        if one.state == "resolved":
            continue
        if not one.has_next:
            yield Problem(kind="unowned", home=one.home, sentence=f"{one.state}, and nothing is due")
        if one.state in {"acknowledged", "on_scene"} and one.answered_by is None:
            yield Problem(kind="unowned", home=one.home, sentence=f"{one.state} by nobody")
        if one.api_state is not None and one.api_state != one.state:
            sentence = f"the API says {one.api_state}, the database {one.state}"
            yield Problem(kind="other", home=one.home, sentence=sentence)
    homes = [one.home for one in ledger.incidents]
    for home in {one for one in homes if homes.count(one) > 1}:
        yield Problem(kind="doubled", home=home, sentence="it has two incidents")


def _answers(ledger: Ledger) -> Iterator[Problem]:
    seen = {one.home: one for one in ledger.incidents}
    for home, reply in ledger.replies.items():
        incident = seen.get(home)
        if incident is None or incident.answered_by != reply.worker:
            by = incident and incident.answered_by
            sentence = f"{reply.worker} answered, was told {reply.answer!r}, and it counts as answered by {by}"
            yield Problem(kind="answer lost", home=home, sentence=sentence)
        for text in ledger.texts:
            if text.page and home in text.homes and text.at > reply.taken_at + UNDER_WAY_S:
                later = text.at - reply.taken_at
                sentence = f"{text.to} was paged {later:.1f} s after {reply.worker} had answered"
                yield Problem(kind="after answer", home=home, sentence=sentence)
