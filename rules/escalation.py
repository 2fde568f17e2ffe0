"""Escalation: which step is due when, whom it reaches, and what happens when it reaches nobody.

Everything follows from three fields of the incident: `round`, `step` (the one that fires next) and `round_began_at`
(from where steps count). So the due time of the next step can be worked out at any moment from the incident alone, and
a lost timer can be put back.
"""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from rules import wording
from rules.assignment import Recipient, person
from rules.community import ContactMethod
from rules.decisions import DeliveryState, DueKind, NewDelivery, Paged, Purpose
from rules.draft import Draft
from rules.incident import Incident, IncidentState

#: A step that fires this much after its time is late, and says so (invariant late-is-said).
LATE_AFTER_S = 10

#: Rounds are never closer together than this, whatever a policy says: nobody is called without end.
LEAST_REPEAT_S = 30

_ROUND_KEY = re.compile(r"r(\d+)s(\d+)")
_FALL_BACK_KEY = re.compile(r"fb:(\d+)")


def next_step_at(incident: Incident) -> datetime:
    """When the next step of an unanswered incident is due (invariant never-silent: there always is one)."""
    policy = incident.snapshot.policy
    began = incident.round_began_at or incident.opened_at
    repeat = max(policy.repeat_every_s, LEAST_REPEAT_S)
    if not incident.verified:
        return began + timedelta(seconds=repeat)
    if incident.step < len(policy.steps):
        return began + timedelta(seconds=policy.steps[incident.step].after_s)
    last = policy.steps[-1].after_s if policy.steps else 0
    return began + timedelta(seconds=last + repeat)


def begin(draft: Draft, *, round_number: int = 0) -> None:
    """Begin the policy at its first step, now; a round above 0 where people have been paged before."""
    draft.change(round=round_number, step=0, round_began_at=draft.now)
    advance(draft)


def begin_with_desk(draft: Draft, *, round_number: int = 0) -> None:
    """Tell the desk alone, of what no live fact has said yet (invariant stale-does-not-page)."""
    draft.change(round=round_number, step=0, round_began_at=draft.now)
    _page_desk(draft, 0)
    draft.set_due(DueKind.STEP, next_step_at(draft.incident))


def advance(draft: Draft) -> None:
    """Fire every step whose time has come, and set the next."""
    while draft.incident.state is IncidentState.OPEN and next_step_at(draft.incident) <= draft.now:
        if not draft.incident.verified:
            late_s = _lateness(draft)
            draft.change(round=draft.incident.round + 1, round_began_at=draft.now)
            _page_desk(draft, late_s)
        elif draft.incident.step < len(draft.snapshot.policy.steps):
            _fire(draft)
        else:
            _begin_next_round(draft)
    if draft.incident.state is IncidentState.OPEN:
        draft.set_due(DueKind.STEP, next_step_at(draft.incident))


def resume(draft: Draft, answerer: str | None) -> None:
    """Go on where it stood when `answerer` took it, who does not come: those who were about to be told, and the next.

    Its clock stood still meanwhile, so that the next step is not late.
    """
    _page_those_it_kept_from(draft, {answerer, *draft.incident.declined})
    _hasten(draft)


def hurry(draft: Draft) -> None:
    """Let the next step be due now, and those after it as much sooner.

    An unverified incident keeps its time: all of the desk know of it.
    """
    if draft.incident.verified and next_step_at(draft.incident) > draft.now:
        _hasten(draft)
    else:
        draft.set_due(DueKind.STEP, max(next_step_at(draft.incident), draft.now))


