"""`shouwang run` that kills itself with SIGKILL at a named point: `python crash_at.py POINT`.

The process is the real one; only that one function of it is replaced by itself and a SIGKILL. A batch or a row counts
where a life may depend on it, so that the points are those of an alarm.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import sqlalchemy as sa

from ingest.paho_source import PahoSource
from ingest.urgent import is_urgent
from notify.channels.twilio_sms import TwilioSms
from rules.decisions import DeliveryState
from shouwang import cli
from shouwang.clockwork import Clockwork
from shouwang.deliveries import Deliveries
from shouwang.intake import Intake
from store import due, outbox

_Async = Callable[..., Awaitable[Any]]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def urgent(messages: Any) -> bool:
    return any(is_urgent(one.topic, one.payload) for one in messages)


def before(owner: type, name: str, *, when: Callable[..., bool]) -> None:
    """Die instead of calling a method."""
    method = getattr(owner, name)

    def replacement(self: Any, *args: Any, **kwargs: Any) -> Any:
        if when(*args):
            die()
        return method(self, *args, **kwargs)

    setattr(owner, name, replacement)


def after(owner: type, name: str, *, when: Callable[..., bool]) -> None:
    """Die as soon as an asynchronous method has done its work; `when` is asked with its result and its arguments."""
    method: _Async = getattr(owner, name)

    async def replacement(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = await method(self, *args, **kwargs)
        if when(result, *args):
            die()
        return result

    setattr(owner, name, replacement)


def at_commit_after(module: ModuleType, name: str, *, when: Callable[[Any], bool] = bool) -> None:
    """Die at the commit that follows a function of the store; `when` is asked with its result."""
    function: _Async = getattr(module, name)
    armed = False

    async def replacement(*args: Any, **kwargs: Any) -> Any:
        nonlocal armed
        result = await function(*args, **kwargs)
        armed = armed or when(result)
        return result

    @sa.event.listens_for(sa.Engine, "commit")
    def commit(connection: sa.Connection) -> None:
        if armed:
            die()

    setattr(module, name, replacement)


def sending(claimed: Any, *_: object) -> bool:
    return any(one.state is DeliveryState.SENDING for one in claimed)


def acknowledged() -> None:
    acknowledge = PahoSource.acknowledge

    def replacement(self: PahoSource, messages: Any) -> int:
        count = acknowledge(self, messages)
        if urgent(messages):
            die()
        return count

    PahoSource.acknowledge = replacement  # type: ignore[method-assign]  # that is what this file is for


POINTS: dict[str, Callable[[], None]] = {
    "received": lambda: before(Intake, "take_in", when=urgent),
    "deciding": lambda: at_commit_after(outbox, "add"),
    "committed": lambda: after(Intake, "take_in", when=lambda _, messages: urgent(messages)),
    "acknowledged": acknowledged,
    "claiming": lambda: at_commit_after(outbox, "claim", when=sending),
    "claimed": lambda: after(Deliveries, "claim", when=sending),
    "told": lambda: after(TwilioSms, "send", when=lambda *_: True),
    "recording": lambda: at_commit_after(outbox, "sent"),
    "recorded": lambda: after(Deliveries, "send_finished", when=lambda *_: True),
    "stepping": lambda: at_commit_after(due, "claim"),
    "stepped": lambda: after(Clockwork, "tick", when=lambda handled, *_: handled > 0),
}

if __name__ == "__main__":
    POINTS[sys.argv[1]]()
    sys.argv = ["shouwang", "run"]
    cli.main()
