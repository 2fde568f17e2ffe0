"""One reply for all: `全部`, `ack all`, key 3. What it means for each incident is decided as if each had been named.

It means what this person was asked about and has read: pages that have left for them, of incidents that nobody has
answered. What they have declined stays declined, what somebody else has taken stays theirs, and no incident is ever
closed by it: an outcome takes its code.
"""

from collections.abc import Awaitable, Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass

from rules import texts
from rules.incident import Incident, IncidentState, Verb
from rules.machine import Action
from shouwang import acting
from shouwang.core import Core
from store import incidents
from store.database import Transaction

#: Says who replies to an incident, as id and name; None for who has nothing to do with it.
Who = Callable[[Incident], Awaitable[tuple[str, str] | None]]


@dataclass(frozen=True, slots=True)
class _Done:
    """What was done to one incident."""

    incident: Incident
    answer: str


async def act(
    core: Core, tx: Transaction, verb: Verb, *, via: str, mine: Collection[str], sender: str = "", who: Who
) -> tuple[str, str]:
    """Do it to each incident that is meant, in this transaction; give the verdict and one answer for the person.

    `mine` are the ids of the people who may have replied, `sender` the number they replied from.
    """
    asked = await incidents.asked_of(tx, mine, sender)
    return await act_on(core, tx, verb, asked, via=via, mine=mine, who=who)


async def act_on(
    core: Core,
    tx: Transaction,
    verb: Verb,
    asked: Sequence[Incident],
    *,
    via: str,
    mine: Collection[str],
    who: Who,
) -> tuple[str, str]:
    """As `act`, to these incidents."""
    language = core.rules.rulebook.language
    if verb is Verb.OUTCOME:
        return "which", _each_outcome(asked, language)
    done: list[_Done] = []
    left: list[Incident] = []
    for incident in asked:
        # As it is now: another reply of theirs may have come first, and what they gave up is not called theirs.
        now_is = await incidents.load(tx, incident.id, lock=True)
        if now_is is None or (replier := await who(now_is)) is None:
            continue
        by, by_name = replier
        did = await _do(core, tx, now_is, Action(verb=verb, by=by, by_name=by_name, via=via))
        if did is None:
            left.append(now_is)
        else:
            done.append(did)
    if done:
        return str(verb), _said(done, verb, via, language)
    yours = [one for one in left if one.state is not IncidentState.RESOLVED and one.answered_by in mine]
    if yours:
        return "which", texts.render("answer.all_yours", language, codes=codes(yours))
    return "which", texts.render("answer.all_none", language)


async def waiting(tx: Transaction, recipient_id: str, *, but: Container[str]) -> list[Incident]:
    """Give what somebody could take beside some incidents, the most urgent first."""
    asked = await incidents.asked_of(tx, {recipient_id})
    return [one for one in asked if one.id not in but and _is_meant(one, Verb.ACKNOWLEDGE, recipient_id)]


def codes(those: Iterable[Incident]) -> str:
    """Name incidents by their codes."""
    return " ".join(one.code for one in those)


def _is_meant(incident: Incident, verb: Verb, by: str) -> bool:
    answered = incident.state is IncidentState.ACKNOWLEDGED and incident.answered_by == by
    open_to = incident.state is IncidentState.OPEN and by not in incident.declined
    match verb:
        case Verb.ACKNOWLEDGE:
            return open_to
        case Verb.CANNOT_GO:
            return open_to or answered
        case _:
            # Nobody is where they have not said they were going; which of several homes it is, a code must say.
            return answered


async def _do(core: Core, tx: Transaction, incident: Incident, action: Action) -> _Done | None:
    """Do it to one, if it is meant and nobody else came first."""
    if not _is_meant(incident, action.verb, action.by):
        return None
    decision = await acting.act(core, tx, incident, action)
    return None if decision.refusal is not None else _Done(decision.incident, decision.answer)


def _said(done: Sequence[_Done], verb: Verb, via: str, language: str) -> str:
    if len(done) == 1:
        return done[0].answer
    first = done[0].incident
    spoken = "_spoken" if via == "voice" and verb is Verb.ACKNOWLEDGE else ""
    key = {
        Verb.ACKNOWLEDGE: f"answer.all_acknowledged{spoken}",
        Verb.ARRIVE: "answer.all_arrived",
        Verb.CANNOT_GO: "answer.all_cannot_go",
    }[verb]
    return texts.render(
        key,
        language,
        count=len(done),
        codes=codes(one.incident for one in done),
        code=first.code,
        title=first.title,
        address=first.snapshot.home.address,
        first=first.snapshot.plan.first,
    )


def _each_outcome(asked: Sequence[Incident], language: str) -> str:
    if not asked:
        return texts.render("answer.all_none", language)
    return texts.render("answer.outcome_each", language, code=asked[0].code, codes=codes(asked))
