"""Where Tasmota publishes: its FullTopic may put prefix and topic anywhere."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from ingest.decoded import ANYWHERE
from rules.community import Source

PREFIXES: Final = ("cmnd", "stat", "tele")
_HEARD: Final = ("stat", "tele")
_TOKEN: Final = re.compile(r"(%\w+%)")
_PATTERNS: Final = {"%prefix%": "(?P<prefix>cmnd|stat|tele)", "%topic%": "(?P<node>.+)"}
_DISCOVERY: Final = "tasmota/discovery/"


class Where(NamedTuple):
    """What a topic says: `tele`, the device's own topic, and what it is about, such as SENSOR."""

    prefix: str
    node: str
    command: str


class Topics:
    """The topics of one source: by its FullTopic where that is given, else by where a prefix stands in them.

    Bases that are prefixes (`tele`) stand for the default FullTopic, `%prefix%/%topic%/`.
    """

    def __init__(self, source: Source) -> None:
        bases = tuple(base.strip("/") for base in (source.base, *source.more))
        self._pattern: re.Pattern[str] | None = None
        self._own: tuple[str, ...] = ()
        self.bases: tuple[str, ...]
        self.subscriptions: tuple[str, ...]
        if source.topic:
            self._by_template(source.topic.strip("/"), bases)
        else:
            self._by_bases(bases)
        self.find = lru_cache(maxsize=4096)(self._find)

    def _by_bases(self, bases: Sequence[str]) -> None:
        own = tuple(base for base in bases if base not in PREFIXES and base != ANYWHERE)
        self._own = tuple(sorted(own, key=len, reverse=True))
        filters = [f"{base}/#" for base in own]
        if len(own) < len(bases):
            filters += [f"{prefix}/#" for prefix in _HEARD]
        if ANYWHERE in bases:
            filters += [f"+/{prefix}/#" for prefix in _HEARD]
            self.bases = ("", *own)
        else:
            self.bases = (*own, *(PREFIXES if len(own) < len(bases) else ()))
        self.subscriptions = tuple(filters)

    def _by_template(self, template: str, bases: tuple[str, ...]) -> None:
        head: list[str] = []
        segments = template.split("/")
        while segments and "%" not in segments[0]:
            head.append(segments.pop(0))
        if head:
            self.bases = ("/".join(head),)
            self.subscriptions = (f"{self.bases[0]}/#",)
        elif segments[:1] == ["%prefix%"]:
            # What stands literally behind the prefix is of this source alone.
            fixed = []
            for one in segments[1:]:
                if "%" in one:
                    break
                fixed.append(one)
            self.bases = tuple("/".join((prefix, *fixed)) for prefix in PREFIXES)
            self.subscriptions = tuple("/".join((prefix, *fixed, "#")) for prefix in _HEARD)
        else:
            self.bases = ("",)
            self.subscriptions = tuple(f"{start}/{prefix}/#" for prefix in _HEARD for start in ("+", "+/+"))
        body = "".join(
            _PATTERNS.get(part, "[^/]+" if _TOKEN.fullmatch(part) else re.escape(part))
            for part in _TOKEN.split(_once(template))
        )
        self._pattern = re.compile(f"{body}/(?P<command>[^/]+)")
        self._own = bases

    def _find(self, topic: str) -> Where | None:
        if self._pattern is not None:
            match = self._pattern.fullmatch(topic)
            if match is None:
                return None
            found = match.groupdict()
            return Where(found.get("prefix") or "tele", found.get("node") or self._own[0], found["command"])
        own = next((base for base in self._own if topic.startswith(f"{base}/")), "")
        parts = (topic[len(own) + 1 :] if own else topic).split("/")
        if len(parts) < 2:
            return None
        if parts[0] in PREFIXES:
            prefix, node = parts[0], parts[1:-1]
        elif parts[-2] in PREFIXES:
            prefix, node = parts[-2], parts[:-2]
        else:
            place = next((place for place, part in enumerate(parts[:-1]) if part in PREFIXES), None)
            if place is None:
                return None
            prefix, node = parts[place], parts[:place] + parts[place + 1 : -1]
        name = "/".join(node) or own
        return Where(prefix, name, parts[-1]) if name else None


def is_discovery(topic: str) -> bool:
    """Tell whether a topic is that of Tasmota's own discovery."""
    return topic.startswith(_DISCOVERY)


def _once(template: str) -> str:
    """Let each token stand once: a pattern may not name a group twice."""
    for token in _PATTERNS:
        first, found, rest = template.partition(token)
        template = first + found + rest.replace(token, "%same%")
    return template
