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
SMOKE = "shellyplussmoke-a8032abe5d2c"
HUB = "shellyblugwg3-34cdb077bcd4"
Summary = Callable[[Decoded], dict[str, Any]]


@pytest.fixture
def site(source: Any) -> Any:
    return source("shelly-gen2")


NOW = NOON.timestamp()


def notify(method: str = "NotifyStatus", *, ts: Any = NOW, src: str = SMOKE, **components: Any) -> str:
    params = {"ts": ts, **{key.replace("__", ":"): status for key, status in components.items()}}
    return json.dumps({"src": src, "dst": f"{src}/events", "method": method, "params": params})


def event(*events: dict[str, Any], src: str = HUB) -> str:
    return notify("NotifyEvent", src=src, events=list(events))


# --- components ---


@pytest.mark.parametrize(
    ("component", "status", "said"),
    [
        ("smoke:0", {"id": 0, "alarm": True, "mute": False}, {"smoke": "alarm", "mute": "off"}),
        ("smoke:0", {"id": 0, "alarm": True, "mute": True}, {"smoke": "alarm", "mute": "on"}),
        ("smoke:0", {"id": 0, "alarm": False, "mute": False}, {"smoke": "clear", "mute": "off"}),
        ("smoke:0", {"id": 0, "alarm": None, "mute": None}, {"smoke": "unknown", "mute": "unknown"}),
        ("smoke:0", {"id": 0, "alarm": "false"}, {"smoke": "unknown"}),
        ("smoke:0", {"id": 0, "alarm": 0}, {"smoke": "unknown"}),
        ("smoke:0", {"id": 0, "mute": True}, {"mute": "on"}),
        ("flood:0", {"id": 0, "alarm": True, "mute": False}, {"water_leak": "alarm", "mute": "off"}),
        ("flood:0", {"id": 0, "alarm": False, "errors": []}, {"water_leak": "clear", "fault": "clear"}),
        (
            "flood:0",
            {"id": 0, "alarm": None, "mute": False, "errors": ["cable_unplugged"]},
            {"water_leak": "unknown", "fault": "alarm", "mute": "off"},
        ),
        ("flood:0", {"alarm": False, "errors": ["cable_unplugged"]}, {"water_leak": "unknown", "fault": "alarm"}),
        ("flood:0", {"alarm": True, "errors": ["cable_unplugged"]}, {"water_leak": "alarm", "fault": "alarm"}),
        ("flood:0", {"errors": ["cable_unplugged"]}, {"water_leak": "unknown", "fault": "alarm"}),
        ("devicepower:0", {"battery": {"V": 2.94, "percent": 85}}, {"battery": 85.0, "battery_voltage": 2.94}),
        ("devicepower:0", {"battery": {"V": None, "percent": None}}, {"heartbeat": "alive"}),
        ("devicepower:0", {"battery": {"V": 0, "percent": -1}, "external": {"present": True}}, {"heartbeat": "alive"}),
        ("temperature:0", {"id": 0, "tC": 21.5, "tF": 70.7}, {"measurement:temperature": 21.5}),
        ("temperature:0", {"id": 0, "tC": None}, {"measurement:temperature": "unknown"}),
        ("humidity:0", {"id": 0, "rh": 48}, {"measurement:humidity": 48.0}),
        ("illuminance:0", {"id": 0, "lux": 30, "illumination": "dark"}, {"measurement:illuminance": 30.0}),
        ("presencezone:200", {"id": 200, "value": True}, {"presence": "detected"}),
        (
            "presencezone:200",
            {"value": False, "num_objects": 0},
            {"presence": "clear", "measurement:num_objects": 0.0},
        ),
        ("presencezone:200", {"value": None}, {"presence": "unknown"}),
        ("presencezone:201", {"value": True}, {"map:presencezone:201": "true", "heartbeat": "alive"}),
        ("input:0", {"id": 0, "state": True}, {"map:input:0": "true", "heartbeat": "alive"}),
        ("input:0", {"id": 0, "state": None}, {"heartbeat": "alive"}),
        ("bthomesensor:200", {"value": True}, {"map:bthomesensor:200": "true", "heartbeat": "alive"}),
        ("boolean:200", {"value": True}, {"map:boolean:200": "true", "heartbeat": "alive"}),
        ("number:200", {"value": 3}, {"heartbeat": "alive"}),
        ("switch:0", {"id": 0, "output": True, "source": "init"}, {"heartbeat": "alive"}),
        ("sys", {"mac": "A8032ABE5D2C", "uptime": 3}, {"heartbeat": "alive"}),
        ("wifi", {"rssi": -60}, {"heartbeat": "alive"}),
    ],
)
def test_what_each_component_says(site: Any, summary: Summary, component: str, status: Any, said: Any) -> None:
    """The same by component and in a notification; null and errors are never clear (unknown-is-not-clear)."""
    for topic, payload in (
        (f"x/status/{component}", json.dumps(status)),
        ("x/events/rpc", notify(src="x", **{component: status})),
    ):
        answer = summary(site.says(topic, payload))
        assert {key: one for key, one in answer.items() if not key.startswith("gateway:")} == said


