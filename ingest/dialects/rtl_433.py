"""rtl_433: a receiver for what sensors send on 433, 868, 315 and 345 MHz.

    <base>/<host>/events                                         one JSON object a frame
    <base>/<host>/devices[/type]/<model>[/subtype][/channel]/<id>/<field>    a plain value
    <base>/<host>/availability                                   online | offline, retained: the receiver itself
    <base>/<host>/states                                         of the receiver's hardware

A device's name is `<model>/<id>`, or `<model>/<channel>/<id>` where it sends on a channel; other signs than letters,
digits, `-` and `.` may be written as `_`. Neighbours' sensors are heard as well: those are strangers. A sensor sends a
frame several times, and more than one receiver may hear it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from ingest.decoded import Decoded, GatewayWord, UnderBases, World
from ingest.dialects.common import number, observed, parsed, unknown_device, word
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import Fact, Rank, as_text
from ingest.dialects.rtl_433_models import MODELS, code
from ingest.dialects.rtl_433_tables import STATES, WORD_FIELDS, alarm, measurement, words
from ingest.message import Message
from rules.community import Device, Source

#: What rtl_433 writes as `_` in its topics.
_UNSAFE = re.compile(r"[^-.A-Za-z0-9]")
_ONLINE = frozenset({"online", "offline"})
#: Fields that say which device it is, or how it was heard.
_ABOUT = frozenset(
    {
        "time", "type", "model", "device", "subtype", "id", "channel", "mic", "protocol", "mod", "freq",
        "freq1", "freq2", "rssi", "snr", "noise", "tag", "raw_message", "sequence_num", "seq", "counter",
        "msg_type", "message_type", "exception", "esn", "status_hex", "xactivity", "xtamper1", "xtamper2",
        "codes", "rows", "num_rows", "count", "len", "description",
    }
)  # fmt: skip
#: By which a decoder is known that somebody wrote into rtl_433's configuration.
_FLEX = frozenset({"count", "num_rows", "rows", "codes"})


class Rtl433(UnderBases):
    """Reads the receivers of one source."""

    default_base: ClassVar = "rtl_433"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the names that the frame's device may have, the fullest first."""
        if payload[:1] == b"{":
            document = parsed(payload)
            return names_of(document) if type(document) is dict else ()
        path = _device_path(rest)
        return () if path is None else _names_of_path(path)

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read a frame, one field of a frame, or a word of the receiver."""
        last = rest.rpartition("/")[2]
        if last == "availability":
            return self._availability(message, rest.rpartition("/")[0])
        if last == "states":
            return self._ignored("gateway_message")
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        if message.payload[:1] == b"{" or last == "events":
            return self._event(message, world)
        path = _device_path(rest)
        if path is None:
            return self._aside("unknown_topic", "A topic of rtl_433 ends with /events, or with a device and its field.")
        return self._field(message, path, last, world)

    # --- the receiver ---

    def _availability(self, message: Message, host: str) -> Decoded:
        if not message.payload:
            return self._ignored("retained_clear")
        state = word(message.payload)
        if state not in _ONLINE:
            return self._aside("invalid_value", "An availability is online or offline.")
        started_at = message.received_at if state == "online" and not message.retain else None
        return Decoded(gateway=GatewayWord(self._source, state, started_at, host), source=self._source)

    # --- a device ---

    def _event(self, message: Message, world: World) -> Decoded:
        try:
            document = parsed(message.payload)
        except ValueError:
            document = None
        if type(document) is not dict:
            return self._aside("malformed_json", "An event is not a JSON object.")
        if type(document.get("model")) is not str:
            return self._ignored("gateway_message")
        return frame(message, document, world, self._source, self._map)

    def _field(self, message: Message, path: list[str], field: str, world: World) -> Decoded:
        names = _names_of_path(path)
        device = _find(names, world, self._source)
        if device is None:
            return unknown_device(self._source, names[0])
        text = message.payload.decode("utf-8", "replace")
        model = path[0] if path[0] in MODELS else device.model or ""
        if field in {"id", "channel", "time"} or field in _ABOUT:
            return self._ignored("metadata")
        figure = number(text)
        value: Any = text if figure is None else int(figure) if figure.is_integer() and "." not in text else figure
        facts = Facts(device, message, meanings=self._map)
        gather(facts, device, {field: value}, model, self._map)
        readings = facts.readings
        ignored = None if readings or facts.unmapped else "attribute"
        return Decoded(readings, ignored=ignored, unmapped=facts.unmapped, source=self._source)


def names_of(fields: Mapping[str, Any]) -> Sequence[str]:
    """Give the names that a frame's device may have, the fullest first."""
    model = fields.get("model")
    if type(model) is not str or not model:
        return ()
    identity = fields.get("id", fields.get("device"))
    channel = fields.get("channel")
    if identity is None and channel is None and type(fields.get("code")) in {str, int} and not _FLEX & fields.keys():
        identity = fields["code"]
    return _names(model, *[as_text(part) for part in (channel, identity) if type(part) in {str, int}])


