"""Building the demo's world as app.py builds the service: everything real but sensors, phones and the provider.

One process holds all of it. Broker (a child process), database, MQTT, HTTP in both directions, subscriber, dispatcher
and clockwork are those of `shouwang run`; only time is our own.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from ingest.embedded import EmbeddedBroker
from ingest.options import MqttOptions
from ingest.paho_source import PahoSource
from ingest.subscriber import Subscriber
from notify.channel import Channel
from shouwang import channels, config
from shouwang.configuration import Configuration
from shouwang.demo import sample
from shouwang.demo.clock import StoryClock
from shouwang.demo.ledger import Ledger, LedgerSource, committing, errors_logged
from shouwang.demo.people import Directory
from shouwang.demo.stage import NUMBER, WAIT_AT_MOST_S, ZONE, PushOnScreen, Stage, StuckError
from shouwang.health import Health
from shouwang.service import Service
from shouwang.settings import HttpSettings, Settings, TwilioSettings
from simulators import community, world
from simulators.twilio import FakeTwilio
from store.database import Database
from web.app import create_app
from web.options import WebOptions
from web.server import serve

#: Where the provider believes us to be; a route leads it to the loopback, as a proxy does.
_PUBLIC: Final = "https://shouwang.example.org"
#: With this the first incident gets the code that README and help speak of: K7.
_CHANCE: Final = 454

#: Starts a task of the world.
_Start = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


@asynccontextmanager
async def set_up(start: datetime) -> AsyncIterator[Stage]:
    """Build the world at a moment of the story; when this is left, nothing of it is left running or lying about."""
    clock = StoryClock(start)
    files = sample.folder()
    configuration = Configuration(files, time_zone=ZONE, language="zh")
    async with AsyncExitStack() as stack:
        errors = stack.enter_context(errors_logged())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="shouwang-demo-", ignore_cleanup_errors=True)))
        broker = await stack.enter_async_context(EmbeddedBroker(folder / "broker"))
        database = await Database.open(f"sqlite:///{folder / 'shouwang.db'}")
        stack.push_async_callback(database.close)
        await database.migrate()
        service = Service(database, configuration.rulebook(), now=clock.now)
        twilio = await stack.enter_async_context(FakeTwilio(numbers=[NUMBER], now=clock.now))
        push = PushOnScreen()
        sending = await stack.enter_async_context(
            channels.from_settings(
                _settings(twilio),
                now=clock.now,
                taken=service.deliveries.taken,
                requested=service.deliveries.requested,
            )
        )
        used: Mapping[str, Channel] = {**sending, "apprise": push}
        service.send_by(used)
        service.core.chance = random.Random(_CHANCE)  # noqa: S311 - the same story every time
        await configuration.apply(service)

        ledger = Ledger()
        source = PahoSource(MqttOptions.from_url(broker.url), service.decoder.subscriptions, now=clock.now)
        subscriber = Subscriber(LedgerSource(source, ledger), committing(ledger, service.intake.take_in))
        begin = await stack.enter_async_context(_tasks())
        begin(subscriber.run())
        begin(service.dispatcher.run())
        await _serve(service, twilio, begin, broker_up=lambda: subscriber.connected)
        await _wait_for(lambda: subscriber.connected, "the subscriber does not connect to the broker")
        homes = await stack.enter_async_context(
            world.on_broker(community.read(files), broker.url, now=clock.now, published=ledger.on_published)
        )
        stage = Stage(
            service=service,
            database=database,
            broker=broker,
            twilio=twilio,
            homes=homes,
            directory=Directory(config.load(files).registry),
            clock=clock,
            ledger=ledger,
            push=push,
            errors=errors,
        )
        playing = begin(stage.play())
        stack.callback(playing.cancel)
        yield stage


@asynccontextmanager
async def _tasks() -> AsyncIterator[_Start]:
    """Give what starts tasks that end with the block; where one fails, the block is cancelled and the error raised."""
    started: list[asyncio.Task[None]] = []
    async with asyncio.TaskGroup() as group:

        def start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            started.append(group.create_task(work))
            return started[-1]

        try:
            yield start
        finally:
            for task in started:
                task.cancel()


def _settings(twilio: FakeTwilio) -> Settings:
    # Not from the environment: the demo is the same wherever it is told, and sends nothing anywhere.
    return Settings.model_construct(
        http=HttpSettings(public_url=_PUBLIC),
        twilio=TwilioSettings.model_validate(
            {
                "account_sid": twilio.account_sid,
                "auth_token": twilio.auth_token,
                "from_number": NUMBER,
                "api_base_url": twilio.base_url,
            }
        ),
    )


async def _serve(service: Service, twilio: FakeTwilio, begin: _Start, *, broker_up: Callable[[], bool]) -> None:
    """Answer HTTP on a free port of the loopback, and let the provider find it."""
    app = create_app(
        service.desk,
        service.phone,
        Health(service.core, broker_up=broker_up),
        WebOptions(public_url=_PUBLIC, twilio_auth_token=twilio.auth_token),
        metrics=service.core.metrics,
    )
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    begin(serve(app, "127.0.0.1:0", started=lambda host, port: listening.set_result(f"http://{host}:{port}")))
    twilio.routes[_PUBLIC] = await listening
    twilio.sms_url = f"{_PUBLIC}/webhooks/twilio/sms"


async def _wait_for(condition: Callable[[], bool], problem: str) -> None:
    try:
        async with asyncio.timeout(WAIT_AT_MOST_S):
            while not condition():  # noqa: ASYNC110 - it has no event, and this is at the start
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise StuckError(problem) from None