def test_a_full_status_at_a_wake_up(site: Any, summary: Summary) -> None:
    full = notify(
        "NotifyFullStatus",
        ts=2.46,
        smoke__0={"id": 0, "alarm": False, "mute": False},
        devicepower__0={"id": 0, "battery": {"V": 3.0, "percent": 100.0}},
        sys={"mac": "A8032ABE5D2C", "unixtime": None, "uptime": 2, "wakeup_period": 86400},
        wifi={"status": "got ip"},
        ws={"connected": False},
    )
    decoded = site.says(f"{SMOKE}/events/rpc", full)
    assert summary(decoded) == {"smoke": "clear", "mute": "off", "battery": 100.0, "battery_voltage": 3.0}
    assert {one.observed_at for one in decoded.readings} == {None}, "2.46 is how long it has been up"


def test_a_notification_says_only_what_has_changed(site: Any, summary: Summary) -> None:
    decoded = site.says(f"{SMOKE}/events/rpc", notify(ts=NOON.timestamp() - 2, smoke__0={"id": 0, "alarm": True}))
    assert summary(decoded) == {"smoke": "alarm"}
    assert decoded.readings[0].observed_at == NOON - timedelta(seconds=2)
    assert decoded.readings[0].freshness is Freshness.LIVE


def test_the_codes_of_faults_are_told(site: Any) -> None:
    decoded = site.says("x/status/flood:0", '{"alarm":null,"errors":["cable_unplugged","out_of_range"]}')
    assert [one.detail for one in decoded.readings if one.kind == "fault"] == ["cable_unplugged,out_of_range"]


# --- events ---


@pytest.mark.parametrize(
    ("what", "kind", "said"),
    [
        ("smoke:0 alarm", "smoke", {"smoke": "alarm"}),
        ("smoke:0 alarm_off", "smoke", {"smoke": "clear"}),
        ("smoke:0 alarm_test", "smoke", {"test": "active"}),
        ("smoke:0 something", "smoke", {"heartbeat": "alive"}),
        ("flood:0 alarm", "water_leak", {"water_leak": "alarm"}),
        ("flood:0 cable_unplugged", "water_leak", {"water_leak": "unknown", "fault": "alarm"}),
        ("flood:0 flood.alarm", "water_leak", {"water_leak": "alarm"}),
        ("flood:0 flood.alarm_off", "water_leak", {"water_leak": "clear"}),
        ("input:0 single_push", "button", {"button": "single"}),
        ("input:0 long_push", "sos", {"sos": "pressed"}),
        ("input:0 btn_down", "sos", {"heartbeat": "alive"}),
        ("input:0 config_changed", "sos", {"heartbeat": "alive"}),
        ("sys sleep", "smoke", {"availability": "sleeping"}),
        ("sys ota_success", "smoke", {"heartbeat": "alive"}),
        ("script:1 my-own", "smoke", {"heartbeat": "alive"}),
    ],
)
def test_events(site: Any, summary: Summary, what: str, kind: str, said: dict[str, Any]) -> None:
    component, name = what.split()
    payload = event({"component": component, "id": 0, "event": name, "ts": 1.0}, src="x")
    assert summary(site.says("x/events/rpc", payload, kind=kind)) == said


