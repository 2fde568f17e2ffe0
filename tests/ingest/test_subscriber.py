import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from ingest import subscriber
from ingest.mailbox import Mailbox
from ingest.message import Message
from ingest.subscriber import Subscriber


class FakeSource:
    """A source that is fed by the test."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self.acknowledged: list[int] = []
        self.connected = True
        self.last_message_at: datetime | None = None

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def gather(self, limit: int, seconds: float) -> list[Message]:
        return await self.mailbox.gather(limit, seconds)

    def acknowledge(self, messages: Sequence[Message]) -> int:
        self.acknowledged.extend(one.handle for one in messages)
        return len(messages)

    def feed(self, *numbers: int) -> None:
        for number in numbers:
            self.mailbox.put([Message(f"t/{number}", b"{}", False, datetime(2026, 1, 1, tzinfo=UTC), handle=number)])


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_acknowledged_before_it_is_handled(source: FakeSource) -> None:
    """Invariant ack-after-commit."""
    committing, committed = asyncio.Event(), asyncio.Event()

    async def handle(batch: Sequence[Message]) -> None:
        committing.set()
        await committed.wait()

    running = asyncio.create_task(Subscriber(source, handle, gather_s=0).run())
    source.feed(1, 2)
    await committing.wait()
    assert source.acknowledged == []

    committed.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert source.acknowledged == [1, 2]
    await stop(running)


async def test_a_batch_that_fails_comes_again_until_it_is_handled(
    source: FakeSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant ack-after-commit: never acknowledged unhandled, never dropped, and what follows stays behind it."""
    monkeypatch.setattr(subscriber, "_FIRST_PAUSE_S", 0.0)
    seen: list[list[int]] = []
    done = asyncio.Event()

    async def handle(batch: Sequence[Message]) -> None:
        seen.append([one.handle for one in batch])
        assert source.acknowledged == [] or len(seen) > 3
        if len(seen) == 1:
            source.feed(3)
        if len(seen) <= 2:
            raise OSError("the database is away")
        if len(seen) == 4:
            done.set()

    running = asyncio.create_task(Subscriber(source, handle, gather_s=0).run())
    source.feed(1, 2)
    async with asyncio.timeout(5):
        await done.wait()
    await asyncio.sleep(0)

    assert seen == [[1, 2], [1, 2], [1, 2], [3]]
    assert source.acknowledged == [1, 2, 3]
    await stop(running)


async def test_batches_are_bounded(source: FakeSource) -> None:
    sizes: list[int] = []
    done = asyncio.Event()

    async def handle(batch: Sequence[Message]) -> None:
        sizes.append(len(batch))
        if sum(sizes) == 25:
            done.set()

    source.feed(*range(25))
    running = asyncio.create_task(Subscriber(source, handle, batch_limit=10, gather_s=0).run())
    async with asyncio.timeout(5):
        await done.wait()

    assert sizes == [10, 10, 5]
    await stop(running)


async def test_it_tells_how_the_source_is(source: FakeSource) -> None:
    async def handle(batch: Sequence[Message]) -> None:
        pass

    one = Subscriber(source, handle)

    assert one.connected
    assert one.last_message_at is None
    source.connected = False
    assert not one.connected


async def test_a_source_that_fails_is_not_left_running_half(source: FakeSource) -> None:
    async def fail() -> None:
        raise RuntimeError("broken")

    async def handle(batch: Sequence[Message]) -> None:
        pass

    source.run = fail  # type: ignore[method-assign]

    with pytest.raises(ExceptionGroup):
        await Subscriber(source, handle).run()
