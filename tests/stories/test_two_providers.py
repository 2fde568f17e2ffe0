"""Two providers of texts and calls: what one does not take the other does, once, and a doubt stays where it arose."""

from collections import Counter
from typing import Any

import orjson
import pytest

from ingest.message import Message
from rules.decisions import DeliveryState
from rules.incident import IncidentState
from simulators.phones import answer

GAS = "yl-1-2-301-gas"
LI = "+8613800000001"


@pytest.fixture
async def site(two_providers: Any) -> Any:
    return two_providers


async def providers_of(site: Any) -> dict[str, str | None]:
    """Who has each delivery of the newest incident, by `<channel> <recipient>`."""
    return {f"{one.channel} {one.recipient_id}": one.provider for one in await site.deliveries()}


def bodies(site: Any) -> Counter[tuple[str, str]]:
    """Everything that either of them stored for phones, so that a double shows as a 2."""
    stored = [one for each in site.providers for one in each.messages if one.direction == "outbound-api"]
    return Counter((one.to, one.body) for one in stored)


async def test_the_first_is_the_one_that_sends(site: Any) -> None:
    await site.says(GAS, gas=True)
    await site.advance(seconds=200)

    assert len(site.twilio.messages) >= 2
    assert site.second.messages == []
    assert site.second.calls == []
    assert set((await providers_of(site)).values()) == {"twilio", "webhook"}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limited", "retry_after": 60},
        {"kind": "reject", "code": 20003},
        {"kind": "reject", "code": 21408},
        {"kind": "refuse"},
    ],
    ids=["too many requests", "wrong token", "country not enabled", "connection dropped"],
)
async def test_what_one_certainly_does_not_take_the_other_gets_at_once(site: Any, fault: dict[str, Any]) -> None:
    if fault["kind"] == "refuse":
        # A connection that breaks after the request is a doubt; one that cannot be made is none.
        async with site.twilio.down():
            await site.says(GAS, gas=True)
    else:
        site.twilio.faults.add(**fault)
        await site.says(GAS, gas=True)
    await site.advance(seconds=50)

    assert site.who_heard() == [(0, "sms li")]
    assert [one.to for one in site.second.messages] == [LI]
    assert await providers_of(site) == {"sms li": "twilio_2"}
    assert (await site.deliveries())[0].state is DeliveryState.DELIVERED


async def test_what_is_wrong_with_the_number_is_so_with_both(site: Any) -> None:
    """Another provider is not asked to text somebody who has said STOP; the next contact method is tried."""
    site.twilio.faults.add("reject", LI, code=21610, resource="messages")
    await site.says(GAS, gas=True)
    await site.advance(seconds=20)

    assert site.second.requests == []
    assert site.who_heard() == [(0, "voice li")]


async def test_a_doubt_at_one_is_asked_at_that_one(site: Any) -> None:
    """It has the text, although its answer and its receipts are lost: the other never gets it (invariant one-page)."""
    site.twilio.faults.add("answer_lost", times=1)
    site.twilio.faults.add("callbacks_lost")
    await site.says(GAS, gas=True)
    await site.advance(seconds=50)

    assert len(site.twilio.reads) >= 1
    assert (site.second.reads, site.second.messages) == ([], [])
    assert site.who_heard() == [(0, "sms li")]
    assert [one for one in await site.events() if one.startswith("doubt")] == ["doubt", "doubt_found"]
    assert await providers_of(site) == {"sms li": "twilio"}


async def test_a_text_that_the_first_says_it_does_not_have_goes_by_the_other(site: Any) -> None:
    """Not before it was asked and believed (invariant one-page)."""
    site.twilio.faults.add("error_before", times=1)
    await site.says(GAS, gas=True)
    await site.advance(seconds=50)

    assert site.who_heard() == [(15, "sms li")]
    assert [one.body for one in site.second.messages] == [site.text("sms li", 15)]
    assert [one for one in await site.events() if one.startswith("doubt")] == ["doubt", "doubt_resent"]
    assert await providers_of(site) == {"sms li": "twilio_2"}


