"""What a message says, as JSON for people and programs."""

from dataclasses import dataclass
from typing import Any

from ingest.decoded import Decoded, GatewayWord, Unmapped
from rules.readings import Freshness, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one message says, and why it says no more."""

    topic: str
    decoded: Decoded
    #: What the topic was taken to begin with, where that was guessed.
    base: str | None = None

    @property
    def understood(self) -> bool:
        """Whether nothing in it is left to somebody."""
        return self.decoded.quarantine is None and not self.decoded.unmapped

    def as_json(self) -> dict[str, Any]:
        """Give it for a line of JSON; what there is nothing of is left out, but for the facts."""
        decoded = self.decoded
        facts = [fact for one in decoded.readings for fact in _facts(one)]
        if decoded.gateway is not None:
            facts.append(_of_gateway(decoded.gateway))
        facts += [_unmapped(one) for one in decoded.unmapped]
        document: dict[str, Any] = {"topic": self.topic, "facts": facts}
        if decoded.ignored is not None:
            document["ignored"] = decoded.ignored
        if decoded.quarantine is not None:
            reason, sentence = decoded.quarantine
            document["quarantine"] = {"reason": reason, "sentence": sentence}
        learnt = [*(decoded.definitions or ()), *(decoded.learnt or ())]
        if learnt or decoded.definitions is not None:
            document["learnt"] = learnt
        if self.base is not None:
            document["base"] = self.base
        if decoded.strangers:
            document["strangers"] = list(decoded.strangers)
        return document


def _facts(reading: Reading) -> list[dict[str, Any]]:
    """Give a reading as facts: a device may have several faults at once, each with its code."""
    if reading.kind == "fault" and reading.detail is not None and "," in reading.detail:
        return [_fact(reading._replace(detail=code)) for code in reading.detail.split(",")]
    return [_fact(reading)]


def _fact(reading: Reading) -> dict[str, Any]:
    fact: dict[str, Any] = {"device": reading.device_id, "kind": reading.kind}
    if reading.state is not None:
        fact["state"] = reading.state
    if reading.value is not None:
        fact["value"] = reading.value
    if reading.unit is not None:
        fact["unit"] = reading.unit
    if reading.detail is not None:
        fact["detail"] = reading.detail
        if reading.kind == "measurement":
            fact["name"] = reading.detail
        elif reading.kind == "fault":
            fact["code"] = reading.detail
    if reading.kind == "availability":
        fact["scope"] = "device"
        if reading.state == "sleeping":
            fact["expected"] = True
    fact["freshness"] = reading.freshness.value
    if reading.freshness is Freshness.HISTORIC:
        fact["historic"] = True
    if reading.merged:
        fact["merged"] = True
    if reading.startup:
        fact["startup"] = True
    if reading.under_test:
        fact["under_test"] = True
    if reading.observed_at is not None:
        fact["observed_at"] = reading.observed_at.isoformat().replace("+00:00", "Z")
    return fact


def _of_gateway(word: GatewayWord) -> dict[str, Any]:
    fact: dict[str, Any] = {"device": word.name or word.source, "kind": "availability", "state": word.state}
    fact |= {"scope": "gateway", "source": word.source}
    if word.started_at is not None:
        fact["started_at"] = word.started_at.isoformat().replace("+00:00", "Z")
    return fact


def _unmapped(one: Unmapped) -> dict[str, Any]:
    return {"device": one.name, "kind": one.what, "field": one.field, "said": one.said, "needs_mapping": True}
