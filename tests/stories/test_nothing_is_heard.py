"""Devices, gateways and homes of which nothing is heard: one incident a cause, none too early, each with its end."""

from datetime import timedelta
from typing import Any

import pytest
import yaml

from rules.incident import IncidentState
from rules.readings import Reading
from store import findings

GAS = "yl-1-2-301-gas"
SMOKE = "yl-1-2-301-smoke"
DOOR = "yl-1-2-301-door"
BRIDGE = "zigbee2mqtt/bridge/state"
HOUR_S = 3600

GATEWAY = {
    "id": "gateway-off",
    "title": "网关离线",
    "when": {"offline": "gateway", "for": "10m"},
    "severity": "notice",
    "plan": "repair",
    "policy": "once",
    "group": "gateway",
}
UNWATCHED = {
    "id": "unwatched",
    "title": "无人看护",
    "when": {"unwatched": "home", "for": "2h"},
    "severity": "notice",
    "plan": "check-in",
    "policy": "once",
    "group": "watch",
}


async def rule(site: Any, *more: dict[str, Any], without: tuple[str, ...] = (), **source: object) -> None:
    """Add rules, take some away, and say more of the source `xinsheng`."""
    path = site.file("rules.yaml")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["rules"] = [one for one in document["rules"] if one["id"] not in without] + list(more)
    document["policies"]["once"] = {
        "steps": [{"after": "0s", "to": "assigned", "by": "sms"}],
        "repeat": {"every": "2d", "until": "answered"},
    }
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    path = site.file("devices.yaml")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["sources"][0] |= source
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    await site.reload()


async def all_speak(site: Any) -> None:
    await site.says(GAS, gas=False)
    await site.says(SMOKE, smoke=False)
    await site.says(DOOR, contact=True)


# --- a gateway --------------------------------------------------------------------------------------------------------


async def test_a_gateway_that_is_off_is_one_incident(any_site: Any) -> None:
    """Three devices behind it, one message to one person; none of the devices is called silent, and it says its end."""
    site = any_site
    await rule(site, GATEWAY)
    await all_speak(site)
    await site.publishes(BRIDGE, {"state": "offline"})
    await site.advance(hours=10)

    assert site.who_heard() == [(600, "sms li")]
    incident = await site.incident()
    assert (incident.home_id, incident.kinds, incident.severity) == ("yl-1-2-301", ("gateway_offline",), "notice")
    assert "影响1户3个设备" in str(await site.journal())

    await site.publishes(BRIDGE, {"state": "online"})
    await site.advance(minutes=1)
    assert site.who_heard(since=601) == [(10 * HOUR_S, "sms li")]
    assert "恢复" in site.text("sms li", 10 * HOUR_S)
    assert (await site.incident()).state is IncidentState.RESOLVED
    assert len(await site.incidents()) == 1


async def test_a_gateway_that_only_starts_again_is_told_to_nobody(site: Any) -> None:
    await rule(site, GATEWAY)
    await all_speak(site)
    for _ in range(3):
        await site.publishes(BRIDGE, {"state": "offline"})
        await site.advance(minutes=9)
        await site.publishes(BRIDGE, {"state": "online"})
        await site.advance(minutes=2)

    assert site.who_heard() == []


async def test_it_is_raised_where_the_gateway_stands(site: Any) -> None:
    await rule(site, GATEWAY, home="yl-1-2-302")
    await site.publishes(BRIDGE, {"state": "offline"})
    await site.advance(minutes=11)

    assert (await site.incident()).home_id == "yl-1-2-302"


async def test_a_rule_for_gateways_counts_also_for_one_that_is_off_already(site: Any) -> None:
    await site.publishes(BRIDGE, {"state": "offline"})
    await site.advance(hours=1)
    assert site.who_heard() == []

    # devices.yaml changes as well: a home has moved.
    await rule(site, GATEWAY, home="yl-1-2-302")
    await site.advance(seconds=1)
    assert [who for _, who in site.who_heard()] == ["sms li"]


