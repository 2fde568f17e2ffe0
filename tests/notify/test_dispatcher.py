"""The dispatcher against an outbox in memory, in virtual time."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

import pytest

from notify.channel import DoubtOutcome, DoubtResult, SendOutcome, SendResult
from notify.dispatcher import Dispatcher
from rules.decisions import Delivery, DeliveryState, Priority

Virtually = Callable[[Coroutine[Any, Any, Any]], Any]
Make = Callable[..., Delivery]

ACCEPTED = SendResult(outcome=SendOutcome.ACCEPTED, provider_id="SM1", status="queued")


class MemoryOutbox:
    """Hands out what it is given, by priority, once."""

    def __init__(self, *due: Delivery) -> None:
        self.due = list(due)
        self.sent: dict[int, SendResult] = {}
        self.answered: dict[int, DoubtResult] = {}
        self.claims: list[tuple[int, Collection[str] | None, Priority | None]] = []
        self.refuse_reports = 0

    async def claim(
        self, limit: int, *, channels: Collection[str] | None = None, max_priority: Priority | None = None
    ) -> Sequence[Delivery]:
        self.claims.append((limit, channels, max_priority))
        fitting = [
            one
            for one in sorted(self.due, key=lambda one: (one.priority, one.id))
            if (channels is None or one.channel in channels) and (max_priority is None or one.priority <= max_priority)
        ][:limit]
        self.due = [one for one in self.due if one not in fitting]
        return fitting

    async def send_finished(self, delivery: Delivery, result: SendResult) -> None:
        if self.refuse_reports:
            self.refuse_reports -= 1
            raise ConnectionError("the database is away")
        assert delivery.id not in self.sent, "a result was reported twice"
        self.sent[delivery.id] = result

    async def doubt_answered(self, delivery: Delivery, result: DoubtResult) -> None:
        self.answered[delivery.id] = result


class Recorder:
    """Takes everything at once; hangs on the deliveries it is told to hang on."""

    def __init__(self, name: str = "sms", *, hang_on: Callable[[Delivery], bool] = lambda _: False) -> None:
        self.name = name
        self.order: list[int] = []
        self.at_once = 0
        self.most_at_once = 0
        self._hang_on = hang_on

    async def send(self, delivery: Delivery) -> SendResult:
        self.order.append(delivery.id)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await asyncio.sleep(3600 if self._hang_on(delivery) else 0.01)
        finally:
            self.at_once -= 1
        return ACCEPTED


class Asked(Recorder):
    """A channel that can be asked."""

    def __init__(self, answer: DoubtResult | Exception | None) -> None:
        super().__init__()
        self._answer = answer

    async def ask(self, delivery: Delivery) -> DoubtResult:
        if isinstance(self._answer, Exception):
            raise self._answer
        if self._answer is None:
            await asyncio.sleep(3600)
        assert isinstance(self._answer, DoubtResult)
        return self._answer


class Failing(Recorder):
    """A channel with a mistake in it."""

    async def send(self, delivery: Delivery) -> SendResult:
        raise ValueError(f"cannot write to {delivery.address}")


def test_life_safety_leaves_first(virtually: Virtually, make_delivery: Make) -> None:
    """Invariant life-first."""
    routine = make_delivery(priority=Priority.INFORM)
    page = make_delivery(priority=Priority.PAGE)
    gas = make_delivery(priority=Priority.LIFE_SAFETY_PAGE)
    sms = Recorder()
    outbox = MemoryOutbox(routine, page, gas)

    assert virtually(Dispatcher(outbox, {"sms": sms}).run_once()) == 3

    assert sms.order == [gas.id, page.id, routine.id]
    assert set(outbox.sent.values()) == {ACCEPTED}


def test_run_once_handles_all_that_is_due_however_few_slots_there_are(
    virtually: Virtually, make_delivery: Make
) -> None:
    sms, voice = Recorder("sms"), Recorder("voice")
    outbox = MemoryOutbox(*[make_delivery(channel=("sms", "voice")[n % 3 == 0]) for n in range(100)])

    dispatcher = Dispatcher(outbox, {"sms": sms, "voice": voice}, concurrency=5, reserved=2)
    assert virtually(dispatcher.run_once()) == 100

    assert len(outbox.sent) == 100
    assert sms.most_at_once <= 5
    assert voice.most_at_once <= 5
    assert virtually(dispatcher.run_once()) == 0


def test_ordinary_messages_that_hang_leave_slots_for_life_safety(virtually: Virtually, make_delivery: Make) -> None:
    """Invariant life-first: the gas alarm does not wait for the time-outs of battery notices."""
    sms = Recorder(hang_on=lambda one: one.priority is Priority.INFORM)
    outbox = MemoryOutbox(*[make_delivery(priority=Priority.INFORM) for _ in range(40)])

    async def story() -> None:
        dispatcher = Dispatcher(outbox, {"sms": sms}, concurrency=6, reserved=2)
        running = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(1)
        assert sms.at_once == 4
        gas = make_delivery()
        outbox.due.append(gas)
        dispatcher.wake()
        await asyncio.sleep(0.02)
        assert gas.id in outbox.sent
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtually(story())


def test_a_provider_that_hangs_holds_up_no_other_channel(virtually: Virtually, make_delivery: Make) -> None:
    """500 life-safety pages behind a dead SMS provider: the same people's pushes leave at once."""
    sms, push = Recorder("sms", hang_on=lambda _: True), Recorder("apprise")
    pages = [make_delivery(channel=channel) for _ in range(250) for channel in ("sms", "apprise")]
    outbox = MemoryOutbox(*pages)

    async def story() -> None:
        running = asyncio.create_task(Dispatcher(outbox, {"sms": sms, "apprise": push}).run())
        await asyncio.sleep(5)
        assert len(push.order) == 250
        assert sms.at_once == 16
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtually(story())


