"""The whole service over a real database and a provider over real HTTP, with the clock moved by hand.

Nothing sleeps: `advance` goes from one due time to the next, in the database as at the provider, so that every message
has the moment at which it left. What people heard is read at the provider's end of the wire, so "nothing else is sent"
is an equation over all of it.
"""

import contextlib
import random
import shutil
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from aiohttp import web

import store.hearing
from ingest.message import Message
from rules.decisions import Delivery, JournalEntry
from rules.incident import Incident
from rules.readings import Reading
from shouwang import auditor, channels, hearing, verdicts
from shouwang.configuration import Configuration
from shouwang.health import Health
from shouwang.service import Service
from shouwang.settings import Settings
from simulators.phones import Phone
from simulators.twilio import Answer, FakeTwilio
from store import due, findings, incidents, outbox, registry, states
from store.database import Database, Transaction
from store.errors import DatabaseUnavailableError
from web.app import create_app
from web.options import WebOptions

COMMUNITY = Path(__file__).parent / "community"
SHANGHAI = ZoneInfo("Asia/Shanghai")
NUMBER = "+15005550006"
SECOND_NUMBER = "+15005550016"
PUBLIC = "https://alarm.example.org"
PHONES = {
    "li": "+8613800000001",
    "zhang": "+8613800000002",
    "chen": "+8613800000003",
    "desk": "+8613800000009",
    "son": "+8613900000002",
}

#: How a text that answers a reply differs from one that was sent.
_WORDS = {"outbound-api": "sms", "outbound-reply": "answer"}


class Hook:
    """A system of the community's own that takes webhooks; `status` is what it answers."""

    def __init__(self) -> None:
        self.posts: list[tuple[datetime, dict[str, object]]] = []
        self.status = 200
        self.now = lambda: datetime.now(UTC)

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append((self.now(), await request.json()))
        return web.Response(status=self.status)


