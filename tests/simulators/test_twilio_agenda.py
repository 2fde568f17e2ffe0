"""What happens later: by hand in order of time, by itself each thing in its turn."""

import asyncio
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from simulators.clock import HandClock
from simulators.twilio.agenda import Action, Agenda


def note(done: list[str], name: str) -> Action:
    async def act(_at: datetime) -> None:
        done.append(name)

    return act


@given(st.lists(st.integers(0, 20)))
def test_order_is_of_time_and_then_of_entry(offsets: list[int]) -> None:
    clock = HandClock()
    agenda = Agenda(clock.now, speed=None)
    done: list[str] = []
    for index, offset in enumerate(offsets):
        agenda.at(clock.now() + timedelta(seconds=offset), note(done, f"{offset:02}/{index:04}"))
    clock.move(20)
    assert asyncio.run(agenda.run_due()) == len(offsets)
    assert done == sorted(done)


async def test_nothing_happens_before_its_time_or_after_it_was_cancelled(clock: HandClock) -> None:
    agenda = Agenda(clock.now, speed=None)
    done: list[str] = []
    first = agenda.at(clock.now() + timedelta(seconds=1), note(done, "cancelled"))
    second = agenda.at(clock.now() + timedelta(seconds=2), note(done, "kept"))
    first.cancel()
    assert agenda.next_at() == second.at
    clock.move(1.9)
    assert await agenda.run_due() == 0
    clock.move(0.1)
    assert await agenda.run_due() == 1
    assert (done, agenda.next_at()) == (["kept"], None)


async def test_what_follows_is_done_in_the_same_run_at_its_own_time(clock: HandClock) -> None:
    """A jump of the clock does not move the times of what was due meanwhile."""
    agenda = Agenda(clock.now, speed=None)
    times: list[datetime] = []

    async def act(at: datetime) -> None:
        assert agenda.time() == at
        times.append(at)
        if len(times) < 3:
            agenda.at(at + timedelta(seconds=10), act)

    start = clock.now()
    agenda.at(start, act)
    clock.move(3600)
    assert await agenda.run_due() == 3
    assert times == [start + timedelta(seconds=offset) for offset in (0, 10, 20)]
    assert agenda.time() == clock.now()


async def test_by_itself_one_thing_waits_for_its_own_turn_only(clock: HandClock) -> None:
    """A callback that hangs holds up those of the same message, and nobody else's; one that fails, nothing at all."""
    agenda = Agenda(clock.now, speed=1)
    done: list[str] = []
    other, go_on, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hang(_at: datetime) -> None:
        await go_on.wait()
        done.append("a1")

    async def fail(_at: datetime) -> None:
        raise RuntimeError("as a test")

    async def elsewhere(_at: datetime) -> None:
        done.append("b2")
        other.set()

    async def end(_at: datetime) -> None:
        done.append("a2")
        over.set()

    agenda.at(clock.now(), hang, key="a")
    agenda.at(clock.now(), end, key="a")
    agenda.at(clock.now(), fail, key="b")
    agenda.at(clock.now(), elsewhere, key="b")
    mover = asyncio.create_task(agenda.run())
    await asyncio.wait_for(other.wait(), 5)
    assert done == ["b2"]
    go_on.set()
    await asyncio.wait_for(over.wait(), 5)
    assert done == ["b2", "a1", "a2"]
    mover.cancel()
    await agenda.stop()
