import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.decode import Decoded, Decoder, Gateway, World
from ingest.message import Message
from rules.community import Device, Mapped, Source
from rules.readings import KINDS, Freshness

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NAIVE = "2026-11-23T20:00:00"
Summary = Callable[[Decoded], dict[str, Any]]


@pytest.fixture
def site(source: Any) -> Any:
    made = source("tasmota")
    # The bridge has been heard before: its first message says so beside everything else.
    made.world.gateways["s", "zb"] = Gateway("online")
    return made


def zb(name: str = "0x8F20", /, **fields: Any) -> str:
    return json.dumps({"ZbReceived": {name: {"Device": "0x8F20", **fields, "Endpoint": 1, "LinkQuality": 70}}})


# --- Zigbee ---


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Contact": 1}, {"contact": "open"}),
        ({"Contact": 0}, {"contact": "closed"}),
        ({"Contact": None}, {"contact": "unknown"}),
        ({"Contact": 2}, {"contact": "unknown"}),
        ({"Contact": "0"}, {"contact": "unknown"}),
        ({"Fire": 1}, {"smoke": "alarm"}),
        ({"Fire": 0, "Fire2": 1}, {"smoke": "alarm"}),
        ({"Fire": 0}, {"smoke": "clear"}),
        ({"Water": 1}, {"water_leak": "alarm"}),
        ({"Water": 0}, {"water_leak": "clear"}),
        ({"CO": 1}, {"carbon_monoxide": "alarm"}),
        ({"CO": 0}, {"carbon_monoxide": "clear"}),
        ({"PersonalAlarm": 1}, {"sos": "pressed"}),
        ({"Panic": 0}, {"sos": "cleared"}),
        ({"Occupancy": 1, "Illuminance": 12}, {"motion": "detected", "measurement:illuminance": 12.0}),
        ({"Occupancy": 0}, {"motion": "clear"}),
        ({"Occupancy2": 1}, {"motion": "detected"}),
        ({"Movement": 1}, {"vibration": "detected"}),
        ({"AqaraVibrationMode": "drop"}, {"vibration": "detected"}),
        ({"AqaraVibrationMode": "unknown"}, {"heartbeat": "alive"}),
        ({"Tamper": 1, "BatteryLow": 1}, {"tamper": "alarm", "battery": "low"}),
        ({"MainsFault": 1, "BatteryDefect": 1}, {"fault": "alarm"}),
        ({"Test": 1, "Fire": 1}, {"test": "active", "smoke": "alarm"}),
        ({"BatteryPercentage": 97, "BatteryVoltage": 3.1}, {"battery": 97.0, "battery_voltage": 3.1}),
        ({"Voltage": 2.995, "Battery": 98}, {"battery": 98.0, "battery_voltage": 2.995}),
        ({"Voltage": 230}, {"heartbeat": "alive"}),
        ({"GasDensity": 4}, {"gas_concentration": 4.0}),
        ({"Temperature": 21.5}, {"measurement:temperature": 21.5}),
        ({"Reachable": False}, {"availability": "offline"}),
        ({"Reachable": True}, {"availability": "online"}),
        ({"Power": 1}, {"heartbeat": "alive"}),
        ({"EF00/0101": 1}, {"map:EF00/0101": "1", "heartbeat": "alive"}),
        ({"0402/0001": 5, "ModelId": "m"}, {"heartbeat": "alive"}),
    ],
)
def test_what_a_zigbee_device_says(site: Any, summary: Summary, fields: dict[str, Any], said: dict[str, Any]) -> None:
    """Contact 1 is open, the opposite of Zigbee2MQTT; what says nothing is unknown (unknown-is-not-clear)."""
    assert summary(site.says("tele/zb/SENSOR", zb(**fields))) == said


ALL_WELL = {"tamper": "clear", "battery": "ok", "test": "inactive", "fault": "clear"}


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"0500!00": "010000FF0000"}, "water_leak", {"water_leak": "alarm"}),
        ({"0500!00": "000000FF0000"}, "water_leak", {"water_leak": "clear"}),
        ({"0500<00": "020000000000"}, "smoke", {"smoke": "alarm"}),
        ({"0500?00": "010000000000"}, "smoke", {"smoke": "alarm"}),
        ({"0500<00": "010000000000", "ZoneStatusChange": 1}, "gas", {"gas": "alarm"}),
        ({"ZoneStatusChange": 0}, "gas", {"gas": "clear"}),
        ({"ZoneStatus": 1}, "contact", {"contact": "open"}),
        ({"ZoneStatus": 2}, "contact", {"contact": "closed"}),
        ({"ZoneStatusChange": 1}, "motion", {"motion": "detected"}),
        ({"ZoneStatusChange": 1}, "sos", {"sos": "pressed"}),
        ({"ZoneStatusChange": 1}, "carbon_monoxide", {"carbon_monoxide": "alarm"}),
        ({"ZoneStatusChange": 4}, "smoke", {"smoke": "clear", "tamper": "alarm"}),
        ({"ZoneStatusChange": 8}, "smoke", {"smoke": "clear", "battery": "low"}),
        ({"ZoneStatusChange": 0x40}, "smoke", {"smoke": "clear", "fault": "alarm"}),
        ({"ZoneStatusChange": 0x101}, "smoke", {"smoke": "alarm", "test": "active"}),
        ({"ZoneStatusChange": 1, "Occupancy": 1}, "", {"motion": "detected"}),
        ({"ZoneStatusChange": 33, "CO": 1}, "gas", {"gas": "alarm"}),
        ({"ZoneStatusChange": 1}, "", {"map:alarm1": "true"}),
        ({"ZoneStatusChange": 0}, "", {"map:alarm1": "false"}),
        ({"ZoneStatusChange": 3}, "button", {"map:alarm1": "true", "map:alarm2": "true"}),
    ],
)
def test_a_zone_is_what_is_registered_or_needs_a_map(
    site: Any, summary: Summary, fields: dict[str, Any], kind: str, said: dict[str, Any]
) -> None:
    assert summary(site.says("tele/zb/SENSOR", zb(**fields), kind=kind)) == {**ALL_WELL, **said}


