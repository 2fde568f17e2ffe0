"""What goes on while things fail: sensors that speak, sensors that alarm, and people who answer."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.ledger import Alarm, Reply, Text, now
from tests.faults.world import World
from tests.real.community import ADDRESS, micro_of, steps, told_of, write_community
from tests.real.waiting import PATIENCE_S

#: Homes that never alarm.
CALM = 10
_CODE = re.compile(r"接单回\s*(\w+)")
#: A line of a text that names several homes.
_HOME_AND_CODE = re.compile(rf"^{ADDRESS.pattern}.* (\w+)$", re.MULTILINE)
#: A home among several in one text, with its code at the end of the line.
_AMONG_SEVERAL = re.compile(r"^桂花巷(\d+)号.* ([A-Z]\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much goes on."""

    alarms: int = 30
    #: Alarms a second, on average, while faults last; what is left of them comes at once when the last one is over.
    alarms_per_s: float = 1.0
    ordinary_per_s: float = 40.0
    #: The share of alarms that somebody answers.
    answered: float = 0.3


def read_text(sid: str, to: str, body: str, at: float) -> Text:
    """Read a text message as its reader would: which homes it names, and whether it asks somebody to go."""
    homes = frozenset(int(number) for number in ADDRESS.findall(body))
    return Text(sid=sid, to=to, body=body, homes=homes, page=_CODE.search(body) is not None, at=at)


