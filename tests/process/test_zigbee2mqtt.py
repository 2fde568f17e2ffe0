"""A gateway's real messages played to the real process: who is told, and of what.

The messages were published by Zigbee2MQTT 2.14 for a hundred models. `new` names what a message is the first to say: of
a device that keeps saying the same, or whose gateway repeats it beside something else, only the first one is new.
"""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

LINES = [
    json.loads(line)
    for line in (Path(__file__).parent / "payloads" / "zigbee2mqtt.jsonl").read_text("utf-8").splitlines()
]
DEVICES = {line["device"]: line for line in LINES if "device" in line}
MESSAGES = [line for line in LINES if "topic" in line]
#: In the gateway's network, and in nobody's home.
STRANGERS = {"smoke_kitchen_111", "0xa4c13800000002f5", "7号楼/236/按钮_735", "occupancy_kitchen_641"}
HOMES = {name: number for number, name in enumerate(DEVICES, start=1) if name not in STRANGERS}

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


@pytest.fixture
def gateway(site: Any) -> Any:
    """An installation in which each device of the gateway hangs in a home of its own."""
    site.community(
        {
            home: [
                {
                    "id": f"h{home}-{DEVICES[name]['kind']}",
                    "kind": DEVICES[name]["kind"],
                    "source": "zigbee",
                    "name": name,
                }
            ]
            for name, home in HOMES.items()
        },
        # Nobody but the worker is told: whatever is told twice is then another alarm.
        site.steps(0),
    )
    return site


async def introduce(site: Any) -> None:
    """The gateway says, retained, what devices it has, and what each property of theirs means."""
    devices = [
        {"friendly_name": name, "definition": {key: one[key] for key in ("model", "vendor", "exposes")}}
        for name, one in DEVICES.items()
        if "exposes" in one
    ]
    await site.publish("zigbee2mqtt/bridge/devices", json.dumps(devices).encode(), retain=True)


async def play(site: Any, messages: Any) -> None:
    for one in messages:
        await site.publish(one["topic"], one["payload"].encode(), retain=one.get("retain", False))


async def all_handled(site: Any, count: int) -> None:
    """Wait until so many messages have been taken in, and all that they led to has left."""
    shouwang = site.shouwang
    for _ in range(600):
        metrics = (await shouwang.get("/metrics")).text
        figures = {line.split()[0]: float(line.split()[1]) for line in metrics.splitlines() if not line.startswith("#")}
        taken = sum(value for name, value in figures.items() if name.startswith("shouwang_messages_total"))
        if taken >= count and figures["shouwang_outbox_waiting"] == 0:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{taken} of {count} messages were taken in")


async def test_every_new_alarm_reaches_the_right_worker_once_and_nothing_else_reaches_anybody(gateway: Any) -> None:
    """New gas, smoke, CO and emergency alarms of registered devices; none that is cached, retained or a test."""
    await introduce(gateway)
    await gateway.shouwang.start()

    await play(gateway, MESSAGES)
    await all_handled(gateway, len(MESSAGES) + 1)
    # It ends only when what is under way has left.
    assert await gateway.shouwang.stop() == 0

    expected: Counter[tuple[int, str]] = Counter()
    for one in MESSAGES:
        if one.get("name") in HOMES:
            home = HOMES[one["name"]]
            expected[home, gateway.told_of(home)[0]] += len(one.get("new", ()))
    assert sum(expected.values()) > 30
    assert Counter(told(gateway)) == +expected
    assert len(gateway.twilio.requests) == len(gateway.texts)
    assert gateway.shouwang.complaints() == []


def told(gateway: Any) -> list[tuple[int, str]]:
    """Which homes were named to whom."""
    return [(home, text.to) for text in gateway.texts for home in gateway.homes_in(text.body)]


