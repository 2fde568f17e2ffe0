import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.decode import Gateway, GatewayWord
from ingest.dialects import zigbee2mqtt_tables as tables
from ingest.dialects.zigbee2mqtt_plans import definitions
from rules.community import Mapped, Source
from rules.readings import KINDS, LIFE_SAFETY_KINDS, Freshness, Reading

PAYLOADS = Path(__file__).parent.parent / "payloads"
CAPTURES: list[dict[str, Any]] = json.loads((PAYLOADS / "zigbee2mqtt_captures.json").read_text("utf-8"))
MODELS: dict[str, Any] = json.loads((PAYLOADS / "zigbee2mqtt_models.json").read_text("utf-8"))
HAZARDS = {"gas", "smoke", "carbon_monoxide", "water_leak"}
ALARMS = {("sos", "pressed"), ("fall", "alarm"), ("contact", "open"), *((kind, "alarm") for kind in HAZARDS)}


def facts(readings: Any) -> set[tuple[str, Any]]:
    """All facts of some readings: a kind with its state, and a kind with its number."""
    found: set[tuple[str, Any]] = {(one.kind, one.state) for one in readings if one.state is not None}
    return found | {(one.kind, one.value) for one in readings if one.value is not None}


def of(readings: Any, kind: str) -> Reading:
    found = [one for one in readings if one.kind == kind]
    assert len(found) == 1, f"{len(found)} readings of {kind}"
    reading: Reading = found[0]
    return reading


def definition(model: str, name: str) -> dict[str, Any]:
    known = MODELS["models"][model]
    found = definitions([{"friendly_name": name, "definition": {"model": model, **known}}])
    assert found is not None
    return found[name]


# --- captures and models ---


@pytest.mark.parametrize("case", CAPTURES, ids=lambda case: f"{case['topic']} {case['payload'][:60]}")
def test_captured_messages_say_what_they_mean_and_no_more_alarms(zigbee: Any, case: dict[str, Any]) -> None:
    zigbee.knows(case["name"], case["kind"])

    decoded = zigbee.reads(case["topic"], case["payload"], retain=case["retain"])

    expected = {(kind, value) for kind, value in case["facts"]}
    if decoded.ignored:
        assert expected == {("ignored", decoded.ignored)}
        return
    assert decoded.quarantine is None
    found = facts(decoded.readings)
    assert expected <= found
    assert (found - expected) & ALARMS == set()


@pytest.mark.parametrize("defined", [True, False], ids=["definitions", "tables"])
def test_every_alarm_of_real_models_is_new_once_and_no_other_is(zigbee: Any, defined: bool) -> None:
    """Over messages of a real gateway for a hundred models: each message's states, and the edges between them."""
    last: dict[tuple[str, str], str | None] = {}
    problems = []
    for case in MODELS["messages"]:
        name = case["topic"].removeprefix("zigbee2mqtt/")
        device = zigbee.knows(name, case["kind"])
        if defined:
            zigbee.world.definitions["site", name] = definition(case["model"], name)
        decoded = zigbee.reads(case["topic"], case["payload"])
        states = {one.kind: one.state for one in decoded.readings}
        wrong: dict[str, Any] = {
            kind: states.get(kind) for kind, state in case["facts"].items() if states.get(kind) != state
        }
        if "battery" in case and of(decoded.readings, "battery").value != case["battery"]:
            wrong["battery"] = "another level"
        raised = set()
        for one in decoded.readings:
            if one.kind in HAZARDS:
                if one.under_test != (one.state == "alarm" and case.get("under_test", False)):
                    wrong[one.kind] = "under test"
                if one.state == "alarm" and last.get((device.id, one.kind)) != "alarm":
                    raised.add(one.kind)
                last[device.id, one.kind] = one.state
        if raised - set(case.get("says", ())):
            wrong["false alarm"] = raised
        if missed := {kind for kind in case.get("says", ()) if states.get(kind) != "alarm"}:
            wrong["missed"] = missed
        if ("sos" in states) != case.get("help", False):
            wrong["sos"] = states.get("sos")
        if wrong:
            problems.append((case["model"], case["payload"], wrong))

    assert problems == []


# --- one rule each ---


