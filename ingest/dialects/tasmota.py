"""Tasmota: switches wired to a device, Zigbee, radio and Bluetooth sensors behind one.

    tele/<topic>/SENSOR     every TelePeriod, and when a Zigbee device has said something
    stat/<topic>/RESULT     when a switch or button is used, and replies to commands
    tele/<topic>/LWT        Online | Offline, retained
    tele/<topic>/STATE      every TelePeriod: a sign of life

FullTopic may put the prefix and the topic anywhere: `topic:` of the source is that template. A wired device is called
by its topic. What is behind a bridge is `<topic>/<name>`: the friendly name of a Zigbee device, else its short address
(0x8F20); a radio code. A Bluetooth sensor has its name alone. As in Tasmota's documentation and sources
(xdrv_23_zigbee, xdrv_06).
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from ingest.decoded import ANYWHERE, Decoded, GatewayWord, Unmapped, World
from ingest.dialects import tasmota_names as calling
from ingest.dialects import tasmota_wired as wired
from ingest.dialects import tasmota_zigbee as zigbee
from ingest.dialects.common import freshness, observed, parsed, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.tasmota_names import Spoken
from ingest.dialects.tasmota_topics import Topics, Where, is_discovery
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import Freshness, Reading

#: Replies to `Status`, and where in them the sensors and the state are.
_STATUS = {"STATUS0": ("StatusSNS", "StatusSTS"), "STATUS8": ("StatusSNS",), "STATUS10": ("StatusSNS",)}
_STATUS |= {"STATUS11": ("StatusSTS",)}
_DOCUMENTS = frozenset({"SENSOR", "RESULT", "STATE", "ZbReceived", "ZbInfo", *_STATUS})
_IGNORED = {"LOGGING": "log", "INFO1": "gateway_message", "INFO2": "gateway_message", "INFO3": "gateway_message"}
_SLEEP_REASON = "Deep-Sleep Wake"
_STARTED, _FAILED = 0, frozenset({98, 99})


class Tasmota:
    """Reads the Tasmota devices of one source."""

    default_base: ClassVar = ANYWHERE
    by_topic: ClassVar[bool] = True

    def __init__(self, source: Source) -> None:
        self._of = source
        self._source = source.id
        self._topics = Topics(source)
        self.bases: Sequence[str] = self._topics.bases
        self.subscriptions: Sequence[str] = self._topics.subscriptions

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the device's topic, and every name by which what is behind it may be called."""
        where = self._topics.find(rest)
        if where is None or where.prefix == "cmnd":
            return ()
        names = [where.node]
        if where.command in _DOCUMENTS:
            try:
                document = parsed(payload)
            except ValueError:
                return names
            if type(document) is dict:
                for one in calling.spoken(where.command, document):
                    names += calling.called(where.node, one)
                if len(names) > 1:
                    return names
                names += [one for found in self._sensors(where, document) for one in calling.behind(where.node, found)]
                code = wired.radio(document.get("RfReceived"))
                if code is not None:
                    names += calling.codes(where.node, code[0])
                for one in calling.listed(document):
                    names += calling.called(where.node, one)
        return names

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read one topic of a device."""
        where = self._topics.find(rest)
        if where is None:
            if is_discovery(rest):
                return self._ignored("discovery_config")
            sentence = "In a topic of Tasmota's stand stat or tele, the device's topic, and what it is about."
            return Decoded(quarantine=("unknown_topic", sentence), source=self._source, foreign=True)
        if where.prefix == "cmnd":
            return self._ignored("command")
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        if where.command == "LWT":
            return self._will(message, where.node, world)
        if where.command in _DOCUMENTS or where.command in _IGNORED or where.command == "DEEPSLEEP":
            return self._document(message, where, world)
        if where.command.startswith("STATUS"):
            return self._ignored("reply")
        return self._plain(message, where, world)

    # --- the device itself --------------------------------------------------------------------------------------------

    def _will(self, message: Message, node: str, world: World) -> Decoded:
        state = message.payload.decode("utf-8", "replace").strip().lower()
        if state not in {"online", "offline"}:
            return Decoded(quarantine=("invalid_value", "LWT is Online or Offline."), source=self._source)
        key = (self._source, node)
        gateway = GatewayWord(self._source, state, None, node) if key in world.gateways else None
        device = world.devices.get(key)
        if device is None:
            return unknown_device(self._source, node) if gateway is None else Decoded(gateway=gateway, source=key[0])
        if state == "offline" and (world.definitions.get(key) or {}).get("deep_sleep") is True:
            state = "sleeping"
        reading = Reading(device.id, "availability", message.received_at, state=state, freshness=freshness(message))
        return Decoded((reading,), gateway=gateway, source=self._source)

    def _plain(self, message: Message, where: Where, world: World) -> Decoded:
        """Read a topic with a single value: a button's, a relay's, or one that a rule publishes."""
        device = world.devices.get((self._source, where.node))
        field = where.command
        name, number = field.rstrip("0123456789T").upper(), field.rstrip("T")
        try:
            value = parsed(message.payload)
        except ValueError:
            value = None
        if name in {"SWITCH", "BUTTON"} and field[len(name) :]:
            if type(value) is dict:
                value = value.get("ACTION", value.get("Action", value.get("TRIG")))
            else:
                value = message.payload.decode("utf-8", "replace").strip()
            document = {f"{name.capitalize()}{number[len(name) :]}": value}
            return self._facts(message, where, world, document) or unknown_device(self._source, where.node)
        if device is None:
            if name in wired.NO_SENSORS or type(value) in {dict, list}:
                return self._ignored("not_a_safety_sensor")
            return unknown_device(self._source, where.node)
        facts = Facts(device, message, meanings=self._of.map)
        ignored: str | None = "not_a_safety_sensor"
        if field == "UPTIME":
            ignored = None
        elif type(value) not in {dict, list}:
            ignored = wired.published(facts, field, message.payload.decode("utf-8", "replace").strip())
        facts.alive()
        return Decoded(facts.readings, ignored=ignored, unmapped=facts.unmapped, source=self._source)

    def _document(self, message: Message, where: Where, world: World) -> Decoded:
        try:
            document = parsed(message.payload)
        except ValueError:
            if where.command in _IGNORED:
                return self._ignored(_IGNORED[where.command])
            return Decoded(quarantine=("malformed_json", "The payload is not valid JSON."), source=self._source)
        if type(document) is not dict:
            return Decoded(quarantine=("invalid_value", "The payload is not a JSON object."), source=self._source)
        node, command = where.node, where.command
        if command in _IGNORED:
            sleeps = _SLEEP_REASON in calling.texts(document)
            learnt = self._learn(world, node, {"deep_sleep": True}) if sleeps else None
            return Decoded(ignored=_IGNORED[command], learnt=learnt, source=self._source)
        if command in _STATUS:
            inner = [document[key] for key in _STATUS[command] if type(document.get(key)) is dict]
            if not inner:
                return self._ignored("reply")
            document = {key: value for one in inner for key, value in one.items()}
        if command == "DEEPSLEEP":
            return self._asleep(message, where, world)
        state = document.get("ZbState")
        if type(state) is dict:
            return self._coordinator(message, node, state)
        devices = list(calling.spoken(command, document))
        if devices:
            return self._zigbee(message, where, world, document, devices)
        if (listed := list(calling.listed(document))) and command == "RESULT":
            learnt = {}
            for one in listed:
                learnt |= self._describe(world, node, one) or {}
            return Decoded(ignored="reply", learnt=learnt or None, source=self._source)
        if "RfReceived" in document:
            return self._radio(message, node, world, document)
        if "RfRaw" in document or "IrReceived" in document:
            return self._ignored("vendor_raw")
        answer = self._facts(message, where, world, document) or self._unheard(where, world)
        if command == "STATE" and _sleeps(document):
            return answer._replace(learnt=self._learn(world, node, {"deep_sleep": True}))
        return answer

    def _facts(self, message: Message, where: Where, world: World, document: dict[str, Any]) -> Decoded | None:
        """Read what is wired, and the Bluetooth sensors; None where nothing of it is registered."""
        found: list[Facts] = []
        strangers: list[str] = []
        at = observed(document.get("Epoch", document.get("Time")), message.received_at)
        sensors = self._sensors(where, document)
        for name, fields in sensors.items():
            one = self._known(world, calling.behind(where.node, name))
            if one is None:
                strangers.append(name)
                continue
            found.append(facts := Facts(one, message, observed_at=at, meanings=self._of.map))
            wired.of_bluetooth(facts, fields, self._maps(one))
        device = world.devices.get((self._source, where.node))
        ignored = None
        if device is not None:
            facts = Facts(device, message, observed_at=at, meanings=self._of.map)
            told = wired.take(facts, document, self._maps(device))
            if told or where.command != "RESULT":
                found.append(facts)
            else:
                ignored = "reply"
        elif not sensors and where.command != "RESULT" and (self._source, where.node) not in world.gateways:
            return None
        elif any(wired.is_wired(key) for key in document):
            strangers.insert(0, where.node)
        if not found and not strangers:
            return None if ignored is None else self._ignored(ignored)
        return self._answer(message, where.node if sensors else "", world, found, strangers)

    def _unheard(self, where: Where, world: World) -> Decoded:
        if where.command == "RESULT":
            return self._ignored("reply")
        if (self._source, where.node) in world.gateways:
            return self._ignored("gateway_message")
        return unknown_device(self._source, where.node)

    def _asleep(self, message: Message, where: Where, world: World) -> Decoded:
        """Remember that a device sleeps between its messages; it says so when it goes to sleep."""
        learnt = self._learn(world, where.node, {"deep_sleep": True})
        device = world.devices.get((self._source, where.node))
        if device is None:
            return unknown_device(self._source, where.node)._replace(learnt=learnt)
        state = Reading(device.id, "availability", message.received_at, "sleeping", freshness=freshness(message))
        return Decoded((state,), learnt=learnt, source=self._source)

    # --- what is behind it --------------------------------------------------------------------------------------------

    def _coordinator(self, message: Message, node: str, state: dict[str, Any]) -> Decoded:
        status = state.get("Status")
        if type(status) is not int or (status != _STARTED and status not in _FAILED):
            return self._ignored("gateway_message")
        started = message.received_at if status == _STARTED and not message.retain else None
        word = GatewayWord(self._source, "online" if status == _STARTED else "offline", started, node)
        return Decoded(gateway=word, source=self._source)

    def _zigbee(
        self, message: Message, where: Where, world: World, document: dict[str, Any], devices: list[Spoken]
    ) -> Decoded:
        found: list[Facts] = []
        strangers: list[str] = []
        learnt: dict[str, dict[str, Any] | None] = {}
        at = document.get("Epoch", document.get("Time"))
        for one in devices:
            learnt |= self._describe(world, where.node, one) or {}
            names = calling.called(where.node, one)
            device = self._known(world, names)
            if device is None:
                strangers.append(names[0])
                continue
            fields = one.fields
            fresh = freshness(message)
            if one.remembered:
                fresh = Freshness.CACHED if fresh is Freshness.LIVE else fresh
                seen = observed(fields.get("LastSeenEpoch"), message.received_at)
                found.append(facts := Facts(device, message, observed_at=seen, freshness=fresh))
                zigbee.remembered(facts, fields)
                continue
            status = zigbee.zone_status(fields)
            facts = Facts(
                device,
                message,
                observed_at=observed(at, message.received_at) if at is not None else None,
                under_test=zigbee.is_test(fields, status),
                meanings=self._of.map,
            )
            zone = zigbee.zone_type(fields) or self._zone(world, names)
            zigbee.heard(facts, device, fields, status, zone, mapped=bool(self._maps(device)))
            found.append(facts)
        bridge = calling.bridge_of(where.node, devices[0])
        return self._answer(message, bridge, world, found, strangers)._replace(learnt=learnt or None)

    def _radio(self, message: Message, node: str, world: World, document: dict[str, Any]) -> Decoded:
        received = wired.radio(document["RfReceived"])
        if received is None:
            return Decoded(quarantine=("invalid_value", "RfReceived has no code in Data."), source=self._source)
        names = calling.codes(node, received[0])
        device = self._known(world, [*names, node])
        if device is None:
            return self._answer(message, node, world, [], [names[0]])
        at = observed(document.get("Epoch", document.get("Time")), message.received_at)
        facts = Facts(device, message, observed_at=at, meanings=self._of.map)
        wired.of_radio(facts, device, self._of, *received)
        return self._answer(message, node, world, [facts], [])

    # --- what they share ----------------------------------------------------------------------------------------------

    def _answer(
        self, message: Message, gateway: str, world: World, found: list[Facts], strangers: list[str]
    ) -> Decoded:
        readings: list[Reading] = []
        unmapped: list[Unmapped] = []
        for facts in found:
            facts.alive()
            readings += facts.readings
            unmapped += facts.unmapped
        word = None
        if gateway and not message.retain and (self._source, gateway) not in world.gateways:
            # Its will may have come before anybody knew that it is a gateway.
            word = GatewayWord(self._source, "online", None, gateway)
        aside = unknown_device(self._source, strangers[0]).quarantine if strangers else None
        return Decoded(
            readings, quarantine=aside, unmapped=unmapped, strangers=strangers, gateway=word, source=self._source
        )

    def _sensors(self, where: Where, document: dict[str, Any]) -> dict[str, dict[str, Any]]:
        if where.command in _STATUS:
            document = document.get("StatusSNS", document)
        return wired.bluetooth(document) if type(document) is dict and where.command != "STATE" else {}

    def _known(self, world: World, names: Sequence[str]) -> Device | None:
        return next((found for name in names if (found := world.devices.get((self._source, name)))), None)

    def _zone(self, world: World, names: Sequence[str]) -> int | None:
        for name in names:
            zone = (world.definitions.get((self._source, name)) or {}).get("zone")
            if type(zone) is int:
                return zone
        return None

    def _describe(self, world: World, node: str, one: Spoken) -> dict[str, dict[str, Any] | None] | None:
        found = zigbee.described(one.fields)
        return self._learn(world, calling.called(node, one)[0], found) if found else None

    def _learn(self, world: World, name: str, found: dict[str, Any]) -> dict[str, dict[str, Any] | None] | None:
        known = world.definitions.get((self._source, name)) or {}
        if all(known.get(key) == value for key, value in found.items()):
            return None
        return {name: {**known, **found}}

    def _maps(self, device: Device) -> dict[str, Mapped]:
        if device.map and self._of.map:
            return {**self._of.map, **device.map}
        return device.map or self._of.map or {}

    def _ignored(self, reason: str) -> Decoded:
        return Decoded(ignored=reason, source=self._source)


def _sleeps(state: dict[str, Any]) -> bool:
    """Whether a device's STATE says that it sleeps between its messages."""
    wifi = state.get("Wifi")
    return "DeepSleep" in state or (type(wifi) is dict and "DeepSleep" in wifi)
