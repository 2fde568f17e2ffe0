"""What a ledger proves against the promise. Pure: a ledger goes in, problems come out.

Two texts to one person about one home are the same step told twice where they are closer together than the policy's
rounds, and so are two calls; no answer of the service is needed to see that. Only three things explain a second one:
that somebody could not go when everybody had been told (then the next round begins at once), that the person was called
because a text did not arrive (the journal says so), and that a broker which was killed has said again that all is well,
from before the alarm (the journal says that it was cleared, and came back). A step may be early only where the
incident's journal says that the one before it could not be delivered, or where somebody said that they cannot go; and
late only by what the installation was disturbed in between, and by what settling a doubt takes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from tests.faults.course import Course, courses
from tests.faults.judge_answers import answers, declined, must_follow, next_told, pages_by_home
from tests.faults.ledger import Channel, Ledger, Message, Seen
from tests.faults.problem import DOUBT_S, EXACT_S, Problem, bound_s

#: Events of the journal that explain a step which came before its time.
_HURRIED = frozenset(
    {"stepped_on", "fell_back", "delivery_failed", "delivery_in_doubt", "everybody_declined", "nobody_to_page"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way in which a step tells a person."""

    step: int
    after_s: float
    to: str
    channel: Channel

    def __str__(self) -> str:
        return f"{self.to} by {self.channel} (step {self.step})"


def ways(ledger: Ledger, home: int) -> list[Way]:
    """Give all ways of the policy in which people are told of a home, in the order of their steps."""
    people = ledger.people[home]
    return [
        Way(step=number, after_s=step.after_s, to=people[step.to], channel=channel)
        for number, step in enumerate(ledger.steps)
        for channel in step.by
    ]


def expected(ledger: Ledger) -> dict[int, tuple[Way, ...]]:
    """Give who must have been told of each alarm: everybody, or whose time had long come when it was answered."""
    unsure = {home for tally in ledger.tallies for home in tally.homes}
    course = courses(ledger)
    return {
        home: tuple(_expected_of(ledger, home, course[home]))
        for home, alarm in ledger.alarms.items()
        if _counts(ledger, home) and alarm.had_at is not None and home not in unsure
    }


def _expected_of(ledger: Ledger, home: int, went: Course) -> Iterator[Way]:
    had_at = ledger.alarms[home].had_at or 0.0
    answered_at = went.turns[-1].since if went.is_answered() and went.turns else None
    for way in ways(ledger, home):
        if way.to in went.spared:
            continue
        if answered_at is None or ledger.undisturbed_s(had_at + way.after_s, answered_at) > DOUBT_S:
            yield way


def missing(ledger: Ledger) -> list[tuple[int, str]]:
    """Give what has not been told yet: which home, and who."""
    ledger = _with_keys_named(ledger)
    told = {(home, one.to, one.channel) for one in ledger.messages if one.page for home in one.homes}
    asked_anew = {(home, one.to) for one in ledger.messages for home in one.asks_anew}
    course = courses(ledger)
    waiting = [
        (home, str(way))
        for home, all_ways in expected(ledger).items()
        for way in all_ways
        if (home, way.to, way.channel) not in told
        # While somebody was on the way, a page that was not sure to have left was not needed any more.
        and not ((home, way.to) in asked_anew and _met_by_an_answer(ledger, home, way, course[home]))
    ]
    pages = pages_by_home(ledger)
    for home, went in course.items():
        waiting += [
            (home, f"anybody, after {one.reply.worker} could not go")
            for one in went.declines
            if must_follow(ledger, went, one, pages[home]) and next_told(pages[home], one) is None
        ]
    return waiting


def _met_by_an_answer(ledger: Ledger, home: int, way: Way, went: Course) -> bool:
    due = (ledger.alarms[home].had_at or 0.0) + way.after_s
    return any(due <= turn.until and ledger.undisturbed_s(due, turn.since) <= DOUBT_S for turn in went.turns)


