import asyncio
from datetime import UTC, datetime

import pytest

from ingest.mailbox import Mailbox
from ingest.message import Message

FOREVER = 3600.0


def message(number: int, *, urgent: bool = False) -> Message:
    return Message(f"t/{number}", b"{}", False, datetime(2026, 1, 1, tzinfo=UTC), handle=number, urgent=urgent)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


async def test_a_full_batch_is_not_waited_for(mailbox: Mailbox) -> None:
    for number in range(5):
        mailbox.put([message(number)])

    assert [one.handle for one in await mailbox.gather(3, FOREVER)] == [0, 1, 2]
    assert len(mailbox) == 2


async def test_what_comes_within_the_pause_is_gathered(mailbox: Mailbox) -> None:
    gathering = asyncio.create_task(mailbox.gather(500, 0.02))
    await asyncio.sleep(0)
    for number in range(3):
        mailbox.put([message(number)])
        await asyncio.sleep(0)

    assert [one.handle for one in await gathering] == [0, 1, 2]


@pytest.mark.parametrize("ordinary", [0, 1, 7])
async def test_an_alarm_is_not_kept_waiting_for_others(mailbox: Mailbox, ordinary: int) -> None:
    """Invariant life-first: the batch closes when an urgent message arrives, with all that came before it."""
    gathering = asyncio.create_task(mailbox.gather(500, FOREVER))
    await asyncio.sleep(0)
    for number in range(ordinary):
        mailbox.put([message(number)])
        await asyncio.sleep(0)
    mailbox.put([message(ordinary, urgent=True)])

    async with asyncio.timeout(5):
        assert list(range(ordinary + 1)) == [one.handle for one in await gathering]


async def test_an_alarm_that_waits_already_is_taken_at_once(mailbox: Mailbox) -> None:
    mailbox.put([message(0)])
    mailbox.put([message(1, urgent=True)])

    async with asyncio.timeout(5):
        assert len(await mailbox.gather(500, FOREVER)) == 2


async def test_the_limit_closes_a_batch_that_is_being_gathered(mailbox: Mailbox) -> None:
    mailbox.put([message(0)])
    gathering = asyncio.create_task(mailbox.gather(3, FOREVER))
    await asyncio.sleep(0)
    for number in range(1, 6):
        mailbox.put([message(number)])

    async with asyncio.timeout(5):
        assert [one.handle for one in await gathering] == [0, 1, 2]


async def test_what_comes_thick_is_not_gathered_for_long(mailbox: Mailbox) -> None:
    """Invariant life-first: an alarm that comes next must not find a long batch under way."""
    gathering = asyncio.create_task(mailbox.gather(500, FOREVER))
    await asyncio.sleep(0)
    mailbox.put([message(number) for number in range(50)])

    async with asyncio.timeout(5):
        assert len(await gathering) == 50


async def test_a_batch_is_handed_over_once_nothing_comes_any_more(mailbox: Mailbox) -> None:
    """The rest may wait at the broker until what is here has been acknowledged."""
    gathering = asyncio.create_task(mailbox.gather(500, FOREVER))
    await asyncio.sleep(0)
    mailbox.put([message(0)])
    await asyncio.sleep(0)
    mailbox.put([message(1)])

    async with asyncio.timeout(5):
        assert len(await gathering) == 2


async def test_what_goes_on_coming_does_not_put_off_the_end(mailbox: Mailbox) -> None:
    gathering = asyncio.create_task(mailbox.gather(500, 0.05))

    async with asyncio.timeout(5):
        for number in range(10_000):
            mailbox.put([message(number)])
            if gathering.done():
                break
            await asyncio.sleep(0.002)
    assert 0 < len(await gathering) < 50


async def test_a_reader_that_is_cancelled_loses_nothing(mailbox: Mailbox) -> None:
    mailbox.put([message(0)])
    gathering = asyncio.create_task(mailbox.gather(500, FOREVER))
    await asyncio.sleep(0)
    gathering.cancel()
    await asyncio.gather(gathering, return_exceptions=True)

    assert len(await mailbox.gather(500, 0.0)) == 1


async def test_messages_can_be_taken_out_and_put_back_before_the_others(mailbox: Mailbox) -> None:
    for number in range(4):
        mailbox.put([message(number)])

    odd = mailbox.take_out(lambda one: one.handle % 2 == 1)
    assert [one.handle for one in odd] == [1, 3]
    mailbox.put_back(odd)

    assert [one.handle for one in await mailbox.gather(4, FOREVER)] == [1, 3, 0, 2]


async def test_putting_back_wakes_the_reader(mailbox: Mailbox) -> None:
    gathering = asyncio.create_task(mailbox.gather(1, FOREVER))
    await asyncio.sleep(0)
    mailbox.put_back([message(7)])

    async with asyncio.timeout(5):
        assert [one.handle for one in await gathering] == [7]