@pytest.mark.parametrize(
    ("payload", "kind", "state"),
    [
        ('{"gas":true}', "gas", "alarm"),
        ('{"gas":"True"}', "gas", "alarm"),
        ('{"gas":"true"}', "gas", "alarm"),
        ('{"gas":1}', "gas", "alarm"),
        ('{"gas":0}', "gas", "clear"),
        ('{"gas":null}', "gas", "unknown"),
        ('{"gas":"unavailable"}', "gas", "unknown"),
        ('{"gas":-1}', "gas", "unknown"),
        ('{"gas":[]}', "gas", "unknown"),
        ('{"gas":{}}', "gas", "unknown"),
        ('{"gas_alarm_1":false,"gas_alarm_2":true}', "gas", "alarm"),
        ('{"gas_alarm_1":false,"gas_alarm_2":false}', "gas", "clear"),
        ('{"gas_sensor_state":"alarm"}', "gas", "alarm"),
        ('{"gas_sensor_state":"normal"}', "gas", "clear"),
        ('{"carbon_monoxide":"ON"}', "carbon_monoxide", "alarm"),
        ('{"carbon_monoxide":"OFF"}', "carbon_monoxide", "clear"),
        ('{"co_state":"alarm"}', "carbon_monoxide", "alarm"),
        ('{"fault":"probe_fault"}', "fault", "alarm"),
        ('{"fault":"no_fault"}', "fault", "clear"),
        ('{"fault":"e7"}', "fault", "unknown"),
        ('{"carbon_monoxide_alarm_2":true}', "carbon_monoxide", "alarm"),
        ('{"smoke":false,"smoke_state":"alarm"}', "smoke", "alarm"),
        ('{"smoke":false,"smoke_state":"unknown"}', "smoke", "unknown"),
        ('{"smoke":false,"smoke_state":"none"}', "smoke", "clear"),
        ('{"smoke":null,"smoke_state":"none"}', "smoke", "unknown"),
        ('{"smoke":true,"smoke_state":null}', "smoke", "alarm"),
        ('{"water_leak_alarm_1":true}', "water_leak", "alarm"),
        ('{"water_leakage_state":"water_leakage_no"}', "water_leak", "clear"),
        ('{"water_leakage_state":"water_leakage_yes"}', "water_leak", "alarm"),
        ('{"water_leak_2":true,"water_leak_1":false}', "water_leak", "alarm"),
        ('{"fall_status":"fall_alarm"}', "fall", "alarm"),
        ('{"fall_status":"fall_warning"}', "fall", "warning"),
        ('{"fall_down_status":"fall"}', "fall", "alarm"),
        ('{"fall_down_status":"maybe_fall"}', "fall", "warning"),
        ('{"fall_down_status":"none"}', "fall", "clear"),
        ('{"fall_status":"normal"}', "fall", "clear"),
        ('{"sos":true}', "sos", "pressed"),
        ('{"sos":false}', "sos", "cleared"),
        ('{"sos_alarm":true}', "sos", "pressed"),
        ('{"tamper":true}', "tamper", "alarm"),
        ('{"contact":false}', "contact", "open"),
        ('{"contact":true}', "contact", "closed"),
        ('{"contact":null}', "contact", "unknown"),
        ('{"contact":"OFF"}', "contact", "open"),
        ('{"contact_alarm_1":true,"contact_alarm_2":true}', "contact", "closed"),
        ('{"contact":true,"opening_state":"tilted"}', "contact", "open"),
        ('{"opening_state":"closed"}', "contact", "closed"),
        ('{"door_state":"error_jammed"}', "contact", "unknown"),
        ('{"occupancy":true}', "motion", "detected"),
        ('{"human_motion_state":"none"}', "motion", "clear"),
        ('{"human_motion_state":"small"}', "motion", "detected"),
        ('{"presence_state":"stationary"}', "presence", "detected"),
        ('{"vibration":false}', "vibration", "clear"),
        ('{"battery_low":true}', "battery", "low"),
        ('{"battery_state":"middle"}', "battery", "ok"),
        ('{"test":true}', "test", "active"),
        ('{"self_test":"Check failure"}', "test", "failed"),
        ('{"self_test":"checking"}', "test", "active"),
        ('{"self_test_result":"success"}', "test", "passed"),
        ('{"halo_test_result":"fail_photo"}', "test", "failed"),
        ('{"halo_test_result":"idle"}', "test", "inactive"),
        ('{"preheat":true}', "warmup", "active"),
        ('{"silence":true}', "mute", "on"),
        ('{"ac_status":true}', "fault", "alarm"),
        ('{"trouble":false,"ac_status":false}', "fault", "clear"),
        ('{"smoke_state":"fault"}', "fault", "alarm"),
        ('{"smoke_state":"silence"}', "mute", "on"),
    ],
)
def test_a_property_without_a_definition_is_read_by_the_tables(
    zigbee: Any, payload: str, kind: str, state: str
) -> None:
    zigbee.knows("x", "gas")

    assert of(zigbee.reads("zigbee2mqtt/x", payload).readings, kind).state == state


@pytest.mark.parametrize("payload", ['{"smoke_state":"detecting"}', '{"smoke_state":"silence"}'])
def test_a_word_that_is_no_hazard_says_nothing_of_the_hazard(zigbee: Any, payload: str) -> None:
    """Invariant unknown-is-not-clear: neither an alarm nor its end."""
    zigbee.knows("x", "smoke")

    assert "smoke" not in {one.kind for one in zigbee.reads("zigbee2mqtt/x", payload).readings}


def test_state_fields_may_only_be_repeated_and_say_so(zigbee: Any) -> None:
    """Invariant stale-does-not-page: whether a merged field is news, is decided by what is known."""
    zigbee.knows("x", "gas")
    decoded = zigbee.reads("zigbee2mqtt/x", '{"gas":true,"tamper":false,"battery":80,"voltage":2900,"gas_value":7}')

    assert len(decoded.readings) == 5
    assert all(one.merged and one.freshness is Freshness.LIVE for one in decoded.readings)


def test_a_retained_state_is_retained(zigbee: Any) -> None:
    zigbee.knows("x", "gas")

    reading = of(zigbee.reads("zigbee2mqtt/x", '{"gas":true}', retain=True).readings, "gas")

    assert reading.freshness is Freshness.RETAINED


