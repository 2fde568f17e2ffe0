"""What a payload of Sparkplug B holds in protocol buffers.

The fields that we read, with their numbers and types, are those of the specification's schema (sparkplug_b.proto of
Eclipse Tahu; "Sparkplug 3.0.0", chapter 6.4). What else is in a payload is passed over.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

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


def payload(content: bytes) -> Any:
    """Read a payload; raises ValueError where it is none."""
    try:
        return _PAYLOAD.FromString(content)
    except DecodeError as error:
        raise ValueError(str(error)) from error


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
