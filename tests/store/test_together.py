"""Units of work that wait for one writer share its transaction, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from store.errors import RefusedError, StaleIncident
from store.together import Together


class Writer:
    """Transactions that only count; `log` holds what was committed, one list a transaction."""

    def __init__(self) -> None:
        self.log: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.together = Together(self)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        await self.gate.wait()
        written: list[str] = []
        yield written
        self.log.append(written)

    async def alone(self, work: Any, attempts: int) -> Any:
        assert attempts > 0
        async with self.write() as tx:
            return await work(tx)

    def unit(self, name: str, *errors: Exception) -> Any:
        """Give a unit of work that writes its name, but first fails with each of these errors."""
        left = list(errors)

        async def work(tx: Any) -> str:
            if left:
                raise left.pop(0)
            tx.append(name)
            return name

        return work


@pytest.fixture
async def writer() -> Writer:
    return Writer()


async def test_one_by_itself_has_its_transaction(writer: Writer) -> None:
    assert await writer.together.run(writer.unit("a"), 3) == "a"
    assert await writer.together.run(writer.unit("b"), 3) == "b"
    assert writer.log == [["a"], ["b"]]


async def test_those_that_wait_share_one_and_each_gets_its_own_result(writer: Writer) -> None:
    writer.gate.clear()
    tasks = [asyncio.create_task(writer.together.run(writer.unit(name), 3)) for name in "abc"]
    await asyncio.sleep(0)
    writer.gate.set()

    assert await asyncio.gather(*tasks) == ["a", "b", "c"]
    assert writer.log == [["a", "b", "c"]]


async def test_no_transaction_is_so_long_that_an_alarm_would_wait(writer: Writer) -> None:
    names = [str(number) for number in range(50)]
    assert await asyncio.gather(*(writer.together.run(writer.unit(name), 3) for name in names)) == names
    assert max(len(written) for written in writer.log) <= 16


async def test_one_that_fails_takes_no_other_with_it(writer: Writer) -> None:
    """And what it has written goes: each is then written by itself."""
    units = [writer.unit("a"), writer.unit("b", *[RefusedError("no")] * 2), writer.unit("c")]
    results = await asyncio.gather(*(writer.together.run(unit, 3) for unit in units), return_exceptions=True)

    assert [results[0], results[2]] == ["a", "c"]
    assert isinstance(results[1], RefusedError)
    assert writer.log == [["a"], ["c"]]


async def test_what_passes_is_tried_again_and_what_is_refused_is_not(writer: Writer) -> None:
    assert await writer.together.run(writer.unit("a", StaleIncident("first")), 3) == "a"
    with pytest.raises(RefusedError):
        await writer.together.run(writer.unit("b", RefusedError("no")), 3)
    with pytest.raises(StaleIncident):
        await writer.together.run(writer.unit("c", StaleIncident("last")), 1)
    assert writer.log == [["a"]]


async def test_who_does_not_wait_any_more_is_passed_over(writer: Writer) -> None:
    writer.gate.clear()
    gone, there = (asyncio.create_task(writer.together.run(writer.unit(name), 3)) for name in "ab")
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    writer.gate.set()

    assert await there == "b"
    assert writer.log == [["b"]]


async def test_whoever_closes_waits_for_what_nobody_waits_for_any_more(writer: Writer) -> None:
    """A web server that ends lets its requests go, and what they have begun to write goes on."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(tx: Any) -> None:
        begun.set()
        await go_on.wait()
        tx.append("a")

    request = asyncio.create_task(writer.together.run(work, 3))
    await begun.wait()
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    closing = asyncio.create_task(writer.together.finish())
    await asyncio.sleep(0)
    assert not closing.done()
    go_on.set()
    await closing

    assert writer.log == [["a"]]
    await writer.together.finish()
