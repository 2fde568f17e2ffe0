"""The service stops, is killed, or loses its database, in the middle of it all; and goes on."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ingest.message import Message
from rules.decisions import CancelDue, DeliveryState, DueKind
from rules.incident import IncidentState
from shouwang import auditor
from shouwang.health import Health
from simulators.phones import answer
from store import due
from store.errors import DatabaseUnavailableError

GAS = "yl-1-2-301-gas"
EVENT = "shouwang/v1/yl-1-2-302/gas/event"
ALARM = b'{"kind": "gas", "state": "alarm"}'


async def test_a_minute_away_in_the_middle_of_an_escalation(any_site: Any) -> None:
    """The step that was due meanwhile goes out at the start: at once, marked late, once (invariant late-is-said)."""
    site = any_site
    site.phone("li").on_call(answer(hangs_up_after_s=2))
    await site.says(GAS, gas=True)
    await site.advance(seconds=80)
    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]

    await site.stop()
    await site.advance(seconds=60)
    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]
    await site.start()
    await site.advance(seconds=20)

    assert site.who_heard(since=61) == [
        (140, "sms chen"),
        (140, "sms zhang"),
        (140, "voice chen"),
        (140, "voice zhang"),
    ]
    assert "[迟20秒]" in site.text("sms chen", 140)
    assert {one.late_s for one in await site.deliveries() if one.step_key == "r0s2"} == {20}
    late = [one for one in await site.journal() if one.event == "late"]
    assert [one.detail["delay"] for one in late] == [20]


async def test_steps_that_were_missed_all_go_out(site: Any) -> None:
    """Four minutes away: call, back-ups, desk and family at once, each once; nobody waits for a step that is past."""
    await site.says(GAS, gas=True)
    await site.advance(seconds=10)
    await site.stop()
    await site.advance(minutes=4)
    await site.start()
    await site.advance(seconds=1)

    assert site.who_heard(since=1) == [
        (250, "sms chen"),
        (250, "sms desk"),
        (250, "sms son"),
        (250, "sms zhang"),
        (250, "voice chen"),
        (250, "voice desk"),
        (250, "voice li"),
        (250, "voice son"),
        (250, "voice zhang"),
    ]


async def test_an_overdue_arrival_is_late_too(site: Any) -> None:
    """Whoever answered is not there, and the service was away when that was due: it says so when it is back."""
    await site.says(GAS, gas=True)
    await site.advance(seconds=10)
    await site.phone("li").replies(await site.code())
    await site.stop()
    await site.advance(minutes=10)
    await site.start()
    await site.advance(seconds=1)

    entry = next(one for one in await site.journal() if one.event == "arrival_overdue")
    assert entry.detail["late_s"] == 300
    assert (610, "sms li") in site.who_heard()
    assert (610, "voice li") in site.who_heard()
    assert (610, "sms desk") in site.who_heard()


async def test_an_answer_while_it_is_away_is_not_lost_where_the_provider_repeats_it(site: Any) -> None:
    """A reply meets nobody; brought again after the start it counts as if it came then."""
    await site.says(GAS, gas=True)
    await site.advance(seconds=10)
    await site.stop()
    incoming = await site.phone("li").replies(f"1 {await site.code()}")
    assert incoming.status != 200
    await site.advance(seconds=20)
    await site.start()
    await site.twilio.redeliver(incoming.message.sid)
    await site.advance(minutes=3)

    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED
    assert [who for _, who in site.who_heard()] == ["sms li", "answer li"]


async def test_killed_between_the_request_and_its_record(any_site: Any) -> None:
    """The process dies while a text is under way: the next one asks for it and does not send it again (one-page)."""
    site = any_site
    site.twilio.faults.add("callbacks_lost")

    async def nobody_left_to_write(*_: object) -> None:
        raise DatabaseUnavailableError("The process is gone.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site.service.deliveries, "send_finished", nobody_left_to_write)
        patch.setattr("notify.dispatcher._REPORT_AGAIN_S", ())
        await site.says(GAS, gas=True)
    await site.stop()
    assert len(site.twilio.messages) == 1
    assert [one.state for one in await site.deliveries()] == [DeliveryState.SENDING]
    await site.advance(seconds=3)
    await site.start()
    await site.advance(seconds=55)

    assert site.who_heard() == [(0, "sms li")]
    assert (await site.deliveries())[0].state is DeliveryState.DELIVERED
    assert "doubt_found" in await site.events()


async def test_messages_wait_while_the_database_is_away(any_site: Any) -> None:
    """What cannot be committed is not acknowledged and comes again; twice is once (invariant ack-after-commit)."""
    site = any_site
    message = Message(topic=EVENT, payload=ALARM, retain=False, received_at=site.moment)
    with site.database_away(), pytest.raises(DatabaseUnavailableError):
        await site.service.intake.take_in([message])
    assert await site.incidents() == []

    await site.service.intake.take_in([message])
    await site.service.intake.take_in([message])
    await site.advance(seconds=5)
    assert site.who_heard() == [(0, "sms li")]
    assert len(await site.incidents()) == 1


async def test_a_reply_while_the_database_is_away(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider does not repeat itself, so that the answer waits for the database as long as it may."""
    await site.says(GAS, gas=True)
    await site.advance(seconds=10)
    code = await site.code()
    monkeypatch.setattr("shouwang.phone._AGAIN_S", (0.01,) * 50)
    with site.database_away():
        reply = asyncio.create_task(site.phone("li").replies(f"1 {code}"))
        health = Health(site.service.core, broker_up=lambda: True)
        assert [one.partition(":")[0] for one in await health.problems()] == ["database"]
        await asyncio.sleep(0.1)
        assert not reply.done()
    incoming = await reply

    assert f"已接单{code}" in incoming.replies[0].body
    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED


