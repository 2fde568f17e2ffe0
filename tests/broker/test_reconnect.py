"""Brokers that go away and come back, and sources that find them again by themselves."""

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.broker


async def test_a_broker_that_was_killed_is_found_again(site: Any, hands: Any, payloads: Any) -> None:
    broker, version = site
    listener = await hands.listen(broker.port, protocol=version)
    await broker.kill()
    await hands.until(lambda: not listener.source.connected)
    await broker.start_again()
    await hands.until(lambda: listener.source.connected)
    await hands.publish(broker.port, ["after"])

    assert payloads(await listener.take(1)) == ["after"]


async def test_what_the_broker_saved_survives_its_death(site: Any, hands: Any, payloads: Any) -> None:
    """A broker that keeps its promise brings what we never acknowledged, also after it was killed."""
    broker, version = site
    listener = await hands.listen(broker.port, protocol=version)
    await hands.publish(broker.port, ["0", "1", "2", "3", "4"])
    got = await listener.take(5)
    listener.source.acknowledge(got[:1])
    # Mosquitto saves once a second.
    await asyncio.sleep(1.5)
    await broker.kill()
    await hands.until(lambda: not listener.source.connected)
    await broker.start_again()
    again = await listener.take(4)

    assert sorted(payloads(again)) == ["1", "2", "3", "4"]
    assert listener.source.acknowledge(got) == 0
    assert listener.source.acknowledge(again) == 4


async def test_messages_sent_while_we_are_away_are_kept_for_us(site: Any, hands: Any, payloads: Any) -> None:
    broker, version = site
    listener = await hands.listen(broker.port, protocol=version)
    await listener.stop()
    sent = [str(number) for number in range(30)]
    await hands.publish(broker.port, sent)
    back = await hands.listen(broker.port, protocol=version, connected=False)

    assert payloads(await back.take(30)) == sent


async def test_a_connection_that_is_cut_is_made_anew(site: Any, hands: Any, payloads: Any) -> None:
    broker, version = site
    listener = await hands.listen(broker.port, protocol=version)
    source = listener.source
    for generation in range(1, 5):
        await hands.until(lambda generation=generation: source.connected and source.generation == generation)
        await hands.publish(broker.port, [str(generation)])
        messages = await listener.take(1)
        assert payloads(messages) == [str(generation)]
        assert source.acknowledge(messages) == 1
        await asyncio.sleep(0.05)
        listener.cut()


async def test_pings_keep_a_quiet_connection(site: Any, hands: Any) -> None:
    """With nothing to say for longer than a broker waits, the connection stands."""
    broker, version = site
    listener = await hands.listen(broker.port, protocol=version, keepalive_s=2)
    await asyncio.sleep(4.5)

    assert listener.source.connected
    assert listener.source.generation == 1