@pytest.mark.parametrize(
    ("action", "kind", "state"),
    [
        ("emergency", "sos", "pressed"),
        ("panic", "sos", "pressed"),
        ("sos", "sos", "pressed"),
        ("1_sos", "sos", "pressed"),
        ("emergency_panic", "sos", "pressed"),
        ("sos_release", "button", "sos_release"),
        ("single", "button", "single"),
        ("disarm", "button", "disarm"),
        ("arm_all_zones", "button", "arm_all_zones"),
    ],
)
def test_an_action_is_an_event_and_never_merged(zigbee: Any, action: str, kind: str, state: str) -> None:
    zigbee.knows("x", "button")
    readings = zigbee.reads("zigbee2mqtt/x", json.dumps({"action": action, "battery": 100})).readings

    reading = of(readings, kind)
    assert (reading.state, reading.merged, reading.detail) == (state, False, action)


@pytest.mark.parametrize("action", ["", None, 5, []])
def test_a_reset_of_an_action_is_no_press(zigbee: Any, action: Any) -> None:
    zigbee.knows("x", "sos")
    readings = zigbee.reads("zigbee2mqtt/x", json.dumps({"action": action, "linkquality": 3})).readings

    assert {one.kind for one in readings} == {"heartbeat"}


@pytest.mark.parametrize(
    ("action", "kind"),
    [("single", "sos"), ("1_double", "sos"), ("hold", "sos"), ("disarm", "button"), ("off", "button")],
)
def test_a_plain_button_that_is_registered_for_help_asks_for_help(zigbee: Any, action: str, kind: str) -> None:
    """The registry says what a button is there for; a keypad's other keys still do not call anybody."""
    zigbee.knows("x", "sos")

    assert of(zigbee.reads("zigbee2mqtt/x", json.dumps({"action": action})).readings, kind)


@pytest.mark.parametrize(
    ("fields", "under_test"),
    [
        ({"smoke": True, "test": True, "tamper": False, "battery_low": False}, True),
        ({"smoke": True, "test": False, "tamper": False}, False),
        ({"smoke": True, "test": None, "tamper": False}, False),
        ({"smoke": True, "test": True}, False),
        ({"smoke": True, "self_test": True, "tamper": False}, False),
        ({"smoke": True, "preheat": True, "tamper": False}, False),
        ({"smoke": True, "self_test": "checking", "tamper": False}, False),
    ],
)
def test_only_the_test_bit_beside_its_companions_takes_the_weight_off_an_alarm(
    zigbee: Any, fields: dict[str, Any], under_test: bool
) -> None:
    """`test` alone may be the gateway's memory of last week's test, and self_test a switch that was left on."""
    zigbee.knows("x", "smoke")
    reading = of(zigbee.reads("zigbee2mqtt/x", json.dumps(fields)).readings, "smoke")

    assert (reading.state, reading.under_test) == ("alarm", under_test)


def test_a_test_does_not_mark_what_is_no_alarm(zigbee: Any) -> None:
    zigbee.knows("x", "smoke")
    readings = zigbee.reads("zigbee2mqtt/x", '{"smoke":false,"test":true,"tamper":true,"contact":false}').readings

    assert not any(one.under_test for one in readings)


def test_several_faults_are_one_reading_that_names_them(zigbee: Any) -> None:
    zigbee.knows("x", "smoke")
    payload = '{"trouble":true,"battery_defect":true,"ac_status":true,"end_of_life":false}'

    reading = of(zigbee.reads("zigbee2mqtt/x", payload).readings, "fault")

    assert (reading.state, reading.detail) == ("alarm", "trouble,battery_defect,mains_power")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"battery": 80}, (None, 80.0, "%")),
        ({"battery": "100.00"}, (None, 100.0, "%")),
        ({"battery": 0}, (None, 0.0, "%")),
        ({"battery": 7, "battery_low": True}, ("low", 7.0, "%")),
        ({"battery": None, "battery_low": False}, ("ok", None, None)),
        ({"battery": 80, "battery_low": None}, (None, 80.0, "%")),
        ({"battery": 255}, None),
        ({"battery": -1}, None),
        ({"battery": "full"}, None),
        ({"battery": True}, None),
        ({"battery": None, "battery_low": None}, None),
    ],
)
def test_a_battery_is_one_reading_or_none(zigbee: Any, fields: dict[str, Any], expected: Any) -> None:
    zigbee.knows("x", "smoke")
    found = [
        (one.state, one.value, one.unit)
        for one in zigbee.reads("zigbee2mqtt/x", json.dumps(fields)).readings
        if one.kind == "battery"
    ]

    assert found == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("unit", "value", "volts"),
    [
        ("mV", 3075, 3.075),
        ("V", 3.0, 3.0),
        (None, 3055, 3.055),
        (None, 230, None),
        ("mV", 230_000, None),
        (None, "x", None),
    ],
)
def test_a_battery_voltage_is_in_volts(zigbee: Any, unit: str | None, value: Any, volts: float | None) -> None:
    zigbee.knows("x", "smoke")
    if unit is not None:
        exposes = [
            {"type": "numeric", "name": "voltage", "property": "voltage", "access": 1, "unit": unit},
            {"type": "numeric", "name": "battery", "property": "battery", "access": 1, "unit": "%"},
        ]
        zigbee.world.definitions["site", "x"] = {"exposes": exposes, "digest": "d"}
    found = [
        one.value
        for one in zigbee.reads("zigbee2mqtt/x", json.dumps({"voltage": value})).readings
        if one.kind == "battery_voltage"
    ]

    assert found == ([] if volts is None else [volts])


