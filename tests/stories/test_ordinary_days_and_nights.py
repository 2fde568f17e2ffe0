"""Doors, quiet homes, batteries and silent sensors, at all hours of the day."""

from datetime import timedelta
from typing import Any

from rules.incident import IncidentState, OutcomeKind
from store import registry

GAS = "yl-1-2-301-gas"
DOOR = "yl-1-2-301-door"
DAY_S = 86_400


async def alive(site: Any, *, hours: float, every: float = 1, **fields: object) -> None:
    """Let hours pass in which every sensor says, as all is well, that nothing has changed."""
    for _ in range(round(hours / every)):
        await site.says(GAS, gas=False)
        await site.advance(hours=every)
        await site.says(DOOR, battery=90, **fields)


# --- a door at night --------------------------------------------------------------------------------------------------


async def test_a_door_left_open_in_the_evening_is_told_at_night(any_site: Any) -> None:
    """Open since nine in the evening: told at a quarter past ten, and by day to nobody."""
    site = any_site
    await alive(site, hours=11, contact=True)
    await site.says(DOOR, contact=False)
    await site.advance(hours=1, minutes=14)
    assert site.who_heard() == []
    await site.advance(minutes=2)

    # At a quarter past ten the worker of the micro-grid is off duty; the next level up is called upon.
    at = round(timedelta(hours=12, minutes=15).total_seconds())
    assert site.who_heard() == [(at, "sms chen")]
    assert "夜间门未关" in site.text("sms chen", at)


async def test_a_door_that_is_closed_in_time_is_told_to_nobody(any_site: Any) -> None:
    """Open at night for fourteen minutes, closed, and open again: each time it begins anew."""
    site = any_site
    await alive(site, hours=13, contact=True)
    for _ in range(3):
        await site.says(DOOR, contact=False)
        await site.advance(minutes=14)
        await site.says(DOOR, contact=True)
        await site.advance(minutes=5)

    assert site.who_heard() == []
    assert await site.incidents() == []


async def test_a_door_of_which_nothing_is_known_in_between_is_still_open(site: Any) -> None:
    """`null` while the door stands open does not stop its time (invariant unknown-is-not-clear)."""
    await alive(site, hours=13, contact=True)
    await site.says(DOOR, contact=False)
    await site.advance(minutes=5)
    await site.says(DOOR, contact=None)
    await site.advance(minutes=11)

    assert [who for _, who in site.who_heard()] == ["sms chen"]


# --- a quiet home -----------------------------------------------------------------------------------------------------


async def test_a_day_without_a_sign_of_life(any_site: Any) -> None:
    """The door contact lives and the door does not move for 24 hours: the worker is asked to look."""
    site = any_site
    await site.says(DOOR, contact=True)
    await site.says(DOOR, contact=False)
    await site.says(DOOR, contact=True)
    await alive(site, hours=23.5, every=0.5, contact=True)
    assert site.who_heard() == []
    await alive(site, hours=1, every=0.5, contact=True)

    assert [(at, who) for at, who in site.who_heard()] == [
        (DAY_S, "sms li"),
        (DAY_S + 600, "sms desk"),
        (DAY_S + 600, "sms zhang"),
    ]
    assert "24小时未出门" in site.text("sms li", DAY_S)

    # The door moves: whoever answered hears it, and looks all the same.
    await site.phone("li").replies(await site.code())
    await site.advance(minutes=1)
    before = len(site.who_heard())
    await site.says(DOOR, contact=False)
    await site.advance(minutes=1)
    assert [who for _, who in site.who_heard()][before:] == ["sms li"]
    assert "传感器已恢复" in site.phone("li").texts[-1].body
    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED


async def test_who_is_away_is_not_missed(any_site: Any) -> None:
    """The resident is known to be elsewhere: nobody is sent; back home, quiet counts again."""
    site = any_site
    await site.says(DOOR, contact=False)
    await site.says(DOOR, contact=True)
    async with site.database.write() as tx:
        await registry.set_away(tx, "yl-1-2-301", away=True)
    await alive(site, hours=30, contact=True)
    assert site.who_heard() == []

    async with site.database.write() as tx:
        await registry.set_away(tx, "yl-1-2-301", away=False)
    await alive(site, hours=1, contact=True)
    assert [who for _, who in site.who_heard()][:1] == ["sms li"]


