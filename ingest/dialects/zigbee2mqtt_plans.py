"""How to read one model's messages: worked out once for each property, from the gateway's definition or the tables."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from ingest.dialects import meanings
from ingest.dialects import zigbee2mqtt_tables as tables
from ingest.dialects.meanings import Fact
from ingest.dialects.promised import HEARTBEAT, by_power
from ingest.dialects.zigbee2mqtt_tables import How
from rules.community import Device, Mapped

_PUBLISHED = 1
_SETTABLE = 2
#: Enough for the properties of any model; what a mad device invents beyond that is worked out again each time.
_MOST_STEPS = 256
_MOST_PLANS = 1024
#: Kinds of exposes whose features are properties of their own in the payload.
_GROUPS = frozenset({"light", "switch", "lock", "cover", "climate", "fan"})
#: What is kept of an expose, and the types that it may have; a gateway may send anything.
_KEPT: dict[str, frozenset[type]] = {
    "property": frozenset({str}),
    "name": frozenset({str}),
    "type": frozenset({str}),
    "access": frozenset({int}),
    "value_on": frozenset({bool, str}),
    "value_off": frozenset({bool, str}),
    "unit": frozenset({str}),
}
#: "closed (= true) or open (= false)" in a description overrules value_on, which contradicts it for some models.
_POLARITY = re.compile(r"\b(open|close)(?:ed|d)?\s*\(\s*=\s*(true|on|false|off)\s*\)", re.IGNORECASE)
_TRUE_WORDS = frozenset({"true", "on"})
#: Kinds whose names settings have as well: how strongly a knob trembles, the button that begins a test.
_SET_ELSEWHERE = frozenset({"vibration", "test"})


class Step(NamedTuple):
    """How one property is read."""

    how: How
    kind: str
    #: Value: what it says; for STATE, FAULT and GENERIC.
    facts: dict[Any, Fact]
    unit: str | None = None
    #: What a number is multiplied by.
    scale: float = 1.0
    #: The code of a fault.
    code: str | None = None


_NOTHING: dict[Any, Fact] = {}


class Plan:
    """How to read the messages of devices of one model that are registered as one kind."""

    def __init__(
        self,
        definition: dict[str, Any] | None,
        kind: str,
        *,
        invert: bool,
        maps: Sequence[Mapping[str, Mapped]] = (),
    ) -> None:
        exposes = (definition or {}).get("exposes", ())
        self._exposes: dict[str, dict[str, Any]] = {one["property"]: one for one in exposes}
        self._defined = definition is not None
        self._kind = kind
        self._about: str | None = (definition or {}).get("about")
        self._invert = invert
        self._maps = maps
        #: Property: how it is read; None where it is of no interest.
        self.steps: dict[str, Step | None] = {}

    def learn(self, name: str) -> Step | None:
        """Work out how a property is read, and remember it."""
        step = self._step(name)
        if len(self.steps) < _MOST_STEPS:
            self.steps[name] = step
        return step

    def read(self, step: Step, value: Any) -> Fact:
        """Read a value that is not in the step's table."""
        if type(value) is not str:
            return meanings.unknown(step.kind)
        fact = meanings.read_word(step.kind, value)
        return _turned(fact) if self._invert and fact.kind == "contact" else fact

    def _step(self, name: str) -> Step | None:
        for meanings_here in self._maps:
            if (how := meanings_here.get(name)) is not None:
                return None if how.kind is None else Step(How.MAPPED, how.kind, _NOTHING)
        expose = self._exposes.get(name, {})
        plain = expose.get("name") or name
        if name == "action" or plain == "action":
            return Step(How.ACTION, "button", _NOTHING)
        if plain == "battery":
            return Step(How.BATTERY, "battery", _NOTHING)
        if plain in {"voltage", "battery_voltage"}:
            return self._voltage(plain, expose.get("unit"))
        if plain in tables.FAULTS:
            return Step(How.FAULT, "fault", _faults(expose), code=tables.FAULTS[plain])
        if plain in tables.NUMBERS and expose.get("type", "" if plain in tables.STATES else "numeric") == "numeric":
            kind, unit = tables.NUMBERS[plain]
            if expose.get("unit") in tables.METERED:
                return None
            return Step(How.NUMBER, kind, _NOTHING, unit=expose.get("unit") or unit)
        if expose.get("type") == "numeric":
            return None
        kind_here = tables.kind_of(plain) or tables.kind_of(name)
        if kind_here is None and expose:
            kind_here = "fall" if tables.FALLING in expose.get("values", ()) else tables.STATES_IF_DEFINED.get(plain)
        if kind_here is not None:
            if kind_here in _SET_ELSEWHERE and _is_setting(expose):
                return None
            return Step(How.STATE, kind_here, self._facts(kind_here, plain, expose))
        return self._generic(plain, expose)

    def _generic(self, name: str, expose: dict[str, Any]) -> Step | None:
        """Work out a property that says `alarm`, and not of what."""
        kinds = tables.GENERIC.get(name)
        if kinds is None or not self._says_state(expose):
            return None
        for kind in (self._kind, self._about):
            if kind is not None and kind in kinds:
                return Step(How.GENERIC, kind, self._facts(kind, name, expose))
        # A definition without a word on what the device is for may still be of a detector.
        if name in tables.UNCLEAR and not (self._defined and self._about == ""):
            return Step(How.UNCLEAR, "tamper", meanings.booleans("tamper", inverted=False))
        return None

    def _says_state(self, expose: dict[str, Any]) -> bool:
        """Whether a property tells of the device; a settable `alarm` is the switch of a siren."""
        if not self._defined:
            return True
        access: int = expose.get("access", _SETTABLE)
        return access & (_PUBLISHED | _SETTABLE) == _PUBLISHED

    def _facts(self, kind: str, name: str, expose: dict[str, Any]) -> dict[Any, Fact]:
        if kind == "contact":
            facts = meanings.booleans(kind, inverted=_false_is_open(name, expose))
        else:
            facts = meanings.booleans(kind, inverted=meanings.is_false(expose.get("value_on")))
            for key, fact in (("value_on", meanings.on(kind)), ("value_off", meanings.off(kind))):
                value = expose.get(key)
                if type(value) is str and value not in facts:
                    facts[value] = fact
        for value in expose.get("values", ()):
            if value not in facts:
                facts[value] = meanings.read_word(kind, value)
        if tables.FALLING in facts:
            # The property says where somebody is, of which only the one is a fall.
            facts.update({value: meanings.off(kind) for value in expose["values"] if value != tables.FALLING})
        if kind == "contact" and self._invert:
            facts = {value: _turned(fact) for value, fact in facts.items()}
        return facts

    def _voltage(self, name: str, unit: str | None) -> Step | None:
        if unit == "mV":
            return Step(How.VOLTAGE, "battery_voltage", _NOTHING, scale=0.001)
        if unit == "V":
            # Of a device on mains power it is the mains' voltage.
            on_battery = name == "battery_voltage" or "battery" in self._exposes
            return Step(How.VOLTAGE, "battery_voltage", _NOTHING) if on_battery else None
        return Step(How.VOLTAGE, "battery_voltage", _NOTHING, scale=0.0)


