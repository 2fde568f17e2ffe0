"""Sparkplug B on the wire: payloads in protocol buffers, or in the JSON that converters make of them, as metrics."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ingest.dialects.common import parsed

#: Nested templates are followed so deep, and so many metrics are read.
_DEEPEST = 4
_MOST = 2000

_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
_TYPE_NAMES = {
    name: number
    for number, name in enumerate(
        (
            "unknown",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "float",
            "double",
            "boolean",
        )
    )
}
_BOOLEAN = 11


class Metric(NamedTuple):
    """One metric; `name` or `alias` may be missing. A value that is null, or of a kind we do not read, is None."""

    name: str | None
    alias: int | None
    value: Any
    #: Milliseconds since 1970, as its device says.
    timestamp: int | None
    #: As numbered in the specification; None where the payload does not say.
    datatype: int | None
    is_historical: bool
    unit: str | None


class Payload(NamedTuple):
    """A payload's metrics, and its own time in milliseconds since 1970."""

    timestamp: int | None
    metrics: list[Metric]


def read(content: bytes) -> Payload:
    """Read a payload; raises ValueError with a sentence where it is none."""
    if content[:1] == b"{":
        return _read_json(parsed(content))
    # Protocol buffers take five megabytes of memory, and few communities have a Sparkplug gateway.
    from ingest.dialects import sparkplug_schema  # noqa: PLC0415

    try:
        payload = sparkplug_schema.payload(content)
        metrics: list[Metric] = []
        # Text that is not UTF-8 is found only when it is looked at.
        _flatten(payload.metrics, "", metrics, _DEEPEST)
    except ValueError as error:
        raise ValueError("The payload is no Sparkplug B payload in protocol buffers.") from error
    return Payload(payload.timestamp if payload.HasField("timestamp") else None, metrics)


def typed(value: Any, datatype: int | None) -> Any:
    """Read a number as its type says: the wire has no signs, and writes truth as a number where it likes."""
    if type(value) is not int:
        return value
    if datatype in _SIGNED:
        bits = _SIGNED[datatype]
        low = value & ((1 << bits) - 1)
        return low - (1 << bits) if low >> (bits - 1) else low
    return bool(value) if datatype == _BOOLEAN and value in (0, 1) else value


# --- protocol buffers -------------------------------------------------------------------------------------------------


def _flatten(found: Iterable[Any], before: str, into: list[Metric], depth: int) -> None:
    for metric in found:
        if len(into) >= _MOST:
            return
        kind = metric.WhichOneof("value")
        name = before + metric.name if metric.HasField("name") else None
        if kind == "template_value":
            template = metric.template_value
            if depth and not template.is_definition:
                _flatten(template.metrics, f"{name or ''}/", into, depth - 1)
            continue
        value = None if kind is None or kind == "bytes_value" or metric.is_null else getattr(metric, kind)
        into.append(
            Metric(
                name,
                metric.alias if metric.HasField("alias") else None,
                value,
                metric.timestamp if metric.HasField("timestamp") else None,
                metric.datatype if metric.HasField("datatype") else None,
                metric.is_historical,
                _unit(metric.properties) if metric.HasField("properties") else None,
            )
        )


def _unit(properties: Any) -> str | None:
    for key, value in zip(properties.keys, properties.values, strict=False):
        if key in {"engUnit", "Engineering Units", "unit"} and value.WhichOneof("value") == "string_value":
            return str(value.string_value)[:20] or None
    return None


# --- JSON -------------------------------------------------------------------------------------------------------------


def _read_json(document: Any) -> Payload:
    if type(document) is dict and type(document.get("payload")) is dict:  # with the topic's parts beside it
        document = document["payload"]
    listed = document.get("metrics") if type(document) is dict else None
    if type(listed) is not list:
        raise ValueError("The payload has no list of metrics.")
    metrics = [_metric(one) for one in listed[:_MOST] if type(one) is dict]
    return Payload(_whole(document.get("timestamp")), metrics)


def _metric(one: Mapping[str, Any]) -> Metric:
    name = one.get("name")
    value = one.get("value")
    if value is None:
        value = next((one[key] for key in one if key.endswith(("_value", "Value"))), None)
    kind = one.get("dataType", one.get("datatype", one.get("type")))
    if type(kind) is str:
        kind = _TYPE_NAMES.get(kind.lower())
    null = any(one.get(key) is True for key in ("is_null", "isNull"))
    return Metric(
        name if type(name) is str else None,
        _whole(one.get("alias")),
        None if null or type(value) in {dict, list} else value,
        _whole(one.get("timestamp")),
        kind if type(kind) is int else None,
        any(one.get(key) is True for key in ("is_historical", "isHistorical")),
        None,
    )


def _whole(value: Any) -> int | None:
    if type(value) is str and value.isascii() and value.isdecimal() and len(value) < 20:
        return int(value)
    return value if type(value) is int else None
