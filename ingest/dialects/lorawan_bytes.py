"""LoRaWAN payloads for which the network server has no codec, of makers who have published how they are made.

What is read gets the names that the maker's own codec gives (lorawan_tables.py knows them). Only what a home's safety
needs is taken; a payload is read up to the first thing in it that is not known, as the makers' codecs do.

Formats: Milesight-IoT/SensorDecoders (README of each model), dragino/dragino-end-node-decoder, and, in
TheThingsNetwork/lorawan-devices, vendor/browan, netvox, elsys, mclimate, radio-bridge, yobiiq and tektelic.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from ingest.dialects.lorawan_short_bytes import Fields, browan, elsys, mclimate, netvox, radio_bridge, tektelic, yobiiq


def unpack(maker: str, words: str, port: int | None, data: bytes) -> Fields | None:
    """Read a payload of a maker (a key of MAKERS); `words` may name the model.

    None where there is no telling what it is. Raises IndexError where it is too short for what it says it is.
    """
    read = _READERS.get(maker.partition(" ")[0])
    fields = read(words, port, data) if read is not None else None
    return fields or None


# --- Milesight ---

#: How long what follows a type is, whatever the channel.
_LENGTHS: Final[Mapping[int, int]] = {0x00: 1, 0x01: 1, 0x67: 2, 0x68: 1, 0x75: 1, 0x7D: 2, 0x8E: 1, 0x90: 4}
_ATTRIBUTES: Final[Mapping[int, int]] = {
    0x01: 1, 0x08: 6, 0x09: 2, 0x0A: 2, 0x0B: 1, 0x0F: 1, 0x16: 8, 0xFE: 1, 0xFF: 2,
}  # fmt: skip
_CHANNELS: Final[tuple[tuple[re.Pattern[str], Mapping[tuple[int, int], str]], ...]] = tuple(
    (re.compile(pattern), channels)
    for pattern, channels in (
        (r"ws301", {(0x03, 0x00): "magnet_status", (0x04, 0x00): "tamper_status"}),
        (r"em300-?mcs", {(0x06, 0x00): "magnet_status"}),
        (r"em300-?[szm]ld", {(0x05, 0x00): "leakage_status"}),
        (r"ws303", {(0x03, 0x00): "leakage_status"}),
        (r"ws202", {(0x03, 0x00): "pir"}),
        (r"ws203", {(0x05, 0x00): "occupancy"}),
        (r"ts30[12]", {(0x03, 0x00): "magnet_chn1", (0x04, 0x00): "magnet_chn2"}),
        (r"vs3(40|41|70)", {(0x03, 0x00): "occupancy"}),
        (r"gs101", {(0x05, 0x8E): "gas_status"}),
        (r"ws101", {}),
        (r"vs373", {}),
    )
)
_GS101_ALARMS: Final = (
    "power off", "power on", "device fault", "device fault recovered", "device will be invalid soon", "device invalid",
)  # fmt: skip
_GS524N_EVENTS: Final[Mapping[int, str]] = {
    1: "alarm",
    2: "silent",
    4: "low battery",
    5: "failover",
    7: "normal",
    10: "removed",
    11: "installed",
    14: "testing alarm with normal battery",
    15: "testing alarm with low battery",
}
_PRESSES: Final[Mapping[int, str]] = {1: "short press", 2: "long press", 3: "double press"}
_DETECTED: Final = ("normal", "vacant", "in_bed", "out_of_bed", "fall")
_ALARM_TYPES: Final[Mapping[int, str]] = {0: "fall", 8: "lying"}


def _milesight(words: str, port: int | None, data: bytes) -> Fields | None:  # noqa: ARG001 - of no port in particular
    if "gs524" in words:
        return _gs524n(data)
    channels = _milesight_channels(words)
    if channels is None:
        return None
    found: Fields = {}
    at = 0
    while at + 2 < len(data):
        channel, kind, at = data[at], data[at + 1], at + 2
        if channel == 0xFF and kind in _ATTRIBUTES:
            at += _ATTRIBUTES[kind]
        elif (channel, kind) == (0x20, 0xCE):
            at += _milesight_history(words, data[at:], found)
        elif (channel, kind) == (0x01, 0x75):
            found["battery"] = data[at]
            at += 1
        elif (channel, kind) == (0xFF, 0x2E):
            found["button_event"] = _PRESSES.get(data[at], "unknown")
            at += 1
        elif (channel, kind) == (0xFF, 0x3F):
            found["alarm"] = _GS101_ALARMS[data[at]] if data[at] < len(_GS101_ALARMS) else "unknown"
            at += 1
        elif (channel, kind) == (0x03, 0xF8):
            found["detection_status"] = _DETECTED[data[at]] if data[at] < len(_DETECTED) else "unknown"
            at += 6
        elif (channel, kind) == (0x06, 0xFB):
            found.setdefault("events", []).append(_fall_alarm(data[at + 2], data[at + 3]))
            at += 5
        elif kind in _LENGTHS and channel != 0xFF:
            if (name := channels.get((channel, kind))) is not None:
                found[name] = data[at]
            at += _LENGTHS[kind]
        else:
            break
    return found


@lru_cache(maxsize=512)
def _milesight_channels(words: str) -> Mapping[tuple[int, int], str] | None:
    for pattern, channels in _CHANNELS:
        if pattern.search(words):
            return channels
    return None


def _gs524n(data: bytes) -> Fields | None:
    if len(data) != 6 or sum(data) & 0xFF:
        return None
    return {
        "type": "smoke sensor" if data[1] >> 4 == 1 else "unknown",
        "event": _GS524N_EVENTS.get(data[1] & 0x0F, "unknown"),
        "battery": data[2],
        "concentration": data[3],
    }


def _fall_alarm(kind: int, state: int) -> Fields:
    return {"alarm_type": _ALARM_TYPES.get(kind, "other"), "alarm_status": str(state)}


def _milesight_history(words: str, data: bytes, found: Fields) -> int:
    """Take a sample of an earlier time; return how long it is."""
    sample: Fields = {"timestamp": int.from_bytes(data[:4], "little")}
    if "em300" in words:
        sample["magnet_status" if "mcs" in words else "leakage_status"] = data[7]
        length = 8
    elif "ws203" in words:
        sample["occupancy"] = data[5]
        length = 9
    elif "vs373" in words:
        sample |= _fall_alarm(data[6], data[7])
        length = 9
    else:
        return len(data)
    found.setdefault("history", []).append(sample)
    return length


# --- Dragino ---

_ONE_DOOR: Final = re.compile(r"lds03|ds03a|ds20l")
_ONE_LEAK: Final = re.compile(r"l?wl03|lwl04")
_DOOR_AND_LEAK: Final = re.compile(r"lds0[12]|lwl0[12]")


def _dragino(words: str, port: int | None, data: bytes) -> Fields | None:
    if _DOOR_AND_LEAK.search(words):
        return _dragino_pair(data) if port != 7 and len(data) >= 10 else _dragino_volts(data, 0, 0x3F)
    door, leak = _ONE_DOOR.search(words), _ONE_LEAK.search(words)
    if door or leak:
        name = "DOOR_OPEN_STATUS" if door else "WATER_LEAK_STATUS"
        if port == 5:
            return _dragino_volts(data, 5)
        if port == 3 and len(data) % 11 == 0:
            return {"history": [_dragino_sample(name, data[at : at + 11]) for at in range(0, len(data), 11)]}
        if port != 4 and len(data) in {11, 18}:
            found = {name: data[0] & 1}
            if len(data) == 18:
                found["DOOR2_OPEN_STATUS"] = data[11] & 1
            return found
        return None
    if "pb01" in words:
        if port == 2 and len(data) == 8:
            return {**_dragino_volts(data, 0), "Alarm": data[3] & 1}
        return _dragino_volts(data, 5) if port == 5 else None
    if re.search(r"trackerd|lgt-?92", words):
        # Where the byte is that holds the alarm and the battery.
        place = {2: 8, 3: 8, 7: 0, 8: 7, 6: 24, 10: 21}.get(port or 0) if "trackerd" in words else 8
        if place is not None and len(data) > place + 1:
            return {**_dragino_volts(data, place, 0x3F), "ALARM_status": data[place] >> 6 & 1}
    return None


def _dragino_pair(data: bytes) -> Fields:
    mode = data[2]
    found: Fields = {**_dragino_volts(data, 0, 0x3F), "MOD": mode}
    if mode in {1, 3}:
        found["DOOR_OPEN_STATUS"] = data[0] >> 7
    if mode in {2, 3}:
        found["WATER_LEAK_STATUS"] = data[0] >> 6 & 1
    return found


def _dragino_sample(name: str, data: bytes) -> Fields:
    return {name: data[0] & 1, "timestamp": int.from_bytes(data[7:11], "big")}


def _dragino_volts(data: bytes, at: int, mask: int = 0xFF) -> Fields:
    return {"BatV": ((data[at] & mask) << 8 | data[at + 1]) / 1000}


_READERS: Final[Mapping[str, Callable[[str, int | None, bytes], Fields | None]]] = {
    "milesight": _milesight,
    "dragino": _dragino,
    "browan": browan,
    "netvox": netvox,
    "elsys": elsys,
    "mclimate": mclimate,
    "radio": radio_bridge,
    "yobiiq": yobiiq,
    "tektelic": tektelic,
}
