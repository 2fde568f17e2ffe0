"""The fields of a codec's object, one by one: whose codec it is, and what each name in it means."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from ingest.dialects.facts import Facts
from ingest.dialects.lorawan_makers import BROWAN_PORTS, MAKERS, SIGNS, maker_of
from ingest.dialects.lorawan_tables import GENERAL, IGNORE, How, Step, plain
from ingest.dialects.lorawan_values import Taker
from ingest.dialects.names import tell
from rules.community import Device

#: Fields of one payload that are looked at, and how deep.
_MOST_FIELDS: Final = 200
_DEEPEST: Final = 4
_MOST_SAMPLES: Final = 50
#: Names that say nothing but "what the thing above is".
_NEUTRAL: Final = frozenset({"value", "state", "status", "event", "current", "v"})
#: Parts of a payload that are about what is set, not about what is.
_SETTINGS: Final = re.compile(
    r"(config|configuration|settings?|thresholds?|request|response|schedule|plan|rules?|enabled?|downlink|interval|limit|discovery|metadata)"
    r"\d*$"
)
_HISTORY: Final = frozenset({"history", "history_data", "historical_data"})
#: Fields by which a payload says what it comes from.
_SELF: Final = ("Device", "Node_type", "SENSOR_MODEL", "deviceModel", "device_model")
#: Makers whose model decides, which the payload may name.
_MAY_SAY_MORE: Final = frozenset({"", "dragino", "milesight", "netvox"})
_DIGITS: Final = re.compile(r"[0-9]+")
_EVENT: Final = Step(How.HINT)
_NOT_LOOKED_UP: Final = Step(How.IGNORE)
#: What has been looked up of a maker's names, by what each is a part of and itself.
_MOST_STEPS: Final = 4096
_STEPS: Final[dict[str, dict[tuple[str, str], Step | None]]] = {maker: {} for maker in MAKERS}
_NOTHING: Final[frozenset[str]] = frozenset()
#: By Dragino's MOD: kinds that the payload has a field for, and the device nothing to feel with.
_ABSENT: Final = {1: frozenset({"water_leak"}), 2: frozenset({"contact"})}


def tell_fields(
    facts: Facts,
    device: Device,
    said: Mapping[str, Any],
    *,
    words: str = "",
    port: int | None = None,
    measured: bool = False,
) -> list[Mapping[str, Any]]:
    """Give the facts of a codec's fields; return its samples of earlier times.

    What a codec nobody knows says, and nobody has written down, needs a map; of a known maker all that matters is in
    the tables. `words` (in small letters) may hold the maker's name or the model's. `measured`: temperatures and the
    like are of interest as well.
    """
    maker = _maker(words, said, port)
    steps = _STEPS[maker]
    absent = _absent(said) if maker.startswith("dragino") else _NOTHING
    taker = Taker(facts, device, said, known=bool(maker), measured=measured)
    samples: list[Mapping[str, Any]] = []
    mapped = facts.has_map
    fields = islice(_fields(said, samples), _MOST_FIELDS) if _is_deep(said) else _flat(said)
    for name, parent, key, value in fields:
        if mapped and facts.by_map(name, value, what="input", known=True):
            continue
        step = steps.get((parent, key), _NOT_LOOKED_UP)
        if step is _NOT_LOOKED_UP:
            if len(steps) >= _MOST_STEPS:
                steps.clear()
            step = steps[parent, key] = _step(maker, parent, key)
        if step is None:
            if not tell(facts, key if key.lower() not in _NEUTRAL or not parent else parent, value):
                taker.other(name, value)
        elif step is not IGNORE and step.kind not in absent:
            taker.take(step, name, value)
    return samples


def _is_deep(said: Mapping[str, Any]) -> bool:
    if len(said) > _MOST_FIELDS or "alarm_type" in said:
        return True
    return any(type(value) is dict or type(value) is list for value in said.values())


def _flat(said: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    return ((key, "", key, value) for key, value in said.items())


# --- whose payload it is ---


def _maker(words: str, said: Mapping[str, Any], port: int | None) -> str:
    maker = named(words)
    if maker in _MAY_SAY_MORE:
        for key in _SELF:
            own = said.get(key)
            if type(own) is str:
                words = f"{words} {own.lower()}"
                maker = named(words)
        if not maker:
            for key in said:
                if key in SIGNS:
                    maker = SIGNS[key]
                    break
    return BROWAN_PORTS.get(port or 0, maker) if maker == "browan" else maker


@lru_cache(maxsize=2048)
def named(words: str) -> str:
    """Find the maker in words about a device."""
    return maker_of(words)


def _absent(said: Mapping[str, Any]) -> frozenset[str]:
    """Kinds that a payload has a field for, and the device nothing to feel with: Dragino's MOD 1 is a door sensor."""
    mode = said.get("MOD", said.get("mod"))
    return _ABSENT.get(mode, _NOTHING) if type(mode) is int else _NOTHING