class Load:
    """Everybody in the homes and on the way to them; `seed`ed by the world's chance."""

    def __init__(self, world: World, amount: Amount) -> None:
        self._world = world
        self._amount = amount
        self._chance = world.chance
        self._waiting = list(range(1, amount.alarms + 1))
        self._chance.shuffle(self._waiting)
        self._over = asyncio.Event()
        self._alarms: list[asyncio.Task[None]] = []
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._looked_at = 0
        self._tasks: list[asyncio.Task[None]] = []

    def write_files(self) -> None:
        """Write the three files of the installation."""
        homes = range(1, self._amount.alarms + CALM + 1)
        ledger = self._world.ledger
        ledger.people = {home: told_of(home) for home in homes}
        policy = steps(*map(int, ledger.steps_s))
        write_community(
            self._world.folder,
            {home: _devices(home) for home in homes},
            policy,
            repeat={"every": f"{ledger.repeat_s:.0f}s"},
            arrive_within="12h",
        )

    async def introduce(self) -> None:
        """Every sensor says once that all is well."""
        homes = range(1, self._amount.alarms + CALM + 1)
        for home in homes:
            await asyncio.gather(
                self._zigbee(f"h{home}-gas", gas=False),
                self._own(home, "smoke", kind="smoke", state="clear"),
            )

    def begin(self) -> None:
        """Let it all go on."""
        self._tasks = [asyncio.create_task(one()) for one in (self._ordinary, self._alarming, self._reading)]

    async def raise_one(self) -> int | None:
        """Let a home alarm that has not alarmed yet, and wait until its broker knows; None where there is no more."""
        if not self._waiting:
            return None
        home = self._waiting[-1]
        task = self._raise()
        await task
        return home

    async def finish(self) -> None:
        """Let the alarms come that are left, all at once, and wait until their broker has them."""
        self._over.set()
        while self._waiting:
            self._raise()
        await asyncio.gather(*self._alarms)

    async def hush(self) -> None:
        """Let nobody begin to answer any more, and wait for those who are at it: what is looked at must stand still."""
        self._tasks.pop().cancel()
        await asyncio.wait_for(asyncio.gather(*self._answering.values()), PATIENCE_S)

    async def end(self) -> None:
        """Stop; nobody answers any more."""
        self._over.set()
        for task in (*self._tasks, *self._answering.values(), *self._alarms):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._answering.values(), *self._alarms, return_exceptions=True)

    async def say_again(self, homes: Mapping[int, Alarm]) -> None:
        """Sensors repeat the alarms that stand. A call for help is pressed once, unless it was lost."""
        for alarm in list(homes.values()):
            await self._world.sensors.publish(alarm.topic, alarm.payload)

    # --- sensors ------------------------------------------------------------------------------------------------------

    async def _alarming(self) -> None:
        while self._waiting and not self._over.is_set():
            await self._sleep(self._chance.expovariate(self._amount.alarms_per_s))
            if self._waiting and not self._over.is_set():
                self._raise()

    async def _ordinary(self) -> None:
        """Doors open and close, and everything else is well in some homes."""
        alarms = self._amount.alarms
        while not self._over.is_set():
            about = {"linkquality": self._chance.randint(1, 255), "battery": self._chance.randint(60, 100)}
            door = self._chance.randint(1, alarms + CALM)
            calm = self._chance.randint(alarms + 1, alarms + CALM)
            await self._zigbee(f"h{door}-door", contact=self._chance.random() < 0.5, **about)
            await self._zigbee(f"h{calm}-gas", gas=False, **about)
            self._world.ledger.ordinary += 2
            await self._sleep(self._chance.expovariate(self._amount.ordinary_per_s / 2))

    def _raise(self) -> asyncio.Task[None]:
        home = self._waiting.pop()
        kind = self._chance.choice(("gas", "smoke", "sos"))
        if kind == "gas":
            topic, event = f"zigbee2mqtt/h{home}-gas", {"gas": True, "linkquality": self._chance.randint(1, 255)}
        else:
            topic = f"shouwang/v1/h{home}/{kind}/event"
            event = {"kind": kind, "state": "pressed" if kind == "sos" else "alarm"}
        payload = json.dumps(event).encode()
        alarm = Alarm(home=home, kind=kind, topic=topic, payload=payload, said_at=now())
        self._world.ledger.alarms[home] = alarm

        async def say() -> None:
            await self._world.sensors.publish(topic, payload)
            alarm.had_at = now()

        task = asyncio.create_task(say())
        self._alarms.append(task)
        return task

    async def _zigbee(self, name: str, **fields: object) -> None:
        await self._world.sensors.publish(f"zigbee2mqtt/{name}", json.dumps(fields).encode())

    async def _own(self, home: int, device: str, **event: object) -> None:
        await self._world.sensors.publish(f"shouwang/v1/h{home}/{device}/event", json.dumps(event).encode())

    async def _sleep(self, seconds: float) -> None:
        """Sleep, or until it is over. No cancellation: what is being published must be finished."""
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return

    # --- people -------------------------------------------------------------------------------------------------------

    async def _reading(self) -> None:
        """People read their texts; some of those who are told first say that they go."""
        people = self._world.ledger.people
        while True:
            messages = self._world.twilio.messages
            while self._looked_at < len(messages):
                message = messages[self._looked_at]
                self._looked_at += 1
                text = read_text(message.sid, message.to, message.body, 0.0)
                if message.direction != "outbound-api" or not text.page:
                    continue
                for home, code in _codes(text):
                    first = people.get(home, ("",))[0] == message.to
                    if first and home not in self._answering and self._chance.random() < self._amount.answered:
                        self._answering[home] = asyncio.create_task(self._answer(home, message.to, code))
            await asyncio.sleep(0.1)

    async def _answer(self, home: int, number: str, code: str) -> None:
        """Answer, and again while nobody says that it was understood, as people do."""
        await asyncio.sleep(self._chance.uniform(0.3, 6.0))
        twilio, ledger = self._world.twilio, self._world.ledger
        while True:
            came = await twilio.incoming(number, None, code)
            answer = came.replies[0].body if came.replies else ""
            if 200 <= came.status < 300 and code in answer:
                break
            await asyncio.sleep(1.0)
        worker = f"w-{micro_of(home)}"
        if "已接单" in answer:
            ledger.replies[home] = Reply(home=home, number=number, worker=worker, taken_at=now(), answer=answer)
        else:
            ledger.complaints.append(f"home {home}: {code} from {worker} was answered with {answer!r}")
        if self._chance.random() < 0.2:
            await twilio.redeliver(came.message.sid)


def _codes(text: Text) -> list[tuple[int, str]]:
    """Give each home of a text with the code to answer it by: at the end of its line, or after the words that ask."""
    if "\n" in text.body:
        return [(int(home), code) for home, code in _HOME_AND_CODE.findall(text.body)]
    return [(home, code) for home in text.homes for code in _CODE.findall(text.body)]


def _devices(home: int) -> list[dict[str, str]]:
    return [
        {"id": f"h{home}-gas", "kind": "gas", "source": "zigbee"},
        {"id": f"h{home}-smoke", "kind": "smoke", "source": "own", "name": f"h{home}/smoke"},
        {"id": f"h{home}-sos", "kind": "sos", "source": "own", "name": f"h{home}/sos"},
        {"id": f"h{home}-door", "kind": "contact", "source": "zigbee"},
    ]
