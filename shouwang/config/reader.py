"""YAML in, one entry at a time.

libyaml's events are turned into plain values directly. PyYAML's own loader builds a tree of nodes first, which costs
five times the time and ten times the memory on a file of 10,000 homes, silently lets a second key of the same name
win, and reads YAML 1.1 (`no` is false, `22:30` is 1350). Here a key written twice is a problem, and a plain word is
what YAML 1.2 and editors take it for; what has a `+`, leading zeros or an exponent is text, so that phone numbers and
ids such as 12e4 survive.

Positions are not kept: when there are problems, places.py walks the text a second time.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any, Final

import yaml

from shouwang.config.places import Parser, path_of
from shouwang.config.problems import Problem
from shouwang.config.syntax import syntax_problem

_CONSTANTS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")
_VARIABLE: Final = re.compile(r"\$?\$\{([^}]*)\}?")
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEXT_TAG: Final = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry of a section of the document: an item of a list, a pair of a mapping, or (key None) all of it."""

    section: str
    key: str | int | None
    value: Any


class Reader:
    """Reads one document; what is wrong with it as YAML gathers in `problems`."""

    def __init__(self, file: str, content: bytes, environ: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        #: Values that came from the environment, by variable: they must not be shown.
        self.substituted: dict[str, str] = {}
        #: Whether not all of the text could be read, so that what it says besides is not known.
        self.broken = False
        self._file = file
        self._content = content
        self._environ = environ
        self._path: list[str | int] = []
        self._anchors: dict[str, Any] = {}
        self._event: Any = None
        #: Gives one and the same text for equal ones; a table of ours, because Python's own never shrinks again.
        self._texts: dict[str, str] = {}

    def entries(self) -> Iterator[RawEntry]:
        """Give the document's entries in its order."""
        try:
            # libyaml cannot go on after an error, so nothing is given after one.
            yield from self._document()
        except yaml.YAMLError as error:
            self.broken = True
            self.problems.append(syntax_problem(self._file, self._content, error))
        except RecursionError:
            self.broken = True
            self.problems.append(Problem(file=self._file, message="this is nested too deeply to be meant"))

    def _document(self) -> Iterator[RawEntry]:
        parser = Parser(self._content)
        self._next = parser.get_event
        self._next()  # the stream begins
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            self._wrong(None, "the file is empty; it must begin with `version: 1`")
            return
        event = self._next()
        if isinstance(event, yaml.MappingStartEvent):
            yield from self._sections()
        else:
            self._wrong(event, "the file must be a mapping that begins with `version: 1`")
            self._value(event)
        self._next()  # the document ends
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._wrong(event, "a second document begins here; put everything into one, without `---` between")
            self.broken = True

    def _sections(self) -> Iterator[RawEntry]:
        seen: set[str] = set()
        while True:
            key_event = self._next()
            if isinstance(key_event, yaml.MappingEndEvent):
                return
            section = self._key(key_event)
            self._path.append(section)
            event = self._next()
            if section in seen:
                self._wrong(key_event, "the same key is written twice")
                self._value(event)
                self.broken = True
            elif isinstance(event, yaml.SequenceStartEvent):
                yield from self._items(section)
            elif isinstance(event, yaml.MappingStartEvent):
                yield from self._pairs(section)
            else:
                yield RawEntry(section, None, self._value(event))
            seen.add(section)
            self._path.pop()

    def _items(self, section: str) -> Iterator[RawEntry]:
        index = 0
        self._path.append(index)
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            self._path[-1] = index
            yield RawEntry(section, index, self._value(event))
            index += 1
        self._path.pop()
        if not index:
            yield RawEntry(section, None, None)

    def _pairs(self, section: str) -> Iterator[RawEntry]:
        seen: set[str] = set()
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event)
            if key in seen:
                self._wrong(event, "the same key is written twice", key)
            seen.add(key)
            self._path.append(key)
            yield RawEntry(section, key, self._value(self._next()))
            self._path.pop()
        if not seen:
            yield RawEntry(section, None, None)

    def _value(self, event: Any) -> Any:
        kind = event.__class__
        value: Any
        if kind is yaml.ScalarEvent:
            value = event.value
            if event.implicit[0]:
                if value in _CONSTANTS:
                    value = _CONSTANTS[value]
                elif value[0] in "-0123456789" and (number := _NUMBER.fullmatch(value)):
                    value = float(value) if number[1] else int(value)
                else:
                    value = self._once(self._substitute(event) if "${" in value else value)
            else:
                if event.tag is not None and event.tag != _TEXT_TAG:
                    self._tag(event)
                value = self._once(self._substitute(event) if "${" in value else value)
        elif kind is yaml.MappingStartEvent:
            value = self._mapping(event)
        elif kind is yaml.SequenceStartEvent:
            value = self._sequence(event)
        else:
            return self._alias(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _once(self, text: str) -> str:
        return self._texts.setdefault(text, text)

    def _mapping(self, start: Any) -> dict[str, Any]:
        if start.tag is not None:
            self._tag(start)
        result: dict[str, Any] = {}
        merged: list[tuple[Any, Any]] = []
        path = self._path
        following = self._next
        while (event := following()).__class__ is not yaml.MappingEndEvent:
            key = self._key(event)
            if key in result:
                self._wrong(event, "the same key is written twice", key)
            path.append(key)
            value = self._value(following())
            path.pop()
            if key == "<<" and event.implicit[0]:
                merged.append((event, value))
            elif key:
                result[key] = value
        for event, value in merged:
            self._merge(result, value, event)
        return result

    def _merge(self, into: dict[str, Any], value: Any, event: Any) -> None:
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                for key, inherited in part.items():
                    into.setdefault(key, inherited)
            else:
                self._wrong(event, "`<<` takes in a mapping (or a list of mappings), named as `*name`", "<<")

    def _sequence(self, start: Any) -> list[Any]:
        if start.tag is not None:
            self._tag(start)
        result: list[Any] = []
        path = self._path
        path.append(0)
        following = self._next
        while (event := following()).__class__ is not yaml.SequenceEndEvent:
            path[-1] = len(result)
            result.append(self._value(event))
        path.pop()
        return result

    def _key(self, event: Any) -> str:
        if event.__class__ is yaml.ScalarEvent:
            return intern(event.value)
        self._wrong(event, "a key must be plain text; put text that begins with a bracket or a star in quotes")
        self._value(event)
        return ""

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            self._wrong(event, f"`*{event.anchor}` names nothing: there is no `&{event.anchor}` above it")
        return self._anchors.get(event.anchor)

    def _tag(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._wrong(event, f"tags such as `{tag}` are not used here; take it away")

    def _substitute(self, event: Any) -> str:
        def put(found: re.Match[str]) -> str:
            whole, name = found[0], found[1]
            if whole.startswith("$$"):
                return whole[1:]
            if not _VARIABLE_NAME.fullmatch(name) or not whole.endswith("}"):
                self._wrong(event, "`${…}` must hold the name of an environment variable; write `$${` for a plain `${`")
                return whole
            value = self._environ.get(name)
            if value is None:
                self._wrong(event, f"the environment variable {name} is not set; set it, or write it into .env")
                return whole
            self.substituted[name] = value
            return value

        return _VARIABLE.sub(put, event.value)

    def _wrong(self, event: Any, message: str, *key: str) -> None:
        mark = None if event is None else event.start_mark
        self.problems.append(
            Problem(
                file=self._file,
                line=1 if mark is None else mark.line + 1,
                column=1 if mark is None else mark.column + 1,
                path=path_of((*self._path, *key)),
                message=message,
            )
        )