def test_the_mains_are_no_battery(zigbee: Any) -> None:
    zigbee.knows("x", "gas")
    exposes = [{"type": "numeric", "name": "voltage", "property": "voltage", "access": 1, "unit": "V"}]
    zigbee.world.definitions["site", "x"] = {"exposes": exposes, "digest": "d"}

    readings = zigbee.reads("zigbee2mqtt/x", '{"voltage":5.1,"gas":false}').readings

    assert {one.kind for one in readings} == {"gas"}


@pytest.mark.parametrize(
    ("last_seen", "seconds_ago"),
    [
        ("2026-11-23T11:59:58.000Z", 2),
        ("2026-11-23T19:59:58+08:00", 2),
        (1795435198000, 2),
        (1795435198, 2),
        ("2026-11-20T12:00:00Z", 3 * 86400),
        ("2026-11-23T11:59:58", None),
        ("2019-05-13T07:35:58+00:00", None),
        (1000, None),
        ("2026-11-23T13:00:00Z", None),
        ("yesterday", None),
        (None, None),
        (10**40, None),
        (True, None),
        ({}, None),
    ],
)
def test_a_device_s_own_time_is_kept_where_it_can_be_true(zigbee: Any, last_seen: Any, seconds_ago: int | None) -> None:
    zigbee.knows("x", "gas")
    reading = of(zigbee.reads("zigbee2mqtt/x", json.dumps({"gas": False, "last_seen": last_seen})).readings, "gas")

    expected = None if seconds_ago is None else reading.received_at - timedelta(seconds=seconds_ago)
    assert reading.observed_at == expected


def test_a_message_without_any_fact_still_shows_that_the_device_lives(zigbee: Any) -> None:
    zigbee.knows("x", "button")
    [reading] = zigbee.reads("zigbee2mqtt/x", '{"linkquality":97,"update":{"state":"idle"}}').readings

    assert (reading.kind, reading.state, reading.value) == ("heartbeat", "alive", None)


def test_what_a_device_measures_of_its_surroundings_counts_where_it_says_nothing_else(zigbee: Any) -> None:
    zigbee.knows("x", "smoke")
    zigbee.knows("y", "measurement")
    climate = '{"temperature":27.3,"humidity":"44.7","pressure":null,"linkquality":9'

    def measured(name: str, more: str = "") -> list[tuple[str | None, float | None, str | None]]:
        readings = zigbee.reads(f"zigbee2mqtt/{name}", f"{climate}{more}}}").readings
        return [(one.detail, one.value, one.unit) for one in readings if one.kind == "measurement"]

    both: list[tuple[str, float, str]] = [("temperature", 27.3, "°C"), ("humidity", 44.7, "%")]
    assert measured("x") == both
    assert measured("x", ',"smoke":false') == []
    assert measured("y", ',"battery":90') == both


def test_who_is_in_no_file_is_named_as_the_gateway_names_it(zigbee: Any) -> None:
    """What follows the last slash is an attribute, or a part of the name."""

    def stranger(rest: str, payload: str) -> list[str]:
        return list(zigbee.reads(f"zigbee2mqtt/{rest}", payload).strangers)

    assert stranger("1/kitchen", '{"gas":true}') == ["1/kitchen"]
    assert stranger("1/kitchen/gas", "true") == ["1/kitchen"]
    assert stranger("1/kitchen/availability", "online") == ["1/kitchen"]
    assert stranger("kitchen", "true") == ["kitchen"]
    zigbee.world.definitions["site", "1/kitchen"] = definition("HS1SA-E", "1/kitchen")
    assert stranger("1/kitchen/update", '{"state":"idle"}') == ["1/kitchen"]


# --- polarity and definitions ---

_OPEN_IS_TRUE = "Indicates whether the contact is open (= true) or closed (= false)"
_CLOSED_IS_TRUE = "Indicates if the garage door contact is closed (= true) or open (= false)"


@pytest.mark.parametrize(
    ("expose", "opens", "closes"),
    [
        ({"name": "contact", "value_on": False, "value_off": True}, False, True),
        ({"name": "contact", "value_on": True, "value_off": False}, False, True),
        ({"name": "contact", "value_on": "ON", "value_off": "OFF"}, "OFF", "ON"),
        ({"name": "contact", "value_on": True, "value_off": False, "description": _OPEN_IS_TRUE}, True, False),
        (
            {"name": "garage_door_contact", "value_on": True, "value_off": False, "description": _CLOSED_IS_TRUE},
            False,
            True,
        ),
        ({"name": "door_open", "value_on": True, "value_off": False}, True, False),
        ({"name": "contact", "property": "contact_l2", "value_on": False, "value_off": True}, False, True),
    ],
)
def test_the_polarity_of_a_contact_is_read_from_the_wire(
    zigbee: Any, expose: dict[str, Any], opens: Any, closes: Any
) -> None:
    zigbee.knows("x", "contact")
    entry = {"type": "binary", "access": 1, "property": expose["name"], **expose}
    devices = [{"friendly_name": "x", "definition": {"model": "m", "vendor": "v", "exposes": [entry]}}]
    decoded = zigbee.reads("zigbee2mqtt/bridge/devices", json.dumps(devices))
    zigbee.world.definitions["site", "x"] = decoded.definitions["x"]

    for value, state in ((opens, "open"), (closes, "closed"), (None, "unknown")):
        readings = zigbee.reads("zigbee2mqtt/x", json.dumps({entry["property"]: value})).readings
        assert of(readings, "contact").state == state


