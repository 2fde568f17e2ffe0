"""Devices that speak and are in no file: noted now and then, so that `shouwang devices` can show them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ingest.decode import Decoded, Decoder, World
from ingest.message import Message
from rules.community import Device
from store.strangers import Stranger

#: The same stranger is noted so often at the most, unless it tells of something new.
_EVERY = timedelta(minutes=10)
#: So many are remembered; beyond that each is looked at anew, a few at a time.
_REMEMBERED = 5_000
#: New ones, within _EVERY: somebody who makes names up must not keep the disk busy.
_NEW_ONES = 500


class Meetings:
    """Knows which strangers were noted of late. It starts anew with the process."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, str], datetime] = {}
        self._since: datetime | None = None
        self._new = 0

    def meet(self, message: Message, decoded: Decoded, world: World, decoder: Decoder) -> Iterator[Stranger]:
        """Give the strangers of a message that are to be noted."""
        at = message.received_at
        if self._since is None or not timedelta() <= at - self._since < _EVERY:
            self._since, self._new = at, 0
        for name in decoded.strangers:
            key = (decoded.source or "", name)
            last = self._noted.get(key)
            if last is not None and timedelta() <= at - last < _EVERY:
                continue
            if last is None:
                self._new += 1
                if self._new > _NEW_ONES:
                    continue
                if len(self._noted) >= _REMEMBERED:
                    self._noted.clear()
            self._noted[key] = at
            yield Stranger(*key, message.topic, at, at, _kinds(key, message, world, decoder))


def _kinds(key: tuple[str, str], message: Message, world: World, decoder: Decoder) -> tuple[str, ...]:
    """Say what a stranger would have told of, had it been registered."""
    source, name = key
    device = Device(id=name, home_id="", kind="", source=source, name=name)
    known = World(devices={**world.devices, key: device}, definitions=world.definitions, gateways=world.gateways)
    return tuple(sorted({one.kind for one in decoder.decode(message, known).readings if one.device_id == name}))