def test_inputs_and_presses_may_be_mapped(source: Any, summary: Summary) -> None:
    site = source("shelly-gen2", map={"switch:0": Mapped(kind="sos", states={"true": "pressed", "false": "cleared"})})
    site.knows("x", "smoke", map={"input:0": Mapped(kind="smoke"), "input:1.event": Mapped(kind=None)})
    assert summary(site.hears("x/status/input:0", '{"id":0,"state":true}')) == {"smoke": "alarm"}
    assert summary(site.hears("x/status/input:0", '{"id":0,"state":false}')) == {"smoke": "clear"}
    assert summary(site.hears("x/status/input:0", '{"id":0,"state":null}')) == {"smoke": "unknown"}
    assert summary(site.hears("x/status/switch:0", '{"id":0,"output":true}')) == {"sos": "pressed"}
    pressed = event({"component": "input:1", "event": "single_push"}, src="x")
    assert summary(site.hears("x/events/rpc", pressed)) == {"heartbeat": "alive"}


# --- what is behind a gateway ---


def test_a_blu_device_by_its_component(site: Any, summary: Summary) -> None:
    site.knows(f"{HUB}/bthomedevice:200", "sos")
    status = {"id": 200, "rssi": -63, "battery": 80, "packet_id": 7, "last_updated_ts": int(NOON.timestamp()) - 60}
    decoded = site.hears(f"{HUB}/events/rpc", notify(src=HUB, bthomedevice__200=status))
    assert summary(decoded) == {"battery": 80.0, f"gateway:{HUB}": "online"}
    assert [(one.device_id, one.observed_at) for one in decoded.readings] == [
        (f"{HUB}/bthomedevice:200", NOON - timedelta(seconds=60))
    ]
    pressed = event({"component": "bthomedevice:200", "id": 200, "event": "single_push", "idx": 1})
    assert summary(site.hears(f"{HUB}/events/rpc", pressed))["sos"] == "pressed"
    broken = notify(src=HUB, bthomedevice__200={"id": 200, "errors": ["key_missing_or_bad"]})
    assert summary(site.hears(f"{HUB}/events/rpc", broken))["fault"] == "alarm"


def test_a_blu_sensor_needs_a_map_at_its_gateway_or_by_itself(site: Any, summary: Summary) -> None:
    site.knows(HUB, "contact", map={"bthomesensor:202": Mapped(kind="contact")})
    for value, said in ((True, "open"), (False, "closed"), (None, "unknown")):
        payload = notify(src=HUB, bthomesensor__202={"id": 202, "value": value})
        assert summary(site.hears(f"{HUB}/events/rpc", payload))["contact"] == said
    site.knows(f"{HUB}/bthomesensor:203", "motion", map={"bthomesensor:203": Mapped(kind="motion")})
    decoded = site.hears(f"{HUB}/status/bthomesensor:203", '{"id":203,"value":true}')
    assert [(one.device_id, one.state) for one in decoded.readings] == [(f"{HUB}/bthomesensor:203", "detected")]
    payload = notify(src=HUB, bthomesensor__204={"id": 204, "value": 55})
    assert summary(site.hears(f"{HUB}/events/rpc", payload))["map:bthomesensor:204"] == "55"


def test_a_zone_of_a_room_may_be_a_device_of_its_own(site: Any, summary: Summary) -> None:
    site.knows("x/presencezone:201", "presence")
    assert summary(site.hears("x/status/presencezone:201", '{"id":201,"value":false}')) == {"presence": "clear"}