# --- field by field ---


def _fields(
    said: Mapping[str, Any], samples: list[Mapping[str, Any]], path: str = "", parent: str = "", depth: int = 0
) -> Iterator[tuple[str, str, str, Any]]:
    """Give each field with its name (its whole path), what it is a part of, and its key; put history aside."""
    if "alarm_type" in said and "alarm_status" in said:
        # Milesight's fall radar: the type says what the status is of.
        what = str(said["alarm_type"])
        yield f"{path}{what}", f"{what}_alarm", "alarm_status", said["alarm_status"]
        return
    for key, value in islice(said.items(), _MOST_FIELDS):
        kind = type(value)
        if kind is dict:
            if depth < _DEEPEST and not _SETTINGS.search(key.lower()):
                yield from _fields(value, samples, f"{path}{key}.", key, depth + 1)
        elif kind is list:
            if key in _HISTORY and depth == 0:
                samples.extend([one for one in value[:_MOST_SAMPLES] if type(one) is dict])
            elif key == "events" and depth == 0:
                for one in value[:_MOST_SAMPLES]:
                    if type(one) is dict:
                        yield from _fields(one, samples, "events.", "events", depth + 1)
            elif key == "messages":
                yield from _measurements(value[:_MOST_SAMPLES])
        else:
            yield path + key, parent, key, value


def _measurements(messages: list[Any], depth: int = 0) -> Iterator[tuple[str, str, str, Any]]:
    """Give what SenseCAP's codecs say: lists of {"type": "Battery", "measurementValue": 80}; an event has names."""
    for one in messages:
        if type(one) is list and depth < _DEEPEST:
            yield from _measurements(one[:_MOST_SAMPLES], depth + 1)
        elif type(one) is dict and type(name := one.get("type")) is str:
            value = one.get("measurementValue")
            for event in value[:_MOST_SAMPLES] if type(value) is list else ():
                if type(event) is dict and "eventName" in event:
                    yield f"messages.{name}", "", "eventName", event["eventName"]
            if type(value) is not list and type(value) is not dict:
                yield f"messages.{name}", "", name, value


def _step(maker: str, parent: str, key: str) -> Step | None:
    if _SETTINGS.search(key.lower()):
        return IGNORE
    candidates = []
    whole, last = plain(parent + key), plain(key)
    for name in (whole, last) if parent else (last,):
        candidates.append(name)
        # DOOR1_OPEN_STATUS, WaterLeak_2; but a CO2 sensor is none of carbon monoxide.
        if "co2" not in name and "pm" not in name:
            candidates.append(_DIGITS.sub("", name))
    if parent and last in _NEUTRAL:
        candidates += [plain(parent), _DIGITS.sub("", plain(parent)) if "co2" not in parent.lower() else ""]
    for table in (MAKERS[maker], GENERAL):
        for name in candidates:
            step = table.get(name)
            # The alarm of a part is not the device's.
            if step is not None and not (step.how is How.ALARM and parent and name != plain(parent + key)):
                return step
    return _EVENT if last == "event" else None
