"""People with telephones: they read, pick up or do not, go, cannot go, arrive, and say how it ended."""

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import NamedTuple

from simulators import phones
from simulators.phones import CallManner
from simulators.twilio import FakeTwilio
from simulators.twilio.resources import Call, Message
from tests.faults.ledger import Reply, Said, Tally, Verdict, now
from tests.faults.observe import codes_of_homes, homes_of_calls
from tests.faults.words import codes_in, homes_heard, understand
from tests.faults.world import World
from tests.real.waiting import PATIENCE_S, until

#: How many calls each telephone has decided on beforehand; more are heard to the end, without a key.
_CALLS = 2000
#: What each of these is said with, to one incident and to all; what stands here is what the manual says.
_WORDS: dict[Said, tuple[str, ...]] = {
    "go": ("{code}", "接单{code}", "1 {code}"),
    "cannot go": ("去不了{code}", "no {code}", "2 {code}"),
    "arrived": ("到场{code}", "arrived {code}"),
    "outcome": ("属实{code}", "误报{code}", "无人{code}"),
}
_OF_ALL: dict[Said, tuple[str, ...]] = {"go": ("全部", "all", "1 全部"), "cannot go": ("全部去不了", "都去不了")}
_KEYS: dict[str, Said] = {"1": "go", "2": "cannot go"}
#: How these are answered where all went well.
_GOOD: dict[Said, Verdict] = {"go": "mine", "cannot go": "declined", "arrived": "there", "outcome": "closed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """The shares of those who do something; of each home's people the first, the second and the third."""

    #: Answer a text, and say that they go, or that they cannot.
    go: tuple[float, float, float] = (0.3, 0.1, 0.1)
    cannot: tuple[float, float, float] = (0.08, 0.08, 0.05)
    #: Press a key in a call.
    press_go: float = 0.06
    press_cannot: float = 0.05
    #: Are busy, or do not pick up.
    busy: float = 0.12
    away: float = 0.15
    #: Of a text that names several homes: answer it for all.
    for_all: float = 0.6
    #: Of those who go: say when they are there, and then how it ended; or that they cannot after all.
    arrive: float = 0.4
    finish: float = 0.5
    turn_back: float = 0.12


#: Some of those who are told first say that they go, each home by its code.
PLAIN = Manners(go=(0.3, 0, 0), cannot=(0, 0, 0), press_go=0, press_cannot=0, for_all=0, arrive=0, turn_back=0)
NOBODY_ANSWERS = Manners(go=(0, 0, 0), cannot=(0, 0, 0), press_go=0, press_cannot=0)


class Answer(NamedTuple):
    """What the service answered to somebody."""

    asked_at: float
    came_at: float
    text: str
    #: How often it was asked.
    tries: int = 1


class People:
    """Everybody who is told; `seed`ed by the world's chance."""

    def __init__(self, world: World, manners: Manners) -> None:
        self._world = world
        self._manners = manners
        self._chance = world.chance
        self._codes: dict[int, str] = {}
        self._homes: dict[str, int] = {}
        self._asked: set[tuple[int, str]] = set()
        self._at_it: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._heard: set[str] = set()

    def begin(self) -> None:
        """Let them have their telephones, and look at them."""
        for number in sorted(self._world.ledger.workers):
            for twilio in self._world.providers:
                chance = random.Random(self._chance.random())
                twilio.phone(number).on_call(*(self._manner(chance) for _ in range(_CALLS)), phones.NO_ANSWER)
        self._reading = asyncio.create_task(self._read())

    async def hush(self) -> None:
        """Let nobody begin to answer any more, and wait for those who are at it: what is looked at must stand still."""
        await self._until_no_key_can_come()
        if self._reading is not None:
            self._reading.cancel()
        async with asyncio.timeout(PATIENCE_S):
            while self._at_it:
                await asyncio.gather(*self._at_it)

    async def end(self) -> None:
        """Stop; nobody answers any more."""
        tasks = [*self._at_it, *([self._reading] if self._reading else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_no_key_can_come(self) -> None:
        """From now on nobody picks up; wait for the calls that go on."""
        for number in self._world.ledger.workers:
            for twilio in self._world.providers:
                twilio.phone(number).on_call(phones.NO_ANSWER)
        # Those that ring have their manner already.
        ringing = [call for twilio in self._world.providers for call in twilio.calls if not call.done]
        await until("the calls that go on are over", lambda: all(call.done or call.pressed for call in ringing))
        # Its key is noticed by whoever reads.
        await asyncio.sleep(0.3)

    def _manner(self, chance: random.Random) -> CallManner:
        manners, luck = self._manners, chance.random()
        if luck < manners.busy:
            return phones.BUSY
        if luck < manners.busy + manners.away:
            return phones.NO_ANSWER
        picks_up, presses, key = chance.uniform(0.3, 2.0), chance.uniform(0.3, 2.0), chance.random()
        if key < manners.press_go:
            return phones.answer(after_s=picks_up, press="1", press_after_s=presses)
        if key < manners.press_go + manners.press_cannot:
            return phones.answer(after_s=picks_up, press="2", press_after_s=presses)
        return phones.answer(after_s=picks_up, hangs_up_after_s=chance.uniform(2.0, 6.0))

    # --- reading ------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        looked_at: dict[int, int] = {}
        while True:
            for which, twilio in enumerate(self._world.providers):
                messages = twilio.messages
                for message in messages[looked_at.get(which, 0) :]:
                    if message.direction == "outbound-api":
                        self._read_text(twilio, message)
                looked_at[which] = len(messages)
                for call in twilio.calls:
                    if call.pressed and call.sid not in self._heard:
                        self._heard.add(call.sid)
                        self._do(self._pressed(twilio, call))
            await asyncio.sleep(0.1)

    def _read_text(self, twilio: FakeTwilio, message: Message) -> None:
        named = codes_in(message.body)
        for home, code in named:
            self._codes[home], self._homes[code] = code, home
        fresh = [(home, code) for home, code in named if (home, message.to) not in self._asked]
        self._asked |= {(home, message.to) for home, _ in fresh}
        if not fresh:
            return
        if len(named) > 1 and self._chance.random() < self._manners.for_all:
            if (said := self._says(fresh[0][0], message.to)) is not None:
                self._do(self._answer_all(twilio, message.to, said))
            return
        for home, code in fresh:
            if (said := self._says(home, message.to)) is not None:
                self._do(self._answer(twilio, message.to, home, code, said))

    def _says(self, home: int, number: str) -> Said | None:
        people = self._world.ledger.people.get(home, ())
        if number not in people:
            return None
        which, luck = people.index(number), self._chance.random()
        if luck < self._manners.go[which]:
            return "go"
        return "cannot go" if luck < self._manners.go[which] + self._manners.cannot[which] else None

    def _do(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(what)
        self._at_it.add(task)
        task.add_done_callback(self._at_it.discard)

    # --- by text ------------------------------------------------------------------------------------------------------

    async def _answer(self, twilio: FakeTwilio, number: str, home: int, code: str, said: Said) -> None:
        await asyncio.sleep(self._chance.uniform(0.3, 6.0))
        verdict = await self._say(twilio, number, home, code, said)
        if said == "go" and verdict == "mine":
            await self._go_there(twilio, number, home, code)

    async def _go_there(self, twilio: FakeTwilio, number: str, home: int, code: str) -> None:
        luck = self._chance.random()
        if luck < self._manners.turn_back:
            await asyncio.sleep(self._chance.uniform(0.5, 4.0))
            await self._say(twilio, number, home, code, "cannot go")
        elif luck < self._manners.turn_back + self._manners.arrive:
            # A call for help has no state: the broker's second delivery of one that is closed already is a new one
            # (docs/reliability.md, "Where it ends").
            pressed = self._world.ledger.alarms[home].kind == "sos"
            finishes = self._chance.random() < self._manners.finish and not pressed
            await asyncio.sleep(self._chance.uniform(0.5, 3.0))
            if await self._say(twilio, number, home, code, "arrived") == "there" and finishes:
                await asyncio.sleep(self._chance.uniform(0.5, 3.0))
                await self._say(twilio, number, home, code, "outcome")

    async def _say(
        self, twilio: FakeTwilio, number: str, home: int, code: str, said: Said, *, first_at: float | None = None
    ) -> Verdict | None:
        """Say it, and again while nobody says that it was understood, as people do.

        `first_at` is when they said so before, by a key or for all, and heard nothing: it may have been taken then.
        """
        words = self._chance.choice(_WORDS[said]).format(code=code)
        answer = await self._send(twilio, number, words, code)
        answer = answer._replace(asked_at=first_at or answer.asked_at)
        understood = understand(answer.text)
        if understood is None or understood.verdict not in {_GOOD[said], "other", "declined before"}:
            self._wonder(number, words, answer)
            return None
        self._note(home, number, said, understood.verdict, answer)
        return understood.verdict

    async def _answer_all(self, twilio: FakeTwilio, number: str, said: Said) -> None:
        await asyncio.sleep(self._chance.uniform(0.3, 6.0))
        words = self._chance.choice(_OF_ALL[said])
        answer = await self._send(twilio, number, words, "")
        understood = understand(answer.text)
        if understood is None:
            self._wonder(number, words, answer)
            return
        named = {await self._home_of(code) for code in understood.codes}
        for home in sorted(named):
            self._note(home, number, said, understood.verdict, answer)
        if answer.tries > 1:
            # What a first try did of which no answer came, the last answer need not name.
            for home in sorted(home for home, whom in self._asked if whom == number and home not in named):
                await self._say_later(twilio, number, home, said, first_at=answer.asked_at)

    async def _send(self, twilio: FakeTwilio, number: str, words: str, code: str) -> Answer:
        began, tries = now(), 0
        while True:
            tries += 1
            came = await twilio.incoming(number, None, words)
            answer = came.replies[0].body if came.replies else ""
            if 200 <= came.status < 300 and answer and code in answer:
                break
            await asyncio.sleep(1.0)
        if self._chance.random() < 0.2:
            # The provider has not heard our answer, and asks once more.
            self._do(self._redeliver(twilio, came.message.sid))
        return Answer(began, now(), answer, tries)

    @staticmethod
    async def _redeliver(twilio: FakeTwilio, sid: str) -> None:
        await twilio.redeliver(sid)

    # --- by key -------------------------------------------------------------------------------------------------------

    async def _pressed(self, twilio: FakeTwilio, call: Call) -> None:
        """Hear what comes of a key; where nothing is said, say it again by text, as whoever wants to be sure does."""
        began, said, worker = now() - 1.0, _KEYS[call.pressed[0]], self._world.ledger.workers[call.to]
        heard = await self._hears(call)
        answer, understood = Answer(began, now(), heard), understand(heard)
        about = (await homes_of_calls(self._world)).of(call) | homes_heard("".join(call.heard))
        if understood is None:
            for home in sorted(about):
                await self._say_later(twilio, call.to, home, said, first_at=began)
        elif understood.home is not None:
            self._note(understood.home, call.to, said, understood.verdict, answer)
        elif understood.codes:
            for code in understood.codes:
                self._note(await self._home_of(code), call.to, said, understood.verdict, answer)
        elif understood.verdict == "mine":
            reply = self._reply(min(about), call.to, said, "mine", answer)
            self._world.ledger.tallies.append(Tally(worker=worker, homes=about, count=understood.count, reply=reply))

    @staticmethod
    async def _hears(call: Call) -> str:
        """Give the words that answer a key; nothing where there are none until the call is over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                over = call.done
                for one in call.heard:
                    if understand(one) is not None:
                        return one
                if over:
                    return ""
                await asyncio.sleep(0.05)

    async def _say_later(self, twilio: FakeTwilio, number: str, home: int, said: Said, *, first_at: float) -> None:
        if home not in self._codes:
            await self._learn()
        await self._say(twilio, number, home, self._codes[home], said, first_at=first_at)

    async def _learn(self) -> None:
        """Look up what no text has told."""
        for home, code in (await codes_of_homes(self._world)).items():
            self._codes[home], self._homes[code] = code, home

    async def _home_of(self, code: str) -> int:
        # "All" takes also what has not arrived: its text may have died with the process that was sending it.
        if code not in self._homes:
            await self._learn()
        return self._homes[code]

    # --- the ledger ---------------------------------------------------------------------------------------------------

    def _note(self, home: int, number: str, said: Said, verdict: Verdict, answer: Answer) -> None:
        self._world.ledger.replies.append(self._reply(home, number, said, verdict, answer))

    def _reply(self, home: int, number: str, said: Said, verdict: Verdict, answer: Answer) -> Reply:
        return Reply(
            home=home,
            number=number,
            worker=self._world.ledger.workers[number],
            said=said,
            verdict=verdict,
            said_at=answer.asked_at,
            taken_at=answer.came_at,
            answer=answer.text,
        )

    def _wonder(self, number: str, words: str, answer: Answer) -> None:
        worker = self._world.ledger.workers[number]
        self._world.ledger.complaints.append(f"{words!r} from {worker} was answered with {answer.text!r}")
