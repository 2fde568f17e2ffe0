"""ChirpStack's events as protobuf, for integrations that are not set to JSON.

Only the fields that are read of the messages in chirpstack's api/proto/integration/integration.proto (and ConnState of
gw/gw.proto); they come out with the names that the JSON has.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DEEPEST: Final = 8
_LONGEST_NUMBER: Final = 10
_LEVELS: Final = ("INFO", "WARNING", "ERROR")
_CODES: Final = (
    "UNKNOWN", "DOWNLINK_PAYLOAD_SIZE", "UPLINK_CODEC", "DOWNLINK_CODEC", "OTAA", "UPLINK_F_CNT_RESET", "UPLINK_MIC",
    "UPLINK_F_CNT_RETRANSMISSION", "DOWNLINK_GATEWAY", "RELAY_NEW_END_DEVICE", "F_CNT_DOWN", "EXPIRED",
)  # fmt: skip


def event(kind: str, data: bytes) -> dict[str, Any]:
    """Read an event of a device: up, join, status, log. Raises ValueError."""
    return _message(_EVENTS.get(kind, _COMMON), data)


def connection(data: bytes) -> str:
    """Read the state of a gateway's connection, ONLINE or OFFLINE. Raises ValueError."""
    # 0, for offline, is not written.
    return "ONLINE" if _message(_CONNECTION, data).get("state") == 1 else "OFFLINE"


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        value: Any
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in {1, 5}:
            size = 8 if wire == 1 else 4
            value, at = data[at : at + size], at + size
        elif wire == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise ValueError("not a protobuf message")
        if at > len(data) or number == 0:
            raise ValueError("not a protobuf message")
        yield number, wire, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_NUMBER):
        if at + place >= len(data):
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("not a protobuf message")


Reader = Callable[[Any], Any]
Schema = Mapping[int, tuple[str, int, Reader]]


def _message(schema: Schema, data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, wire, value in _fields(data):
        entry = schema.get(number)
        if entry is None:
            continue
        name, expected, read = entry
        if wire != expected:
            raise ValueError(f"{name} is not what it should be")
        if name == "tags":
            found.setdefault(name, {}).update(read(value))
        else:
            found[name] = read(value)
    return found


def _text(value: bytes) -> str:
    return value.decode()  # UnicodeDecodeError is a ValueError


def _time(value: bytes) -> str:
    found = _message({1: ("seconds", 0, int), 2: ("nanos", 0, int)}, value)
    try:
        at = _EPOCH + timedelta(seconds=found.get("seconds", 0), microseconds=found.get("nanos", 0) // 1000)
    except OverflowError as error:
        raise ValueError("no time") from error
    return at.isoformat()


def _tag(value: bytes) -> dict[str, str]:
    found = _message({1: ("key", 2, _text), 2: ("value", 2, _text)}, value)
    return {found.get("key", ""): found.get("value", "")}


def _struct(value: bytes, depth: int = 0) -> dict[str, Any]:
    """Read a google.protobuf.Struct."""
    found: dict[str, Any] = {}
    for number, wire, entry in _fields(value):
        if (number, wire) != (1, 2):
            continue
        pair = {part: raw for part, kind, raw in _fields(entry) if kind == 2}
        found[_text(pair.get(1, b""))] = _value(pair.get(2, b""), depth)
    return found


def _value(data: bytes, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    for number, wire, raw in _fields(data):
        if (number, wire) == (2, 1):
            return struct.unpack("<d", raw)[0]
        if (number, wire) == (3, 2):
            return _text(raw)
        if (number, wire) == (4, 0):
            return bool(raw)
        if (number, wire) == (5, 2):
            return _struct(raw, depth + 1)
        if (number, wire) == (6, 2):
            return [_value(one, depth + 1) for part, kind, one in _fields(raw) if (part, kind) == (1, 2)]
    return None


def _one_of(words: tuple[str, ...]) -> Reader:
    return lambda value: words[value] if value < len(words) else "UNKNOWN"


_INFO: Final[Schema] = {
    4: ("applicationName", 2, _text),
    6: ("deviceProfileName", 2, _text),
    7: ("deviceName", 2, _text),
    8: ("devEui", 2, _text),
    9: ("tags", 2, _tag),
}


def _info(value: bytes) -> dict[str, Any]:
    return _message(_INFO, value)


_COMMON: Final[Schema] = {
    1: ("deduplicationId", 2, _text),
    2: ("time", 2, _time),
    3: ("deviceInfo", 2, _info),
}
_EVENTS: Final[Mapping[str, Schema]] = {
    "up": {**_COMMON, 7: ("fCnt", 0, int), 8: ("fPort", 0, int), 10: ("data", 2, bytes), 11: ("object", 2, _struct)},
    "status": {
        **_COMMON,
        6: ("externalPowerSource", 0, bool),
        7: ("batteryLevelUnavailable", 0, bool),
        8: ("batteryLevel", 5, lambda value: struct.unpack("<f", value)[0]),
    },
    "log": {
        1: ("time", 2, _time),
        2: ("deviceInfo", 2, _info),
        3: ("level", 0, _one_of(_LEVELS)),
        4: ("code", 0, _one_of(_CODES)),
    },
}
_CONNECTION: Final[Schema] = {2: ("state", 0, int)}