class Plans:
    """The plans in use; devices of one model share one. `meanings` is the source's map."""

    def __init__(self, meanings: Mapping[str, Mapped] | None = None) -> None:
        self._meanings = () if meanings is None else (meanings,)
        self._plans: dict[tuple[str, str, bool], Plan] = {}
        #: Of devices with a map of their own, with the device and the definition that each was made for.
        self._own: dict[str, tuple[Device, dict[str, Any] | None, Plan]] = {}

    def of(self, device: Device, definition: dict[str, Any] | None) -> Plan:
        """Give the plan for a device."""
        if device.map is not None:
            return self._mapped(device, definition)
        key = (definition.get("digest", "") if definition is not None else "", device.kind, device.invert)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[key] = Plan(definition, device.kind, invert=device.invert, maps=self._meanings)
        return plan

    def _mapped(self, device: Device, definition: dict[str, Any] | None) -> Plan:
        known = self._own.get(device.id)
        if known is not None and known[0] == device and known[1] == definition:
            return known[2]
        if len(self._own) >= _MOST_PLANS:
            self._own.clear()
        maps = (device.map or {}, *self._meanings)
        plan = Plan(definition, device.kind, invert=device.invert, maps=maps)
        self._own[device.id] = (device, definition, plan)
        return plan


def definitions(devices: Any) -> dict[str, dict[str, Any]] | None:
    """Make definitions from the gateway's list of devices (`bridge/devices`); None where it is no such list.

    Kept is what plans need, of what a device publishes: model, vendor, exposes, for how long it is silent at
    the most, and a digest that equal devices share.
    """
    if type(devices) is not list:
        return None
    found: dict[str, dict[str, Any]] = {}
    for device in devices:
        if type(device) is not dict:
            continue
        name, definition = device.get("friendly_name"), device.get("definition")
        if type(name) is not str or type(definition) is not dict:
            continue
        exposes = _flat(definition.get("exposes"))
        model, vendor = str(definition.get("model")), str(definition.get("vendor"))
        kept: dict[str, Any] = {"model": model, "vendor": vendor, "exposes": exposes}
        if (about := tables.about(definition.get("description"))) is not None:
            kept["about"] = about
        if (heartbeat := by_power(_fed_by(device.get("power_source")))) is not None:
            kept[HEARTBEAT] = heartbeat
        digest = hashlib.blake2s(orjson.dumps(list(kept.values())), digest_size=12).hexdigest()
        found[name] = {**kept, "digest": digest}
    return found


