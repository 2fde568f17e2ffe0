"""What is heard on the topics of the sources within some seconds: how it is published, and by whom."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingest.decode import Decoder, World
from ingest.message import Message
from ingest.visit import Heard
from rules.community import Registry
from shouwang.config.problems import listed
from shouwang.doctor.diagnosis import Diagnosis, counted, finding, fine, note

SUBJECT = "messages"
#: So many topics of a kind are remembered to be named; all are counted.
_REMEMBERED = 1_000
#: Retained messages that no installation has by itself: at every new session, and with MQTT 3.1.1 at every connection,
#: they stand before what is new.
_MANY_RETAINED = 500
_RETAINED_PER_DEVICE = 5

_QOS_BY_DIALECT = {
    "zigbee2mqtt": "In Zigbee2MQTT's configuration.yaml: `device_options: {qos: 1}`.",
    "shouwang": "Let these devices publish with QoS 1.",
}


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was heard of one source."""

    live: int = 0
    retained: int = 0
    #: Topics of known devices whose live messages came with QoS 0.
    unsafe: set[str] = field(default_factory=set)
    #: Topics of known devices whose live messages came with QoS 1.
    safe: set[str] = field(default_factory=set)
    #: Topics that belong to no device.
    strange: set[str] = field(default_factory=set)
    #: Topics with a retained alarm.
    retained_alarms: set[str] = field(default_factory=set)


class Listening:
    """Counts messages as they come. `sources` are those of the community; every one of them has a tally."""

    def __init__(self, registry: Registry, now: Callable[[], datetime]) -> None:
        self._decoder = Decoder(registry.sources)
        self._world = World(devices={(device.source, device.name): device for device in registry.devices})
        self._now = now
        self.tallies = {source.id: Tally() for source in registry.sources}

    @property
    def subscriptions(self) -> Sequence[str]:
        """What to subscribe to."""
        return self._decoder.subscriptions

    def hear(self, heard: Heard) -> None:
        """Take in one message."""
        message = Message(heard.topic, heard.payload, heard.retain, self._now())
        decoded = self._decoder.decode(message, self._world)
        tally = self.tallies.get(decoded.source or "")
        if tally is None:
            return
        known = any(name in self._world.devices for name in self._decoder.names(message))
        if decoded.quarantine is not None and decoded.quarantine[0] == "unknown_device":
            _remember(tally.strange, heard.topic)
        if heard.retain:
            tally.retained += 1
            if any(reading.state == "alarm" for reading in decoded.readings):
                _remember(tally.retained_alarms, heard.topic)
            return
        tally.live += 1
        if known and heard.payload:
            _remember(tally.unsafe if heard.qos == 0 else tally.safe, heard.topic)


def _remember(topics: set[str], topic: str) -> None:
    if len(topics) < _REMEMBERED:
        topics.add(topic)


def judge(tallies: dict[str, Tally], registry: Registry, seconds: float) -> list[Diagnosis]:
    """Say what was heard, source by source."""
    return [one for source_id, tally in tallies.items() for one in _of(source_id, tally, registry, seconds)]


def _of(source_id: str, tally: Tally, registry: Registry, seconds: float) -> Iterator[Diagnosis]:
    source = next(source for source in registry.sources if source.id == source_id)
    devices = sum(device.source == source_id for device in registry.devices)
    where = f"{source.base}/#"
    if tally.unsafe:
        topics = counted(len(tally.unsafe | tally.safe), "topic")
        yield finding(
            SUBJECT,
            f"{len(tally.unsafe)} of {topics} of devices heard in {seconds:g} s come with QoS 0: what is on its way"
            f" when a connection breaks is lost ({_some(tally.unsafe)})",
            where=where,
            advice=_QOS_BY_DIALECT.get(source.dialect, "Publish with QoS 1."),
        )
    elif tally.safe:
        topics = counted(len(tally.safe), "topic")
        yield fine(SUBJECT, f"{topics} of devices heard in {seconds:g} s, all with QoS 1", where=where)
    else:
        yield note(
            SUBJECT,
            f"no device of source '{source_id}' was heard in {seconds:g} s, so that its QoS is not known",
            where=where,
            advice="Listen longer (`--listen 300`), or press the test button of a detector meanwhile.",
        )
    retained = f"{counted(tally.retained, 'retained message')} for {counted(devices, 'device')}"
    if tally.retained > max(_MANY_RETAINED, _RETAINED_PER_DEVICE * devices):
        yield finding(
            SUBJECT,
            f"{retained}: each new session begins with all of them, ahead of what is new",
            where=where,
            advice="Clear what no device needs (publish an empty retained message to the topic), and let devices"
            " publish without the retain flag.",
        )
    elif tally.retained:
        yield fine(SUBJECT, retained, where=where)
    if tally.retained_alarms:
        yield note(
            SUBJECT,
            f"an alarm is retained on {_some(tally.retained_alarms)}: an old fact, which pages nobody",
            where=where,
            advice="Publish alarms without the retain flag, and clear those that are over.",
        )
    if tally.strange:
        topics = counted(len(tally.strange), "topic")
        yield note(
            SUBJECT,
            f"messages on {topics} belong to no device and are set aside ({_some(tally.strange)})",
            where=where,
            advice="Enter these devices in devices.yaml, if they hang in a home.",
        )


def _some(topics: Iterable[str]) -> str:
    return listed(sorted(topics))
