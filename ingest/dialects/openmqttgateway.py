"""OpenMQTTGateway and Theengs Gateway: small receivers for Bluetooth, 433 MHz and infrared.

    <base>/<gateway>/BTtoMQTT/<MAC>             a Bluetooth advertisement, decoded by Theengs' library
    <base>/<gateway>/RTL_433toMQTT[/...]        a frame that rtl_433's decoders have read
    <base>/<gateway>/433toMQTT                  a code, and SRFBtoMQTT, IRtoMQTT, RF2toMQTT, PilighttoMQTT
    <base>/<gateway>/<kind>toMQTT               a sensor that is wired to the gateway
    <base>/<gateway>/LWT, SYStoMQTT             the gateway itself

A Bluetooth device's name is its MAC, 3C2EF5AABBCC or 3C:2E:F5:AA:BB:CC, whichever gateway has heard it: several do. A
frame's is as in the dialect rtl_433. A code's is `433/<code>`, or `433/<code without its last four bits>/*` for a
sensor that sends several, which its map tells apart by `value` (the code) or `key` (those four bits). A wired sensor's
name is its topic without the base: `<gateway>/HCSR501toMQTT`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from ingest.decoded import Decoded, GatewayWord, UnderBases, World
from ingest.dialects import openmqttgateway_tables as tables
from ingest.dialects import rtl_433
from ingest.dialects.common import number, observed, parsed, unknown_device, word
from ingest.dialects.facts import Facts
from ingest.message import Message
from rules.community import Device, Source

_ONLINE = frozenset({"online", "offline"})


class _Place(NamedTuple):
    """Where a message belongs: `<gateway>/<what>toMQTT/<below>`."""

    gateway: str
    what: str
    below: str


class OpenMqttGateway(UnderBases):
    """Reads the gateways of one source."""

    default_base: ClassVar = "home"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the names that the sender may have."""
        place = _place(rest)
        if place is None or place.what in tables.OF_THE_GATEWAY or payload[:1] != b"{":
            return ()
        document = parsed(payload)
        return _names(place, rest, document) if type(document) is dict else ()

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read an advertisement, a frame, a code, or a word of a gateway."""
        gateway, _, last = rest.rpartition("/")
        if last == "LWT":
            return self._availability(message, gateway)
        if "commands" in rest.split("/") or last.startswith("MQTTto"):
            return self._ignored("command")
        place = _place(rest)
        if place is None:
            known = last in {"version", "undecoded"} or rest.startswith("home_presence/")
            return self._ignored("gateway_message") if known else self._unknown_topic()
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        if place.what == "SYStoMQTT" and not message.retain:
            # It says so every two minutes: it lives.
            return Decoded(gateway=GatewayWord(self._source, "online", None, place.gateway), source=self._source)
        if place.what in tables.OF_THE_GATEWAY:
            return self._ignored(tables.OF_THE_GATEWAY[place.what])
        if place.below.partition("/")[0] == "undecoded":
            return self._ignored("vendor_raw")
        try:
            document = parsed(message.payload)
        except ValueError:
            document = None
        if type(document) is not dict:
            return self._aside("malformed_json", "What a gateway has received should be a JSON object.")
        return self._received(message, place, rest, document, world)

    def _unknown_topic(self) -> Decoded:
        return self._aside(
            "unknown_topic", "A topic of this gateway ends with LWT, or has a part that ends with toMQTT."
        )

    def _availability(self, message: Message, gateway: str) -> Decoded:
        if not message.payload:
            return self._ignored("retained_clear")
        state = word(message.payload)
        if state not in _ONLINE:
            return self._aside("invalid_value", "An LWT is online or offline.")
        started_at = message.received_at if state == "online" and not message.retain else None
        return Decoded(gateway=GatewayWord(self._source, state, started_at, gateway), source=self._source)

    def _received(
        self, message: Message, place: _Place, rest: str, document: Mapping[str, Any], world: World
    ) -> Decoded:
        if place.what == "RTL_433toMQTT":
            model = document.get("model")
            if type(model) is not str or model in {"status", "undecoded signal"}:
                return self._ignored("gateway_message")
            return rtl_433.frame(message, document, world, self._source, self._map)
        names = _names(place, rest, document)
        if not names:
            return self._ignored("gateway_message")
        device = next((found for name in names if (found := world.devices.get((self._source, name)))), None)
        if "cipher" in document:
            return self._ignored("encrypted")
        if device is None:
            if place.what == "BTtoMQTT" and tables.passes_by(document):
                return self._ignored("not_a_safety_sensor")
            return unknown_device(self._source, names[0])
        facts = Facts(device, message, observed_at=_observed(document, message), meanings=self._map)
        self._gather(facts, device, place, document)
        # Whatever it says, it lives.
        facts.alive()
        return Decoded(facts.readings, unmapped=facts.unmapped, source=self._source)

    def _gather(self, facts: Facts, device: Device, place: _Place, document: Mapping[str, Any]) -> None:
        if device.map or self._map:
            document = {
                field: value for field, value in document.items() if not facts.by_map(field, value, what="", known=True)
            }
        if place.what == "BTtoMQTT":
            tables.advertisement(facts, device, document)
        elif place.what in tables.CODES:
            code = document.get("value")
            mapped = type(code) is int and facts.by_map("key", code & 0xF, what="", known=True)
            if not mapped and (field := tables.CODES[place.what]) in document:
                facts.by_map(field, document[field], what="rf_code")
        elif place.what == "PilighttoMQTT":
            tables.pilight(facts, device, document)
        else:
            tables.wired(facts, device, f"{place.what}/{place.below}", document)


def _place(rest: str) -> _Place | None:
    parts = rest.split("/")
    for at, part in enumerate(parts):
        if part.endswith("toMQTT"):
            return _Place("/".join(parts[:at]), part, "/".join(parts[at + 1 :]))
    return None


def _names(place: _Place, rest: str, document: Mapping[str, Any]) -> Sequence[str]:
    what = place.what
    if what == "BTtoMQTT":
        return _bluetooth(place.below, document.get("id"))
    if what == "RTL_433toMQTT":
        return rtl_433.names_of(document)
    if what in tables.CODES:
        return _code(tables.CODES[what], what.removesuffix("toMQTT"), document)
    if what == "PilighttoMQTT":
        protocol, said = document.get("protocol"), document.get("message")
        if type(said) is not dict or type(protocol) is not str:
            return ()
        parts = [
            str(said[key]) for key in ("id", "systemcode", "unit", "unitcode") if type(said.get(key)) in {int, str}
        ]
        return ("/".join(("pilight", protocol, *parts)),)
    return (rest,)


def _bluetooth(below: str, identity: Any) -> Sequence[str]:
    key = below.rpartition("/")[2] or (identity.replace(":", "") if type(identity) is str else "")
    if not key:
        return ()
    if len(key) != 12:  # an iBeacon's id in place of a MAC
        return (key,)
    key = key.upper()
    return (key, ":".join([key[at : at + 2] for at in range(0, 12, 2)]))


def _code(field: str, what: str, document: Mapping[str, Any]) -> Sequence[str]:
    code = document.get(field)
    if type(code) is str:
        return (f"{what}/{code[:64]}",) if code else ()
    if type(code) is not int or code <= 0:
        return ()
    found = [f"{what}/{code}"]
    if document.get("length", 24) == 24:
        found.append(f"{what}/{code >> 4}/*")
    return found


def _observed(document: Mapping[str, Any], message: Message) -> Any:
    for field in ("UTCtime", "unixtime", "time"):
        value = document.get(field)
        if value is not None:
            figure = number(value)
            return observed(value if figure is None else figure, message.received_at)
    return None
