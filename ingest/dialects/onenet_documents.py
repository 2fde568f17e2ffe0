"""How OneNET's and Alink's messages are made: which device each part is about, and what it said when."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

_MOST: Final = 500


class Sample(NamedTuple):
    """What was said at one time: properties, or the parameters of an event."""

    time: Any
    fields: dict[str, Any]
    event: str | None = None


class Part(NamedTuple):
    """What a message says of one device; without a name, of the one that its topic is of."""

    samples: list[Sample]
    product: str | None = None
    device: str | None = None
    historic: bool = False
    #: A sub-device that logs in or out: `login`, `logout`.
    login: str | None = None


def parts_of(document: dict[str, Any] | None, tail: list[str]) -> Iterator[Part] | None:
    """Give the parts of a message, by its topic behind the device's name; None where it has not its topic's form."""
    if document is None:
        return None
    if tail[0] == "dp":
        streams = document.get("dp")
        return iter([Part(_by_time(streams, "v", "t"))]) if type(streams) is dict else None
    params = document.get("params")
    what = tail[-2] if len(tail) > 1 else ""
    if what in {"pack", "history", "batch"}:
        entries: list[Any] = params if type(params) is list else [params]
        if not all(type(entry) is dict for entry in entries):
            return None
        return _packed(entries, historic=what == "history")
    if type(params) is not dict:
        return None
    if what == "sub":
        return iter([_identified(params, [], login=tail[-1])])
    if what == "property":
        return iter([Part(_by_time(params, "value", "time"))])
    if what == "event":
        return iter([Part(list(_events(params)))])
    # Alink: the event is in the topic, and its parameters may stand alone.
    inner = params.get("value")
    if type(inner) is dict:
        return iter([Part([Sample(params.get("time"), inner, what)])])
    return iter([Part([Sample(params.get("time"), params, what)])])


def _packed(entries: list[dict[str, Any]], *, historic: bool) -> Iterator[Part]:
    for entry in entries[:_MOST]:
        samples: list[Sample] = []
        properties, events = entry.get("properties"), entry.get("events")
        for one in properties if type(properties) is list else [properties]:
            if type(one) is dict:
                samples += _by_time(one, "value", "time")
        for one in events if type(events) is list else [events]:
            if type(one) is dict:
                samples += _events(one)
        if samples or "identity" in entry:
            yield _identified(entry.get("identity"), samples, historic=historic)
        below = entry.get("subDevices")
        if type(below) is list:
            yield from _packed([one for one in below if type(one) is dict], historic=historic)


def _identified(identity: Any, samples: list[Sample], *, historic: bool = False, login: str | None = None) -> Part:
    if type(identity) is not dict or type(name := identity.get("deviceName")) is not str:
        return Part(samples, historic=historic, login=login)
    product = identity.get("productID", identity.get("productKey"))
    return Part(samples, product if type(product) is str else None, name, historic, login)


def _values(entry: Any, value: str, time: str) -> Iterator[tuple[Any, Any]]:
    """Give each value with its time: {"value": ..., "time": ...}, several of them, or the value alone."""
    if type(entry) is list and entry and all(type(one) is dict and value in one for one in entry):
        for one in entry[:_MOST]:
            yield one[value], one.get(time)
    elif type(entry) is dict and value in entry:
        yield entry[value], entry.get(time)
    else:
        yield entry, None


def _by_time(fields: dict[str, Any], value: str, time: str) -> list[Sample]:
    """Put what was said at one time together, oldest first; what has no time was said now."""
    found: dict[Any, dict[str, Any]] = {}
    for name, entry in fields.items():
        for said, at in _values(entry, value, time):
            found.setdefault(at if type(at) in {int, float, str} else None, {})[name] = said
    samples = [Sample(at, said) for at, said in found.items()]
    if len(samples) > 1:
        samples.sort(key=_order)
    return samples


def _order(sample: Sample) -> float:
    return float(sample.time) if type(sample.time) in {int, float} and -1e15 < sample.time < 1e15 else 1e15


def _events(events: dict[str, Any]) -> Iterator[Sample]:
    for name, entry in events.items():
        for said, at in _values(entry, "value", "time"):
            yield Sample(at, said if type(said) is dict else {"value": said} if said is not None else {}, name)