async def test_a_gateway_that_went_while_we_were_away_and_is_back_is_told_to_nobody(site: Any) -> None:
    """What the broker kept for us comes before what is due is handled."""
    await rule(site, GATEWAY)
    await site.publishes(BRIDGE, {"state": "offline"})
    await site.stop()
    await site.advance(hours=1)
    await site.start()
    await site.publishes(BRIDGE, {"state": "online"})
    await site.advance(minutes=30)

    assert site.who_heard() == []


async def test_who_could_not_be_heard_has_some_minutes_to_speak_up(site: Any) -> None:
    """The gas detector would be silent for too long a minute after its gateway is back: it has ten."""
    await site.says(GAS, gas=False)
    await site.advance(hours=5, minutes=59)
    await site.publishes(BRIDGE, {"state": "offline"})
    await site.advance(hours=1)
    await site.publishes(BRIDGE, {"state": "online"})
    await site.advance(minutes=9, seconds=59)
    assert site.who_heard() == []

    await site.says(GAS, gas=False)
    await site.advance(hours=5)
    assert site.who_heard() == []


async def test_one_that_does_not_speak_up_is_told_after_that(site: Any) -> None:
    await site.says(GAS, gas=False)
    await site.advance(hours=5, minutes=59)
    await site.publishes(BRIDGE, {"state": "offline"})
    await site.advance(hours=1)
    await site.publishes(BRIDGE, {"state": "online"})
    await site.advance(minutes=16)

    assert [who for _, who in site.who_heard()] == ["sms desk"]
    assert site.who_heard()[0][0] >= 7 * HOUR_S - 60 + 600


async def test_after_our_own_start_there_is_some_time_as_well(site: Any) -> None:
    """A start that takes seconds is no gap; yet what was on its way to us then may have been lost."""
    await site.says(GAS, gas=False)
    await site.advance(hours=5, minutes=55)
    await site.stop()
    await site.advance(seconds=20)
    await site.start()
    began = site.at(site.moment)
    await site.advance(minutes=9)
    assert site.who_heard() == []
    await site.advance(minutes=2)

    assert [who for _, who in site.who_heard()] == ["sms desk"]
    assert site.who_heard()[0][0] == round(began + 600)


async def test_our_starting_again_and_again_hides_no_dead_sensor(site: Any) -> None:
    await site.says(GAS, gas=False)
    await site.advance(hours=5, minutes=55)
    for _ in range(8):
        await site.stop()
        await site.start()
        await site.advance(minutes=3)

    assert [who for _, who in site.who_heard()] == ["sms desk"]
    assert 6 * HOUR_S + 600 <= site.who_heard()[0][0] <= 6 * HOUR_S + 600 + 10


# --- a device ---------------------------------------------------------------------------------------------------------


async def test_a_device_that_comes_back_says_so_to_whoever_was_told(any_site: Any) -> None:
    site = any_site
    await site.says(GAS, gas=False)
    await site.advance(hours=7)
    assert [who for _, who in site.who_heard()] == ["sms desk"]

    back = site.at(site.moment)
    await site.says(GAS, gas=False)
    await site.advance(minutes=1)
    assert site.who_heard(since=back) == [(round(back), "sms desk")]
    assert "恢复" in site.text("sms desk", round(back))
    assert (await site.incident()).state is IncidentState.RESOLVED
    events = await site.events()
    assert "cleared" in events
    assert events.index("cleared") < events.index("cause_gone")
    await site.advance(hours=1)
    assert len(site.who_heard()) == 2


@pytest.mark.parametrize(("word", "silent"), [("sleeping", False), ("offline", True)])
async def test_expected_sleep_is_never_offline(site: Any, word: str, silent: bool) -> None:
    """A detector that says once a day that all is well and goes back to sleep is no detector that is offline."""
    for _ in range(3):
        await site.says(SMOKE, smoke=False)
        for said in ("online", word):
            await site.reads(Reading(SMOKE, "availability", site.moment, state=said))
        await site.advance(hours=25)

    async with site.database.read() as tx:
        assert bool(await findings.standing(tx, [SMOKE])) is silent