def realert(draft: Draft) -> None:
    """A sensor has cleared and alarms again, or another one joins: tell whoever answered, else who is assigned."""
    incident = draft.incident
    draft.change(realerts=incident.realerts + 1)
    step_key = f"re{draft.incident.realerts}"
    draft.note("realerted", "sensor", {"times": draft.incident.realerts})
    by = draft.snapshot.policy.steps[0].by if draft.snapshot.policy.steps else ("sms", "voice")
    if incident.answered_by is None:
        people = draft.assign(("assigned",)).people
        for one in people:
            reach(draft, one, by, step_key=step_key)
        if not people:
            hurry(draft)
        return
    # Whoever is on the way or on the scene is told, and not asked: the answer is there already. Where the desk
    # answered under a name of its own, the desk is told.
    answerer = whoever(draft, incident.answered_by)
    for one in (answerer,) if answerer else draft.assign(("desk",), declined=True).people:
        for method in methods_for(one, by):
            realert_by(draft, one, method, step_key=step_key)


def realert_by(draft: Draft, recipient: Recipient, method: ContactMethod, *, step_key: str) -> bool:
    """Tell somebody who has answered that it alarms again, by one method."""
    message = wording.alarm(draft.incident, method.channel, asked=False, again=True)
    return draft.deliver(recipient, method, message, step_key=step_key, purpose=Purpose.INFORM, alarm=True)


def whoever(draft: Draft, person_id: str) -> Recipient | None:
    """Find a person by id: a worker of this incident, or somebody it has reached before."""
    if found := person(draft.snapshot, person_id):
        return found
    reached = [row for row in draft.paged if row.recipient_id == person_id]
    if not reached:
        return None
    methods = dict.fromkeys(ContactMethod(channel=row.channel, address=row.address) for row in reached)
    return Recipient(
        id=person_id, name=reached[0].recipient_name, methods=tuple(methods), target=person_id, asked=False
    )


def methods_for(recipient: Recipient, by: Sequence[str]) -> tuple[ContactMethod, ...]:
    """Each channel of a step once, by the person's first address there; their first method where they have none."""
    chosen = []
    for channel in dict.fromkeys(by):
        chosen += [method for method in recipient.methods if method.channel == channel][:1]
    return tuple(chosen) or recipient.methods[:1]


def reach(draft: Draft, recipient: Recipient, by: Sequence[str], *, step_key: str, late_s: int = 0) -> None:
    """Page a person by every channel of a step in parallel; family are told in the same way and not asked."""
    channels = [
        method.channel
        for method in methods_for(recipient, by)
        if page_by(draft, recipient, method, step_key=step_key, late_s=late_s)
    ]
    if channels:
        event = "paged" if recipient.asked else "family_told"
        detail = {"step": step_key, "to": recipient.id, "name": recipient.name, "target": recipient.target}
        draft.note(event, "clock", {**detail, "channels": channels})


def page_by(draft: Draft, recipient: Recipient, method: ContactMethod, *, step_key: str, late_s: int = 0) -> bool:
    """Page a person by one method."""
    return draft.deliver(
        recipient,
        method,
        wording.alarm(draft.incident, method.channel, asked=recipient.asked, late_s=late_s),
        step_key=step_key,
        purpose=Purpose.PAGE if recipient.asked else Purpose.INFORM,
        alarm=True,
        late_s=late_s,
    )


def origin(delivery: Paged, paged: Sequence[Paged]) -> str:
    """The step a delivery belongs to: its own key, or that of the delivery it stands in for."""
    keys = {row.delivery_id: row.step_key for row in paged}
    key = delivery.step_key
    # A fall-back may stand in for a fall-back. Ids only grow, so this ends; the bound is for rows that lie.
    for _ in range(len(keys) + 1):
        if not (found := _FALL_BACK_KEY.fullmatch(key)):
            break
        key = keys.get(int(found[1]), "")
    return key


def round_of(step_key: str) -> str:
    """What counts as one go at a person: the round of a step; a re-alert or a page to the desk by itself."""
    found = _ROUND_KEY.fullmatch(step_key)
    return f"r{found[1]}" if found else step_key


def _hasten(draft: Draft) -> None:
    incident = draft.incident
    early = next_step_at(incident) - draft.now
    draft.change(round_began_at=(incident.round_began_at or incident.opened_at) - early)
    draft.set_due(DueKind.STEP, draft.now)


