"""Puts the watch over the service together: what it looks at, whom it tells, and the sign of life while all is well."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shouwang import channels, operators
from shouwang.account import Accounts
from shouwang.heartbeat import Heartbeat
from shouwang.operators import Operators
from shouwang.service import Service
from shouwang.settings import Settings, TwilioSettings
from shouwang.symptoms import Senses
from shouwang.trouble import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """The watch over one service."""

    senses: Senses
    #: What has to be kept running, by name.
    parts: Mapping[str, Callable[[], Awaitable[None]]]


@contextlib.asynccontextmanager
async def watching(
    settings: Settings,
    service: Service,
    *,
    broker_up: Callable[[], bool],
    refused: Callable[[], str],
    sends: bool,
) -> AsyncIterator[Watching]:
    """Give the watch; connections are closed at the end.

    With `sends` false, which is a trial, nobody is told, there is no sign of life that could pass for that of the real
    service, and no provider is asked about its account.
    """
    core = service.core
    async with contextlib.AsyncExitStack() as stack:
        told = Operators(())
        if sends:
            told = await stack.enter_async_context(operators.from_settings(settings, now=core.now))
        clients = {}
        for name, account in channels.accounts(settings).items() if sends else ():
            clients[name] = operators.private_client(account, now=core.now)
            stack.push_async_callback(clients[name].aclose)
        accounts = Accounts(clients, balance_below={name: _of(settings, name).balance_below for name in clients})
        senses = Senses(
            core, broker_up=broker_up, refused=refused, account=accounts.symptoms, folders=_folders(settings, service)
        )
        core.on_tries.append(senses.note_try)
        watch = Watch(core, senses, told)
        parts: dict[str, Callable[[], Awaitable[None]]] = {"watch": watch.run}
        if clients:
            parts["accounts"] = accounts.run
        if sends and (url := settings.heartbeat.url) is not None:
            heartbeat = Heartbeat(
                url.get_secret_value(),
                method=settings.heartbeat.method,
                every_s=settings.heartbeat.every_s,
                not_in_order=watch.not_in_order,
                metrics=core.metrics,
            )
            stack.push_async_callback(heartbeat.aclose)
            parts["heartbeat"] = heartbeat.run
        yield Watching(senses=senses, parts=parts)


def _of(settings: Settings, provider: str) -> TwilioSettings:
    found: TwilioSettings = getattr(settings, provider)
    return found


def _folders(settings: Settings, service: Service) -> list[Path]:
    """Where we write."""
    found = [service.core.database.folder, settings.mqtt.embedded_dir if settings.mqtt.is_embedded else None]
    return list(dict.fromkeys(one.resolve() for one in found if one is not None))
