"""The source against a broker made of a script: what goes over the wire, and what a broken connection leaves."""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from ingest import paho_source
from ingest.message import Message
from ingest.options import MqttOptions, Protocol
from ingest.paho_source import PahoSource

Until = Callable[[Callable[[], Any]], Coroutine[Any, Any, None]]
Make = Callable[..., PahoSource]


@pytest.fixture
async def make(script: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Give what makes a running source; reconnects come at once."""
    monkeypatch.setattr(paho_source, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(paho_source, "_LONGEST_PAUSE_S", 0.02)
    tasks: list[asyncio.Task[None]] = []

    def make(*filters: str, hold_s: float = 5.0, optional: tuple[str, ...] = (), **options: Any) -> PahoSource:
        source = PahoSource(
            MqttOptions(host="127.0.0.1", port=script.port, **options),
            filters or ("a/#",),
            hold_s=hold_s,
            optional=optional,
        )
        tasks.append(asyncio.create_task(source.run()))
        return source

    yield make
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def take(source: PahoSource, count: int) -> list[Message]:
    taken: list[Message] = []
    async with asyncio.timeout(10):
        while len(taken) < count:
            taken += await source.gather(500, 0.0)
    return taken


def properties_of(connect: bytes) -> bytes:
    return connect[11 : 11 + connect[10]]


async def test_mqtt5_asks_for_a_session_that_lasts_and_bounds_what_is_sent_ahead(
    script: Any, make: Make, until: Until
) -> None:
    source = make(session_expiry_s=2_592_000, receive_maximum=1000)
    await until(lambda: source.connected)

    connect = script.connects[0]
    assert connect[:7] == b"\x00\x04MQTT\x05"
    assert connect[7] & 0x02 == 0, "clean start must be off"
    assert b"\x11" + struct.pack("!I", 2_592_000) in properties_of(connect)
    assert b"\x21" + struct.pack("!H", 1000) in properties_of(connect)
    assert connect.endswith(b"\x00\x11shouwang-ingest-0")


async def test_mqtt311_asks_for_a_session_that_lasts(script: Any, make: Make, until: Until) -> None:
    script.version = 4
    source = make(protocol=Protocol.V311)
    await until(lambda: source.connected)

    connect = script.connects[0]
    assert connect[:7] == b"\x00\x04MQTT\x04"
    assert connect[7] & 0x02 == 0, "clean session must be off"


@pytest.mark.parametrize("version", [5, 4])
async def test_the_version_is_found_by_trying(script: Any, make: Make, until: Until, version: int) -> None:
    """A broker that refuses MQTT 5 is spoken to in 3.1.1, with as many attempts as that takes and no more."""
    script.version = version
    source = make()
    await until(lambda: source.connected)

    assert [one[6] for one in script.connects] == ([5] if version == 5 else [5, 4])


async def test_a_broker_that_hangs_up_on_mqtt5_is_tried_with_the_other(script: Any, make: Make, until: Until) -> None:
    """Some old brokers answer nothing at all to a version they do not know."""
    script.version = 4
    hear = script._hear

    async def hang_up_on_5(first: int, content: bytes) -> None:
        if first == 0x10 and content[6] == 5:
            await script.hang_up()
        else:
            await hear(first, content)

    script._hear = hang_up_on_5
    source = make()
    await until(lambda: source.connected)


async def test_with_a_version_given_the_other_is_not_tried(script: Any, make: Make, until: Until) -> None:
    script.version = 4
    source = make(protocol=Protocol.V5)
    await until(lambda: len(script.connects) >= 3)

    assert {one[6] for one in script.connects} == {5}
    assert not source.connected


@pytest.mark.parametrize(("version", "options"), [(5, 0x11), (4, 0x01)])
async def test_subscriptions_are_of_qos1_and_ask_for_retained_messages_only_when_new(
    script: Any, make: Make, until: Until, version: int, options: int
) -> None:
    script.version = version
    source = make("a/#", "b/#")
    await until(lambda: source.connected)

    assert script.subscribes == [("a/#", options), ("b/#", options)]


async def test_it_subscribes_again_although_the_session_is_there(script: Any, make: Make, until: Until) -> None:
    """A session that is present need not hold our subscriptions (a crash between CONNECT and SUBSCRIBE)."""
    script.session_present = True
    source = make("a/#")
    await until(lambda: source.connected)
    await script.hang_up()
    await until(lambda: source.generation == 2 and source.connected)

    assert [topic for topic, _ in script.subscribes] == ["a/#", "a/#"]


async def test_a_thousand_sources_are_subscribed_in_packets_that_brokers_take(
    script: Any, make: Make, until: Until
) -> None:
    filters = [f"site{number}/#" for number in range(1000)]
    source = make(*filters)
    await until(lambda: source.connected)

    assert [topic for topic, _ in script.subscribes] == filters


async def test_a_refused_subscription_is_no_connection(
    script: Any, make: Make, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    """Listening to nothing must never look like being connected."""
    script.suback = 0x87
    source = make("a/#")
    await until(lambda: len(script.connects) >= 2)

    assert not source.connected
    assert "refuses the subscription 'a/#'" in caplog.text


async def test_what_is_optional_and_refused_keeps_nobody_from_listening_to_the_rest(
    script: Any, make: Make, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    script.refuses = frozenset({"probe/#"})
    source = make("a/#", optional=("probe/#", "other/#"))
    await until(lambda: [topic for topic, _ in script.subscribes] == ["a/#", "probe/#", "other/#"])
    await until(lambda: "go on without it" in caplog.text)

    assert source.connected
    await script.say(script.publish("a/1", mid=1))
    assert [one.topic for one in await take(source, 1)] == ["a/1"]
    assert len(script.connects) == 1


async def test_a_broker_that_confirms_nothing_is_left(script: Any, make: Make, until: Until) -> None:
    script.answers_subscribe = False
    source = make(connect_timeout_s=0.05)
    await until(lambda: len(script.connects) >= 2)

    assert not source.connected


async def test_acknowledgements_leave_in_the_order_of_arrival(script: Any, make: Make, until: Until) -> None:
    """Invariant ack-after-commit, and MQTT-4.6.0-2."""
    source = make()
    await until(lambda: source.connected)
    await script.say(b"".join(script.publish("a/b", mid=mid) for mid in (7, 3, 65535, 1, 2)))
    messages = await take(source, 5)

    assert script.acknowledged == []
    assert source.acknowledge(messages[:2]) == 2
    assert source.acknowledge(messages[2:]) == 3
    await until(lambda: len(script.acknowledged) == 5)
    assert script.acknowledged == [7, 3, 65535, 1, 2]


async def test_messages_are_told_as_they_came(script: Any, make: Make, until: Until) -> None:
    source = make()
    await until(lambda: source.connected)
    await script.say(
        script.publish("a/客厅", b"\x00\xff", mid=1, retain=True)
        + script.publish("a/c", b"", qos=0)
        + script.publish("a/d", b"1", mid=2, dup=True)
    )
    one, two, three = await take(source, 3)

    assert (one.topic, one.payload, one.retain, one.dup) == ("a/客厅", b"\x00\xff", True, False)
    assert (two.topic, two.payload, two.retain, two.handle) == ("a/c", b"", False, None)
    assert (three.topic, three.payload, three.dup) == ("a/d", b"1", True)
    assert source.last_message_at == three.received_at
    assert source.acknowledge([one, two, three]) == 2


@pytest.mark.parametrize("version", [5, 4])
async def test_packets_may_come_in_any_pieces(script: Any, make: Make, until: Until, version: int) -> None:
    script.version = version
    source = make()
    await until(lambda: source.connected)
    payload = bytes(range(256)) * 3
    data = b"".join(script.publish("a/b", payload[: 100 * mid], mid=mid) for mid in range(1, 8)) + b"\xd0\x00"
    for start in range(0, len(data), 37):
        await script.say(data[start : start + 37])
        await asyncio.sleep(0)
    messages = await take(source, 7)

    assert [one.payload for one in messages] == [payload[: 100 * mid] for mid in range(1, 8)]


async def test_a_message_of_megabytes_is_read(script: Any, make: Make, until: Until) -> None:
    """A gateway's list of its devices can be that long."""
    source = make()
    await until(lambda: source.connected)
    await script.say(script.publish("a/big", b"x" * 3_000_000, mid=1) + script.publish("a/small", mid=2))
    big, small = await take(source, 2)

    assert len(big.payload) == 3_000_000
    assert small.topic == "a/small"


async def test_an_acknowledgement_of_an_earlier_connection_is_not_sent(script: Any, make: Make, until: Until) -> None:
    """Invariant ack-after-commit: the broker may have given the id to another message by then."""
    source = make()
    await until(lambda: source.connected)
    await script.say(script.publish("a/old", mid=1))
    (old,) = await take(source, 1)
    await script.hang_up()
    await until(lambda: source.generation == 2 and source.connected)
    await script.say(script.publish("a/new", mid=1))
    (new,) = await take(source, 1)

    assert source.acknowledge([old]) == 0
    assert source.acknowledge([new]) == 1
    await until(lambda: script.acknowledged)
    assert script.acknowledged == [1]


async def test_acknowledging_while_there_is_no_connection_does_nothing(script: Any, make: Make, until: Until) -> None:
    source = make()
    await until(lambda: source.connected)
    await script.say(script.publish("a/b", mid=1))
    messages = await take(source, 1)
    script.connack = b"\x20\x03\x00\x88\x00"
    await script.hang_up()
    await until(lambda: not source.connected)

    assert source.acknowledge(messages) == 0


async def test_what_the_broker_sends_again_is_not_handed_over_twice(script: Any, make: Make, until: Until) -> None:
    """The session is kept: what had not been handed over comes again, and once is enough."""
    source = make()
    await until(lambda: source.connected)
    await script.say(script.publish("a/1", mid=1) + script.publish("a/2", mid=2))
    await until(lambda: source.waiting == 2)
    script.session_present = True
    script.with_connack = script.publish("a/1", mid=1, dup=True) + script.publish("a/2", mid=2, dup=True)
    await script.hang_up()
    await until(lambda: source.generation == 2 and source.waiting == 2)
    messages = await take(source, 2)

    assert [one.topic for one in messages] == ["a/1", "a/2"]
    assert source.waiting == 0
    await until(lambda: source.connected)
    assert source.acknowledge(messages) == 2


async def test_what_a_broker_only_says_it_kept_is_handed_over(script: Any, make: Make, until: Until) -> None:
    """Invariant nothing-dropped: it died, and came back with the session as it was when it last wrote to disk."""
    source = make(hold_s=0.2)
    await until(lambda: source.connected)
    topics = ("a/1", "a/2", "a/3")
    await script.say(b"".join(script.publish(topic, mid=mid) for mid, topic in enumerate(topics, start=1)))
    await until(lambda: source.waiting == 3)
    script.session_present = True
    script.with_connack = script.publish("a/2", mid=2, dup=True)
    await script.hang_up()
    await until(lambda: source.generation == 2 and source.connected)
    messages = await take(source, 3)

    assert sorted(one.topic for one in messages) == ["a/1", "a/2", "a/3"]
    assert source.waiting == 0
    assert source.acknowledge(messages) == 1


async def test_what_a_broker_without_memory_will_not_send_again_is_handed_over(
    script: Any, make: Make, until: Until
) -> None:
    """Invariant nothing-dropped: the broker has lost the session, and with it what we had read and not handled."""
    source = make()
    await until(lambda: source.connected)
    await script.say(script.publish("a/1", mid=1) + script.publish("a/2", mid=2))
    await until(lambda: source.waiting == 2)
    await script.hang_up()
    await until(lambda: source.generation == 2 and source.connected)
    await script.say(script.publish("a/3", mid=1))
    messages = await take(source, 3)

    assert [one.topic for one in messages] == ["a/1", "a/2", "a/3"]
    assert source.acknowledge(messages) == 1


async def test_an_alarm_does_not_wait_for_a_broker_that_stays_away(script: Any, make: Make, until: Until) -> None:
    """Invariant life-first: after a few seconds, what was read is handled, connection or not."""
    source = make(hold_s=0.05)
    await until(lambda: source.connected)
    await script.say(script.publish("a/1", b'{"gas":true}', mid=1))
    await until(lambda: source.waiting == 1)
    script.connack = b"\x20\x03\x00\x88\x00"
    await script.hang_up()
    await until(lambda: not source.connected)

    assert [one.topic for one in await take(source, 1)] == ["a/1"]
    assert not source.connected


async def test_messages_of_qos0_survive_the_connection(script: Any, make: Make, until: Until) -> None:
    """Nobody sends them again, and Zigbee2MQTT sends its states so."""
    source = make()
    await until(lambda: source.connected)
    await script.say(script.publish("a/0", qos=0))
    await until(lambda: source.waiting == 1)
    script.session_present = True
    await script.hang_up()
    await until(lambda: source.generation == 2 and source.connected)

    assert [one.topic for one in await take(source, 1)] == ["a/0"]


async def test_a_repeat_of_what_is_being_handled_is_dropped(script: Any, make: Make, until: Until) -> None:
    """NATS repeats within a connection what waits longer than its ack_wait; other messages with DUP are new."""
    source = make()
    await until(lambda: source.connected)
    await script.say(script.publish("a/1", mid=1) + script.publish("a/1", mid=1, dup=True))
    await script.say(script.publish("a/2", mid=2, dup=True))
    messages = await take(source, 2)
    assert [one.topic for one in messages] == ["a/1", "a/2"]

    source.acknowledge(messages)
    await script.say(script.publish("a/3", mid=1, dup=True))
    assert [one.topic for one in await take(source, 1)] == ["a/3"]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x30\xff\xff\xff\xff\xff",
        b"\x32\x02\x00\x09",
        b"\xf0\x00",
        b"\x90\x01\x00",
        b"\x20\x01\x00",
        b"\x62\x00",
    ],
)
async def test_nonsense_from_the_broker_ends_the_connection_and_nothing_else(
    script: Any, make: Make, until: Until, nonsense: bytes
) -> None:
    """Invariant nothing-dropped: no input crashes the process or stops the stream."""
    source = make()
    await until(lambda: source.connected)
    await script.say(nonsense)
    await until(lambda: source.generation >= 2 and source.connected)
    await script.say(script.publish("a/b", mid=1))

    assert len(await take(source, 1)) == 1