def test_spaces_around_a_friendly_name_are_not_part_of_it(site: Any, summary: Summary) -> None:
    for document in (
        {"ZbReceived": {" Kitchen": {"Device": "0x8F20", "Name": " Kitchen", "Contact": 1, "LinkQuality": 66}}},
        {"ZbReceived": {" Kitchen": {"Device": "0x8F20", "Contact": 1, "LinkQuality": 66}}},
    ):
        site.knows("zb/Kitchen", "contact")
        assert summary(site.hears("tele/zb/SENSOR", json.dumps(document)))["contact"] == "open"


@pytest.mark.parametrize("status", ["", "01", "zz00", 5, None])
def test_a_status_that_cannot_be_read_says_nothing(site: Any, summary: Summary, status: Any) -> None:
    assert summary(site.says("tele/zb/SENSOR", zb(**{"0500!00": status}), kind="smoke")) == {"heartbeat": "alive"}


def test_an_alarm_under_test_is_marked(site: Any) -> None:
    for fields in ({"ZoneStatusChange": 0x101}, {"Fire": 1, "Test": 1}):
        readings = site.says("tele/zb/SENSOR", zb(**fields), kind="smoke").readings
        assert [one.under_test for one in readings if one.kind == "smoke"] == [True]
    [reading] = site.says("tele/zb/SENSOR", zb(Fire=1), kind="smoke").readings
    assert not reading.under_test


@pytest.mark.parametrize(
    "told",
    [
        {"ZbInfo": {"Kitchen": {"Device": "0x8F20", "ZoneType": 42, "ModelId": "lumi.sensor_wleak.aq1"}}},
        {"ZbInfo": {"0x8F20": {"Device": "0x8F20", "Name": "Kitchen", "Config": ["T01", "A01.4"]}}},
        {"ZbReceived": {"Kitchen": {"Device": "0x8F20", "ZoneType": 42, "Endpoint": 1}}},
    ],
)
def test_the_type_of_a_zone_is_learnt(site: Any, summary: Summary, told: Any) -> None:
    site.knows("zb/Kitchen")
    learnt = site.hears("tele/zb/SENSOR", json.dumps(told)).learnt
    assert learnt["zb/Kitchen"]["zone"] == 0x2A
    assert site.hears("tele/zb/SENSOR", json.dumps(told)).learnt is None
    assert summary(site.hears("tele/zb/SENSOR", zb("Kitchen", ZoneStatusChange=1)))["water_leak"] == "alarm"


def test_types_are_learnt_from_a_list_too(site: Any, summary: Summary) -> None:
    site.knows("zb/Kitchen")
    every = [{"Device": "0x8F20", "Name": "Kitchen", "ModelId": "m", "Manufacturer": "v", "Config": ["A01.3"]}]
    decoded = site.hears("stat/zb/RESULT", json.dumps({"ZbStatus3": every}))
    assert (decoded.ignored, decoded.learnt) == ("reply", {"zb/Kitchen": {"model": "m", "vendor": "v", "zone": 0x28}})
    assert summary(site.hears("tele/zb/SENSOR", zb("Kitchen", ZoneStatusChange=1)))["smoke"] == "alarm"


def test_zone_type_2b_is_gas_where_gas_is_registered(site: Any, summary: Summary) -> None:
    site.knows("zb/a", "gas")
    site.knows("zb/b", "carbon_monoxide")
    for name, kind in (("a", "gas"), ("b", "carbon_monoxide")):
        site.hears("tele/zb/SENSOR", json.dumps({"ZbInfo": {name: {"Device": "0x1", "ZoneType": 43}}}))
        assert summary(site.hears("tele/zb/SENSOR", zb(name, ZoneStatusChange=1)))[kind] == "alarm"