def test_a_contact_that_is_mounted_the_other_way_round_is_turned(zigbee: Any) -> None:
    zigbee.knows("x", "contact", invert=True)
    zigbee.knows("y", "contact")

    assert of(zigbee.reads("zigbee2mqtt/x", '{"contact":true}').readings, "contact").state == "open"
    assert of(zigbee.reads("zigbee2mqtt/x", '{"opening_state":"open"}').readings, "contact").state == "closed"
    assert of(zigbee.reads("zigbee2mqtt/x", '{"contact":null}').readings, "contact").state == "unknown"
    assert of(zigbee.reads("zigbee2mqtt/y", '{"contact":true}').readings, "contact").state == "closed"


@pytest.mark.parametrize(
    ("on", "off"), [(False, True), ("leak", "no_leak"), ("ALARM", "OK"), ("1", "0"), ("triggered!", "quiet")]
)
def test_a_definition_s_values_mean_what_it_says(zigbee: Any, on: Any, off: Any) -> None:
    zigbee.knows("x", "gas")
    entry = {"type": "binary", "name": "gas", "property": "gas", "access": 1, "value_on": on, "value_off": off}
    zigbee.world.definitions["site", "x"] = {"exposes": [entry], "digest": "d"}

    assert of(zigbee.reads("zigbee2mqtt/x", json.dumps({"gas": on})).readings, "gas").state == "alarm"
    assert of(zigbee.reads("zigbee2mqtt/x", json.dumps({"gas": off})).readings, "gas").state == "clear"


@pytest.mark.parametrize(
    ("kind", "access", "says"),
    [("carbon_monoxide", 1, True), ("carbon_monoxide", 3, False), ("motion", 1, False), ("contact", 1, False)],
)
def test_alarm_without_a_word_of_what_is_believed_of_a_detector_only(
    zigbee: Any, kind: str, access: int, says: bool
) -> None:
    """A settable `alarm` is the switch of a siren."""
    zigbee.knows("x", kind)
    entry = {"type": "binary", "name": "alarm", "property": "alarm", "access": access, "value_on": True}
    zigbee.world.definitions["site", "x"] = {"exposes": [entry], "digest": f"d{access}"}

    readings = zigbee.reads("zigbee2mqtt/x", '{"alarm":true,"linkquality":1}').readings

    assert [one.state for one in readings if one.kind == kind] == (["alarm"] if says else [])


def test_alarm_beside_a_fact_of_its_own_says_nothing(zigbee: Any) -> None:
    zigbee.knows("x", "smoke")

    assert of(zigbee.reads("zigbee2mqtt/x", '{"alarm":true,"smoke":false}').readings, "smoke").state == "clear"


@pytest.mark.parametrize(
    ("type_", "kind"), [("numeric", "carbon_monoxide_concentration"), ("binary", "carbon_monoxide")]
)
def test_a_name_that_is_a_number_here_and_a_state_there_follows_the_definition(
    zigbee: Any, type_: str, kind: str
) -> None:
    zigbee.knows("x", "carbon_monoxide")
    for name in ("co", "carbon_monoxide"):
        entry = {"type": type_, "name": name, "property": name, "access": 1}
        zigbee.world.definitions["site", "x"] = {"exposes": [entry], "digest": f"{name}{type_}"}

        assert {one.kind for one in zigbee.reads("zigbee2mqtt/x", json.dumps({name: 1})).readings} == {kind}


def test_co_without_a_definition_is_a_number_and_never_an_alarm(zigbee: Any) -> None:
    zigbee.knows("x", "carbon_monoxide")

    assert facts(zigbee.reads("zigbee2mqtt/x", '{"co":1}').readings) == {("carbon_monoxide_concentration", 1.0)}


