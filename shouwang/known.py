"""What intake remembers of the registry from one batch to the next, so that it need not be read each time."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from rules.community import Device

#: A source, and what it calls a device.
Name = tuple[str, str]
Definition = dict[str, Any]


class Found(NamedTuple):
    """What is remembered of some names, and which names nothing is remembered of."""

    devices: dict[Name, Device]
    definitions: dict[Name, Definition]
    missing: set[Name]


class Known:
    """At most `limit` names and what they stand for; that one stands for nothing is remembered as well.

    The names in use move to the younger of two halves; when that is full, the older one is let go as a whole. So there
    is no order to keep, which would take as much memory as what is kept.
    """

    def __init__(self, limit: int) -> None:
        self._half = max(1, limit // 2)
        self._young: dict[Name, tuple[Device | None, Definition | None]] = {}
        self._old = self._young
        #: Definitions by their digest: devices of one model share one.
        self._shared: dict[str, Definition] = {}
        #: Counts how often everything was forgotten: what was read before that must not be remembered any more.
        self.epoch = 0

    def forget(self) -> None:
        """Remember nothing."""
        self._young = self._old = {}
        self._shared = {}
        self.epoch += 1

    def find(self, names: Iterable[Name]) -> Found:
        """Say what is remembered."""
        devices: dict[Name, Device] = {}
        definitions: dict[Name, Definition] = {}
        missing: set[Name] = set()
        young, old = self._young, self._old
        for name in names:
            entry = young.get(name)
            if entry is None:
                entry = old.get(name)
                if entry is None:
                    missing.add(name)
                    continue
                young[name] = entry
            device, definition = entry
            if device is not None:
                devices[name] = device
            if definition is not None:
                definitions[name] = definition
        return Found(devices, definitions, missing)

    def remember(
        self, names: Collection[Name], devices: Mapping[Name, Device], definitions: Mapping[Name, Definition]
    ) -> None:
        """Remember what was found of names, and of the others that nothing was."""
        if len(self._young) + len(names) > self._half:
            self._old, self._young = self._young, {}
        young = self._young
        for name in names:
            device, definition = devices.get(name), definitions.get(name)
            # The device's own words, so that they are not kept twice.
            key = name if device is None else (device.source, device.name)
            young[key] = _NOTHING if device is None and definition is None else (device, self._share(definition))

    def forget_source(self, source: str) -> None:
        """Remember nothing of a source: its gateway has said anew what its devices are."""
        self._young, self._old = (
            {name: entry for name, entry in half.items() if name[0] != source} for half in (self._young, self._old)
        )

    def forget_names(self, source: str, names: Iterable[str]) -> None:
        """Remember nothing of some names of a source."""
        for name in names:
            self._young.pop((source, name), None)
            self._old.pop((source, name), None)

    def _share(self, definition: Definition | None) -> Definition | None:
        digest = None if definition is None else definition.get("digest")
        return definition if definition is None or digest is None else self._shared.setdefault(digest, definition)


_NOTHING = (None, None)
