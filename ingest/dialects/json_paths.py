"""How staff say where something is: paths into JSON, and templates of topics.

A path: `battery`, `data.door`, `sensors[0].state`, `sensors[-1]`, `sensors[*].smoke`, `params.*.value`,
`res_list[res_name=13.1.85].value` (the element whose `res_name` is that), `data["a.b"]` (a name with a dot in it), and
`.` for the payload as a whole. A field of the payload whose name is the path itself goes before.

A template: `{device}` and `{gateway}` stand for a part of the topic that is a name, `{field}` for one that says what
the payload is, `+` for any one part and `#`, at the end, for whatever follows. `sensor-{device}` is one part, too.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

from ingest.dialects.meanings import as_text

#: What a template may name.
PLACES = ("device", "gateway", "field")
#: So many values are taken from one path, and so many fields of a payload are looked at.
_MOST_FOUND = 100
_MOST_LEAVES = 200
_DEEPEST = 8

_STEP = re.compile(
    r"""\.?(?P<key>[^.\[\]"]+) | \[(?P<index>-?\d{1,4})\] | \[(?P<every>\*)\]
    | \[(?P<name>[^=\[\]"*]+)=(?P<is>[^\]]*)\] | \.?\["(?P<quoted>[^"]+)"\]""",
    re.VERBOSE,
)
_PLACE = re.compile(r"\{([^{}]*)\}")


class PathError(ValueError):
    """A path or template that is none; its text is a sentence for the people who wrote it."""


class Where(NamedTuple):
    """The elements of a list whose `name` is `value`."""

    name: str
    value: str


class Every(NamedTuple):
    """All elements."""


Step = str | int | Where | Every


class Found(NamedTuple):
    """A value, and where it was found."""

    at: str
    value: Any


@lru_cache(maxsize=1024)
def path(text: str) -> tuple[Step, ...]:
    """Read a path; raises PathError."""
    if text == ".":
        return ()
    steps: list[Step] = []
    end = 0
    while end < len(text):
        found = _STEP.match(text, end)
        if found is None or (end == 0 and text[0] == "."):
            raise PathError(
                f"'{text}' is no path: from '{text[end:]}' on it cannot be read; write one such as data.door, "
                "list[0].state, list[*].state or list[name=door].value"
            )
        end = found.end()
        if found["index"] is not None:
            steps.append(int(found["index"]))
        elif found["every"] is not None or found["key"] == "*":
            steps.append(Every())
        elif found["name"] is not None:
            steps.append(Where(found["name"].strip(), found["is"].strip()))
        else:
            steps.append(found["quoted"] or found["key"].strip())
    if not steps:
        raise PathError("a path is missing here, such as data.door")
    return tuple(steps)


def find(document: Any, text: str) -> list[Found]:
    """Give all values that a path leads to; raises PathError."""
    if type(document) is dict and text in document:
        return [Found(_joined("", text), document[text])]
    found = [Found("", document)]
    for step in path(text):
        found = [one for known in found for one in _follow(known, step)][:_MOST_FOUND]
        if not found:
            break
    return found


def first(document: Any, text: str) -> Any:
    """Give the first value that a path leads to; None where there is none."""
    found = find(document, text)
    return found[0].value if found else None


def _follow(known: Found, step: Step) -> Iterator[Found]:
    at, value = known
    if type(step) is str:
        if type(value) is dict and step in value:
            yield Found(_joined(at, step), value[step])
        elif type(value) is list and step.isdecimal() and int(step) < len(value):
            yield Found(f"{at}[{step}]", value[int(step)])
    elif type(step) is int:
        if type(value) is list and -len(value) <= step < len(value):
            yield Found(f"{at}[{step % len(value)}]", value[step])
    elif type(value) is dict:
        if isinstance(step, Every):
            for key, one in value.items():
                yield Found(_joined(at, key), one)
    elif type(value) is list:
        for index, one in enumerate(value):
            if isinstance(step, Every) or (
                isinstance(step, Where) and type(one) is dict and as_text(one.get(step.name)) == step.value
            ):
                yield Found(f"{at}[{index}]", one)


def _joined(at: str, key: str) -> str:
    plain = key if not set('.[]"') & set(key) else f'["{key}"]'
    return f"{at}.{plain}" if at and not plain.startswith("[") else f"{at}{plain}"


# --- what a payload holds ---------------------------------------------------------------------------------------------

#: How lists of values call what the value is of.
_NAMES = ("name", "res_name", "identifier", "id", "key", "code", "type", "attr", "field", "n")
_VALUES = ("value", "val", "v")


class Leaf(NamedTuple):
    """A plain value in a payload: where it is, where staff would say it is, and what it is called."""

    at: str
    path: str
    name: str
    value: Any


def leaves(document: Any) -> list[Leaf]:
    """Give the plain values of a payload, as far as it is not too large or too deep."""
    found: list[Leaf] = []
    _gather(Leaf("", "", "", document), found, _DEEPEST)
    return found


def _gather(known: Leaf, into: list[Leaf], depth: int) -> None:
    at, text, name, value = known
    if len(into) >= _MOST_LEAVES or depth == 0:
        return
    if type(value) is dict:
        for key, one in value.items():
            called = name if key in _VALUES and name else key
            _gather(Leaf(_joined(at, key), _joined(text, key), called, one), into, depth - 1)
    elif type(value) is list:
        for index, one in enumerate(value):
            label = _label(one)
            where = f"[{index}]" if label is None else f"[{label[0]}={label[1]}]"
            called = name if label is None else label[1]
            if label is not None:
                one = {key: part for key, part in one.items() if key != label[0]}  # noqa: PLW2901 - without its label
            _gather(Leaf(f"{at}[{index}]", text + where, called, one), into, depth - 1)
    else:
        into.append(Leaf(at, text or ".", name, value))


def _label(one: Any) -> tuple[str, str] | None:
    """Tell which field of a list's element says what its value is of."""
    if type(one) is not dict or not any(key in one for key in _VALUES):
        return None
    key = next((key for key in _NAMES if type(one.get(key)) in {str, int}), None)
    return None if key is None or set("[]") & set(as_text(one[key])) else (key, as_text(one[key]))


# --- topics -----------------------------------------------------------------------------------------------------------


class Template:
    """A form of topics. Raises PathError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.places = frozenset(_PLACE.findall(text))
        for place in self.places - set(PLACES):
            meant = get_close_matches(place, PLACES, 1)
            hint = f"did you mean '{{{meant[0]}}}'?" if meant else "known here: {device}, {gateway}, {field}"
            raise PathError(f"'{{{place}}}' is not known here; {hint}")
        if re.search(r"[{}]", _PLACE.sub("", text)):
            raise PathError(f"a brace is missing, or is one too many, in '{text}'; names are written as {{device}}")
        if any(text.count(f"{{{place}}}") > 1 for place in PLACES):
            raise PathError(f"'{text}' names the same thing twice")
        self._pattern = re.compile("/".join(self._part(part, text) for part in text.split("/")))

    @staticmethod
    def _part(part: str, text: str) -> str:
        if part == "#":
            if not text.endswith("/#") and text != "#":
                raise PathError(f"'#' stands for all that follows, so that it can only be at the end of '{text}'")
            return ".*"
        if part == "+":
            return "[^/]+"
        if "+" in part or "#" in part:
            raise PathError(f"'{part}' is no part of a topic: + and # stand alone between slashes")
        pieces = _PLACE.split(part)
        return "".join(f"(?P<{piece}>[^/]+)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))

    def match(self, rest: str) -> dict[str, str] | None:
        """Give what stands at its places; None where a topic is not of this form."""
        found = self._pattern.fullmatch(rest)
        return None if found is None else found.groupdict()
