"""The whole decision core over a real database file, with everything around it in our hands.

The clock, the broker, the providers, people, the files, and death.

Each thing that happens is one method. When it is over, what the database held before and holds after is one `Moment`,
and every invariant is judged by it (invariants.py).
"""

import asyncio
import itertools
import logging
import random
import shutil
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from model.community import EDITIONS
from model.letters import Letter
from model.provider import Provider, Sent
from model.seen import Reader, Snapshot
from model.trap import TRAP, Bug, Crash

import ingest.subscriber
import notify.dispatcher
import shouwang.configuration
import shouwang.phone
import store.codes
from ingest.subscriber import Subscriber
from notify.dispatcher import Dispatcher
from rules.decisions import Delivery
from rules.incident import OutcomeKind, Verb
from shouwang import auditor, config, hearing, housekeeping
from shouwang.configuration import Configuration
from shouwang.service import Service
from store.database import Database

BEGAN = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday, ten in the morning in Chengdu

#: What happens at one moment comes to rest within so many rounds.
_ROUNDS = 80


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing: pauses between tries are virtual here. And few reply codes, so that they run short."""
    monkeypatch.setattr(ingest.subscriber, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(notify.dispatcher, "_REPORT_AGAIN_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(shouwang.phone, "_AGAIN_S", (0.0,) * 5)
    monkeypatch.setattr(shouwang.configuration, "_AGAIN_S", 0.0)
    # Few slots, so that there is a queue.
    monkeypatch.setitem(Dispatcher.__init__.__kwdefaults__, "concurrency", 3)
    monkeypatch.setitem(Dispatcher.__init__.__kwdefaults__, "reserved", 1)
    monkeypatch.setattr(store.codes, "LETTERS", "K")
    monkeypatch.setattr(store.codes, "DIGITS", "23")
    # The same few files are read again and again.
    monkeypatch.setattr(config, "load", _remembered(config.load))
    monkeypatch.setattr(config, "load_rulebook", _remembered(config.load_rulebook))
    # The same again comes out the same: no threads, and ids that are counted.
    monkeypatch.setattr(asyncio, "to_thread", _at_once)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=next(_ids)))


_ids = itertools.count(1)


async def _at_once(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _remembered(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    @lru_cache(maxsize=400)
    def of(texts: tuple[str, ...], folder: Path) -> Any:
        return read(folder)

    return lambda folder: of(tuple((folder / f"{name}.yaml").read_text() for name in EDITIONS), folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What worlds are made on."""

    loop: asyncio.AbstractEventLoop
    blank: Path
    folder: Path


@dataclass(slots=True, kw_only=True)
class Moment:
    """One thing that happened."""

    #: `took`, `ticked`, `dispatched`, `replied`, `pressed`, `told`, `acted`, `reloaded`, `audited`, `started` …
    what: str
    before: Snapshot
    after: Snapshot
    now: datetime
    #: The process died in it.
    died: bool
    #: The database was away, or a mistake of ours came up, while it happened.
    troubled: bool
    letters: Sequence[Letter] = ()
    #: All of them have been taken in before, and nothing else has happened since.
    again: bool = False
    #: What providers have taken, and what they were asked to take, since the moment before.
    sent: Sequence[Sent] = ()
    requests: Sequence[Any] = ()
    #: The code in a reply, and the text.
    code: str | None = None
    text: str = ""
    world: "World"


