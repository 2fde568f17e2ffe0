"""Places in a document, and their lines and columns, which are looked for only when there is something to say."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import yaml

#: Where in a document: keys of mappings and indexes of lists, from the top.
Loc = tuple[str | int, ...]

#: The loader is used for its parser only.
Parser: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """A key or a value in a document."""

    loc: Loc
    at_key: bool = False


def path_of(loc: Loc) -> str:
    """Write a place down: `homes[3].devices[0].kind`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc]
    return "".join(parts).removeprefix(".")


def positions(content: bytes, wanted: Collection[Place]) -> dict[Place, tuple[int, int]]:
    """Find line and column (from 1) of places in a document.

    A place that is not there (a key that is missing, a value from an alias) is where the nearest thing around it is.
    """
    walk = _Walk(content, wanted)
    with suppress(yaml.YAMLError, RecursionError, _AllFoundError):
        walk.run()
    found = {}
    for place in wanted:
        loc, at_key = place.loc, place.at_key
        while loc and (loc, at_key) not in walk.found:
            loc, at_key = loc[:-1], False
        found[place] = walk.found.get((loc, at_key), (1, 1))
    return found


class _AllFoundError(Exception):
    """There is nothing left to look for: the rest of a big file need not be read."""


class _Walk:
    """One pass over a text that notes the positions of some places and of everything around them."""

    def __init__(self, content: bytes, wanted: Collection[Place]) -> None:
        self.found: dict[tuple[Loc, bool], tuple[int, int]] = {}
        self._missing = {(place.loc, place.at_key) for place in wanted}
        self._around = {place.loc[:length] for place in wanted for length in range(len(place.loc) + 1)}
        self._next = Parser(content).get_event

    def run(self) -> None:
        """Walk to the end of the first document."""
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.DocumentStartEvent):
            self._node(self._next(), ())

    def _node(self, event: Any, loc: Loc | None) -> None:
        """Pass over a node; `loc` is None within what nobody asks for."""
        if loc is not None:
            self._note(event, loc, at_key=False)
        if isinstance(event, yaml.MappingStartEvent):
            while not isinstance(key := self._next(), yaml.MappingEndEvent):
                inner = None
                if isinstance(key, yaml.ScalarEvent):
                    inner = self._inner(loc, key.value)
                    if inner is not None:
                        self._note(key, inner, at_key=True)
                else:
                    self._node(key, None)
                self._node(self._next(), inner)
        elif isinstance(event, yaml.SequenceStartEvent):
            index = 0
            while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                self._node(item, self._inner(loc, index))
                index += 1

    def _inner(self, loc: Loc | None, part: str | int) -> Loc | None:
        if loc is None or (*loc, part) not in self._around:
            return None
        return (*loc, part)

    def _note(self, event: Any, loc: Loc, *, at_key: bool) -> None:
        mark = event.start_mark
        self.found[loc, at_key] = (mark.line + 1, mark.column + 1)
        self._missing.discard((loc, at_key))
        if not self._missing:
            raise _AllFoundError