def test_an_old_bridge_calls_an_aqara_contact_power(site: Any, summary: Summary) -> None:
    for power, state in ((1, "open"), (True, "open"), (0, "closed"), (False, "closed")):
        assert summary(site.says("tele/zb/SENSOR", zb(Power=power), kind="contact")) == {"contact": state}


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"Click": "single", "click": "single", "action": "single"}, "button", {"button": "single"}),
        ({"Click": "single"}, "sos", {"sos": "pressed"}),
        ({"Click": "release"}, "sos", {"button": "release"}),
        ({"0501!02": ""}, "", {"sos": "pressed"}),
        ({"0501!04": ""}, "button", {"sos": "pressed"}),
        ({"0501!03": ""}, "", {"sos": "pressed"}),
        ({"0006!02": "", "Power": 2}, "button", {"button": "toggle"}),
        ({"0006!01": "", "Power": 1}, "sos", {"sos": "pressed"}),
        ({"0006!01": "", "Power": 1}, "", {"heartbeat": "alive"}),
        ({"0006!FD": "01"}, "button", {"button": "double"}),
    ],
)
def test_presses(site: Any, summary: Summary, fields: dict[str, Any], kind: str, said: dict[str, Any]) -> None:
    assert summary(site.says("tele/zb/SENSOR", zb(**fields), kind=kind)) == said


def test_what_a_zigbee_device_means_may_be_written_down(site: Any, summary: Summary) -> None:
    meanings = {
        "EF00/0101": Mapped(kind="gas"),
        "alarm1": Mapped(kind="smoke"),
        "alarm2": Mapped(kind="fault"),
        "Contact": Mapped(kind=None),
    }
    site.knows("zb/0x8F20", "smoke", map=meanings)
    assert summary(site.hears("tele/zb/SENSOR", zb(**{"EF00/0101": 1, "Contact": 1}))) == {"gas": "alarm"}
    said = summary(site.hears("tele/zb/SENSOR", zb(ZoneStatusChange=2)))
    assert (said["smoke"], said["fault"]) == ("clear", "alarm")


def test_what_the_bridge_remembers_is_not_news(site: Any, summary: Summary) -> None:
    """Invariant stale-does-not-page; and its zone's status is not all there, so that it is not read."""
    site.knows("zb/Door", "contact")
    info = {
        "Device": "0xD04A",
        "Name": "Door",
        "ZoneType": 21,
        "ZoneStatus": 12544,
        "Reachable": True,
        "BatteryPercentage": 100,
        "LastSeen": 90,
        "LastSeenEpoch": int(NOON.timestamp()) - 90,
    }
    decoded = site.hears("tele/zb/D04A/SENSOR", json.dumps({"ZbInfo": {"Door": info}}))
    assert summary(decoded) == {"availability": "online", "battery": 100.0}
    assert {one.freshness for one in decoded.readings} == {Freshness.CACHED}
    assert {one.observed_at for one in decoded.readings} == {NOON - timedelta(seconds=90)}
    unreachable = {"ZbInfo": {"Door": {**info, "Reachable": False}}}
    assert summary(site.hears("tele/zb/D04A/SENSOR", json.dumps(unreachable))) == {"battery": 100.0}


# --- names, topics and the options that change them ---

BARE = {"Device": "0x8F20", "Name": "Kitchen", "Contact": 1, "Endpoint": 1, "LinkQuality": 66}
UNNAMED = {key: one for key, one in BARE.items() if key != "Name"}


@pytest.mark.parametrize(
    ("topic", "document"),
    [
        ("tele/zb/SENSOR", {"ZbReceived": {"0x8F20": BARE}}),
        ("tele/zb/SENSOR", {"Time": NAIVE, "ZbReceived": {"0x8F20": BARE}}),
        ("tele/zb/SENSOR", {"ZbReceived": {"Kitchen": UNNAMED}}),
        ("tele/zb/RESULT", {"ZbReceived": {"Kitchen": UNNAMED}}),
        ("tele/zb/8F20/SENSOR", {"ZbReceived": {"0x8F20": BARE}}),
        ("tele/zb/8f20/SENSOR", {"ZbReceived": {"Kitchen": UNNAMED}}),
        ("tele/zb/8F20_1/SENSOR", {"ZbReceived": {"Kitchen": UNNAMED}}),
        ("tele/zb/Kitchen/SENSOR", {"ZbReceived": {"Kitchen": UNNAMED}}),
        ("tele/zb/Kitchen_1/SENSOR", {"ZbReceived": {"0x8F20": BARE}}),
        ("tele/zb/SENSOR", {"ZbReceived": BARE}),
        ("tele/zb/8F20/SENSOR", {"ZbReceived": BARE}),
        ("tele/zb/SENSOR", {"0x8F20": BARE}),
        ("tele/zb/8F20/SENSOR", BARE),
        ("tele/zb/8F20/ZbReceived", BARE),
        ("tele/zb/8F20/ZbReceived", {"0x8F20": BARE}),
    ],
)
@pytest.mark.parametrize("name", ["zb/Kitchen", "Kitchen", "zb/0x8F20", "0x8F20"])
def test_every_form_of_a_zigbee_message(site: Any, topic: str, document: dict[str, Any], name: str) -> None:
    """SetOption83, 89, 112, 118, 119, 120 and the sub-topic change only the form."""
    site.knows(name, "contact")
    if "Name" not in json.dumps(document) and "Kitchen" not in json.dumps(document) and "Kitchen" in name:
        return
    decoded = site.hears(topic, json.dumps(document))
    assert [(one.device_id, one.kind, one.state) for one in decoded.readings] == [(name, "contact", "open")]
    assert decoded.gateway is None