def test_nothing_is_claimed_that_cannot_start_at_once(virtually: Virtually, make_delivery: Make) -> None:
    """A claim that waits here would run out of its lease and be taken for a doubt."""
    sms = Recorder(hang_on=lambda _: True)
    outbox = MemoryOutbox(*[make_delivery() for _ in range(50)])

    async def story() -> None:
        running = asyncio.create_task(Dispatcher(outbox, {"sms": sms}, concurrency=7, reserved=1).run())
        await asyncio.sleep(9)
        assert sms.at_once == 7
        assert len(outbox.due) == 43
        await asyncio.sleep(2)  # the first seven have timed out
        assert sms.at_once == 7
        assert len(outbox.due) == 36
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtually(story())


def test_a_try_without_an_answer_is_a_doubt(virtually: Virtually, make_delivery: Make) -> None:
    """Invariant one-page: a time-out is neither a success nor a failure."""
    outbox = MemoryOutbox(make_delivery())
    virtually(Dispatcher(outbox, {"sms": Recorder(hang_on=lambda _: True)}, timeout_s=4).run_once())
    assert outbox.sent == {1: SendResult(outcome=SendOutcome.UNKNOWN, error="no answer within 4 s")}


def test_a_channel_that_raises_leaves_a_doubt_and_a_masked_log(
    virtually: Virtually, make_delivery: Make, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = MemoryOutbox(make_delivery(), make_delivery(channel="voice"))
    virtually(Dispatcher(outbox, {"sms": Failing(), "voice": Recorder("voice")}).run_once())

    assert outbox.sent[1].outcome is SendOutcome.UNKNOWN
    assert outbox.sent[1].error == "ValueError: cannot write to 138****0001"
    assert outbox.sent[2] is ACCEPTED
    [record] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == "sms to 138****0001"
    assert (record.delivery, record.incident) == (1, "4b1d")  # type: ignore[attr-defined] # set by `extra`


def test_a_channel_that_is_not_set_up_is_refused_for_good(virtually: Virtually, make_delivery: Make) -> None:
    """So the person's next contact method is tried."""
    outbox = MemoryOutbox(make_delivery(channel="voice"))
    virtually(Dispatcher(outbox, {"sms": Recorder()}).run_once())
    assert outbox.sent == {
        1: SendResult(outcome=SendOutcome.PERMANENT, error="channel 'voice' is not set up", ours=True)
    }


@pytest.mark.parametrize(
    ("channel", "outcome", "error"),
    [
        (Asked(DoubtResult(outcome=DoubtOutcome.FOUND, provider_id="SM9")), DoubtOutcome.FOUND, None),
        (Asked(DoubtResult(outcome=DoubtOutcome.ABSENT)), DoubtOutcome.ABSENT, None),
        (Asked(ValueError("+8613800000001")), DoubtOutcome.CANNOT_ASK, "ValueError: 138****0001"),
        (Asked(None), DoubtOutcome.CANNOT_ASK, "no answer within 10 s"),
        (Recorder(), DoubtOutcome.CANNOT_ASK, "nobody to ask about 'sms'"),
    ],
)
def test_a_doubt_is_asked_about_and_nothing_is_sent(
    virtually: Virtually, make_delivery: Make, channel: Recorder, outcome: DoubtOutcome, error: str | None
) -> None:
    """Invariant one-page."""
    outbox = MemoryOutbox(make_delivery(state=DeliveryState.UNKNOWN))
    virtually(Dispatcher(outbox, {"sms": channel}).run_once())
    assert (outbox.answered[1].outcome, outbox.answered[1].error) == (outcome, error)
    assert channel.order == []
    assert outbox.sent == {}


def test_a_result_is_written_again_when_the_database_was_away(virtually: Virtually, make_delivery: Make) -> None:
    """A provider has taken it: forgetting that would send it twice where nobody can be asked."""
    outbox = MemoryOutbox(make_delivery())
    outbox.refuse_reports = 2
    virtually(Dispatcher(outbox, {"sms": Recorder()}).run_once())
    assert outbox.sent == {1: ACCEPTED}


def test_a_result_that_cannot_be_written_is_left_to_its_lease(
    virtually: Virtually, make_delivery: Make, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = MemoryOutbox(make_delivery())
    outbox.refuse_reports = 100
    assert virtually(Dispatcher(outbox, {"sms": Recorder()}).run_once()) == 1
    assert "its lease will show it as a doubt" in caplog.text


def test_a_process_that_stood_still_does_not_send_what_it_claimed_before(
    virtually: Virtually, make_delivery: Make
) -> None:
    """Its lease may be over, and somebody else may have sent it (invariant one-page)."""
    sms = Recorder()

    class Frozen(MemoryOutbox):
        async def claim(self, limit: int, **narrow: Any) -> Sequence[Delivery]:
            claimed = await super().claim(limit, **narrow)
            if claimed:
                await asyncio.sleep(60)
            return claimed

    outbox = Frozen(make_delivery())
    virtually(Dispatcher(outbox, {"sms": sms}).run_once())
    assert sms.order == []
    assert outbox.sent[1].outcome is SendOutcome.RETRY


def test_run_looks_on_a_period_and_when_woken(virtually: Virtually, make_delivery: Make) -> None:
    outbox = MemoryOutbox()
    sms = Recorder()

    async def story() -> None:
        dispatcher = Dispatcher(outbox, {"sms": sms}, period_s=1)
        running = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(0.1)
        outbox.due.append(make_delivery())
        await asyncio.sleep(0.5)
        assert sms.order == []
        dispatcher.wake()
        await asyncio.sleep(0.01)
        assert sms.order == [1]
        outbox.due.append(make_delivery())
        await asyncio.sleep(1)
        assert sms.order == [1, 2]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtually(story())


def test_run_goes_on_when_the_outbox_fails(
    virtually: Virtually, make_delivery: Make, caplog: pytest.LogCaptureFixture
) -> None:
    class Away(MemoryOutbox):
        away = 2

        async def claim(self, limit: int, **narrow: Any) -> Sequence[Delivery]:
            if self.away:
                self.away -= 1
                raise ConnectionError("the database is away")
            return await super().claim(limit, **narrow)

    outbox = Away(make_delivery())

    async def story() -> None:
        running = asyncio.create_task(Dispatcher(outbox, {"sms": Recorder()}).run())
        await asyncio.sleep(5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtually(story())
    assert outbox.sent == {1: ACCEPTED}
    assert caplog.text.count("could not look at the outbox") == 2


def test_stopping_waits_for_what_is_under_way(virtually: Virtually, make_delivery: Make) -> None:
    """An ordinary stop leaves no doubt behind."""
    outbox = MemoryOutbox(make_delivery(), make_delivery(channel="voice"))
    channels = {"sms": Recorder(), "voice": Recorder("voice", hang_on=lambda _: True)}

    async def story() -> None:
        running = asyncio.create_task(Dispatcher(outbox, channels).run())
        await asyncio.sleep(0.005)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    virtually(story())
    assert outbox.sent[1] is ACCEPTED
    assert outbox.sent[2].outcome is SendOutcome.UNKNOWN


def test_with_room_for_all_one_claim_is_enough(virtually: Virtually, make_delivery: Make) -> None:
    outbox = MemoryOutbox(make_delivery())
    virtually(Dispatcher(outbox, {"sms": Recorder(), "voice": Recorder("voice")}).run_once())
    assert outbox.claims == [(12, None, None)]


def test_slots_cannot_all_be_reserved() -> None:
    with pytest.raises(ValueError, match="of 4 slots 4 cannot be reserved"):
        Dispatcher(MemoryOutbox(), {}, concurrency=4, reserved=4)


def test_stopping_waits_for_a_claim(virtually: Virtually, make_delivery: Make) -> None:
    """Stopped while the database writes the claim: what is claimed then is sent, and is no doubt at the next start."""

    class Slow(MemoryOutbox):
        async def claim(self, limit: int, **narrow: Any) -> Sequence[Delivery]:
            claimed = await super().claim(limit, **narrow)
            await asyncio.sleep(1)
            return claimed

    outbox = Slow(make_delivery())

    async def story() -> None:
        running = asyncio.create_task(Dispatcher(outbox, {"sms": Recorder()}).run())
        await asyncio.sleep(0.5)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    virtually(story())
    assert outbox.sent == {1: ACCEPTED}


def test_a_text_to_a_number_that_has_said_stop_is_refused_and_never_sent(
    virtually: Virtually, make_delivery: Make
) -> None:
    stopped, other = make_delivery(stopped=True), make_delivery()
    sms = Recorder()
    outbox = MemoryOutbox(stopped, other)

    virtually(Dispatcher(outbox, {"sms": sms}).run_once())

    assert sms.order == [other.id]
    assert outbox.sent[stopped.id] == SendResult(
        outcome=SendOutcome.PERMANENT, error="the number has said STOP", ours=True
    )


def test_what_somebody_else_has_claimed_is_sent_while_it_runs(virtually: Virtually, make_delivery: Make) -> None:
    """Nobody claims for a dispatcher that does not run: what is claimed would lie there until its lease is over."""
    outbox, sms = MemoryOutbox(), Recorder()
    dispatcher = Dispatcher(outbox, {"sms": sms}, concurrency=6, reserved=2)
    page = make_delivery()

    async def run() -> list[int]:
        room = [dispatcher.room]
        running = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(0.1)
        room.append(dispatcher.room)
        dispatcher.start([page], asyncio.get_running_loop().time())
        room.append(dispatcher.room)
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return [*room, dispatcher.room]

    assert virtually(run()) == [0, 4, 4, 0]
    assert sms.order == [page.id]
    assert outbox.sent[page.id] == ACCEPTED


def test_what_was_claimed_too_long_ago_is_not_sent(virtually: Virtually, make_delivery: Make) -> None:
    """A commit may wait for the disk for longer than the lease, and somebody else may have sent it meanwhile."""
    outbox, sms = MemoryOutbox(), Recorder()
    dispatcher = Dispatcher(outbox, {"sms": sms}, timeout_s=10)
    page = make_delivery()

    async def run() -> None:
        running = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(20)
        dispatcher.start([page], asyncio.get_running_loop().time() - 11)
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtually(run())
    assert sms.order == []
    assert outbox.sent[page.id].outcome is SendOutcome.RETRY
