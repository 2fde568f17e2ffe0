"""Shelly BLU devices as a script on their gateway tells of them.

    shelly-blu            the maker's ble-shelly-blu.shelly.js: an event with what the packet held, by name
    oh-blu.data           openHAB's: the same with capitals, or the packet in hex
    blu                   the maker's blu-gateway-bthome-to-mqtt.shelly.js: a status by device, and events
    <prefix>/events/ble   ioBroker's: the packet in hex

The names are those of BTHome, where the true (1) of a binary sensor is always the state that is worth telling: open,
motion, smoke, wet, low battery.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from ingest.dialects import bthome
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import off, on, unknown

EVENT: Final = "shelly-blu"
COMPONENT: Final = "blu"
_LONGEST_ADDRESS = 40
_COMPACT = 12
_HEX = frozenset("0123456789abcdef")


class Packet(NamedTuple):
    """What a device has sent."""

    #: In small letters, with colons.
    address: str
    #: As the script calls the device beside its address; may be empty.
    name: str
    data: dict[str, Any]


_BINARY = {
    "window": "contact",
    "door": "contact",
    "garage_door": "contact",
    "opening": "contact",
    "motion": "motion",
    "moving": "motion",
    "occupancy": "presence",
    "presence": "presence",
    "vibration": "vibration",
    "smoke": "smoke",
    "carbon_monoxide": "carbon_monoxide",
    "gas_detected": "gas",
    "tamper": "tamper",
    "battery_low": "battery",
    "problem": "fault",
}
_MEASURED = {"temperature": "°C", "humidity": "%", "illuminance": "lx"}
#: BTHome numbers of a button's presses; 0 is none. 128 and 254 are the same press of two firmwares.
_PRESSES = {1: "single", 2: "double", 3: "triple", 4: "long", 5: "long_double", 6: "long_triple"}
_PRESSES |= dict.fromkeys((128, 254), "hold")


#: What tells that a packet was one of a sensor's, and not of any telephone that went by.
_FIELDS = frozenset({*_BINARY, *_MEASURED, "battery", "button", "moisture_detected", "encryption"})


def names(gateways: Sequence[str], packet: Packet) -> list[str]:
    """Give the names by which a device may be registered; the first is the one to recommend."""
    address, name, _ = packet
    found = [*(f"{one}/{address}" for one in gateways), address, address.upper(), address.replace(":", "")]
    return [*found, name] if name else found


def of_event(event: dict[str, Any]) -> Packet | None:
    """Give what a script's event tells of a device; None where it is about none."""
    data, what = event.get("data"), event.get("event")
    if type(data) is not dict or type(what) is not str:
        return None
    if what == EVENT:
        return _packet(data.get("address"), data)
    if "device" in data and event.get("component") == COMPONENT:
        return _named(data["device"], None, {what: data.get("value")})
    address = data.get("addr", data.get("address"))
    inner = data.get("service_data")
    if type(inner) is dict:
        found = inner
    elif "raw" in data:
        found = bthome.objects(data["raw"]) or {}
    elif data.get("code") == "BTH_ENCRYPTED":
        found = {"encryption": True}
    else:
        found = {key.lower(): value for key, value in data.items()}
    return _packet(address, found) if _FIELDS & found.keys() else None


def of_status(status: dict[str, Any]) -> list[Packet]:
    """Give what the component `blu` tells of devices."""
    found = [_named(name, one.get("addr"), one) for name, one in status.items() if type(one) is dict]
    return [one for one in found if one is not None]


def of_scan(document: dict[str, Any]) -> Packet | None:
    """Give what a message on <prefix>/events/ble tells; None where it is nothing in BTHome."""
    device, data = document.get("srcBle"), bthome.service_data(document.get("payload"))
    return None if data is None or type(device) is not dict else _packet(device.get("mac"), data)


def _named(name: Any, address: Any, data: dict[str, Any]) -> Packet | None:
    if type(name) is not str or not 0 < len(name) <= _LONGEST_ADDRESS:
        return None
    found = _packet(name.rpartition("-")[2] if address is None else address, data)
    return found if found is None else found._replace(name=name)


def _packet(address: Any, data: dict[str, Any]) -> Packet | None:
    if type(address) is not str or not 0 < len(address) <= _LONGEST_ADDRESS:
        return None
    address = address.lower()
    if len(address) == _COMPACT and _HEX.issuperset(address):
        address = ":".join(address[at : at + 2] for at in range(0, _COMPACT, 2))
    return Packet(address, "", data)


def take(facts: Facts, kind: str, data: dict[str, Any], *, presses: bool) -> bool:
    """Take what a packet of a device registered as `kind` held; say whether a press was in it.

    `presses`: whether presses are news.
    """
    pressed = False
    for name, value in data.items():
        if name in _BINARY:
            what = _BINARY[name]
            sure = type(value) in {bool, int} and value in (0, 1)
            facts.fact((on(what) if value else off(what)) if sure else unknown(what))
        elif name == "battery":
            facts.battery(value)
        elif name == "moisture_detected":
            # To a weather station this is rain.
            if kind == "water_leak":
                facts.fact(on(kind) if value == 1 else off(kind) if value == 0 else unknown(kind))
        elif name in _MEASURED and type(value) is not list:
            facts.number("measurement", value, _MEASURED[name], detail=name)
        elif name == "button" or name.startswith("button_"):
            for one in value if type(value) is list else (value,):
                if type(one) is int and (action := _PRESSES.get(one)) is not None:
                    pressed = True
                    if presses:
                        facts.pressed(action)
    return pressed
