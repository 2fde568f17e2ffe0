"""Many things at once: who must not wait does not."""

import itertools
from datetime import timedelta
from typing import Any

import orjson

from ingest.message import Message
from rules.decisions import DeliveryState
from rules.incident import IncidentState
from store import outbox

HOMES = 60


def build(site: Any) -> None:
    """Let there be many more homes, each with a gas detector; all of them the same worker's."""
    more = "".join(
        f"""
  - id: h{number}
    grid: xinsheng-g1-w07
    address: 玉林北街2号院{number}
    residents: [{{name: 住户{number}, living_alone: true}}]
    devices: [{{id: h{number}-gas, kind: gas, source: own, name: h{number}/gas, room: 厨房}}]"""
        for number in range(HOMES)
    )
    path = site.file("devices.yaml")
    path.write_text(path.read_text() + more + "\n")


def event(site: Any, number: int, **fields: object) -> Message:
    topic = f"shouwang/v1/h{number}/gas/event"
    return Message(topic=topic, payload=orjson.dumps(fields), retain=False, received_at=site.moment)


async def test_one_gas_alarm_behind_sixty_low_batteries(any_site: Any) -> None:
    """Sixty notices wait to leave when gas is smelled: its page is the first request (invariant life-first)."""
    site = any_site
    build(site)
    assert await site.reload()
    await site.service.intake.take_in([event(site, number, kind="battery", value=5) for number in range(HOMES)])
    site.moment += timedelta(seconds=1)
    await site.service.intake.take_in([event(site, 7, kind="gas", state="alarm")])
    await site.settle()
    assert [one.to for one in site.twilio.requests if "燃气泄漏" in one.params["Body"]] == ["+8613800000001"]
    await site.advance(minutes=3)

    requests = [one for one in site.twilio.requests if one.resource == "messages"]
    assert requests[0].to == "+8613800000001"
    assert "燃气泄漏" in requests[0].params["Body"]
    assert "低" not in requests[0].params["Body"]
    # The sixty are named as well, several in a text, and none with the alarm.
    rest = "\n".join(one.params["Body"] for one in requests if "电量低" in one.params["Body"])
    assert all(f"2院{number} " in rest for number in range(HOMES))
    assert len(requests) <= HOMES / 4
    # What is not urgent leaves one person in peace for ten seconds between two texts.
    times = [at for at, who, text in site.told() if who == "sms desk" and "电量低" in text]
    assert all(after - before >= 10 for before, after in itertools.pairwise(times))


async def test_sixty_gas_alarms_in_one_second(any_site: Any) -> None:
    """Every home is named within a minute, each with a code of its own (invariants life-first, code-is-unique)."""
    site = any_site
    build(site)
    assert await site.reload()
    await site.service.intake.take_in([event(site, number, kind="gas", state="alarm") for number in range(HOMES)])
    await site.advance(seconds=59)

    texts = [one.body for one in site.twilio.messages]
    assert len(texts) <= HOMES / 4
    incidents = await site.open_incidents()
    for number, code in {one.home_id.removeprefix("h"): one.code for one in incidents}.items():
        assert len([text for text in texts if f"2院{number} 住户{number} {code}" in text]) == 1
    assert len({one.code for one in incidents}) == len(incidents) == HOMES


