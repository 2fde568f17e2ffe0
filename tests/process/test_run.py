"""The service in its life: stopped in the middle of something, started again, frozen, answered, logged."""

import asyncio
import json
import re
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

HOME = 4
#: A step counts as late from this on; see rules/escalation.py.
LATE_AFTER_S = 10


def one_home(site: Any, *after_s: float) -> None:
    site.community(
        {
            HOME: [
                {"id": "gas", "kind": "gas", "source": "zigbee"},
                {"id": "smoke", "kind": "smoke", "source": "own", "name": f"h{HOME}/smoke"},
            ]
        },
        site.steps(*after_s),
    )


async def test_a_step_that_was_due_meanwhile_goes_out_at_once_marked_late_and_once(site: Any) -> None:
    """Invariants late-is-said and one-page, over a kill in the middle of an escalation."""
    one_home(site, 0, 3, 600)
    worker, general, _ = site.told_of(HOME)
    await site.shouwang.start()
    await site.zigbee("gas", gas=True)
    await site.told_is(HOME, [worker])
    await site.shouwang.kill9()
    await asyncio.sleep(3 + LATE_AFTER_S + 1)

    await site.shouwang.start()
    await site.told_is(HOME, [worker, general])
    # What would come twice comes by now.
    await asyncio.sleep(2)

    assert site.told(HOME) == [worker, general]
    assert "迟" not in site.texts[0].body
    assert "迟" in site.texts[1].body
    incident = await site.incident()
    assert [entry["event"] for entry in incident["journal"]].count("late") == 1
    assert "shouwang_late_steps_total 1.0" in (await site.shouwang.get("/metrics")).text


async def test_frozen_for_a_while_it_goes_on_where_it_was(site: Any) -> None:
    """A machine that stands still (SIGSTOP, a suspended VM) tells late what was due, once, and takes in what waited."""
    one_home(site, 0, 3, 600)
    worker, general, _ = site.told_of(HOME)
    await site.shouwang.start()
    await site.zigbee("gas", gas=True)
    await site.told_is(HOME, [worker])

    site.shouwang.send(signal.SIGSTOP)
    await site.own(HOME, "smoke", kind="smoke", state="alarm")
    await asyncio.sleep(3 + LATE_AFTER_S + 1)
    site.shouwang.send(signal.SIGCONT)

    # The smoke joins the incident, and whoever is assigned is told of that.
    await site.until("three texts", lambda: len(site.told(HOME)) >= 3)
    await asyncio.sleep(2)
    assert Counter(site.told(HOME)) == Counter([worker, worker, general])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_told_to_stop_in_the_middle_of_a_burst_it_loses_nothing(site: Any, number: int) -> None:
    """Invariants ack-after-commit and one-page: an ordinary stop, with exit status 0, and no doubt left behind."""
    homes = range(1, 61)
    site.community({home: [{"id": f"gas{home}", "kind": "gas", "source": "zigbee"}] for home in homes}, site.steps(0))
    await site.shouwang.start()

    async def report(home: int) -> None:
        for value in [False] * 20 + [True]:
            await site.zigbee(f"gas{home}", gas=value)

    def named() -> list[int]:
        return [home for text in site.texts for home in site.homes_in(text.body)]

    burst = asyncio.gather(*(report(home) for home in homes))
    await site.until("the first texts", lambda: len(site.texts) >= 3)
    site.shouwang.send(number)
    assert await site.shouwang.ended() == 0
    await burst
    told = len(named())
    await site.shouwang.start()
    await site.until("everybody told", lambda: len(named()) >= len(homes))
    assert await site.shouwang.stop() == 0

    assert Counter(named()) == Counter(homes)
    assert told < len(homes), "the burst was over before the signal came"
    assert site.shouwang.complaints() == []
    assert "doubt" not in site.shouwang.said(ever=True)


@pytest.mark.parametrize("source", ["zigbee", "own"])
async def test_an_alarm_and_its_end_handed_over_twice_tell_nobody_twice(site: Any, source: str) -> None:
    """Invariant ack-after-commit: committed, killed before it was acknowledged, it comes again and changes nothing."""
    one_home(site, 0, 600)

    async def say(*, alarm: bool) -> None:
        if source == "zigbee":
            await site.zigbee("gas", gas=alarm)
        else:
            await site.own(HOME, "smoke", kind="smoke", state="alarm" if alarm else "clear")

    crashing = (sys.executable, str(Path(__file__).parent.parent / "real" / "crash_at.py"))
    await site.shouwang.start("committed", command=crashing)
    # Frozen, it will find both at once.
    site.shouwang.send(signal.SIGSTOP)
    await say(alarm=True)
    await say(alarm=False)
    site.shouwang.send(signal.SIGCONT)
    assert await site.shouwang.ended() == -signal.SIGKILL

    await site.shouwang.start()
    await site.told_is(HOME, [site.told_of(HOME)[0]])
    await asyncio.sleep(2)

    assert site.told(HOME) == [site.told_of(HOME)[0]]
    events = Counter(entry["event"] for entry in (await site.incident())["journal"])
    assert events["cleared"] == 2, "it did not come twice"