def test_definitions_keep_what_is_published_and_equal_models_share_a_digest(zigbee: Any) -> None:
    exposes = [
        {"type": "binary", "name": "gas", "property": "gas", "access": 1, "value_on": True, "value_off": False},
        {"type": "enum", "name": "selftest", "property": "selftest", "access": 2, "values": ["selftest"]},
        {"type": "switch", "features": [{"type": "binary", "name": "state", "property": "state", "access": 7}]},
        {"type": "composite", "name": "options", "property": "options", "features": [], "access": 3},
        "nonsense",
        {"type": "binary", "name": "no property"},
    ]
    devices: list[Any] = [
        {"friendly_name": "Coordinator", "type": "Coordinator", "definition": None},
        {"friendly_name": "1号楼/101/燃气", "definition": {"model": "m", "vendor": "v", "exposes": exposes}},
        {"friendly_name": "other", "definition": {"model": "m", "vendor": "v", "exposes": exposes}},
        {"friendly_name": "third", "definition": {"model": "n", "vendor": "v", "exposes": exposes}},
        {"friendly_name": 5, "definition": {}},
        "nonsense",
        None,
    ]

    decoded = zigbee.reads("zigbee2mqtt/bridge/devices", json.dumps(devices), retain=True)

    assert decoded.source == "site"
    found = decoded.definitions
    assert set(found) == {"1号楼/101/燃气", "other", "third"}
    assert [one["property"] for one in found["other"]["exposes"]] == ["gas", "state", "options"]
    assert found["other"]["digest"] == found["1号楼/101/燃气"]["digest"] != found["third"]["digest"]
    assert json.loads(json.dumps(found)) == found, "it must go into a JSON column"


@pytest.mark.parametrize("payload", ["", "[", "{}", "5", '"x"'])
def test_a_list_of_devices_that_is_none_changes_nothing(zigbee: Any, payload: str) -> None:
    decoded = zigbee.reads("zigbee2mqtt/bridge/devices", payload)

    assert decoded.definitions is None
    assert decoded.ignored or decoded.quarantine


# --- topics ---


def test_names_may_hold_slashes_spaces_and_any_script(zigbee: Any) -> None:
    for name in ("1号楼/101/入户门磁", "Gas Kitchen", "a/b/c/d", "x/availability"):
        zigbee.knows(name, "contact")
        assert zigbee.reads(f"zigbee2mqtt/{name}", '{"contact":false}').readings


@pytest.mark.parametrize(
    ("rest", "payload", "reason"),
    [
        ("x/set", '{"gas":true}', "command"),
        ("x/get", '{"gas":""}', "command"),
        ("x/set/gas", "true", "command"),
        ("1号楼/x/set", '{"smoke":true}', "command"),
        ("bridge/logging", '{"message":"payload {\\"gas\\":true}"}', "log"),
        ("bridge/request/device/remove", '{"id":"x"}', "command"),
        ("bridge/response/device/remove", '{"status":"ok"}', "reply"),
        ("bridge/info", "{}", "gateway_message"),
        ("bridge/health", "{}", "gateway_message"),
        ("bridge/event", '{"type":"device_leave"}', "gateway_message"),
        ("x/linkquality", "118", "attribute"),
        ("x/gas", "", "empty_attribute_value"),
        ("x", "", "empty_payload"),
    ],
)
def test_what_is_of_no_interest_is_ignored_with_a_reason(zigbee: Any, rest: str, payload: str, reason: str) -> None:
    zigbee.knows("x", "gas")
    decoded = zigbee.reads(f"zigbee2mqtt/{rest}", payload)

    assert (decoded.ignored, list(decoded.readings), decoded.quarantine) == (reason, [], None)


def test_an_empty_retained_payload_clears_the_topic_and_nothing_else(zigbee: Any) -> None:
    zigbee.knows("x", "gas")
    for rest in ("x", "x/availability", "unknown/availability", "bridge/state"):
        assert zigbee.reads(f"zigbee2mqtt/{rest}", "", retain=True).ignored == "retained_clear"