async def test_a_reply_that_cannot_be_written_is_not_answered_as_if_it_were(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that they have taken it where that is not on disk; the escalation goes on."""
    await site.says(GAS, gas=True)
    await site.advance(seconds=10)
    code = await site.code()
    monkeypatch.setattr("shouwang.phone._AGAIN_S", ())
    with site.database_away():
        incoming = await site.phone("li").replies(f"1 {code}")
    await site.advance(seconds=55)

    assert incoming.status == 500
    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]


@pytest.mark.parametrize("stage", ["open", "acknowledged", "on_scene"])
async def test_the_auditor_repairs_what_stands_still(any_site: Any, stage: str) -> None:
    """A due time that is gone, by whatever hand, is put back: no open incident is silent (invariant never-silent)."""
    site = any_site
    await site.says(GAS, gas=True)
    await site.advance(seconds=10)
    code = await site.code()
    if stage != "open":
        await site.phone("li").replies(code if stage == "acknowledged" else f"到场{code}")
    incident = await site.incident()
    async with site.database.write() as tx:
        kinds = (DueKind.STEP, DueKind.ARRIVAL, DueKind.OUTCOME)
        await due.cancel(tx, [CancelDue(kind=kind, subject=incident.id) for kind in kinds])
    before = len(site.who_heard())
    await site.advance(minutes=90)
    assert [who for _, who in site.who_heard()[before:] if not who.startswith("answer")] == []

    assert await auditor.audit(site.service.core) == 1
    assert await auditor.audit(site.service.core) == 0
    await site.advance(seconds=1)
    heard = [who for at, who in site.who_heard() if at >= 5410]
    assert {"open": "voice li", "acknowledged": "sms li", "on_scene": "sms li"}[stage] in heard
    assert "repaired" in await site.events()
    assert site.service.core.metrics.auditor_repairs._value.get() == 1


async def test_the_auditor_looks_at_the_start(site: Any) -> None:
    """A start finds what stood still before anything else (invariant never-silent)."""
    await site.says(GAS, gas=True)
    await site.advance(seconds=10)
    async with site.database.write() as tx:
        await due.cancel(tx, [CancelDue(kind=DueKind.STEP, subject=(await site.incident()).id)])
    await site.stop()
    await site.advance(minutes=1)
    await site.start()
    await site.advance(seconds=1)

    assert (70, "voice li") in site.who_heard()


# --- away for long ----------------------------------------------------------------------------------------------------


async def test_after_a_night_away_no_sensor_is_blamed(any_site: Any) -> None:
    """The service was down for ten hours: sensors that report every two hours are not silent, it was deaf.

    One that stays silent is told when it has been silent for its time, not counting ours.
    """
    site = any_site
    await site.says(GAS, gas=False)
    await site.advance(hours=1)
    await site.stop()
    await site.advance(hours=10)
    await site.start()
    await site.advance(hours=4, minutes=59)
    assert site.who_heard() == []
    await site.advance(minutes=2)

    assert site.who_heard() == [(16 * 3600, "sms desk")]


async def test_restarts_hide_no_dead_sensor(site: Any) -> None:
    """A service that starts again every hour still finds out that a sensor has died, a little later."""
    await site.says(GAS, gas=False)
    for _ in range(7):
        await site.advance(minutes=58)
        await site.stop()
        await site.advance(minutes=2)
        await site.start()
    await site.advance(minutes=30)

    assert [who for _, who in site.who_heard()] == ["sms desk"]
    assert site.who_heard()[0][0] <= 6 * 3600 + 30 * 60


async def test_while_the_broker_is_away_no_sensor_is_blamed(site: Any) -> None:
    """The service runs and its broker does not: the same holds."""
    await site.says(GAS, gas=False)
    await site.advance(hours=1)
    site.connected = False
    await site.advance(hours=10)
    site.connected = True
    await site.advance(hours=4, minutes=59)
    assert site.who_heard() == []
    await site.advance(minutes=2)

    assert site.who_heard() == [(16 * 3600, "sms desk")]


async def test_after_a_day_away_no_resident_is_missed(any_site: Any) -> None:
    """What the door did while the service was away is not known: quiet counts on from where it stood.

    Invariant unknown-is-not-clear.
    """
    site = any_site
    door = "yl-1-2-301-door"
    await site.says(door, contact=False)
    await site.says(door, contact=True)
    await site.advance(hours=20)
    await site.stop()
    await site.advance(hours=10)
    await site.start()
    await site.says(door, contact=True, battery=90)
    await site.advance(hours=3, minutes=45)
    assert "24小时未出门" not in " ".join(text for _, _, text in site.told())

    await site.says(door, contact=True, battery=90)
    await site.advance(minutes=30)
    assert "24小时未出门" in " ".join(text for _, who, text in site.told() if who == "sms li")


async def test_a_door_that_was_closed_while_we_were_away_is_not_told(site: Any) -> None:
    """The hold of an open door ran out during a stop; what the broker kept for us is heard before it is judged."""
    door = "yl-1-2-301-door"
    await site.advance(hours=13)
    before = len(site.who_heard())
    await site.says(door, contact=False)
    await site.stop()
    await site.advance(minutes=20)
    await site.start()
    await site.settle()
    await site.says(door, contact=True)
    await site.advance(minutes=30)

    assert site.who_heard()[before:] == []


async def test_a_door_that_still_stands_open_is_told_late(site: Any) -> None:
    """The same without news of the door: it is told some seconds after the start."""
    await site.advance(hours=13)
    before = len(site.who_heard())
    await site.says("yl-1-2-301-door", contact=False)
    began = site.moment
    await site.stop()
    await site.advance(minutes=20)
    await site.start()
    await site.advance(minutes=1)

    at = round(site.at(began + timedelta(minutes=20, seconds=5)))
    assert site.who_heard()[before:] == [(at, "sms chen")]