async def test_what_is_in_no_home_is_in_quarantine(gateway: Any) -> None:
    """Invariant nothing-dropped: kept, counted and shown, with the reason."""
    await introduce(gateway)
    await gateway.shouwang.start()
    of_strangers = [one for one in MESSAGES if one.get("name") in STRANGERS]

    await play(gateway, of_strangers)
    await gateway.publish("zigbee2mqtt/gas_kitchen_241", b'{"gas": tr')
    await all_handled(gateway, len(of_strangers) + 2)

    metrics = (await gateway.shouwang.get("/metrics")).text
    assert f'shouwang_quarantine_total{{reason="unknown_device"}} {len(of_strangers)}.0' in metrics
    assert 'shouwang_quarantine_total{reason="malformed_json"} 1.0' in metrics
    assert gateway.texts == []


async def test_what_a_gateway_remembers_after_its_start_tells_nobody(gateway: Any) -> None:
    """Invariant stale-does-not-page: the same messages once more, as a gateway publishes its cache."""
    await introduce(gateway)
    await gateway.shouwang.start()
    await play(gateway, MESSAGES)
    await all_handled(gateway, len(MESSAGES) + 1)
    alarms = sum(len(one.get("new", ())) for one in MESSAGES if one.get("name") in HOMES)
    await gateway.until("everybody told", lambda: len(told(gateway)) >= alarms)
    texts = len(gateway.texts)

    last = {one["topic"]: one for one in MESSAGES if one.get("name") in HOMES and "action" not in one["payload"]}
    await gateway.publish("zigbee2mqtt/bridge/state", b'{"state":"online"}', retain=True)
    await play(gateway, last.values())
    await all_handled(gateway, len(MESSAGES) + 2 + len(last))
    assert await gateway.shouwang.stop() == 0

    assert [text.body for text in gateway.texts[texts:]] == []


async def test_a_new_alarm_within_the_grace_of_a_start_pages(gateway: Any) -> None:
    """A gateway restarts with an alarm standing in its cache, and meanwhile a real one begins elsewhere."""
    standing = "gas_kitchen_241"
    new = next(name for name in HOMES if DEVICES[name]["kind"] == "smoke" and "exposes" in DEVICES[name])
    await introduce(gateway)
    await gateway.shouwang.start()
    await gateway.publish(f"zigbee2mqtt/{new}", b'{"smoke":false,"linkquality":80}')
    await gateway.publish(f"zigbee2mqtt/{standing}", b'{"gas":true,"linkquality":90}')
    await gateway.until("the first is told", lambda: told(gateway) == [paged(gateway, standing)])

    await gateway.publish("zigbee2mqtt/bridge/state", b'{"state":"online"}', retain=True)
    await gateway.publish(f"zigbee2mqtt/{standing}", b'{"gas":true,"linkquality":90}')
    await gateway.publish(f"zigbee2mqtt/{new}", b'{"smoke":true,"linkquality":81}')

    await gateway.until("the new one is told", lambda: len(told(gateway)) > 1)
    assert await gateway.shouwang.stop() == 0
    assert told(gateway) == [paged(gateway, standing), paged(gateway, new)]


def paged(gateway: Any, name: str) -> tuple[int, str]:
    """The home of a device, and the number that is told of it first."""
    return HOMES[name], gateway.told_of(HOMES[name])[0]


async def test_an_alarm_that_the_broker_kept_reaches_the_desk_alone(gateway: Any) -> None:
    """Invariant stale-does-not-page: found standing at first sight, it is said to be unverified, and to the desk."""
    home = HOMES["gas_kitchen_241"]
    await introduce(gateway)
    await gateway.publish("zigbee2mqtt/gas_kitchen_241", b'{"gas":true,"linkquality":90}', retain=True)
    await gateway.shouwang.start()

    await gateway.told_is(home, [gateway.told_of(home)[2]])

    assert "待核实" in gateway.texts[0].body
    assert [one["verified"] for one in await gateway.shouwang.incidents()] == [False]