@pytest.mark.parametrize(
    ("rest", "payload", "reason"),
    [
        ("nobody", '{"gas":true}', "unknown_device"),
        ("nobody/gas", "true", "unknown_device"),
        ("nobody/availability", "online", "unknown_device"),
        ("x", "{", "malformed_json"),
        ("x", "\udcff", "malformed_json"),
        ("x", "[1]", "invalid_value"),
        ("x", "true", "invalid_value"),
        ("x/availability", "maybe", "invalid_value"),
        ("bridge/state", "half", "invalid_value"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_a_sentence(zigbee: Any, rest: str, payload: str, reason: str) -> None:
    """Invariant nothing-dropped."""
    zigbee.knows("x", "gas")
    decoded = zigbee.reads(f"zigbee2mqtt/{rest}", payload.encode("utf-8", "surrogateescape"))

    assert decoded.quarantine is not None
    assert decoded.quarantine[0] == reason
    assert decoded.quarantine[1].endswith(".")
    assert list(decoded.readings) == []


@pytest.mark.parametrize(
    ("rest", "payload", "kind", "fact"),
    [
        ("x/gas", "true", "gas", "alarm"),
        ("x/gas", "True", "gas", "alarm"),
        ("x/gas", "OFF", "gas", "clear"),
        ("x/gas", "null", "gas", "unknown"),
        ("x/battery", "100", "battery", 100.0),
        ("x/action", "emergency", "sos", "pressed"),
        ("x/contact", "false", "contact", "open"),
        ("x/left", '{"gas":true}', "gas", "alarm"),
    ],
)
def test_attributes_on_topics_of_their_own(zigbee: Any, rest: str, payload: str, kind: str, fact: Any) -> None:
    zigbee.knows("x", "gas")

    assert (kind, fact) in facts(zigbee.reads(f"zigbee2mqtt/{rest}", payload).readings)


@pytest.mark.parametrize("payload", ["online", '"online"', '{"state":"online"}', '{"state":"ONLINE"}', " Online\n"])
@pytest.mark.parametrize("retain", [True, False])
def test_availability_old_and_new(zigbee: Any, payload: str, retain: bool) -> None:
    zigbee.knows("1号楼/x", "gas")
    (reading,) = zigbee.reads("zigbee2mqtt/1号楼/x/availability", payload, retain=retain).readings

    assert (reading.kind, reading.state) == ("availability", "online")
    assert reading.freshness is (Freshness.RETAINED if retain else Freshness.LIVE)
    assert not reading.merged


# --- the gateway's start ---


@pytest.mark.parametrize("payload", ["online", '{"state":"online"}'])
def test_a_gateway_that_says_it_is_up_has_just_started(zigbee: Any, payload: str) -> None:
    live = zigbee.reads("zigbee2mqtt/bridge/state", payload)
    retained = zigbee.reads("zigbee2mqtt/bridge/state", payload, retain=True)
    gone = zigbee.reads("zigbee2mqtt/bridge/state", payload.replace("online", "offline"))

    assert live.gateway.state == "online"
    assert live.gateway.started_at is not None
    assert retained.gateway == GatewayWord("site", "online", None)
    assert gone.gateway == GatewayWord("site", "offline", None)


@pytest.mark.parametrize(("seconds", "startup"), [(0, True), (59, True), (61, False), (-1, False)])
def test_what_a_gateway_says_within_a_minute_of_its_start_is_marked(zigbee: Any, seconds: int, startup: bool) -> None:
    """Invariant stale-does-not-page: it publishes what it remembers; a first sight then counts as cached."""
    device = zigbee.knows("x", "gas")
    started = zigbee.reads("zigbee2mqtt/bridge/state", "online").gateway.started_at
    at = started + timedelta(seconds=seconds)

    for payload in ('{"gas":true,"battery":5}', '{"linkquality":5}'):
        for reading in zigbee.reads("zigbee2mqtt/x", payload, at=at).readings:
            assert (reading.startup, reading.merged, reading.device_id) == (startup, True, device.id)
            assert reading.freshness is Freshness.LIVE


def test_the_start_is_known_after_a_restart_of_ours(zigbee: Any) -> None:
    zigbee.knows("x", "gas")
    at = zigbee.reads("zigbee2mqtt/x", '{"gas":true}').readings[0].received_at
    zigbee.world.gateways["site", ""] = Gateway("online", at - timedelta(seconds=30))

    assert zigbee.reads("zigbee2mqtt/x", '{"gas":true}').readings[0].startup


def test_a_press_during_the_start_is_a_press(zigbee: Any) -> None:
    """Actions are not in the gateway's memory."""
    zigbee.knows("x", "sos")
    zigbee.reads("zigbee2mqtt/bridge/state", "online")

    assert not of(zigbee.reads("zigbee2mqtt/x", '{"action":"sos"}').readings, "sos").startup


def test_every_kind_that_comes_out_is_one_that_rules_may_name() -> None:
    named = {*tables.STATES.values(), *(kind for kind, _ in tables.NUMBERS.values()), "fault", "button"}

    assert named <= KINDS
    assert named >= LIFE_SAFETY_KINDS


# --- what nobody can know, and what the gateway says of itself ---


def described(description: str | None, *properties: str, **more: Any) -> dict[str, Any]:
    exposes = [{"property": one, "name": one, "type": "binary", "access": 1, "value_on": True} for one in properties]
    found = definitions(
        [{"friendly_name": "x", "definition": {"model": "m", "description": description, "exposes": exposes, **more}}]
    )
    assert found is not None
    return found["x"]


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        ("Carbon monoxide sensor", "carbon_monoxide"),
        ("Smart CO detector", "carbon_monoxide"),
        ("Smoke sensor", "smoke"),
        ("Combustible gas sensor", "gas"),
        ("Smart water leakage alarm sensor", "water_leak"),
        ("Smoke and CO detector", None),
        ("Gas valve", None),
        ("Smoke alarm with siren", None),
        (None, None),
    ],
)
def test_what_a_plain_alarm_is_about_says_the_description(
    zigbee: Any, description: str | None, kind: str | None
) -> None:
    zigbee.knows("x", "button")
    zigbee.world.definitions["site", "x"] = described(description, "alarm")

    decoded = zigbee.reads("zigbee2mqtt/x", '{"alarm":true}')

    assert [one.kind for one in decoded.readings if one.state == "alarm"] == ([kind] if kind else [])


def test_what_the_registry_says_goes_before_the_description(zigbee: Any) -> None:
    zigbee.knows("x", "gas")
    zigbee.world.definitions["site", "x"] = described("Smoke sensor", "alarm")

    assert facts(zigbee.reads("zigbee2mqtt/x", '{"alarm":true}').readings) == {("gas", "alarm")}


def test_an_alarm_of_which_nobody_knows_what_it_is_needs_a_map(zigbee: Any) -> None:
    zigbee.knows("x", "button")

    decoded = zigbee.reads("zigbee2mqtt/x", '{"alarm_1":true,"alarm_2":false}')

    assert [(one.name, one.what, one.field, one.said) for one in decoded.unmapped] == [
        ("x", "alarm_bit", "alarm_1", "true")
    ]
    assert facts(decoded.readings) == {("heartbeat", "alive")}
    assert not zigbee.reads("zigbee2mqtt/x", '{"alarm_1":false}').unmapped
    zigbee.world.definitions["site", "x"] = described("Plug-in siren", "alarm_1")
    assert not zigbee.reads("zigbee2mqtt/x", '{"alarm_1":true}').unmapped, "a siren says that it sounds"


def test_a_map_goes_before_what_we_believe(zigbee: Any) -> None:
    device = zigbee.knows("x", "smoke")
    states = {"wet": "alarm", "dry": "clear"}
    meanings = {
        "alarm_1": Mapped(kind="water_leak"),
        "state": Mapped(kind="water_leak", states=states),
        "level": Mapped(kind="gas_concentration", unit="%LEL", scale=0.1),
        "smoke": Mapped(kind=None),
    }
    zigbee.world.devices["site", "x"] = replace(device, map=meanings)

    def says(payload: str) -> set[tuple[str, Any]]:
        decoded = zigbee.reads("zigbee2mqtt/x", payload)
        assert not decoded.unmapped
        assert all(one.merged for one in decoded.readings)
        return facts(decoded.readings)

    assert says('{"alarm_1":true,"smoke":true}') == {("water_leak", "alarm")}
    assert says('{"state":"wet","battery":9}') == {("water_leak", "alarm"), ("battery", 9.0)}
    assert says('{"state":"damp"}') == {("water_leak", "unknown")}
    assert says('{"level":35}') == {("gas_concentration", 3.5)}
    # Another map, the same device: the file was edited.
    zigbee.world.devices["site", "x"] = replace(device, map={"alarm_1": Mapped(kind="gas")})
    assert says('{"alarm_1":true,"smoke":false}') == {("gas", "alarm"), ("smoke", "clear")}


def test_a_source_has_a_map_for_all_its_devices(zigbee: Any) -> None:
    meanings = {"alarm_1": Mapped(kind="water_leak")}
    reader = type(zigbee)(Source(id="site", dialect="zigbee2mqtt", base="zigbee2mqtt", map=meanings))
    reader.knows("x", "button")

    assert facts(reader.reads("zigbee2mqtt/x", '{"alarm_1":true}').readings) == {("water_leak", "alarm")}


@pytest.mark.parametrize(
    ("expose", "value", "fact"),
    [
        ({"property": "status", "type": "enum", "values": ["occupied", "falling"]}, "falling", ("fall", "alarm")),
        ({"property": "status", "type": "enum", "values": ["occupied", "falling"]}, "occupied", ("fall", "clear")),
        ({"property": "status", "type": "enum", "values": ["occupied", "falling"]}, None, ("fall", "unknown")),
        ({"property": "status", "type": "enum", "values": ["open", "stuck"]}, "stuck", None),
        ({"property": "leakage", "type": "numeric", "unit": "mA"}, 1, None),
        ({"property": "gas", "type": "numeric", "unit": "m³"}, 812, None),
        ({"property": "gas", "type": "numeric", "unit": "%LEL"}, 8, ("gas_concentration", 8.0)),
        ({"property": "vibration", "type": "binary", "access": 3, "value_on": "ON"}, "ON", None),
        ({"property": "test", "type": "enum", "access": 3, "values": ["test"]}, "test", None),
        ({"property": "battery_level", "type": "enum", "values": ["low", "high"]}, "low", ("battery", "low")),
        ({"property": "battery_state", "type": "enum", "values": ["no_charge"]}, "no_charge", None),
        ({"property": "fault", "type": "enum", "values": ["none", "probe_fault"]}, "probe_fault", ("fault", "alarm")),
        ({"property": "fault", "type": "enum", "values": ["none", "probe_fault"]}, "none", ("fault", "clear")),
        (
            {"property": "channel_3_leak_detect_19", "type": "binary", "value_on": "Leak"},
            "Leak",
            ("water_leak", "alarm"),
        ),
        (
            {"property": "endoflife", "type": "enum", "values": ["normal", "expired"]},
            "expired",
            ("end_of_life", "alarm"),
        ),
        ({"property": "preheating", "type": "enum", "values": ["normal"]}, "preheating", ("warmup", "active")),
    ],
)
def test_what_a_property_is_says_its_definition(zigbee: Any, expose: Any, value: Any, fact: Any) -> None:
    zigbee.knows("x", "button")
    found = definitions([{"friendly_name": "x", "definition": {"exposes": [{"access": 1, **expose}]}}])
    zigbee.world.definitions["site", "x"] = found["x"] if found else {}

    said = facts(zigbee.reads("zigbee2mqtt/x", json.dumps({expose["property"]: value})).readings)

    assert said == {fact or ("heartbeat", "alive")}


def test_a_fault_of_an_enumeration_names_it(zigbee: Any) -> None:
    zigbee.knows("x", "gas")
    expose = {"property": "fault", "type": "enum", "access": 1, "values": ["none", "probe_fault"]}
    found = definitions([{"friendly_name": "x", "definition": {"exposes": [expose]}}])
    zigbee.world.definitions["site", "x"] = found["x"] if found else {}

    assert of(zigbee.reads("zigbee2mqtt/x", '{"fault":"probe_fault"}').readings, "fault").detail == "probe_fault"
