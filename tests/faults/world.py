"""One installation with everything around it that can be made to fail, and the ledger of what was seen of it."""

import asyncio
import contextlib
import random
import re
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

import httpx

from simulators.mqtt import Line
from simulators.twilio import FakeTwilio
from tests.faults.ledger import Ledger, Span, now
from tests.faults.packets import Watcher
from tests.faults.postgres import Postgres
from tests.faults.proxy import Proxy
from tests.faults.tools import Tools
from tests.real.broker import Mosquitto
from tests.real.process import Shouwang
from tests.real.site import NUMBER, PUBLIC
from tests.real.waiting import LOOPBACK, PATIENCE_S, WaitedInVainError, free_port, until

_ENTRY = str(Path(__file__).parent / "entry.py")
#: As systemd does with Restart=always.
_RESTART_AFTER_S = 0.3
#: How long before the time that its layout names a service is started.
_BEFORE_S = 15.0
_SECOND_ACCOUNT, _SECOND_TOKEN, _SECOND_NUMBER = "AC" + "fedcba9876543210" * 2, "another-account", "+12025550143"
#: The shortest that may be set: who does not pick up must not take long.
_RING_S = 5
#: It says that it is not ready while a page of life-safety waits for a doubt to be settled.
_READY_WITHIN_S = 2 * PATIENCE_S
_HOME = re.compile(r"\bh(\d+)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What an installation is made of."""

    broker: Literal["mosquitto", "embedded"] = "mosquitto"
    database: Literal["sqlite", "postgresql"] = "sqlite"
    #: On a file system of this many MiB.
    disk_mib: int | None = None
    #: With a wall clock that can be moved.
    clock: bool = False
    #: With a wall clock that shows this time some seconds after the start.
    about: datetime | None = None
    time_zone: str = "Asia/Shanghai"
    #: With a second provider of texts and calls, for when the first one fails.
    two_providers: bool = False
    #: Arguments of the entry script; see entry.py.
    entry: tuple[str, ...] = ()

    @property
    def needs(self) -> frozenset[str]:
        """What must be here for it."""
        return frozenset(
            name
            for name, needed in (
                ("mosquitto", self.broker == "mosquitto"),
                ("postgresql", self.database == "postgresql"),
                ("tmpfs", self.disk_mib is not None),
                ("faketime", self.clock or self.about is not None),
            )
            if needed
        )


class World:
    """See the module; use as a context manager. The process is kept running from `up` on, as systemd would."""

    def __init__(self, folder: Path, layout: Layout, ledger: Ledger, tools: Tools, chance: random.Random) -> None:
        self.folder = folder
        self.layout = layout
        self.ledger = ledger
        self.tools = tools
        self.chance = chance
        self.twilio = FakeTwilio(numbers=[NUMBER])
        #: The one that everything goes to, and the one beside it, if there is one.
        self.providers = [self.twilio]
        if layout.two_providers:
            self.providers.append(FakeTwilio(_SECOND_ACCOUNT, _SECOND_TOKEN, numbers=[_SECOND_NUMBER]))
        self.mosquitto: Mosquitto | None = None
        self.postgres: Postgres | None = None
        self.mqtt: Proxy | None = None
        self.provider: Proxy
        self.database: Proxy | None = None
        self.shouwang: Shouwang
        self.sensors: Line
        #: How the process is started next: the command itself, or a script that patches it.
        self.command: tuple[str, ...] | None = None
        self.arguments: tuple[str, ...] = ("run",)
        #: Somebody is about to end the process.
        self.dying = False
        self._wanted = False
        self._was_ready = False
        self._stack = contextlib.AsyncExitStack()
        self.normal()

    # --- the process --------------------------------------------------------------------------------------------------

    def normal(self) -> None:
        """Start it next as everybody does."""
        self.command, self.arguments = None, ("run",)
        if self.layout.entry:
            self.by_entry()

    def by_entry(self, *arguments: str) -> None:
        """Start it next by the entry script."""
        self.command, self.arguments = (sys.executable, "-P", _ENTRY), (*self.layout.entry, *arguments)

    async def up(self) -> None:
        """Keep it running from now on, and wait until it says that it is ready."""
        self._wanted = True
        await self.ready()

    async def ready(self) -> None:
        """Wait until it is ready, however often it has to be started for that."""
        try:
            async with httpx.AsyncClient() as http, asyncio.timeout(_READY_WITHIN_S):
                while not await self._is_ready(http):  # noqa: ASYNC110 - it happens in another process
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise WaitedInVainError(f"it is not ready: {self._last_words()}") from None
        self._was_ready = True

    async def _is_ready(self, http: httpx.AsyncClient) -> bool:
        if self.dying or not self.shouwang.running:
            return False
        with contextlib.suppress(httpx.HTTPError):
            answer = await http.get(f"http://{LOOPBACK}:{self.shouwang.port}/readyz")
            # That a page has waited for long is the provider's doing, or that of whatever came before this.
            problems = answer.json()["problems"]
            return all(one.startswith("outbox:") for one in problems)
        return False

    async def kill(self, *, with_children: bool = False) -> None:
        """Kill it at once; it is started again by itself."""
        self._wanted, self.dying = False, True
        try:
            await self.shouwang.kill9(with_children=with_children)
        finally:
            self._wanted = True
        self.ledger.kills += 1

    @contextlib.asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        """End it in good order, and start it again afterwards."""
        self._wanted, self.dying = False, True
        code = await self.shouwang.stop() if self.shouwang.running else 0
        if code != 0:
            self.ledger.complaints.append(f"asked to end it ended with {code}: {self._last_words()}")
        try:
            yield
        finally:
            await self.up()

    async def has_died(self, before: int) -> None:
        """Wait until it has been killed by what was prepared for it; `before` is how many starts there were."""
        await until("it has died", lambda: self.shouwang.starts > before)
        self.ledger.kills += 1

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            if not self._wanted or self.shouwang.running:
                continue
            if self.shouwang.starts and not self.dying and self._was_ready:
                self.ledger.complaints.append(f"it ended by itself: {self._last_words()}")
            if self.shouwang.starts and not self.dying:
                await asyncio.sleep(_RESTART_AFTER_S)
            self.dying = self._was_ready = False
            if self.command is None:
                self.shouwang.spawn()
            else:
                self.shouwang.spawn(*self.arguments, command=self.command)

    def _last_words(self) -> str:
        return f"{self.shouwang.returncode} {self.shouwang.said()[-300:]}"

    # --- faults -------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def disturbed(self, what: str, aftermath_s: float) -> Iterator[None]:
        """Note that something is being done to the installation; it may take `aftermath_s` seconds to get over it."""
        began = now()
        try:
            yield
        finally:
            self.ledger.spans.append(Span(what=what, began=began, ended=now() + aftermath_s))

    # --- the surroundings ---------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._wanted = False
        await self._stack.aclose()

    async def _open(self) -> None:
        for twilio in self.providers:
            await self._stack.enter_async_context(twilio)
        self.provider = await self._proxy(int(self.twilio.base_url.rpartition(":")[2]))
        environment = {
            "SHOUWANG_HTTP__PUBLIC_URL": PUBLIC,
            "SHOUWANG_TWILIO__ACCOUNT_SID": self.twilio.account_sid,
            "SHOUWANG_TWILIO__AUTH_TOKEN": self.twilio.auth_token,
            "SHOUWANG_TWILIO__FROM_NUMBER": NUMBER,
            "SHOUWANG_TWILIO__API_BASE_URL": f"http://{LOOPBACK}:{self.provider.port}",
            "SHOUWANG_TWILIO__RING_S": str(_RING_S),
            **self._second_provider(),
            "SHOUWANG_TIME_ZONE": self.layout.time_zone,
            **await self._broker(),
            **await self._database(),
        }
        if "faketime" in self.layout.needs:
            environment |= self._clock()
        self.shouwang = Shouwang(self.folder, environment)
        self._stack.push_async_callback(self.shouwang.close)
        for twilio in self.providers:
            twilio.routes[PUBLIC] = f"http://{LOOPBACK}:{self.shouwang.port}"
            twilio.sms_url = f"{PUBLIC}/webhooks/twilio/sms"
        supervisor = asyncio.create_task(self._supervise())

        async def end() -> None:
            supervisor.cancel()
            await asyncio.gather(supervisor, return_exceptions=True)

        self._stack.push_async_callback(end)

    def _second_provider(self) -> dict[str, str]:
        return {
            f"SHOUWANG_TWILIO_2__{name}": value
            for twilio in self.providers[1:]
            for name, value in (
                ("ACCOUNT_SID", twilio.account_sid),
                ("AUTH_TOKEN", twilio.auth_token),
                ("FROM_NUMBER", min(twilio.numbers)),
                ("API_BASE_URL", twilio.base_url),
                ("RING_S", str(_RING_S)),
            )
        }

    async def _proxy(self, upstream: int | Path) -> Proxy:
        return await self._stack.enter_async_context(Proxy(upstream))

    async def _broker(self) -> dict[str, str]:
        port = free_port()
        if self.layout.broker == "embedded":
            url = f"mqtt://{LOOPBACK}:{port}"
            settings = {
                "SHOUWANG_MQTT__URL": "embedded",
                "SHOUWANG_MQTT__EMBEDDED_PORT": str(port),
                "SHOUWANG_MQTT__EMBEDDED_DIR": str(self.folder / "broker"),
            }
        else:
            assert self.tools.mosquitto is not None
            self.mosquitto = Mosquitto(self.folder / "mosquitto", self.tools.mosquitto, port, autosave=True)
            await self.mosquitto.start()
            self._stack.callback(self.mosquitto.end)
            self.mqtt = await self._proxy(port)
            self.mqtt.taps.append(Watcher(self._acknowledged))
            self.ledger.sees_acks = True
            url = self.mosquitto.url
            # A connection that is half open is noticed after one and a half of these.
            settings = {
                "SHOUWANG_MQTT__URL": f"mqtt://{LOOPBACK}:{self.mqtt.port}",
                "SHOUWANG_MQTT__KEEPALIVE_S": "5",
            }
        self.sensors = await self._stack.enter_async_context(Line(url, name="sensors"))
        return settings

    async def _database(self) -> dict[str, str]:
        if self.layout.database == "postgresql":
            self.postgres = await self._stack.enter_async_context(Postgres())
            self.database = await self._proxy(self.postgres.socket)
            return {"SHOUWANG_DATABASE__URL": f"postgresql://postgres@{LOOPBACK}:{self.database.port}/harness"}
        if self.layout.disk_mib is None:
            return {}
        disk = self.folder / "disk"
        disk.mkdir()
        await self.run("mount", "-t", "tmpfs", "-o", f"size={self.layout.disk_mib}m", "none", str(disk))

        async def unmount() -> None:
            await self.run("umount", "--lazy", str(disk))

        self._stack.push_async_callback(unmount)
        return {"SHOUWANG_DATABASE__URL": f"sqlite:///{disk}/shouwang.db"}

    def _clock(self) -> dict[str, str]:
        assert self.tools.faketime is not None
        about = self.layout.about
        self.set_clock("+0" if about is None else f"{about.timestamp() - time.time() - _BEFORE_S:+.0f}")
        return {
            "LD_PRELOAD": self.tools.faketime,
            "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock"),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set_clock(self, what: str) -> None:
        """Move the wall clock of the process: seconds from the real time, with their sign."""
        fresh = self.folder / "clock.new"
        fresh.write_text(what + "\n")
        fresh.replace(self.folder / "clock")

    @property
    def sqlite_file(self) -> Path:
        """The database, where it is a file."""
        return (self.folder if self.layout.disk_mib is None else self.folder / "disk") / "shouwang.db"

    async def run(self, *command: str) -> int:
        """Run a command of the system; give its exit status."""
        process = await asyncio.create_subprocess_exec(*command)
        return await process.wait()

    def _acknowledged(self, topic: str, payload: bytes) -> None:
        found = _HOME.search(topic)
        alarm = self.ledger.alarms.get(int(found[1])) if found else None
        if alarm is not None and (alarm.topic, alarm.payload) == (topic, payload):
            self.ledger.acknowledged.setdefault(alarm.home, now())

    @staticmethod
    def monotonic(wall_s: float) -> float:
        """Give a time of this machine's wall clock, in seconds since 1970, by the clock of the ledger."""
        return now() - (time.time() - wall_s)
