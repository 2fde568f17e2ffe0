"""Recorded messages with their meaning, in the two forms that there are: `meaning`, and the truth of injected frames.

    {"dialect", "topic", "payload", "retain", "device_model", "sensor_kind", "meaning": [{"kind", "state" …}]}
    {"kind", "topic", "payload", "retain", "model", "vendor", "exposes", "truth": {"active": {"smoke": true} …}}

The second is of Zigbee2MQTT alone: `active` says of each property whether it is active (null: not announced), `fresh`
which of them this very message carried, `new_alarm` whether it is the one that says so.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from shouwang.decoding import Line, read_line

#: The names of dialects in recordings that are called otherwise here.
CALLED = {
    "lorawan-chirpstack": "chirpstack",
    "lorawan-ttn": "ttn",
    "homeassistant-statestream": "homeassistant",
    "sparkplug-json": "sparkplug",
}
#: Of those that a recording calls `other`, the dialects of some, by how their topics begin.
_OTHER = {"zwave/": "zwave-js-ui", "/sys/": "onenet"}
#: What a property of Zigbee2MQTT tells of, by its family in the recording.
_FAMILIES = {
    **{kind: kind for kind in ("gas", "smoke", "carbon_monoxide", "water_leak", "contact", "tamper", "vibration")},
    "occupancy": "motion",
    "battery_low": "battery",
    "test": "test",
    "fault": "fault",
}
_PROPERTIES = {
    "presence": "presence",
    "presence_state": "presence",
    "end_of_life": "end_of_life",
    "sos": "sos",
    "fall_down_status": "fall",
}
_STATES = {
    "contact": ("open", "closed"),
    "tamper": ("alarm", "clear"),
    "vibration": ("detected", "clear"),
    "motion": ("detected", "clear"),
    "presence": ("detected", "clear"),
    "battery": ("low", "ok"),
    "test": ("active", "inactive"),
    "sos": ("pressed", "cleared"),
}
_HAZARDS = {"gas", "smoke", "carbon_monoxide", "water_leak"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A message, and the facts that a good decoder gives."""

    where: str
    dialect: str
    line: Line
    meaning: list[dict[str, Any]]
    #: Whether an alarm in it is news; None where the recording does not say.
    new_alarm: bool | None = None
    about: dict[str, Any] = field(default_factory=dict)


def read(path: Path) -> Iterator[Sample]:
    """Read a file of either form. Raises ValueError."""
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not text.strip():
            continue
        record = json.loads(text)
        line = read_line(text)
        assert line is not None
        where = f"{path.name}:{number}"
        if "truth" in record:
            yield _of_truth(where, record, line)
            continue
        dialect = CALLED.get(record["dialect"], record["dialect"])
        if dialect == "other":
            dialect = next((one for start, one in _OTHER.items() if line.topic.startswith(start)), dialect)
        yield Sample(where=where, dialect=dialect, line=line, meaning=record["meaning"], about=record)


def _of_truth(where: str, record: dict[str, Any], line: Line) -> Sample:
    truth = record["truth"]
    return Sample(
        where=where,
        dialect="zigbee2mqtt",
        line=line,
        meaning=list(_meaning(record, truth)),
        new_alarm=truth.get("new_alarm"),
        about=record,
    )


def _meaning(record: dict[str, Any], truth: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "online" in truth or "available" in truth:
        online = truth.get("online", truth.get("available"))
        scope = "gateway" if "online" in truth else "device"
        yield {"kind": "availability", "state": "online" if online else "offline", "scope": scope}
    elif "bridge" in truth or "retained_cleared" in truth:
        yield {"kind": "ignored", "reason": "retained_clear" if "retained_cleared" in truth else "*"}
    elif "attribute_of" in truth:
        name = record["topic"].rpartition("/")[2]
        kind = _PROPERTIES.get(name) or _FAMILIES.get(name)
        if kind is not None and record["raw"] in {"true", "false"}:
            yield {"kind": kind, "state": _state(kind, active=(record["raw"] == "true") != (kind == "contact"))}
    else:
        yield from _of_state(record, truth)


def _of_state(record: dict[str, Any], truth: dict[str, Any]) -> Iterator[dict[str, Any]]:
    families = {expose["property"]: expose.get("family") for expose in record["exposes"]}
    active: dict[str, list[bool | None]] = {}
    for name, is_active in truth["active"].items():
        kind = _PROPERTIES.get(name) or _FAMILIES.get(families.get(name) or name)
        if kind is not None and name in record["payload"]:
            active.setdefault(kind, []).append(is_active)
    for kind, each in active.items():
        if True in each:
            fact = {"kind": kind, "state": _state(kind, active=True)}
            if truth.get("test") and kind in _HAZARDS:
                fact["under_test"] = True
            yield fact
        elif kind != "battery" or None not in each:
            # A word that the recording does not judge may mean anything; null is unknown.
            said_nothing = all(
                record["payload"].get(name) is None for name, one in truth["active"].items() if one is None
            )
            yield {
                "kind": kind,
                "state": _state(kind, active=False) if None not in each else "unknown" if said_nothing else None,
            }
    if (level := truth.get("numeric", {}).get("battery")) is not None:
        yield {"kind": "battery", "value": level, "unit": "%"}
    if truth.get("action"):
        yield {"kind": "sos", "state": "pressed"} if truth["emergency"] else {"kind": "button"}


def _state(kind: str, *, active: bool) -> str:
    on, off = _STATES.get(kind, ("alarm", "clear"))
    return on if active else off


def received_at(meaning: list[dict[str, Any]]) -> datetime | None:
    """Give the time at which a message can have come whose device names its own: the latest of those not late."""
    said = [
        one["value"] if one["kind"] == "last_seen" else one.get("at")
        for one in meaning
        if one.get("tz") != "naive" and not one.get("historic")
    ]
    return max((datetime.fromisoformat(one) for one in said if type(one) is str), default=None)