async def test_one_that_sleeps_for_too_long_is_offline(site: Any) -> None:
    await site.reads(Reading(SMOKE, "availability", site.moment, state="sleeping"))
    await site.advance(hours=72, seconds=1)

    async with site.database.read() as tx:
        assert await findings.standing(tx, [SMOKE])


# --- a home -----------------------------------------------------------------------------------------------------------


async def test_a_home_without_a_sign_of_life_of_its_sensor_is_told_two_hours_later(any_site: Any) -> None:
    """Nothing for six hours of a detector that speaks every two: after two more the worker of the home knows."""
    site = any_site
    await rule(site, UNWATCHED, without=("sensor-silent",))
    await all_speak(site)
    await site.advance(hours=7, minutes=59)
    assert site.who_heard() == []
    await site.advance(minutes=2)

    assert site.who_heard() == [(8 * HOUR_S, "sms li")]
    incident = await site.incident()
    assert (incident.home_id, incident.kinds) == ("yl-1-2-301", ("unwatched",))
    assert "看护中断已8小时：厨房燃气（没有消息）" in str(await site.journal())

    await site.advance(minutes=59)
    await site.says(SMOKE, smoke=False)
    await site.advance(minutes=1)
    assert len(site.who_heard()) == 1
    back = site.at(site.moment)
    await site.says(GAS, gas=False)
    await site.advance(minutes=1)
    assert site.who_heard(since=back) == [(round(back), "sms li")]
    assert (await site.incident()).state is IncidentState.RESOLVED


async def test_homes_behind_a_gateway_that_is_off_are_unwatched(site: Any) -> None:
    await rule(site, UNWATCHED)
    await all_speak(site)
    await site.publishes(BRIDGE, {"state": "offline"})
    await site.advance(hours=1, minutes=59)
    assert site.who_heard() == []
    await site.advance(minutes=2)
    assert site.who_heard() == [(2 * HOUR_S, "sms li")]
    assert "厨房燃气（网关离线）" in str(await site.journal())

    back = site.at(site.moment)
    await site.publishes(BRIDGE, {"state": "online"})
    await site.advance(minutes=1)
    assert site.who_heard(since=back) == [(round(back), "sms li")]


async def test_a_short_outage_leaves_no_trace(site: Any) -> None:
    await rule(site, UNWATCHED, GATEWAY)
    await all_speak(site)
    await site.publishes(BRIDGE, {"state": "offline"})
    await site.advance(minutes=8)
    await site.publishes(BRIDGE, {"state": "online"})
    await site.advance(hours=4)

    assert site.who_heard() == []
    assert await site.incidents() == []


async def homes(site: Any, *, unwatched: bool = False, after: str = "", limit: int = 10) -> dict[str, Any]:
    found: dict[str, Any] = await site.service.desk.homes(unwatched_only=unwatched, limit=limit, after=after)
    return {one["id"]: one for one in found["homes"]}


async def test_the_list_of_homes_says_who_is_not_watched_over_since_when_and_why(any_site: Any) -> None:
    site = any_site
    await site.publishes("shouwang/v1/yl-1-2-302/gas/event", {"kind": "gas", "state": "clear"})
    await site.says(GAS, gas=False)
    await site.says(SMOKE, smoke=False)
    found = await homes(site)
    assert list(found) == ["yl-1-2-301", "yl-1-2-302"]
    home = found["yl-1-2-301"]
    assert (home["address"], home["watched"], home["unwatched_since"]) == ("玉林北街1号院1栋2单元***", False, None)
    assert [(one["id"], one["cause"]) for one in home["devices"]] == [(DOOR, "never_heard")]
    assert found["yl-1-2-302"]["watched"]
    assert found["yl-1-2-302"]["without_heartbeat"] == ["yl-1-2-302-gas"]

    began = site.moment
    await site.says(DOOR, contact=True)
    assert (await homes(site))["yl-1-2-301"]["watched"]
    await site.advance(hours=6)
    found = await homes(site, unwatched=True)
    assert list(found) == ["yl-1-2-301"]
    assert found["yl-1-2-301"]["unwatched_since"] == began.isoformat(timespec="seconds")
    assert [(one["id"], one["cause"]) for one in found["yl-1-2-301"]["devices"]] == [(GAS, "silent")]
    assert await homes(site, after="yl-1-2-301", unwatched=True) == {}

    await site.publishes(BRIDGE, {"state": "offline"})
    causes = {one["id"]: one["cause"] for one in (await homes(site))["yl-1-2-301"]["devices"]}
    assert causes == {GAS: "silent", SMOKE: "gateway", DOOR: "gateway"}