def test_without_the_bridge_in_the_topic(source: Any, summary: Summary) -> None:
    site = source("tasmota")
    site.knows("Kitchen", "contact")
    for topic in ("tele/8F20/SENSOR", "tele/Kitchen/SENSOR"):
        assert summary(site.hears(topic, json.dumps({"ZbReceived": {"Kitchen": UNNAMED}}))) == {"contact": "open"}


def test_several_devices_in_one_message(site: Any, summary: Summary) -> None:
    site.knows("zb/a", "contact")
    document = {"ZbReceived": {"a": {"Device": "0x1", "Contact": 1}, "b": {"Device": "0x2", "Fire": 1}}}
    decoded = site.hears("tele/zb/SENSOR", json.dumps(document))
    assert summary(decoded) == {"contact": "open", "aside": "unknown_device"}
    assert list(decoded.strangers) == ["zb/b"]
    assert "'zb/b'" in decoded.quarantine[1]


@pytest.mark.parametrize(
    ("base", "template", "topic", "node"),
    [
        ("tele", None, "tele/301-gas/SENSOR", "301-gas"),
        ("tele", None, "tele/home/301/gas/SENSOR", "home/301/gas"),
        ("+", None, "tele/301-gas/SENSOR", "301-gas"),
        ("+", None, "301-gas/tele/SENSOR", "301-gas"),
        ("+", None, "penthouse/bedroom1/301-gas/tele/SENSOR", "penthouse/bedroom1/301-gas"),
        ("tasmota", None, "tasmota/301-gas/tele/SENSOR", "301-gas"),
        ("tasmota", None, "tasmota/tele/301-gas/SENSOR", "301-gas"),
        ("tasmota/301-gas", None, "tasmota/301-gas/tele/SENSOR", "tasmota/301-gas"),
        ("tele", "%prefix%/%topic%/", "tele/301-gas/SENSOR", "301-gas"),
        ("tele", "%prefix%/home/%topic%/", "tele/home/301-gas/SENSOR", "301-gas"),
        ("tasmota", "tasmota/%topic%/%prefix%/", "tasmota/301-gas/tele/SENSOR", "301-gas"),
        ("tasmota", "tasmota/%topic%/%prefix%/", "tasmota/stat/gas/tele/SENSOR", "stat/gas"),
        ("x", "home-%topic%/%prefix%", "home-301-gas/tele/SENSOR", "301-gas"),
        ("x", "%topic%/%prefix%/%hostname%/", "301-gas/tele/esp-1/SENSOR", "301-gas"),
        ("301-gas", "a/%prefix%/", "a/tele/SENSOR", "301-gas"),
    ],
)
def test_full_topics(source: Any, base: str, template: str | None, topic: str, node: str) -> None:
    site = source("tasmota", base=base, topic=template)
    site.knows(node, "gas", map={"Switch1": Mapped(kind="gas")})
    decoded = site.hears(topic, json.dumps({"Time": NAIVE, "Switch1": "ON"}))
    assert [(one.device_id, one.kind, one.state) for one in decoded.readings] == [(node, "gas", "alarm")]
    assert site.hears(topic.replace("tele", "cmnd").replace("SENSOR", "POWER"), "").ignored == "command"


@pytest.mark.parametrize(
    ("base", "template", "subscriptions"),
    [
        ("tele", None, ("stat/#", "tele/#")),
        ("+", None, ("stat/#", "tele/#", "+/stat/#", "+/tele/#")),
        ("home/301", None, ("home/301/#",)),
        ("x", "tasmota/%topic%/%prefix%/", ("tasmota/#",)),
        ("x", "%prefix%/home/%topic%/", ("stat/home/#", "tele/home/#")),
        ("x", "%topic%/%prefix%/", ("+/stat/#", "+/+/stat/#", "+/tele/#", "+/+/tele/#")),
    ],
)
def test_what_is_subscribed(source: Any, base: str, template: str | None, subscriptions: tuple[str, ...]) -> None:
    assert source("tasmota", base=base, topic=template).decoder.subscriptions == subscriptions


def test_a_topic_of_another_make_is_left_to_it(site: Any, summary: Summary) -> None:
    assert site.hears("esp/binary_sensor/door/state", "ON").foreign
    assert summary(site.hears("tasmota/discovery/A0B1C2/config", "{}")) == {"ignored": "discovery_config"}