async def test_several_homes_in_one_text(any_site: Any) -> None:
    """One text, one call; each home with its code; one key for all (invariants one-page, quiet-after-answer)."""
    site = any_site
    build(site)
    assert await site.reload()
    await site.service.intake.take_in([event(site, number, kind="gas", state="alarm") for number in range(3)])
    await site.settle()
    codes = {one.home_id: one.code for one in await site.open_incidents()}

    assert site.text("sms li", 0) == (
        "共3处报警\n燃气泄漏 开窗关阀勿开灯\n"
        f"玉林北街2院0 住户0 {codes['h0']}\n玉林北街2院1 住户1 {codes['h1']}\n玉林北街2院2 住户2 {codes['h2']}\n"
        "接单回编号，都去回 全部"
    )

    # One answers for itself; the call a minute later is about the other two.
    await site.advance(seconds=20)
    await site.phone("li").replies(codes["h1"])
    await site.advance(seconds=45)
    assert site.who_heard() == [(0, "sms li"), (20, "answer li"), (60, "voice li")]
    (call,) = await waiting_calls(site)
    script = await site.service.phone.call_script(call)
    assert script.asks
    assert script.speech.startswith("守望报警。共2家。")
    assert all(f"玉林北街2号院{number}，燃气泄漏。" in script.speech for number in (0, 2))
    assert script.speech.endswith("全部接单请按1，都去不了请按2，重听请按9。")

    said = await site.service.phone.call_key(call, "1")
    assert said.speech.startswith("好的，2件都由您负责。先去玉林北街2号院")
    assert {one.state for one in await site.open_incidents()} == {IncidentState.ACKNOWLEDGED}
    await site.advance(minutes=3)
    assert [who for _, who in site.who_heard(since=65)] == []


async def test_a_text_for_three_homes_that_does_not_arrive(any_site: Any) -> None:
    """Its receipt counts for each home: their worker is called at once, once, about all of them (one-page)."""
    site = any_site
    build(site)
    assert await site.reload()
    await site.service.intake.take_in([event(site, number, kind="gas", state="alarm") for number in range(3)])
    await site.service.dispatcher.run_once()
    (text,) = site.twilio.messages
    async with site.database.read() as tx:
        first = (await outbox.of_incident(tx, (await site.open_incidents())[-1].id))[0]
        rows = await outbox.of_bundle(tx, first)
    assert {row.provider_id for row in rows} == {text.sid}
    for _ in range(2):
        await site.service.phone.receipt(
            delivery_id=rows[0].id, provider_id=text.sid, status="undelivered", error_code="30003", kind="message"
        )
    await site.service.dispatcher.run_once()

    assert len(site.twilio.calls) == 1
    async with site.database.read() as tx:
        rows = await outbox.of_bundle(tx, rows[0])
    assert [(row.state, row.error) for row in rows] == [(DeliveryState.FAILED, "undelivered 30003")] * 3


async def test_the_answer_for_three_homes_is_lost(any_site: Any) -> None:
    """The provider is asked about the one text, which it has: nobody is told again (invariant one-page)."""
    site = any_site
    build(site)
    assert await site.reload()
    site.twilio.faults.add("error_after", times=1)
    site.twilio.faults.add("callbacks_lost", for_s=120)
    await site.service.intake.take_in([event(site, number, kind="gas", state="alarm") for number in range(3)])
    await site.advance(seconds=59)

    assert [who for _, who in site.who_heard() if who.startswith("sms")] == ["sms li"]
    async with site.database.read() as tx:
        first = (await outbox.of_incident(tx, (await site.open_incidents())[-1].id))[0]
        rows = await outbox.of_bundle(tx, first)
    assert {(row.state, row.provider_id) for row in rows} == {(DeliveryState.DELIVERED, site.twilio.messages[0].sid)}


async def test_a_text_for_three_homes_is_refused_at_first(any_site: Any) -> None:
    """It goes out again a little later, with what has come meanwhile, and each home is named once (one-page)."""
    site = any_site
    build(site)
    assert await site.reload()
    site.twilio.faults.add("rate_limited", times=1)
    await site.service.intake.take_in([event(site, number, kind="gas", state="alarm") for number in range(3)])
    await site.service.dispatcher.run_once()
    await site.service.intake.take_in([event(site, number, kind="gas", state="alarm") for number in (3, 4)])
    await site.advance(seconds=30)

    texts = "\n".join(one.body for one in site.twilio.messages)
    for one in await site.open_incidents():
        assert texts.count(one.code) == 1


async def waiting_calls(site: Any) -> set[int]:
    """The deliveries that calls were made for, as the provider was told."""
    found = set()
    for one in await site.open_incidents():
        async with site.database.read() as tx:
            found |= {row.bundle or row.id for row in await outbox.of_incident(tx, one.id) if row.channel == "voice"}
    return found