def blu(**data: Any) -> str:
    packet = {"encryption": False, "BTHome_version": 2, "pid": 9, "rssi": -76, "address": "AA:bb:cc:00:00:01", **data}
    return event({"component": "script:1", "id": 1, "event": "shelly-blu", "data": packet, "ts": NOON.timestamp()})


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        ({"battery": 100, "window": 1, "illuminance": 30}, "", {"battery": 100.0, "contact": "open"}),
        ({"window": 0}, "", {"contact": "closed"}),
        ({"window": 2}, "", {"contact": "unknown"}),
        ({"window": [0, 1]}, "", {"contact": "unknown"}),
        ({"door": 1}, "", {"contact": "open"}),
        ({"motion": 1}, "", {"motion": "detected"}),
        ({"motion": 0}, "", {"motion": "clear"}),
        ({"smoke": 1}, "", {"smoke": "alarm"}),
        ({"smoke": None}, "", {"smoke": "unknown"}),
        ({"button": 1}, "sos", {"sos": "pressed"}),
        ({"button": 4}, "button", {"button": "long"}),
        ({"button": 254}, "button", {"button": "hold"}),
        ({"button": [0, 2]}, "button", {"button": "double"}),
        ({"button": 0}, "sos", {"heartbeat": "alive"}),
        ({"button": "1"}, "sos", {"heartbeat": "alive"}),
    ],
)
def test_what_the_script_tells_of_blu_devices(
    source: Any, summary: Summary, data: dict[str, Any], kind: str, said: dict[str, Any]
) -> None:
    for name in (f"{HUB}/aa:bb:cc:00:00:01", "aa:bb:cc:00:00:01", "AA:BB:CC:00:00:01"):
        site = source("shelly-gen2")
        site.knows(name, kind)
        decoded = site.hears(f"{HUB}/events/rpc", blu(**data))
        answer = summary(decoded)
        assert {key: one for key, one in answer.items() if not key.startswith(("gateway:", "measurement:"))} == said
        assert {one.device_id for one in decoded.readings} == {name}


def test_a_press_that_several_gateways_have_heard_is_one(site: Any) -> None:
    """Invariant stale-does-not-page: the packet's number tells."""
    site.knows("aa:bb:cc:00:00:01", "sos")
    said = []
    for hub, packet in (("hub-1", 9), ("hub-2", 9), ("hub-1", 10)):
        readings = site.hears(f"{hub}/events/rpc", blu(button=1, pid=packet)).readings
        said.append([one.kind for one in readings])
    assert said == [["sos"], ["heartbeat"], ["sos"]]


ADDRESS = "bc:02:6e:c3:a6:c7"
WINDOW = "0026016405e803002d013f0000"


def oh(what: str = "data", **data: Any) -> str:
    return event({"component": "script:2", "id": 2, "event": f"oh-blu.{what}", "data": data, "ts": 1682877414.25})


def scan(payload: Any, mac: Any = ADDRESS) -> str:
    return json.dumps({"scriptVersion": "0.3", "src": HUB, "srcBle": {"mac": mac, "rssi": -60}, "payload": payload})


def state(**data: Any) -> str:
    return notify(src=HUB, blu={"shellybludw-bc026ec3a6c7": {"addr": ADDRESS, "rssi": -60, **data}})


@pytest.mark.parametrize(
    ("channel", "payload", "said"),
    [
        (
            "rpc",
            oh(BTHome_version=2, pid=38, Battery=100, Window=1, addr=ADDRESS),
            {"battery": 100.0, "contact": "open"},
        ),
        ("rpc", oh(pid=38, addr=ADDRESS, ver=2, raw=WINDOW), {"battery": 100.0, "contact": "open"}),
        ("rpc", oh(addr=ADDRESS, raw="3a003a01"), {"sos": "pressed"}),
        ("rpc", oh(addr=ADDRESS, Button=[0, 1]), {"sos": "pressed"}),
        ("rpc", oh("alarm", addr=ADDRESS, code="BTH_ENCRYPTED"), {"ignored": "encrypted"}),
        ("ble", scan("44" + WINDOW), {"battery": 100.0, "contact": "open"}),
        ("ble", scan("44" + WINDOW, "BC026EC3A6C7"), {"battery": 100.0, "contact": "open"}),
        ("ble", scan("4400cd01643a01"), {"battery": 100.0, "sos": "pressed"}),
        ("ble", scan("44000a2101"), {"motion": "detected"}),
        ("ble", scan("45" + WINDOW), {"ignored": "encrypted"}),
        ("ble", scan("04" + WINDOW), {"ignored": "vendor_raw"}),
        ("ble", scan("zz"), {"ignored": "vendor_raw"}),
        ("ble", scan(""), {"ignored": "vendor_raw"}),
        ("ble", scan(None), {"ignored": "vendor_raw"}),
        ("ble", scan("44" + WINDOW, None), {"ignored": "vendor_raw"}),
        ("ble", "[]", {"aside": "invalid_value"}),
        ("rpc", state(window=0, battery=90), {"battery": 90.0, "contact": "closed"}),
        # A press is an event besides.
        ("rpc", state(button=1), {"heartbeat": "alive"}),
        (
            "rpc",
            event(
                {"component": "blu", "event": "button", "data": {"device": "shellyblubutton1-bc026ec3a6c7", "value": 1}}
            ),
            {"sos": "pressed"},
        ),
        (
            "rpc",
            event(
                {"component": "blu", "event": "scan_result", "data": {"addr": ADDRESS, "service_data": {"window": 1}}}
            ),
            {"contact": "open"},
        ),
    ],
)
def test_what_other_scripts_tell_of_blu_devices(
    source: Any, summary: Summary, channel: str, payload: str, said: dict[str, Any]
) -> None:
    for name in (f"{HUB}/{ADDRESS}", ADDRESS, ADDRESS.upper(), "bc026ec3a6c7"):
        site = source("shelly-gen2")
        site.world.gateways["s", HUB] = Gateway("online")
        site.knows(name, "sos")
        answer = summary(site.hears(f"{HUB}/events/{channel}", payload.replace('"pid": 38', '"pid": 39')))
        assert {key: one for key, one in answer.items() if not key.startswith("measurement:")} == said