async def test_a_doubt_at_one_that_cannot_be_asked_is_never_sent_by_the_other(site: Any) -> None:
    """The person is told by another way beside it, and by whoever is well (invariant one-page)."""
    site.twilio.faults.add("answer_lost", times=1, resource="messages")
    site.twilio.faults.add("callbacks_lost")
    site.twilio.faults.add("error_before", on="read", for_s=300)
    await site.says(GAS, gas=True)
    await site.advance(seconds=290)

    assert [one.to for one in site.twilio.messages] == [LI]
    assert bodies(site)[LI, site.twilio.messages[0].body] == 1
    assert [one.to for one in site.second.calls + site.twilio.calls].count(LI) >= 1
    await site.advance(seconds=120)
    assert set(bodies(site).values()) == {1}
    assert [one.state for one in await site.deliveries() if one.channel == "sms" and one.step_key == "r0s0"] == [
        DeliveryState.DELIVERED
    ]


async def test_a_request_that_lands_late_at_one_settles_what_is_under_way_to_the_other(site: Any) -> None:
    """A receipt belongs to the provider that has signed it."""
    client = site.service.dispatcher._channels["sms"]._by_provider["twilio"]._client
    client._courier.timeout_s = 0.2  # real seconds, which nobody has to wait for
    site.twilio.faults.add("lands_late", times=1, seconds=20)
    await site.says(GAS, gas=True)
    await site.advance(seconds=50)

    (page,) = [one for one in await site.deliveries() if one.channel == "sms"]
    assert page.state is DeliveryState.DELIVERED
    stored = {"twilio": site.twilio.messages, "twilio_2": site.second.messages}
    assert page.provider_id in {one.sid for one in stored[page.provider]}


@pytest.mark.parametrize("whose", ["twilio", "twilio_2"])
@pytest.mark.parametrize("taken", [True, False], ids=["after it was taken", "before it left"])
async def test_the_process_dies_in_the_midst_of_it(site: Any, whose: str, taken: bool) -> None:
    """Whom it was handed to is on disk before the request leaves: that one is asked, and nobody hears it twice.

    Invariant one-page. The other is not even asked.
    """
    asked, other = (site.twilio, site.second) if whose == "twilio" else (site.second, site.twilio)
    if whose == "twilio_2":
        site.twilio.faults.add("reject", code=20003, for_s=5)
    for each in site.providers:
        each.faults.add("callbacks_lost", for_s=20)
    await die_at(site, whose, taken=taken)
    await site.start()
    await site.advance(seconds=58)

    assert {one.params["To"] for one in asked.reads} == {LI}
    assert other.reads == []
    heard = [one for one in site.who_heard() if one[1] == "sms li"]
    assert heard == ([(0, "sms li")] if taken else [(30, "sms li")])
    assert set(bodies(site).values()) == {1}
    figures = await site.service.desk.delivery_figures(days=1)
    stored = {"twilio": len(site.twilio.messages), "twilio_2": len(site.second.messages)}
    accepted = {one["provider"]: one["accepted"] for one in figures["providers"] if one["channel"] == "sms"}
    assert {name: accepted.get(name, 0) for name in stored} == stored


async def die_at(site: Any, whose: str, *, taken: bool) -> None:
    """Let there be an alarm, and the process die while its text is under way to a provider."""
    site.service.intake.departures = None
    site.running = False
    await site.says(GAS, gas=True)
    await site.service.clockwork.tick()
    deliveries, sending = site.service.deliveries, site.service.dispatcher._channels
    (page,) = await deliveries.claim(16)
    while page.provider != whose:
        await deliveries.send_finished(page, await sending["sms"].send(page))
        (page,) = await deliveries.claim(16)
    if taken:
        await sending["sms"].send(page)
    await site.stop()


async def test_both_are_in_trouble(site: Any) -> None:
    """Neither takes anything for a minute and a half: each is tried, nothing is lost, nothing comes twice."""
    site.twilio.faults.add("rate_limited", for_s=90)
    site.second.faults.add("reject", code=20003, for_s=90)
    await site.says(GAS, gas=True)
    await site.advance(seconds=89)
    assert [who for _, who in site.who_heard()] == ["webhook desk"]
    assert {one.to for each in site.providers for one in each.requests} >= {LI}
    await site.advance(minutes=3)

    assert set(bodies(site).values()) == {1}
    assert {to for to, _ in bodies(site)} >= {LI, "+8613800000003"}


async def test_replies_to_the_second_number_count(site: Any) -> None:
    site.twilio.faults.add("reject", code=20003)
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)
    await site.second.phone(LI).replies(f"1 {await site.code()}")

    assert (await site.incident()).state is IncidentState.ACKNOWLEDGED


async def test_keys_in_calls_of_the_second_count(site: Any) -> None:
    site.twilio.faults.add("reject", code=20003)
    site.second.phone(LI).on_call(answer(press="1"))
    await site.says(GAS, gas=True)
    await site.advance(seconds=90)

    assert [one.to for one in site.second.calls] == [LI]
    incident = await site.incident()
    assert (incident.state, incident.answered_by) == (IncidentState.ACKNOWLEDGED, "li")