class _Grumbles(logging.Handler):
    """Keeps what the service complains of with a traceback: where nothing was injected, that is a mistake of ours."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.addFilter(lambda record: record.name != "asyncio")
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[0] is not None and not issubclass(record.exc_info[0], (Bug, Crash)):
            self.heard.append(f"{record.getMessage()}: {record.exc_info[0].__name__}: {record.exc_info[1]}")


class World:
    """Everything. Made anew for each example."""

    def __init__(self, ground: Ground, judges: Mapping[str, Callable[[Moment], Iterator[str]]]) -> None:
        self._ground = ground
        self._judges = judges
        self._folder = ground.folder / "world"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self._path = self._folder / "shouwang.db"
        shutil.copyfile(ground.blank, self._path)
        self.now = BEGAN
        self.editions = dict.fromkeys(EDITIONS, "base")
        for name in EDITIONS:
            self._write(name)
        TRAP.clear()
        self.reader = Reader(self._path)
        self.last = self.reader.look()
        self.provider = Provider(now=lambda: self.now, look=self._look)
        #: Published and not acknowledged, oldest first.
        self.line: list[Letter] = []
        #: Acknowledged, and not yet found in the database by a judge.
        self.untraced: list[Letter] = []
        #: What devices have said live, and when they were heard live last.
        self.said: set[tuple[str, str, object]] = set()
        self.heard: dict[str, datetime] = {}
        #: When the gateway said last that it is up: what it says in the minute after may come from its memory.
        self.gateway_started: datetime | None = None
        #: The clock was set back, and the auditor has not been round since.
        self.clock_moved = False
        self.broken: list[str] = []
        self._sent = self._requested = 0
        self._numbers = self._texts = 0
        self._troubled = self._interrupted = False
        self._grumbles = _Grumbles()
        logging.getLogger().addHandler(self._grumbles)
        self._run(self._start())
        self.last = self.reader.look()

    # --- what happens: the process ------------------------------------------------------------------------------------

    def crash_and_restart(self, down: timedelta, *, messages_first: bool) -> None:
        """Kill it between two statements, and start it again some time later."""
        TRAP.dead = True
        self._again(down, messages_first=messages_first)

    def restart(self, down: timedelta, *, messages_first: bool) -> None:
        """Stop it as it should be stopped."""
        self.provider.answer_all()
        self._do("stopped", self._quiet)
        TRAP.dead = True
        self._again(down, messages_first=messages_first)

    def reload(self, name: str, edition: str) -> None:
        """Save a file; the service sees it."""
        self.editions[name] = edition
        self._write(name)
        self._do("reloaded", lambda: self.configuration.reload(self.service))

    def set_clock(self, back: timedelta) -> None:
        """Set the clock back; the auditor comes round within half a minute."""
        self.now -= back
        self.clock_moved = True

    def audit(self) -> None:
        """Let the auditor come round."""
        self._do("audited", self._audit)

    def tidy(self) -> None:
        """Let what is older than a month be forgotten."""
        self._do("tidied", lambda: housekeeping.tidy(self.service.core, retention=timedelta(days=30)))

    def note(self) -> None:
        """Note that the broker is heard."""
        self._do("noted", lambda: hearing.note(self.service.core))

    # --- what happens: messages, people -------------------------------------------------------------------------------

    def publish(self, letters: Sequence[Letter]) -> None:
        """Messages are at the broker, and it hands over all it has."""
        for letter in letters:
            letter.published_at = self.now
            self._numbers += 1
            letter.handle = self._numbers
        self.line += letters
        self.hand_over()

    def hand_over(self, *, at_start: bool = False) -> None:
        """The broker hands over what was not acknowledged; `at_start`: before anything else happens."""
        batch = list(self.line)
        if not batch:
            return
        # No two batches come at one moment, so that each leaves a trace of its own.
        self.now += timedelta(milliseconds=1)
        for letter in batch:
            letter.received_at = self.now
            letter.known = letter.device in self.last.devices if letter.device else True
        messages = [letter.message() for letter in batch]

        async def take() -> None:
            await self.subscriber._until_handled(messages)
            self._acknowledged(batch)
            await self._quiet()

        again = at_start and all(letter.perhaps_taken for letter in batch)
        self._do("took", take, letters=batch, again=again)

    def reply(self, sender: str, text: str, *, code: str | None, again: bool = False) -> str | None:
        """A text comes from a phone; `again`: the provider brings the last one once more, and it changes nothing."""
        self._texts += not again
        provider_id = f"SM-in-{self._texts}"
        heard = again and provider_id in self.last.replies

        async def act() -> str:
            return await self.service.phone.sms(provider_id=provider_id, sender=sender, text=text)

        return self._do("replied", act, code=code, text=text, again=heard)

    def press(self, delivery_id: int, key: str) -> None:
        """Somebody presses a key on a call, having heard what it says."""

        async def act() -> None:
            await self.service.phone.call_script(delivery_id)
            if key:
                await self.service.phone.call_key(delivery_id, key)

        self._do("pressed", act)

    def receipt(self, one: Sent, status: str, *, named: bool) -> None:
        """The provider says what became of a message; `named`: with our own id, as its callbacks do."""
        kind = "call" if one.delivery.channel == "voice" else "message"

        async def act() -> None:
            await self.service.phone.receipt(
                delivery_id=one.delivery.id if named else None,
                provider_id=one.provider_id,
                status=status,
                error_code="30003" if status in {"undelivered", "failed"} else None,
                kind=kind,
            )

        self._do("told", act)

    def act(self, incident: str, verb: Verb, *, by: str, outcome: OutcomeKind | None) -> None:
        """The desk does something."""
        self._do("acted", lambda: self.service.desk.act(incident, verb, by=by, via="cli", outcome=outcome))

    # --- what happens: time -------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass while the process sleeps, as on a machine that is suspended."""
        self.now += timedelta(seconds=seconds)

    def advance(self, seconds: float, *, at_most: int = 25) -> None:
        """Let time pass, stopping wherever something is due; not for ever where much is."""
        target = self.now + timedelta(seconds=seconds)
        self.settle()
        for _ in range(at_most):
            soonest = self._run(self._next())
            if soonest is None or soonest > target:
                break
            self.now = max(self.now, soonest)
            self.settle()
        self.now = max(self.now, target)
        self.settle()

    def settle(self) -> None:
        """Do everything that is due now, and what follows from it."""
        for _ in range(_ROUNDS):
            self._interrupted = False
            # What was interrupted is tried again by whoever supervises it.
            if not (self.provider.give_up() + self.tick() + self.dispatch()) and not self._interrupted:
                self._judge("rested", died=False, troubled=False)
                return
        self.broken.append("never-silent: the service does not come to rest")

    def tick(self) -> int:
        """Let the clockwork handle what is due."""
        if not any(at <= self.now for at in self.last.due.values()):
            return 0
        return self._do("ticked", self.service.clockwork.tick) or 0

    def dispatch(self) -> int:
        """Let the dispatcher take up what is due, and write down what became of it."""

        async def act() -> int:
            started = await self.service.dispatcher._start_due()
            await self._quiet()
            return started

        if not self.service.dispatcher.under_way and not any(
            (row.next_attempt_at or row.lease_until or self.now + timedelta(1)) <= self.now
            for row in self.last.outbox.values()
        ):
            return 0
        return self._do("dispatched", act) or 0

    def answers_come(self) -> None:
        """The answers that were still to come do."""
        if self.provider.answer_all():
            self._do("answered", self._quiet)

    # --- inside -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End it."""
        logging.getLogger().removeHandler(self._grumbles)
        TRAP.clear()
        TRAP.dead = True
        self._run(self._die())
        TRAP.clear()
        self.reader.close()

    def _run(self, work: Awaitable[Any]) -> Any:
        async def whole() -> Any:
            return await work

        return self._ground.loop.run_until_complete(whole())

    def _do(self, what: str, work: Callable[[], Awaitable[Any]], **told: Any) -> Any:
        """Do one thing, see what came of it, judge it; where the process died of it, start another."""
        grumbled = len(self._grumbles.heard)
        TRAP.commits = 0
        result = None
        try:
            result = self._run(work())
        except (Crash, asyncio.CancelledError):
            assert TRAP.dead, "nothing else may end it"
        except Exception as error:  # noqa: BLE001 - what comes out of the service is judged
            if TRAP.sprung is None:
                self.broken.append(f"nothing-dropped: {what} raised {type(error).__name__}: {error}")
        trouble = TRAP.sprung
        self._interrupted |= trouble is not None
        TRAP.sprung = None
        if trouble is None and len(self._grumbles.heard) > grumbled and not TRAP.dead and not self._troubled:
            self.broken.append(f"nothing-dropped: {what}: {self._grumbles.heard[-1]}")
        for letter in told.get("letters", ()):
            letter.handed = True
            letter.perhaps_taken = not letter.acked and TRAP.commits > 0
            if letter.acked or letter.perhaps_taken:
                self._remember(letter)
        # What was begun while something was wrong may still complain in the moment after.
        self._troubled = trouble is not None
        self._judge(what, died=TRAP.dead, troubled=trouble is not None, **told)
        if TRAP.dead:
            self._again(timedelta(seconds=2), messages_first=True)
        return result

    def _remember(self, letter: Letter) -> None:
        if letter.topic.endswith("bridge/state") and b"online" in letter.payload:
            self.gateway_started = self.now
        if letter.device is None or not letter.live:
            return
        self.said |= {(letter.device, kind, value) for kind, value in letter.says.items()}
        if letter.says.get("availability") != "offline":
            self.heard[letter.device] = self.now

    def _judge(self, what: str, **told: Any) -> None:
        before, self.last = self.last, self.reader.look()
        sent, self._sent = self.provider.sent[self._sent :], len(self.provider.sent)
        requests, self._requested = self.provider.requests[self._requested :], len(self.provider.requests)
        moment = Moment(
            what=what,
            before=before,
            after=self.last,
            now=self.now,
            sent=sent,
            requests=requests,
            world=self,
            **told,
        )
        for name, judge in self._judges.items():
            self.broken += [
                f"{name}: {sentence} (after {what} at {self.now:%d %H:%M:%S})" for sentence in judge(moment)
            ]

    def _again(self, down: timedelta, *, messages_first: bool) -> None:
        """Bury the dead process, and start another."""
        self._run(self._die())
        for name, edition in self.editions.items():
            if edition == "broken":
                # It does not start with that, and says so; whoever runs it puts the file back.
                self.editions[name] = "base"
                self._write(name)
        self.now += down
        TRAP.dead = False
        while True:
            self._do_start()
            if not TRAP.dead:
                break
            self._run(self._die())
            TRAP.dead = False
        if messages_first:
            self.hand_over(at_start=True)

    def _do_start(self) -> None:
        try:
            self._run(self._start())
        except (Crash, asyncio.CancelledError):
            assert TRAP.dead
        except Exception as error:
            if TRAP.sprung is None:
                self.broken.append(f"never-silent: the service does not start: {type(error).__name__}: {error}")
                raise
            TRAP.dead = True
        TRAP.sprung = None
        self._judge("started", died=TRAP.dead, troubled=False)

    async def _start(self) -> None:
        """As shouwang.app does."""
        self.database = await Database.open(f"sqlite:///{self._path}")
        self.configuration = Configuration(self._folder, time_zone="Asia/Shanghai", language="zh")
        self.service = Service(self.database, self.configuration.rulebook(), now=lambda: self.now)
        self._numbers += 1
        self.service.core.chance = random.Random(self._numbers)
        self.service.send_by(self.provider.channels(self.service.deliveries.taken))  # type: ignore[arg-type]  # fakes
        self.service.dispatcher._running = True
        self.subscriber = Subscriber(_NoSource(), self.service.intake.take_in)  # type: ignore[arg-type]  # not run here
        await self.configuration.apply(self.service)
        await self._audit()

    async def _audit(self) -> int:
        repaired = await auditor.audit(self.service.core)
        # What could not be repaired is, half a minute later.
        self.clock_moved = self.clock_moved and TRAP.sprung is not None
        return repaired

    async def _die(self) -> None:
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.provider.hanging.clear()
        if getattr(self, "database", None) is not None:
            await self.database.close()

    async def _quiet(self) -> None:
        """Wait until everything that is under way is written down, or hangs."""
        dispatcher: Dispatcher = self.service.dispatcher
        while dispatcher.under_way > len(self.provider.hanging):
            if TRAP.dead:
                raise Crash("while others were at work")
            await asyncio.sleep(0)

    async def _next(self) -> datetime | None:
        times = [*self.last.due.values(), self.provider.next_at()]
        times += [row.next_attempt_at or row.lease_until for row in self.last.outbox.values()]
        return min((at for at in times if at is not None), default=None)

    def _acknowledged(self, batch: Sequence[Letter]) -> None:
        for letter in batch:
            letter.acked = True
            self.line.remove(letter)
            self.untraced.append(letter)

    def _look(self, delivery: Delivery) -> tuple[str | None, tuple[int, ...]]:
        waiting = self.reader.life_waiting(delivery.channel, self.now) if delivery.priority > 0 else ()
        return self.reader.incident_state(delivery.incident_id), tuple(waiting)

    def _write(self, name: str) -> None:
        write, _ = EDITIONS[name]
        (self._folder / f"{name}.yaml").write_text(write(self.editions[name]))


class _NoSource:
    """The subscriber is handed batches by hand."""

    connected = True
    last_message_at = None
