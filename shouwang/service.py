"""The service without its process: every part made and wired once, with the clock and the channels it is given."""

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from datetime import datetime

from ingest.decode import Decoder
from notify.channel import Asks, Channel
from notify.channels.several import providers_of
from notify.dispatcher import Dispatcher
from rules.rulebook import Rulebook
from shouwang.clockwork import Clockwork
from shouwang.core import Core, Rules
from shouwang.deliveries import Deliveries
from shouwang.departures import Departures
from shouwang.desk import Desk
from shouwang.failover import Failover
from shouwang.intake import Intake
from shouwang.phone import Phone
from store.database import Database
from web.metrics import Metrics


class Service:
    """All parts over one database. app.py gives it a broker, a scheduler and a web server; tests give it time."""

    def __init__(
        self,
        database: Database,
        rulebook: Rulebook,
        *,
        now: Callable[[], datetime],
        owner: str | None = None,
    ) -> None:
        self.core = Core(database=database, rules=Rules(rulebook), now=now, metrics=Metrics())
        self.decoder = Decoder(())
        self.intake = Intake(self.core, self.decoder)
        self.clockwork = Clockwork(self.core)
        self.deliveries = Deliveries(
            self.core,
            owner=owner or _process_name(),
        )
        self.send_by({})
        self.desk = Desk(self.core)
        self.phone = Phone(self.core, self.deliveries)

    def send_by(self, channels: Mapping[str, Channel]) -> None:
        """Send by these channels from now on; before that, and by any other, every delivery is refused."""
        self.deliveries.asking = frozenset(name for name, channel in channels.items() if isinstance(channel, Asks))
        self.core.failover = Failover({name: providers_of(channel) for name, channel in channels.items()})
        self.dispatcher = Dispatcher(self.deliveries, channels)
        self.core.wake_dispatcher = self.dispatcher.wake
        self.intake.departures = Departures(self.deliveries, self.dispatcher)


def _process_name() -> str:
    # The random part keeps a process from taking its predecessor's claims for its own.
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
