from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.decoded import Unmapped
from ingest.dialects.facts import Facts
from ingest.message import Message
from rules.community import Device, Mapped
from rules.readings import Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GAS = Device(id="d", home_id="h", kind="gas", source="s", name="n")


def gathered(device: Device = GAS, *, retain: bool = False, **more: Any) -> Facts:
    return Facts(device, Message("t", b"", retain, NOON), **more)


def said(facts: Facts) -> list[tuple[Any, ...]]:
    return [(one.kind, one.state, one.value) for one in facts.readings]


def test_of_several_on_one_kind_the_alarm_counts() -> None:
    facts = gathered()
    facts.value("gas", "clear")
    facts.value("gas", True)
    facts.value("gas", None)
    assert said(facts) == [("gas", "alarm", None)]


def test_unknown_goes_before_clear() -> None:
    """Invariant unknown-is-not-clear."""
    facts = gathered()
    facts.value("gas", None)
    facts.value("gas", False)
    assert said(facts) == [("gas", "unknown", None)]


def test_a_battery_is_one_fact_of_two_parts_and_what_cannot_be_says_nothing() -> None:
    facts = gathered()
    facts.battery(255)
    assert said(facts) == []
    facts.battery("80.00")
    facts.battery(state="ok")
    facts.battery(-1)
    assert said(facts) == [("battery", "ok", 80.0)]


def test_a_number_that_is_none_is_unknown() -> None:
    facts = gathered()
    facts.number("gas_concentration", "nan", "ppm")
    assert said(facts) == [("gas_concentration", "unknown", None)]


def test_a_contact_that_hangs_the_other_way_round() -> None:
    facts = gathered(Device(id="d", home_id="h", kind="contact", source="s", name="n", invert=True))
    facts.value("contact", "open")
    assert said(facts) == [("contact", "closed", None)]


@pytest.mark.parametrize(
    ("kind", "action", "result"),
    [
        ("button", "single", ("button", "single")),
        ("button", "emergency", ("sos", "pressed")),
        ("sos", "single", ("sos", "pressed")),
        ("sos", "release", ("button", "release")),
    ],
)
def test_a_press(kind: str, action: str, result: tuple[str, str]) -> None:
    facts = gathered(Device(id="d", home_id="h", kind=kind, source="s", name="n"))
    facts.pressed(action)
    [reading] = facts.readings
    assert (reading.kind, reading.state, reading.detail) == (*result, action)


def test_a_sign_of_life_is_said_where_there_is_nothing_else() -> None:
    facts = gathered()
    facts.alive()
    assert said(facts) == [("heartbeat", "alive", None)]
    facts = gathered()
    facts.value("gas", False)
    facts.alive()
    assert said(facts) == [("gas", "clear", None)]


def test_what_staff_have_written_down_the_device_before_its_source() -> None:
    mine = {"Switch1": Mapped(kind="gas", states={"ON": "clear", "OFF": "alarm"}), "Dust": Mapped(kind=None)}
    device = Device(id="d", home_id="h", kind="gas", source="s", name="n", map=mine)
    of_source = {"Switch1": Mapped(kind="smoke"), "Level": Mapped(kind="battery")}
    facts = gathered(device, meanings=of_source)
    assert facts.by_map("Switch1", "OFF", what="switch")
    assert facts.by_map("Level", 80, what="input")
    assert facts.by_map("Dust", 3, what="input")
    assert said(facts) == [("gas", "alarm", None), ("battery", None, 80.0)]
    assert facts.unmapped == []


def test_what_nobody_has_written_down_is_listed_and_never_guessed() -> None:
    facts = gathered()
    assert not facts.by_map("Switch1", "ON", what="switch")
    assert not facts.by_map("battery", 80, what="input", known=True)
    assert said(facts) == []
    assert facts.unmapped == [Unmapped("n", "switch", "Switch1", "ON")]


def test_a_value_that_is_not_in_the_map_is_unknown() -> None:
    """Invariant unknown-is-not-clear."""
    device = Device(
        id="d", home_id="h", kind="gas", source="s", name="n", map={"x": Mapped(kind="gas", states={"1": "alarm"})}
    )
    facts = gathered(device)
    assert facts.by_map("x", 0, what="input")
    assert said(facts) == [("gas", "unknown", None)]


def test_what_all_facts_of_a_message_have_in_common() -> None:
    facts = gathered(retain=True, observed_at=NOON, under_test=True, merged=True, startup=True)
    facts.value("gas", True)
    [reading] = facts.readings
    assert reading.received_at == reading.observed_at == NOON
    assert (reading.freshness, reading.under_test, reading.merged, reading.startup) == (Freshness.RETAINED, *[True] * 3)