async def test_a_silent_sensor_is_no_inactive_resident(any_site: Any) -> None:
    """The contact has said nothing for longer than it ever is silent: that says nothing of the resident.

    Invariant unknown-is-not-clear. What the desk hears is that the contact is silent.
    """
    site = any_site
    devices = site.file("devices.yaml")
    devices.write_text(devices.read_text().replace("heartbeat: 25h", "heartbeat: 4h"))
    assert await site.reload()
    await site.says(DOOR, contact=False)
    await site.says(DOOR, contact=True)
    for _ in range(26):
        await site.says(GAS, gas=False)
        await site.advance(hours=1)

    told = site.told()
    assert [(round(at), who) for at, who, _ in told] == [(12 * 3600, "sms desk")]
    assert "设备离线" in told[0][2]


# --- a battery --------------------------------------------------------------------------------------------------------


async def test_a_low_battery_is_a_notice_that_ends_by_itself(any_site: Any) -> None:
    """Told to the desk once a day, and closed without a person when the battery has been changed."""
    site = any_site
    await site.says(DOOR, contact=True, battery=14)
    await site.advance(seconds=5)
    assert site.who_heard() == [(0, "sms desk")]
    assert "电量低" in site.text("sms desk", 0)

    # Between the two bounds it is neither over nor news.
    await site.says(DOOR, contact=True, battery=17)
    await site.says(DOOR, contact=True, battery=13)
    await site.advance(seconds=5)
    assert site.who_heard() == [(0, "sms desk")]

    await site.says(DOOR, contact=True, battery=100)
    await site.advance(hours=3)
    incident = await site.incident()
    assert (incident.state, incident.outcome, incident.outcome_by) == (
        IncidentState.RESOLVED,
        OutcomeKind.CAUSE_GONE,
        "sensor",
    )
    assert [who for _, who in site.who_heard()] == ["sms desk", "sms desk"]
    assert "已恢复正常" in site.phone("desk").texts[-1].body


# --- a silent sensor --------------------------------------------------------------------------------------------------


async def test_a_sensor_that_falls_silent_and_is_back(any_site: Any) -> None:
    """After three missed heartbeats (2 h each) the desk hears of it; the next word of the sensor closes it."""
    site = any_site
    await site.says(GAS, gas=False)
    await site.advance(hours=5, minutes=59)
    assert site.who_heard() == []
    await site.advance(minutes=2)
    assert site.who_heard() == [(21600, "sms desk")]
    assert "设备离线" in site.text("sms desk", 21600)

    await site.says(GAS, gas=False)
    await site.advance(minutes=5)
    assert (await site.incident()).outcome is OutcomeKind.CAUSE_GONE
    assert await site.open_incidents() == []


async def test_each_word_of_a_sensor_puts_its_silence_off(site: Any) -> None:
    """A gas detector that reports every two hours is never called silent, whatever it says."""
    for _ in range(12):
        await site.says(GAS, linkquality=100)
        await site.advance(hours=2)

    assert [who for _, who in site.who_heard() if "sms" in who] == []


async def test_behind_a_gateway_that_is_off_nothing_is_called_silent(any_site: Any) -> None:
    """While the gateway says that it is off its sensors are not judged: the desk would get a notice for each.

    When it is back they have as long as they would have had; one that stays silent then is told.
    """
    site = any_site
    await site.says(GAS, gas=False)
    await site.advance(hours=1)
    await site.publishes("zigbee2mqtt/bridge/state", {"state": "offline"})
    await site.advance(hours=9)
    assert site.who_heard() == []

    await site.publishes("zigbee2mqtt/bridge/state", {"state": "online"})
    await site.advance(hours=4, minutes=59)
    assert site.who_heard() == []
    await site.advance(minutes=2)
    assert site.who_heard() == [(15 * 3600, "sms desk")]


async def test_a_gateway_that_starts_often_hides_no_dead_sensor(site: Any) -> None:
    """It is off for a minute in every hour: a sensor that has died is told six hours later and some minutes."""
    await site.says(GAS, gas=False)
    for _ in range(7):
        await site.advance(minutes=59)
        await site.publishes("zigbee2mqtt/bridge/state", {"state": "offline"})
        await site.advance(minutes=1)
        await site.publishes("zigbee2mqtt/bridge/state", {"state": "online"})

    assert [who for _, who in site.who_heard()] == ["sms desk"]
    assert 6 * 3600 <= site.who_heard()[0][0] <= 6 * 3600 + 15 * 60
