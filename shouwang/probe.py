"""What goes over the wire for a probe, both ways, signed: topics, calls and answers.

    shouwang/v1/_probe/<id>/event     {"id", "at", "to", "sig"}                      from the prober
    shouwang/v1/_probe/<id>/answer    {"id", "state", "reason", "sig"}               from the service

Whoever may publish could ask for a probe, and whoever may publish could say that all is well. So both are signed with a
secret that the two share: HMAC-SHA256 over the other fields as JSON with sorted keys, behind a word for the direction.
"""

import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from rules.probe import Call

BASE = "shouwang/v1/_probe"

#: What the service subscribes to, where the broker allows it. Where a source's subscription holds it too, some brokers
#: deliver a call twice; it counts once.
SUBSCRIPTION = f"{BASE}/+/event"

_OURS = f"{BASE}/"
_ID = re.compile(r"[0-9a-z]{8,32}")
_LONGEST = 2_000

#: What became of a probe, in a word; the last two may change once more.
SENT, FAILED, REFUSED, WAITS, DOUBT = "sent", "failed", "refused", "waits", "in_doubt"
FINAL = frozenset({SENT, FAILED, REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service says of a probe."""

    id: str
    #: See SENT and the others.
    state: str
    #: Why, where it did not leave; for people.
    reason: str = ""


def event_topic(probe_id: str) -> str:
    """Where a call is published."""
    return f"{BASE}/{probe_id}/event"


def answer_topic(probe_id: str) -> str:
    """Where its answer is."""
    return f"{BASE}/{probe_id}/answer"


def is_ours(topic: str) -> bool:
    """Say whether a topic is one of probes."""
    return topic.startswith(_OURS)


def is_answer(topic: str) -> bool:
    """Say whether it is one of answers."""
    return topic.startswith(_OURS) and topic.endswith("/answer")


def write_call(call: Call, secret: str) -> bytes:
    """Write a call."""
    return _signed({"id": call.id, "at": call.at.isoformat(), "to": call.to}, "call", secret)


def read_call(topic: str, payload: bytes, secret: str) -> Call:
    """Read a call. Raises ValueError with a sentence where it is none, or not signed by who shares the secret."""
    fields = _verified(payload, "call", secret)
    probe_id, at, to = (str(fields.get(name, "")) for name in ("id", "at", "to"))
    if not _ID.fullmatch(probe_id) or topic != event_topic(probe_id):
        raise ValueError("The probe's id is not that of its topic.")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise ValueError("The probe does not say when it was sent.") from None
    if moment.tzinfo is None:
        raise ValueError("The probe's time has no zone.")
    return Call(id=probe_id, at=moment.astimezone(UTC), to=to)


def write_answer(answer: Answer, secret: str) -> bytes:
    """Write an answer."""
    return _signed({"id": answer.id, "state": answer.state, "reason": answer.reason}, "answer", secret)


def read_answer(payload: bytes, secret: str) -> Answer:
    """Read an answer; ValueError as in read_call."""
    fields = _verified(payload, "answer", secret)
    return Answer(**{name: str(fields.get(name, "")) for name in ("id", "state", "reason")})


def _signed(fields: dict[str, str], direction: str, secret: str) -> bytes:
    return json.dumps({**fields, "sig": _signature(fields, direction, secret)}, ensure_ascii=False).encode()


def _verified(payload: bytes, direction: str, secret: str) -> dict[str, Any]:
    if len(payload) > _LONGEST:
        raise ValueError("The probe is longer than any of ours.")
    try:
        fields: Any = json.loads(payload)
    except ValueError:
        raise ValueError("The probe is not valid JSON.") from None
    given = fields.pop("sig", None) if isinstance(fields, dict) else None
    if type(given) is not str:
        raise ValueError("The probe is not signed.")
    try:
        expected = _signature(fields, direction, secret)
    except (TypeError, ValueError):
        raise ValueError("The probe cannot be read.") from None
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise ValueError("The probe is signed with another secret than SHOUWANG_PROBE__SECRET here.")
    return dict(fields)


def _signature(fields: dict[str, Any], direction: str, secret: str) -> str:
    signed = f"{direction}\n{json.dumps(fields, sort_keys=True, separators=(',', ':'))}"
    return hmac.new(secret.encode(), signed.encode(), sha256).hexdigest()
