"""Checks run beside one another, and none stops another."""

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from shouwang.doctor.checking import Check, aside, run
from shouwang.doctor.diagnosis import Diagnosis, Grade, fine
from store.errors import DatabaseError


def check(look: object, limit_s: float = 5.0) -> Check:
    return Check("disk", "the disk", limit_s, look)  # type: ignore[arg-type]


async def well() -> Sequence[Diagnosis]:
    return [fine("disk", "well")]


async def test_what_fails_is_a_finding_and_the_others_are_heard() -> None:
    async def fails() -> Sequence[Diagnosis]:
        raise KeyError("a secret in it")

    told = await run([check(well), check(fails), check(well)])

    assert [(one.grade, one.what) for one in told] == [
        (Grade.FINE, "well"),
        (Grade.FINDING, "could not look at the disk: KeyError"),
        (Grade.FINE, "well"),
    ]
    assert "secret" not in f"{told}"


async def test_what_does_not_end_in_time_is_a_finding() -> None:
    async def hangs() -> Sequence[Diagnosis]:
        await asyncio.Event().wait()
        return []

    [only] = await run([check(hangs, 0.01)])

    assert (only.grade, only.what) == (Grade.FINDING, "could not look at the disk: it did not end within 0.01 s")


async def test_what_people_can_mend_is_said_in_its_own_words() -> None:
    async def refuses() -> Sequence[Diagnosis]:
        raise DatabaseError("There is no database /x; has the service run here?")

    [only] = await run([check(refuses)])

    assert (only.grade, only.what) == (Grade.FINDING, "There is no database /x; has the service run here?")


async def test_checks_wait_for_nobody() -> None:
    """The second begins while the first still waits for it."""
    begun = asyncio.Event()

    async def first() -> Sequence[Diagnosis]:
        await begun.wait()
        return await well()

    async def second() -> Sequence[Diagnosis]:
        begun.set()
        return await well()

    assert len(await run([check(first), check(second)])) == 2


async def test_what_blocks_runs_aside_and_gives_its_result_or_its_error() -> None:
    assert await aside(sum, [1, 2]) == 3
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 // 0)


async def test_a_thread_that_hangs_holds_up_nobody() -> None:
    """A dead file server keeps a call for ever; the thread is one that the process does not wait for."""
    never = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await aside(never.wait)

    [hanging] = [one for one in threading.enumerate() if one.name == "doctor"]
    assert hanging.daemon
    never.set()
    while hanging.is_alive():
        time.sleep(0.001)  # noqa: ASYNC251 - a moment, so that no other test meets it
