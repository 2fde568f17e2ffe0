"""Whether the service can do its work, for /readyz and the gauges of /metrics."""

from collections.abc import Callable
from datetime import timedelta

from rules.decisions import Priority
from shouwang.core import Core
from store import incidents, outbox
from store.errors import DatabaseError

#: A life-safety page that has waited this long is a reason not to be ready.
OUTBOX_LIMIT = timedelta(seconds=30)


class Health:
    """Implements web.ports.Health."""

    def __init__(self, core: Core, *, broker_up: Callable[[], bool]) -> None:
        self._core = core
        self._broker_up = broker_up

    async def problems(self) -> list[str]:
        """Give what is wrong, a sentence each; nothing means ready."""
        problems = []
        if not self._broker_up():
            problems.append("broker: not connected; messages wait there until it is back")
        try:
            async with self._core.database.read() as tx:
                oldest = await outbox.oldest_waiting(tx)
        except DatabaseError as error:
            return [*problems, f"database: {error}"]
        waiting = [at for priority, at in oldest.items() if priority == Priority.LIFE_SAFETY_PAGE]
        if waiting and (age := self._core.now() - min(waiting)) > OUTBOX_LIMIT:
            problems.append(f"outbox: a life-safety page has waited {age.total_seconds():.0f} s; look at the provider")
        return problems

    async def refresh_gauges(self) -> None:
        """Bring the gauges up to date, just before they are read."""
        metrics = self._core.metrics
        metrics.broker_up.set(self._broker_up())
        metrics.database_up.set(0)
        now = self._core.now()
        async with self._core.database.read() as tx:
            oldest = await outbox.oldest_waiting(tx)
            metrics.set_incidents(await incidents.open_counts(tx))
            waiting = await outbox.count_waiting(tx)
            providers = await self._core.failover.all_health(tx, now)
        metrics.set_outbox({priority: (now - at).total_seconds() for priority, at in oldest.items()}, waiting=waiting)
        for (channel, provider), health in providers.items():
            metrics.provider_sick.labels(channel, provider).set(health.is_sick)
        metrics.database_up.set(1)
