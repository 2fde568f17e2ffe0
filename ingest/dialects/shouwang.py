"""Shouwang's own dialect, for devices and bridges that are written for it.

    <base>/<home>/<device>/event     {"kind": "gas", "state": "alarm"}      QoS 1, not retained
    <base>/<home>/<device>/status    online | offline                       retained; the device's last will

An event has `kind`, and `state` or `value` (with `unit`), and may have `at` (its own time: ISO 8601 with a zone, or
seconds or milliseconds since 1970), `id`, `detail`, `test` (true: the device is being tested) and `historic` (true: a
late sample that must not page). Several events may come as a list. The device's name in devices.yaml is
`<home>/<device>` or `<device>` alone.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from ingest.decoded import Decoded, UnderBases, World
from ingest.dialects.common import freshness, number, observed, parse, shorten, unknown_device, word
from ingest.message import Message
from rules.community import Device
from rules.readings import KINDS, UNKNOWN, Freshness, Reading

_ALARM = frozenset({"alarm", "clear"})
_DETECTED = frozenset({"detected", "clear"})
#: The states that each kind may have, beside `unknown`. A kind that is not here is a number.
STATES: dict[str, frozenset[str]] = {
    "gas": _ALARM,
    "smoke": _ALARM,
    "carbon_monoxide": _ALARM,
    "water_leak": _ALARM,
    "tamper": _ALARM,
    "fault": _ALARM,
    "contact": frozenset({"open", "closed"}),
    "motion": _DETECTED,
    "presence": _DETECTED,
    "vibration": _DETECTED,
    "sos": frozenset({"pressed", "cleared"}),
    "fall": frozenset({"alarm", "warning", "clear"}),
    "battery": frozenset({"low", "ok"}),
    "availability": frozenset({"online", "offline"}),
    "test": frozenset({"active", "inactive", "passed", "failed"}),
    "mute": frozenset({"on", "off"}),
    "warmup": frozenset({"active", "inactive"}),
}
_INVERTED = {"open": "closed", "closed": "open"}
_COMMANDS = frozenset({"command", "set", "get"})
_MOST_EVENTS = 100


class Shouwang(UnderBases):
    """Reads one source of Shouwang's own dialect."""

    default_base: ClassVar = "shouwang/v1"

    def names(self, rest: str, payload: bytes) -> Sequence[str]:  # noqa: ARG002 - the topic says it all
        """Give `<home>/<device>` and `<device>`."""
        home, _, tail = rest.partition("/")
        device, _, last = tail.partition("/")
        return (f"{home}/{device}", device) if last in {"event", "status"} else ()

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read an event or a status."""
        source = self._source
        home, _, tail = rest.partition("/")
        name, _, last = tail.partition("/")
        if last in _COMMANDS:
            return Decoded(ignored="command", source=source)
        if last not in {"event", "status"}:
            return self._aside("unknown_topic", "A topic of this dialect ends with /event or /status behind two names.")
        if not message.payload:
            return Decoded(ignored="retained_clear" if message.retain else "empty_payload", source=source)
        device = world.devices.get((source, f"{home}/{name}")) or world.devices.get((source, name))
        if device is None:
            return unknown_device(source, f"{home}/{name}")
        if device.home_id and device.home_id != home:
            said = f"The topic names home {shorten(home)!r}, and {device.id} is in home {device.home_id}."
            return self._aside("wrong_home", said)
        return self._status(message, device) if last == "status" else self._events(message, device)

    def _status(self, message: Message, device: Device) -> Decoded:
        state = word(message.payload)
        if state not in STATES["availability"]:
            return self._aside("invalid_value", "A status is online or offline.")
        reading = Reading(device.id, "availability", message.received_at, state=state, freshness=freshness(message))
        return Decoded((reading,), source=self._source)

    def _events(self, message: Message, device: Device) -> Decoded:
        try:
            document = parse(message.payload)
        except ValueError:
            return self._aside("malformed_json", "The payload is not valid JSON.")
        events = document if type(document) is list else [document]
        if not 0 < len(events) <= _MOST_EVENTS:
            return self._aside("invalid_value", f"A list of events has between 1 and {_MOST_EVENTS} of them.")
        readings: list[Reading] = []
        refused: tuple[str, str] | None = None
        for event in events:
            result = self._event(event, message, device)
            if isinstance(result, Reading):
                readings.append(result)
            elif refused is None:
                refused = result
        # What is good in a list counts even where something beside it is not.
        return Decoded(readings, quarantine=refused, source=self._source)

    def _event(self, event: Any, message: Message, device: Device) -> Reading | tuple[str, str]:
        if type(event) is not dict:
            return "invalid_value", "An event is a JSON object with a kind, and a state or a value."
        kind = event.get("kind")
        if type(kind) is not str or kind not in KINDS:
            return "invalid_value", f"The kind {shorten(repr(kind))} is not known."
        state = event.get("state")
        value = event.get("value")
        detail = event.get("detail")
        if "state" in event and state is None:
            state = UNKNOWN
        elif state is None and value is None:
            return "invalid_value", f"The event of kind {kind} has neither a state nor a value."
        elif state is not None:
            if type(state) is not str:
                return "invalid_value", f"The state of {kind} is not text."
            if kind == "button":
                state, detail = shorten(state), detail or shorten(state)
            elif state != UNKNOWN and state not in STATES.get(kind, ()):
                return "invalid_value", f"{kind} has no state {shorten(state)!r}."
        if value is not None and (value := number(value)) is None:
            return "invalid_value", f"The value of {kind} is not a number."
        if device.invert and kind == "contact" and state is not None:
            state = _INVERTED.get(state, state)
        unit = event.get("unit")
        return Reading(
            device.id,
            kind,
            message.received_at,
            state=state,
            value=value,
            unit=unit if type(unit) is str else None,
            observed_at=observed(event.get("at"), message.received_at),
            freshness=Freshness.HISTORIC if event.get("historic") is True else freshness(message),
            under_test=event.get("test") is True,
            detail=shorten(detail) if type(detail) is str else None,
        )