# --- what is wired ---


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("tele/x/SENSOR", {"Time": NAIVE, "Switch1": "ON"}, {"map:Switch1": "ON", "heartbeat": "alive"}),
        ("stat/x/RESULT", {"Switch1": {"Action": "OFF"}}, {"map:Switch1": "OFF", "heartbeat": "alive"}),
        ("stat/x/STATUS10", {"StatusSNS": {"Switch2": "ON"}}, {"map:Switch2": "ON", "heartbeat": "alive"}),
        ("stat/x/STATUS8", {"StatusSNS": {"ANALOG": {"A0": 8}}}, {"heartbeat": "alive"}),
        ("stat/x/STATUS11", {"StatusSTS": {"Uptime": "1T"}}, {"heartbeat": "alive"}),
        ("stat/x/STATUS", {"Status": {"Module": 1}}, {"ignored": "reply"}),
        ("stat/x/STATUS5", {"StatusNET": {}}, {"ignored": "reply"}),
        ("stat/x/SWITCH1", {"ACTION": "ON"}, {"map:Switch1": "ON", "heartbeat": "alive"}),
        ("stat/x/SWITCH1T", {"TRIG": "ON"}, {"map:Switch1": "ON", "heartbeat": "alive"}),
        ("stat/x/SWITCH1", "ON", {"map:Switch1": "ON", "heartbeat": "alive"}),
        ("stat/x/RESULT", {"Button1": {"Action": "SINGLE"}}, {"button": "single"}),
        ("stat/x/BUTTON1", {"ACTION": "DOUBLE"}, {"button": "double"}),
        ("stat/x/BUTTON1", {"ACTION": "CLEAR"}, {"heartbeat": "alive"}),
        ("stat/x/RESULT", {"POWER": "ON"}, {"ignored": "reply"}),
        ("stat/x/RESULT", {"ZbSend": "Done"}, {"ignored": "reply"}),
        ("stat/x/POWER", "ON", {"ignored": "not_a_safety_sensor"}),
        ("stat/x/POWER2", "OFF", {"ignored": "not_a_safety_sensor"}),
        ("tele/x/STATE", {"Time": NAIVE, "POWER": "ON", "Vcc": 3.4}, {"heartbeat": "alive"}),
        ("tele/x/UPTIME", {"Time": NAIVE, "Uptime": "1T00:00:00"}, {"ignored": "not_a_safety_sensor"}),
        ("tele/x/INFO1", {"Module": "Generic"}, {"ignored": "gateway_message"}),
        ("tele/x/INFO3", {"RestartReason": "Power on"}, {"ignored": "gateway_message"}),
        ("stat/x/LOGGING", "12:00:00 MQT: ...", {"ignored": "log"}),
        ("cmnd/x/POWER", "ON", {"ignored": "command"}),
        ("stat/x/PIR1", "ON", {"motion": "detected"}),
        ("stat/x/PIR1", "OFF", {"motion": "clear"}),
        ("stat/x/MOTION", "1", {"motion": "detected"}),
        ("stat/x/LEAK", "ON", {"water_leak": "alarm"}),
        ("stat/x/SMOKE", "OFF", {"smoke": "clear"}),
        ("stat/x/SMOKE", "what", {"smoke": "unknown"}),
        ("stat/x/DOOR", "OPEN", {"contact": "open"}),
        ("stat/x/DOOR", "ON", {"map:DOOR": "ON", "heartbeat": "alive"}),
        ("stat/x/HALLWAY", "ON", {"map:HALLWAY": "ON", "heartbeat": "alive"}),
        ("stat/x/HALLWAY", "welcome", {"heartbeat": "alive", "ignored": "not_a_safety_sensor"}),
        ("tele/x/LWT", "Online", {"availability": "online"}),
        ("tele/x/LWT", "Offline", {"availability": "offline"}),
        ("tele/x/LWT", "what", {"aside": "invalid_value"}),
        ("tele/x/SENSOR", "{", {"aside": "malformed_json"}),
        ("tele/x/SENSOR", "[]", {"aside": "invalid_value"}),
        ("tele/x/SENSOR", "", {"ignored": "empty_payload"}),
        ("tele/x/RESULT", {"RfRaw": {"Data": "AA B1 55"}}, {"ignored": "vendor_raw"}),
    ],
)
def test_what_each_topic_says(site: Any, summary: Summary, topic: str, payload: Any, said: dict[str, Any]) -> None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    assert summary(site.says(topic, text)) == said


def test_what_is_wired_to_a_switch_is_written_down(source: Any, summary: Summary) -> None:
    site = source("tasmota", map={"Switch2": Mapped(kind="contact", states={"ON": "closed", "OFF": "open"})})
    site.knows("x", "smoke", map={"Switch1": Mapped(kind="smoke"), "ANALOG.A0": Mapped(kind="gas_concentration")})
    for payload, said in (
        ({"Switch1": "ON"}, {"smoke": "alarm"}),
        ({"Switch1": "OFF"}, {"smoke": "clear"}),
        ({"Switch1": "TOGGLE"}, {"smoke": "unknown"}),
        ({"Switch1": None}, {"smoke": "unknown"}),
        ({"Switch1": {"Action": "ON"}}, {"smoke": "alarm"}),
        ({"Switch2": "OFF"}, {"contact": "open"}),
        ({"Switch2": "ON", "ANALOG": {"A0": 312}}, {"contact": "closed", "gas_concentration": 312.0}),
    ):
        assert summary(site.hears("tele/x/SENSOR", json.dumps(payload))) == said


