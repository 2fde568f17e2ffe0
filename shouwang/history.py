"""How much history is kept: samples of an earlier time that come late, some years of them at once perhaps.

They page nobody and change nothing that is known (rules/batch.py). Kept is what is not older than the history of the
service itself, and of that so much an hour of each device.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from rules.readings import Freshness, Reading

#: Rows an hour, of one device and of all.
OF_DEVICE = 2_000
OF_ALL = 200_000

_HOUR = timedelta(hours=1)


class History:
    """Knows what was kept within the hour. It starts anew with the process."""

    def __init__(self, retention: timedelta = timedelta(days=90)) -> None:
        """Begin; `retention` is for how long changes are kept at all."""
        self.retention = retention
        self._since: datetime | None = None
        self._kept: Counter[str] = Counter()

    def choose(self, changes: Sequence[Reading], now: datetime) -> Sequence[Reading]:
        """Give those that are to be kept; of what is not history, all."""
        if not any(one.freshness is Freshness.HISTORIC for one in changes):
            return changes
        if self._since is None or not timedelta() <= now - self._since < _HOUR:
            self._since = now
            self._kept.clear()
        oldest = now - self.retention
        chosen: list[Reading] = []
        for one in changes:
            if one.freshness is Freshness.HISTORIC:
                if one.observed_at is not None and one.observed_at < oldest:
                    continue
                if self._kept[one.device_id] >= OF_DEVICE or self._kept.total() >= OF_ALL:
                    continue
                self._kept[one.device_id] += 1
            chosen.append(one)
        return chosen
