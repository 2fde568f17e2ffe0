"""What a ledger proves about answers, and about those who cannot go. Pure, as all of the judge."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tests.faults.course import Course, Declined, courses
from tests.faults.ledger import Ledger, Message, Seen
from tests.faults.problem import DOUBT_S, EXACT_S, PROMPT_S, UNDER_WAY_S, Problem, bound_s


def pages_by_home(ledger: Ledger) -> dict[int, list[Message]]:
    """Give all pages about each home, in the order in which they left."""
    pages: dict[int, list[Message]] = defaultdict(list)
    for one in sorted(ledger.messages, key=lambda one: one.at):
        for home in one.homes if one.page else ():
            pages[home].append(one)
    return pages


def answers(ledger: Ledger) -> Iterator[Problem]:
    """Look at what became of answers: each counts, and nobody is paged after one."""
    seen = {one.home: one for one in ledger.incidents}
    unsure = {home for tally in ledger.tallies for home in tally.homes}
    pages = pages_by_home(ledger)
    course = courses(ledger)
    for home in sorted({one.home for one in ledger.replies}):
        incident, went = seen.get(home), course[home]
        if went.conflict is not None and home not in unsure:
            yield Problem(kind="answer lost", home=home, sentence=went.conflict)
        elif home not in unsure:
            yield from _as_it_ended(home, went, incident)
        for text in pages[home] if home not in unsure else ():
            if (turn := went.has_turn(text.at, UNDER_WAY_S)) is not None:
                later = text.at - turn.since
                sentence = f"{text.to} was paged by {text.channel} {later:.1f} s after {turn.worker} had answered"
                yield Problem(kind="after answer", home=home, sentence=sentence)
    answered = {one.home for one in ledger.replies} | unsure
    for one in ledger.incidents:
        if one.answered_by is not None and one.home not in answered:
            sentence = f"it counts as answered by {one.answered_by}, and nobody has answered"
            yield Problem(kind="other", home=one.home, sentence=sentence)
    for tally in ledger.tallies:
        by = sum(home in seen and tally.worker in seen[home].acknowledged_by for home in tally.homes)
        if by < tally.count:
            sentence = f"{tally.worker} was told that {tally.count} homes are theirs, and it counts for {by}"
            yield Problem(kind="answer lost", home=min(tally.homes), sentence=sentence)


def _as_it_ended(home: int, went: Course, incident: Seen | None) -> Iterator[Problem]:
    state = None if incident is None else incident.state
    if went.closed != (state == "resolved"):
        word = "closed" if went.closed else "open"
        yield Problem(kind="answer lost", home=home, sentence=f"by its answers it is {word}, and it counts as {state}")
    elif not went.closed and incident is not None and incident.answered_by != went.owner:
        sentence = f"by its answers it is {went.owner}'s, and it counts as {incident.answered_by}'s"
        yield Problem(kind="answer lost", home=home, sentence=sentence)


# --- those who cannot go ----------------------------------------------------------------------------------------------


def declined(ledger: Ledger) -> Iterator[Problem]:
    """Look at those who cannot go: they are not asked again, and others are told at once."""
    seen = {one.home: one for one in ledger.incidents}
    pages, course = pages_by_home(ledger), courses(ledger)
    unsure = {home for tally in ledger.tallies for home in tally.homes}
    for home in sorted({one.home for one in ledger.replies if one.said == "cannot go"} - unsure):
        incident = seen.get(home)
        events = incident.events if incident is not None else frozenset()
        went = course[home]
        for number, (since, until) in went.spared.items():
            for one in pages[home]:
                asked = one.to == number and since + UNDER_WAY_S < one.at < min(until, since + ledger.repeat_s)
                # Where nobody is left, all of them are asked again.
                if asked and "everybody_declined" not in events:
                    sentence = f"{number} was asked again {one.at - since:.1f} s after they said they cannot go"
                    yield Problem(kind="after answer", home=home, sentence=sentence)
        for one_declined in went.declines if not ledger.clock_moved else ():
            nxt = next_told(pages[home], one_declined)
            if nxt is None or not must_follow(ledger, went, one_declined, pages[home]):
                continue
            over = ledger.undisturbed_s(one_declined.reply.taken_at, nxt.at)
            if over > bound_s(events):
                sentence = (
                    f"the next was told {over:.0f} undisturbed seconds after {one_declined.reply.worker} could not go"
                )
                yield Problem(kind="late", home=home, sentence=sentence)


def next_told(pages: Iterable[Message], declined: Declined) -> Message | None:
    """Give the first page to somebody else after one could not go. The service may have known before it said so."""
    since = declined.reply.said_at - EXACT_S
    return next((one for one in pages if one.to in declined.left and one.at >= since), None)


def must_follow(ledger: Ledger, went: Course, declined: Declined, pages: Sequence[Message]) -> bool:
    """Whether others must have been told: there are any, and nobody answered before there was time for that.

    Nobody is told once more in a round that somebody else began by saying so, that has reached all who are left, and
    that is not over.
    """
    taken_at = declined.reply.taken_at
    # Who cannot go either, and said so at once, need not have been told again.
    soon = {
        number
        for number, (since, _) in went.spared.items()
        if since >= declined.reply.said_at and ledger.undisturbed_s(taken_at, since) < PROMPT_S
    }
    left, anew = declined.left - soon, _told_anew(ledger, declined.reply.said_at, pages)
    last = ledger.people[declined.reply.home][ledger.steps[-1].to]
    if not left or (left <= anew and last not in anew):
        return False
    return not any(
        turn.since >= declined.reply.said_at and ledger.undisturbed_s(taken_at, turn.since) < DOUBT_S
        for turn in went.turns
    )


def _told_anew(ledger: Ledger, at: float, pages: Iterable[Message]) -> frozenset[str]:
    """Give the numbers that were told for the second time, at the least, in the round that goes on at a time."""
    told: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in pages:
        if one.at < at:
            told[one.to, one.channel].append(one.at)
    lasts_s = max(step.after_s for step in ledger.steps)
    return frozenset(number for (number, _), times in told.items() if len(times) > 1 and times[-1] >= at - lasts_s)