class Site:
    """A community under test."""

    def __init__(self, database: Database, twilio: FakeTwilio, hook: Hook, settings: Settings, began: datetime) -> None:
        self.database = database
        self.twilio = twilio
        #: A second provider of texts and calls, in the stories that have one.
        self.second: FakeTwilio | None = None
        self.hook = hook
        self.settings = settings
        self.moment = began
        self.began = began
        self.running = False
        #: Whether the broker can be reached; while it is, that is noted as by the running service.
        self.connected = True
        self._noted: datetime | None = None
        self.service: Service
        self.configuration: Configuration

    def now(self) -> datetime:
        return self.moment

    async def start(self) -> None:
        """Make the service anew, as a start of the process does."""
        self.configuration = Configuration(self.settings.config.dir, time_zone="Asia/Shanghai", language="zh")
        self._channels = contextlib.AsyncExitStack()
        self.service = Service(self.database, self.configuration.rulebook(), now=self.now)
        sending = await self._channels.enter_async_context(
            channels.from_settings(
                self.settings,
                now=self.now,
                taken=self.service.deliveries.taken,
                requested=self.service.deliveries.requested,
            )
        )
        self.service.send_by(sending)
        self.service.core.chance = random.Random(7)
        await self.configuration.apply(self.service)
        await auditor.audit(self.service.core)
        self.running = True
        self._noted = None

    async def stop(self) -> None:
        """Stop it: nothing is handled, and nobody can reach it, until `start`."""
        self.running = False
        await self._channels.aclose()

    async def reload(self) -> bool:
        """Do what the running service does when a file was saved."""
        return await self.configuration.reload(self.service)

    def file(self, name: str) -> Path:
        """One of the three files, to be edited."""
        return self.settings.config.dir / name

    # --- what happens -------------------------------------------------------------------------------------------------

    async def says(self, device: str, **fields: object) -> None:
        """A Zigbee sensor says something now."""
        await self.publishes(f"zigbee2mqtt/{device}", fields)

    async def publishes(self, topic: str, payload: object, *, retain: bool = False) -> None:
        """A message arrives now."""
        message = Message(topic=topic, payload=orjson.dumps(payload), retain=retain, received_at=self.moment)
        await self.service.intake.take_in([message])
        await self.settle()

    async def reads(self, *readings: Reading) -> None:
        """These facts are known now, as a dialect may give them."""
        heard = {one.device_id for one in readings}
        core = self.service.core

        async def unit(tx: Transaction) -> None:
            evaluation = core.rules.engine.evaluate(
                readings,
                devices=await registry.devices(tx, heard),
                states=await states.load(tx, heard),
                standing=await findings.standing(tx, heard),
                away=(),
            )
            await states.save(tx, evaluation.states)
            await verdicts.write_due(tx, evaluation.due)

        await core.database.transact(unit)
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
            done = sum([await one.advance() for one in self.providers])
            if self.running:
                await self._note()
                done += await self.service.clockwork.tick()
                done += await self.service.dispatcher.run_once()
            if not done:
                return
        raise AssertionError("the service does not come to rest")

    async def _note(self) -> None:
        """Note that the broker is heard, at each moment at which anything happens instead of every few seconds."""
        if not self.connected:
            self._noted = None
        elif self._noted is None:
            await hearing.note(self.service.core)
            self._noted = self.moment
        elif self._noted != self.moment:
            async with self.database.write() as tx:
                await store.hearing.listens(tx, self.moment, at_least=timedelta.max)
            self._noted = self.moment

    async def _next(self) -> datetime | None:
        times = [one.next_at() for one in self.providers]
        if self.running:
            times += [await self.service.clockwork.next_at(), await self.service.deliveries.next_at()]
        return min((one for one in times if one is not None), default=None)

    @contextlib.contextmanager
    def database_away(self) -> AsyncIterator[None]:
        """For as long as this lasts, no transaction can be begun."""

        @contextlib.asynccontextmanager
        async def away() -> AsyncIterator[None]:
            raise DatabaseUnavailableError("The database did not answer.")
            yield

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.database, "write", away)
            patch.setattr(self.database, "read", away)
            yield

    @property
    def providers(self) -> list[FakeTwilio]:
        """Who carries texts and calls, the preferred one first."""
        return [self.twilio] if self.second is None else [self.twilio, self.second]

    # --- what people see ----------------------------------------------------------------------------------------------

    def phone(self, who: str) -> Phone:
        return self.twilio.phone(PHONES[who])

    def at(self, moment: datetime) -> float:
        """Seconds since the story began."""
        return (moment - self.began).total_seconds()

    def told(self) -> list[tuple[float, str, str]]:
        """Everything that left: (seconds since the beginning, `sms li`, text), in order.

        `answer li` is the text that answers a reply; texts and calls count from when the provider stored them.
        """
        names = {number: who for who, number in PHONES.items()}
        rows = [
            (self.at(one.created_at), f"{_WORDS[one.direction]} {names.get(one.to, one.to)}", one.body)
            for provider in self.providers
            for one in provider.messages
            if one.direction != "inbound"
        ]
        rows += [
            (self.at(one.created_at), f"voice {names.get(one.to, one.to)}", "")
            for provider in self.providers
            for one in provider.calls
        ]
        rows += [(self.at(at), "webhook desk", str(post["text"])) for at, post in self.hook.posts]
        return sorted(rows)

    def who_heard(self, *, since: float = 0) -> list[tuple[int, str]]:
        """As `told`, in whole seconds and without the texts; only from `since` (seconds) on."""
        return [(round(at), who) for at, who, _ in self.told() if at >= since]

    def text(self, who: str, at: int) -> str:
        """The one text that somebody heard at a second, e.g. `site.text("sms li", 30)`."""
        found = [text for moment, name, text in self.told() if name == who and round(moment) == at]
        assert len(found) == 1, found
        return found[0]

    # --- what the desk sees -------------------------------------------------------------------------------------------

    async def incident(self) -> Incident:
        """The newest incident."""
        async with self.database.read() as tx:
            rows = await incidents.listing(tx, open_only=False, limit=10)
        assert rows, "there is no incident"
        return rows[0]

    async def incidents(self) -> list[Incident]:
        """All of them, the newest first."""
        async with self.database.read() as tx:
            return await incidents.listing(tx, open_only=False, limit=100)

    async def open_incidents(self) -> list[Incident]:
        async with self.database.read() as tx:
            return await incidents.listing(tx, open_only=True, limit=100)

    async def code(self) -> str:
        """The reply code of the newest incident."""
        return (await self.incident()).code

    async def journal(self) -> list[JournalEntry]:
        """The history of the newest incident."""
        async with self.database.read() as tx:
            return await incidents.journal(tx, (await self.incident()).id)

    async def events(self) -> list[str]:
        """What happened to the newest incident, a word each."""
        return [entry.event for entry in await self.journal()]

    async def deliveries(self) -> list[Delivery]:
        """What the newest incident has in the outbox."""
        async with self.database.read() as tx:
            return await outbox.of_incident(tx, (await self.incident()).id)

    async def next_due(self) -> datetime | None:
        async with self.database.read() as tx:
            return await due.next_at(tx)


