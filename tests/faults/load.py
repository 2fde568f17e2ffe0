"""What goes on while things fail: sensors that speak, sensors that alarm, and people who answer (people.py)."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.ledger import Alarm, now
from tests.faults.people import Manners, People
from tests.faults.world import World
from tests.real.community import TARGETS, told_of, workers_by_number, write_community

_USUAL = Manners()

#: Homes that never alarm.
CALM = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much goes on."""

    alarms: int = 30
    #: Alarms a second, on average, while faults last; what is left of them comes at once when the last one is over.
    alarms_per_s: float = 1.0
    ordinary_per_s: float = 40.0
    manners: Manners = _USUAL


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
        self._people = People(world, amount.manners)
        self._tasks: list[asyncio.Task[None]] = []

    def write_files(self) -> None:
        """Write the three files of the installation."""
        homes = range(1, self._amount.alarms + CALM + 1)
        ledger = self._world.ledger
        ledger.people = {home: told_of(home) for home in homes}
        ledger.workers = workers_by_number()
        policy = [{"after": f"{one.after_s:g}s", "to": TARGETS[one.to], "by": list(one.by)} for one in ledger.steps]
        write_community(
            self._world.folder,
            {home: _devices(home) for home in homes},
            policy,
            repeat={"every": f"{ledger.repeat_s:.0f}s"},
            arrive_within="12h",
            calls=any("voice" in one.by for one in ledger.steps),
        )

    @property
    def introduced(self) -> int:
        """How many facts `introduce` says: of each home's gas and of its smoke."""
        return 2 * (self._amount.alarms + CALM)

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
        self._people.begin()
        self._tasks = [asyncio.create_task(one()) for one in (self._ordinary, self._alarming)]

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
        await self._people.hush()

    async def end(self) -> None:
        """Stop; nobody answers any more."""
        self._over.set()
        for task in (*self._tasks, *self._alarms):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._alarms, return_exceptions=True)
        await self._people.end()

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


def _devices(home: int) -> list[dict[str, str]]:
    return [
        {"id": f"h{home}-gas", "kind": "gas", "source": "zigbee"},
        {"id": f"h{home}-smoke", "kind": "smoke", "source": "own", "name": f"h{home}/smoke"},
        {"id": f"h{home}-sos", "kind": "sos", "source": "own", "name": f"h{home}/sos"},
        {"id": f"h{home}-door", "kind": "contact", "source": "zigbee"},
    ]
