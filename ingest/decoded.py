"""What decoders are told of the world, and what they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Reading


class Gateway(NamedTuple):
    """What is known of a source's gateway: `online` or `offline`, and when it last said that it had started."""

    state: str | None = None
    started_at: datetime | None = None


class GatewayWord(NamedTuple):
    """What a gateway has just said of itself."""

    source: str
    state: str
    #: Set where it has just come up; None leaves what is known.
    started_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class World:
    """What decoding a batch may need to know; keys are (source id, name there)."""

    devices: dict[tuple[str, str], Device] = field(default_factory=dict)
    #: What a gateway says of its devices, as `Decoded.definitions` gave it.
    definitions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    gateways: dict[str, Gateway] = field(default_factory=dict)


class Decoded(NamedTuple):
    """What one message says. Where it says nothing, either `ignored` or `quarantine` tells why."""

    readings: Sequence[Reading] = ()
    #: A reason in one word, and a sentence for people.
    quarantine: tuple[str, str] | None = None
    #: The reason in one word why a message that is understood is of no interest.
    ignored: str | None = None
    #: All definitions of the source's devices, by name; they replace what was known.
    definitions: Mapping[str, dict[str, Any]] | None = None
    gateway: GatewayWord | None = None
    #: The source that the message belongs to; None where it belongs to none.
    source: str | None = None


class Dialect(Protocol):
    """How one make of device or gateway writes on MQTT; one object a source. `rest` is the topic behind the base."""

    def __init__(self, source: Source) -> None: ...

    def names(self, rest: str) -> Sequence[str]:
        """Give the device names that the topic may mean."""

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Give the facts."""
