"""What codecs of makers say, and bare bytes; whichever network server passes them on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dialects.lorawan import Uplink, read_uplink
from ingest.dialects.lorawan_makers import MAKERS, SIGNS, maker_of
from ingest.message import Message
from rules.community import Device, Mapped
from rules.readings import Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def told(said: Any, *hints: str, data: bytes | None = None, port: int | None = None, **more: Any) -> Any:
    device = Device(id="d", home_id="h", kind=more.pop("kind", ""), source="s", name="n", **more)
    return read_uplink(Uplink(said, data, port, hints), device, Message("t", b"", False, NOON))


def short(told: Any) -> dict[str, Any]:
    """Kinds with their states or numbers, without what is only measured; what needs a map as `map:field`."""
    facts = {
        one.kind: one.state if one.value is None else one.value if one.state is None else (one.state, one.value)
        for one in told.readings
        if one.kind != "measurement" and one.freshness is not Freshness.HISTORIC
    }
    if told.unmapped and facts.get("heartbeat") == "alive":
        del facts["heartbeat"]
    return facts | {f"map:{one.field}": one.said for one in told.unmapped}


# --- by codec ---

DRAGINO = ("dragino", "lds02")
CODECS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # Dragino: ALARM is "open for too long".
    ("", {"BAT_V": 2.958, "MOD": 1, "DOOR_OPEN_STATUS": 1, "DOOR_OPEN_TIMES": 29, "ALARM": 1},
     {"battery_voltage": 2.958, "contact": "open"}),
    ("", {"BAT_V": 2.9, "MOD": 1, "DOOR_OPEN_STATUS": 0, "ALARM": 0}, {"battery_voltage": 2.9, "contact": "closed"}),
    ("", {"BAT_V": 3.0, "MOD": 2, "WATER_LEAK_STATUS": 1, "WATER_LEAK_TIMES": 3},
     {"battery_voltage": 3.0, "water_leak": "alarm"}),
    # Its newer codec always gives both, and a door sensor feels no water.
    ("dragino lds02", {"BatV": 3.1, "door_open_status": 1, "water_leak_status": 0, "mod": 1, "alarm": 0},
     {"battery_voltage": 3.1, "contact": "open"}),
    ("dragino lwl02", {"BatV": 3.1, "door_open_status": 0, "water_leak_status": 1, "mod": 2},
     {"battery_voltage": 3.1, "water_leak": "alarm"}),
    ("dragino lwl02", {"door_open_status": 0, "water_leak_status": 0, "mod": 3},
     {"contact": "closed", "water_leak": "clear"}),
    ("", {"TDC": "YES", "ALARM": "FALSE", "WATER_LEAK_STATUS": "LEAK", "TIME": "2026-11-23 11:00:00"},
     {"water_leak": "alarm"}),
    ("", {"ALARM": "TRUE", "WATER_LEAK_STATUS": "NO LEAK"}, {"water_leak": "clear"}),
    ("", {"ALARM": "FALSE", "DOOR_OPEN_STATUS": "OPEN"}, {"contact": "open"}),
    ("", {"DOOR1_OPEN_STATUS": "CLOSE", "DOOR2_OPEN_STATUS": "OPEN", "ALARM1": "FALSE"}, {"contact": "open"}),
    ("", {"DOOR_OPEN_STATUS": None, "MOD": 1}, {"contact": "unknown"}),
    ("dragino sn50v3", {"battery": 3.3, "door_status": "OPEN", "Digital_IStatus": "H", "exti_trigger": "TRUE"},
     {"battery_voltage": 3.3, "contact": "open", "map:Digital_IStatus": "H"}),
    ("dragino lht65n", {"BatV": 3.0, "Bat_status": 0, "TempC_SHT": 21.5}, {"battery_voltage": 3.0, "battery": "low"}),
    ("dragino pb01-l", {"BatV": 3.0, "Alarm": "TRUE", "Sound_key": "OPEN"}, {"battery_voltage": 3.0, "sos": "pressed"}),
    ("", {"Alarm": "FALSE", "Sound_key": "OPEN"}, {"sos": "cleared"}),
    ("dragino trackerd", {"BatV": 3.9, "ALARM_status": "TRUE"}, {"battery_voltage": 3.9, "sos": "pressed"}),
    # Milesight
    ("", {"battery": 92, "temperature": 30.8, "magnet_status": "open"}, {"battery": 92.0, "contact": "open"}),
    ("", {"battery": 3, "magnet_status": "close"}, {"battery": 3.0, "contact": "closed"}),
    ("", {"magnet_status": 1, "tamper_status": 0}, {"contact": "open", "tamper": "clear"}),
    ("", {"magnet_status": "unknown"}, {"contact": "unknown"}),
    ("", {"tamper_status": "uninstalled"}, {"tamper": "alarm"}),
    ("", {"leakage_status": "leak"}, {"water_leak": "alarm"}),
    ("", {"leakage_status": "normal"}, {"water_leak": "clear"}),
    ("", {"battery": 16, "pir": "trigger", "daylight": "dark"}, {"battery": 16.0, "motion": "detected"}),
    ("", {"pir": "normal"}, {"motion": "clear"}),
    ("milesight ws203", {"occupancy": "vacant"}, {"motion": "clear"}),
    ("milesight vs370", {"occupancy": "occupied"}, {"presence": "detected"}),
    ("", {"battery": 16, "button_event": {"status": "short press", "msgid": 1}}, {"battery": 16.0, "button": "single"}),
    ("", {"button_event": {"status": "long press"}}, {"button": "long"}),
    ("milesight gs101", {"gas_status": "alarm"}, {"gas": "alarm"}),
    ("milesight gs101", {"gas_status": "abnormal"}, {"gas": "alarm"}),
    ("milesight gs101", {"gas_status": "normal", "valve_status": "on"}, {"gas": "clear"}),
    ("milesight gs101", {"gas_status": "normal", "alarm": "device fault"}, {"gas": "unknown", "fault": "alarm"}),
    ("milesight gs101", {"gas_status": "alarm", "alarm": "device fault"}, {"gas": "alarm", "fault": "alarm"}),
    ("milesight gs101", {"gas_status": "normal", "alarm": "device will be invalid soon"},
     {"gas": "clear", "end_of_life": "alarm"}),
    ("milesight gs101", {"gas_status": "normal", "alarm": "device invalid"},
     {"gas": "unknown", "end_of_life": "alarm"}),
    ("milesight gs101", {"alarm": "power off"}, {"availability": "offline"}),
    ("", {"type": "smoke sensor", "event": "alarm", "concentration": 12, "battery": 80},
     {"smoke": "alarm", "smoke_concentration": 12.0, "battery": 80.0}),
    ("", {"type": "smoke sensor", "event": "normal", "concentration": 0},
     {"smoke": "clear", "mute": "off", "smoke_concentration": 0.0}),
    ("", {"type": "smoke sensor", "event": "testing alarm with normal battery", "concentration": 0},
     {"smoke": "clear", "test": "active", "battery": "ok", "smoke_concentration": 0.0}),
    ("", {"type": "smoke sensor", "event": "testing alarm with low battery"},
     {"smoke": "unknown", "test": "active", "battery": "low"}),
    ("", {"type": "smoke sensor", "event": "silent"}, {"smoke": "unknown", "mute": "on"}),
    ("", {"type": "smoke sensor", "event": "failover"}, {"smoke": "unknown", "fault": "alarm"}),
    ("", {"type": "smoke sensor", "event": "removed"}, {"smoke": "unknown", "tamper": "alarm"}),
    ("", {"type": "smoke sensor", "event": "something new"}, {"smoke": "unknown"}),
    ("", {"smoke_status": "smoke alarm"}, {"smoke": "alarm"}),
    ("milesight vs373", {"detection_status": "fall", "target_status": "abnormal"}, {"fall": "alarm"}),
    ("", {"detection_status": "out_of_bed"}, {"fall": "clear"}),
    ("", {"fall_alarm": {"alarm_id": "1, 2", "alarm_status": "1, 2"}}, {"fall": "alarm"}),
    ("", {"fall_alarm": {"alarm_id": "2", "alarm_status": "2"}}, {"fall": "clear"}),
    ("", {"fall_alarm": {"alarm_status": "3"}}, {"fall": "unknown"}),
    ("", {"lying_alarm": {"alarm_status": "1"}}, {"fall": "warning"}),
    ("milesight vs373", {"events": [{"alarm_id": 1, "alarm_type": "fall", "alarm_status": "alarm_triggered"}]},
     {"fall": "alarm"}),
    ("milesight vs373", {"events": [{"alarm_type": "out_of_bed", "alarm_status": "alarm_triggered"}]},
     {"heartbeat": "alive"}),
    ("milesight em300-di", {"gpio": "high", "battery": 50}, {"battery": 50.0, "map:gpio": "high"}),
    ("", {"battery": 98, "door": "open", "install": "no"}, {"battery": 98.0, "contact": "open", "tamper": "alarm"}),
    ("milesight ts302", {"magnet_chn1": "opened", "magnet_chn2": "closed"}, {"contact": "open"}),
    ("milesight ws136", {"button_1_event": "short_press", "button_1_mode": 3}, {"button": "single"}),
    # SenseCAP
    ("", {"valid": True, "messages": [[{"type": "Battery", "measurementValue": 95},
     {"type": "Event Status", "measurementValue": [{"id": 7, "eventName": "SOS event."}]}]]},
     {"battery": 95.0, "sos": "pressed", "map:valid": "true"}),
    ("", {"messages": [[
        {"type": "Event Status", "measurementValue": [{"id": 1, "eventName": "Start moving event."}]}]]},
     {"heartbeat": "alive"}),
    ("", {"temperature": 20, "discovery": {"sensors": "x", "smoke": True}}, {"heartbeat": "alive"}),
    # Netvox
    ("netvox", {"Device": "R311A", "Volt": 3.1, "OnOff": 1}, {"contact": "open", "battery_voltage": 3.1}),
    ("", {"Device": "R718F", "Volt": "2.3(low battery)", "OnOff": 0},
     {"contact": "closed", "battery_voltage": 2.3, "battery": "low"}),
    ("netvox", {"Device": "R718J", "Volt": 3.1, "status": 1}, {"battery_voltage": 3.1, "map:status": "1"}),
    ("netvox", {"Device": "R718DA", "status": 1}, {"vibration": "detected"}),
    ("netvox", {"Device": "R311W", "WaterLeak_1": "NoLeak", "WaterLeak_2": "Leak"}, {"water_leak": "alarm"}),
    ("netvox", {"Device": "R718WA", "WaterLeak": "NoLeak"}, {"water_leak": "clear"}),
    ("netvox", {"Device": "RA02A", "FireAlarm": "No Alarm", "HighTempAlarm": "No Alarm"}, {"smoke": "clear"}),
    ("netvox", {"Device": "RA02A", "FireAlarm": "Alarm"}, {"smoke": "alarm"}),
    ("netvox", {"Device": "RA02A", "FireAlarm": "No Alarm", "HighTempAlarm": "Alarm"}, {"smoke": "alarm"}),
    ("netvox", {"Device": "RA02C", "COAlarm": "Alarm", "HighTempAlarm": "No Alarm"}, {"carbon_monoxide": "alarm"}),
    ("netvox", {"Device": "RA02C", "COAlarm": "No Alarm"}, {"carbon_monoxide": "clear"}),
    ("netvox", {"Device": "RB02I", "Alarm": 1}, {"sos": "pressed"}),
    ("netvox", {"Device": "RB02I", "Alarm": 0}, {"sos": "cleared"}),
    ("netvox", {"Device": "RB11E", "Occupy": 1, "DisassembledAlarm": 0}, {"motion": "detected", "tamper": "clear"}),
    # Elsys
    ("", {"accMotion": 0, "humidity": 32, "vdd": 3550, "x": -3}, {"motion": "clear", "battery_voltage": 3.55}),
    ("elsys ers", {"motion": 7}, {"motion": "detected"}),
    ("elsys eye", {"occupancy": 2}, {"presence": "detected"}),
    ("elsys", {"occupancy": 0}, {"presence": "clear"}),
    ("elsys", {"waterleak": 0}, {"water_leak": "clear"}),
    ("elsys", {"waterleak": 120}, {"water_leak": "alarm"}),
    ("elsys ems", {"digital": 1}, {"map:digital": "1"}),
    # Browan; what `status` is only the model, or its port, tells.
    ("browan tbdw100", {"status": 1, "battery": 3.6, "temperatureBoard": 21},
     {"contact": "open", "battery_voltage": 3.6}),
    ("browan tbdw100", {"status": 0}, {"contact": "closed"}),
    ("tbms100", {"status": 1}, {"motion": "detected"}),
    ("tbwl100", {"status": 1}, {"water_leak": "alarm"}),
    ("tbwl100", {"status": 0}, {"water_leak": "clear"}),
    ("tbpb100", {"status": 1}, {"button": "single"}),
    ("", {"status": 1, "temperatureBoard": 21}, {"map:status": "1"}),
    # MClimate, Tektelic, Radio Bridge, Adeunis, Sensative, Yobiiq, Decentlab
    ("mclimate flood-sensor", {"reason": "floodDetected", "boxTamper": False, "flood": True, "battery": 3.1},
     {"water_leak": "alarm", "tamper": "clear", "battery_voltage": 3.1}),
    ("", {"reason": "testButtonPressed", "boxTamper": False, "flood": False},
     {"water_leak": "clear", "tamper": "clear", "test": "active"}),
    ("mclimate pir-mini", {"occupied": True, "batteryVoltage": 2.9}, {"presence": "detected", "battery_voltage": 2.9}),
    ("tektelic", {"reed_state": 255}, {"contact": "open"}),
    ("", {"reed_state": 0, "battery_voltage": 3.1}, {"contact": "closed", "battery_voltage": 3.1}),
    ("tektelic", {"moisture": 255}, {"water_leak": "alarm"}),
    ("tektelic", {"moisture": 0}, {"water_leak": "clear"}),
    ("tektelic", {"motion_event_state": 255, "external_connector_state": 0},
     {"motion": "detected", "map:external_connector_state": "0"}),
    ("", {"Protocol": 1, "Counter": 3, "Type": "DOOR/WINDOW", "DoorWindow": {"Event": "Open"}}, {"contact": "open"}),
    ("radio bridge", {"Type": "WATER", "Water": {"Event": "Water Present", "Relative": 128}}, {"water_leak": "alarm"}),
    ("radio bridge", {"Type": "WATER", "Water": {"Event": "Water Not Present"}}, {"water_leak": "clear"}),
    ("radio bridge", {"Type": "TAMPER", "Tamper": {"Event": "Open"}}, {"tamper": "alarm"}),
    ("radio bridge", {"Type": "BUTTON", "Button": {"Event": "Button 1", "State": "Pressed"}}, {"button": "press"}),
    ("", {"Supervisory": {"TamperState": 0, "BatteryLow": 1, "Battery": "2.4V"}},
     {"tamper": "clear", "battery": "low", "battery_voltage": 2.4}),
    ("adeunis motion", {"bytes": {"type": "0x5d Motion presence alarm", "alarmPresence": {"alarmStatus": "active"},
     "status": {"lowBattery": False}}}, {"motion": "detected", "battery": "ok"}),
    ("sensative strips", {"battery": 99, "floodAlarm": {"value": True}, "tamperReport": {"value": False}},
     {"battery": 99.0, "water_leak": "alarm", "tamper": "clear"}),
    ("sensative strips", {"door": {"value": True}}, {"map:door.value": "true"}),
    ("", {"smokeAlarm": "Alarm", "faultAlarm": "Normal", "lowBatteryAlarm": "Normal", "testButtonPressed": "Normal",
     "interconnectAlarm": "Normal", "batteryLevelInPercentage": 88},
     {"smoke": "alarm", "fault": "clear", "battery": ("ok", 88.0), "test": "inactive"}),
    ("yobiiq", {"smokeAlarm": "Normal", "testButtonPressed": "Pushed"}, {"smoke": "clear", "test": "active"}),
    ("decentlab dl-ctd10", {"battery_voltage": {"displayName": "Battery", "unit": "V", "value": 3.01}},
     {"battery_voltage": 3.01}),
    # Codecs nobody knows.
    ("", {"test_key": 42}, {}),
    ("", {"temperature_c": 29.9, "humidity_pct": 29.6, "battery_v": 3.62}, {"battery_voltage": 3.62}),
    ("", {"battery": 3.6}, {"battery_voltage": 3.6}),
    ("", {"battery": 3550}, {"battery_voltage": 3.55}),
    ("", {"battery": 87}, {"battery": 87.0}),
    ("", {"battery": 3}, {"heartbeat": "alive"}),
    ("", {"smoke": True}, {"smoke": "alarm"}),
    ("", {"status": {"smokeAlarm": 1, "batteryLow": 0, "smokeChamberFailure": 0}},
     {"smoke": "alarm", "battery": "ok", "fault": "clear"}),
    ("", {"status": {"smokeAlarm": 0, "smokeChamberFailure": 1}}, {"smoke": "unknown", "fault": "alarm"}),
    ("", {"gas_leak": "detected"}, {"gas": "alarm"}),
    ("", {"water": {"leak": True}}, {"water_leak": "alarm"}),
    ("", {"action": {"contactState": "open", "motion": {"detected": True}}}, {"contact": "open", "motion": "detected"}),
    ("", {"door": "open"}, {"contact": "open"}),
    ("", {"door": 1}, {"map:door": "1"}),
    ("", {"door_open": 1}, {"contact": "open"}),
    ("", {"doorOpen": False}, {"contact": "closed"}),
    ("", {"co2": 900, "co2_alarm": True}, {"map:co2_alarm": "true"}),
    ("", {"panic": 1}, {"sos": "pressed"}),
    ("", {"alarm": True}, {"map:alarm": "true"}),
    ("", {"event": "armed"}, {"map:event": "armed"}),
    ("", {"smoke_threshold": 12, "config": {"smoke": True}, "smoke_alarm_enabled": True}, {"heartbeat": "alive"}),
    ("", {"warmup": True, "gas_alarm": False}, {"warmup": "active", "gas": "unknown"}),
    ("", {}, {"heartbeat": "alive"}),
]  # fmt: skip


@pytest.mark.parametrize(("hints", "said", "facts"), CODECS)
def test_what_a_codec_says(hints: str, said: dict[str, Any], facts: dict[str, Any]) -> None:
    assert short(told(said, *hints.split())) == facts


@pytest.mark.parametrize(
    "value", [None, "", "unavailable", "unknown", "error", -1, 999, float("nan"), [], {}, "?", 17.5]
)
@pytest.mark.parametrize(
    ("field", "hints"),
    [
        ("DOOR_OPEN_STATUS", "dragino"), ("WATER_LEAK_STATUS", "dragino"), ("magnet_status", "milesight"),
        ("leakage_status", "milesight"), ("gas_status", "gs101"), ("smoke_status", "milesight"),
        ("FireAlarm", "netvox ra02a"), ("COAlarm", "netvox ra02c"), ("OnOff", "netvox r311a"), ("flood", "mclimate"),
        ("status", "tbdw100"), ("status", "tbwl100"), ("reed_state", "tektelic"), ("smokeAlarm", "yobiiq"),
        ("floodAlarm", "sensative"), ("smoke", ""), ("gas_alarm", ""), ("door_open", ""), ("detection_status", ""),
    ],
)  # fmt: skip
def test_what_is_not_known_is_never_clear(field: str, hints: str, value: Any) -> None:
    """Invariant unknown-is-not-clear."""
    states = {one.state for one in told({field: value}, *hints.split()).readings if one.kind != "fault"}
    assert not states & {"clear", "closed", "alarm", "open"}


def test_the_makers_that_signs_point_to_are_known() -> None:
    assert set(SIGNS.values()) <= set(MAKERS)


@pytest.mark.parametrize(
    ("words", "maker"),
    [
        ("test device-profile", ""),
        ("dragino lds02 eu868", "dragino"),
        ("ws301-868m", "milesight"),
        ("milesight vs373", "milesight radar"),
        ("netvox r311a", "netvox contact"),
        ("tbwl100", "browan leak"),
        ("browan tabs door & window sensor", "browan contact"),
        ("merryiot motion detection", "browan motion"),
        ("elsys ers co2", "elsys"),
        ("kitchen 301", ""),
    ],
)
def test_a_maker_is_found_in_words(words: str, maker: str) -> None:
    assert maker_of(words) == maker


def test_vendor_and_model_in_the_file_go_before_what_a_profile_is_called() -> None:
    assert short(told({"status": 1}, "sensors 868", vendor="Browan", model="TBWL100")) == {"water_leak": "alarm"}


def test_an_alarm_is_what_the_device_is_there_for() -> None:
    assert short(told({"alarm": True}, kind="gas")) == {"gas": "alarm"}
    assert short(told({"alarm": 0}, kind="smoke")) == {"smoke": "clear"}
    assert short(told({"alarm": "?"}, kind="smoke")) == {"smoke": "unknown"}
    assert short(told({"alarm": True}, kind="contact")) == {"map:alarm": "true"}


def test_a_button_that_is_there_for_help_asks_for_it() -> None:
    assert short(told({"button_event": {"status": "short press"}}, kind="sos")) == {"sos": "pressed"}
    assert short(told({"button_event": {"status": "unknown"}}, kind="sos")) == {"heartbeat": "alive"}


def test_an_alarm_while_the_test_button_is_pressed_is_a_tests() -> None:
    result = told({"smokeAlarm": "Alarm", "testButtonPressed": "Pushed"}, "yobiiq")
    assert [one.under_test for one in result.readings if one.kind == "smoke"] == [True]


def test_a_map_goes_before_everything() -> None:
    mine = {"digital": Mapped(kind="contact", states={"1": "open", "0": "closed"}), "ALARM": Mapped(kind="tamper")}
    assert short(told({"digital": 1}, "elsys", map=mine)) == {"contact": "open"}
    assert short(told({"DOOR_OPEN_STATUS": 0, "ALARM": 1}, map=mine)) == {"contact": "closed", "tamper": "alarm"}
    nested = {"door.value": Mapped(kind="contact", states={"true": "closed", "false": "open"})}
    assert short(told({"door": {"value": True}}, "sensative", map=nested)) == {"contact": "closed"}


def test_samples_of_earlier_times_are_history() -> None:
    """Invariant stale-does-not-page."""
    then = NOON - timedelta(hours=2)
    said = {"magnet_status": "close", "history": [{"magnet_status": "open", "timestamp": int(then.timestamp())}]}
    contacts = [one for one in told(said).readings if one.kind == "contact"]
    assert [(one.state, one.freshness, one.observed_at) for one in contacts] == [
        ("closed", Freshness.LIVE, None),
        ("open", Freshness.HISTORIC, then),
    ]


# --- without a codec ---

BYTES: list[tuple[str, int, str, dict[str, Any]]] = [
    ("milesight em300-mcs", 85, "01755C03673401046865060001", {"battery": 92.0, "contact": "open"}),
    ("milesight ws301", 85, "017564030000040001", {"battery": 100.0, "contact": "closed", "tamper": "alarm"}),
    ("milesight ws303", 85, "017564030001", {"battery": 100.0, "water_leak": "alarm"}),
    ("milesight em300-zld", 85, "01755C03673401046865050000", {"battery": 92.0, "water_leak": "clear"}),
    ("milesight ws202", 85, "017510030001040000", {"battery": 16.0, "motion": "detected"}),
    ("milesight ws203", 85, "01756403673401046865050000", {"battery": 100.0, "motion": "clear"}),
    ("milesight vs370", 85, "017564030001040000", {"battery": 100.0, "presence": "detected"}),
    ("milesight ws101", 85, "017510FF2E01", {"battery": 16.0, "button": "single"}),
    ("milesight ts302", 85, "017514030001040000", {"battery": 20.0, "contact": "open"}),
    ("milesight vs341", 85, "017564030000", {"battery": 100.0, "presence": "clear"}),
    ("milesight gs101", 85, "058E01", {"gas": "alarm"}),
    ("milesight gs101", 85, "058E00FF3F02", {"gas": "unknown", "fault": "alarm"}),
    ("milesight gs524n", 85, "221E64001C40",
     {"smoke": "clear", "test": "active", "battery": ("ok", 100.0), "smoke_concentration": 0.0}),
    ("milesight gs524n", 85, "221164201C2D", {"smoke": "alarm", "battery": 100.0, "smoke_concentration": 32.0}),
    ("milesight gs524n", 85, "221164201C0C", {"map:data": "221164201c0c"}),
    ("milesight vs373", 85, "03F8040000000000", {"fall": "alarm"}),
    ("milesight vs373", 85, "06FB01000001FF", {"fall": "alarm"}),
    ("milesight vs373", 85, "06FB01000301FF", {"heartbeat": "alive"}),
    ("milesight em300-mcs", 85, "FF0B01FF166745B45678901234060000", {"contact": "closed"}),
    ("dragino lds02", 10, "8B8E010000 1D000000 00", {"contact": "open", "battery_voltage": 2.958}),
    ("dragino lds02", 10, "0B88010025 00000100 00", {"contact": "closed", "battery_voltage": 2.952}),
    ("dragino lwl02", 10, "4B88020000 01000000 00", {"water_leak": "alarm", "battery_voltage": 2.952}),
    ("dragino lwl03a", 2, "01000001000000656F0000", {"water_leak": "alarm"}),
    ("dragino lds03a", 2, "00000001000000656F0000", {"contact": "closed"}),
    ("dragino lds03a", 5, "0A010001000BB8", {"battery_voltage": 3.0}),
    ("dragino pb01-l", 2, "0BB80001 00D70150", {"sos": "pressed", "battery_voltage": 3.0}),
    ("dragino trackerd", 2, "01D39E0A06330C004F3C6000D7000000", {"sos": "pressed", "battery_voltage": 3.9}),
    ("browan tbdw100", 100, "010B350000000000", {"contact": "open", "battery_voltage": 3.6}),
    ("browan tbms100", 102, "000B350000000000", {"motion": "clear", "battery_voltage": 3.6}),
    ("browan", 106, "010B35324500", {"water_leak": "alarm", "battery_voltage": 3.6}),
    ("netvox r311a", 6, "0102011F01000000000000", {"contact": "open", "battery_voltage": 3.1}),
    ("netvox", 6, "010A019F01000000000000", {"smoke": "alarm", "battery": "low", "battery_voltage": 3.1}),
    ("netvox", 6, "0111011F00000000000000", {"carbon_monoxide": "clear", "battery_voltage": 3.1}),
    ("netvox", 6, "0106011F00010000000000", {"water_leak": "alarm", "battery_voltage": 3.1}),
    ("netvox", 6, "0110011F01000000000000", {"sos": "pressed", "battery_voltage": 3.1}),
    ("elsys ers", 5, "01013202200 3FDF9400403D707 0DDE0F00", {"motion": "clear", "battery_voltage": 3.55}),
    ("mclimate flood-sensor", 2, "42C3", {"water_leak": "alarm", "tamper": "clear", "battery_voltage": 3.12}),
    ("mclimate flood-sensor", 2, "20C3",
     {"water_leak": "clear", "tamper": "clear", "battery_voltage": 3.12, "test": "active"}),
    ("radio bridge rbs301-dws", 2, "100301", {"contact": "open"}),
    ("radio bridge", 2, "10080080", {"water_leak": "alarm"}),
    ("radio bridge", 2, "100201", {"tamper": "clear"}),
    ("yobiiq sd-1001", 8, "010064050001", {"battery": 100.0, "smoke": "alarm"}),
    ("tektelic home sensor", 10, "00BA0C1C0100FF", {"contact": "open", "battery_voltage": 3.1}),
    ("tektelic", 10, "0900FF0A0000", {"water_leak": "alarm", "motion": "clear"}),
    ("", 1, "aa", {"map:data": "aa"}),
    ("milesight am107", 85, "01755C", {"map:data": "01755c"}),
    ("milesight ws301", 85, "01", {"map:data": "01"}),
    ("dragino lds02", 10, "8B8E", {"battery_voltage": 2.958}),
]  # fmt: skip


@pytest.mark.parametrize(("hints", "port", "payload", "facts"), BYTES)
def test_what_bare_bytes_say(hints: str, port: int, payload: str, facts: dict[str, Any]) -> None:
    result = short(told(None, *hints.split(), data=bytes.fromhex(payload.replace(" ", "")), port=port))
    assert result == facts


@pytest.mark.parametrize(
    ("hints", "port", "payload"),
    [
        ("milesight em300-mcs", 85, "20CE{:08x}10015D01"),
        ("milesight em300-sld", 85, "20CE{:08x}10015D01"),
        ("dragino lwl03a", 3, "0100000100000 0{}"),
    ],
)
def test_bytes_of_earlier_times_are_history(hints: str, port: int, payload: str) -> None:
    """Invariant stale-does-not-page."""
    then = int((NOON - timedelta(hours=3)).timestamp())
    if "{:08x}" in payload:
        raw = bytes.fromhex(payload.format(int.from_bytes(then.to_bytes(4, "little"), "big")))
    else:
        raw = bytes.fromhex("01000001000000") + then.to_bytes(4, "big")
    past = [one for one in told(None, *hints.split(), data=raw, port=port).readings if one.state in {"alarm", "open"}]
    assert [(one.freshness, one.observed_at) for one in past] == [
        (Freshness.HISTORIC, datetime.fromtimestamp(then, UTC))
    ]


def test_bytes_that_nobody_knows_can_be_written_down() -> None:
    mine = {"data": Mapped(kind="sos", states={"01": "pressed"})}
    assert short(told(None, data=b"\x01", port=1, map=mine)) == {"sos": "pressed"}


# --- anything at all ---

_KEYS = st.sampled_from(
    ["alarm", "alarm_type", "alarm_status", "battery", "config", "Device", "door", "DOOR_OPEN_STATUS", "event",
     "events", "flood", "gas_status", "history", "magnet_status", "MOD", "reason", "smoke", "status", "type", "value",
     "x", "", "燃气"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | st.sampled_from(["open", "alarm"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_HINTS = st.sampled_from(["", *MAKERS, "em300-mcs", "lds02", "vs373", "gs101", "trackerd", "tbdw100"])


@given(said=_VALUES, hint=_HINTS, port=st.none() | st.integers(0, 255), data=st.none() | st.binary(max_size=30))
def test_no_uplink_is_too_much(said: Any, hint: str, port: int | None, data: bytes | None) -> None:
    """Invariant nothing-dropped: whatever it is, it is a sign of life."""
    for maker in (hint, ""):
        assert told(said, maker, data=data, port=port, kind="smoke").readings


@given(hint=_HINTS, port=st.integers(0, 255), data=st.binary(max_size=40))
def test_bytes_cut_short_say_no_less_than_that_it_lives(hint: str, port: int, data: bytes) -> None:
    """Invariant nothing-dropped."""
    assert told(None, hint, data=data, port=port).readings
