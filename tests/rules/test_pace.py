"""Who waits their turn, and who never does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import pace
from rules.decisions import Delivery, DeliveryState, Priority, Purpose
from rules.pace import KNOWN, Limit, Pacing, Sent

NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
P = Priority


def waiting(number: int, **other: Any) -> Delivery:
    values: dict[str, Any] = {
        "id": number,
        "incident_id": f"i{number}",
        "step_key": "r0s0",
        "recipient_id": f"w{number}",
        "recipient_name": "李明",
        "channel": "sms",
        "address": f"+86138000000{number:02}",
        "purpose": Purpose.PAGE,
        "priority": P.PAGE,
        "text": "…",
        "code": "K7",
        "expires_at": NOON + timedelta(hours=1),
        "state": DeliveryState.PENDING,
        "created_at": NOON,
        "attempts": 0,
        "fence": 0,
        "owner": None,
    }
    return Delivery(**values | other)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def sent(seconds: float, **other: Any) -> Sent:
    values = {"channel": "sms", "address": "+8613800000099", "recipient_id": "w99", "priority": int(P.PAGE)}
    return Sent(**values | other, at=at(seconds))


def turns(those: list[Delivery], *left: Sent, pacing: Pacing | None = None) -> list[float]:
    """How many seconds each of them waits."""
    given = pace.turns(those, sent=left, pacing=pacing or Pacing(), now=NOON)
    assert [one for one, _ in given] == those
    return [(moment - NOON).total_seconds() for _, moment in given]


def test_a_message_alone_leaves_at_once() -> None:
    assert turns([waiting(1)]) == [0]
    assert turns([waiting(1)], sent(-1), sent(-2)) == [0]


def test_to_one_person_by_one_way_there_is_a_gap() -> None:
    mine = {"address": "+8613800000001", "recipient_id": "w1"}
    assert turns([waiting(1)], sent(-4, **mine)) == [6]
    assert turns([waiting(1)], sent(-10, **mine)) == [0]
    # Not by another way, nor for what says that a life is in danger, nor after that.
    assert turns([waiting(1, channel="voice")], sent(-4, **mine)) == [0]
    for urgent in (P.LIFE_SAFETY_PAGE, P.LIFE_SAFETY_INFORM):
        assert turns([waiting(1, priority=urgent)], sent(-4, **mine)) == [0]
        assert turns([waiting(1)], sent(-4, **mine, priority=int(urgent))) == [0]
    assert turns([waiting(1)], sent(-4, **mine), pacing=Pacing(gap_s=0)) == [0]


def test_what_left_before_the_clock_was_set_back_holds_up_nobody() -> None:
    """Invariant never-silent: an hour that comes twice is no hour in which nothing leaves."""
    lately = [sent(3600 + number, recipient_id="w1", address="+8613800000001", priority=P.PAGE) for number in range(99)]

    assert pace.turns([waiting(1)], sent=lately, pacing=Pacing(), now=NOON) == [(waiting(1), NOON)]


def test_what_is_given_a_turn_counts_for_those_behind_it() -> None:
    three = [waiting(number, recipient_id="w1", address="+8613800000001") for number in (1, 2, 3)]
    assert turns(three) == [0, 10, 20]


def test_ordinary_messages_leave_a_part_to_urgent_ones() -> None:
    """Of sixty a minute they use forty-five."""
    left = [sent(-59 + number) for number in range(44)]
    assert turns([waiting(1)], *left) == [0]
    assert turns([waiting(1), waiting(2)], *left, sent(-0.5)) == [1, 2]


def test_a_life_safety_page_never_waits() -> None:
    """Invariant life-first: whatever has left, and whatever the provider allows."""
    left = [sent(-1, recipient_id="w1") for _ in range(500)]
    pages = [waiting(number, priority=P.LIFE_SAFETY_PAGE, recipient_id="w1") for number in range(1, 50)]
    assert set(turns(pages, *left, pacing=Pacing(limits={"sms": (Limit(1, 300),)}, gap_s=300))) == {0}
    # But it counts: what is ordinary makes room for it.
    assert turns([*pages, waiting(60)])[-1] == 60


@pytest.mark.parametrize(("scheme", "within"), [("wecombot", 60), ("dingtalk", 60), ("feishu", 1), ("ntfys", 300)])
def test_each_robot_has_its_own_limit(scheme: str, within: int) -> None:
    address = f"{scheme}://key"
    allowed = int(KNOWN[scheme][0].messages * 0.75)
    left = [sent(-0.5, channel="apprise", address=address) for _ in range(allowed)]

    assert turns([waiting(1, channel="apprise", address=address)], *left) == [within - 0.5]
    assert turns([waiting(1, channel="apprise", address=f"{scheme}://other")], *left) == [0]
    assert turns([waiting(1, channel="apprise", address="mailto://example.org")], *left) == [0]


def test_where_a_provider_has_two_limits_both_hold() -> None:
    feishu = {"channel": "apprise", "address": "feishu://key"}
    left = [sent(-50 + number / 2, **feishu) for number in range(75)]
    assert turns([waiting(1, **feishu)], *left) == [10]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from(["sms", "voice"])), max_size=60),
    st.integers(1, 20),
    st.integers(1, 120),
    st.sampled_from([0, 5]),
)
def test_nobody_waits_for_ever_and_no_limit_is_passed(
    those: list[tuple[int, int, str]], messages: int, seconds: int, gap_s: int
) -> None:
    """Held in turn, ordinary messages keep within their part of the limit; and each one gets a turn."""
    limit = Limit(messages, seconds)
    pacing = Pacing(limits={"sms": (limit,), "voice": (limit,)}, gap_s=gap_s)
    deliveries = [
        waiting(number, priority=Priority(priority), recipient_id=f"w{who}", channel=channel)
        for number, (priority, who, channel) in enumerate(those, start=1)
    ]
    given_turns = pace.turns(deliveries, sent=(), pacing=pacing, now=NOON)

    ordinary = [(one, moment) for one, moment in given_turns if one.priority is not P.LIFE_SAFETY_PAGE]
    allowed = max(1, int(messages * 0.75))
    for channel in ("sms", "voice"):
        times = sorted(moment for one, moment in ordinary if one.channel == channel)
        for first, beyond in zip(times, times[allowed:], strict=False):
            assert beyond - first >= timedelta(seconds=seconds)
    longest = timedelta(seconds=(len(those) + 1) * max(seconds, gap_s))
    assert all(NOON <= moment <= NOON + longest for _, moment in given_turns)
