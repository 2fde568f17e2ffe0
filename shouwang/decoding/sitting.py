"""Messages decoded one after the other, each knowing what the earlier ones taught, as in the service."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from ingest import quirks
from ingest.decode import Decoded, Decoder, Gateway, World
from ingest.dialects import DIALECTS
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import KINDS
from shouwang.decoding.answers import Answer
from shouwang.decoding.lines import Line

#: Where Home Assistant's discovery messages come, unless something else is chosen there.
DISCOVERY = "homeassistant"
#: Kinds that are about a device, and that none is.
_NO_DEVICES = frozenset({"availability", "battery", "battery_voltage", "heartbeat", "test", "fault", "tamper"})
_DEVICE_KINDS = KINDS - _NO_DEVICES
#: How one device's name is said again until the dialect has said all of it; a message rarely has more devices.
_MOST_ROUNDS = 50
_MOST_GUESSES = 100

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

Name = tuple[str, str]


def assumed(dialect: str, *, bases: Sequence[str] = (), meanings: dict[str, Mapped] | None = None) -> Source:
    """Give a source of a dialect as it is where nothing was chosen at the gateway. Raises KeyError."""
    first, *more = bases or (DIALECTS[dialect].default_base,)
    return Source(id=dialect, dialect=dialect, base=first, more=tuple(more), discovery=DISCOVERY, map=meanings)


class Sitting:
    """Decodes the messages of some sources.

    Of a device that is not among `devices` everything is said that its message says by itself, as if it were
    registered as `kind`, or as what its line says; with `registered_only` it stays a stranger, as in the service.
    With `guess_base`, a topic that is under no base is read as if its first word were one of the first source.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        devices: Iterable[Device] = (),
        *,
        kind: str | None = None,
        registered_only: bool = False,
        guess_base: bool = False,
    ) -> None:
        self._sources = list(sources)
        self._decoder = Decoder(sources)
        self._discovery = {source.discovery for source in sources if source.discovery}
        self._guessed: set[str] | None = set() if guess_base else None
        self._devices: dict[Name, Device] = {(device.source, device.name): device for device in devices}
        self._kind = kind
        self._registered_only = registered_only
        self._definitions: dict[Name, dict[str, Any]] = {}
        self._gateways: dict[Name, Gateway] = {}

    def hear(self, line: Line, now: datetime) -> Answer:
        """Say what a message says, and learn from it; `now` (aware, UTC) is when it came where its record is silent."""
        answer = self.read(line, now)
        self._learn(answer.decoded)
        return answer

    def read(self, line: Line, now: datetime) -> Answer:
        """Say what a message says, as `hear`, and learn nothing."""
        message = Message(line.topic, line.payload, line.retain, line.received_at or now)
        decoded = self._of(message, line)
        if decoded.source is None:
            if self._is_discovery(line.topic):
                decoded = Decoded(ignored="discovery_config")
            elif self._guess(line.topic):
                decoded = self._of(message, line)
        return Answer(topic=line.topic, decoded=decoded, base=self._guessed_base(line.topic))

    def _of(self, message: Message, line: Line) -> Decoded:
        """Decode a message, and again with whom it turns out to be about."""
        names = set(self._decoder.names(message))
        devices = {name: self._devices[name] for name in names & self._devices.keys()}
        decoded = self._decode(message, names, devices)
        source = decoded.source
        if source is not None and not self._registered_only:
            for _ in range(_MOST_ROUNDS):
                strangers = [one for one in decoded.strangers if (source, one) not in devices]
                if not strangers:
                    break
                for name in strangers:
                    devices[source, name] = self._made_up(source, name, line)
                    if line.exposes is not None:
                        self._define(source, name, line)
                names |= devices.keys()
                decoded = self._decode(message, names, devices)
        return decoded

    def _decode(self, message: Message, names: set[Name], devices: dict[Name, Device]) -> Decoded:
        # Only what the dialect has asked for: it gets no more in the service.
        definitions = {name: self._definitions[name] for name in names & self._definitions.keys()}
        fitted = {name: quirks.known().fitted(device, definitions.get(name)) for name, device in devices.items()}
        return self._decoder.decode(message, World(devices=fitted, definitions=definitions, gateways=self._gateways))

    def _made_up(self, source: str, name: str, line: Line) -> Device:
        kind = self._kind or (line.kind if line.kind in _DEVICE_KINDS else "")
        return Device(
            id=name,
            home_id="",
            kind=kind or "",
            source=source,
            name=name,
            invert=line.invert,
            vendor=line.vendor,
            model=line.model,
        )

    def _define(self, source: str, name: str, line: Line) -> None:
        """Let the gateway say what the line says that it has said: the definition of a Zigbee2MQTT device."""
        definition = {"model": line.model, "vendor": line.vendor, "exposes": line.exposes}
        said = orjson.dumps([{"friendly_name": name, "definition": definition}])
        for base in {base for one in self._sources for base in (one.base, *one.more)}:
            decoded = self._decoder.decode(
                Message(f"{base}/bridge/devices", said, retain=True, received_at=_LONG_AGO), World()
            )
            if decoded.definitions is not None and decoded.source == source:
                for key, value in decoded.definitions.items():
                    self._definitions[source, key] = value
                return

    def _learn(self, decoded: Decoded) -> None:
        source = decoded.source
        if source is None:
            return
        if decoded.definitions is not None:
            for gone in [one for one in self._definitions if one[0] == source]:
                del self._definitions[gone]
            self._definitions.update({(source, name): one for name, one in decoded.definitions.items()})
        for name, definition in (decoded.learnt or {}).items():
            if definition is None:
                self._definitions.pop((source, name), None)
            else:
                self._definitions[source, name] = orjson.loads(orjson.dumps(definition))
        if (word := decoded.gateway) is not None:
            before = self._gateways.get((word.source, word.name))
            started_at = word.started_at or (before.started_at if before is not None else None)
            self._gateways[word.source, word.name] = Gateway(word.state, started_at)

    def _guess(self, topic: str) -> bool:
        """Take a topic's first word for a base; say whether that is one more than before."""
        word = topic.partition("/")[0]
        if self._guessed is None or not word or word in self._guessed or len(self._guessed) >= _MOST_GUESSES:
            return False
        self._guessed.add(word)
        first = self._sources[0]
        self._sources[0] = replace(first, more=(*first.more, word))
        self._decoder = Decoder(self._sources)
        return True

    def _guessed_base(self, topic: str) -> str | None:
        word = topic.partition("/")[0]
        return word if self._guessed and word in self._guessed else None

    def _is_discovery(self, topic: str) -> bool:
        return topic.endswith("/config") and any(topic.startswith(f"{one}/") for one in self._discovery)
