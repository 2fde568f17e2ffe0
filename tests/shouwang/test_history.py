"""History that comes late is kept within bounds, and what is new always."""

from datetime import UTC, datetime, timedelta

from rules.readings import Freshness, Reading
from shouwang import history
from shouwang.history import History

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def old(days: float | None, device: str = "d") -> Reading:
    at = None if days is None else NOON - days * DAY
    return Reading(device, "gas", NOON, "alarm", observed_at=at, freshness=Freshness.HISTORIC)


NEW = Reading("d", "gas", NOON, "alarm", observed_at=NOON - 4000 * DAY)


def test_what_is_older_than_our_own_history_is_not_kept() -> None:
    kept = History(timedelta(days=90))
    assert list(kept.choose([old(1), old(89), old(91), old(3650), old(None), NEW], NOON)) == [
        old(1),
        old(89),
        old(None),
        NEW,
    ]


def test_ten_years_played_in_are_so_many_rows_an_hour_of_one_device() -> None:
    kept = History(timedelta(days=36_500))
    played = [old(day) for day in range(3_650)]
    assert len(kept.choose([*played, NEW, old(1, "other")], NOON)) == history.OF_DEVICE + 2
    assert len(kept.choose(played, NOON + timedelta(minutes=59))) == 0
    assert len(kept.choose(played, NOON + timedelta(minutes=60))) == history.OF_DEVICE


def test_what_is_new_is_handed_through_as_it_is() -> None:
    found = [NEW, NEW]
    assert History().choose(found, NOON) is found
