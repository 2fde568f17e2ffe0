"""What real brokers and the source do with messages that are acknowledged late, never, or too late."""

import asyncio
import os
import signal
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.subscriber import Subscriber

pytestmark = pytest.mark.broker


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last)]


async def test_messages_arrive_whole_in_order_and_once(site: Any, hands: Any, payloads: Any) -> None:
    broker, version = site
    listener = await hands.listen(broker.port, protocol=version)
    sent = [f'{{"n":{number},"place":"客厅"}}' for number in range(50)]
    await hands.publish(broker.port, sent)
    got = await listener.take(50)

    assert payloads(got) == sent
    assert {one.topic for one in got} == {"home/gas"}
    assert not any(one.retain or one.dup for one in got)
    assert listener.source.acknowledge(got) == 50
    assert await listener.stays_silent(broker.patience)


async def test_the_version_is_found_for_either_broker(
    mosquitto: Any, nats: Any, hands: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ingest.paho_source")
    for broker, version in ((mosquitto, "MQTT 5"), (nats, "MQTT 3.1.1")):
        await hands.listen(broker.port)
        assert f":{broker.port} as shouwang-ingest-0 ({version}," in caplog.text


async def test_what_was_not_acknowledged_comes_again(site: Any, hands: Any, payloads: Any) -> None:
    """Invariant ack-after-commit: the consumer dies between receiving and committing, and nothing is lost."""
    broker, version = site
    first = await hands.listen(broker.port, protocol=version)
    await hands.publish(broker.port, numbers(0, 6))
    got = await first.take(6)
    assert first.source.acknowledge(got[:2]) == 2
    await asyncio.sleep(0.1)
    await first.vanish()
    await hands.publish(broker.port, ["meanwhile"])

    second = await hands.listen(broker.port, protocol=version)
    again = await second.take(5)

    assert sorted(payloads(again)) == ["2", "3", "4", "5", "meanwhile"]
    assert set(payloads([one for one in again if one.dup])) == {"2", "3", "4", "5"}
    assert second.source.acknowledge(again) == 5
    assert await second.stays_silent(broker.patience)


async def test_what_was_acknowledged_does_not_come_again(site: Any, hands: Any) -> None:
    broker, version = site
    first = await hands.listen(broker.port, protocol=version)
    await hands.publish(broker.port, numbers(0, 3))
    assert first.source.acknowledge(await first.take(3)) == 3
    await first.stop()
    # A broker that finds the new connection before it has read the old one to its end drops what it had not read.
    await asyncio.sleep(0.1)
    second = await hands.listen(broker.port, protocol=version)

    assert await second.stays_silent(broker.patience)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_late_acknowledgement_reaches_no_other_message(
    make_mosquitto: Any, hands: Any, payloads: Any, version: str
) -> None:
    """Invariant ack-after-commit: the broker lost its memory and gives the same ids to other messages."""
    broker = await make_mosquitto(persistent=False)
    listener = await hands.listen(broker.port, protocol=version)
    await hands.publish(broker.port, ["old"])
    (old,) = await listener.take(1)
    await broker.kill()
    await hands.until(lambda: not listener.source.connected)
    await broker.start_again()
    await hands.until(lambda: listener.source.connected)
    await hands.publish(broker.port, ["new"])
    (new,) = await listener.take(1)
    assert old.handle[1] == new.handle[1], "the broker uses the id again"

    assert listener.source.acknowledge([old]) == 0
    await asyncio.sleep(0.1)
    await listener.vanish()
    again = await hands.listen(broker.port, protocol=version)

    assert payloads(await again.take(1)) == ["new"]


async def test_a_session_without_a_subscription_is_subscribed(site: Any, hands: Any, payloads: Any) -> None:
    """A crash between CONNECT and SUBSCRIBE leaves such a session; nothing may be lost for ever because of it."""
    broker, version = site
    await asyncio.to_thread(leave_a_session, broker.port, version)

    listener = await hands.listen(broker.port, protocol=version)
    await hands.publish(broker.port, ["alarm"])

    assert payloads(await listener.take(1)) == ["alarm"]


def leave_a_session(port: int, version: str) -> None:
    """Connect as the source would, subscribe to nothing, and go."""
    new = version == "5"
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id="shouwang-ingest-0",
        clean_session=None if new else False,
        protocol=MQTTProtocolVersion.MQTTv5 if new else MQTTProtocolVersion.MQTTv311,
    )
    more: dict[str, Any] = {}
    if new:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
        properties.SessionExpiryInterval = 3600
        more = {"clean_start": False, "properties": properties}
    client.connect("127.0.0.1", port, **more)
    while not client.is_connected():
        client.loop(0.05)
    client.disconnect()


async def test_what_the_broker_kept_is_told_apart_from_what_is_said_now(site: Any, hands: Any) -> None:
    """Invariant stale-does-not-page stands on the retain flag."""
    broker, version = site
    await hands.publish(broker.port, ["before"], retain=True)
    listener = await hands.listen(broker.port, protocol=version)
    (kept,) = await listener.take(1)
    assert (kept.payload, kept.retain) == (b"before", True)
    listener.source.acknowledge([kept])
    await hands.publish(broker.port, ["now"], retain=True)
    (now,) = await listener.take(1)

    assert (now.payload, now.retain) == (b"now", False)


