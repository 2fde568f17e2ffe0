"""A source of any dialect to speak to: what a message says, with every device that it names registered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.decode import DIALECTS, Decoded, Decoder, World
from ingest.message import Message
from rules.community import Device, Source

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Spoken:
    """A source, and what is known of it; it learns as the service does."""

    source: Source
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.decoder = Decoder([self.source])

    def knows(self, name: str, kind: str = "", **more: Any) -> Device:
        device = Device(id=name, home_id="home", kind=kind, source=self.source.id, name=name, **more)
        self.world.devices[self.source.id, name] = device
        return device

    def hears(self, topic: str, payload: Any, *, retain: bool = False, at: datetime = NOON) -> Decoded:
        """Decode as it is: who is not registered stays a stranger. Text and bytes go as they are, the rest as JSON."""
        raw = payload if isinstance(payload, bytes) else str(payload).encode()
        message = Message(topic, raw, retain, at)
        named = self.decoder.names(message)
        known = World(
            devices={name: device for name, device in self.world.devices.items() if name in named},
            definitions={name: known for name, known in self.world.definitions.items() if name in named},
            gateways=self.world.gateways,
        )
        decoded = self.decoder.decode(message, known)
        for name, learnt in (decoded.learnt or {}).items():
            if learnt is None:
                self.world.definitions.pop((self.source.id, name), None)
            else:
                self.world.definitions[self.source.id, name] = learnt
        return decoded

    def says(self, topic: str, payload: Any, *, kind: str = "", **more: Any) -> Decoded:
        """Decode with every device registered, as `shouwang decode` does; `kind` is what they are."""
        decoded = self.hears(topic, payload, **more)
        for name in decoded.strangers:
            self.knows(name, kind)
        return self.hears(topic, payload, **more) if decoded.strangers else decoded


@pytest.fixture
def source() -> Callable[..., Spoken]:
    """Give what makes a source: `source(dialect, base="home", map={...})`."""

    def made(dialect: str, **more: Any) -> Spoken:
        base = more.pop("base", None) or DIALECTS[dialect].default_base
        return Spoken(Source(id="s", dialect=dialect, base=base, **more))

    return made


@pytest.fixture
def summary() -> Callable[[Decoded], dict[str, Any]]:
    """Give what makes an answer short: kinds with their states or values, and `map:field` for what needs one."""

    def shortened(decoded: Decoded) -> dict[str, Any]:
        said: dict[str, Any] = {}
        for one in decoded.readings:
            name = f"measurement:{one.detail}" if one.kind == "measurement" else one.kind
            said[name] = one.state if one.value is None else one.value if one.state is None else (one.state, one.value)
        said.update({f"map:{one.field}": one.said for one in decoded.unmapped})
        if decoded.gateway is not None:
            said[f"gateway:{decoded.gateway.name}"] = decoded.gateway.state
        if decoded.ignored:
            said["ignored"] = decoded.ignored
        if decoded.quarantine:
            said["aside"] = decoded.quarantine[0]
        return said

    return shortened
