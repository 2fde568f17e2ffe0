"""From messages to facts: finds the source of a message and lets its dialect read it."""

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from ingest.decoded import Decoded, Dialect, Gateway, GatewayWord, World
from ingest.dialects import DIALECTS
from ingest.message import FULL_BATCH, Message
from rules.community import Source

__all__ = ["DIALECTS", "Decoded", "Decoder", "Gateway", "GatewayWord", "World"]

_log = logging.getLogger(__name__)


#: A source's id, how it is read, and whether by whole topics.
_Claim = tuple[str, Dialect, bool]


class Decoder:
    """Decodes the messages of some sources. No input makes it raise (invariant nothing-dropped).

    Where one base lies within another, the longer one has the message. Several sources may share a base (the topic of
    discovery messages): the first that does not call a message foreign has it. An empty base has whatever is in no
    other. Raises KeyError for a dialect that is not in DIALECTS.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        dialects = [(source.id, DIALECTS[source.dialect](source)) for source in sources]
        self._by_base: dict[str, list[_Claim]] = {}
        for source, dialect in dialects:
            for base in dialect.bases:
                self._by_base.setdefault(base, []).append((source, dialect, dialect.by_topic))
        #: Numbers of slashes in the bases, most first: usually one number.
        self._depths = sorted({base.count("/") for base in self._by_base}, reverse=True)
        # Each message of a batch is looked up twice.
        self._find = lru_cache(maxsize=FULL_BATCH)(self._locate)
        #: What to subscribe to.
        self.subscriptions: tuple[str, ...] = tuple(
            dict.fromkeys(one for _, dialect in dialects for one in dialect.subscriptions)
        )

    def source_of(self, topic: str) -> str | None:
        """Give the source that a topic belongs to; the first, where that is not sure."""
        _, claims = self._find(topic)
        return claims[0][0] if claims else None

    def names(self, message: Message) -> Sequence[tuple[str, str]]:
        """Give what the message may be about, as (source id, name): to be looked up before it is decoded.

        Those are devices, and whatever else a dialect keeps definitions of.
        """
        rest, claims = self._find(message.topic)
        names: list[tuple[str, str]] = []
        for source, dialect, by_topic in claims:
            try:
                found = dialect.names(message.topic if by_topic else rest, message.payload)
                # PostgreSQL has no place for NUL, not even in a question.
                names += [(source, name) for name in found if _NUL not in name]
            except Exception:  # noqa: BLE001, S112 - decode() will say what is wrong with it
                continue
        return names

    def decode(self, message: Message, world: World) -> Decoded:
        """Give the facts of a message."""
        rest, claims = self._find(message.topic)
        foreign: Decoded | None = None
        for source, dialect, by_topic in claims:
            decoded = self._read(source, dialect, message, message.topic if by_topic else rest, world)
            if not decoded.foreign:
                return decoded
            foreign = foreign or decoded
        return foreign or Decoded(quarantine=("unknown_topic", "The topic is not under the base of any source."))

    def _read(self, source: str, dialect: Dialect, message: Message, rest: str, world: World) -> Decoded:
        try:
            decoded = dialect.decode(message, rest, world)
            holds_nul = b"\0" in message.payload or b"\\u0000" in message.payload or _NUL in message.topic
            return _storable(decoded) if holds_nul else decoded
        except Exception as error:  # noqa: BLE001 - one message that we cannot bear must not stop the others
            _log.exception("the decoder of source %s failed", source, extra={"source": source})
            return Decoded(
                quarantine=("decoder_error", f"The decoder failed with {type(error).__name__}; see the log."),
                source=source,
            )

    def _locate(self, topic: str) -> tuple[str, Sequence[_Claim]]:
        for depth in self._depths:
            end = -1
            for _ in range(depth + 1):
                end = topic.find("/", end + 1)
                if end < 0:
                    break
            else:
                found = self._by_base.get(topic[:end])
                if found is not None:
                    return topic[end + 1 :], found
        return topic, self._by_base.get("", ())


_NUL = "\0"
_INSTEAD = "\N{REPLACEMENT CHARACTER}"


def _storable(decoded: Decoded) -> Decoded:
    """Take NUL out of every text: PostgreSQL has no place for it, and one such message would hold up all others."""
    return decoded._replace(
        readings=[
            reading._replace(state=_text(reading.state), unit=_text(reading.unit), detail=_text(reading.detail))
            for reading in decoded.readings
        ],
        definitions=_document(decoded.definitions),
        learnt=_document(decoded.learnt),
        unmapped=[
            one._replace(name=one.name.replace(_NUL, _INSTEAD), field=one.field.replace(_NUL, _INSTEAD))
            for one in decoded.unmapped
        ],
        gateway=None
        if decoded.gateway is None
        else decoded.gateway._replace(name=decoded.gateway.name.replace(_NUL, _INSTEAD)),
        strangers=tuple([name.replace(_NUL, _INSTEAD) for name in decoded.strangers]),
    )


def _text(text: str | None) -> str | None:
    return None if text is None else text.replace(_NUL, _INSTEAD)


def _document(value: Any) -> Any:
    """Copy a document, with its keys, without NUL."""
    if type(value) is str:
        return value.replace(_NUL, _INSTEAD)
    if isinstance(value, Mapping):
        return {_document(key): _document(one) for key, one in value.items()}
    if type(value) in {list, tuple}:
        return [_document(one) for one in value]
    return value
