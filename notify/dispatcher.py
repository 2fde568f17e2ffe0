"""Takes deliveries from the outbox, hands each to its channel, and reports what became of it.

It holds no state of a delivery that the outbox does not have: whatever is under way when the process dies is found
there as `sending`, becomes a doubt when its lease runs out, and is asked about. It decides nothing either: order, due
times, repeats and fall-backs belong to the outbox behind the port.

Slots. Each channel has its own, so that a provider that hangs holds up nobody else's messages; and a few of each are
kept for life-safety pages, so that ordinary messages that hang do not hold up those (invariant life-first). What is
claimed is started at once: nothing waits here with a lease running.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from notify.channel import Asks, Channel, DoubtOutcome, DoubtResult, SendOutcome, SendResult
from notify.masking import mask_address, mask_text
from rules.decisions import Delivery, DeliveryState, Priority

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

#: How often the outbox is looked at without being woken.
PERIOD_S = 1.0

#: Seconds between the tries of writing a result down; after the last one the lease settles it.
_REPORT_AGAIN_S = (0.2, 1.0, 3.0)


class Outbox(Protocol):
    """Where deliveries come from and results go."""

    async def claim(
        self, limit: int, *, channels: Collection[str] | None = None, max_priority: Priority | None = None
    ) -> Sequence[Delivery]:
        """Take up to `limit` due deliveries, life-safety first: `sending` ones to send, `unknown` ones to ask about.

        With `channels` only of those; with `max_priority` only of that priority and those before it. Both are given
        only while slots are short. The lease must be longer than two of the dispatcher's time-outs.
        """
        ...

    async def send_finished(self, delivery: Delivery, result: SendResult) -> None:
        """Record what became of a try. Called again if it raises, so it must not count twice (the fence sees to it)."""
        ...

    async def doubt_answered(self, delivery: Delivery, result: DoubtResult) -> None:
        """Record what the provider said of a doubt; as send_finished."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lane:
    """One claim that there is room for."""

    limit: int
    channels: frozenset[str] | None = None
    max_priority: Priority | None = None


class _Slots:
    """How many deliveries of one channel are under way, and how many more may be."""

    def __init__(self, size: int, reserved: int) -> None:
        self._size = size
        self._reserved = reserved
        self._urgent = 0
        self._ordinary = 0

    @property
    def room(self) -> int:
        """For deliveries of any priority."""
        return min(self._size - self._reserved - self._ordinary, self.urgent_room)

    @property
    def urgent_room(self) -> int:
        """For life-safety pages."""
        return self._size - self._urgent - self._ordinary

    @contextlib.contextmanager
    def taken(self, priority: Priority) -> Iterator[None]:
        urgent = priority <= Priority.LIFE_SAFETY_PAGE
        self._urgent += urgent
        self._ordinary += not urgent
        try:
            yield
        finally:
            self._urgent -= urgent
            self._ordinary -= not urgent


