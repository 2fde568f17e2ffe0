"""Facts that are not live: they are kept, and page nobody; what nobody can have seen goes to the desk."""

import json
from typing import Any

from rules.incident import IncidentState
from simulators.community import SimDevice, SimSource
from simulators.gateway import Gateway
from simulators.life import Fact

EVENT = "shouwang/v1/yl-1-2-302/gas/event"
ALARM = {"kind": "gas", "state": "alarm"}


async def test_a_retained_alarm_goes_to_the_desk_alone(any_site: Any) -> None:
    """An alarm found standing at first sight is told to the desk, marked as not verified (stale-does-not-page)."""
    site = any_site
    await site.publishes(EVENT, ALARM, retain=True)
    await site.advance(minutes=4)

    assert site.who_heard() == [(0, "sms desk")]
    assert "[待核实]" in site.text("sms desk", 0)
    incident = await site.incident()
    assert not incident.verified
    assert incident.state is IncidentState.OPEN


async def test_a_live_alarm_after_it_pages_as_always(any_site: Any) -> None:
    """What was unverified becomes an ordinary alarm with the first live word: step after step, from the beginning."""
    site = any_site
    await site.publishes(EVENT, ALARM, retain=True)
    await site.advance(seconds=30)
    await site.publishes(EVENT, ALARM)
    await site.advance(seconds=65)

    assert site.who_heard() == [(0, "sms desk"), (30, "sms li"), (90, "voice li")]
    assert "[待核实]" not in site.text("sms li", 30)
    assert (await site.incident()).verified
    assert len(await site.incidents()) == 1


async def test_the_same_retained_alarm_at_every_reconnect_is_told_once(site: Any) -> None:
    """The broker repeats retained messages whenever we subscribe; the desk knows already (stale-does-not-page)."""
    for _ in range(3):
        await site.publishes(EVENT, ALARM, retain=True)
        await site.advance(seconds=20)

    assert site.who_heard() == [(0, "sms desk")]


async def test_a_historic_alarm_tells_nobody(site: Any) -> None:
    """A late sample of yesterday is kept for the record, and that is all (stale-does-not-page)."""
    await site.publishes(EVENT, {**ALARM, "historic": True})
    await site.advance(minutes=4)

    assert site.who_heard() == []
    assert await site.incidents() == []


async def test_a_battery_report_that_repeats_the_alarm_pages_nobody_again(any_site: Any) -> None:
    """Zigbee2MQTT repeats every cached field: only the alarm itself pages (stale-does-not-page, one-page)."""
    site = any_site
    await site.says("yl-1-2-301-smoke", smoke=True, battery=90)
    await site.advance(seconds=10)
    await site.phone("li").replies(f"误报{await site.code()}")
    await site.advance(seconds=10)
    before = site.who_heard()

    for battery in (89, 88, 87):
        await site.says("yl-1-2-301-smoke", smoke=True, battery=battery)
        await site.advance(minutes=4)

    assert site.who_heard() == before
    assert len(await site.incidents()) == 1


async def test_a_gateway_that_starts_again_pages_nobody(site: Any) -> None:
    """At its start a gateway publishes all it remembers, not marked as old: known alarms page nobody again.

    An alarm that it remembers and we do not is told to the desk as unverified (stale-does-not-page).
    """
    gateway = _gateway(site)
    await gateway.start()
    await site.advance(minutes=2)
    await _tells(gateway, "yl-1-2-301-smoke", "alarm")
    await site.advance(seconds=5)
    assert site.who_heard() == [(120, "sms li")]
    await site.phone("li").replies(f"误报{await site.code()}")
    await site.advance(seconds=5)
    before = site.who_heard()

    await gateway.restart()
    await site.advance(seconds=5)
    assert site.who_heard() == before

    # While we were not listening the gas detector alarmed; the gateway remembers it and starts.
    gateway.publish = _nobody
    await _tells(gateway, "yl-1-2-301-gas", "alarm")
    gateway.publish = _to(site)
    await gateway.restart()
    await site.advance(seconds=5)

    assert site.who_heard()[len(before) :] == [(135, "sms desk")]
    assert "[待核实]" in site.text("sms desk", 135)