def test_a_button_calls_for_help_where_it_is_there_for_that(site: Any, summary: Summary) -> None:
    assert summary(site.says("stat/x/RESULT", '{"Button1":{"Action":"SINGLE"}}', kind="sos")) == {"sos": "pressed"}


def test_the_time_has_a_zone_or_is_not_known(site: Any) -> None:
    site.knows("x", "smoke", map={"Switch1": Mapped(kind="smoke")})
    for fields, at in (
        ({"Time": NAIVE}, None),
        ({"Time": "2026-11-23T19:59:00+08:00"}, NOON - timedelta(minutes=1)),
        ({"Time": NAIVE, "Epoch": int(NOON.timestamp()) - 9}, NOON - timedelta(seconds=9)),
    ):
        [reading] = site.hears("tele/x/SENSOR", json.dumps({**fields, "Switch1": "ON"})).readings
        assert reading.observed_at == at


def test_retained_is_retained(site: Any) -> None:
    [reading] = site.says("tele/zb/SENSOR", zb(Fire=1), retain=True).readings
    assert reading.freshness is Freshness.RETAINED
    assert site.says("tele/x/LWT", "", retain=True).ignored == "retained_clear"


# --- sleep ---


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("tele/x/STATE", {"Time": NAIVE, "DeepSleep": 3600}),
        ("tele/x/STATE", {"Wifi": {"DeepSleep": 300}}),
        ("stat/x/DEEPSLEEP", {"DeepSleep": {"Time": NAIVE, "Epoch": 1624799040}}),
        ("tele/x/INFO3", {"Info3": {"RestartReason": "Deep-Sleep Wake"}}),
        ("tele/x/INFO3", {"RestartReason": "Deep-Sleep Wake"}),
    ],
)
def test_what_sleeps_deeply_is_not_offline(site: Any, summary: Summary, topic: str, payload: Any) -> None:
    site.knows("x", "contact")
    assert summary(site.hears("tele/x/LWT", "Offline")) == {"availability": "offline"}
    said = summary(site.hears(topic, json.dumps(payload)))
    assert said.get("availability") == ("sleeping" if "DEEPSLEEP" in topic else None)
    assert summary(site.hears("tele/x/LWT", "Offline")) == {"availability": "sleeping"}
    assert summary(site.hears("tele/x/LWT", "Online")) == {"availability": "online"}


# --- gateways ---


def test_a_bridge_is_noticed_by_what_is_behind_it(source: Any, summary: Summary) -> None:
    site = source("tasmota")
    site.knows("zb/0x8F20", "contact")
    assert summary(site.hears("tele/zb/LWT", "Offline")) == {"aside": "unknown_device"}
    assert summary(site.hears("tele/zb/SENSOR", zb(Contact=1)))["gateway:zb"] == "online"
    site.world.gateways["s", "zb"] = Gateway("online")
    assert summary(site.hears("tele/zb/LWT", "Offline")) == {"gateway:zb": "offline"}
    assert summary(site.hears("tele/zb/STATE", "{}")) == {"ignored": "gateway_message"}
    assert summary(site.hears("tele/zb/SENSOR", zb(Contact=1), retain=True)) == {"contact": "open"}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (0, {"gateway:zb/home": "online"}),
        (99, {"gateway:zb/home": "offline"}),
        (98, {"gateway:zb/home": "offline"}),
        (1, {"ignored": "gateway_message"}),
        (30, {"ignored": "gateway_message"}),
        (None, {"ignored": "gateway_message"}),
    ],
)
def test_the_state_of_the_coordinator(site: Any, summary: Summary, status: Any, said: dict[str, Any]) -> None:
    decoded = site.hears("tele/zb/home/RESULT", json.dumps({"ZbState": {"Status": status, "Message": "m"}}))
    assert summary(decoded) == said
    if status == 0:
        assert decoded.gateway.started_at == NOON


# --- chips with inputs ---

PINS = {"Time": NAIVE, "MCP230XX": {"D0": 1, "D1": 0, "X": 3}}
PIN = {"Time": NAIVE, "MCP230XX_INT": {"D1": 1, "MS": 3095}}
TUYA = {"TuyaReceived": {"Data": "55AA", "Cmnd": 7, "DpType1Id1": 1, "DpType2Id3": 80, "1": {"DpId": 1}}}


def test_inputs_of_a_chip_need_a_map_each(site: Any, summary: Summary) -> None:
    assert list(site.hears("tele/panel/SENSOR", json.dumps(PINS)).strangers) == ["panel"]
    assert list(site.hears("stat/panel/RESULT", json.dumps(TUYA)).strangers) == ["panel"]
    site.knows("panel")
    said = {"map:MCP230XX.D0": "1", "map:MCP230XX.D1": "0", "heartbeat": "alive"}
    assert summary(site.hears("tele/panel/SENSOR", json.dumps(PINS))) == said
    said = {"map:MCP230XX.D1": "1", "heartbeat": "alive"}
    assert summary(site.hears("stat/panel/RESULT", json.dumps(PIN))) == said
    said = {"map:TuyaReceived.DpType1Id1": "1", "heartbeat": "alive"}
    assert summary(site.hears("tele/panel/RESULT", json.dumps(TUYA))) == said
    assert summary(site.hears("tele/panel/SENSOR", '{"MCP230XX":5}')) == {"heartbeat": "alive"}


