"""Sparkplug B on the wire: payloads in protocol buffers, or in the JSON that converters make of them, as metrics.

The fields that we read, with their numbers and types, are those of the specification's schema (sparkplug_b.proto of
Eclipse Tahu; "Sparkplug 3.0.0", chapter 6.4). What else is in a payload is passed over.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from ingest.dialects.common import parsed

#: Nested templates are followed so deep, and so many metrics are read.
_DEEPEST = 4
_MOST = 2000

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "uint32": _FIELD.TYPE_UINT32,
    "uint64": _FIELD.TYPE_UINT64,
    "float": _FIELD.TYPE_FLOAT,
    "double": _FIELD.TYPE_DOUBLE,
    "bool": _FIELD.TYPE_BOOL,
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
}
#: Message: its fields as `number name type`, `*` for those that repeat; `|` before those of which there is one.
_SCHEMA: dict[str, str] = {
    "Payload": "1 timestamp uint64, 2 metrics Metric*, 3 seq uint64, 4 uuid string, 5 body bytes",
    "Metric": (
        "1 name string, 2 alias uint64, 3 timestamp uint64, 4 datatype uint32, 5 is_historical bool, "
        "6 is_transient bool, 7 is_null bool, 9 properties PropertySet, |10 int_value uint32, |11 long_value uint64, "
        "|12 float_value float, |13 double_value double, |14 boolean_value bool, |15 string_value string, "
        "|16 bytes_value bytes, |18 template_value Template"
    ),
    "PropertySet": "1 keys string*, 2 values PropertyValue*",
    "PropertyValue": (
        "1 type uint32, 2 is_null bool, |3 int_value uint32, |4 long_value uint64, |5 float_value float, "
        "|6 double_value double, |7 boolean_value bool, |8 string_value string"
    ),
    "Template": "2 metrics Metric*, 5 is_definition bool",
}
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
    try:
        payload = _PAYLOAD.FromString(content)
        metrics: list[Metric] = []
        # Text that is not UTF-8 is found only when it is looked at.
        _flatten(payload.metrics, "", metrics, _DEEPEST)
    except (DecodeError, ValueError) as error:
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


def _payload_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="shouwang/sparkplug_b.proto", package="shouwang.sparkplug")
    for name, fields in _SCHEMA.items():
        message = file.message_type.add(name=name)
        for line in fields.split(", "):
            number, field_name, kind = line.lstrip("|").split()
            repeated = kind.endswith("*")
            field = message.field.add(
                name=field_name,
                number=int(number),
                label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL,
                type=_TYPES.get(kind.rstrip("*"), _FIELD.TYPE_MESSAGE),
            )
            if field.type == _FIELD.TYPE_MESSAGE:
                field.type_name = f".shouwang.sparkplug.{kind.rstrip('*')}"
            if line.startswith("|"):
                if not message.oneof_decl:
                    message.oneof_decl.add(name="value")
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shouwang.sparkplug.Payload"))


_PAYLOAD = _payload_class()


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
