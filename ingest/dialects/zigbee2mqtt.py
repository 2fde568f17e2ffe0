"""Zigbee2MQTT.

A device's state is published on `<base>/<name>`, where names may hold slashes, with every field that the gateway
remembers beside the ones that are new: hence `merged`. With `output: attribute` each field has a topic of its own. Some
fields are the same fact in several forms; of those an alarm wins, then unknown, then clear.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from ingest.decoded import Decoded, GatewayWord, UnderBases, Unmapped, World
from ingest.dialects import meanings
from ingest.dialects.common import freshness, number, observed, parse, shorten, unknown_device, word
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import HAZARDS, HELP, NOT_HELP, PRESSES, Fact, Rank
from ingest.dialects.zigbee2mqtt_plans import Plan, Plans, definitions
from ingest.dialects.zigbee2mqtt_tables import IAS_COMPANIONS, SURROUNDINGS, How
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Freshness, Reading

#: After its start a gateway publishes what it remembers.
STARTUP = timedelta(seconds=60)

_COMMANDS = frozenset({"set", "get"})
_BRIDGE = "bridge/"
#: Why a topic of the gateway is of no interest.
_IGNORED = {"logging": "log", "log": "log", "response": "reply", "request": "command"}
_NOT_LEARNT: Any = object()
_ONLINE = frozenset({"online", "offline"})


class Zigbee2Mqtt(UnderBases):
    """Reads one gateway."""

    default_base: ClassVar = "zigbee2mqtt"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map
        self._plans = Plans(source.map)
        #: When the gateway started, if we heard it: the batch that said so may hold what follows.
        self._started_at: datetime | None = None

    def names(self, rest: str, payload: bytes) -> Sequence[str]:  # noqa: ARG002 - the topic says it all
        """Give the whole rest, and what stands before its last slash."""
        if rest.startswith(_BRIDGE):
            return ()
        parent, slash, _ = rest.rpartition("/")
        return (rest, parent) if slash else (rest,)

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read a state, an attribute, an availability or a word of the gateway."""
        if rest.startswith(_BRIDGE):
            return self._bridge(message, rest[len(_BRIDGE) :])
        source = self._source
        device = world.devices.get((source, rest))
        if device is not None:
            return self._state(message, device, rest, world)
        parent, _, last = rest.rpartition("/")
        if last in _COMMANDS or parent.rpartition("/")[2] in _COMMANDS:
            return Decoded(ignored="command", source=source)
        device = world.devices.get((source, parent))
        if last == "availability":
            return self._availability(message, device, parent)
        if device is None:
            return unknown_device(source, self._stranger(message, rest, parent, world))
        return self._attribute(message, device, parent, last, world)

    # --- the gateway itself ---

    def _bridge(self, message: Message, what: str) -> Decoded:
        source = self._source
        if what not in {"state", "devices"}:
            return Decoded(ignored=_IGNORED.get(what.partition("/")[0], "gateway_message"), source=source)
        if not message.payload:
            return Decoded(ignored="retained_clear", source=source)
        if what == "state":
            state = word(message.payload)
            if state not in _ONLINE:
                return self._aside("invalid_value", "bridge/state is neither online nor offline.")
            started_at = None
            if state == "online" and not message.retain:
                started_at = self._started_at = message.received_at
            return Decoded(gateway=GatewayWord(source, state, started_at), source=source)
        try:
            found = definitions(parse(message.payload))
        except ValueError:
            found = None
        if found is None:
            return self._aside("malformed_json", "bridge/devices is not a list of devices.")
        return Decoded(definitions=found, source=source)

    def _in_startup(self, message: Message, world: World) -> bool:
        gateway = world.gateways.get((self._source, ""))
        started_at = self._started_at
        if gateway is not None and gateway.started_at is not None:
            started_at = max(started_at, gateway.started_at) if started_at is not None else gateway.started_at
        # The batch may hold messages from before the start as well.
        return started_at is not None and started_at <= message.received_at <= started_at + STARTUP

    # --- a device ---

    def _stranger(self, message: Message, rest: str, parent: str, world: World) -> str:
        """Tell whom a message is about that is in no file: a state is an object, an attribute rarely is one."""
        if not parent or (self._source, rest) in world.definitions:
            return rest
        if (self._source, parent) in world.definitions:
            return parent
        return rest if message.payload[:1] == b"{" else parent

    def _availability(self, message: Message, device: Device | None, name: str) -> Decoded:
        if not message.payload:
            return Decoded(ignored="retained_clear", source=self._source)
        if device is None:
            return unknown_device(self._source, name)
        state = word(message.payload)
        if state not in _ONLINE:
            return self._aside("invalid_value", "An availability is online or offline.")
        reading = Reading(device.id, "availability", message.received_at, state=state, freshness=freshness(message))
        return Decoded((reading,), source=self._source)

    def _attribute(self, message: Message, device: Device, name: str, attribute: str, world: World) -> Decoded:
        payload = message.payload
        if not payload:
            return Decoded(ignored="empty_attribute_value", source=self._source)
        value: Any
        try:
            value = parse(payload)
        except ValueError:
            value = payload.decode("utf-8", "replace")
        fields = value if type(value) is dict else {attribute: value}
        readings, unmapped = self._readings(message, device, fields, self._plan(device, name, world), world)
        ignored = None if readings or unmapped else "attribute"
        return Decoded(readings, ignored=ignored, unmapped=unmapped, source=self._source)

    def _state(self, message: Message, device: Device, name: str, world: World) -> Decoded:
        if not message.payload:
            return Decoded(ignored="retained_clear" if message.retain else "empty_payload", source=self._source)
        try:
            fields = parse(message.payload)
        except ValueError:
            return self._aside("malformed_json", "The payload is not valid JSON.")
        if type(fields) is not dict:
            return self._aside("invalid_value", "The state of a device is a JSON object.")
        readings, unmapped = self._readings(message, device, fields, self._plan(device, name, world), world)
        if not readings or device.kind == "measurement":
            readings += self._others(message, device, fields, world, alone=not readings)
        return Decoded(readings, unmapped=unmapped, source=self._source)

    def _others(
        self, message: Message, device: Device, fields: dict[str, Any], world: World, *, alone: bool
    ) -> list[Reading]:
        """Give what is measured of the surroundings; where there is nothing to decide on, the device still lives."""
        definition = world.definitions.get((self._source, device.name))
        exposes = {one["property"]: one for one in definition.get("exposes", ())} if definition is not None else {}
        plain = Reading(
            device.id,
            "heartbeat",
            message.received_at,
            "alive",
            observed_at=observed(fields.get("last_seen"), message.received_at),
            freshness=freshness(message),
            merged=True,
            startup=self._in_startup(message, world),
        )
        measured = [
            plain._replace(
                kind="measurement",
                state=None,
                value=figure,
                unit=exposes.get(name, {}).get("unit") or SURROUNDINGS[name],
                detail=name,
            )
            for name, value in fields.items()
            if name in SURROUNDINGS and (figure := number(value)) is not None
        ]
        return measured or ([plain] if alone else [])

    def _plan(self, device: Device, name: str, world: World) -> Plan:
        return self._plans.of(device, world.definitions.get((self._source, name)))

    def _readings(
        self, message: Message, device: Device, fields: dict[str, Any], plan: Plan, world: World
    ) -> tuple[list[Reading], Sequence[Unmapped]]:
        found: dict[str, Fact] = {}
        written: Facts | None = None
        generic: Fact | None = None
        faults: list[str] = []
        numbers: dict[str, tuple[float, str | None]] = {}
        level: float | None = None
        action: str | None = None
        step_of = plan.steps.get
        for name, value in fields.items():
            step = step_of(name, _NOT_LEARNT)
            if step is None:
                continue
            if step is _NOT_LEARNT and (step := plan.learn(name)) is None:
                continue
            how = step.how
            if how <= How.FAULT or how == How.GENERIC:
                try:
                    fact = step.facts.get(value)
                except TypeError:  # a list or an object
                    fact = None
                if fact is None:
                    fact = plan.read(step, value)
                if how == How.GENERIC:
                    generic = fact if generic is None or fact.rank > generic.rank else generic
                    continue
                if how == How.FAULT and fact.rank == Rank.ALARM and step.code is not None:
                    faults.append(fact.detail or step.code)
                known = found.get(fact.kind)
                if known is None or fact.rank > known.rank:
                    found[fact.kind] = fact
            elif how == How.ACTION:
                action = value if type(value) is str else None
            elif how >= How.UNCLEAR:
                if how == How.MAPPED or meanings.read(step.kind, value).rank == Rank.ALARM:
                    if written is None:
                        written = self._written(message, device, fields, world)
                    written.by_map(name, value, what="alarm_bit")
            elif (figure := number(value)) is not None:
                if how == How.BATTERY:
                    level = figure if 0 <= figure <= 100 else None
                elif how == How.NUMBER:
                    numbers[step.kind] = (figure, step.unit)
                elif (volts := _volts(figure, step.scale)) is not None:
                    numbers["battery_voltage"] = (volts, "V")
        if generic is not None and generic.kind not in found:
            found[generic.kind] = generic

        received_at = message.received_at
        observed_at = observed(fields["last_seen"], received_at) if "last_seen" in fields else None
        fresh = Freshness.RETAINED if message.retain else Freshness.LIVE
        startup = self._in_startup(message, world)
        tested = fields.get("test") is True and any(bit in fields for bit in IAS_COMPANIONS)
        device_id = device.id
        readings: list[Reading] = []
        battery = found.pop("battery", None)
        if level is not None or (battery is not None and battery.rank != Rank.UNKNOWN):
            state = battery.state if battery is not None and battery.rank != Rank.UNKNOWN else None
            unit = "%" if level is not None else None
            readings.append(
                Reading(
                    device_id,
                    "battery",
                    received_at,
                    state,
                    level,
                    unit,
                    observed_at,
                    fresh,
                    True,
                    False,
                    None,
                    startup,
                )
            )
        for kind, fact in found.items():
            under_test = tested and fact.rank == Rank.ALARM and kind in HAZARDS
            detail = ",".join(faults) if kind == "fault" and faults else fact.detail
            readings.append(
                Reading(
                    device_id,
                    kind,
                    received_at,
                    fact.state,
                    None,
                    None,
                    observed_at,
                    fresh,
                    True,
                    under_test,
                    detail,
                    startup,
                )
            )
        readings.extend(
            Reading(device_id, kind, received_at, None, figure, unit, observed_at, fresh, True, False, None, startup)
            for kind, (figure, unit) in numbers.items()
        )
        if action:
            readings.append(_pressed(device, action, received_at, observed_at, fresh))
        if written is None:
            return readings, ()
        # What somebody has written down goes before what we believe.
        said = written.readings
        kinds = {one.kind for one in said}
        return [*said, *(one for one in readings if one.kind not in kinds)], written.unmapped

    def _written(self, message: Message, device: Device, fields: dict[str, Any], world: World) -> Facts:
        return Facts(
            device,
            message,
            observed_at=observed(fields.get("last_seen"), message.received_at),
            merged=True,
            startup=self._in_startup(message, world),
            meanings=self._map,
        )


def _volts(figure: float, scale: float) -> float | None:
    """Volts of a battery; where the unit is not known (scale 0), only what must be millivolts."""
    if scale == 0.0:
        scale = 0.001 if figure >= 500 else 0.0
    volts = round(figure * scale, 4)
    return volts if 0 < volts < 20 else None


def _pressed(
    device: Device, action: str, received_at: datetime, observed_at: datetime | None, fresh: Freshness
) -> Reading:
    """An action is an event, and never repeated from the gateway's memory."""
    parts = set(action.lower().replace("-", "_").split("_"))
    helps = bool(parts & HELP) or (device.kind == "sos" and bool(parts & PRESSES))
    kind, state = ("sos", "pressed") if helps and not parts & NOT_HELP else ("button", shorten(action))
    return Reading(
        device.id,
        kind,
        received_at,
        state,
        observed_at=observed_at,
        freshness=fresh,
        detail=shorten(action),
    )
