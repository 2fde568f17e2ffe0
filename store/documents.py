"""Values as JSON documents, and back: what a row carries that is never searched.

A document may be older than the program: what it does not know takes the field's default, and what the program no
longer knows is ignored.
"""

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from datetime import time
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

_T = TypeVar("_T")


def to_json(value: Any) -> str:
    """Write dataclasses, enums, times of day, tuples, sets and dicts as JSON; sets in order, so that equal is equal."""
    return orjson.dumps(value, default=_sorted_list).decode()


def from_document(wanted: type[_T], document: Mapping[str, Any]) -> _T:
    """Build a value of a (data)class from what JSON gave."""
    built: _T = _builder(cast("Hashable", wanted))(document)
    return built


def _sorted_list(value: Any) -> list[Any]:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} does not go into a document")


@cache
def _builder(wanted: Hashable) -> Callable[[Any], Any]:
    """Make the function that builds a type, once a type."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in {Union, UnionType}:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        build = _builder(inner)
        return lambda value: None if value is None else build(value)
    if origin in {tuple, frozenset}:
        build = _builder(arguments[0])
        return lambda value: origin(map(build, value))
    if origin is dict:
        build = _builder(arguments[1])
        return lambda value: {key: build(item) for key, item in value.items()}
    if dataclasses.is_dataclass(wanted):
        return _dataclass_builder(wanted)
    if wanted is time:
        return time.fromisoformat
    if isinstance(wanted, type) and issubclass(wanted, (Enum, float)):
        return wanted
    return lambda value: value


def _dataclass_builder(wanted: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(wanted)
    builders = {field.name: _builder(hints[field.name]) for field in dataclasses.fields(wanted)}
    return lambda value: wanted(**{name: builders[name](item) for name, item in value.items() if name in builders})
