import json
from datetime import timedelta
from typing import Any

import pytest

from ingest.dialects.shouwang import STATES
from rules.readings import ALARM_STATES, KINDS, LIFE_SAFETY_KINDS, Freshness

EVENT = "shouwang/v1/h1/gas/event"
STATUS = "shouwang/v1/h1/gas/status"


@pytest.fixture
def site(own: Any) -> Any:
    own.knows("h1/gas", "gas")
    return own


@pytest.mark.parametrize("name", ["h1/gas", "gas"])
def test_a_device_is_named_with_its_home_or_alone(own: Any, name: str) -> None:
    device = own.knows(name, "gas")
    (reading,) = own.reads(EVENT, '{"kind":"gas","state":"alarm"}').readings

    assert reading.device_id == device.id


def test_the_name_with_the_home_comes_first(own: Any) -> None:
    own.knows("gas", "gas")
    device = own.knows("h1/gas", "gas")
    (reading,) = own.reads(EVENT, '{"kind":"gas","state":"alarm"}').readings

    assert reading.device_id == device.id


@pytest.mark.parametrize(("kind", "state"), [(kind, state) for kind in STATES for state in sorted(STATES[kind])])
def test_every_state_of_every_kind(site: Any, kind: str, state: str) -> None:
    (reading,) = site.reads(EVENT, json.dumps({"kind": kind, "state": state})).readings

    assert (reading.kind, reading.state, reading.value) == (kind, state, None)
    assert (reading.freshness, reading.merged, reading.under_test) == (Freshness.LIVE, False, False)


def test_the_states_are_those_that_rules_look_for() -> None:
    assert set(STATES) <= KINDS
    assert all(ALARM_STATES.get(kind, "alarm") in STATES[kind] for kind in LIFE_SAFETY_KINDS)


@pytest.mark.parametrize("kind", sorted(STATES))
@pytest.mark.parametrize("state", ["unknown", None])
def test_unknown_is_unknown(site: Any, kind: str, state: str | None) -> None:
    """Invariant unknown-is-not-clear."""
    (reading,) = site.reads(EVENT, json.dumps({"kind": kind, "state": state})).readings

    assert reading.state == "unknown"


def test_a_number_with_its_unit(site: Any) -> None:
    (reading,) = site.reads(EVENT, '{"kind":"battery","value":"88.5","unit":"%"}').readings

    assert (reading.kind, reading.state, reading.value, reading.unit) == ("battery", None, 88.5, "%")


def test_several_events_in_one_message(site: Any) -> None:
    events = [{"kind": "gas", "state": "alarm"}, {"kind": "battery", "value": 12}, {"kind": "tamper", "state": "clear"}]

    assert [one.kind for one in site.reads(EVENT, json.dumps(events)).readings] == ["gas", "battery", "tamper"]


def test_a_bad_event_beside_an_alarm_does_not_hide_the_alarm(site: Any) -> None:
    """Invariant nothing-dropped: what is good counts, and what is not is set aside."""
    decoded = site.reads(EVENT, '[{"kind":"nonsense"},{"kind":"gas","state":"alarm"},5]')

    assert [one.state for one in decoded.readings] == ["alarm"]
    assert decoded.quarantine is not None
    assert "'nonsense'" in decoded.quarantine[1]


def test_a_test_is_marked(site: Any) -> None:
    (reading,) = site.reads(EVENT, '{"kind":"gas","state":"alarm","test":true}').readings

    assert reading.under_test


def test_a_late_sample_is_historic(site: Any) -> None:
    """Invariant stale-does-not-page."""
    (reading,) = site.reads(EVENT, '{"kind":"gas","state":"alarm","historic":true}').readings

    assert reading.freshness is Freshness.HISTORIC


def test_a_retained_event_is_retained(site: Any) -> None:
    (reading,) = site.reads(EVENT, '{"kind":"gas","state":"alarm"}', retain=True).readings

    assert reading.freshness is Freshness.RETAINED


@pytest.mark.parametrize(
    ("at", "seconds_ago"),
    [("2026-11-23T11:59:50Z", 10), (1795435190, 10), (1795435190000, 10), ("soon", None), (5, None)],
)
def test_its_own_time_is_kept_where_it_can_be_true(site: Any, at: Any, seconds_ago: int | None) -> None:
    (reading,) = site.reads(EVENT, json.dumps({"kind": "gas", "state": "clear", "at": at})).readings

    expected = None if seconds_ago is None else reading.received_at - timedelta(seconds=seconds_ago)
    assert reading.observed_at == expected


