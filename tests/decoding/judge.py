"""Decoders held against recorded messages: what they find, what they miss, and what they make up."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ingest.dialects import DIALECTS
from shouwang.decoding import Sitting
from shouwang.decoding.sitting import assumed
from tests.decoding.samples import Sample, received_at

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

#: What no decoder may miss or make up.
VITAL = frozenset({"gas", "smoke", "carbon_monoxide", "water_leak", "contact", "sos", "fall"})
HAZARDS = frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"})
#: States by which a decoder says that something is the matter, or that all is well.
_ALARMS = frozenset({"alarm", "open", "detected", "pressed", "low", "offline", "failed"})
_CLEARS = frozenset({"clear", "closed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One fact about which the recording and the decoder differ."""

    sample: Sample
    kind: str
    #: missed, false alarm, false clear
    what: str
    meant: dict[str, Any] | None
    said: list[dict[str, Any]]

    @property
    def alarming(self) -> bool:
        """Whether an alarm was missed or made up, rather than a word that all is well."""
        return self.what == "false alarm" or (self.meant or {}).get("state") in _ALARMS


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What came of a comparison; the counts are by dialect, kind, and found, missed, false alarm or false clear."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)
    #: Messages of dialects that nobody decodes.
    unread: Counter[str] = field(default_factory=Counter)

    @property
    def vital(self) -> list[Disagreement]:
        """Those that may cost a life."""
        return [one for one in self.disagreements if one.kind in VITAL]


def compare(samples: Iterable[Sample]) -> Verdict:
    """Decode samples in their order, and hold what comes out against their meaning."""
    verdict = Verdict()
    by_dialect: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.dialect in DIALECTS:
            by_dialect.setdefault(sample.dialect, []).append(sample)
        else:
            verdict.unread[sample.dialect] += 1
    for dialect, of_dialect in by_dialect.items():
        bases = _bases(of_dialect)
        sitting = Sitting([assumed(dialect, bases=bases)], guess_base=not bases)
        alarming: dict[tuple[str, str], bool] = {}
        for sample in of_dialect:
            line = replace(sample.line, received_at=sample.line.received_at or received_at(sample.meaning))
            document = sitting.hear(line, NOON).as_json()
            _judge(verdict, sample, document)
            _judge_news(verdict, sample, document, alarming)
    return verdict


def _bases(samples: Sequence[Sample]) -> list[str]:
    """Give the bases that the recordings' gateways were set to, as their records say; else the dialect's own."""
    return list(dict.fromkeys(one for sample in samples if (one := sample.about.get("base"))))


def _judge(verdict: Verdict, sample: Sample, document: dict[str, Any]) -> None:
    facts: list[dict[str, Any]] = document["facts"]

    def count(kind: str, what: str, meant: dict[str, Any] | None = None) -> None:
        verdict.counts[sample.dialect, kind, what] += 1
        if what != "found":
            said = [one for one in facts if one["kind"] == kind] or [_reasons(document)]
            verdict.disagreements.append(
                Disagreement(sample=sample, kind=kind, what=what, meant=meant, said=said or facts)
            )

    for meant in sample.meaning:
        if meant["kind"] == "last_seen" and meant.get("tz") == "naive":
            continue
        count(meant["kind"], "found" if _is_said(meant, document) else "missed", meant)
    for fact in facts:
        kind, state = fact["kind"], fact.get("state")
        if state in _ALARMS and not any(_agrees(meant, fact) for meant in sample.meaning):
            count(kind, "false alarm")
        elif state in _CLEARS and kind in VITAL:
            meant_so = {
                meant.get("state") for meant in sample.meaning if meant["kind"] == kind and _same_device(meant, fact)
            }
            if meant_so and state not in meant_so:
                count(kind, "false clear")


def _judge_news(
    verdict: Verdict, sample: Sample, document: dict[str, Any], alarming: dict[tuple[str, str], bool]
) -> None:
    """An alarm is news where it was not there before; what a gateway only repeats is none."""
    raised = False
    for fact in document["facts"]:
        if fact["kind"] in HAZARDS and fact.get("state"):
            key = (fact["device"], fact["kind"])
            raised = raised or (fact["state"] == "alarm" and not alarming.get(key, False))
            alarming[key] = fact["state"] == "alarm"
    if raised and sample.new_alarm is False and not any(one.get("state") == "alarm" for one in sample.meaning):
        verdict.counts[sample.dialect, "new alarm", "false alarm"] += 1
    if sample.new_alarm:
        said = any(one["kind"] in HAZARDS and one.get("state") == "alarm" for one in document["facts"])
        verdict.counts[sample.dialect, "new alarm", "found" if said else "missed"] += 1


def _is_said(meant: dict[str, Any], document: dict[str, Any]) -> bool:
    kind = meant["kind"]
    facts = document["facts"]
    if kind == "ignored":
        if meant["reason"] == "*":
            return not facts
        quarantine = document.get("quarantine", {}).get("reason")
        return meant["reason"] in {document.get("ignored"), quarantine}
    if kind == "last_seen":
        return any(_same_moment(fact.get("observed_at"), meant["value"]) for fact in facts)
    if kind == "heartbeat":
        # Whatever a device says shows that it lives.
        return any(not fact.get("needs_mapping") for fact in facts)
    if meant.get("needs_mapping"):
        return any(fact.get("needs_mapping") for fact in facts) or any(_agrees(meant, fact) for fact in facts)
    return any(_agrees(meant, fact) for fact in facts)


def _agrees(meant: dict[str, Any], fact: dict[str, Any]) -> bool:
    if meant["kind"] != fact["kind"] or not _same_device(meant, fact):
        return False
    if (state := meant.get("state")) is not None and state != fact.get("state"):
        return False
    if (value := meant.get("value")) is not None and not _same_value(value, fact):
        return False
    if (unit := meant.get("unit")) is not None and unit != fact.get("unit"):
        return False
    if (name := meant.get("name")) is not None and name != fact.get("name"):
        return False
    if (scope := meant.get("scope")) in {"device", "gateway"} and scope != fact.get("scope"):
        return False
    if meant.get("under_test") and not fact.get("under_test"):
        return False
    return bool(meant.get("historic")) == bool(fact.get("historic"))


def _same_device(meant: dict[str, Any], fact: dict[str, Any]) -> bool:
    return meant.get("device") in {None, fact.get("device")}


def _same_value(value: Any, fact: dict[str, Any]) -> bool:
    if isinstance(value, (int, float)) and isinstance(fact.get("value"), (int, float)):
        return math.isclose(value, fact["value"], rel_tol=1e-4)
    return bool(str(value) in {str(fact.get("value")), str(fact.get("state")), str(fact.get("said"))})


def _same_moment(said: str | None, meant: str) -> bool:
    if said is None:
        return False
    each = [datetime.fromisoformat(one) for one in (said, meant)]
    return abs((each[0] - each[1]).total_seconds()) < 0.01


def _reasons(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in ("ignored", "quarantine", "learnt") if name in document}


def rows(verdict: Verdict) -> Iterator[tuple[str, str, int, int, int, int]]:
    """Give dialect, kind, and how often it was found, missed, made an alarm and made clear."""
    for dialect, kind in sorted({key[:2] for key in verdict.counts}):
        found, missed, alarm, clear = (
            verdict.counts[dialect, kind, what] for what in ("found", "missed", "false alarm", "false clear")
        )
        yield dialect, kind, found, missed, alarm, clear