def judge(ledger: Ledger) -> list[Problem]:
    """Give everything that is wrong; nothing where the promise was kept."""
    ledger = _with_keys_named(ledger)
    return [
        *_lost(ledger),
        *_same_delivery(ledger),
        *_pages(ledger),
        *_unowned(ledger),
        *answers(ledger),
        *declined(ledger),
        *(
            Problem(kind="forged", home=None, sentence=f"{one.path} was believed ({one.status})")
            for one in ledger.forgeries
            if 200 <= one.status < 300
        ),
        *(Problem(kind="other", home=None, sentence=one) for one in ledger.complaints),
    ]


def _with_keys_named(ledger: Ledger) -> Ledger:
    """Say of keys for several homes which these were, where the journal names as many as the person was told."""
    seen = {one.home: one for one in ledger.incidents}
    replies, unsure = [*ledger.replies], []
    for tally in ledger.tallies:
        theirs = [home for home in tally.homes if home in seen and tally.worker in seen[home].acknowledged_by]
        if len(theirs) == tally.count:
            replies += [replace(tally.reply, home=home) for home in theirs]
        else:
            unsure.append(tally)
    return replace(ledger, replies=replies, tallies=unsure)


def _counts(ledger: Ledger, home: int) -> bool:
    """Whether the promise covers an alarm: acknowledged by Shouwang, or by a broker that loses nothing."""
    return home in ledger.acknowledged or home in ledger.lost_by_broker or not ledger.broker_may_lose


def _lost(ledger: Ledger) -> Iterator[Problem]:
    opened = {one.home for one in ledger.incidents}
    for home, whom in missing(ledger):
        yield Problem(kind="lost", home=home, sentence=f"nobody told {whom} of it")
    for home, alarm in ledger.alarms.items():
        if home not in opened and _counts(ledger, home) and alarm.had_at is not None:
            yield Problem(kind="lost", home=home, sentence=f"its {alarm.kind} has opened no incident")
        if home in ledger.acknowledged and home not in opened:
            yield Problem(kind="lost", home=home, sentence="it was acknowledged to the broker, and is nowhere")


def _same_delivery(ledger: Ledger) -> Iterator[Problem]:
    """One delivery leaves once, by whichever provider."""
    count = Counter((one.channel, one.delivery) for one in ledger.messages if one.delivery is not None)
    for one in ledger.messages:
        if count[one.channel, one.delivery] > 1:
            home = min(one.homes, default=None)
            yield Problem(
                kind="doubled", home=home, sentence=f"delivery {one.delivery} left more than once ({one.sid})"
            )


def _pages(ledger: Ledger) -> Iterator[Problem]:
    seen = {one.home: one for one in ledger.incidents}
    pages: dict[tuple[int, str, Channel], list[Message]] = defaultdict(list)
    for one in ledger.messages:
        for home in one.homes | one.heard:
            if home not in ledger.alarms:
                yield Problem(kind="misdirected", home=home, sentence=f"{one.to} was told, and nothing had happened")
            elif one.to not in ledger.people[home]:
                yield Problem(
                    kind="misdirected", home=home, sentence=f"{one.to} was told, who has nothing to do with it"
                )
            elif home not in one.homes:
                yield Problem(kind="misdirected", home=home, sentence=f"{one.to} was called for other homes")
            elif one.page:
                pages[home, one.to, one.channel].append(one)
    course = courses(ledger)
    for (home, _, _), those in pages.items():
        those.sort(key=lambda one: one.at)
        yield from _repeated(ledger, home, those, seen.get(home), course[home])
        yield from _times(ledger, home, those[0], seen.get(home), course[home])


