"""What pydantic says of an entry, in sentences for the people who write the files."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic_core import ErrorDetails

from shouwang.config.places import Loc, Place
from shouwang.config.problems import nearest, one_of
from shouwang.config.scalars import BASE_PATTERN, ID_PATTERN, NAME_PATTERN, SENTENCE

_PATTERNS: Final = {
    ID_PATTERN: "'{value}' cannot be an id: it may hold no spaces and none of / + #, "
    "not begin with $, and be at most 100 characters long",
    NAME_PATTERN: "'{value}' cannot be a device's name on MQTT: it may hold neither + nor #, "
    "nor begin or end with a space or a slash",
    BASE_PATTERN: "'{value}' cannot be the base of topics: write it without wildcards, spaces, "
    "and slashes at either end, such as zigbee2mqtt; a single + is for devices that each have a base of their own",
}
#: A kind of pydantic's errors → the sentence. Braces are filled from the error's context.
_SENTENCES: Final = {
    "int_type": "this should be a whole number",
    "int_parsing": "'{value}' should be a whole number",
    "int_from_float": "{value} should be a whole number",
    "float_type": "this should be a number",
    "float_parsing": "'{value}' should be a number",
    "bool_type": "this should be true or false",
    "bool_parsing": "'{value}' should be true or false",
    "string_too_short": "a text is missing here",
    "string_too_long": "this is {length} characters long, and there is room for {max_length}",
    "too_short": "the list must not be empty",
    "greater_than_equal": "{value} is less than {ge:g}",
    "less_than_equal": "{value} is more than {le:g}",
}
#: When these go wrong, the two degrees have probably changed places.
_LATITUDE_TOO_BIG: Final = "{value} is no latitude; have lat and lon changed places?"


class Said(NamedTuple):
    """A sentence about a place in an entry."""

    place: Place
    message: str


def sentences(model: Any, errors: Iterable[ErrorDetails]) -> Iterator[Said]:
    """Turn the errors of one value against one type into sentences; places are counted from the value."""
    found = list(errors)
    unknown: dict[Loc, set[str]] = {}
    for error in found:
        if error["type"] == "extra_forbidden":
            unknown.setdefault(error["loc"][:-1], set()).add(str(error["loc"][-1]))
    for error in found:
        loc = error["loc"]
        if error["type"] == "missing" and _is_misspelt(str(loc[-1]), loc[:-1], unknown.get(loc[:-1], ())):
            continue
        yield _said(model, error)


def _is_misspelt(key: str, around: Loc, unknown: Iterable[str]) -> bool:
    """Say whether a missing key is there after all, under a wrong name that is a problem of its own."""
    if any(str(part).startswith("(") for part in around[-1:]):
        # With one of the words that tell conditions apart misspelt, it is not known which others are needed.
        return any(nearest(word, _WHEN_KEYS) for word in unknown)
    return any(nearest(word, [key]) for word in unknown)


def _said(model: Any, error: ErrorDetails) -> Said:
    kind, loc, value = error["type"], error["loc"], error["input"]
    at_key = kind == "extra_forbidden"
    if loc and loc[-1] == "[key]":
        loc, at_key = loc[:-1], True
    context = error.get("ctx", {})
    path = (*(part for part in loc if not str(part).startswith("(")), *context.get("at", ()))
    return Said(Place(path, at_key), _message(model, kind, loc, value, context))


def _message(model: Any, kind: str, loc: Loc, value: Any, context: Mapping[str, Any]) -> str:
    if kind == SENTENCE:
        return str(context["message"])
    if kind == "extra_forbidden":
        return _unknown_key(model, loc)
    if kind == "missing":
        return "this key is missing"
    if kind == "string_type":
        return _not_text(value)
    if kind in {"list_type", "tuple_type"}:
        return "this should be a list: `[…]`, or lines that begin with `- `"
    if kind in {"model_type", "dict_type", "model_attributes_type"}:
        return "this should be a mapping: `{key: value, …}`, or indented lines of `key: value`"
    if kind == "union_tag_not_found":
        return "this should be a mapping such as {kind: gas, state: alarm}"
    if kind in {"enum", "literal_error"}:
        return _not_among(model, loc, value)
    if kind == "string_pattern_mismatch":
        return _PATTERNS[context["pattern"]].format(value=value)
    if kind == "less_than_equal" and loc[-1] == "lat":
        return _LATITUDE_TOO_BIG.format(value=value)
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(value=value, length=len(str(value)), **context)
    return f"this is not what belongs here ({kind.replace('_', ' ')})"


def _unknown_key(model: Any, loc: Loc) -> str:
    word, keys = str(loc[-1]), _keys(_descend(model, loc[:-1]))
    if str(loc[-2] if len(loc) > 1 else "").startswith("("):
        if word in _WHEN_KEYS:
            return f"'{word}' does not go with '{str(loc[-2]).strip('()')}'; known here: {', '.join(keys)}"
        keys = list(_WHEN_KEYS)
    meant = nearest(word, keys)
    return f"unknown key '{word}'; " + (f"did you mean '{meant}'?" if meant else f"known here: {', '.join(keys)}")


def _not_text(value: Any) -> str:
    if isinstance(value, dict):
        return "this has become a mapping, because YAML takes braces and `: ` for one; put the whole text in quotes"
    if isinstance(value, list):
        return "this should be one text, and not a list"
    if value is None:
        return "a text is missing here"
    written = str(value).lower() if isinstance(value, bool) else str(value)
    return f'this should be text; put it in quotes: "{written}"'


def _not_among(model: Any, loc: Loc, value: Any) -> str:
    known = _values(_descend(model, loc))
    if len(known) == 1:
        return f"this can only be '{known[0]}'"
    if isinstance(value, str):
        return f"'{value}' is not known here; {one_of(value, known)}"
    return f"this must be one of: {', '.join(known)}"


# --- finding one's way in the models ----------------------------------------------------------------------------------

#: Every word that a condition may hold; conditions are told apart by them.
_WHEN_KEYS: Final = ("kind", "state", "below", "above", "absent", "offline", "unwatched", "untested", "for", "between")


#: `X | None` has either of these types, by how it was written.
_UNIONS: Final = (Union, UnionType)


def _bare(annotation: Any) -> Any:
    """Take Annotated and `| None` away."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in _UNIONS and NoneType in get_args(annotation):
            annotation = next(part for part in get_args(annotation) if part is not NoneType)
        else:
            return annotation


def _descend(annotation: Any, loc: Loc) -> Any:
    """Give the type of what is at a place inside a value of a type."""
    for part in loc:
        annotation = _bare(annotation)
        if str(part).startswith("("):
            annotation = next(form for form in get_args(annotation) if Tag(str(part)) in get_args(form))
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation = next(
                field.annotation for name, field in annotation.model_fields.items() if part in {field.alias, name}
            )
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        else:
            annotation = get_args(annotation)[0]
    return _bare(annotation)


def _keys(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [field.alias or name for name, field in annotation.model_fields.items()]
    return []


def _values(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(member.value) for member in annotation]
    return []
