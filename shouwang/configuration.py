"""Bringing the three files into force, at start and whenever they change: whole, or not at all."""

import dataclasses
import logging
from collections.abc import Iterable
from pathlib import Path

from ingest.decode import Decoder
from rules.community import Registry
from rules.rulebook import Rulebook
from shouwang import config
from shouwang.config import ConfigError
from shouwang.core import Rules
from shouwang.service import Service
from store import due, registry

_log = logging.getLogger(__name__)


class Configuration:
    """The files of one folder, and the service they are in force for."""

    def __init__(self, directory: Path, *, time_zone: str, language: str) -> None:
        self._directory = directory
        self._time_zone = time_zone
        self._language = language

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
        digests = config.digests(self._directory)
        async with core.database.read() as tx:
            known = await registry.digests(tx)
        if digests == known and service.decoder.subscriptions:
            return False

        if digests == known:
            rulebook, community = self.rulebook(), None
        else:
            loaded = config.load(self._directory)
            rulebook, community = self._localised(loaded.rulebook), loaded.registry
            digests = loaded.digests
            for warning in loaded.warnings:
                _log.warning("%s", warning)
        core.rules = Rules(rulebook)
        if community is not None:
            await self._bring_in(service, community, digests)
        async with core.database.read() as tx:
            service.decoder = Decoder(await registry.sources(tx))
        service.intake.use(service.decoder)
        return True

    async def reload(self, service: Service) -> bool:
        """Apply the files as they are now; where they are wrong, say so and leave everything as it was."""
        metrics = service.core.metrics
        try:
            changed = await self.apply(service)
        except ConfigError as error:
            metrics.config_reload.labels("refused").inc()
            _log.error("the edited configuration is refused; what was in force stays in force:")
            for problem in error.problems:
                _log.error("%s", problem)
            return False
        metrics.config_reload.labels("applied" if changed else "unchanged").inc()
        if changed:
            _log.info("the edited configuration is in force")
        return changed

    async def _bring_in(self, service: Service, community: Registry, digests: dict[str, str]) -> None:
        core = service.core
        async with core.database.write() as tx:
            changes = await registry.apply(tx, community, core.now())
            await due.put_absent(tx, core.rules.engine.watch_due(community.devices, core.now()))
            await registry.set_digests(tx, digests, core.now())
        _log.info("configuration applied: %s", changes)

    def _localised(self, rulebook: Rulebook) -> Rulebook:
        return dataclasses.replace(rulebook, time_zone=self._time_zone, language=self._language)


def problem_lines(problems: Iterable[config.Problem]) -> str:
    """Render problems for a terminal, one a line."""
    return "\n".join(str(problem) for problem in problems)
