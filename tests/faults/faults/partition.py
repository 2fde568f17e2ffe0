"""Two processes on one database, of which one is cut off from it with a result in its hand."""

import asyncio
from dataclasses import dataclass

from tests.faults.faults.base import NOTHING
from tests.faults.load import Load
from tests.faults.proxy import Connection, Direction, Verdict
from tests.faults.world import World
from tests.real.process import Shouwang
from tests.real.waiting import LOOPBACK, free_port, until


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitioned:
    """The first process hands a text to the provider and is refused; it cannot write that down for a while.

    Its lease runs out; the second process asks the provider, which has no such text, and sends it. Then the first one
    is heard again, and says that the text should be tried again: only the fence knows better.
    """

    #: Longer than a lease.
    seconds: float = 40.0
    aftermath_s: float = 20.0
    needs = NOTHING
    name = "two processes, one cut off from the database"

    async def strike(self, world: World, load: Load) -> None:
        first, database = world.shouwang, world.database
        assert database is not None
        assert world.postgres is not None
        await world.ready()
        second = _second(world)
        fault = world.twilio.faults.add("rate_limited", times=1)
        # A receipt names the delivery, and would settle what this is about.
        receipts = world.twilio.faults.add("callbacks_lost")

        def tap(_connection: Connection, direction: Direction, data: bytes) -> Verdict:
            # The request is on its way; what becomes of it cannot be written down.
            if direction == "up" and data.startswith(b"POST"):
                database.flowing.clear()
                world.provider.taps.remove(tap)
            return "pass"

        world.provider.taps.append(tap)
        try:
            if world.command is None:
                second.spawn()
            else:
                second.spawn(*world.arguments, command=world.command)
            await until("the second process is up", lambda: second.has_said("shouwang is up"))
            await load.raise_one()
            await until("the provider has refused", lambda: fault.met)
            await asyncio.sleep(self.seconds)
        finally:
            world.twilio.faults.remove(fault)
            database.flowing.set()
        try:
            # Whoever is believed now sends it again within a few seconds.
            await asyncio.sleep(8.0)
            assert first.running
        finally:
            world.twilio.faults.remove(receipts)
            await second.close()
        await world.ready()


def _second(world: World) -> Shouwang:
    """Give another process of the same installation: beside its database, and with no broker to hear."""
    folder = world.folder / "second"
    folder.mkdir(exist_ok=True)
    for name in ("devices.yaml", "grids.yaml", "rules.yaml"):
        (folder / name).write_bytes((world.folder / name).read_bytes())
    assert world.postgres is not None
    environment = {
        **world.shouwang.environment,
        "SHOUWANG_MQTT__URL": f"mqtt://{LOOPBACK}:{free_port()}",
        "SHOUWANG_MQTT__CLIENT_ID": "shouwang-ingest-1",
        "SHOUWANG_DATABASE__URL": f"postgresql://postgres@/harness?host={world.postgres.socket.parent}",
    }
    del environment["SHOUWANG_HTTP__LISTEN"]
    made = Shouwang(folder, environment)
    made.environment["SHOUWANG_HTTP__LISTEN"] = f"{LOOPBACK}:{made.port}"
    return made
