"""The sensor says more while an incident is open: cleared, again, worse, or from elsewhere in the same home."""

from typing import Any

from rules.incident import IncidentState

EVENT = "shouwang/v1/yl-1-2-302/gas/event"


async def test_a_sensor_that_clears_is_told_to_whoever_answered(any_site: Any) -> None:
    """The air is clean again: whoever goes hears it and goes all the same; a gas alarm never closes itself."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    await site.phone("li").replies(await site.code())
    await site.advance(seconds=10)
    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(seconds=60)

    assert site.who_heard() == [(0, "sms li"), (10, "answer li"), (20, "sms li")]
    assert "传感器已恢复，仍请" in site.text("sms li", 20)
    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED


async def test_a_sensor_that_clears_stops_no_escalation(site: Any) -> None:
    """Nobody has answered yet: the phone rings at a minute although the sensor says that all is well."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(seconds=55)

    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]


async def test_the_fire_that_comes_back_is_told_again(any_site: Any) -> None:
    """Cleared and alarming again: whoever is on the way hears that at once, by every way of the first step."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    await site.phone("li").replies(await site.code())
    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(seconds=10)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=60)

    assert [who for _, who in site.who_heard()] == ["sms li", "answer li", "sms li", "sms li"]
    text = site.text("sms li", 20)
    assert "再次报警" in text
    assert "接单回" not in text, "the answer is there already"
    assert len(await site.incidents()) == 1
    assert "realerted" in await site.events()


async def test_before_anybody_answers_the_assigned_hear_of_it(site: Any) -> None:
    """Cleared and alarming again while nobody has answered: one more text, and the steps keep their times."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(seconds=20)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=45)

    assert site.who_heard() == [(0, "sms li"), (20, "sms li"), (60, "voice li")]


async def test_news_that_it_alarms_again_falls_back_to_a_call(site: Any) -> None:
    """The text with the second alarm does not arrive: whoever is on the way is called, and told to go on."""
    from simulators.phones import answer  # noqa: PLC0415 - used by this story alone

    site.phone("li").on_call(answer())
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    await site.phone("li").replies(await site.code())
    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(seconds=10)
    site.twilio.faults.add("undelivered", "+8613800000001", resource="messages")
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=60)

    assert site.who_heard(since=20) == [(20, "sms li"), (22, "voice li")]
    heard = " ".join(site.phone("li").calls[0].heard)
    assert "再次报警" in heard
    assert "不用去" not in heard


async def test_repeats_are_counted_and_tell_nobody(any_site: Any) -> None:
    """A detector that says every ten seconds that it alarms fills the count and no phone (invariant one-page)."""
    site = any_site
    for _ in range(5):
        await site.publishes(EVENT, {"kind": "gas", "state": "alarm"})
        await site.advance(seconds=10)

    assert site.who_heard() == [(0, "sms li")]
    assert (await site.incident()).count == 5
    assert len(await site.incidents()) == 1


async def test_smoke_after_gas_joins(any_site: Any) -> None:
    """A second kind in the same home is one incident with both in its title; the worker hears of it at once."""
    site = any_site
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    await site.phone("li").replies(await site.code())
    await site.advance(seconds=10)
    await site.says("yl-1-2-301-smoke", smoke=True)
    await site.advance(seconds=5)

    assert site.who_heard() == [(0, "sms li"), (10, "answer li"), (20, "sms li")]
    assert "燃气泄漏+烟雾报警" in site.text("sms li", 20)
    incident = await site.incident()
    assert incident.kinds == ("gas", "smoke")
    assert len(await site.incidents()) == 1


async def test_one_of_two_clears(site: Any) -> None:
    """Gas and smoke stand; the gas clears: whoever goes hears that one still stands."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.says("yl-1-2-301-smoke", smoke=True)
    await site.advance(seconds=10)
    await site.phone("li").replies(await site.code())
    await site.advance(seconds=10)
    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(seconds=5)

    assert "还有1处报警" in site.text("sms li", 20)


async def test_what_was_closed_and_still_alarms_opens_anew(any_site: Any) -> None:
    """Closed as a false alarm while the detector goes on for more than ten minutes: what was closed is not over."""
    site = any_site
    await site.publishes(EVENT, {"kind": "gas", "state": "alarm"})
    await site.advance(seconds=10)
    await site.phone("li").replies(f"误报{await site.code()}")
    for _ in range(9):
        await site.advance(minutes=1)
        await site.publishes(EVENT, {"kind": "gas", "state": "alarm"})
    assert len(await site.incidents()) == 1

    await site.advance(minutes=2)
    await site.publishes(EVENT, {"kind": "gas", "state": "alarm"})
    await site.advance(seconds=1)
    assert len(await site.incidents()) == 2
    assert [who for _, who in site.who_heard()] == ["sms li", "answer li", "sms li"]


async def test_what_was_closed_and_alarms_anew_opens_at_once(site: Any) -> None:
    """Closed, cleared, and alarming again a minute later: a new incident with another code."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=10)
    code = await site.code()
    await site.phone("li").replies(f"误报{code}")
    await site.says("yl-1-2-301-gas", gas=False)
    await site.advance(minutes=1)
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=1)

    assert await site.code() != code
    assert site.who_heard() == [(0, "sms li"), (10, "answer li"), (70, "sms li")]


async def test_a_worse_finding_brings_its_own_policy_and_plan(any_site: Any) -> None:
    """An open door that waits for the morning and then smoke, in one group: the smoke's steps and plan count.

    They are kept with the incident, so that the next step is one of the worse rule's policy too.
    """
    site = any_site
    rules = site.file("rules.yaml")
    rules.write_text(
        rules.read_text()
        .replace('for: 15m, between: "22:00-06:00"}, severity: warning', "for: 1m}, group: home, severity: warning")
        .replace("{id: smoke, ", "{id: smoke, group: home, ")
    )
    assert await site.reload()
    await site.says("yl-1-2-301-door", contact=False)
    await site.advance(minutes=2)
    assert site.who_heard() == [(60, "sms li")]
    await site.says("yl-1-2-301-smoke", smoke=True)
    await site.advance(seconds=65)

    assert site.who_heard(since=61) == [(120, "sms li"), (180, "voice li")]
    incident = await site.incident()
    assert incident.snapshot.policy.id == "life-safety"
    assert incident.snapshot.plan.id == "smoke"
    assert "先确认火情拨119" in site.text("sms li", 120)