async def test_a_new_alarm_right_after_a_gateway_s_start_pages(site: Any) -> None:
    """Distrust of what a gateway remembers must not swallow what is new: the state is known as clear before."""
    gateway = _gateway(site)
    await gateway.start()
    await _tells(gateway, "yl-1-2-301-gas", "clear")
    await gateway.restart()
    await site.advance(seconds=10)
    await _tells(gateway, "yl-1-2-301-gas", "alarm")
    await site.advance(seconds=5)

    assert site.who_heard() == [(10, "sms li")]


async def test_the_test_button_pages_nobody(any_site: Any) -> None:
    """An alarm that says itself that it is a test is kept as one; a real alarm after it pages."""
    site = any_site
    await site.says("yl-1-2-301-smoke", smoke=True, test=True, tamper=False, battery_low=False)
    await site.advance(minutes=4)
    assert site.who_heard() == []

    await site.says("yl-1-2-301-smoke", smoke=True, test=False, tamper=False, battery_low=False)
    await site.advance(seconds=5)
    assert site.who_heard() == [(240, "sms li")]


async def test_what_says_nothing_neither_clears_nor_raises(any_site: Any) -> None:
    """`null` and `unavailable` in the middle of an alarm change nothing; alarm after unknown is one.

    Invariant unknown-is-not-clear.
    """
    site = any_site
    await site.says("yl-1-2-301-gas", gas=None)
    await site.advance(seconds=5)
    assert site.who_heard() == []
    await site.says("yl-1-2-301-gas", gas=True)
    await site.says("yl-1-2-301-gas", gas=None)
    await site.publishes("zigbee2mqtt/yl-1-2-301-gas/availability", {"state": "offline"}, retain=True)
    await site.advance(seconds=65)

    assert site.who_heard() == [(5, "sms li"), (65, "voice li")]
    assert "cleared" not in await site.events()


async def test_nonsense_is_kept_and_stops_nothing(any_site: Any) -> None:
    """Undecodable payloads and unknown devices go to quarantine, each with its reason (invariant nothing-dropped)."""
    from store import quarantine  # noqa: PLC0415 - used by this story alone

    site = any_site
    await site.publishes("zigbee2mqtt/nobody-knows-me", {"gas": True})
    await site.publishes("zigbee2mqtt/yl-1-2-301-gas", ["no", "object"])
    await site.publishes("shouwang/v1/yl-1-2-302/gas/event", {"kind": "gas", "state": "purple"})
    await site.publishes("somewhere/else", {"gas": True})
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=1)

    assert site.who_heard() == [(0, "sms li")]
    async with site.database.read() as tx:
        rows = await quarantine.listing(tx, 10)
    assert sorted(row.reason for row in rows) == ["invalid_value", "invalid_value", "unknown_device", "unknown_topic"]


def _gateway(site: Any) -> Gateway:
    source = SimSource(id="xinsheng", dialect="zigbee2mqtt", base="zigbee2mqtt")
    devices = [
        SimDevice(
            id=f"yl-1-2-301-{kind}", home_id="yl-1-2-301", kind=kind, source="xinsheng", name=f"yl-1-2-301-{kind}"
        )
        for kind in ("gas", "smoke")
    ]
    return Gateway(source, devices, _to(site), now=site.now)


async def _tells(gateway: Gateway, device_id: str, state: str) -> None:
    device = gateway.devices[device_id]
    await gateway.tell(device, [Fact(gateway.now(), device, device.kind, state)])


def _to(site: Any) -> Any:
    async def publish(topic: str, payload: bytes, *, retain: bool = False) -> None:
        # To those who are subscribed already, a broker hands on retained messages without the flag.
        await site.publishes(topic, json.loads(payload))

    return publish


async def _nobody(_topic: str, _payload: bytes, *, retain: bool = False) -> None:
    """Nobody listens."""