@pytest.mark.parametrize("field", ["MCP230XX", "MCP230XX_INT"])
def test_an_input_of_a_chip_is_one_however_it_is_told(site: Any, summary: Summary, field: str) -> None:
    site.knows("panel", "sos", map={f"{field}.D1": Mapped(kind="sos")})
    assert [one.kind for one in site.hears("stat/panel/RESULT", json.dumps(PIN)).readings] == ["sos"]
    if field == "MCP230XX":
        assert summary(site.hears("tele/panel/SENSOR", json.dumps(PINS)))["sos"] == "cleared"


def test_data_points_of_tuya_by_map(site: Any, summary: Summary) -> None:
    meanings = {"TuyaReceived.DpType1Id1": Mapped(kind="smoke"), "TuyaReceived.DpType2Id3": Mapped(kind="battery")}
    site.knows("panel", "smoke", map=meanings)
    assert summary(site.hears("tele/panel/RESULT", json.dumps(TUYA))) == {"smoke": "alarm", "battery": 80.0}


# --- radio and Bluetooth ---


def rf(data: Any, key: Any = "None") -> str:
    return json.dumps({"Time": NAIVE, "RfReceived": {"Sync": 10250, "Low": 340, "Data": data, "RfKey": key}})


@pytest.mark.parametrize("data", ["E8329E", "0xE8329E", 0xE8329E, "e8329e"])
def test_a_radio_code_means_what_is_written_down(site: Any, summary: Summary, data: Any) -> None:
    decoded = site.hears("tele/rf/RESULT", rf(data))
    assert (summary(decoded)["aside"], list(decoded.strangers)) == ("unknown_device", ["rf/E8329E"])
    site.knows("rf/E8329E", "smoke")
    said = summary(site.hears("tele/rf/RESULT", rf(data)))
    assert said == {"map:E8329E": "E8329E", "heartbeat": "alive", "gateway:rf": "online"}
    site.knows("rf/E8329E", "smoke", map={"E8329E": Mapped(kind="smoke")})
    assert summary(site.hears("tele/rf/RESULT", rf(data)))["smoke"] == "alarm"


def test_several_codes_of_one_sensor(site: Any, summary: Summary) -> None:
    site.world.gateways["s", "rf"] = Gateway("online")
    meanings = {
        "E8329E": Mapped(kind="contact", states={"E8329E": "open"}),
        "E83296": Mapped(kind="contact", states={"E83296": "closed"}),
        "E83297": Mapped(kind="battery", states={"E83297": "low"}),
        "E83290": Mapped(kind="button"),
    }
    site.knows("rf/E8329", "contact", map=meanings)
    for code, said in (
        ("E8329E", {"contact": "open"}),
        ("E83296", {"contact": "closed"}),
        ("E83297", {"battery": "low"}),
        ("E83290", {"button": "press"}),
        ("E8329F", {"map:E8329F": "E8329F", "heartbeat": "alive"}),
    ):
        assert summary(site.hears("tele/rf/RESULT", rf(code))) == said


def test_a_code_that_the_bridge_has_learnt(site: Any, summary: Summary) -> None:
    site.world.gateways["s", "rf"] = Gateway("online")
    site.knows("rf", "sos", map={"RfKey3": Mapped(kind="sos")})
    assert summary(site.hears("tele/rf/RESULT", rf("AA11BB", 3))) == {"sos": "pressed"}
    assert summary(site.hears("tele/rf/RESULT", '{"RfReceived":{"Sync":1}}')) == {"aside": "invalid_value"}


def test_bluetooth_sensors_have_names_of_their_own(site: Any, summary: Summary) -> None:
    document = {
        "Time": NAIVE,
        "LYWSD03-52680f": {"Temperature": 21.1, "Battery": 100},
        "MJYD2S-a2fd09": {"PIR": 1, "Battery": 2},
        "SJWS01LM-d8799d": {"Leak": 0},
        "MCCGQ02HL-11aa22": {"Door": 1},
        "TempUnit": "C",
    }
    site.knows("LYWSD03-52680f")
    site.knows("ble/MJYD2S-a2fd09", "motion")
    site.knows("SJWS01LM-d8799d", "water_leak")
    site.knows("MCCGQ02HL-11aa22", "contact")
    decoded = site.hears("tele/ble/SENSOR", json.dumps(document))
    assert [(one.device_id, one.kind, one.state, one.value) for one in decoded.readings] == [
        ("LYWSD03-52680f", "battery", None, 100.0),
        ("ble/MJYD2S-a2fd09", "motion", "detected", None),
        ("ble/MJYD2S-a2fd09", "battery", None, 2.0),
        ("SJWS01LM-d8799d", "water_leak", "clear", None),
        ("MCCGQ02HL-11aa22", "heartbeat", "alive", None),
    ]
    assert [one.field for one in decoded.unmapped] == ["Door"]
    site.knows("MCCGQ02HL-11aa22", "contact", map={"Door": Mapped(kind="contact", states={"1": "open"})})
    decoded = site.hears("stat/ble/STATUS10", json.dumps({"StatusSNS": document}))
    assert [one.state for one in decoded.readings if one.kind == "contact"] == ["open"]


