"""What decoders are told of the world, and what they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Protocol

from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Reading

#: The base of a source whose devices' topics begin with whatever each of them is called: it has every
#: topic that is under the base of no other source.
ANYWHERE = "+"


class Gateway(NamedTuple):
    """What is known of a source's gateway: `online` or `offline`, and when it last said that it had started."""

    state: str | None = None
    started_at: datetime | None = None


class GatewayWord(NamedTuple):
    """What a gateway has just said of itself, or its broker for it."""

    source: str
    state: str
    #: Set where it has just come up; None leaves what is known.
    started_at: datetime | None = None
    #: Its name, where a source may have several; devices whose names begin with `<name>/` are behind this one.
    name: str = ""


@dataclass(slots=True, kw_only=True)
class World:
    """What decoding a batch may need to know; keys are (source id, name there)."""

    devices: dict[tuple[str, str], Device] = field(default_factory=dict)
    #: What is known of the devices (or of whatever else a dialect gives names of) from earlier messages, as
    #: `Decoded.definitions` and `Decoded.learnt` gave it.
    definitions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    #: By source and name of the gateway, which is empty where a source is one.
    gateways: dict[tuple[str, str], Gateway] = field(default_factory=dict)


class Unmapped(NamedTuple):
    """Something said of which nobody can know what it means before somebody writes it down."""

    #: The device's name in its source.
    name: str
    #: What it is: switch, input, entity, rf_code, bthome, event, alarm_bit.
    what: str
    #: The field, as `map:` in devices.yaml would name it.
    field: str
    said: str


class Decoded(NamedTuple):
    """What one message says. Where it says nothing, `ignored`, `unmapped` or `quarantine` tells why."""

    readings: Sequence[Reading] = ()
    #: A reason in one word, and a sentence for people.
    quarantine: tuple[str, str] | None = None
    #: The reason in one word why a message that is understood is of no interest.
    ignored: str | None = None
    #: All definitions of the source's devices, by name; they replace what was known.
    definitions: Mapping[str, dict[str, Any]] | None = None
    #: Single definitions, by name; the others stay. None takes one away.
    learnt: Mapping[str, dict[str, Any] | None] | None = None
    #: What cannot be understood before somebody says what it means; it reaches staff, and is never guessed.
    unmapped: Sequence[Unmapped] = ()
    #: Names of devices that the message is about and that are in no file.
    strangers: Sequence[str] = ()
    gateway: GatewayWord | None = None
    #: The source that the message belongs to; None where it belongs to none.
    source: str | None = None
    #: Its topic is shared, and it is of no device of this source: another source may know what it is of.
    foreign: bool = False


class Dialect(Protocol):
    """How one make of device or gateway writes on MQTT; one object a source. It does no I/O and reads no clock."""

    #: The base where nothing else is chosen at the gateway; what `shouwang decode` goes by.
    default_base: ClassVar[str]
    #: The beginnings of the topics that are this source's.
    bases: Sequence[str]
    #: What to subscribe to for them.
    subscriptions: Sequence[str]
    #: Whether it is given whole topics, and not what follows the base.
    by_topic: ClassVar[bool]

    def __init__(self, source: Source) -> None: ...

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give what the message may be about: names of devices, and keys of definitions. `rest` follows the base."""

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Give the facts."""


class UnderBases:
    """A dialect whose topics are all that lie under the source's bases."""

    by_topic: ClassVar[bool] = False

    def __init__(self, source: Source) -> None:
        self._source = source.id
        self.bases: Sequence[str] = tuple(
            "" if base == ANYWHERE else base.strip("/") for base in (source.base, *source.more)
        )
        self.subscriptions: Sequence[str] = tuple(f"{base}/#" if base else "#" for base in self.bases)

    def _aside(self, reason: str, sentence: str) -> Decoded:
        """Set a message aside, for a reason in one word and a sentence."""
        return Decoded(quarantine=(reason, sentence), source=self._source)

    def _ignored(self, reason: str) -> Decoded:
        return Decoded(ignored=reason, source=self._source)
