"""The words that devices.yaml and rules.yaml may use for kinds, states and people."""

from typing import Final

from ingest import dialects
from rules.readings import KINDS

_ALARM: Final = frozenset({"alarm", "clear"})
_DETECTED: Final = frozenset({"detected", "clear"})
_ON_OFF: Final = frozenset({"on", "off"})

#: The states a rule may ask for, by kind. What is not here is a number, or is free text (a button's action).
STATES: Final[dict[str, frozenset[str]]] = {
    "gas": _ALARM,
    "smoke": _ALARM,
    "carbon_monoxide": _ALARM,
    "water_leak": _ALARM,
    "tamper": _ALARM,
    "fault": _ALARM,
    "fall": _ALARM | {"warning"},
    "contact": frozenset({"open", "closed"}),
    "motion": _DETECTED,
    "presence": _DETECTED,
    "vibration": _DETECTED,
    "sos": frozenset({"pressed", "cleared"}),
    "battery": frozenset({"low", "ok"}),
    "availability": frozenset({"online", "offline", "sleeping"}),
    "test": frozenset({"active", "inactive", "passed", "failed"}),
    "mute": _ON_OFF,
    "warmup": frozenset({"active", "inactive"}),
    "end_of_life": _ALARM,
}

#: Kinds that are numbers, and so have no states.
NUMBERS: Final = {kind for kind in KINDS if kind.endswith("_concentration")} | {"battery_voltage", "measurement"}
#: Kinds of which a rule may ask whether they are below or above something.
MEASURED: Final = NUMBERS | {"battery"}
#: Kinds that show that somebody is about.
ACTIVITY: Final = frozenset({"contact", "motion", "presence", "vibration", "button"})

#: In a map: a field that is of no interest.
NO_KIND: Final = "none"
#: What a field may be mapped to.
READING_KINDS: Final = KINDS | {NO_KIND}

#: What a device in devices.yaml may be.
DEVICE_KINDS: Final = frozenset(
    {
        "gas", "smoke", "carbon_monoxide", "water_leak", "contact", "motion", "presence", "vibration", "sos", "fall",
        "button", "measurement",
    }
)  # fmt: skip

#: Where an escalation step may go besides a worker's own id.
ROLES_TO: Final = frozenset({"assigned", "backup", "general", "desk", "contacts"})
#: Ids that stand for something else in the journal and in steps, so that no worker may have them.
RESERVED_IDS: Final = ROLES_TO | {"sensor", "clock", "provider"}
CHANNELS: Final = frozenset({"sms", "voice", "apprise", "webhook", "console"})
DIALECTS: Final = frozenset(dialects.DIALECTS)
#: What a response plan may fill in; what comes after `hazards.` is up to the homes.
PLACES: Final = frozenset(
    {
        "address", "access", "hazards.gas_valve", "resident.name", "resident.phone", "resident.notes", "contact.name",
        "contact.phone",
    }
)  # fmt: skip


def source_of(kind: str) -> str | None:
    """The kind of device that gives facts of a kind; None where any device may (battery, tamper, …)."""
    base = kind.removesuffix("_concentration")
    return base if base in DEVICE_KINDS else None
