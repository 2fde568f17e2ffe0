"""Retention: what is kept no longer than the settings say."""

import logging
from datetime import timedelta

from shouwang.core import Core
from store import quarantine, states

_log = logging.getLogger(__name__)


async def tidy(core: Core, *, retention: timedelta) -> None:
    """Delete changes of state and quarantined messages older than `retention`. Incidents and journals stay."""
    before = core.now() - retention
    async with core.database.write() as tx:
        changes = await states.prune_changes(tx, before)
    async with core.database.write() as tx:
        aside = await quarantine.prune(tx, before)
    if changes or aside:
        _log.info("deleted %d changes of state and %d quarantined messages from before %s", changes, aside, before)