async def test_while_we_hear_nothing_ourselves_no_home_is_watched_over_and_nobody_is_told(site: Any) -> None:
    await rule(site, UNWATCHED, without=("sensor-silent",))
    await all_speak(site)
    await site.advance(hours=7)
    site.connected = False
    gone = site.moment
    await site.advance(hours=3)

    assert site.who_heard() == []
    found = await site.service.desk.homes(unwatched_only=False, limit=1)
    assert found["deaf_since"] == gone.isoformat(timespec="seconds")
    assert found["next"] == "yl-1-2-301"
    assert {one["cause"] for one in found["homes"][0]["devices"]} == {"silent", "service"}


# --- what is said of a device -----------------------------------------------------------------------------------------


async def test_a_source_has_a_heartbeat_for_those_without(site: Any) -> None:
    document = yaml.safe_load(site.file("devices.yaml").read_text(encoding="utf-8"))
    for device in document["homes"][0]["devices"]:
        del device["heartbeat"]
    document["sources"][0]["heartbeat"] = "1h"
    site.file("devices.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    await site.reload()
    await site.says(GAS, gas=False)
    await site.advance(hours=3, minutes=1)

    assert [who for _, who in site.who_heard()][:1] == ["sms desk"]
    assert site.who_heard()[0][0] <= timedelta(hours=3).total_seconds()


async def test_a_gateway_says_how_its_devices_are_powered_where_the_files_say_nothing(any_site: Any) -> None:
    """On the mains: two hours, so that six without a word are too many; and what the files say goes before it."""
    site = any_site
    document = yaml.safe_load(site.file("devices.yaml").read_text(encoding="utf-8"))
    for device in document["homes"][0]["devices"][:2]:
        del device["heartbeat"]
    site.file("devices.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    await site.reload()
    await all_speak(site)
    definition = {"model": "m", "vendor": "v", "exposes": []}
    devices = [
        {"friendly_name": name, "power_source": fed, "definition": definition}
        for name, fed in ((GAS, "Mains (single phase)"), (SMOKE, "Unknown"), (DOOR, "Mains (single phase)"))
    ]
    await site.publishes("zigbee2mqtt/bridge/devices", devices, retain=True)
    await all_speak(site)
    await site.advance(hours=5, minutes=59)
    assert site.who_heard() == []

    await site.advance(minutes=2)
    assert [who for _, who in site.who_heard()] == ["sms desk"]
    async with site.database.read() as tx:
        assert await findings.standing(tx, [SMOKE, DOOR]) == {}
    await site.says(GAS, gas=False)
    await site.advance(hours=3)
    assert "设备恢复通信" in str(await site.journal())


async def test_a_device_that_is_registered_after_its_gateway_spoke_of_it_is_watched_too(site: Any) -> None:
    document = yaml.safe_load(site.file("devices.yaml").read_text(encoding="utf-8"))
    definition = {"model": "m", "vendor": "v", "exposes": []}
    devices = [{"friendly_name": "later", "power_source": "DC Source", "definition": definition}]
    await site.publishes("zigbee2mqtt/bridge/devices", devices, retain=True)
    document["homes"][1]["devices"].append({"id": "later", "kind": "smoke", "source": "xinsheng"})
    site.file("devices.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    await site.reload()
    await site.says("later", smoke=False)
    await site.advance(hours=6, minutes=1)

    async with site.database.read() as tx:
        assert await findings.standing(tx, ["later"])