async def test_while_the_provider_is_broken_no_page_is_lost_and_none_is_doubled(site: Any) -> None:
    """Invariant one-page: 500 to everything, before and after it was stored; then it works again."""
    one_home(site, 0, 2, 4)
    await site.shouwang.start()
    site.twilio.faults.add("error_after", times=1)
    site.twilio.faults.add("error_before", on="all", for_s=8)

    await site.zigbee("gas", gas=True)
    await site.until("everybody told", lambda: len(site.texts) >= 3)
    for _ in range(300):
        if {one["state"] for one in (await site.incident())["deliveries"]} <= {"sent", "delivered"}:
            break
        await asyncio.sleep(0.2)
    assert await site.shouwang.stop() == 0

    assert {request.status for request in site.twilio.requests} == {500, 201}

    assert Counter(site.told(HOME)) == Counter(site.told_of(HOME))


async def test_an_answer_by_text_stops_the_escalation(site: Any) -> None:
    """Invariant quiet-after-answer, over the provider's signed calls and back."""
    one_home(site, 0, 6, 7)
    worker = site.told_of(HOME)[0]
    await site.shouwang.start()
    await site.zigbee("gas", gas=True)
    await site.told_is(HOME, [worker])

    came = await site.twilio.incoming(worker, None, f"1 {(await site.incident())['code']}")

    assert came.status == 200
    assert (await site.incident())["state"] == "acknowledged"
    await asyncio.sleep(8)
    assert [one.to for one in site.texts if one.direction == "outbound-api"] == [worker]


async def test_the_desk_answers_from_a_terminal_beside_it(site: Any) -> None:
    """`shouwang incidents`, `ack`, `arrive`, `resolve` work on the same database as the process that runs."""
    one_home(site, 0, 600)
    await site.shouwang.start()
    await site.zigbee("gas", gas=True)
    await site.told_is(HOME, [site.told_of(HOME)[0]])

    status, output = await site.shouwang.command("incidents", "--json")
    (incident,) = json.loads(output)
    answers = [
        await site.shouwang.command(*words)
        for words in (("ack", incident["code"]), ("arrive", incident["code"]), ("resolve", incident["code"], "real"))
    ]

    assert (status, [one[0] for one in answers]) == (0, [0, 0, 0]), answers
    assert (await site.incident())["outcome"] == "real"


async def test_logs_are_lines_of_json_without_numbers_and_secrets(
    opened: Any, mosquitto_program: str, tmp_path: Any
) -> None:
    """One object a line, with ids of incident and delivery; phone numbers masked, passwords and tokens nowhere."""
    async with opened(tmp_path, mosquitto_program) as site:
        settings = site.shouwang.environment
        settings["SHOUWANG_MQTT__URL"] = settings["SHOUWANG_MQTT__URL"].replace(
            "mqtt://", "mqtt://sensors:s3cret-word@"
        )
        settings["SHOUWANG_LOG__LEVEL"] = "debug"
        one_home(site, 0, 1, 2)
        site.twilio.faults.add("reject", number=site.told_of(HOME)[1], code=21211)
        await site.shouwang.start()
        await site.zigbee("gas", gas=True)
        await site.until("both told", lambda: len(site.texts) >= 2)
        await site.twilio.incoming(site.told_of(HOME)[0], None, "完全不是回复")
        await site.twilio.incoming("+8613800000999", None, "1 K7")
        assert await site.shouwang.stop() == 0

        lines = site.shouwang.lines(ever=True)
        sent = next(one for one in lines if one["logger"] == "shouwang.deliveries")
        assert {"at", "level", "message", "incident", "delivery"} <= sent.keys()
        said = site.shouwang.said(ever=True)
        assert re.findall(r"\+?861[0-9]{10}|1[38][0-9]{9}", said) == []
        for secret in ("s3cret-word", site.twilio.auth_token, settings["SHOUWANG_HTTP__API_TOKEN"]):
            assert secret not in said


async def test_it_starts_without_a_broker_says_so_and_connects_when_there_is_one(site: Any, broker_later: Any) -> None:
    one_home(site, 0)
    site.shouwang.environment["SHOUWANG_MQTT__URL"] = broker_later.url
    site.shouwang.spawn()
    await site.until("it listens", lambda: site.shouwang.has_said("Listening on"))
    response = await site.shouwang.get("/readyz")
    assert response.status_code == 503
    assert "broker" in response.text

    with broker_later.started():
        await site.shouwang.ready()
        assert await site.shouwang.stop() == 0
