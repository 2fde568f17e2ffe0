"""Homes and loads on a real Mosquitto."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import httpx
import pytest
import yaml

from simulators import load
from simulators.community import Community, from_documents
from simulators.mqtt import Broker, Line, parse_url
from simulators.world import on_broker

pytestmark = pytest.mark.broker

DOCUMENT = {
    "version": 1,
    "sources": [
        {"id": "own", "dialect": "shouwang", "base": "shouwang/v1"},
        {"id": "zig", "dialect": "zigbee2mqtt", "base": "zigbee2mqtt"},
        {"id": "tas", "dialect": "tasmota", "base": "tasmota"},
    ],
    "homes": [
        {
            "id": f"home-{number}",
            "grid": "g",
            "devices": [
                {"id": f"h{number}-gas", "kind": "gas", "source": source},
                {"id": f"h{number}-smoke", "kind": "smoke", "source": source},
                {"id": f"h{number}-door", "kind": "contact", "source": source},
            ],
        }
        for number, source in enumerate(["own", "zig", "own", "zig", "tas"])
    ],
}


@pytest.fixture
def community() -> Community:
    return from_documents([DOCUMENT])


@contextlib.asynccontextmanager
async def listening(url: str, *topics: str) -> AsyncIterator[aiomqtt.Client]:
    broker = parse_url(url)
    async with aiomqtt.Client(broker.host, broker.port, max_inflight_messages=65_000) as client:
        for topic in topics:
            await client.subscribe(topic, qos=1)
        yield client


async def heard(client: aiomqtt.Client, topic: str) -> aiomqtt.Message:
    """The next message on a topic."""
    async with asyncio.timeout(10):
        async for message in client.messages:
            if message.topic.value == topic:
                return message
    raise AssertionError(topic)


async def test_homes_speak_on_a_broker_and_their_gateway_says_goodbye(community: Community, mosquitto: str) -> None:
    """Sources of a dialect that is not simulated stay silent."""
    async with listening(mosquitto, "shouwang/v1/#", "zigbee2mqtt/#") as client:
        async with on_broker(community, mosquitto) as homes:
            assert (await heard(client, "zigbee2mqtt/bridge/devices")).retain is False
            await homes.alarm("h0-gas")
            event = json.loads((await heard(client, "shouwang/v1/home-0/h0-gas/event")).payload)
            assert (event["kind"], event["state"]) == ("gas", "alarm")
            await homes.alarm("h1-door")
            assert json.loads((await heard(client, "zigbee2mqtt/h1-door")).payload)["contact"] is False
            await homes.alarm("h4-gas")
        assert json.loads((await heard(client, "zigbee2mqtt/bridge/state")).payload) == {"state": "offline"}
    async with listening(mosquitto, "zigbee2mqtt/#") as client:
        assert (await heard(client, "zigbee2mqtt/bridge/devices")).retain is True


async def test_line_comes_back_and_greets_again(mosquitto: str) -> None:
    greetings = []

    async def greet() -> None:
        greetings.append(1)
        await line.publish("line/test", b"hello")

    async with listening(mosquitto, "line/test") as client, Line(mosquitto, name="test", on_connect=greet) as line:
        await heard(client, "line/test")
        # Somebody else takes the client id: the broker cuts the first connection.
        broker = parse_url(mosquitto)
        async with aiomqtt.Client(broker.host, broker.port, identifier=line._identifier):
            pass
        assert (await heard(client, "line/test")).payload == b"hello"
    assert len(greetings) == 2


async def test_load_reaches_subscribers_whole_and_in_order(community: Community, mosquitto: str) -> None:
    """Every message once, the alarms spread evenly, each with the time it left."""
    traffic = load.Traffic(community, seed=1)
    schedule = load.burst(traffic, count=2000, alarms=4)
    async with listening(mosquitto, "shouwang/v1/#", "zigbee2mqtt/+") as client:
        report = await asyncio.to_thread(load.run, mosquitto, schedule)
        got = []
        async with asyncio.timeout(20):
            async for message in client.messages:
                if not message.retain:
                    got.append((message.topic.value, message.payload))
                if len(got) == len(schedule):
                    break
    assert got == [(message.topic, message.payload) for _, message in schedule]
    assert (report.messages, len(report.alarms)) == (2000, 4)
    positions = [index for index, (_, message) in enumerate(schedule) if message.alarm]
    assert positions == [250, 750, 1250, 1750]
    assert {message.alarm for _, message in schedule if message.alarm} == set(report.alarms)
    times = [left.monotonic for left in report.alarms.values()]
    assert times == sorted(times)
    assert report.began.monotonic <= times[0] <= report.began.monotonic + report.seconds


def test_alarming_devices_say_nothing_else(community: Community) -> None:
    """An alarm of a load stands: no report of the same device takes it back."""
    schedule = load.steady(load.Traffic(community), rate=500, seconds=2, alarms=4)
    assert len(schedule) == 1004
    raised = {message.topic for _, message in schedule if message.alarm}
    assert len(raised) == 4
    assert not [message for _, message in schedule if message.topic in raised and not message.alarm]
    assert [at for at, _ in schedule] == sorted(at for at, _ in schedule)
    with pytest.raises(ValueError, match="100 alarms"):
        load.Traffic(community).alarming(100)


async def test_load_from_the_command_line(tmp_path: Path, mosquitto: str) -> None:
    (tmp_path / "devices.yaml").write_text(yaml.safe_dump(DOCUMENT), "utf-8")
    options = "--rate 2000 --seconds 0.5 --alarms 2"
    command = ["load", "--url", mosquitto, "--devices", str(tmp_path), *options.split()]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *command, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    report = json.loads(out)
    assert (process.returncode, report["messages"], len(report["alarms"])) == (0, 1002, 2)


async def test_fake_twilio_from_the_command_line() -> None:
    """It says where it is, and ends cleanly on SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", "twilio", "--number", "+12025550123", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    where = json.loads(await process.stdout.readline())
    async with httpx.AsyncClient(auth=(where["account_sid"], where["auth_token"])) as api:
        answer = await api.post(
            f"{where['base_url']}/2010-04-01/Accounts/{where['account_sid']}/Messages.json",
            data={"To": "+8613800000001", "From": "+12025550123", "Body": "K7"},
        )
        ledger = (await api.get(f"{where['base_url']}/_fake/ledger")).json()
    assert (answer.status_code, len(ledger["requests"])) == (201, 1)
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://10.0.0.1", Broker("10.0.0.1", 1883, None, None, False)),
        ("mqtts://u:p%40ss@mq.example.org:8884", Broker("mq.example.org", 8884, "u", "p@ss", True)),
        ("localhost:1884", Broker("localhost", 1884, None, None, False)),
    ],
)
def test_broker_addresses(url: str, broker: Broker) -> None:
    assert parse_url(url) == broker


def test_wrong_broker_address_is_said() -> None:
    with pytest.raises(ValueError, match="http://x"):
        parse_url("http://x")