def _page_those_it_kept_from(draft: Draft, but: Collection[str | None]) -> None:
    """Page by what has not left of this round because somebody had answered; their step does not come again in it."""
    stood_in_for = {row.step_key for row in draft.paged}
    for row in draft.paged:
        key, step_key = f"fb:{row.delivery_id}", origin(row, draft.paged)
        kept = row.state is DeliveryState.CANCELLED and row.purpose is Purpose.PAGE and key not in stood_in_for
        recipient = whoever(draft, row.recipient_id)
        if not kept or recipient is None or row.recipient_id in but:
            continue
        if round_of(step_key) != f"r{draft.incident.round}":
            continue
        method = ContactMethod(channel=row.channel, address=row.address)
        if page_by(draft, recipient, method, step_key=key):
            detail = {"step": step_key, "to": recipient.id, "name": recipient.name, "target": recipient.target}
            draft.note("paged", "clock", {**detail, "channels": [row.channel]})


def _fire(draft: Draft) -> None:
    incident = draft.incident
    steps = draft.snapshot.policy.steps
    step = steps[incident.step]
    step_key = f"r{incident.round}s{incident.step}"
    late_s = _lateness(draft)
    chosen = draft.assign(step.to)
    for one in chosen.people:
        reach(draft, one, step.by, step_key=step_key, late_s=late_s)
    if late_s and chosen.people:
        draft.note("late", "clock", {"step": step_key, "delay": late_s})
    draft.change(step=incident.step + 1)
    if not chosen.people:
        draft.note("step_empty", "clock", {"step": step_key, "targets": list(step.to)})
        _skip_the_wait(draft, incident.step)
    if draft.incident.step == len(steps):
        _end_of_round(draft, late=bool(late_s))


def _skip_the_wait(draft: Draft, step: int) -> None:
    """Let the step after an empty one fire at the time of the empty one: nobody is waited for who was not told."""
    steps = draft.snapshot.policy.steps
    if step + 1 < len(steps) and draft.incident.round_began_at:
        gap = timedelta(seconds=steps[step + 1].after_s - steps[step].after_s)
        draft.change(round_began_at=draft.incident.round_began_at - gap)


def _end_of_round(draft: Draft, *, late: bool) -> None:
    incident = draft.incident
    if late:
        # Those who were just told late have the whole interval to answer in.
        last = timedelta(seconds=draft.snapshot.policy.steps[-1].after_s)
        draft.change(round_began_at=draft.now - last)
    prefix = f"r{incident.round}s"
    told: Sequence[Paged | NewDelivery] = (*draft.paged, *draft.deliveries)
    if not any(one.step_key.startswith(prefix) and one.purpose is Purpose.PAGE for one in told):
        _ask_the_declined_again(draft)


def _ask_the_declined_again(draft: Draft) -> None:
    """Nobody is left to page: from the next round on those who said they cannot go are asked again."""
    if draft.incident.declined:
        draft.note("everybody_declined", "clock", {"declined": list(draft.incident.declined)})
        draft.change(declined=())
    else:
        draft.note("nobody_to_page", "clock")


def _begin_next_round(draft: Draft) -> None:
    at = next_step_at(draft.incident)
    # Rounds that passed while nothing ran are not made up for: the next one begins now.
    late = _lateness(draft) > 0
    draft.change(round=draft.incident.round + 1, step=0, round_began_at=draft.now if late else at)
    draft.note("round_began", "clock", {"times": draft.incident.round + 1})


def _page_desk(draft: Draft, late_s: int) -> None:
    step_key = f"desk:{draft.incident.round}"
    people = draft.assign(("desk",)).people
    by = draft.snapshot.policy.steps[0].by if draft.snapshot.policy.steps else ("sms", "voice")
    for one in people:
        reach(draft, one, by, step_key=step_key, late_s=late_s)
    if not people:
        _ask_the_declined_again(draft)
    elif late_s:
        draft.note("late", "clock", {"step": step_key, "delay": late_s})


def _lateness(draft: Draft) -> int:
    late = (draft.now - next_step_at(draft.incident)).total_seconds()
    return int(late) if late > LATE_AFTER_S else 0
