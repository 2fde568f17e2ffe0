"""The eleven invariants, each as a function that names what breaks it at one moment.

They judge by what was put in, what providers have, and what stands in the database; never by asking the product.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any

from model.community import DEVICES
from model.letters import Letter
from model.provider import UNASKED
from model.seen import Row, Snapshot, document
from model.world import Moment

Judge = Callable[[Moment], Iterator[str]]

#: Clocks of two machines may differ by so much, and the auditor puts up with it.
AHEAD = timedelta(seconds=31)

#: Neither a try nor a question is ever put off for longer.
LONGEST_WAIT = timedelta(minutes=10)

#: How late a step may be without saying so.
PUNCTUAL = timedelta(seconds=11)

CODE_REST = timedelta(days=30)

#: How often a page is sent at the most where nobody can be asked whether it left.
UNASKED_TRIES = 3

_SEVERITIES = ("notice", "warning", "high", "critical")
_LEFT = {"sending", "unknown", "sent", "delivered"}
#: What follows from nothing being heard of a gateway or a home.
_LOOKED_AT = frozenset({"gateway_offline", "unwatched"})
_ALARMS = {"alarm", "open", "pressed", "low"}
_DUTY = {"open": "step", "acknowledged": "arrival", "on_scene": "outcome"}
_STARTUP = timedelta(seconds=61)


def ack_after_commit(moment: Moment) -> Iterator[str]:
    """What was acknowledged has left its trace, and taking it in a second time asks nobody again."""
    for letter in moment.world.untraced:
        if letter.expect == "fact" and letter.known and not _traced(letter, moment):
            yield f"{letter.topic} {letter.payload!r} was acknowledged and is not in the database"
    if moment.what == "replied" and moment.again:
        for incident in moment.after.incidents.values():
            if incident.version != moment.before.incidents[incident.id].version:
                yield f"a reply that came twice changed {incident.code}"
    if moment.what == "took" and moment.again:
        if moment.after.incidents.keys() - moment.before.incidents.keys():
            yield "a message that came twice opened a second incident"
        for row in _new(moment):
            if row.purpose == "page" and not row.step_key.startswith("fb:"):
                yield f"a message that came twice paged {row.recipient_id} again ({row.step_key})"


def never_silent(moment: Moment) -> Iterator[str]:
    """Every open incident has the clock that its state calls for, and what waits in the outbox has a time."""
    for row in moment.after.open_incidents():
        at = moment.after.due.get((_DUTY[row.state], row.id))
        if at is None:
            yield f"{row.code} is {row.state} and nothing is due"
        elif not moment.world.clock_moved and at > moment.now + _horizon(row) + AHEAD:
            yield f"{row.code} is {row.state} and nothing is due before {at}"
        if row.state != "open" and not row.answered_by:
            yield f"{row.code} is {row.state} by nobody"
    if moment.world.clock_moved:
        return
    for row in moment.after.outbox.values():
        at = row.lease_until if row.state == "sending" else row.next_attempt_at
        if row.state in {"sending", "pending", "unknown"} and (at is None or at > moment.now + LONGEST_WAIT + AHEAD):
            yield f"delivery {row.id} is {row.state} until {at}"


def one_page(moment: Moment) -> Iterator[str]:
    """Providers have each delivery once; where they cannot be asked, a life-safety page some few times.

    And of every doubt there is a line in the journal.
    """
    new = {_key(one.delivery) for one in moment.sent}
    if new:
        times = Counter(_key(one.delivery) for one in moment.world.provider.sent)
        for one in moment.sent:
            key = _key(one.delivery)
            at_most = UNASKED_TRIES if key[3] in UNASKED and one.delivery.priority == 0 else 1
            if times[key] > at_most and not _taken_for_another(one, moment):
                yield f"{key[2]} got {key[1]} by {key[3]} {times[key]} times"
    known = moment.before.attempts[-1].id if moment.before.attempts else 0
    for row in moment.after.attempts:
        if row.id > known and row.outcome == "unknown":
            delivery = moment.after.outbox[row.delivery_id]
            if not any(
                line.incident_id == delivery.incident_id
                and line.event in {"doubt", "delivery_in_doubt"}
                and document(line.detail).get("name") == delivery.recipient_name
                and document(line.detail).get("channel") == delivery.channel
                for line in moment.after.journal
            ):
                yield f"the doubt about delivery {delivery.id} ({row.detail}) is not in the journal"


def quiet_after_answer(moment: Moment) -> Iterator[str]:
    """Nobody is paged for what somebody has answered, and those who were paged hear of it."""
    for request in moment.requests:
        if request.delivery.purpose == "page" and request.incident_state != "open":
            yield f"{request.delivery.recipient_id} is paged for an incident that is {request.incident_state}"
    for after in moment.after.incidents.values():
        before = moment.before.incidents.get(after.id)
        if before is None or before.state != "open" or after.state == "open":
            continue
        for row in moment.after.outbox.values():
            if row.incident_id != after.id or row.state != "pending":
                continue
            if row.purpose == "page":
                yield f"{after.code} is {after.state}, and a page to {row.recipient_id} still waits"
            elif after.state == "resolved" and row.id in moment.before.outbox:
                yield f"{after.code} is resolved, and news to {row.recipient_id} still waits"
        if after.state == "acknowledged":
            yield from _not_told(moment, after)


def _not_told(moment: Moment, incident: Row) -> Iterator[str]:
    told = {
        (row.channel, row.address)
        for row in _new(moment)
        if row.incident_id == incident.id and row.step_key.startswith("inform:acknowledged")
    }
    reached: dict[str, set[tuple[str, str]]] = {}
    for row in moment.before.outbox.values():
        if row.incident_id == incident.id and row.state in _LEFT and row.channel != "voice":
            reached.setdefault(row.recipient_id, set()).add((row.channel, row.address))
    for person, methods in reached.items():
        if person != incident.answered_by and not methods & told:
            yield f"{incident.code} is answered and {person}, who was asked, does not hear of it"


def unknown_is_not_clear(moment: Moment) -> Iterator[str]:
    """A finding ends only by a live word that says so; and silence is taken for quiet only of a sensor that lives."""
    if moment.what == "took":
        for key, finding in moment.before.findings.items():
            if key not in moment.after.findings and not any(_ends(one, finding) for one in moment.letters):
                yield f"{key} ended, and nothing said so"
        for kind, subject in moment.before.due:
            if kind == "hold" and (kind, subject) not in moment.after.due and not _accounted(subject, moment):
                yield f"{subject} is not waited for any more, and nothing said so"
    if moment.what == "ticked":
        for (_, subject), finding in moment.after.findings.items():
            if finding.kind == "absence" and _raised(finding, moment) and not _can_tell(subject, moment):
                yield f"home {subject} is called quiet, and no sensor there can tell"


def stale_does_not_page(moment: Moment) -> Iterator[str]:
    """Only a live word pages anybody but the desk."""
    stale = moment.what == "took" and not any(one.live for one in moment.letters)
    for row in _new(moment):
        if row.purpose != "page" or row.step_key.startswith(("desk:", "fb:")):
            continue
        if stale:
            yield f"{row.recipient_id} is paged by what is not new"
        if not moment.after.incidents[row.incident_id].verified:
            yield f"{row.recipient_id} is paged for what is not verified"
    for after in moment.after.incidents.values():
        before = moment.before.incidents.get(after.id)
        if after.verified and (before is None or not before.verified) and not _heard_live(after, moment):
            yield f"{after.code} counts as verified, and no device has said so live"


def life_first(moment: Moment) -> Iterator[str]:
    """No other message leaves by a channel while a life-safety page could; and none of those is left lying."""
    for request in moment.requests:
        for waiting in request.life_waiting:
            if (row := moment.before.outbox.get(waiting)) and row.state == "pending":
                yield f"delivery {request.delivery.id} left before life-safety page {waiting}"
    if moment.what == "rested" and not moment.world.provider.hanging:
        for row in moment.after.outbox.values():
            if row.state == "pending" and row.priority == 0 and row.next_attempt_at <= moment.now:
                yield f"life-safety page {row.id} was left lying"


def nothing_dropped(moment: Moment) -> Iterator[str]:
    """What cannot be understood or belongs to nobody is in quarantine."""
    kept = {row.topic for row in moment.after.quarantine}
    for letter in moment.world.untraced:
        lost = letter.expect == "quarantine" or (letter.expect == "fact" and not letter.known)
        if lost and letter.topic not in kept:
            yield f"{letter.topic} {letter.payload!r} is gone"
    moment.world.untraced.clear()


def code_is_unique(moment: Moment) -> Iterator[str]:
    """No code is given again within 30 days; and a reply with a code touches only the incident of that code."""
    for incident in moment.after.incidents.values():
        if incident.id in moment.before.incidents:
            continue
        for other in moment.before.incidents.values():
            rests = other.resolved_at is None or moment.now - other.resolved_at < CODE_REST
            if other.code == incident.code and rests:
                yield f"{incident.code} was given again"
    if moment.what == "replied" and moment.code and "全部" not in moment.text:
        for incident in moment.after.incidents.values():
            before = moment.before.incidents.get(incident.id)
            if incident.code != moment.code and before is not None and before.version != incident.version:
                yield f"a reply to {moment.code} changed {incident.code}"


def late_is_said(moment: Moment) -> Iterator[str]:
    """A step that fires late is marked so, and nothing that a person waits for stays due."""
    if moment.what != "ticked" or moment.died:
        return
    for (kind, subject), at in moment.before.due.items():
        incident = moment.before.incidents.get(subject)
        if kind != "step" or at > moment.now - PUNCTUAL or incident is None or not incident.verified:
            continue
        if incident.state != "open":
            continue
        for row in _new(moment):
            if (row.incident_id, row.step_key) != (subject, f"r{incident.round}s{incident.step}"):
                continue
            if row.late_s < 11 or "迟" not in (row.speech or row.text):
                yield f"{row.step_key} of {incident.code} was due at {at}, and does not say that it is late"
    if not moment.troubled:
        for (kind, subject), at in moment.after.due.items():
            if kind in _DUTY.values() and at <= moment.now:
                yield f"{kind} of {subject} is due since {at}, and was passed over"


def snapshot(moment: Moment) -> Iterator[str]:
    """An incident keeps home and people; plan and policy change only where it becomes more severe."""
    for after in moment.after.incidents.values():
        before = moment.before.incidents.get(after.id)
        if before is None or before.snapshot == after.snapshot:
            continue
        old, new = document(before.snapshot), document(after.snapshot)
        worse = _SEVERITIES.index(after.severity) > _SEVERITIES.index(before.severity)
        for name in old.keys() | new.keys():
            if old.get(name) != new.get(name) and not (worse and name in {"plan", "policy"}):
                yield f"the {name} of {after.code} has changed"
    for row in _new(moment):
        incident = moment.after.incidents[row.incident_id]
        if (row.recipient_id, row.channel, row.address) not in _people(incident.snapshot):
            yield f"{row.recipient_id} at {row.address} is not of the people {incident.code} was opened with"


INVARIANTS: dict[str, Judge] = {
    "ack-after-commit": ack_after_commit,
    "never-silent": never_silent,
    "one-page": one_page,
    "quiet-after-answer": quiet_after_answer,
    "unknown-is-not-clear": unknown_is_not_clear,
    "stale-does-not-page": stale_does_not_page,
    "life-first": life_first,
    "nothing-dropped": nothing_dropped,
    "code-is-unique": code_is_unique,
    "late-is-said": late_is_said,
    "snapshot": snapshot,
}


# --- in common --------------------------------------------------------------------------------------------------------


def _new(moment: Moment) -> list[Row]:
    return [row for number, row in moment.after.outbox.items() if number not in moment.before.outbox]


def _key(delivery: Any) -> tuple[str, str, str, str, str]:
    return delivery.incident_id, delivery.step_key, delivery.recipient_id, delivery.channel, delivery.address


def _taken_for_another(one: Any, moment: Moment) -> bool:
    """Whether all that the person got is no more than was to be told, although the provider's list mixed it up.

    A provider knows a text by its number and words, and a call by its number alone: of several deliveries that look the
    same there, one may be taken for another. The person gets each as often as it should be heard, and no more.
    """
    provider = moment.world.provider
    same = (one.delivery.channel, one.delivery.address, one.text if one.delivery.channel != "voice" else "")

    def looks(other: Any) -> tuple[str, str, str]:
        channel = other.delivery.channel
        return channel, other.delivery.address, other.text if channel != "voice" else ""

    if one.delivery.channel in UNASKED or one.delivery.members != (one.delivery,):
        return False
    wanted = {_key(request.delivery) for request in provider.requests if looks(request) == same}
    got = {other.provider_id for other in provider.sent if looks(other) == same}
    return len(got) <= len(wanted)


def _horizon(incident: Row) -> timedelta:
    policy = document(incident.snapshot)["policy"]
    if incident.state == "acknowledged":
        return timedelta(seconds=policy["arrive_within_s"])
    if incident.state == "on_scene":
        return timedelta(seconds=policy["outcome_within_s"])
    # Where the clock was set back between two rounds, both parts of the way lie ahead again.
    return timedelta(seconds=max(30, policy["repeat_every_s"]) + max(step["after_s"] for step in policy["steps"]))


@lru_cache(maxsize=200)
def _people(text: str) -> frozenset[tuple[str, str, str]]:
    """Everybody an incident may tell, with each way."""
    carried = document(text)
    ways = {
        (worker["id"], method["channel"], method["address"])
        for worker in carried["responsibility"]["workers"]
        for method in worker["contact"]
    }
    home = carried["home"]
    ways |= {
        (f"family:{home['id']}/{number}", channel, contact["phone"])
        for number, contact in enumerate(home.get("contacts") or ())
        for channel in ("sms", "voice")
    }
    return frozenset(ways)


def _traced(letter: Letter, moment: Moment) -> bool:
    """Whether what a message said can be seen in the database."""
    after: Snapshot = moment.after
    if any((row.topic, row.payload) == (letter.topic, letter.payload) for row in after.quarantine):
        return True
    started = moment.world.gateway_started
    remembered = started is not None and moment.now - started < _STARTUP
    seen: list[bool] = []
    for kind, value in letter.says.items():
        if value is None:
            continue
        row = after.states.get((letter.device, kind))
        if letter.historic:
            if (letter.device, kind, letter.received_at) not in after.history:
                return False
        elif row is None:
            return False
        elif letter.live and not remembered:
            seen.append(row.last_seen >= letter.received_at)
    # Of what a gateway repeats beside other facts one is enough to show that the device lives.
    return (any(seen) or not seen) if letter.topic.startswith("zigbee2mqtt/") else all(seen)


def _ends(letter: Letter, finding: Row) -> bool:
    """Whether a message is a reason for a finding to end."""
    if letter.device is None or not letter.live:
        return False
    if finding.kind == "offline":
        return letter.device == finding.device_id and letter.says.get("availability") != "offline"
    if finding.kind == "absence":
        return DEVICES[letter.device][4] == finding.subject and "contact" in letter.says
    said = letter.says.get(finding.kind)
    return letter.device == finding.device_id and said is not None and said not in _ALARMS


def _accounted(subject: str, moment: Moment) -> bool:
    """Whether there is a reason not to wait any longer for a condition to last."""
    _, device = subject.split("/", 1)
    tested = any(of == device and row.state == "test" for (of, _), row in moment.before.states.items())
    return tested or any(
        letter.device == device and any(value is not None for value in letter.says.values())
        for letter in moment.letters
    )


def _raised(finding: Row, moment: Moment) -> bool:
    before = moment.before.findings.get((finding.rule_id, finding.subject))
    return before is None or before.raised_at != finding.raised_at


def _can_tell(home: str, moment: Moment) -> bool:
    """Whether a sensor of the home has spoken for itself, and within its heartbeat."""
    for device in moment.before.devices.values():
        heard = moment.world.heard.get(device.id)
        state = moment.before.states.get((device.id, "contact"))
        if device.home_id != home or heard is None or state is None or state.state == "unknown":
            continue
        if device.heartbeat_s is None or moment.now - heard <= timedelta(seconds=device.heartbeat_s):
            return True
    return False


def _heard_live(incident: Row, moment: Moment) -> bool:
    """Whether a device has said live what an incident is about; what only silence says is for another invariant."""
    kinds = set(re.findall(r"\w+", incident.kinds))
    if kinds & {"offline", "absence", *_LOOKED_AT}:
        return True
    return any(
        DEVICES[device][4] == incident.home_id and kind in kinds and (value in _ALARMS or isinstance(value, float))
        for device, kind, value in moment.world.said
    )
