"""A probe: a self-test that somebody outside sends through the whole line. Decides which one is let through.

It reaches no worker: it goes to a channel of its own that only says that it was there, or to an address that those who
run the service have set for themselves. And it cannot flood: so many a minute, fewer where a message really leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules import texts
from rules.decisions import NewDelivery, Priority, Purpose

#: Whom a probe's delivery is for: nobody among the workers.
RECIPIENT = "_probe"

#: The channel of its own.
CHANNEL = "probe"

#: One that was sent so long ago, or so far ahead, is not let through: it waited somewhere, or somebody repeats it.
FRESH_FOR = timedelta(minutes=2)

#: Probes a minute; and of those that leave by a real channel an hour.
A_MINUTE = 12
AN_HOUR_TO_PEOPLE = 12

#: A probe that has not left by then is of no use.
_OF_USE_FOR = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a prober asks for."""

    id: str
    #: When it was sent, by the prober's clock.
    at: datetime
    #: A channel of the operators', or empty for the channel of its own.
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A probe that was let through within the last hour."""

    at: datetime
    channel: str


def refusal(
    call: Call, *, retained: bool, ways: Mapping[str, str], earlier: Sequence[Earlier], now: datetime
) -> str | None:
    """Say why a probe is not let through; None where it is. `ways` are the operators' addresses by channel."""
    age = now - call.at
    if retained:
        return "it is retained, and so none of this moment"
    if abs(age) > FRESH_FOR:
        return f"it was sent {abs(age.total_seconds()):.0f} s {'ago' if age > timedelta() else 'ahead'} by our clock"
    if call.to and call.to not in ways:
        known = ", ".join(sorted(ways)) or "none"
        return f"the operators have set no address for {call.to} (set are: {known})"
    last_minute = sum(now - one.at < timedelta(minutes=1) for one in earlier)
    to_people = sum(one.channel != CHANNEL for one in earlier)
    if last_minute >= A_MINUTE:
        return f"more than {A_MINUTE} probes within a minute"
    if call.to and to_people >= AN_HOUR_TO_PEOPLE:
        return f"more than {AN_HOUR_TO_PEOPLE} probes within an hour to a real channel"
    return None


def delivery(call: Call, *, ways: Mapping[str, str], language: str, now: datetime) -> NewDelivery:
    """Make the delivery of a probe that is let through. It goes the way of a page for life and death."""
    return NewDelivery(
        # One id, one delivery: a probe that comes twice is unique in the outbox like everything there.
        incident_id=f"probe:{call.id}",
        step_key="probe",
        recipient_id=RECIPIENT,
        recipient_name="probe",
        channel=call.to or CHANNEL,
        address=ways.get(call.to, call.id),
        # Not a page: nobody is asked for an answer, and nothing moves on where it fails.
        purpose=Purpose.ANSWER,
        priority=Priority.LIFE_SAFETY_PAGE,
        text=texts.render("probe.text", language, id=call.id),
        code="",
        expires_at=now + _OF_USE_FOR,
        drill=True,
    )
