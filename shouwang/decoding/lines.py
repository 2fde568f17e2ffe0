"""Recorded messages as people have them: JSON lines, what `mosquitto_sub` prints, or bare payloads."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

#: What `mosquitto_sub -v` prints for an empty payload.
_EMPTY: Final = "(null)"
#: What a line may call the same thing: ours, the samples', and `mosquitto_sub -F %j`'s.
_MODEL: Final = ("model", "device_model")
_KIND: Final = ("kind", "sensor_kind")
_RECEIVED: Final = ("received_at", "tst")


class BadLine(ValueError):  # noqa: N818 - it is a line that is bad
    """A line that is no message; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A recorded message, and what the record says of the device beside it."""

    topic: str
    payload: bytes
    retain: bool = False
    #: Aware and in UTC; None where the record does not say.
    received_at: datetime | None = None
    dialect: str | None = None
    #: What the gateway calls the device, where the record says so.
    name: str | None = None
    #: As the record has it; it need not be a kind that devices may have.
    kind: str | None = None
    vendor: str | None = None
    model: str | None = None
    #: A Zigbee2MQTT definition's list.
    exposes: list[Any] | None = None
    invert: bool = False


def read_line(text: str, *, topic: str | None = None) -> Line | None:
    """Read one line; None for an empty one. With `topic`, the whole line is a payload. Raises BadLine.

    Bytes that are no UTF-8 come as Python's surrogate escapes, and go into the payload as they were.
    """
    text = text.rstrip("\r\n")
    if topic is not None:
        return Line(topic=topic, payload=_bytes(text))
    if not text.strip():
        return None
    if text.lstrip().startswith("{"):
        try:
            record: Any = orjson.loads(text)
        except ValueError as error:
            raise BadLine(f"this begins like a JSON object, and is none: {error}") from None
        return _from_record(record)
    return _from_words(text)


def _from_words(text: str) -> Line:
    """Read `topic payload`. Topics may have spaces as well as payloads, so that this is partly a guess."""
    spaces = [place for place, character in enumerate(text) if character == " "]
    if not spaces:
        raise BadLine("a line is a JSON object with topic and payload, or a topic, a space and a payload")
    for place in spaces:
        rest = text[place + 1 :]
        if rest[:1] in {"{", "["} and _is_json(rest):
            break
    else:
        place = next((one for one in spaces if "/" not in text[one:]), spaces[0])
        rest = text[place + 1 :]
    heard = _bytes(text[:place]).decode("utf-8", "replace")
    return Line(topic=heard, payload=b"" if rest == _EMPTY else _bytes(rest))


def _from_record(record: dict[str, Any]) -> Line:
    topic = record.get("topic")
    if type(topic) is not str:
        raise BadLine("there is no topic in this")
    return Line(
        topic=topic,
        payload=_payload(record),
        retain=record.get("retain") in (True, 1),
        received_at=_moment(_first(record, _RECEIVED)),
        dialect=_text(record.get("dialect")),
        name=_text(record.get("friendly_name")),
        kind=_text(_first(record, _KIND)),
        vendor=_text(record.get("vendor")),
        model=_text(_first(record, _MODEL)),
        exposes=record["exposes"] if type(record.get("exposes")) is list else None,
        invert=record.get("invert") is True,
    )


def _payload(record: dict[str, Any]) -> bytes:
    """Give the payload as it went over the wire; bytes that are no text come as hex or base64."""
    try:
        if type(encoded := record.get("payload_hex")) is str:
            return bytes.fromhex(encoded)
        if type(encoded := record.get("payload_base64")) is str:
            return base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadLine(f"the payload is not what it is said to be: {error}") from None
    if "payload" not in record:
        raise BadLine("there is no payload in this")
    payload = record["payload"]
    if payload is None:
        # Recorders that parse JSON keep what is none beside it.
        payload = record["raw"] if type(record.get("raw")) is str else ""
    return _bytes(payload) if type(payload) is str else orjson.dumps(payload)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def _first(record: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _text(value: Any) -> str | None:
    return value if type(value) is str and value else None


def _moment(value: Any) -> datetime | None:
    """Read ISO 8601 with a zone, or seconds since 1970."""
    if value is None:
        return None
    at: datetime | None = None
    try:
        if type(value) is str:
            at = datetime.fromisoformat(value)
        elif type(value) in {int, float}:
            at = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        at = None
    if at is None:
        raise BadLine(f"{value!r} is no time")
    if at.tzinfo is None:
        raise BadLine(f"the time {value!r} has no zone; write it as 2026-01-31T03:00:00Z")
    return at.astimezone(UTC)
