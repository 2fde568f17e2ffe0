"""Faults of the database, of the way to it, and of the disk it is on."""

import asyncio
import contextlib
import os
import resource
import sqlite3
import stat
from dataclasses import dataclass

from tests.faults.faults.base import NOTHING
from tests.faults.load import Load
from tests.faults.proxy import Connection, Direction, Verdict
from tests.faults.world import World
from tests.real.waiting import PATIENCE_S, until

_RECOVERS_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresRestarted:
    """PostgreSQL loses its power, and comes back with what it had written to disk."""

    down_s: float = 3.0
    aftermath_s: float = _RECOVERS_S
    needs = NOTHING
    name = "PostgreSQL killed and restarted"

    async def strike(self, world: World, load: Load) -> None:
        assert world.postgres is not None
        alarm = asyncio.create_task(load.raise_one())
        await world.postgres.crash()
        await load.raise_one()
        await asyncio.sleep(self.down_s)
        await world.postgres.start()
        await alarm
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitCut:
    """The connection to PostgreSQL is reset at COMMIT: before it arrives, or before its answer does."""

    #: Whether the COMMIT itself arrives.
    arrives: bool
    times: int = 4
    aftermath_s: float = _RECOVERS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"connection dropped {'after' if self.arrives else 'before'} COMMIT, {self.times} times"

    async def strike(self, world: World, load: Load) -> None:
        proxy = world.database
        assert proxy is not None
        armed = 0
        chance = world.chance

        def tap(_connection: Connection, direction: Direction, data: bytes) -> Verdict:
            nonlocal armed
            if armed and direction == "up" and b"COMMIT" in data:
                armed -= 1
                return "cut after the answer" if self.arrives else "cut"
            return "pass"

        proxy.taps.append(tap)
        try:
            for _ in range(self.times):
                await world.ready()
                before = proxy.cuts
                alarm = asyncio.create_task(load.raise_one())
                await asyncio.sleep(chance.uniform(0.0, 0.02))
                armed = 1
                async with asyncio.timeout(PATIENCE_S):
                    while proxy.cuts == before:  # noqa: ASYNC110 - it happens on the wire
                        await asyncio.sleep(0.01)
                await alarm
        finally:
            proxy.taps.remove(tap)
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSilent:
    """Nothing gets through to PostgreSQL, and nobody says so."""

    seconds: float = 8.0
    aftermath_s: float = _RECOVERS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"connection to PostgreSQL half open for {self.seconds:g} s"

    async def strike(self, world: World, load: Load) -> None:
        proxy = world.database
        assert proxy is not None
        proxy.flowing.clear()
        try:
            await load.raise_one()
            await asyncio.sleep(self.seconds)
        finally:
            proxy.flowing.set()
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteLocked:
    """Another process holds the write lock of the file, for longer than SQLite waits for it."""

    seconds: float = 8.0
    aftermath_s: float = _RECOVERS_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"SQLite locked by another process for {self.seconds:g} s"

    async def strike(self, world: World, load: Load) -> None:
        # Another connection is to SQLite what another process is: locks belong to open files.
        with contextlib.closing(sqlite3.connect(world.sqlite_file, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            await load.raise_one()
            await asyncio.sleep(self.seconds)
            connection.execute("ROLLBACK")
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFull:
    """No room on the small disk of the database; then there is room again."""

    seconds: float = 6.0
    aftermath_s: float = _RECOVERS_S
    needs = frozenset({"tmpfs"})
    name = "disk full"

    async def strike(self, world: World, load: Load) -> None:
        filler = world.sqlite_file.with_name("filler")
        try:
            # Closing it may find the disk full as well.
            with contextlib.suppress(OSError), filler.open("wb") as file:
                while True:
                    file.write(b"\0" * 65_536)
                    file.flush()
            await load.raise_one()
            await load.raise_one()
            await asyncio.sleep(self.seconds)
        finally:
            filler.unlink(missing_ok=True)
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesMayNotGrow:
    """Every file of the process may only be so long from now on, as with a quota; then it may again."""

    seconds: float = 6.0
    aftermath_s: float = _RECOVERS_S
    needs = NOTHING
    name = "files may not grow (RLIMIT_FSIZE)"

    async def strike(self, world: World, load: Load) -> None:
        # The log is a file too, and what cannot be logged must not matter either.
        pid = world.shouwang.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        try:
            await load.raise_one()
            await load.raise_one()
            await asyncio.sleep(self.seconds)
        finally:
            if world.shouwang.running and world.shouwang.pid == pid:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        await world.ready()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritable:
    """The database file may not be written: the service must say so in a sentence and not start. Then it may again."""

    aftermath_s: float = _RECOVERS_S
    #: Root may write everything, so where the harness is root the disk itself is made read-only.
    needs = frozenset({"tmpfs"}) if os.geteuid() == 0 else NOTHING
    name = "database not writable at the start"

    async def strike(self, world: World, load: Load) -> None:
        shouwang = world.shouwang
        async with world.stopped():
            await self._allow(world, may=False)
            try:
                shouwang.spawn()
                await load.raise_one()
                await until("it has refused to start", lambda: not shouwang.running)
            finally:
                await self._allow(world, may=True)
            said = shouwang.said()
            if shouwang.returncode == 0 or "Traceback" in said or not said.strip():
                complaint = f"it did not refuse an unwritable database cleanly: {shouwang.returncode} {said[-300:]}"
                world.ledger.complaints.append(complaint)
            world.dying = True

    @staticmethod
    async def _allow(world: World, *, may: bool) -> None:
        if os.geteuid() == 0:
            mode = "rw" if may else "ro"
            assert await world.run("mount", "-o", f"remount,{mode}", str(world.sqlite_file.parent)) == 0
        else:
            world.sqlite_file.chmod(stat.S_IRUSR | (stat.S_IWUSR if may else 0))
