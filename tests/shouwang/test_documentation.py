"""docs/configuration.md names everything that can be written, with its default."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from rules.plans import is_place
from shouwang import settings
from shouwang.config.reading import FILES
from shouwang.config.scalars import written
from shouwang.config.vocabulary import DEVICE_KINDS, DIALECTS, PLACES, ROLES_TO, STATES

TEXT = (Path(__file__).parent.parent.parent / "docs" / "configuration.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\.yaml\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL))
ROWS = {row.split("`")[1]: row for row in TEXT.splitlines() if row.startswith("| `SHOUWANG_")}


def keys(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Every key that a file may hold at any depth, with its default."""
    for name, field in model.model_fields.items():
        yield field.alias or name, field.default
    for inner in models(list(model.__annotations__.values()) + [one.annotation for one in model.model_fields.values()]):
        yield from keys(inner)


def models(annotations: list[Any]) -> Iterator[type[BaseModel]]:
    """The models that types are made of."""
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        else:
            yield from models(list(getattr(annotation, "__args__", ())))


@pytest.mark.parametrize("kind", FILES)
def test_every_key_is_named(kind: str) -> None:
    missing = {key for key, _ in keys(FILES[kind]) if f"| `{key}` |" not in SECTIONS[kind]}

    assert missing == set()


@pytest.mark.parametrize("kind", FILES)
def test_every_default_that_is_a_duration_is_named(kind: str) -> None:
    """A default of 300 seconds is `5m` in the row of its key."""
    durations = {key: default for key, default in keys(FILES[kind]) if type(default) is int}
    rows = SECTIONS[kind].splitlines()

    for key, default in durations.items():
        assert [row for row in rows if row.startswith(f"| `{key}` |") and f"`{written(default)}`" in row], key


def test_every_setting_is_named_and_no_other() -> None:
    assert ROWS.keys() == settings.variables().keys()


@pytest.mark.parametrize("variable", settings.variables())
def test_every_default_of_a_setting_is_named(variable: str) -> None:
    """Where the default is none, what happens then is up to the words."""
    model: Any = settings.Settings
    *groups, name = settings.variables()[variable]
    for group in groups:
        model = model.model_fields[group].annotation
    default = model.model_fields[name].default
    if isinstance(default, SecretStr):
        default = default.get_secret_value()

    assert default is not PydanticUndefined
    if isinstance(default, bool):
        default = str(default).lower()
    if default is not None:
        assert ROWS[variable].endswith(f"| `{default}` |")


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (DEVICE_KINDS, "devices"),
        (DIALECTS, "devices"),
        (STATES, "rules"),
        ({state for states in STATES.values() for state in states}, "rules"),
        (ROLES_TO, "rules"),
    ],
    ids=["kinds of devices", "dialects", "kinds of states", "states", "targets"],
)
def test_every_word_is_named(words: Any, where: str) -> None:
    assert {word for word in words if f"`{word}`" not in SECTIONS[where]} == set()


def test_every_place_of_a_plan_is_named_and_is_one() -> None:
    assert all(is_place(place) for place in PLACES)
    assert {place for place in PLACES - {"hazards.gas_valve"} if f"`{{{place}}}`" not in SECTIONS["rules"]} == set()
