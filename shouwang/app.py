"""The process behind `shouwang run`: settings in, everything wired and kept running until it is told to stop."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from watchfiles import awatch

from ingest.embedded import EmbeddedBroker
from ingest.options import MqttOptions
from ingest.paho_source import PahoSource
from ingest.subscriber import Subscriber
from notify.channel import Channel
from notify.channels.probe import ProbeChannel
from notify.masking import mask_text
from rules.trouble import TroubleKind
from shouwang import auditor, channels, hearing, housekeeping, memory
from shouwang.clock import SystemClock, elapsed
from shouwang.configuration import Configuration
from shouwang.health import Health
from shouwang.probe import SUBSCRIPTION
from shouwang.probing import Probing, ways_of
from shouwang.service import Service
from shouwang.settings import Settings
from shouwang.symptoms import Senses
from shouwang.watching import watching
from store.database import Database
from store.errors import DatabaseError
from web.app import create_app
from web.options import WebOptions
from web.server import serve

_log = logging.getLogger(__name__)

#: How often due times are looked at; a step is never later than this because of the clockwork.
TICK_S = 0.25
AUDIT_EVERY_S = 30
TIDY_EVERY_H = 6


async def run(settings: Settings, *, sending: Mapping[str, Channel] | None = None) -> None:
    """Run the service until SIGTERM or SIGINT.

    `sending` replaces the channels made from the settings (`--stub-channels`). Raises ConfigError, SettingsError,
    DatabaseError or OSError with a sentence where it cannot start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # From the beginning: whoever asks for a reload does not know that the service is only just starting.
    hung_up = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hung_up.set)
    clock = SystemClock()
    configuration = Configuration(settings.config.dir, time_zone=settings.time_zone, language=settings.language)
    # Wrong rules are said before anything is opened or bound.
    rulebook = configuration.rulebook()

    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database.url)
        stack.push_async_callback(database.close)
        await database.migrate()
        service = Service(database, rulebook, now=clock.now)
        stubbed = sending is not None
        if sending is None:
            sending = await stack.enter_async_context(
                channels.from_settings(
                    settings, now=clock.now, taken=service.deliveries.taken, requested=service.deliveries.requested
                )
            )
        probed = settings.probe.secret is not None
        service.send_by({**sending, ProbeChannel.name: ProbeChannel()} if probed else sending)
        service.intake.sieve.limits = settings.mqtt.limits()
        service.intake.history.retention = timedelta(days=settings.database.retention_days)
        service.deliveries.bundling = settings.messages.bundling()
        service.deliveries.pacing = settings.messages.pacing()
        await configuration.apply(service)

        options = await stack.enter_async_context(_broker(settings))
        probing = _probing(settings, service, options)
        service.intake.probing = probing
        optional = () if probing is None else (SUBSCRIPTION,)
        source = PahoSource(options, service.decoder.subscriptions, optional=optional, now=clock.now)
        subscriber = Subscriber(source, service.intake.take_in)
        health = Health(service.core, broker_up=lambda: subscriber.connected)
        service.core.metrics.on_scrape = health.refresh_gauges
        own = await stack.enter_async_context(
            watching(
                settings,
                service,
                broker_up=lambda: subscriber.connected,
                refused=lambda: configuration.refused,
                sends=not stubbed,
            )
        )
        senses = own.senses
        service.intake.security.tell = lambda kind, source, detail: senses.note(
            TroubleKind.SECURITY, kind if not source else f"{kind} {source}", detail
        )
        await _audit(service, senses)
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "subscriber": subscriber.run,
            "dispatcher": service.dispatcher.run,
            "clockwork": lambda: _ticking(service),
            "auditor": lambda: _auditing(service, senses),
            "ear": lambda: _noting(service, subscriber, senses, configuration),
            "file watch": lambda: _watch(settings.config.dir, reload),
            "reload": lambda: _whenever(hung_up, reload),
            **own.parts,
        }
        if probing is not None:
            parts["probes"] = probing.run

        async def reload() -> None:
            try:
                if await configuration.reload(service):
                    await source.subscribe(service.decoder.subscriptions)
            except Exception:  # noqa: BLE001 - an edited file, whatever is the matter with it, stops nothing
                _log.exception("the configuration was not read again; what was in force stays in force")

        app = create_app(service.desk, service.phone, health, _web_options(settings), metrics=service.core.metrics)
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(_for_ever(name, part, senses)) for name, part in parts.items()]
            jobs.append(tasks.create_task(serve(app, settings.http.listen)))
            scheduler = _scheduler(service, settings)
            scheduler.start()
            memory.settle()
            _log.info("shouwang is up: http://%s, %d sources", settings.http.listen, len(service.decoder.subscriptions))
            await stop.wait()
            _log.info("stopping")
            scheduler.shutdown(wait=False)
            for job in jobs:
                job.cancel()


