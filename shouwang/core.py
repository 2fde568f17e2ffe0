"""What every part of the service shares: the database, the rules in force, the clock, the figures."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from notify.channel import SendResult
from rules.decisions import Delivery
from rules.engine import Engine
from rules.rulebook import Absent, GatewayOffline, Offline, Rule, Rulebook, Untested, Unwatched
from shouwang.failover import Failover
from store.database import Database
from web.metrics import Metrics


class Rules:
    """The rulebook in force, compiled; replaced as a whole on reload."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.engine = Engine(rulebook)
        self._by_id = {rule.id: rule for rule in rulebook.rules}
        #: Whether evaluating a message may have to know which homes are away; most rulebooks ask only when time is up.
        self.messages_need_away = any(
            rule.unless and not isinstance(rule.when, Absent | Offline | GatewayOffline | Unwatched | Untested)
            for rule in rulebook.rules
        )

    def rule(self, rule_id: str) -> Rule | None:
        """Give the rule of that id, or None where the rules have changed since."""
        return self._by_id.get(rule_id)


#: A batch of so many messages means that more are waiting.
_CROWD = 450
_CROWD_LASTS_S = 0.1
_LOOK_EVERY_S = 0.05
_PATIENCE_S = 3.0


@dataclass(slots=True, kw_only=True)
class Core:
    """Made once, in app.py, and handed to each part."""

    database: Database
    rules: Rules
    #: The aware UTC time; a function, so that tests and the demo can bring their own.
    now: Callable[[], datetime]
    metrics: Metrics
    #: To be called after the commit, never before, of whatever may have put something into the outbox.
    wake_dispatcher: Callable[[], None] = lambda: None
    #: Which provider sends, for the channels that are set up.
    failover: Failover = field(default_factory=lambda: Failover({}))
    #: Called with what became of each try to send, once that is written down.
    on_tries: list[Callable[[Delivery, SendResult], None]] = field(default_factory=list)
    #: Held while messages, or what is due, are decided on: each must see what the other made of a home. SQLite has one
    #: writer anyway.
    deciding: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Chooses reply codes; seeded in tests.
    chance: random.Random = field(default_factory=random.SystemRandom)
    #: When there was a crowd of messages last, by the monotonic clock.
    _crowd_at: float = float("-inf")

    def note_crowd(self, messages: int) -> None:
        """Note how many messages came at once."""
        if messages >= _CROWD:
            self._crowd_at = time.monotonic()

    async def calm(self) -> None:
        """Wait, for some seconds at the most, while messages come thick: an alarm may be among them (life-first)."""
        for _ in range(int(_PATIENCE_S / _LOOK_EVERY_S)):
            if time.monotonic() - self._crowd_at > _CROWD_LASTS_S:
                return
            await asyncio.sleep(_LOOK_EVERY_S)
