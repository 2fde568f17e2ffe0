"""Floods are thinned, counted, and never cost an alarm (invariant life-first)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoder, World
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import LIFE_SAFETY_KINDS, Freshness, Reading
from shouwang.sieve import Limits, Sieve

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def message(topic: str = "a", payload: bytes = b"1", at: datetime = NOON, **more: Any) -> Message:
    return Message(topic, payload, more.pop("retain", False), at, **more)


def reading(kind: str = "contact", state: str | None = "open", device: str = "d", **more: Any) -> Reading:
    return Reading(device, kind, NOON, state, **more)


def thick(*, of_topic: int = 3, of_source: int = 0, topic: str = "a") -> Any:
    sieve = Sieve(Limits(of_topic, of_source))
    sieve.weigh([message(topic)] * (of_topic + 1), NOON)
    return sieve.crowd()


def test_what_keeps_to_the_limit_is_left_alone() -> None:
    sieve = Sieve(Limits(3, 0))
    sieve.weigh([message()] * 3 + [message("b")], NOON)
    assert sieve.crowd() is None
    sieve.weigh([message()], NOON + 59 * SECOND)
    assert sieve.crowd() is not None
    sieve.weigh([message()], NOON + 60 * SECOND)
    assert sieve.crowd() is None


def test_no_limit_is_none() -> None:
    sieve = Sieve(Limits(0, 0))
    sieve.weigh([message()] * 10_000, NOON)
    sieve.took(None, {"s": 10_000_000}, ())
    assert sieve.crowd() is None


def test_a_source_is_counted_by_what_was_taken_of_it() -> None:
    sieve = Sieve(Limits(0, 10))
    sieve.took(None, {"s": 10, None: 50}, ())
    assert sieve.crowd() is None
    sieve.took(None, {"s": 1}, ())
    crowd = sieve.crowd()
    assert crowd is not None
    assert crowd.is_thick(message("anything"), "s")
    assert not crowd.is_thick(message("anything"), "t")
    assert [one[:2] for one in sieve.news()] == [("source", "s")]


def test_a_source_with_many_devices_may_say_more() -> None:
    sieve = Sieve(Limits(0, 10))
    sieve.took(None, {"s": 600}, ())
    assert sieve.unsized == {"s"}
    sieve.sizes["s"] = 10
    assert not sieve.unsized
    assert sieve.crowd() is None
    sieve.took(None, {"s": 1}, ())
    assert sieve.crowd() is not None


def test_it_is_told_once_a_minute() -> None:
    sieve = Sieve(Limits(3, 0))
    sieve.weigh([message()] * 4, NOON)
    news = sieve.news()
    assert news == [("topic", "a", 4)]
    sieve.took(sieve.crowd(), {}, news)
    sieve.weigh([message()], NOON + SECOND)
    assert sieve.news() == []
    sieve.weigh([message()] * 4, NOON + 60 * SECOND)
    assert len(sieve.news()) == 1


def test_only_what_a_topic_has_said_last_is_a_repeat() -> None:
    crowd = thick()
    assert not crowd.repeats(message(payload=b"clear"))
    assert crowd.repeats(message(payload=b"clear"))
    assert not crowd.repeats(message(payload=b"alarm"))
    assert not crowd.repeats(message(payload=b"clear"))
    assert not crowd.repeats(message(payload=b"clear", at=NOON + 10 * SECOND))
    assert not crowd.repeats(message("b", b"clear"))
    assert not crowd.repeats(message("b", b"clear"))
    assert crowd.left_out == {"repeated": 1}


def test_what_was_not_committed_is_no_repeat_when_it_comes_again() -> None:
    """Invariant ack-after-commit: a batch that failed is handed over again, and nothing of it is left out then."""
    sieve = Sieve(Limits(3, 0))
    sieve.weigh([message()] * 4, NOON)
    failed = sieve.crowd()
    assert failed is not None
    assert not failed.repeats(message(payload=b"alarm"))
    again = sieve.crowd()
    assert again is not None
    assert not again.repeats(message(payload=b"alarm"))
    sieve.took(again, {}, ())
    after = sieve.crowd()
    assert after is not None
    assert after.repeats(message(payload=b"alarm"))


def test_strangers_are_left_out_and_what_is_known_of_is_not() -> None:
    decoder = Decoder([Source(id="z", dialect="zigbee2mqtt", base="z")])
    device = Device(id="d", home_id="h", kind="gas", source="z", name="known")
    world = World(devices={("z", "known"): device})
    crowd = Sieve(Limits(1, 0))
    topics = ("z/known", "z/strange", "z/bridge/state")
    crowd.weigh([message(topic) for topic in topics] * 2, NOON)
    found = crowd.crowd()
    assert found is not None

    for expected in (set(), {"z/strange"}):
        assert {topic for topic in topics if found.is_strange(message(topic), decoder, world)} == expected
    assert not found.is_strange(message("z/other"), decoder, world)


def test_of_ordinary_facts_the_last_counts() -> None:
    crowd = thick()
    crowd.mark(0, 5)
    found = crowd.thin(
        [
            reading(),
            reading(state="closed"),
            reading(state="open", detail="tilt"),
            reading("battery", None, value=3.0),
            reading(),
            reading(state="closed", device="other"),
        ]
    )
    assert [(one.kind, one.state, one.device_id) for one in found] == [
        ("contact", "open", "d"),
        ("battery", None, "d"),
        ("contact", "open", "d"),
        ("contact", "closed", "other"),
    ]
    assert crowd.left_out == {"replaced": 2}


def test_what_did_not_come_too_thick_is_left_alone() -> None:
    crowd = thick()
    found = [reading(), reading(state="closed"), reading()]
    assert crowd.thin(found) == found


_READINGS = st.lists(
    st.builds(
        Reading,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["gas", "sos", "contact", "battery"]),
        st.just(NOON),
        st.sampled_from(["alarm", "clear", "unknown", "pressed", "open"]),
        st.none(),
        st.none(),
        st.none(),
        st.sampled_from([Freshness.LIVE, Freshness.RETAINED, Freshness.HISTORIC]),
    ),
    max_size=30,
)


@given(readings=_READINGS, data=st.data())
def test_no_change_that_is_about_a_life_is_ever_left_out(readings: list[Reading], data: Any) -> None:
    """Invariant life-first: of each device and kind, the same changes in the same order, and the same word last."""
    crowd = thick()
    for at in data.draw(st.lists(st.integers(0, max(len(readings) - 1, 0)), unique=True).map(sorted)):
        if at < len(readings):
            crowd.mark(at, at + 1)
    kept = crowd.thin(readings)

    def story(some: list[Reading], device: str, kind: str) -> list[tuple[str | None, Freshness]]:
        told: list[tuple[str | None, Freshness]] = []
        for one in some:
            if (one.device_id, one.kind) == (device, kind) and one.freshness is not Freshness.HISTORIC:
                said = (one.state, one.freshness)
                if not told or told[-1] != said:
                    told.append(said)
        return told

    for device in ("a", "b"):
        for kind in ("gas", "sos", "contact", "battery"):
            before, after = story(readings, device, kind), story(kept, device, kind)
            assert after[-1:] == before[-1:]
            if kind in LIFE_SAFETY_KINDS:
                assert after == before
    history = [one for one in readings if one.freshness is Freshness.HISTORIC]
    assert [one for one in kept if one.freshness is Freshness.HISTORIC] == history


@pytest.mark.parametrize("count", [20_000, 30_000])
def test_very_many_topics_take_no_more_than_some_memory(count: int) -> None:
    sieve = Sieve(Limits(240, 0))
    sieve.weigh([message("loud")] * 200, NOON)
    sieve.weigh([message(f"t{one}") for one in range(count)], NOON)
    sieve.weigh([message("loud")] * 41, NOON)
    assert len(sieve._topics) <= 20_000
    assert sieve.crowd() is not None
