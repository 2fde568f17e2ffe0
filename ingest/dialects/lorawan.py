"""What LoRaWAN devices say, whichever network server passes it on.

A network server gives what its codec has made of the payload, whose names and words are those of the device's maker
(lorawan_tables.py), or the bare bytes, which are read here for the makers that are known (lorawan_bytes.py). The maker
is found in whatever there is: vendor and model in devices.yaml, the device profile's name, tags, brand and model, or
fields that only one maker's codecs have.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ingest.decoded import Unmapped
from ingest.dialects.common import observed
from ingest.dialects.facts import Facts
from ingest.dialects.lorawan_bytes import unpack
from ingest.dialects.lorawan_fields import named, tell_fields
from ingest.dialects.meanings import HAZARDS
from ingest.message import Message
from rules.community import Device, Mapped
from rules.readings import UNKNOWN, Freshness, Reading

_TIMES: Final = ("timestamp", "time", "ts", "timeStamp", "datetime")
_UNFIT: Final = frozenset({"fault", "warmup", "end_of_life"})
_ACTIVE: Final = frozenset({"alarm", "active"})


class Uplink(NamedTuple):
    """What a network server gives of one payload."""

    #: What the server's codec has made of it; None where there is no codec.
    said: Any
    #: The payload itself, where it is given: bytes, or text in base64.
    data: Any
    port: int | None
    #: Whatever it says of maker and model: names of a profile, tags, brand and model ids.
    hints: Sequence[str] = ()


class Told(NamedTuple):
    """What an uplink says."""

    readings: Sequence[Reading]
    unmapped: Sequence[Unmapped]


def read_uplink(
    uplink: Uplink,
    device: Device,
    message: Message,
    *,
    meanings: Mapping[str, Mapped] | None = None,
    at: Any = None,
    under_test: bool = False,
    battery: Any = None,
) -> Told:
    """Read an uplink; `at` is the network server's time of it, `battery` what it knows of the device's in percent.

    Where nothing else is in it, it is a sign of life. A payload that cannot be read needs a map, by the name `data`,
    of what its bytes are in hexadecimal digits.
    """
    received_at = message.received_at
    observed_at = observed(at, received_at)
    facts = Facts(device, message, observed_at=observed_at, under_test=under_test, meanings=meanings)
    words = " ".join((device.vendor or "", device.model or "", *uplink.hints)).lower()
    said = uplink.said
    samples: list[Mapping[str, Any]] = []
    if type(said) is dict and said:
        samples = tell_fields(facts, device, said, words=words, port=uplink.port)
    elif data := _bytes(uplink.data):
        unpacked = _unpacked(words, uplink.port, data)
        if unpacked is not None:
            samples = tell_fields(facts, device, unpacked, words=words, port=uplink.port)
        else:
            facts.by_map("data", data.hex(), what="event")
    readings = sound(facts.readings)
    if battery is not None and not any(one.kind == "battery" for one in readings):
        facts.battery(battery)
        readings = sound(facts.readings)
    if not readings:
        facts.alive()
        readings = facts.readings
    unmapped = facts.unmapped
    for sample in samples:
        past = Facts(
            device,
            message,
            observed_at=next((found for key in _TIMES if (found := observed(sample.get(key), received_at))), None),
            freshness=Freshness.HISTORIC,
            under_test=under_test,
            meanings=meanings,
        )
        tell_fields(past, device, sample, words=words, port=uplink.port)
        readings = [*readings, *sound(past.readings)]
    return Told(readings, unmapped)


def sound(readings: list[Reading]) -> list[Reading]:
    """Set right what several facts of one message say together.

    A detector that is faulty or warming up is not "clear" (invariant unknown-is-not-clear), and an alarm in a message
    that says that the device is being tested is a test's.
    """
    faulty = tested = False
    for one in readings:
        if one.kind in _UNFIT and one.state in _ACTIVE and one.detail != "soon":
            faulty = True
        elif one.kind == "test" and one.state == "active":
            tested = True
    if not (faulty or tested):
        return readings
    found = []
    for one in readings:
        if one.kind in HAZARDS:
            if faulty and one.state == "clear":
                one = one._replace(state=UNKNOWN)  # noqa: PLW2901 - the same fact, set right
            elif tested and one.state == "alarm":
                one = one._replace(under_test=True)  # noqa: PLW2901 - the same fact, set right
        found.append(one)
    return found


def _unpacked(words: str, port: int | None, data: bytes) -> Mapping[str, Any] | None:
    try:
        return unpack(named(words), words, port, data)
    except IndexError:
        return None


def _bytes(value: Any) -> bytes | None:
    if type(value) is not str:
        return value if type(value) is bytes else None
    try:
        return base64.b64decode(value)
    except ValueError:
        return None
