"""What is made of recorded messages to break decoders, and what a decoder may never make of it."""

import copy
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.decoded import Decoded
from rules.readings import KINDS, UNKNOWN
from shouwang.decoding import Line

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

#: What says nothing, in every form in which devices say it.
NOTHINGS: tuple[Any, ...] = (None, "unavailable", "unknown", "", -1, [], {}, math.nan)
#: Kinds of which nothing may be made up.
VITAL = frozenset({"gas", "smoke", "carbon_monoxide", "water_leak", "contact", "sos", "fall"})
#: What a message says of whom it is from, and by which number a repeat is known: with another word there it is another
#: message, and may mean another thing.
_WHO = frozenset({"model", "model_id", "name", "type", "subtype", "brand", "did", "event_cnt"})
_CLEARS = frozenset({"clear", "closed", "cleared"})
_ALARMS = frozenset({"alarm", "open", "pressed"})


def problems(decoded: Decoded) -> Iterator[str]:
    """Say what is wrong with an answer, whatever the message was."""
    said = decoded.quarantine or decoded.ignored or decoded.unmapped or decoded.gateway or decoded.foreign
    if not (said or decoded.readings or decoded.definitions is not None or decoded.learnt):
        yield "a message vanishes: no fact and no reason"
    if decoded.quarantine is not None and decoded.quarantine[0] == "decoder_error":
        yield f"an exception leaves the decoder: {decoded.quarantine[1]}"
    for one in decoded.readings:
        if one.kind not in KINDS:
            yield f"there is no kind {one.kind}"
        if one.state is None and one.value is None:
            yield f"{one.kind} says neither state nor value"
        for name, value in (("state", one.state), ("unit", one.unit), ("detail", one.detail)):
            if value is not None and type(value) is not str:
                yield f"{one.kind}'s {name} is {value!r}"
        if one.value is not None and (type(one.value) is not float or not math.isfinite(one.value)):
            yield f"{one.kind}'s value is {one.value!r}"
        if one.observed_at is not None and one.observed_at.utcoffset() != timedelta(0):
            yield f"{one.kind}'s time is {one.observed_at!r}"
    for key, document in (decoded.learnt or {}).items():
        if type(key) is not str or json.loads(json.dumps(document)) != document:
            yield f"what is learnt of {key!r} cannot be kept"


def vital(decoded: Decoded) -> set[tuple[str, str]]:
    """Give what an answer says of what may cost a life: kinds with their states."""
    return {(one.kind, one.state) for one in decoded.readings if one.kind in VITAL and one.state not in {None, UNKNOWN}}  # type: ignore[misc] # None is not in it


def made_up(before: Decoded, after: Decoded) -> list[tuple[str, str]]:
    """Give what is said after something was taken out of a message that was not said before."""
    news = vital(after) - vital(before)
    return sorted(one for one in news if one[1] in _CLEARS | _ALARMS)


def emptied(line: Line) -> Iterator[tuple[str, Line, bool]]:
    """Give a message again and again, each time with one thing in it said to be nothing, in every form.

    The last says whether it is still the same message but for that, so that nothing new may be in it.
    """
    try:
        document = json.loads(line.payload)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict | list):
        for nothing in NOTHINGS:
            text = nothing if isinstance(nothing, str) else json.dumps(nothing)
            yield f"payload = {text!r}", replace(line, payload=text.encode()), True
        return
    for path in _paths(document):
        for nothing in NOTHINGS:
            if type(path[-1]) is int and nothing in ({}, []):
                continue  # in a list each may say other things, so that this one only says less
            changed = copy.deepcopy(document)
            _put(changed, path, nothing)
            yield f"{path} = {nothing!r}", replace(line, payload=json.dumps(changed).encode()), path[-1] not in _WHO


def _paths(document: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in inside:
        yield (*above, key)
        if isinstance(value, dict | list):
            yield from _paths(value, (*above, key))


def _put(document: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value
