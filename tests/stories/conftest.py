"""The whole service over a real database and a provider over real HTTP, with the clock moved by hand.

Nothing sleeps: `advance` goes from one due time to the next, in the database as at the provider, so that every message
has the moment at which it left.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest

from ingest.message import Message
from rules.incident import Incident
from shouwang import channels
from shouwang.configuration import Configuration
from shouwang.health import Health
from shouwang.service import Service
from shouwang.settings import Settings
from simulators.phones import Phone
from simulators.twilio import FakeTwilio
from store import incidents
from store.database import Database
from web.app import create_app
from web.options import WebOptions
from web.server import serve

COMMUNITY = Path(__file__).parent / "community"
SHANGHAI = ZoneInfo("Asia/Shanghai")
NUMBER = "+15005550006"
PHONES = {
    "li": "+8613800000001",
    "zhang": "+8613800000002",
    "chen": "+8613800000003",
    "desk": "+8613800000009",
    "son": "+8613900000002",
}


class Site:
    """A community under test."""

    def __init__(self, database: Database, twilio: FakeTwilio, settings: Settings, began: datetime) -> None:
        self.database = database
        self.twilio = twilio
        self.settings = settings
        self.moment = began
        self.began = began
        self.service: Service
        self._told: dict[str, int] = {}

    def now(self) -> datetime:
        return self.moment

    async def start(self) -> None:
        """Make the service anew, as a start of the process does."""
        configuration = Configuration(self.settings.config.dir, time_zone="Asia/Shanghai", language="zh")
        self._channels = contextlib.AsyncExitStack()
        self.service = Service(self.database, configuration.rulebook(), now=self.now)
        sending = await self._channels.enter_async_context(
            channels.from_settings(self.settings, now=self.now, taken=self.service.deliveries.taken)
        )
        self.service.send_by(sending)
        self.service.core.chance = random.Random(7)
        await configuration.apply(self.service)

    async def stop(self) -> None:
        """Stop it: nothing is handled until `start`."""
        await self._channels.aclose()

    # --- what happens -------------------------------------------------------------------------------------------------

    async def says(self, device: str, **fields: object) -> None:
        """A Zigbee sensor says something now."""
        await self.publishes(f"zigbee2mqtt/{device}", fields)

    async def publishes(self, topic: str, payload: object, *, retain: bool = False) -> None:
        """A message arrives now."""
        await self.service.intake.take_in(
            [Message(topic=topic, payload=orjson.dumps(payload), retain=retain, received_at=self.moment)]
        )
        await self.settle()

    async def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Let time pass, stopping wherever something is due."""
        target = self.moment + timedelta(seconds=seconds, minutes=minutes, hours=hours)
        await self.settle()
        while (soonest := await self._next()) is not None and soonest <= target:
            self.moment = max(self.moment, soonest)
            await self.settle()
        self.moment = target
        await self.settle()

    async def settle(self) -> None:
        """Do everything that is due at this moment, and what follows from it."""
        for _ in range(200):
            done = await self.service.clockwork.tick()
            done += await self.service.dispatcher.run_once()
            done += await self.twilio.advance()
            if not done:
                return
        raise AssertionError("the service does not come to rest")

    async def _next(self) -> datetime | None:
        times = [
            await self.service.clockwork.next_at(),
            await self.service.deliveries.next_at(),
            self.twilio.next_at(),
        ]
        return min((one for one in times if one is not None), default=None)

    # --- what people see ----------------------------------------------------------------------------------------------

    def phone(self, who: str) -> Phone:
        return self.twilio.phone(PHONES[who])

    def at(self, moment: datetime) -> float:
        """Seconds since the story began."""
        return (moment - self.began).total_seconds()

    def told(self) -> list[tuple[float, str, str]]:
        """Everything the provider accepted: (seconds since the beginning, `sms li`, text), in order."""
        names = {number: who for who, number in PHONES.items()}
        texts = [
            (self.at(one.created_at), f"sms {names.get(one.to, one.to)}", one.body)
            for one in self.twilio.messages
            if one.direction != "inbound"
        ]
        calls = [(self.at(one.created_at), f"voice {names.get(one.to, one.to)}", "") for one in self.twilio.calls]
        return sorted(texts + calls, key=lambda row: row[0])

    def who_heard(self) -> list[tuple[int, str]]:
        """As `told`, in whole seconds and without the texts."""
        return [(round(at), who) for at, who, _ in self.told()]

    async def incident(self) -> Incident:
        """The only open incident, or the newest one."""
        async with self.database.read() as tx:
            rows = await incidents.listing(tx, open_only=False, limit=10)
        assert rows, "there is no incident"
        return rows[0]

    async def open_incidents(self) -> list[Incident]:
        async with self.database.read() as tx:
            return await incidents.listing(tx, open_only=True, limit=10)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A community on a Monday at ten in the morning."""
    began = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI).astimezone(UTC)
    database = await Database.open(f"sqlite:///{tmp_path}/shouwang.db")
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await database.migrate()
        yield await stack.enter_async_context(_site(database, began))


@contextlib.asynccontextmanager
async def _site(database: Database, began: datetime) -> AsyncIterator[Site]:
    holder: dict[str, Site] = {}
    async with FakeTwilio(numbers=[NUMBER], now=lambda: holder["site"].moment) as twilio:
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        public = "https://alarm.example.org"
        settings = Settings(
            _env_file=None,
            config={"dir": COMMUNITY},
            http={"public_url": public},
            twilio={
                "account_sid": twilio.account_sid,
                "auth_token": twilio.auth_token,
                "from_number": NUMBER,
                "api_base_url": twilio.base_url,
            },
        )
        site = holder["site"] = Site(database, twilio, settings, began)
        await site.start()
        # The provider reaches us through a proxy under another name, as it does in life.
        app = create_app(
            _Late(site, "desk"),
            _Late(site, "phone"),
            Health(site.service.core, broker_up=lambda: True),
            WebOptions(public_url=public, twilio_auth_token=twilio.auth_token),
            metrics=site.service.core.metrics,
        )
        web = asyncio.create_task(
            serve(app, "127.0.0.1:0", started=lambda host, port: listening.set_result(f"http://{host}:{port}"))
        )
        twilio.routes[public] = await listening
        twilio.sms_url = f"{public}/webhooks/twilio/sms"
        try:
            yield site
        finally:
            web.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await web
            await site.stop()


class _Late:
    """Hands on to the service of this moment: a story may start another."""

    def __init__(self, site: Site, part: str) -> None:
        self._site = site
        self._part = part

    def __getattr__(self, name: str) -> object:
        return getattr(getattr(self._site.service, self._part), name)
