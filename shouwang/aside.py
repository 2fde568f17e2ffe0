"""How much of what is set aside is kept: enough to see what is wrong, and no more than a disk can bear.

A device that is in no file may speak ten times a second for months. All of it is counted; of each topic the first few
of an hour are kept, and of all topics together some thousands.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from store.quarantine import Quarantined

#: Rows an hour, of one topic and reason, and of all.
OF_TOPIC = 10
OF_ALL = 5_000

_HOUR = timedelta(hours=1)


class Allowance:
    """Knows what was kept within the hour. It starts anew with the process."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._kept: Counter[tuple[str, str]] = Counter()

    def choose(self, rows: Sequence[Quarantined], now: datetime) -> list[Quarantined]:
        """Give those that are to be kept."""
        if self._since is None or not timedelta() <= now - self._since < _HOUR:
            self._since = now
            self._kept.clear()
        chosen: list[Quarantined] = []
        room = OF_ALL - self._kept.total()
        here: Counter[tuple[str, str]] = Counter()
        for row in rows:
            place = (row.topic, row.reason)
            if len(chosen) < room and self._kept[place] + here[place] < OF_TOPIC:
                here[place] += 1
                chosen.append(row)
        return chosen

    def count(self, rows: Sequence[Quarantined]) -> None:
        """Note that they are written: what was chosen and then rolled back takes nobody's place."""
        self._kept.update((row.topic, row.reason) for row in rows)
