"""Which devices a message of a Tasmota bridge speaks of, and by which names they may be registered."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard


class Spoken(NamedTuple):
    """One device in a message of the bridge's."""

    #: As the bridge calls it: by its friendly name, else by its short address.
    name: str
    #: Such as 0x8F20; empty where the message does not say it.
    short: str
    fields: dict[str, Any]
    #: It is what the bridge remembers, and not what the device has just said.
    remembered: bool


def spoken(command: str, document: dict[str, Any]) -> Iterator[Spoken]:
    """Give the devices that a message speaks of, whatever SetOption83, 89, 118 and 119 make of its form."""
    if command in {"ZbReceived", "ZbInfo"}:
        yield from _each(document, remembered=command == "ZbInfo")
        return
    wrapped = False
    for key in ("ZbReceived", "ZbInfo"):
        inner = document.get(key)
        if type(inner) is dict:
            wrapped = True
            yield from _each(inner, remembered=key == "ZbInfo")
    if not wrapped and command == "SENSOR":
        if _is_bare(document):
            yield from _each(document, remembered=False)
        else:
            bare = {key: one for key, one in document.items() if type(one) is dict and _is_bare(one)}
            yield from _each(bare, remembered=False)


def _is_bare(fields: dict[str, Any]) -> bool:
    return _is_address(fields.get("Device")) and ("Endpoint" in fields or "LinkQuality" in fields)


def _each(document: dict[str, Any], *, remembered: bool) -> Iterator[Spoken]:
    items = [("", document)] if _is_address(document.get("Device")) else list(document.items())
    for key, fields in items:
        if type(fields) is not dict:
            continue
        said, friendly = fields.get("Device"), fields.get("Name")
        short = said if _is_address(said) else key if _is_address(key) else ""
        name = (friendly.strip() if type(friendly) is str else "") or (key.strip() if key != short else "") or short
        if name:
            yield Spoken(name, short, fields, remembered)


def _is_address(value: Any) -> TypeGuard[str]:
    return type(value) is str and value.startswith("0x") and 2 < len(value) <= 18


def bridge_of(node: str, one: Spoken) -> str:
    """Give the topic of a Zigbee device's bridge, where the message says it."""
    return _names(node, one.name, one.short, "")[0]


def called(node: str, one: Spoken) -> Sequence[str]:
    """Give the names by which a Zigbee device may be registered; the first is the one to recommend."""
    address = one.fields.get("IEEEAddr")
    return _names(node, one.name, one.short, address if type(address) is str else "")[1]


@lru_cache(maxsize=4096)
def _names(node: str, name: str, short: str, address: str) -> tuple[str, Sequence[str]]:
    """Give the bridge's topic, behind or in place of which SetOption89 and 125 put the device's address or name."""
    bridge, _, last = node.rpartition("/")
    # SetOption120 puts the endpoint behind it.
    start = last.rpartition("_")[0] if last[-1:].isdigit() else ""
    clean = name.replace("/", "_").replace("+", "_").replace("#", "_").replace(" ", "_")
    if not (short and short[2:].upper() in {last.upper(), start.upper()}) and not {name, clean} & {last, start}:
        bridge = node
    every = [one for one in (name, short, address) if one]
    behind_it = [f"{bridge}/{one}" for one in every] if bridge else []
    return bridge, tuple(dict.fromkeys([*behind_it, *every]))


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
                for one in spoken("ZbInfo", fields)
            ]
    return ()


def texts(document: dict[str, Any]) -> set[str]:
    """Give the texts of a document and of the objects in it."""
    inner = [one for value in document.values() for one in (value.values() if type(value) is dict else (value,))]
    return {one for one in inner if type(one) is str}
