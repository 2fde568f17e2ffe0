from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules.community import Device
from rules.hearing import Gap
from shouwang.hearing import Ears
from store.hearing import EVERYTHING, Hearing
from store.registry import GatewayRow

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GAS = Device(id="gas", home_id="h", kind="gas", source="one", name="gas")
DOOR = Device(id="door", home_id="h", kind="contact", source="two", name="door")


def ears(
    *,
    until: datetime | None = NOON,
    gaps: dict[str, list[tuple[datetime, datetime | None]]] | None = None,
    **gateways: str,
) -> Ears:
    rows = {(source, ""): GatewayRow(state, NOON, None) for source, state in gateways.items()}
    return Ears(Hearing(until, gaps or {}), rows, NOON)


@pytest.mark.parametrize(
    ("made", "heard"),
    [
        (ears(), True),
        (ears(until=None), True),
        (ears(until=NOON - timedelta(seconds=60)), True),
        (ears(until=NOON - timedelta(seconds=61)), False),
        (ears(one="online"), True),
        (ears(one="offline"), False),
        (ears(two="offline"), True),
    ],
)
def test_who_would_be_heard(made: Ears, heard: bool) -> None:
    """Nobody while the broker has not been heard for a minute; nobody behind a gateway that is off."""
    assert made.hear(GAS) is heard
    assert list(made.unheard([GAS])) == ([] if heard else ["gas"])


def test_what_was_missed_is_missed_by_all_sources_of_a_kind() -> None:
    gaps = {
        EVERYTHING: [(NOON - 9 * HOUR, NOON - 8 * HOUR)],
        "one": [(NOON - 5 * HOUR, NOON - 2 * HOUR)],
        "two": [(NOON - 3 * HOUR, None)],
    }
    made = ears(gaps=gaps)

    assert set(made.gaps([GAS])) == {Gap(NOON - 9 * HOUR, NOON - 8 * HOUR), Gap(NOON - 5 * HOUR, NOON - 2 * HOUR)}
    assert set(made.gaps([GAS, DOOR])) == {
        Gap(NOON - 9 * HOUR, NOON - 8 * HOUR),
        Gap(NOON - 3 * HOUR, NOON - 2 * HOUR),
    }
    assert made.gaps([]) == []


def test_deafness_that_lasts_is_a_gap_until_now() -> None:
    assert ears(until=NOON - 2 * HOUR).gaps([GAS]) == [Gap(NOON - 2 * HOUR, NOON)]


def test_a_device_is_heard_through_its_own_gateway_or_any_of_its_source() -> None:
    """Its own is the one that its name begins with; where there is none, silence counts while one of them is on."""
    at = NOON - timedelta(minutes=10)
    rows = {("one", "hall"): GatewayRow("offline", at, None), ("one", "attic"): GatewayRow("online", at, None)}
    gaps: dict[str, list[tuple[datetime, datetime | None]]] = {
        "one/hall": [(at, None)],
        "one/attic": [(at - timedelta(hours=2), at - timedelta(hours=1))],
    }
    made = Ears(Hearing(NOON, gaps), rows, NOON)
    behind_hall, anywhere = replace(GAS, name="hall/0x12"), replace(GAS, id="any", name="0x34")

    assert not made.hear(behind_hall)
    assert made.hear(anywhere)
    assert made.gaps([behind_hall]) == [Gap(at, NOON)]
    # The two were never off together.
    assert made.gaps([anywhere]) == []
    assert made.unheard([behind_hall, anywhere]) == {behind_hall.id}


def test_since_when_a_device_cannot_be_heard() -> None:
    """Since the last of its gateways went, or we did; not while one of them is on."""
    gone = NOON - HOUR
    rows = {
        ("one", "hall"): GatewayRow("offline", gone - HOUR, None),
        ("one", "attic"): GatewayRow("offline", gone, None),
    }
    made = Ears(Hearing(NOON, {}), rows, NOON)
    assert made.deaf_since(GAS) == gone
    assert made.deaf_since(DOOR) is None
    assert made.outage("one", "hall") == (gone - HOUR, False)
    assert Ears(Hearing(NOON - 3 * HOUR, {}), rows, NOON).deaf_since(GAS) == NOON - 3 * HOUR
    rows["one", "attic"] = GatewayRow("online", gone, None)
    assert Ears(Hearing(NOON, {}), rows, NOON).deaf_since(GAS) is None
    assert Ears(Hearing(NOON, {}), rows, NOON).outage("one", "hall") == (gone - HOUR, True)
    assert made.outage("two", "") == (None, False)


def test_when_a_device_could_be_heard_again_last() -> None:
    """After a gap, a start of its gateway, or our own; of several gateways the one that has been on for longest."""
    gaps: dict[str, list[tuple[datetime, datetime | None]]] = {"one": [(NOON - 3 * HOUR, NOON - 2 * HOUR)]}
    assert ears(gaps=gaps).back_at([GAS]) == NOON - 2 * HOUR
    assert ears().back_at([GAS]) is None

    started = {("one", ""): GatewayRow("online", NOON, NOON - HOUR)}
    assert Ears(Hearing(NOON, {}), started, NOON).back_at([GAS]) == NOON - HOUR
    assert Ears(Hearing(NOON, {}), started, NOON, began=NOON - HOUR / 2).back_at([GAS]) == NOON - HOUR / 2
    started["one", "spare"] = GatewayRow("online", NOON, None)
    assert Ears(Hearing(NOON, {}), started, NOON).back_at([GAS]) is None