@pytest.fixture
def began() -> datetime:
    """A Monday at ten in the morning; files whose stories begin at another time have their own."""
    return local(2026, 3, 2, 10, 0)


def local(*when: int) -> datetime:
    """A time in the community's own zone."""
    return datetime(*when, tzinfo=SHANGHAI).astimezone(UTC)  # type: ignore[arg-type, misc]  # as datetime takes them


@pytest.fixture
async def hook(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hook]:
    """The desk's webhook, named by an environment variable as an address with a token in it should be."""
    hook = Hook()
    app = web.Application()
    app.router.add_post("/", hook.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("DESK_HOOK", f"http://127.0.0.1:{runner.addresses[0][1]}/")
    yield hook
    await runner.cleanup()


@pytest.fixture
async def site(sqlite_database: Database, tmp_path: Path, hook: Hook, began: datetime) -> AsyncIterator[Site]:
    """A community over SQLite."""
    async with _site(sqlite_database, tmp_path, hook, began) as site:
        yield site


@pytest.fixture
async def any_site(database: Database, tmp_path: Path, hook: Hook, began: datetime) -> AsyncIterator[Site]:
    """A community over each database in turn."""
    async with _site(database, tmp_path, hook, began) as site:
        yield site


@pytest.fixture
async def two_providers(sqlite_database: Database, tmp_path: Path, hook: Hook, began: datetime) -> AsyncIterator[Site]:
    """A community over SQLite with two providers of texts and calls."""
    async with _site(sqlite_database, tmp_path, hook, began, two_providers=True) as site:
        yield site


@contextlib.asynccontextmanager
async def _site(
    database: Database, tmp_path: Path, hook: Hook, began: datetime, *, two_providers: bool = False
) -> AsyncIterator[Site]:
    folder = tmp_path / "community"
    shutil.copytree(COMMUNITY, folder)
    holder: dict[str, Site] = {}
    # Its word to us goes straight into our web application; that of a real server to a real port is told in process/.
    to_us = _Direct()
    twilio = FakeTwilio(numbers=[NUMBER], now=lambda: holder["site"].moment, post=to_us)
    second = FakeTwilio(
        "AC" + "f" * 32,
        "another-made-up-token",
        numbers=[SECOND_NUMBER],
        now=lambda: holder["site"].moment,
        post=to_us,
    )
    async with twilio, second, to_us:
        settings = Settings(
            _env_file=None,
            config={"dir": folder},
            http={"public_url": PUBLIC},
            twilio=_account(twilio),
            twilio_2=_account(second) if two_providers else {},
            webhook={"secret": "made-up"},
        )
        site = holder["site"] = Site(database, twilio, hook, settings, began)
        site.second = second if two_providers else None
        hook.now = site.now
        await site.start()
        to_us.app = create_app(
            _Late(site, "desk"),
            _Late(site, "phone"),
            Health(site.service.core, broker_up=lambda: True),
            WebOptions(public_url=PUBLIC, twilio_auth_token=twilio.auth_token, twilio_2_auth_token=second.auth_token),
            metrics=site.service.core.metrics,
        )
        twilio.sms_url = second.sms_url = f"{PUBLIC}/webhooks/twilio/sms"
        yield site
        await site.stop()


def _account(twilio: FakeTwilio) -> dict[str, str]:
    return {
        "account_sid": twilio.account_sid,
        "auth_token": twilio.auth_token,
        "from_number": min(twilio.numbers),
        "api_base_url": twilio.base_url,
    }


class _Direct:
    """Carries the provider's requests to our web application, as from behind a proxy."""

    app: Any = None

    async def __aenter__(self) -> Self:
        async def current(scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(current))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def __call__(self, method: str, url: str, *, params: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        data = dict(params) if method == "POST" else None
        answer = await self._client.request(method, url, data=data, headers=dict(headers))
        return Answer(answer.status_code, answer.text, answer.headers.get("content-type", "").partition(";")[0])


class _Late:
    """Hands on to the service of this moment: a story may start another."""

    def __init__(self, site: Site, part: str) -> None:
        self._site = site
        self._part = part

    def __getattr__(self, name: str) -> object:
        if not self._site.running:
            raise RuntimeError("the service is not running")
        return getattr(getattr(self._site.service, self._part), name)