def test_a_bluetooth_alias_may_have_no_dash(site: Any, summary: Summary) -> None:
    """The signal of the gateway's own WLAN is no sensor."""
    site.knows("Cellar", "water_leak")
    site.knows("ble", "sos")
    document = {"Cellar": {"Leak": 1, "RSSI": -77}, "SI7021": {"Temperature": 20.0}}
    assert summary(site.hears("tele/ble/SENSOR", json.dumps(document)))["water_leak"] == "alarm"
    for topic in ("tele/ble/STATE", "stat/ble/STATUS11"):
        wifi = {"Uptime": "0T00:01:00", "Wifi": {"AP": 1, "RSSI": 60}}
        decoded = site.hears(topic, json.dumps(wifi if topic.endswith("STATE") else {"StatusSTS": wifi}))
        assert not decoded.strangers


# --- anything ---

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
ATTRIBUTES = st.sampled_from(
    [
        *("Device", "Name", "Contact", "Fire", "Water2", "CO", "Test", "ZoneStatusChange", "ZoneStatus", "0500!00"),
        *("BatteryPercentage", "Reachable", "Click", "Config", "ZoneType", "EF00/0101", "LastSeenEpoch", "Endpoint"),
    ]
)
FIELDS = st.sampled_from(
    [
        *("ZbReceived", "ZbInfo", "ZbState", "ZbStatus2", "RfReceived", "Switch1", "Button1", "Time", "Epoch"),
        *("DeepSleep", "StatusSNS", "StatusSTS", "LYWSD03-1", "Wifi"),
    ]
)
DEVICES = st.dictionaries(
    st.sampled_from(["0x8F20", "a", ""]), st.dictionaries(ATTRIBUTES, VALUES, max_size=6), max_size=3
)


@settings(deadline=None)
@given(
    topic=st.sampled_from(
        [
            *("tele/zb/SENSOR", "tele/zb/8F20/SENSOR", "tele/zb/RESULT", "tele/zb/STATE", "tele/zb/LWT"),
            *("tele/zb/INFO3", "stat/zb/STATUS10", "stat/zb/STATUS0", "stat/zb/BUTTON1", "stat/zb/PIR1"),
            *("stat/zb/DEEPSLEEP", "tele/zb/8F20/ZbReceived", "tele//SENSOR", "tele/x", "", "/"),
        ]
    ),
    payload=st.binary(max_size=20)
    | st.dictionaries(FIELDS, DEVICES | VALUES, max_size=4).map(lambda one: json.dumps(one).encode())
    | DEVICES.map(lambda one: json.dumps(one).encode())
    | VALUES.map(lambda one: json.dumps(one).encode()),
    kind=st.sampled_from(["", "smoke", "contact", "sos"]),
)
@example(topic="tele/zb/SENSOR", payload=b'{"ZbReceived":{"0x8F20":{"ZoneStatusChange":-1}}}', kind="smoke")
def test_nothing_makes_it_fail(topic: str, payload: bytes, kind: str) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="tasmota", base="+")])
    world = World(
        devices={
            ("s", name): Device(id=name, home_id="h", kind=kind, source="s", name=name)
            for name in ("zb", "zb/0x8F20", "zb/a", "LYWSD03-1")
        }
    )
    message = Message(topic, payload, False, NOON)
    assert all(type(name) is str for _, name in decoder.names(message))
    decoded = decoder.decode(message, world)
    assert decoded.readings or decoded.ignored or decoded.quarantine or decoded.unmapped or decoded.gateway
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    assert {one.kind for one in decoded.readings} <= KINDS
    assert json.loads(json.dumps(decoded.learnt)) == decoded.learnt


@settings(deadline=None)
@given(value=VALUES)
@pytest.mark.parametrize(("name", "kind"), [("Contact", "contact"), ("Fire", "smoke"), ("Water", "water_leak")])
def test_only_0_is_clear(name: str, kind: str, value: Any) -> None:
    """Invariant unknown-is-not-clear."""
    decoder = Decoder([Source(id="s", dialect="tasmota", base="+")])
    world = World(devices={("s", "zb/0x8F20"): Device(id="d", home_id="h", kind=kind, source="s", name="zb/0x8F20")})
    decoded = decoder.decode(Message("tele/zb/SENSOR", zb(**{name: value}).encode(), False, NOON), world)
    clear = {one.state for one in decoded.readings if one.kind == kind} & {"clear", "closed"}
    assert bool(clear) == (value in (0, False) and not isinstance(value, float))