@lru_cache(maxsize=4096)
def _names(*parts: str) -> Sequence[str]:
    safe = [_UNSAFE.sub("_", part) for part in parts]
    found = _names_of_path(safe)
    if safe != [*parts]:
        found += _names_of_path(parts)
    return found


def frame(
    message: Message, fields: Mapping[str, Any], world: World, source: str, meanings: Mapping[str, Any] | None
) -> Decoded:
    """Read one frame; its fields have a model. Also for other gateways that hold rtl_433."""
    names = names_of(fields)
    if not names:
        return Decoded(ignored="gateway_message", source=source)
    device = _find(names, world, source)
    if device is None:
        return unknown_device(source, names[0])
    if "encr" in fields:
        return Decoded(ignored="encrypted", source=source)
    facts = Facts(device, message, observed_at=_observed(fields, message), meanings=meanings)
    gather(facts, device, fields, fields["model"], meanings)
    # Whatever a frame says, its sender lives.
    facts.alive()
    return Decoded(facts.readings, unmapped=facts.unmapped, source=source)


def gather(
    facts: Facts, device: Device, fields: Mapping[str, Any], model: str, meanings: Mapping[str, Any] | None
) -> None:
    """Take all that a frame's fields say: first what staff have written down, then the model's own, then by name."""
    if device.map or meanings:
        fields = {
            field: value for field, value in fields.items() if not facts.by_map(field, value, what="", known=True)
        }
    reader = MODELS.get(model)
    taken = frozenset[str]() if reader is None else reader(facts, device, fields)
    for field, value in fields.items():
        if field in _ABOUT or field in taken:
            continue
        state = STATES.get(field)
        if state is not None:
            if type(value) is not str or field != "water":
                facts.value(state[0], value, inverted=state[1])
        elif field == "reed_open" and "contact_open" not in fields:
            facts.value("contact", value)
        elif field == "battery_ok":
            _battery(facts, value)
        elif field == "alarm":
            alarm(facts, device, value)
        elif field == "heartbeat":
            if value in (1, True):
                facts.fact(Fact(Rank.CLEAR, "heartbeat", "alive"))
        elif field in WORD_FIELDS and type(value) is str:
            words(facts, field, value)
        elif field in {"battery_V", "battery_mV"}:
            volts = number(value)
            if volts is not None and volts > 0:
                facts.number("battery_voltage", round(volts * (0.001 if field == "battery_mV" else 1), 4), "V")
        elif field == "battery" and type(value) is str:
            facts.value("battery", value)
        else:
            measurement(facts, field, value)
    if reader is None and "id" not in fields and not _FLEX.isdisjoint(fields) and not facts.readings:
        code(facts, fields)


def _battery(facts: Facts, value: Any) -> None:
    """Take `battery_ok`: 1 is good and 0 is low; written with a point it is how full it is."""
    figure = number(value)
    if figure is None or not 0 <= figure <= 1:
        return
    level = round(figure * 100, 1) if type(value) is float else None
    facts.battery(level, state="ok" if figure == 1 else "low" if figure == 0 else None)


def _observed(fields: Mapping[str, Any], message: Message) -> Any:
    """Read `time`, which is local and without a zone unless rtl_433 was told otherwise."""
    value = fields.get("time")
    if type(value) is not str:
        return None
    figure = number(value)
    return observed(value if figure is None else figure, message.received_at)


def _device_path(rest: str) -> list[str] | None:
    """Give the parts of a topic between the receiver and the field."""
    parts = rest.split("/")[:-1]
    if "devices" in parts:
        parts = parts[parts.index("devices") + 1 :]
    if parts and parts[0] == "TPMS":
        del parts[0]
    return parts if parts and all(parts) else None


def _names_of_path(path: Sequence[str]) -> list[str]:
    """Give the names a topic may mean: there may be a subtype in it, and a channel."""
    whole = "/".join(path)
    found = [whole]
    if len(path) > 3:
        found.append("/".join((path[0], *path[-2:])))
    if len(path) > 2:
        found.append(f"{path[0]}/{path[-1]}")
    return found


def _find(names: Sequence[str], world: World, source: str) -> Device | None:
    devices = world.devices
    for name in names:
        device = devices.get((source, name))
        if device is not None:
            return device
    return None