def _repeated(ledger: Ledger, home: int, those: list[Message], seen: Seen | None, went: Course) -> Iterator[Problem]:
    """Look at pages to one person by one channel: each but the first needs a reason."""
    first = those[0]
    another_way = (ledger.workers.get(first.to, ""), first.channel)
    spare = seen.fell_back.count(another_way) if seen is not None else 0
    # A step of its own: the policy may name a person twice by one channel.
    spare += max(0, sum(way.to == first.to and way.channel == first.channel for way in ways(ledger, home)) - 1)
    # A broker that was killed may say again what it said before the alarm, that all is well: then the alarm comes back.
    # That is told to the first one, by the first way.
    by_first = first.to == ledger.people[home][ledger.steps[0].to] and first.channel in ledger.steps[0].by
    came_back = seen is not None and seen.events >= {"cleared", "realerted"}
    spare += by_first and came_back and ledger.broker_may_lose
    declines = [one.reply for one in went.declines]
    said_at = ledger.alarms[home].said_at
    for before, after in pairwise(those):
        gap = after.at - before.at
        # A page that came late takes nothing from the round after it.
        into_s = after.at - said_at - (before.at - said_at) // ledger.repeat_s * ledger.repeat_s
        if max(gap, into_s) >= ledger.repeat_s - EXACT_S:
            continue
        # A page of the round before may be settled only then.
        began = next((one for one in declines if one.said_at <= after.at), None)
        if began is not None:
            declines.remove(began)
        elif spare:
            spare -= 1
        else:
            what = "paged" if first.channel == "sms" else "called"
            yield Problem(kind="doubled", home=home, sentence=f"{first.to} was {what} again after {gap:.1f} s")


def _times(ledger: Ledger, home: int, first: Message, seen: Seen | None, went: Course) -> Iterator[Problem]:
    """Look at when the first page to one person by one channel left."""
    alarm, whom = ledger.alarms[home], (first.to, first.channel)
    replies = [one for one in ledger.replies if one.home == home]
    way = next((one for one in ways(ledger, home) if (one.to, one.channel) == whom), None)
    events = seen.events if seen is not None else frozenset()
    if way is None:
        if "fell_back" not in events:
            sentence = f"{first.to} was told by {first.channel}, which no step asks for"
            yield Problem(kind="doubled", home=home, sentence=sentence)
        return
    if ledger.clock_moved:
        return
    # An answer that was lost may have been taken, and the next may have gone by the time they said it again.
    again = [one for one in replies if one.said == "cannot go" and one.verdict in {"other", "declined before"}]
    cannot = [*(one.reply for one in went.declines), *again]
    hurried = events & _HURRIED or any(one.said_at <= first.at + EXACT_S for one in cannot)
    if first.at < alarm.said_at + way.after_s - EXACT_S and not hurried:
        at = first.at - alarm.said_at
        yield Problem(kind="early", home=home, sentence=f"{way} came after {at:.1f} s instead of {way.after_s:g} s")
    if alarm.had_at is None or home in ledger.lost_by_broker or any(one.since < first.at for one in went.turns):
        # While somebody has it, the clock of the steps stands still.
        return
    over = ledger.undisturbed_s(alarm.had_at + way.after_s, first.at)
    if over > bound_s(events):
        yield Problem(kind="late", home=home, sentence=f"{way} came {over:.0f} undisturbed seconds after its time")


def _unowned(ledger: Ledger) -> Iterator[Problem]:
    for one in ledger.incidents:
        if one.api_state is not None and one.api_state != one.state:
            sentence = f"the API says {one.api_state}, the database {one.state}"
            yield Problem(kind="other", home=one.home, sentence=sentence)
        if one.state == "resolved":
            continue
        if not one.has_next:
            yield Problem(kind="unowned", home=one.home, sentence=f"{one.state}, and nothing is due")
        if one.state in {"acknowledged", "on_scene"} and one.answered_by is None:
            yield Problem(kind="unowned", home=one.home, sentence=f"{one.state} by nobody")
    for home, count in Counter(one.home for one in ledger.incidents).items():
        if count > 1:
            yield Problem(kind="doubled", home=home, sentence=f"it has {count} incidents")