def test_a_scan_result_of_any_telephone_is_nobody(site: Any) -> None:
    site.knows(HUB)
    for payload in (oh("scan_result", addr="11:22:33:44:55:66", rssi=-62, tx_power=-128), oh(addr=5, Window=1)):
        assert list(site.hears(f"{HUB}/events/rpc", payload).strangers) == []


def test_a_device_may_be_called_as_the_script_calls_it(site: Any, summary: Summary) -> None:
    site.knows("shellybludw-bc026ec3a6c7", "contact")
    assert summary(site.hears(f"{HUB}/events/rpc", state(window=1)))["contact"] == "open"


def test_wet_is_a_leak_only_where_a_leak_sensor_is_registered(site: Any, summary: Summary) -> None:
    site.world.gateways["s", "hub"] = Gateway("online")
    site.knows(ADDRESS, "water_leak")
    assert summary(site.hears("hub/events/ble", scan("442001")))["water_leak"] == "alarm"
    assert summary(site.hears("hub/events/ble", scan("442000")))["water_leak"] == "clear"
    assert summary(site.hears("hub/events/ble", scan("442005")))["water_leak"] == "unknown"
    site.knows("aa:bb:cc:dd:ee:ff", "")
    assert summary(site.hears("hub/events/ble", scan("442001", "aa:bb:cc:dd:ee:ff"))) == {"heartbeat": "alive"}


def test_what_is_encrypted_and_who_is_a_stranger(site: Any, summary: Summary) -> None:
    assert summary(site.hears(f"{HUB}/events/rpc", blu(encryption=True)))["ignored"] == "encrypted"
    decoded = site.hears(f"{HUB}/events/rpc", blu(window=1))
    assert summary(decoded)["aside"] == "unknown_device"
    assert list(decoded.strangers) == [f"{HUB}/aa:bb:cc:00:00:01"]


def test_the_will_of_a_gateway_is_about_what_is_behind_it(site: Any, summary: Summary) -> None:
    site.world.gateways["s", HUB] = Gateway("online")
    assert summary(site.hears(f"{HUB}/online", "false")) == {f"gateway:{HUB}": "offline"}
    site.knows(HUB)
    assert summary(site.hears(f"{HUB}/online", "true")) == {f"gateway:{HUB}": "online", "availability": "online"}


def test_a_gateway_is_noticed_once(site: Any, summary: Summary) -> None:
    site.knows(f"{HUB}/bthomedevice:200", "sos")
    site.world.gateways["s", HUB] = Gateway("offline")
    payload = notify(src=HUB, bthomedevice__200={"id": 200, "battery": 80})
    assert summary(site.hears(f"{HUB}/events/rpc", payload)) == {"battery": 80.0}


# --- the will ---


