"""YAML as Shouwang reads it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shouwang.config.places import Place, path_of, positions
from shouwang.config.reader import Reader


def read(text: str, **environ: str) -> tuple[Any, list[str]]:
    """The value of `x:` in a document, and its problems."""
    reader = Reader("f.yaml", f"x: {text}".encode(), environ)
    entries = list(reader.entries())
    problems = [str(problem) for problem in reader.problems]
    if len(entries) == 1 and entries[0].key is None:
        return entries[0].value, problems
    if all(isinstance(entry.key, int) for entry in entries):
        return [entry.value for entry in entries], problems
    return {entry.key: entry.value for entry in entries}, problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gas", "gas"),
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("15", 15),
        ("-3", -3),
        ("30.6401", 30.6401),
        ("12e4", "12e4"),
        ("9" * 5000, "9" * 5000),
        ("22:30", "22:30"),
        ("+8613900000001", "+8613900000001"),
        ("028", "028"),
        ("0x10", "0x10"),
        ("2026-01-31", "2026-01-31"),
        ("1_000", "1_000"),
        ("-", "-"),
        ("'15'", "15"),
        ('"null"', "null"),
        ("!!str 15", "15"),
        ("|\n  one\n  two\n", "one\ntwo\n"),
    ],
)
def test_plain_words_mean_what_yaml_1_2_and_editors_take_them_for(text: str, value: Any) -> None:
    """Except that numbers with a plus, leading zeros or an exponent stay text: phone numbers, and ids such as 12e4."""
    assert read(text if value != "-" else "'-'") == (value, [])


def test_lists_and_mappings_nest() -> None:
    assert read("{a: [1, {b: c}], d: }") == ({"a": [1, {"b": "c"}], "d": None}, [])


def test_an_anchor_can_be_used_again() -> None:
    assert read("{a: &hours [1, 2], b: *hours}") == ({"a": [1, 2], "b": [1, 2]}, [])


def test_a_mapping_can_be_taken_in() -> None:
    """What is written beside `<<` wins, whichever comes first."""
    value, problems = read("{a: &base {k: 1, l: 2}, b: {l: 3, <<: *base}, c: {<<: [*base, {m: 4}]}}")

    assert problems == []
    assert value["b"] == {"k": 1, "l": 3}
    assert value["c"] == {"k": 1, "l": 2, "m": 4}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${HOST}", "example.org"),
        ('"https://${HOST}/${PATH_}"', "https://example.org/x y"),
        ("$${HOST}", "${HOST}"),
        ("$HOST", "$HOST"),
        ("a$b{c}", "a$b{c}"),
        ("${NUMBER}", "15"),
    ],
)
def test_a_text_may_name_variables_of_the_environment(text: str, value: str) -> None:
    """What comes from there is always text."""
    assert read(text, HOST="example.org", PATH_="x y", NUMBER="15") == (value, [])


def test_keys_are_always_text() -> None:
    assert read("{1: a, true: b, ~: c}") == ({"1": "a", "true": "b", "~": "c"}, [])


def test_utf16_with_a_mark_is_read_as_well() -> None:
    """Notepad on Windows used to save that."""
    reader = Reader("f.yaml", "x: 玉林北街".encode("utf-16"), {})

    assert [entry.value for entry in reader.entries()] == ["玉林北街"]


def test_too_deep_is_said() -> None:
    reader = Reader("f.yaml", b"x: " + b"[" * 5000, {})
    list(reader.entries())

    assert [problem.message for problem in reader.problems] == ["this is nested too deeply to be meant"]


#: Without what YAML takes for the end of a line, and what PyYAML writes wrongly.
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp")), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | texts.filter(lambda text: "${" not in text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc<", min_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text("xyz", min_size=1), values, min_size=1, max_size=3))
def test_what_a_yaml_writer_wrote_is_read_back(document: dict[str, Any]) -> None:
    """A second opinion: whatever PyYAML writes (it quotes what YAML 1.1 would misread) comes back as it was."""
    reader = Reader("f.yaml", yaml.safe_dump(document, allow_unicode=True).encode(), {})
    found: dict[str, Any] = {}
    for entry in reader.entries():
        empty: Any = [] if document[entry.section] == [] else {} if document[entry.section] == {} else None
        if entry.key is None:
            found[entry.section] = entry.value if empty is None else empty
        elif isinstance(entry.key, int):
            found.setdefault(entry.section, []).append(entry.value)
        else:
            found.setdefault(entry.section, {})[entry.key] = entry.value

    assert reader.problems == []
    assert found == document


@given(st.binary(max_size=60) | st.text(st.characters(codec="utf-8"), max_size=60).map(str.encode))
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    reader = Reader("f.yaml", content, {})
    list(reader.entries())
    positions(content, [Place(("x", 0))])

    assert all(problem.file == "f.yaml" and problem.message for problem in reader.problems)


TEXT = "homes:\n  - id: h1\n    devices: [{id: d1}, {id: 气感, kind: gas}]\n  - &b {id: h2}\nmore: *b\n"


@pytest.mark.parametrize(
    ("loc", "at_key", "position"),
    [
        (("homes",), True, (1, 1)),
        (("homes", 0), False, (2, 5)),
        (("homes", 0, "id"), False, (2, 9)),
        (("homes", 0, "devices", 1, "kind"), True, (3, 34)),
        (("homes", 0, "devices", 1, "kind"), False, (3, 40)),
        (("homes", 0, "grid"), False, (2, 5)),
        (("homes", 0, "devices", 7, "kind"), False, (3, 14)),
        (("more", "id"), False, (5, 7)),
        (("nowhere",), False, (1, 1)),
        ((), False, (1, 1)),
    ],
)
def test_places_are_found_by_line_and_column(
    loc: tuple[str | int, ...], at_key: bool, position: tuple[int, int]
) -> None:
    """Columns count characters; what is not there is where the nearest thing around it is."""
    place = Place(loc, at_key)

    assert positions(TEXT.encode(), [place]) == {place: position}


def test_a_place_is_written_as_a_path() -> None:
    assert path_of(("homes", 3, "devices", 0, "kind")) == "homes[3].devices[0].kind"
    assert path_of(()) == ""


def test_the_samples_are_read_as_pyyaml_reads_them(sample: Path) -> None:
    """They use nothing in which YAML 1.1 and 1.2 differ."""
    for name in ("devices.yaml", "grids.yaml", "rules.yaml"):
        content = (sample / name).read_bytes()
        expected = yaml.safe_load(content)
        reader = Reader(name, content, {})
        for entry in reader.entries():
            value = expected[entry.section] if entry.key is None else expected[entry.section][entry.key]
            assert entry.value == value
