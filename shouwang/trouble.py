"""The watch over the service itself: looks every few seconds, and tells the operators what is news.

It lives in memory, and leans on nothing that may break: not on the database, not on the outbox, not on the broker. What
it knows is also written down, as soon as that is possible, so that a restart tells nothing a second time.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from rules import trouble
from rules.trouble import Key, NewsEvent, Trouble, TroubleKind
from shouwang.core import Core
from shouwang.operators import Bulletin, Operators
from shouwang.patient import Patient
from shouwang.symptoms import Senses
from store import troubles
from store.errors import DatabaseError

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0

#: The watch itself stands still where it has not looked for so long.
_BLIND_AFTER_S = 60.0

#: Seconds in which what is known must have been read, or written down.
_WRITE_WITHIN_S = 10.0

#: How often news that could not be told is looked at again.
_TELL_EVERY_S = 1.0


class Watch:
    """Knows what is wrong with the service, and sees to it that those who run it know."""

    def __init__(
        self, core: Core, senses: Senses, operators: Operators, *, language: Callable[[], str] | None = None
    ) -> None:
        """Make it; `language` says in which language the operators are told."""
        self._core = core
        self._senses = senses
        self._operators = operators
        self._language = language or (lambda: core.rules.rulebook.language)
        self.known: dict[Key, Trouble] = {}
        self._written: dict[Key, Trouble] = {}
        self._looked_at: float | None = None
        self._writing = Patient(self._save, _WRITE_WITHIN_S)

    async def run(self) -> None:
        """Watch for ever."""
        await self.remember()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._looking())
            tasks.create_task(self._telling())

    async def remember(self) -> None:
        """Take up what was known before the last end, as far as the database gives it."""
        now = self._senses.steady_now()
        try:
            async with asyncio.timeout(_WRITE_WITHIN_S), self._core.database.read() as tx:
                rows = await troubles.listing(tx, ended_since=now - trouble.MEMORY)
        except (DatabaseError, TimeoutError) as error:
            _log.warning("what was wrong before the start is not known: %s", error)
            return
        # Nothing was seen later than now: the clock may have been set back.
        self.known = {one.key: replace(one, seen_at=min(one.seen_at, now)) for one in rows} | self.known
        self._written = dict(self.known)

    async def look(self) -> None:
        """Look once."""
        symptoms = await self._senses.look()
        before, now = self.known, self._senses.steady_now()
        self.known = trouble.weigh(symptoms, before, now)
        for key in before.keys() | self.known.keys():
            self._say(before.get(key), self.known.get(key))
        standing = [one.kind for one in self.known.values() if one.stands]
        self._core.metrics.set_troubles({str(kind): standing.count(kind) for kind in TroubleKind})
        self._looked_at = asyncio.get_running_loop().time()
        await self._write_down()

    async def tell(self) -> None:
        """Tell what is news, all of it in one message."""
        if not self._operators.any:
            return
        now = self._senses.steady_now()
        news = trouble.news(self.known.values(), now)
        if not news:
            return
        text = trouble.message(news, self._language(), now)
        taken = await self._operators.tell(Bulletin(text, news))
        self._core.metrics.trouble_told.labels("told" if taken else "failed").inc()
        if not taken:
            _log.error("nobody could be told of Shouwang's own trouble: %s", " / ".join(text.splitlines()[1:]))
        for event, told in news:
            # It may have changed while it was told.
            current = self.known.get(told.key, told)
            self.known[told.key] = trouble.after_telling(current, event, taken=taken, now=now)

    def not_in_order(self) -> list[str]:
        """Give the reasons, in a word each, to withhold the heartbeat; nothing: all is well."""
        if self._looked_at is None or asyncio.get_running_loop().time() - self._looked_at > _BLIND_AFTER_S:
            return ["watch"]
        return [str(one.kind) for one in trouble.heart_stoppers(self.known.values())]

    # ------------------------------------------------------------------------------------------------------------------

    async def _looking(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _telling(self) -> None:
        # Beside the looking, which must not wait for a provider that hangs.
        while True:
            await self.tell()
            await asyncio.sleep(_TELL_EVERY_S)

    def _say(self, before: Trouble | None, after: Trouble | None) -> None:
        stood, stands = before is not None and before.stands, after is not None and after.stands
        if after is None or stood == stands:
            return
        _log.log(
            logging.ERROR if stands else logging.WARNING,
            "own trouble %s: %s",
            "begins" if stands else "is over",
            trouble.describe(after, "en"),
        )

    async def _write_down(self) -> None:
        if not self._changed():
            return
        if any(one.ended_at is None and one.kind is TroubleKind.DATABASE for one in self.known.values()):
            return
        try:
            await self._writing.ask()
        except DatabaseError as error:
            _log.warning("what is wrong is not written down: %s", error)

    async def _save(self) -> None:
        changed = self._changed()
        async with self._core.database.write() as tx:
            await troubles.save(tx, changed)
        self._written |= {one.key: one for one in changed}

    def _changed(self) -> list[Trouble]:
        # What has not lasted long enough to count leaves no trace.
        counting = {key: one for key, one in self.known.items() if one.stands or one.ended_at is not None}
        return [one for key, one in counting.items() if _essence(one) != _essence(self._written.get(key))]


def _essence(one: Trouble | None) -> tuple[object, ...] | None:
    """What of a trouble is worth a write: not when it was seen last, nor the figure in its detail."""
    return None if one is None else (one.began_at, one.stands, one.ended_at, one.told, one.told_at)


def summary(rows: Iterable[Trouble], language: str, now: datetime) -> list[dict[str, object]]:
    """Give troubles as JSON-ready values, for the command line."""
    return [
        {
            "kind": str(one.kind),
            "subject": one.subject,
            "stands": one.stands,
            "what": trouble.describe(one, language),
            "began_at": one.began_at.isoformat(),
            "ended_at": one.ended_at.isoformat() if one.ended_at else None,
            "lasted_s": round(((one.ended_at or now) - one.began_at).total_seconds()),
            "spells": one.spells,
            "told_at": one.told_at.isoformat() if one.told_at else None,
        }
        for one in rows
    ]


__all__ = ["LOOK_EVERY_S", "NewsEvent", "Watch", "summary"]