class Dispatcher:
    """Sends what is due, many at a time."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        *,
        concurrency: int = 16,
        reserved: int = 4,
        timeout_s: float = 10.0,
        period_s: float = PERIOD_S,
    ) -> None:
        """Make it; `concurrency` and, of those, `reserved` for life-safety pages are numbers for each channel.

        `timeout_s` bounds every try and every question, whatever the channel's own time-outs are.
        """
        if not 0 < reserved < concurrency:
            raise ValueError(f"of {concurrency} slots {reserved} cannot be reserved")
        self._outbox = outbox
        self._channels = dict(channels)
        self._slots = {name: _Slots(concurrency, reserved) for name in channels}
        self._concurrency = concurrency
        self._timeout_s = timeout_s
        self._period_s = period_s
        self._woken = asyncio.Event()
        self._short_of_slots = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._claiming = 0
        self._promised = 0
        self._kept = asyncio.Event()
        self._kept.set()
        self._running = False

    @property
    def under_way(self) -> int:
        """How many deliveries are claimed and not yet reported; a claim that is being made counts as one."""
        return len(self._under_way) + self._claiming

    def wake(self) -> None:
        """Look at the outbox now. To be called from the event loop."""
        self._woken.set()

    @property
    def room(self) -> int:
        """How many deliveries somebody else may claim for us to `start`; none while we do not run."""
        return self._room if self._running else 0

    def start(self, claimed: Sequence[Delivery], claimed_at: float) -> None:
        """Send what somebody else has claimed at a time by the event loop's clock; to be called after its commit."""
        self._begin(claimed, claimed_at)

    @contextlib.contextmanager
    def promised(self) -> Iterator[None]:
        """For as long as somebody else may be about to `start` what they have claimed: a stop waits for it."""
        self._promised += 1
        self._kept.clear()
        try:
            yield
        finally:
            self._promised -= 1
            if not self._promised:
                self._kept.set()

    async def run(self) -> None:
        """Send for ever: when woken, when a slot that was missed is free, and on a period.

        When it is cancelled it waits for what is under way, a claim that is being made among it, at the most one
        time-out, so that an ordinary stop leaves no doubt behind.
        """
        looking: asyncio.Task[int] | None = None
        self._running = True
        try:
            while True:
                self._woken.clear()
                # A task of its own: cancelled, it might have claimed what nobody would know of.
                looking = asyncio.create_task(self._start_due(), name="look at the outbox")
                try:
                    await asyncio.shield(looking)
                except Exception:  # noqa: BLE001 - whatever the outbox raises, the next period tries again
                    _log.exception("could not look at the outbox")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._period_s):
                        await self._woken.wait()
        finally:
            self._running = False
            if looking is not None:
                await asyncio.wait({looking}, timeout=self._timeout_s)
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
            await self._finish_what_is_under_way()

    async def run_once(self) -> int:
        """Send what is due now, all of it, and wait until it is finished; give the number of deliveries handled.

        What becomes due because of these results (a fall-back, for instance) is left to the next call.
        """
        handled = 0
        while True:
            handled += await self._start_due()
            if not self._under_way:
                if not self._short_of_slots:
                    return handled
                continue
            await asyncio.wait(
                self._under_way, return_when=asyncio.FIRST_COMPLETED if self._short_of_slots else asyncio.ALL_COMPLETED
            )
            if not self._short_of_slots:
                return handled

    # --- claiming -----------------------------------------------------------------------------------------------------

    async def _start_due(self) -> int:
        """Claim and start as much as there is due and room for."""
        started = 0
        while True:
            lanes = list(self._lanes())
            self._short_of_slots = len(lanes) != 1 or lanes[0].channels is not None
            more = False
            for lane in lanes:
                claimed = await self._claim(lane)
                started += len(claimed)
                more |= len(claimed) >= lane.limit
            if not more:
                return started

    @property
    def _room(self) -> int:
        """For a delivery of whatever channel and priority."""
        return min((slots.room for slots in self._slots.values()), default=self._concurrency)

    def _lanes(self) -> Iterator[_Lane]:
        """Say what may be claimed. With room everywhere that is one claim; otherwise one a channel that has some."""
        if self._room > 0:
            yield _Lane(limit=self._room)
            return
        for name, slots in self._slots.items():
            if slots.room > 0:
                yield _Lane(limit=slots.room, channels=frozenset({name}))
            elif slots.urgent_room > 0:
                yield _Lane(limit=slots.urgent_room, channels=frozenset({name}), max_priority=Priority.LIFE_SAFETY_PAGE)

    async def _claim(self, lane: _Lane) -> Sequence[Delivery]:
        since = asyncio.get_running_loop().time()
        self._claiming += 1
        try:
            if lane.channels is None:
                claimed = await self._outbox.claim(lane.limit)
            else:
                claimed = await self._outbox.claim(lane.limit, channels=lane.channels, max_priority=lane.max_priority)
        finally:
            self._claiming -= 1
        self._begin(claimed, since)
        return claimed

    def _begin(self, claimed: Iterable[Delivery], since: float) -> None:
        for delivery in claimed:
            slots = self._slots.get(delivery.channel)
            # Taken here and not in the task, so that the next claim sees it.
            slot = contextlib.ExitStack()
            if slots is not None:
                slot.enter_context(slots.taken(delivery.priority))
            task = asyncio.create_task(self._handle(delivery, claimed_at=since), name=f"delivery {delivery.id}")
            self._under_way.add(task)
            task.add_done_callback(functools.partial(self._finished, slot))

    def _finished(self, slot: contextlib.ExitStack, task: asyncio.Task[None]) -> None:
        slot.close()
        self._under_way.discard(task)
        if self._short_of_slots:
            self._woken.set()

    # --- one delivery -------------------------------------------------------------------------------------------------

    async def _handle(self, delivery: Delivery, *, claimed_at: float) -> None:
        """Deal with one delivery; never raises."""
        if delivery.state is DeliveryState.UNKNOWN:
            answer = await self._ask(delivery)
            await self._report(delivery, lambda: self._outbox.doubt_answered(delivery, answer))
        else:
            result = await self._send(delivery, claimed_at)
            await self._report(delivery, lambda: self._outbox.send_finished(delivery, result))

    async def _send(self, delivery: Delivery, claimed_at: float) -> SendResult:
        channel = self._channels.get(delivery.channel)
        if channel is None:
            return SendResult(
                outcome=SendOutcome.PERMANENT, error=f"channel {delivery.channel!r} is not set up", ours=True
            )
        if delivery.stopped:
            return SendResult(outcome=SendOutcome.PERMANENT, error="the number has said STOP", ours=True)
        if asyncio.get_running_loop().time() - claimed_at > self._timeout_s:
            # The process stood still; somebody else may have found the lease run out and sent it.
            return SendResult(outcome=SendOutcome.RETRY, error="held up for too long before it could leave", ours=True)
        result = await self._bounded(delivery, channel.send(delivery))
        # Whatever went wrong, nobody knows how far it came: that is what a doubt is.
        return SendResult(outcome=SendOutcome.UNKNOWN, error=result) if isinstance(result, str) else result

    async def _ask(self, delivery: Delivery) -> DoubtResult:
        channel: object = self._channels.get(delivery.channel)
        if not isinstance(channel, Asks):
            return DoubtResult(outcome=DoubtOutcome.CANNOT_ASK, error=f"nobody to ask about {delivery.channel!r}")
        answer = await self._bounded(delivery, channel.ask(delivery))
        return DoubtResult(outcome=DoubtOutcome.CANNOT_ASK, error=answer) if isinstance(answer, str) else answer

    async def _bounded(self, delivery: Delivery, work: Coroutine[Any, Any, _T]) -> _T | str:
        """Give the result of a channel's work, or in words what kept it from giving one."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work
        except TimeoutError:
            return f"no answer within {self._timeout_s:g} s"
        except Exception as error:  # noqa: BLE001 - a channel's mistake must stop neither the others nor this page
            _log.exception("%s to %s", delivery.channel, mask_address(delivery.address), extra=_ids(delivery))
            return mask_text(f"{type(error).__name__}: {error}")

    async def _report(self, delivery: Delivery, write: Callable[[], Awaitable[None]]) -> None:
        for pause in (*_REPORT_AGAIN_S, None):
            try:
                return await write()
            except Exception as error:  # noqa: BLE001 - the database may be away for a moment, and a result is dear
                if pause is None:
                    _log.exception("a result is lost; its lease will show it as a doubt", extra=_ids(delivery))
                    return None
                _log.warning("a result is written down again in %g s: %s", pause, error, extra=_ids(delivery))
                await asyncio.sleep(pause)
        return None

    async def _finish_what_is_under_way(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_s):
                await self._kept.wait()
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=self._timeout_s + 1)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)


def _ids(delivery: Delivery) -> dict[str, object]:
    return {"delivery": delivery.id, "incident": delivery.incident_id}
