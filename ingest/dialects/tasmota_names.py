"""By which names what is behind a Tasmota device may be registered."""

from collections.abc import Sequence
from typing import Any

from ingest.dialects import tasmota_zigbee as zigbee
from ingest.dialects.tasmota_zigbee import Spoken


def bridge_of(node: str, one: Spoken) -> str:
    """Give the bridge's topic: with SetOption89 the device's address or name stands behind it, or in its place."""
    parent, _, last = node.rpartition("/")
    name = last.rpartition("_")[0] if last[-1:].isdigit() else ""
    if one.short and one.short[2:].upper() in {last.upper(), name.upper()}:
        return parent
    clean = one.name.replace("/", "_").replace("+", "_").replace("#", "_").replace(" ", "_")
    return parent if {one.name, clean} & {last, name} else node


def called(node: str, one: Spoken) -> list[str]:
    """Give the names by which a Zigbee device may be registered; the first is the one to recommend."""
    bridge = bridge_of(node, one)
    address = one.fields.get("IEEEAddr")
    every = [one.name, one.short, address if type(address) is str else ""]
    names = [f"{bridge}/{name}" for name in every if name] if bridge else []
    return list(dict.fromkeys([*names, *(name for name in every if name)]))


def behind(node: str, name: str) -> list[str]:
    """Give the names by which a Bluetooth sensor may be registered: it may be heard through any gateway in range."""
    return [name, f"{node}/{name}"]


def codes(node: str, code: str) -> list[str]:
    """Give the names for a radio code: itself, or what several codes of one sensor have in common."""
    return [f"{node}/{code}", f"{node}/{code[:-1]}"]


def listed(document: dict[str, Any]) -> Sequence[Spoken]:
    """Give the devices of a reply to ZbStatus2 or ZbStatus3."""
    for key in ("ZbStatus2", "ZbStatus3"):
        every = document.get(key)
        if type(every) is list:
            return [
                one
                for fields in every
                if type(fields) is dict and "Device" in fields
                for one in zigbee.spoken("ZbInfo", fields)
            ]
    return ()


def texts(document: dict[str, Any]) -> set[str]:
    """Give the texts of a document and of the objects in it."""
    inner = [one for value in document.values() for one in (value.values() if type(value) is dict else (value,))]
    return {one for one in inner if type(one) is str}
