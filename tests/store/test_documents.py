from dataclasses import dataclass, field
from datetime import time
from typing import Any

import orjson
import pytest

from rules.community import Home, Worker
from rules.incident import Snapshot
from store.documents import from_document, to_json


def test_values_come_back_as_they_went_in(make: Any) -> None:
    for value in (make.home(), make.worker(), make.snapshot(), make.home(location=None, residents=(), hazards={})):
        assert from_document(type(value), orjson.loads(to_json(value))) == value


def test_sets_are_written_in_order_so_that_equal_is_equal() -> None:
    assert to_json({"days": frozenset({6, 0, 3})}) == '{"days":[0,3,6]}'


def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        to_json(complex(1, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newer:
    name: str
    since: time = time(8)
    tags: frozenset[str] = frozenset()
    more: dict[str, float] = field(default_factory=dict)


def test_an_older_document_takes_defaults_and_a_newer_one_loses_what_is_not_known() -> None:
    assert from_document(_Newer, {"name": "a", "colour": "red"}) == _Newer(name="a")
    full = {"name": "a", "since": "22:30:00", "tags": ["x"], "more": {"y": 1}}
    read = from_document(_Newer, full)
    assert read == _Newer(name="a", since=time(22, 30), tags=frozenset({"x"}), more={"y": 1.0})
    assert isinstance(read.more["y"], float)


def test_every_document_type_can_be_built() -> None:
    for wanted in (Home, Worker, Snapshot):
        with pytest.raises(TypeError, match="missing"):
            from_document(wanted, {})