def _probing(settings: Settings, service: Service, options: MqttOptions) -> Probing | None:
    if (secret := settings.probe.secret) is None:
        return None
    return Probing(service.core, secret=secret.get_secret_value(), ways=ways_of(settings), options=options)


def _scheduler(service: Service, settings: Settings) -> AsyncIOScheduler:
    """Wake what runs on a period. It holds no state of an incident, so that nothing is lost with it (time is data)."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    common = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
    retention = timedelta(days=settings.database.retention_days)
    scheduler.add_job(_tidy, "interval", hours=TIDY_EVERY_H, args=[service, retention], **common)
    return scheduler


async def _audit(service: Service, senses: Senses) -> None:
    try:
        if repaired := await auditor.audit(service.core):
            senses.note(TroubleKind.AUDITOR, detail=str(repaired))
    except DatabaseError as error:
        _log.warning("could not look for incidents that stand still: %s", error)
    except Exception:  # noqa: BLE001 - one incident that cannot be read must not keep the others from being told
        _log.exception("could not look for incidents that stand still")


async def _tidy(service: Service, retention: timedelta) -> None:
    try:
        await housekeeping.tidy(service.core, retention=retention)
    except DatabaseError as error:
        _log.warning("could not delete what is older than %s: %s", retention, error)


async def _auditing(service: Service, senses: Senses) -> None:
    # Not by the scheduler: it goes by the time of day, and would sleep for an hour where that is set back by one.
    while True:
        await asyncio.sleep(AUDIT_EVERY_S)
        await _audit(service, senses)


async def _noting(service: Service, subscriber: Subscriber, senses: Senses, configuration: Configuration) -> None:
    # See _auditing. What is not noted counts as not heard, so that nothing is lost with a note.
    while True:
        await asyncio.sleep(hearing.NOTE_EVERY_S)
        if subscriber.connected:
            began = elapsed()
            await hearing.note(service.core)
            senses.note_pace(elapsed() - began)
        await configuration.look_at_imports(service)


async def _ticking(service: Service) -> None:
    while True:
        await service.clockwork.tick()
        await asyncio.sleep(TICK_S)


async def _for_ever(name: str, work: Callable[[], Awaitable[None]], senses: Senses | None = None) -> None:
    """Supervise: whatever stops is begun again, with a pause that grows to half a minute.

    What only waits for the database goes on within two seconds of its being back. Whatever else it is, `senses` hear.
    """
    pause = 0.5
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        longest = 30.0
        try:
            await work()
            _log.error("the %s ended by itself and is started again", name)
        except DatabaseError as error:
            _log.error("the %s waits for the database: %s", name, error)
            longest = 2.0
        except Exception as error:  # noqa: BLE001 - a part that fails for whatever reason must come back
            _log.exception("the %s failed and is started again in %.1f s", name, pause)
            if senses is not None:
                senses.note(TroubleKind.PART, name, mask_text(f"{type(error).__name__}: {error}"))
        pause = 0.5 if loop.time() - began > 60 else min(pause * 2, longest)
        await asyncio.sleep(pause)


async def _whenever(asked: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asked.wait()
        asked.clear()
        await work()


async def _watch(directory: Path, reload: Callable[[], Awaitable[None]]) -> None:
    """Reload when a file that may be configuration is saved; the database in the same folder is none."""
    folders = [directory, *(path for name in ("devices", "grids", "rules") if (path := directory / name).is_dir())]
    # What was saved before the watch began, or while it was begun again; nothing where nothing was.
    await reload()
    async for _ in awatch(*folders, watch_filter=_is_yaml, recursive=False, step=200):
        await reload()


def _is_yaml(_change: object, path: str) -> bool:
    return path.endswith((".yaml", ".yml"))


@contextlib.asynccontextmanager
async def _broker(settings: Settings) -> AsyncIterator[MqttOptions]:
    if not settings.mqtt.is_embedded:
        yield settings.mqtt.options()
        return
    async with EmbeddedBroker(settings.mqtt.embedded_dir, port=settings.mqtt.embedded_port) as broker:
        _log.info("embedded broker on %s", broker.url)
        yield settings.mqtt.options(url=broker.url)


def _web_options(settings: Settings) -> WebOptions:
    def secret(value: object) -> str | None:
        return value.get_secret_value() if hasattr(value, "get_secret_value") else None

    return WebOptions(
        listen=settings.http.listen,
        public_url=settings.http.public_url,
        api_token=secret(settings.http.api_token),
        twilio_auth_token=secret(settings.twilio.auth_token),
        twilio_2_auth_token=secret(settings.twilio_2.auth_token),
    )
