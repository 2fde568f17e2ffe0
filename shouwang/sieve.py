"""Floods: what one device, or one source, may say in a minute before its ordinary messages are thinned.

An alarm is never among what is left out. Of what comes too thick, left out before it is decoded is only what can change
nothing: the very message that its topic has said last, and messages about devices that are in no file. The rest is
decoded, and of its ordinary facts the last of each kind in a batch counts, so that what is known is right in the end;
facts that are about a life count one by one (invariant life-first). All that is left out is counted.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ingest.decode import Decoder, World
from ingest.message import Message
from rules.readings import LIFE_SAFETY_KINDS, Freshness, Reading

WINDOW = timedelta(minutes=1)

#: Messages a minute that each device of a source may send on average.
EACH_DEVICE = 60

#: The same message again is no news for so long; after that it is a sign of life.
_SAME_FOR = timedelta(seconds=10)

#: Topics that are counted one by one. Where there are more, those that have hardly spoken are forgotten.
_TOPICS = 20_000
_HARDLY = 3


class Limits(NamedTuple):
    """How many messages a minute are ordinary; 0: any number."""

    #: Of one topic, which is a device's, or all devices' of a gateway that has only one.
    of_topic: int = 240
    #: At least; EACH_DEVICE more for each device that a source has, where that is more.
    of_source: int = 60_000


class Thick(NamedTuple):
    """A topic or a source that has come to be too thick."""

    #: `topic` or `source`.
    what: str
    which: str
    #: Messages in this minute, as far as it has run.
    number: int


class Sieve:
    """Counts what comes. It knows only the minute that runs, and starts anew with the process."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._began: datetime | None = None
        self._topics: Counter[str] = Counter()
        self._sources: Counter[str] = Counter()
        #: Of the batch that was weighed last.
        self._thick_topics: set[str] = set()
        #: Of topics that come too thick: what they said last, and when.
        self._last: dict[str, tuple[bytes, datetime]] = {}
        #: What has been said in this minute to come too thick.
        self._said: set[tuple[str, str]] = set()
        #: How many devices sources have, as far as it was asked.
        self.sizes: dict[str, int] = {}

    @property
    def unsized(self) -> set[str]:
        """Sources of which it should be known how many devices they have."""
        return self._thick_sources() - self.sizes.keys()

    def weigh(self, messages: Sequence[Message], now: datetime) -> None:
        """Count a batch that comes in."""
        if self._began is None or not timedelta() <= now - self._began < WINDOW:
            self._began = now
            self._topics.clear()
            self._sources.clear()
            self._last.clear()
            self._said.clear()
        topics, most = self._topics, self.limits.of_topic
        topics.update([message.topic for message in messages])
        self._thick_topics = {message.topic for message in messages if topics[message.topic] > most} if most else set()
        if len(topics) > _TOPICS:
            self._topics = Counter({topic: count for topic, count in topics.items() if count > _HARDLY})

    def crowd(self) -> "Crowd | None":
        """Give what is needed to thin the batch, or a part of it; None where nothing comes too thick."""
        sources = self._thick_sources()
        return Crowd(self._thick_topics, sources, self._last) if self._thick_topics or sources else None

    def news(self) -> list[Thick]:
        """Give what has come to be too thick in this minute, and was not noted to be yet."""
        found = [Thick("topic", topic, self._topics[topic]) for topic in sorted(self._thick_topics)]
        found += [Thick("source", source, self._sources[source]) for source in sorted(self._thick_sources())]
        return [one for one in found if one[:2] not in self._said]

    def took(self, crowd: "Crowd | None", heard: Mapping[str | None, int], told: Sequence[Thick]) -> None:
        """Note what is committed: how much was heard of each source, and what was told to come too thick."""
        for source, count in heard.items():
            if source is not None:
                self._sources[source] += count
        if crowd is not None:
            self._last |= crowd.said
        self._said |= {one[:2] for one in told}

    def _thick_sources(self) -> set[str]:
        most, sizes = self.limits.of_source, self.sizes
        if not most:
            return set()
        return {
            source
            for source, count in self._sources.items()
            if count > most and count > EACH_DEVICE * sizes.get(source, 0)
        }


class Crowd:
    """Thins one batch. What it learns counts only once the batch is committed: a batch may be taken in twice."""

    def __init__(
        self, topics: Collection[str], sources: Collection[str], last: Mapping[str, tuple[bytes, datetime]]
    ) -> None:
        self.topics = set(topics)
        self._sources = sources
        self._last = last
        #: What topics have said in this batch.
        self.said: dict[str, tuple[bytes, datetime]] = {}
        self._marked: list[int] = []
        self._strange: set[str] = set()
        #: What was left out, by why.
        self.left_out: Counter[str] = Counter()

    def repeats(self, message: Message) -> bool:
        """Say whether a message is what its topic has said last, and so changes nothing."""
        if message.topic not in self.topics and not self._sources:
            return False
        known = self.said.get(message.topic) or self._last.get(message.topic)
        if (
            known is not None
            and known[0] == message.payload
            and not message.retain
            and timedelta() <= message.received_at - known[1] < _SAME_FOR
        ):
            self.left_out["repeated"] += 1
            return True
        self.said[message.topic] = (message.payload, message.received_at)
        return False

    def is_strange(self, message: Message, decoder: Decoder, world: World) -> bool:
        """Say whether a message that came too thick is about devices in no file, of which nothing else is known.

        One of a topic goes through, to be seen.
        """
        if message.topic not in self.topics:
            return False
        names = decoder.names(message)
        if not names or any(name in world.devices or name in world.definitions for name in names):
            return False
        if message.topic not in self._strange:
            self._strange.add(message.topic)
            return False
        self.left_out["strange"] += 1
        return True

    def is_thick(self, message: Message, source: str | None) -> bool:
        """Say whether a message came too thick."""
        return message.topic in self.topics or source in self._sources

    def mark(self, first: int, behind: int) -> None:
        """Note that the readings between two places of the batch's came too thick."""
        self._marked.extend(range(first, behind))

    def thin(self, readings: Sequence[Reading]) -> list[Reading]:
        """Give the readings of a batch without those that came too thick and that a later one replaces."""
        if not self._marked:
            return list(readings)
        out: set[int] = set()
        last: dict[tuple[str, str, str | None], int] = {}
        for at in self._marked:
            one = readings[at]
            if one.freshness is Freshness.HISTORIC:
                continue
            place = (one.device_id, one.kind, one.detail)
            before = last.get(place)
            last[place] = at
            if before is None:
                continue
            earlier = readings[before]
            if one.kind not in LIFE_SAFETY_KINDS or _same(earlier, one):
                out.add(before)
        self.left_out["replaced"] += len(out)
        return [one for at, one in enumerate(readings) if at not in out]


def _same(one: Reading, other: Reading) -> bool:
    """Say whether two readings of one kind of one device say the same."""
    return (
        one.state == other.state
        and one.value == other.value
        and one.freshness is other.freshness
        and one.under_test == other.under_test
    )