def _fed_by(said: Any) -> str | None:
    """Tell what feeds a device: `Battery`, `Mains (single phase)`, `DC Source`, `Emergency mains …`, `Unknown`."""
    if type(said) is not str:
        return None
    if said == "Battery":
        return "battery"
    return "mains" if said == "DC Source" or "mains" in said.lower() else None


def _flat(exposes: Any) -> list[dict[str, Any]]:
    flat: list[dict[str, Any]] = []
    for expose in exposes if type(exposes) is list else ():
        if type(expose) is not dict:
            continue
        if expose.get("type") in _GROUPS:
            flat.extend(_flat(expose.get("features")))
            continue
        access = expose.get("access")
        if type(expose.get("property")) is not str or type(access) is not int or not access & _PUBLISHED:
            continue
        kept = {key: expose[key] for key, types in _KEPT.items() if type(expose.get(key)) in types}
        values = expose.get("values")
        if type(values) is list:
            kept["values"] = [value for value in values if type(value) is str]
        description = expose.get("description")
        if type(description) is str and _POLARITY.search(description):
            kept["description"] = description[:200]
        flat.append(kept)
    return flat


def _false_is_open(name: str, expose: dict[str, Any]) -> bool:
    """Tell a contact's polarity: from the description, else from the name, else from value_on.

    `contact: true` is a contact that is made, hence closed; some definitions' value_on contradicts that.
    """
    said = _POLARITY.search(expose.get("description") or "")
    if said is not None:
        is_open = said.group(1).lower() == "open"
        return is_open != (said.group(2).lower() in _TRUE_WORDS)
    if "contact" in name:
        return True
    return meanings.is_false(expose.get("value_on"))


def _is_setting(expose: dict[str, Any]) -> bool:
    """Whether a property is what somebody has set, rather than what the device found."""
    if not expose.get("access", 0) & _SETTABLE:
        return False
    return "vibration" in expose["property"] or (expose.get("type") == "enum" and len(expose.get("values", ())) < 2)


def _faults(expose: dict[str, Any]) -> dict[Any, Fact]:
    """What a fault's values say; of an enumeration, whatever is not the good state is a fault of that name."""
    facts = meanings.booleans("fault", inverted=meanings.is_false(expose.get("value_on")))
    if expose.get("type") == "enum":
        for value in expose.get("values", ()):
            good = meanings.read_word("fault", value).rank == meanings.Rank.CLEAR
            facts[value] = meanings.off("fault") if good else meanings.on("fault")._replace(detail=value)
    return facts


def _turned(fact: Fact) -> Fact:
    if fact.state == "open":
        return Fact(meanings.Rank.CLEAR, fact.kind, "closed")
    if fact.state == "closed":
        return Fact(meanings.Rank.ALARM, fact.kind, "open")
    return fact
