"""A whole simulated community on a broker: one connection a gateway, one for all devices that speak for themselves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import datetime

from simulators.community import Community
from simulators.gateway import Gateway, wall_clock, will_of
from simulators.homes import Homes, OwnDialect, outlet_for
from simulators.mqtt import Line, Publish

_STOP_WITHIN_S = 2.0


@contextlib.asynccontextmanager
async def on_broker(
    community: Community,
    url: str,
    *,
    now: Callable[[], datetime] = wall_clock,
    seed: int = 0,
    dialects: Collection[str] = ("shouwang", "zigbee2mqtt"),
    published: Callable[[str, bytes], None] | None = None,
) -> AsyncIterator[Homes]:
    """Homes that publish to a broker; each source has said what it says at its start when this is entered.

    Sources of other dialects are left out, and their devices say nothing. `published` is told of each message that the
    broker has taken: its topic and what it says.
    """
    async with contextlib.AsyncExitStack() as stack:
        outlets: dict[str, OwnDialect | Gateway] = {}
        started: list[asyncio.Event] = []
        for source in community.sources:
            if source.dialect not in dialects:
                continue
            will = will_of(source) if source.dialect == "zigbee2mqtt" else None
            line = Line(url, name=source.id, will=will)
            publish = line.publish if published is None else _counted(line.publish, published)
            outlet = outlet_for(source, community.devices(), publish, now=now, seed=seed)
            outlets[source.id] = outlet
            event = asyncio.Event()
            started.append(event)
            line.on_connect = _starter(outlet, event)
            await stack.enter_async_context(line)
        for event in started:
            await event.wait()
        try:
            yield Homes(community, outlets, now=now, seed=seed)
        finally:
            for outlet in outlets.values():
                if isinstance(outlet, Gateway):
                    # Where the broker is gone already, the will has said it.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_STOP_WITHIN_S):
                            await outlet.stop()


def _starter(outlet: OwnDialect | Gateway, event: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def start() -> None:
        await outlet.start()
        event.set()

    return start


def _counted(publish: Publish, published: Callable[[str, bytes], None]) -> Publish:
    async def publish_and_tell(topic: str, payload: bytes, *, retain: bool = False) -> None:
        await publish(topic, payload, retain=retain)
        published(topic, payload)

    return publish_and_tell
