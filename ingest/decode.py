"""From messages to facts: finds the source of a message and lets its dialect read it."""

import logging
from collections.abc import Sequence
from functools import lru_cache

from ingest.decoded import Decoded, Dialect, Gateway, GatewayWord, World
from ingest.dialects import DIALECTS
from ingest.message import Message
from rules.community import Source

__all__ = ["DIALECTS", "Decoded", "Decoder", "Gateway", "GatewayWord", "World"]

_log = logging.getLogger(__name__)


#: Topics whose source is remembered: those of a batch.
_LOOKED_UP = 512


class Decoder:
    """Decodes the messages of some sources. No input makes it raise (invariant nothing-dropped).

    Where one base lies within another, the longer one has the message. Raises KeyError for a dialect that is not in
    DIALECTS.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        dialects = [(source.id, DIALECTS[source.dialect](source)) for source in sources]
        self._by_base: dict[str, tuple[str, Dialect]] = {
            base: (source, dialect) for source, dialect in dialects for base in dialect.bases
        }
        #: Numbers of slashes in the bases, most first: usually one number.
        self._depths = sorted({base.count("/") for base in self._by_base}, reverse=True)
        # Each message is looked up twice.
        self._find = lru_cache(maxsize=_LOOKED_UP)(self._locate)
        #: What to subscribe to.
        self.subscriptions: tuple[str, ...] = tuple(
            dict.fromkeys(one for _, dialect in dialects for one in dialect.subscriptions)
        )

    def names(self, message: Message) -> Sequence[tuple[str, str]]:
        """Give what the message may be about, as (source id, name): to be looked up before it is decoded.

        Those are devices, and whatever else a dialect keeps definitions of.
        """
        found = self._find(message.topic)
        if found is None:
            return ()
        source, dialect, rest = found
        try:
            return [(source, name) for name in dialect.names(rest, message.payload)]
        except Exception:  # noqa: BLE001 - decode() will say what is wrong with it
            return ()

    def decode(self, message: Message, world: World) -> Decoded:
        """Give the facts of a message."""
        found = self._find(message.topic)
        if found is None:
            return Decoded(quarantine=("unknown_topic", "The topic is not under the base of any source."))
        source, dialect, rest = found
        try:
            return dialect.decode(message, rest, world)
        except Exception as error:  # noqa: BLE001 - one message that we cannot bear must not stop the others
            _log.exception("the decoder of source %s failed", source, extra={"source": source})
            return Decoded(
                quarantine=("decoder_error", f"The decoder failed with {type(error).__name__}; see the log."),
                source=source,
            )

    def _locate(self, topic: str) -> tuple[str, Dialect, str] | None:
        for depth in self._depths:
            end = -1
            for _ in range(depth + 1):
                end = topic.find("/", end + 1)
                if end < 0:
                    break
            else:
                found = self._by_base.get(topic[:end])
                if found is not None:
                    return found[0], found[1], topic[end + 1 :]
        return None