async def test_a_failing_library_is_connected_again(
    script: Any, make: Make, until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever paho does, the source goes on."""
    failures = 2

    def fail(*_: object) -> None:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise RuntimeError("paho has a bad day")

    monkeypatch.setattr("ingest.paho_source.PahoSource._on_session", fail)
    source = make()
    await until(lambda: source.connected)

    assert len(script.connects) == 3
    assert "paho has a bad day" in caplog.text


async def test_bad_credentials_are_said_and_tried_again(
    script: Any, make: Make, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    script.connack = b"\x20\x03\x00\x86\x00"
    source = make(username="bob", password="hunter2")
    await until(lambda: len(script.connects) >= 2)
    assert not source.connected
    assert "Bad user name or password" in caplog.text
    assert "hunter2" not in caplog.text

    script.connack = None
    await until(lambda: source.connected)


async def test_another_client_under_our_name_is_not_fought_with(
    script: Any, make: Make, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paho_source, "_TAKEN_OVER_PAUSE_S", 3600.0)
    source = make()
    await until(lambda: source.connected)
    await script.say(b"\xe0\x02\x8e\x00")
    await until(lambda: not source.connected)
    await asyncio.sleep(0.1)

    assert len(script.connects) == 1


async def test_above_the_limit_the_socket_is_left_alone_until_there_is_room(
    script: Any, make: Make, until: Until
) -> None:
    """Without a receive maximum, the broker is held back by not reading."""
    script.version = 4
    source = make(protocol=Protocol.V311, queue_limit=50)
    await until(lambda: source.connected)
    sent = 20_000
    flood = asyncio.create_task(
        script.say(b"".join(script.publish(f"a/{number}", b"x" * 500, qos=0) for number in range(sent)))
    )
    await until(lambda: source.waiting >= 50)
    await asyncio.sleep(0.1)
    assert source.waiting < sent / 2

    got = await take(source, sent)
    await flood
    assert [one.topic for one in got] == [f"a/{number}" for number in range(sent)]


async def test_subscriptions_can_change_while_it_runs(script: Any, make: Make, until: Until) -> None:
    source = make("a/#", "b/#")
    await until(lambda: source.connected)
    await source.subscribe(["b/#", "c/#"])
    assert [topic for topic, _ in script.subscribes] == ["a/#", "b/#", "c/#"]
    await until(lambda: script.unsubscribes == ["a/#"])

    await script.hang_up()
    await until(lambda: source.generation == 2 and source.connected)
    assert [topic for topic, _ in script.subscribes[3:]] == ["b/#", "c/#"]


async def test_subscriptions_set_before_the_first_connection_are_used(script: Any, make: Make, until: Until) -> None:
    source = make("a/#")
    await source.subscribe(["z/#"])
    await until(lambda: source.connected)

    assert [topic for topic, _ in script.subscribes] == ["z/#"]


async def test_it_says_goodbye_when_it_is_stopped(script: Any, until: Until) -> None:
    source = PahoSource(MqttOptions(host="127.0.0.1", port=script.port), ["a/#"])
    running = asyncio.create_task(source.run())
    await until(lambda: source.connected)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await until(lambda: script.goodbyes == 1)

    assert not source.connected


async def test_a_broker_that_is_not_there_is_waited_for(
    until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(paho_source, "_FIRST_PAUSE_S", 0.01)
    caplog.set_level(logging.WARNING)
    source = PahoSource(MqttOptions(host="127.0.0.1", port=unused_tcp_port), ["a/#"])
    running = asyncio.create_task(source.run())
    await until(lambda: source.generation >= 3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert f"mqtt://127.0.0.1:{unused_tcp_port} cannot be reached" in caplog.text
