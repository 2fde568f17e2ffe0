import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dialects.json_paths import PathError, Template, find, first, leaves, where

DOCUMENT: dict[str, Any] = {
    "battery": 80,
    "a.b": "dotted",
    "data": {"door": "open", "c.d": 1, "list": [{"n": 1}, {"n": 2}]},
    "sensors": [{"name": "door", "value": 1}, {"name": "13.1.85", "value": 0}],
    "params": {"Gas": {"value": 1}, "Door": {"value": 0}},
}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("battery", [80]),
        ("a.b", ["dotted"]),
        ("data.door", ["open"]),
        ('data["c.d"]', [1]),
        ('["a.b"]', ["dotted"]),
        ("data.list[0].n", [1]),
        ("data.list[-1].n", [2]),
        ("data.list.1.n", [2]),
        ("data.list[*].n", [1, 2]),
        ("sensors[name=door].value", [1]),
        ("sensors[name=13.1.85].value", [0]),
        ("params.*.value", [1, 0]),
        ("params[*].value", [1, 0]),
        (".", [DOCUMENT]),
        ("nothing", []),
        ("battery.more", [None]),  # not an object: what should be in it is unknown
        ("data.list[9].n", []),
        ("sensors[name=window].value", []),
    ],
)
def test_a_path_leads_somewhere(text: str, values: list[Any]) -> None:
    assert [one.value for one in find(DOCUMENT, text)] == values


@pytest.mark.parametrize("text", ["", "a..b", "a[", "a]", "a[b", "[", "a[*", '["', ".a", "a[1", "a[x]"])
def test_what_is_no_path_says_so_in_a_sentence(text: str) -> None:
    with pytest.raises(PathError, match="path"):
        find({}, text)


def test_first_is_none_where_there_is_nothing() -> None:
    assert first(DOCUMENT, "data.list[*].n") == 1
    assert first(DOCUMENT, "nothing") is None


def test_leaves_are_named_by_what_they_are_of_and_their_paths_lead_back() -> None:
    paths = where(DOCUMENT)
    found = {paths[leaf.holder, leaf.key]: (leaf.name, leaf.value) for leaf in leaves(DOCUMENT)}
    assert found["sensors[name=13.1.85].value"] == ("13.1.85", 0)
    assert found["params.Gas.value"] == ("Gas", 1)
    assert found["data.door"] == ("door", "open")
    for path, (_, value) in found.items():
        assert value in [one.value for one in find(DOCUMENT, path)]


@pytest.mark.parametrize(
    ("template", "topic", "places"),
    [
        ("{device}", "gas 1", {"device": "gas 1"}),
        ("{device}", "a/b", None),
        ("{gateway}/{device}/state", "box/gas/state", {"gateway": "box", "device": "gas"}),
        ("{gateway}/{device}/state", "box/gas/config", None),
        ("+/{device}/{field}", "x/gas/alarm", {"device": "gas", "field": "alarm"}),
        ("sensor-{device}/#", "sensor-7/a/b", {"device": "7"}),
        ("/sys/{gateway}/{device}/thing/event/property/post", "/sys/pk/dn/thing/event/property/post",
         {"gateway": "pk", "device": "dn"}),
        ("send", "send", {}),
        ("#", "whatever/there/is", {}),
        ("a.b/{device}", "axb/7", None),
    ],
)  # fmt: skip
def test_a_template_tells_what_stands_where(template: str, topic: str, places: dict[str, str] | None) -> None:
    assert Template(template).match(topic) == places


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{devcie}", "did you mean '{device}'"),
        ("{x}", "known here"),
        ("{device", "brace"),
        ("{device}/{device}", "twice"),
        ("#/{device}", "at the end"),
        ("a+/{device}", "stand alone"),
    ],
)
def test_what_is_no_template_says_so_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(PathError, match=said):
        Template(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(document=JSON, text=st.text(alphabet='ab.[]*=0-"', max_size=12))
def test_no_path_and_no_document_raise_anything_else(document: Any, text: str) -> None:
    leaves(document)
    where(document)
    with contextlib.suppress(PathError):
        find(document, text)
    with contextlib.suppress(PathError):
        Template(text)


def test_what_is_nested_without_end_is_followed_for_a_while() -> None:
    document: Any = 1
    for _ in range(900):
        document = {"a": document}
    assert leaves(document) == []