def test_a_contact_that_is_mounted_the_other_way_round_is_turned(own: Any) -> None:
    own.knows("h1/gas", "contact", invert=True)
    states = [
        own.reads(EVENT, json.dumps({"kind": "contact", "state": state})).readings[0].state
        for state in ("open", "closed", "unknown")
    ]

    assert states == ["closed", "open", "unknown"]


def test_a_button_says_how_it_was_pressed(site: Any) -> None:
    (reading,) = site.reads(EVENT, '{"kind":"button","state":"double"}').readings

    assert (reading.kind, reading.state) == ("button", "double")


@pytest.mark.parametrize("payload", ["online", '"online"', '{"state":"online"}'])
@pytest.mark.parametrize("retain", [True, False])
def test_status(site: Any, payload: str, retain: bool) -> None:
    (reading,) = site.reads(STATUS, payload, retain=retain).readings

    assert (reading.kind, reading.state) == ("availability", "online")
    assert reading.freshness is (Freshness.RETAINED if retain else Freshness.LIVE)


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "says"),
    [
        (EVENT, "{", "malformed_json", "not valid JSON"),
        (EVENT, "5", "invalid_value", "JSON object"),
        (EVENT, "[]", "invalid_value", "between 1 and 100"),
        (EVENT, json.dumps([{}] * 101), "invalid_value", "between 1 and 100"),
        (EVENT, "{}", "invalid_value", "kind None is not known"),
        (EVENT, '{"kind":["gas"]}', "invalid_value", "is not known"),
        (EVENT, '{"kind":"gass","state":"alarm"}', "invalid_value", "'gass'"),
        (EVENT, '{"kind":"gas"}', "invalid_value", "neither a state nor a value"),
        (EVENT, '{"kind":"gas","state":"on"}', "invalid_value", "gas has no state 'on'"),
        (EVENT, '{"kind":"gas","state":true}', "invalid_value", "not text"),
        (EVENT, '{"kind":"battery","value":"full"}', "invalid_value", "not a number"),
        (EVENT, '{"kind":"measurement","state":"warm"}', "invalid_value", "measurement has no state"),
        (STATUS, "maybe", "invalid_value", "online or offline"),
        ("shouwang/v1/h1/nobody/event", '{"kind":"gas","state":"alarm"}', "unknown_device", "'h1/nobody'"),
        ("shouwang/v1/h1/gas", "x", "unknown_topic", "/event or /status"),
        ("shouwang/v1/h1/gas/event/more", "x", "unknown_topic", "/event or /status"),
        ("shouwang/v1/", "x", "unknown_topic", "/event or /status"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_a_sentence(
    site: Any, topic: str, payload: str, reason: str, says: str
) -> None:
    """Invariant nothing-dropped."""
    decoded = site.reads(topic, payload)

    assert decoded.quarantine is not None
    assert (decoded.quarantine[0], list(decoded.readings)) == (reason, [])
    assert says in decoded.quarantine[1]


@pytest.mark.parametrize("what", ["event", "status"])
@pytest.mark.parametrize("name", ["gas", "h1/gas"])
def test_a_topic_of_another_home_is_set_aside(site: Any, name: str, what: str) -> None:
    """A home's access to the broker is worth nothing in another home, whatever it says."""
    site.knows(name, "gas")
    payload = "online" if what == "status" else '{"kind": "gas", "state": "alarm"}'
    assert site.reads(f"shouwang/v1/h1/gas/{what}", payload).readings
    decoded = site.reads(f"shouwang/v1/h2/gas/{what}", payload)

    assert not decoded.readings
    assert decoded.quarantine is not None
    assert decoded.quarantine[0] == ("wrong_home" if name == "gas" else "unknown_device")


@pytest.mark.parametrize(
    ("topic", "payload", "retain", "reason"),
    [
        (EVENT, "", True, "retained_clear"),
        (STATUS, "", False, "empty_payload"),
        ("shouwang/v1/h1/gas/set", "{}", False, "command"),
    ],
)
def test_what_is_of_no_interest_is_ignored(site: Any, topic: str, payload: str, retain: bool, reason: str) -> None:
    assert site.reads(topic, payload, retain=retain).ignored == reason