def test_what_wakes_up_now_and_then_is_not_offline(site: Any, summary: Summary) -> None:
    site.knows("301-plug")
    assert summary(site.hears("301-plug/online", "false")) == {"availability": "offline"}
    site.hears("301-plug/events/rpc", notify("NotifyFullStatus", sys={"wakeup_period": 86400}))
    assert summary(site.hears("301-plug/online", "false")) == {"availability": "sleeping"}
    external = {"battery": {"V": 5.1, "percent": 100}, "external": {"present": True}}
    site.hears("301-plug/events/rpc", notify("NotifyFullStatus", sys={"wakeup_period": 600}, devicepower__0=external))
    assert summary(site.hears("301-plug/online", "false")) == {"availability": "offline"}


def test_a_detector_sleeps_unless_it_is_wired_to_an_input(site: Any, summary: Summary) -> None:
    site.knows("301-smoke", "smoke")
    site.knows("302-smoke", "smoke", map={"input:0": Mapped(kind="smoke")})
    assert summary(site.hears("301-smoke/online", "false")) == {"availability": "sleeping"}
    assert summary(site.hears("302-smoke/online", "false")) == {"availability": "offline"}


@pytest.mark.parametrize(
    ("name", "payload", "said"),
    [
        (SMOKE, "true", {"availability": "online"}),
        (SMOKE, "false", {"availability": "sleeping"}),
        ("shellyfloodg4-1", "false", {"availability": "sleeping"}),
        ("shellyplus1-1", "false", {"availability": "offline"}),
        ("shellyplus1-1", "no", {"aside": "invalid_value"}),
        ("shellyplus1-1", "", {"ignored": "empty_payload"}),
    ],
)
def test_the_will(site: Any, summary: Summary, name: str, payload: str, said: dict[str, Any]) -> None:
    site.knows(name)
    assert summary(site.hears(f"{name}/online", payload)) == said


# --- names and topics ---


@pytest.mark.parametrize(
    ("base", "topic", "name"),
    [
        ("+", f"{SMOKE}/events/rpc", SMOKE),
        ("+", "301/smoke/events/rpc", "301/smoke"),
        ("shelly", "shelly/301-smoke/events/rpc", "301-smoke"),
        ("shelly", "shelly/301/烟感/events/rpc", "301/烟感"),
        ("mine/smoke", "mine/smoke/events/rpc", "mine/smoke"),
        ("shelly", "shelly/301-smoke/events/rpc", SMOKE),
    ],
)
def test_names(source: Any, base: str, topic: str, name: str) -> None:
    site = source("shelly-gen2", base=base)
    site.knows(name, "smoke")
    decoded = site.hears(topic, notify(smoke__0={"id": 0, "alarm": True}))
    assert [(one.device_id, one.kind, one.state) for one in decoded.readings] == [(name, "smoke", "alarm")]


def test_what_is_subscribed(source: Any) -> None:
    assert source("shelly-gen2").decoder.subscriptions == ("+/events/rpc", "+/events/ble", "+/status/+", "+/online")
    assert source("shelly-gen2", base="shelly").decoder.subscriptions == ("shelly/#",)


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("x/rpc", '{"id":1,"src":"me","method":"Smoke.Mute","params":{"id":0}}', {"ignored": "command"}),
        ("me/rpc", '{"id":1,"src":"x","dst":"me","result":{"was_on":false}}', {"ignored": "reply"}),
        ("x/events/rpc", '{"id":1,"src":"x","dst":"me","result":{}}', {"ignored": "reply"}),
        ("x/command", "status_update", {"ignored": "command"}),
        ("x/debug/log", "shelly_notification:163", {"ignored": "log"}),
        ("x/events/rpc", "{", {"aside": "malformed_json"}),
        ("x/events/rpc", "[]", {"aside": "invalid_value"}),
        ("x/events/rpc", '{"method":"Switch.Set","params":{}}', {"aside": "invalid_value"}),
        ("x/events/rpc", '{"method":"NotifyStatus"}', {"aside": "invalid_value"}),
        ("x/status/smoke:0", "5", {"aside": "invalid_value"}),
        ("x/else", "5", {"aside": "unknown_topic"}),
    ],
)
def test_what_is_no_state(site: Any, summary: Summary, topic: str, payload: str, said: dict[str, Any]) -> None:
    assert summary(site.says(topic, payload)) == said


