"""Retention: what is kept no longer than the settings say."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from shouwang import probing
from shouwang.core import Core
from shouwang.hearing import KEEP
from store import commissioning, hearing, probes, quarantine, replies, security, states, strangers, troubles
from store.database import Transaction

_log = logging.getLogger(__name__)

_Prune = Callable[[Transaction, datetime], Awaitable[int]]


async def tidy(core: Core, *, retention: timedelta) -> None:
    """Delete changes of state, quarantined messages and replies older than `retention`; incidents and journals stay."""
    before = core.now() - retention
    changes = await _in_portions(core, states.prune_changes, before)
    aside = await _in_portions(core, quarantine.prune, before)
    said = await _in_portions(core, replies.prune, before)
    await _in_portions(core, hearing.prune, core.now() - KEEP)
    await _in_portions(core, troubles.prune, before)
    await _in_portions(core, security.prune, before)
    await _in_portions(core, strangers.prune, before)
    await _in_portions(core, commissioning.prune, core.now())
    await _in_portions(core, probes.prune, core.now() - probing.KEEP)
    if changes or aside or said:
        _log.info(
            "deleted %d changes of state, %d quarantined messages and %d replies from before %s",
            changes,
            aside,
            said,
            before,
        )


async def _in_portions(core: Core, prune: _Prune, before: datetime) -> int:
    """Delete a portion a transaction, so that no message waits behind a month of rows."""
    total = 0
    while True:
        async with core.database.write() as tx:
            gone = await prune(tx, before)
        total += gone
        if not gone:
            return total