async def test_a_sick_provider_is_spared_and_comes_back(site: Any) -> None:
    """Its failures are seen and its place is taken; when nobody has tried it for an hour it is forgiven."""
    site.twilio.faults.add("rate_limited", for_s=600)
    for alarm in range(4):
        await site.says(GAS, gas=True)
        await site.advance(seconds=5)
        await site.second.phone(LI).replies(f"误报 {await site.code()}")
        await site.says(GAS, gas=False)
        await site.advance(minutes=1)
        pages = [one for one in site.twilio.requests if one.resource == "messages"]
        assert len(pages) <= 1 + alarm, "life-safety pages keep away from it once it is known to be sick"
    assert len(site.second.messages) >= 4

    await site.advance(minutes=70)
    before = len(site.twilio.messages)
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)
    assert len(site.twilio.messages) > before


async def test_figures_tell_who_took_what(site: Any) -> None:
    """Exact against both ends of the wire."""
    site.twilio.faults.add("rate_limited", LI, for_s=30)
    await site.says(GAS, gas=True)
    await site.advance(minutes=4)
    figures = await site.service.desk.delivery_figures(days=1)
    by_provider = {(one["channel"], one["provider"]): one for one in figures["providers"]}

    for channel, provider, stored in (
        ("sms", "twilio", site.twilio.messages),
        ("sms", "twilio_2", site.second.messages),
        ("voice", "twilio", site.twilio.calls),
        ("voice", "twilio_2", site.second.calls),
    ):
        row = by_provider.get((channel, provider), {"accepted": 0, "delivered": 0})
        assert row["accepted"] == len(stored), (channel, provider)
    assert by_provider["sms", "twilio"]["refused"] == 1
    delivered = {one["name"]: one["delivered"] for one in figures["figures"] if one["channel"] == "sms"}
    assert set(delivered.values()) == {1}
    assert by_provider["sms", "twilio_2"]["seconds_mean"] > 0


def build(site: Any, homes: int) -> list[Message]:
    """Let the worker answer for many more homes; give an alarm of gas in each of them."""
    more = "".join(
        f"""
  - id: h{number}
    grid: xinsheng-g1-w07
    address: 玉林北街2号院{number}
    residents: [{{name: 住户{number}, living_alone: true}}]
    devices: [{{id: h{number}-gas, kind: gas, source: own, name: h{number}/gas, room: 厨房}}]"""
        for number in range(homes)
    )
    path = site.file("devices.yaml")
    path.write_text(path.read_text() + more + "\n")
    payload = orjson.dumps({"kind": "gas", "state": "alarm"})
    return [
        Message(topic=f"shouwang/v1/h{number}/gas/event", payload=payload, retain=False, received_at=site.moment)
        for number in range(homes)
    ]


@pytest.mark.parametrize(
    "faults",
    [
        [{"kind": "rate_limited", "for_s": 600}],
        [{"kind": "reject", "code": 20003, "times": 2}],
        [{"kind": "answer_lost", "times": 2}, {"kind": "callbacks_lost"}],
        [{"kind": "error_before", "times": 3}],
    ],
    ids=["too many requests", "wrong token for a while", "answers lost", "errors"],
)
async def test_many_alarms_while_the_first_fails(site: Any, faults: list[dict[str, Any]]) -> None:
    """Every home is named to its worker within a minute by a text, and by one text only, whoever carries it.

    Invariants one-page and life-first, of messages that name several homes.
    """
    homes = 30
    alarms = build(site, homes)
    assert await site.reload()
    for fault in faults:
        site.twilio.faults.add(**fault)
    await site.service.intake.take_in(alarms)
    await site.advance(seconds=59)

    texts = [one.body for each in site.providers for one in each.messages if one.to == LI]
    codes = {one.code for one in await site.incidents()}
    assert len(codes) == homes
    assert {code: sum(code in text for text in texts) for code in codes} == dict.fromkeys(codes, 1)
    assert len(texts) < homes / 3
    figures = await site.service.desk.delivery_figures(days=1)
    stored = {"twilio": len(site.twilio.messages), "twilio_2": len(site.second.messages)}
    accepted = {one["provider"]: one["accepted"] for one in figures["providers"] if one["channel"] == "sms"}
    assert {name: accepted.get(name, 0) for name in stored} == stored