async def test_mqtt5_brings_retained_messages_only_with_a_new_session(mosquitto: Any, hands: Any) -> None:
    await hands.publish(mosquitto.port, ["before"], retain=True)
    listener = await hands.listen(mosquitto.port, protocol="5")
    assert listener.source.acknowledge(await listener.take(1)) == 1
    await asyncio.sleep(0.1)
    listener.cut()
    await hands.until(lambda: listener.source.generation == 2 and listener.source.connected)

    assert await listener.stays_silent(0.5)


async def test_mqtt5_holds_the_broker_back(mosquitto: Any, hands: Any, payloads: Any) -> None:
    listener = await hands.listen(mosquitto.port, protocol="5", receive_maximum=4)
    await hands.publish(mosquitto.port, numbers(0, 10))
    got = await listener.take(4)
    assert await listener.stays_silent(0.3)

    listener.source.acknowledge(got)
    assert payloads(await listener.take(4)) == ["4", "5", "6", "7"]


async def test_whoever_is_slow_is_not_thrown_out_and_does_not_leave(mosquitto: Any, hands: Any, payloads: Any) -> None:
    """The socket is not read for longer than the keep-alive time, for too much waits already; then all of it comes."""
    listener = await hands.listen(mosquitto.port, protocol="3.1.1", keepalive_s=1, queue_limit=5)
    await hands.publish(mosquitto.port, numbers(0, 100))
    await hands.until(lambda: listener.source._connection.wire.paused)
    await asyncio.sleep(4)

    taken: list[Any] = []
    while len(taken) < 100:
        more = await listener.take(1)
        taken += more
        listener.source.acknowledge(more)

    assert payloads(taken) == numbers(0, 100)
    assert listener.source.generation == 1


async def test_a_handler_that_is_slow_gets_nothing_twice_from_nats(nats: Any, hands: Any) -> None:
    """NATS repeats what waits longer than its ack_wait; the source knows that it has it."""
    listener = await hands.listen(nats.port, protocol="3.1.1")
    await hands.publish(nats.port, ["1", "2"])
    got = await listener.take(2)

    assert await listener.stays_silent(2.5)
    assert listener.source.acknowledge(got) == 2
    assert await listener.stays_silent(nats.patience)


async def test_a_failing_database_loses_nothing(site: Any, hands: Any) -> None:
    """Invariant ack-after-commit, with the subscriber: fails, fails, commits; everything once and in order."""
    broker, version = site
    listener = await hands.listen(broker.port, protocol=version)
    await listener.stop()
    committed: list[str] = []
    failures = 2

    async def handle(batch: Any) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise OSError("the database is away")
        committed.extend(one.payload.decode() for one in batch)

    running = asyncio.create_task(Subscriber(listener.source, handle).run())
    await hands.until(lambda: listener.source.connected)
    await hands.publish(broker.port, numbers(0, 20))
    await hands.until(lambda: len(committed) == 20)
    # The acknowledgements are on their way.
    await asyncio.sleep(0.5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert committed == numbers(0, 20)
    again = await hands.listen(broker.port, protocol=version)
    assert await again.stays_silent(broker.patience)


#: Prints what it hears and acknowledges half of it.
CONSUMER = """
    import asyncio, sys
    from ingest.options import MqttOptions
    from ingest.paho_source import PahoSource

    async def main():
        source = PahoSource(MqttOptions(host="127.0.0.1", port=int(sys.argv[1]), protocol=sys.argv[2]), ["home/#"])
        running = asyncio.create_task(source.run())
        heard = 0
        while True:
            for one in await source.gather(10, 0.0):
                print(one.payload.decode(), flush=True)
                heard += 1
                if heard % 2:
                    source.acknowledge([one])

    asyncio.run(main())
"""


async def test_a_consumer_that_is_killed_again_and_again_hears_of_everything(
    site: Any, hands: Any, tmp_path: Path
) -> None:
    """Invariant ack-after-commit, with SIGKILL on a real process in the middle of a stream."""
    broker, version = site
    script = tmp_path / "consumer.py"
    script.write_text(textwrap.dedent(CONSUMER))
    heard: set[str] = set()
    sent: set[str] = set()

    async def read(process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            heard.add(line.decode().strip())

    async def start() -> tuple[asyncio.subprocess.Process, asyncio.Task[None]]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(script),
            str(broker.port),
            version,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        return process, asyncio.create_task(read(process))

    process, reading = await start()
    await hands.publish(broker.port, ["hello"], retain=True)
    await hands.until(lambda: "hello" in heard)
    for kill in range(5):
        batch = [f"{kill}-{number}" for number in range(40)]
        before = len(heard)
        publishing = asyncio.create_task(hands.publish(broker.port, batch))
        await hands.until(lambda before=before: len(heard) > before + 3)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await reading
        await publishing
        sent.update(batch)
        process, reading = await start()
    await hands.until(lambda: sent <= heard)
    process.kill()
    await process.wait()
    await reading
