"""What the tests of notify share: a loop whose time jumps, and deliveries by the handful."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.decisions import Delivery, DeliveryState, Priority, Purpose

#: When everything in these tests happens.
NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting for a timer it moves the clock there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits for something that nobody will do")
        self.now += max(timeout, 0.0)
        return super().select(0)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


@pytest.fixture
def virtually() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine in virtual time: an hour takes no time at all. No sockets, no threads."""

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
            return runner.run(work)

    return run


@pytest.fixture
def make_delivery() -> Callable[..., Delivery]:
    """Give a function that makes deliveries with ids counting from 1; its arguments replace single fields."""
    made = 0

    def make(**fields: Any) -> Delivery:
        nonlocal made
        made += 1
        channel = fields.get("channel", "sms")
        plain: dict[str, Any] = {
            "id": made,
            "incident_id": "4b1d",
            "step_key": "r0s0",
            "recipient_id": "w07-a",
            "recipient_name": "李明",
            "channel": channel,
            "address": "+8613800000001",
            "purpose": Purpose.PAGE,
            "priority": Priority.LIFE_SAFETY_PAGE,
            "text": "【守望】玉林北街1院1栋2单元301王秀英 燃气泄漏 开窗关阀勿开灯 回1 K7接单",
            "speech": "守望报警" if channel == "voice" else "",
            "code": "K7",
            "expires_at": NOON + timedelta(minutes=30),
            "state": DeliveryState.SENDING,
            "created_at": NOON,
            "attempts": 1,
            "fence": 1,
            "owner": "here:1",
        }
        return Delivery(**(plain | fields))

    return make
