"""How staff say where something is: paths into JSON, and templates of topics.

A path: `battery`, `data.door`, `sensors[0].state`, `sensors[-1]`, `sensors[*].smoke`, `params.*.value`,
`res_list[res_name=13.1.85].value` (the element whose `res_name` is that), `data["a.b"]` (a name with a dot in it), and
`.` for the payload as a whole. A field of the payload whose name is the path itself goes before.

A template: `{device}` and `{gateway}` stand for a part of the topic that is a name, `{field}` for one that says what
the payload is, `+` for any one part and `#`, at the end, for whatever follows. `sensor-{device}` is one part, too.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
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
    """A value, and where it was found: what holds it, by its identity, and under which key or number there."""

    holder: int
    key: str | int
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
    steps = path(text)
    if type(document) is dict and text in document:
        return [Found(id(document), text, document[text])]
    holder, key, value = 0, "", document
    for at, step in enumerate(steps):
        if type(step) is not str or type(value) is not dict:
            found = [Found(holder, key, value)]
            for further in steps[at:]:
                found = [one for known in found for one in _follow(known.value, further)][:_MOST_FOUND]
            return found
        if step not in value:
            return []
        holder, key, value = id(value), step, value[step]
    return [Found(holder, key, value)]


def first(document: Any, text: str) -> Any:
    """Give the first value that a path leads to; None where there is none."""
    found = find(document, text)
    return found[0].value if found else None


def _follow(value: Any, step: Step) -> Iterator[Found]:
    holder = id(value)
    if type(step) is str:
        if type(value) is dict and step in value:
            yield Found(holder, step, value[step])
        elif type(value) is list and step.isdecimal() and int(step) < len(value):
            yield Found(holder, int(step), value[int(step)])
        elif type(value) not in {dict, list}:
            # Where there should be an object stands null or a word: what was in it is unknown, and not merely absent.
            yield Found(holder, step, None)
    elif type(step) is int:
        if type(value) is list and -len(value) <= step < len(value):
            yield Found(holder, step % len(value), value[step])
    elif type(value) is dict:
        if isinstance(step, Every):
            for key, one in value.items():
                yield Found(holder, key, one)
    elif type(value) is list:
        for index, one in enumerate(value):
            if isinstance(step, Every) or (
                isinstance(step, Where) and type(one) is dict and as_text(one.get(step.name)) == step.value
            ):
                yield Found(holder, index, one)


# --- what a payload holds ---------------------------------------------------------------------------------------------

#: How lists of values call what the value is of.
_NAMES = ("name", "res_name", "identifier", "id", "key", "code", "type", "attr", "field", "n")
_VALUES = ("value", "val", "v")


class Leaf(NamedTuple):
    """A plain value in a payload: what holds it, under which key, and what it is called."""

    holder: int
    key: str | int
    name: str
    value: Any


Place = tuple[int, str | int]


def leaves(document: Any, besides: AbstractSet[Place] = frozenset()) -> list[Leaf]:
    """Give the plain values of a payload, as far as it is not too large or too deep, besides those at some places."""
    found: list[Leaf] = []
    _gather(document, "", found, _DEEPEST, besides)
    return found


def _gather(value: Any, name: str, into: list[Leaf], depth: int, besides: AbstractSet[Place]) -> None:
    if depth == 0 or len(into) >= _MOST_LEAVES:
        return
    holder = id(value)
    if type(value) is dict:
        for key, one in value.items():
            if (holder, key) in besides:
                continue
            called = name if name and key in _VALUES else key
            if type(one) is dict or type(one) is list:
                _gather(one, called, into, depth - 1, besides)
            else:
                into.append(Leaf(holder, key, called, one))
    elif type(value) is list:
        for index, one in enumerate(value):
            label = _label(one)
            if label is not None:
                _gather(one, label[1], into, depth - 1, besides | {(id(one), label[0])})
            elif type(one) is dict or type(one) is list:
                _gather(one, name, into, depth - 1, besides)
            elif (holder, index) not in besides:
                into.append(Leaf(holder, index, name, one))
    elif (0, "") not in besides:
        into.append(Leaf(0, "", name, value))


def where(document: Any) -> dict[Place, str]:
    """Give the paths of the plain values of a payload, as staff would write them, by holder and key."""
    paths: dict[Place, str] = {(0, ""): "."}
    _write(document, "", paths, _DEEPEST)
    return paths


def _write(value: Any, before: str, into: dict[Place, str], depth: int) -> None:
    if depth == 0 or len(into) > _MOST_LEAVES:
        return
    if type(value) is dict:
        for key, one in value.items():
            into[id(value), key] = text = _joined(before, key)
            _write(one, text, into, depth - 1)
    elif type(value) is list:
        for index, one in enumerate(value):
            label = _label(one)
            text = f"{before}[{index}]" if label is None else f"{before}[{label[0]}={label[1]}]"
            into[id(value), index] = text
            _write(one, text, into, depth - 1)


def _joined(before: str, key: str) -> str:
    plain = key if not set('.[]"') & set(key) else f'["{key}"]'
    return f"{before}.{plain}" if before and not plain.startswith("[") else f"{before}{plain}"


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
