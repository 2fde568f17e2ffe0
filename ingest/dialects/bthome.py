"""BTHome version 2: what Bluetooth sensors (Shelly BLU and others) put into their advertisements.

Objects one after another, each an id and a value of a fixed length, as in bthome.io/format; the names are those that
Shelly's scripts use.
"""

from typing import Any, Final, NamedTuple

_ENCRYPTED = 1
_VERSION_2 = 2
#: An advertisement has no more, of a long one.
_LONGEST = 255


class _Object(NamedTuple):
    name: str
    size: int = 1
    factor: float = 1
    signed: bool = False


_KNOWN: Final = {
    0x00: _Object("pid"),
    0x01: _Object("battery"),
    0x02: _Object("temperature", 2, 0.01, signed=True),
    0x03: _Object("humidity", 2, 0.01),
    0x05: _Object("illuminance", 3, 0.01),
    0x11: _Object("opening"),
    0x15: _Object("battery_low"),
    0x17: _Object("carbon_monoxide"),
    0x1A: _Object("door"),
    0x1B: _Object("garage_door"),
    0x1C: _Object("gas_detected"),
    0x20: _Object("moisture_detected"),
    0x21: _Object("motion"),
    0x22: _Object("moving"),
    0x23: _Object("occupancy"),
    0x25: _Object("presence"),
    0x26: _Object("problem"),
    0x29: _Object("smoke"),
    0x2B: _Object("tamper"),
    0x2C: _Object("vibration"),
    0x2D: _Object("window"),
    0x2E: _Object("humidity"),
    0x3A: _Object("button"),
    0x45: _Object("temperature", 2, 0.1, signed=True),
    0x57: _Object("temperature", 1, 1, signed=True),
    0x58: _Object("temperature", 1, 0.35, signed=True),
}
#: How long the values of the others are, where it is not one byte.
_TWO = (
    0x06,
    0x07,
    0x08,
    0x0C,
    0x0D,
    0x0E,
    0x12,
    0x13,
    0x14,
    0x3C,
    0x3D,
    0x3F,
    0x40,
    0x41,
    0x43,
    0x44,
    0x47,
    0x48,
    0x49,
)
_SIZES = dict.fromkeys((*_TWO, 0x4A, 0x51, 0x52, 0x56, 0x5A, 0x5D, 0x5E, 0x5F, 0x61, 0xF0), 2)
_SIZES |= dict.fromkeys((0x04, 0x0A, 0x0B, 0x42, 0x4B, 0xF2), 3)
_SIZES |= dict.fromkeys((0x3E, 0x4C, 0x4D, 0x4E, 0x4F, 0x50, 0x55, 0x5B, 0x5C, 0xF1), 4)
_SIZES |= dict.fromkeys((*range(0x0F, 0x11), *range(0x15, 0x2E), 0x09, 0x2F, 0x46, 0x59, 0x60), 1)
#: Text and raw bytes, which tell their length.
_COUNTED = frozenset({0x53, 0x54})


def service_data(said: Any) -> dict[str, Any] | None:
    """Read the whole of it, in hex, with the byte in front that tells version and encryption; None where it is none."""
    data = _bytes(said)
    if not data or data[0] >> 5 != _VERSION_2:
        return None
    return {"encryption": True} if data[0] & _ENCRYPTED else _objects(data[1:])


def objects(said: Any) -> dict[str, Any] | None:
    """Read the objects, in hex, without the byte in front; None where it is no hex."""
    data = _bytes(said)
    return None if data is None else _objects(data)


def _bytes(said: Any) -> bytes | None:
    if type(said) is not str or len(said) > 2 * _LONGEST:
        return None
    try:
        return bytes.fromhex(said)
    except ValueError:
        return None


def _objects(data: bytes) -> dict[str, Any]:
    """Take the values by name, several of one name as a list; behind an unknown id nothing can be found any more."""
    found: dict[str, Any] = {}
    at = 0
    while at < len(data):
        number = data[at]
        at += 1
        if number in _COUNTED:
            at += 1 + data[at] if at < len(data) else 1
            continue
        known = _KNOWN.get(number)
        size = _SIZES.get(number) if known is None else known.size
        if size is None or at + size > len(data):
            break
        if known is not None:
            value: Any = int.from_bytes(data[at : at + size], "little", signed=known.signed)
            if known.factor != 1:
                value = round(value * known.factor, 2)
            before = found.get(known.name)
            if before is None:
                found[known.name] = value
            else:
                found[known.name] = [*before, value] if type(before) is list else [before, value]
        at += size
    return found
