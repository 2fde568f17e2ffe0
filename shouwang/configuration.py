"""Bringing the three files into force, at start and whenever they change: whole, or not at all."""

import asyncio
import dataclasses
import logging
from pathlib import Path

from ingest.decode import Decoder
from rules.community import Registry, Source
from rules.engine import Engine
from rules.rulebook import Rulebook
from shouwang import config, liveness
from shouwang.config import ConfigError
from shouwang.core import Rules
from shouwang.service import Service
from store import due, imports, registry
from store.errors import DatabaseError

_log = logging.getLogger(__name__)

#: How often files that were edited while the database is away are tried.
_AGAIN_S = 2.0


class Configuration:
    """The files of one folder, and the service they are in force for."""

    def __init__(self, directory: Path, *, time_zone: str, language: str) -> None:
        self._directory = directory
        self._time_zone = time_zone
        self._language = language
        #: Digests of the files that this process goes by. The database knows which were brought in, by whomever.
        self._in_force: dict[str, str] | None = None
        self._one_at_a_time = asyncio.Lock()
        #: What was brought in from tables when it was last looked at.
        self._imports: frozenset[tuple[str, str]] = frozenset()
        #: Why the files as they are now are refused; empty where they are not.
        self.refused = ""

    def rulebook(self) -> Rulebook:
        """Read the rules alone. Raises ConfigError with every problem."""
        return self._localised(config.load_rulebook(self._directory))

    async def apply(self, service: Service) -> bool:
        """Read the files and bring what changed into force; return whether anything had changed.

        Raises ConfigError with every problem, and then nothing has changed. Files that are as they were when they were
        last applied are not read again: parsing a hundred thousand homes takes longer than a start may.
        Incidents under way are not touched (invariant snapshot).
        """
        core = service.core
        # Reading takes seconds where there are many homes; messages are handled meanwhile.
        digests = await asyncio.to_thread(config.digests, self._directory)
        if digests == self._in_force:
            return False
        async with core.database.read() as tx:
            brought_in = await registry.digests(tx) == digests
            sources = await registry.sources(tx)
            self._imports = await imports.version(tx)

        if brought_in:
            rules = Rules(await asyncio.to_thread(self.rulebook))
        else:
            loaded = await asyncio.to_thread(config.load, self._directory)
            digests = loaded.digests
            for warning in loaded.warnings:
                _log.warning("%s", warning)
            rules = Rules(self._localised(loaded.rulebook))
            sources = await self._bring_in(service, loaded.registry, rules.engine, digests)
        # All of it at once, and only when it is written: nobody sees one half of the files.
        core.rules = rules
        service.decoder = Decoder(sources)
        service.intake.use(service.decoder)
        self._in_force = digests
        return True

    async def reload(self, service: Service) -> bool:
        """Apply the files as they are now; where they are wrong, say so and leave everything as it was.

        Waits for a database that is away.
        """
        metrics = service.core.metrics
        try:
            async with self._one_at_a_time:
                changed = await self._apply_when_possible(service)
        except ConfigError as error:
            metrics.config_reload.labels("refused").inc()
            more = len(error.problems) - 1
            self.refused = f"{error.problems[0]}" + (f" (and {more} more)" if more else "")
            _log.error("the edited configuration is refused; what was in force stays in force:")
            for problem in error.problems:
                _log.error("%s", problem)
            return False
        self.refused = ""
        metrics.config_reload.labels("applied" if changed else "unchanged").inc()
        if changed:
            _log.info("the edited configuration is in force")
        return changed

    async def look_at_imports(self, service: Service) -> bool:
        """See whether tables were brought in (`shouwang import`) since the last look; return whether they were."""
        async with service.core.database.read() as tx:
            version = await imports.version(tx)
        if version == self._imports:
            return False
        self._imports = version
        service.intake.forget()
        _log.info("homes that were imported are watched from now on")
        return True

    async def _apply_when_possible(self, service: Service) -> bool:
        while True:
            try:
                return await self.apply(service)
            except DatabaseError as error:
                _log.warning("the edited configuration waits for the database: %s", error)
            await asyncio.sleep(_AGAIN_S)

    async def _bring_in(
        self, service: Service, community: Registry, engine: Engine, digests: dict[str, str]
    ) -> list[Source]:
        core = service.core
        async with core.database.write() as tx:
            changes = await registry.apply(tx, community, core.now())
            # Sooner, for a heartbeat may have become shorter.
            await due.put_sooner(tx, engine.watch_due(community.devices, core.now()))
            await liveness.watch_said(tx, engine, core.now())
            await liveness.look_again(tx, core.now())
            await registry.set_digests(tx, digests, core.now())
            sources = await registry.sources(tx)
        _log.info("configuration applied: %s", changes)
        return sources

    def _localised(self, rulebook: Rulebook) -> Rulebook:
        return dataclasses.replace(rulebook, time_zone=self._time_zone, language=self._language)