def test_a_topic_of_another_make_is_left_to_it(site: Any) -> None:
    assert site.hears("esp/binary_sensor/door/state", "ON").foreign
    assert not site.hears(f"{SMOKE}/events/rpc", notify(smoke__0={"alarm": True})).foreign


# --- anything ---

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "smoke:0",
        "flood:0",
        "devicepower:0",
        "input:0",
        "sys",
        "bthomesensor:200",
        "bthomedevice:200",
        "presencezone:200",
        "presencezone:201",
        "temperature:0",
        "events",
        "ts",
        "script:1",
        "boolean:200",
        "switch:0",
    ]
)
FIELDS = st.sampled_from(
    [
        "alarm",
        "mute",
        "errors",
        "state",
        "value",
        "battery",
        "wakeup_period",
        "external",
        "tC",
        "component",
        "event",
        "data",
        "num_objects",
        "last_updated_ts",
    ]
)
STATUS = st.dictionaries(FIELDS, VALUES, max_size=4)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "component": KEYS | VALUES | st.just("blu"),
            "event": st.sampled_from(["shelly-blu", "oh-blu.data", "button", "alarm", "single_push"]) | VALUES,
        },
        optional={
            "data": VALUES
            | st.dictionaries(
                st.sampled_from(
                    ["address", "addr", "raw", "device", "service_data", "pid", "Button", "window", "encryption"]
                ),
                VALUES | st.binary(max_size=9).map(bytes.hex),
                max_size=5,
            )
        },
    ),
    max_size=3,
)


@settings(deadline=None)
@given(
    topic=st.sampled_from(
        ["x/events/rpc", "x/events/ble", "x/status/smoke:0", "x/status/bthomedevice:200", "x/online", "x/rpc", "", "/"]
    ),
    payload=st.binary(max_size=20)
    | STATUS.map(lambda one: json.dumps(one).encode())
    | st.binary(max_size=30).map(lambda one: scan("44" + one.hex()).encode())
    | st.fixed_dictionaries(
        {
            "src": st.just("x") | VALUES,
            "method": st.sampled_from(["NotifyStatus", "NotifyFullStatus", "NotifyEvent"]) | VALUES,
            "params": st.dictionaries(KEYS, STATUS | VALUES, max_size=5)
            | st.builds(lambda events: {"events": events}, EVENTS)
            | VALUES,
        }
    ).map(lambda one: json.dumps(one).encode()),
    kind=st.sampled_from(["", "sos", "smoke"]),
)
@example(topic="x/events/rpc", payload=notify(src="", ts=1e300, events=[1]).encode(), kind="")
def test_nothing_makes_it_fail(topic: str, payload: bytes, kind: str) -> None:
    """Invariant nothing-dropped."""
    decoder = Decoder([Source(id="s", dialect="shelly-gen2", base="+")])
    world = World(devices={("s", "x"): Device(id="d", home_id="h", kind=kind, source="s", name="x")})
    message = Message(topic, payload, False, NOON)
    assert all(type(name) is str for _, name in decoder.names(message))
    decoded = decoder.decode(message, world)
    assert decoded.readings or decoded.ignored or decoded.quarantine or decoded.unmapped
    assert decoded.quarantine is None or decoded.quarantine[0] != "decoder_error"
    assert {one.kind for one in decoded.readings} <= KINDS
    assert json.loads(json.dumps(decoded.learnt)) == decoded.learnt


@settings(deadline=None)
@given(value=VALUES, component=st.sampled_from(["smoke:0", "flood:0"]))
def test_only_false_is_clear(value: Any, component: str) -> None:
    """Invariant unknown-is-not-clear."""
    decoder = Decoder([Source(id="s", dialect="shelly-gen2", base="+")])
    world = World(devices={("s", "x"): Device(id="d", home_id="h", kind="smoke", source="s", name="x")})
    payload = json.dumps({"alarm": value}).encode()
    decoded = decoder.decode(Message(f"x/status/{component}", payload, False, NOON), world)
    expected = ("alarm" if value else "clear") if isinstance(value, bool) else "unknown"
    assert [one.state for one in decoded.readings] == [expected]
