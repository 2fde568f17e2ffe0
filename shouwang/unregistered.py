"""What could be brought in: devices that are heard, or that a gateway speaks of, as entries ready to be pasted."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shouwang.config.vocabulary import DEVICE_KINDS
from store.strangers import Unregistered

#: Of what tells of several kinds of facts, this is what it hangs there for: the first that it tells of.
_FOREMOST = (
    "gas", "smoke", "carbon_monoxide", "sos", "fall", "water_leak", "contact", "presence", "motion", "vibration",
    "button", "measurement",
)  # fmt: skip
#: Heartbeats that have proved themselves (docs/configuration.md); for others nobody can say.
_HEARTBEATS = {
    "gas": "2h",
    "carbon_monoxide": "24h",
    "smoke": "24h",
    "contact": "25h",
    "sos": "25h",
    "water_leak": "25h",
}
#: Properties of a Zigbee2MQTT definition that are facts of another name.
_SAME = {"occupancy": "motion", "action": "button"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A device as it could be registered."""

    source: str
    dialect: str
    name: str
    kind: str | None
    vendor: str | None
    model: str | None
    last_seen: datetime | None
    topic: str | None

    def entry(self, home: str, taken: set[str]) -> str:
        """Write the line for devices.yaml, under the `devices:` of a home; what is not known says CHANGE-ME.

        Its id is none of those that are taken, and is taken from then on.
        """
        kind = self.kind or "CHANGE-ME"
        identity = wanted = f"{home}-{kind}"
        number = 1
        while identity in taken:
            number += 1
            identity = f"{wanted}-{number}"
        taken.add(identity)
        parts = {"id": identity, "kind": kind, "source": self.source, "name": self.name}
        beat = f", heartbeat: {_HEARTBEATS[kind]}" if kind in _HEARTBEATS else ""
        return "- {" + ", ".join(f"{key}: {_yaml(value)}" for key, value in parts.items()) + beat + "}"


def propose(found: Iterable[Unregistered]) -> list[Proposal]:
    """Make proposals, in the order given."""
    return [
        Proposal(
            source=one.source,
            dialect=one.dialect,
            name=one.name,
            kind=_kind(one),
            vendor=(one.definition or {}).get("vendor"),
            model=(one.definition or {}).get("model"),
            last_seen=one.stranger.last_seen if one.stranger is not None else None,
            topic=one.stranger.topic if one.stranger is not None else None,
        )
        for one in found
    ]


def _kind(one: Unregistered) -> str | None:
    kinds = set(one.stranger.kinds) if one.stranger is not None else set()
    for expose in (one.definition or {}).get("exposes", ()):
        name = str(expose.get("property", ""))
        kinds.add(_SAME.get(name, name))
    return next((kind for kind in _FOREMOST if kind in kinds and kind in DEVICE_KINDS), None)


def _yaml(text: str) -> str:
    """Write a text as YAML takes it for a text within braces; JSON is YAML."""
    plain = text.replace("-", "").replace("_", "").replace("/", "")
    is_plain = plain.isalnum() and not plain.isdecimal() and text[0].isalpha() and text.lower() not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
