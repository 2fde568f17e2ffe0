"""Asking what may hang, without hanging with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Patient(Generic[_T]):
    """Asks something that may hang: once at a time, and without waiting for it for longer than some seconds.

    It is not cancelled for being slow, because what hangs may hang on that as well; who asks next gets its answer.
    """

    def __init__(self, question: Callable[[], Awaitable[_T]], patience_s: float) -> None:
        self._question = question
        self.patience_s = patience_s
        self._asking: asyncio.Future[_T] | None = None

    async def ask(self) -> _T | None:
        """Give the answer; None where there is none in time. Raises what the question raises."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._question())
        try:
            await asyncio.wait({self._asking}, timeout=self.patience_s)
        except asyncio.CancelledError:
            # Nobody will ask again.
            self._asking.cancel()
            raise
        if not self._asking.done():
            return None
        asked, self._asking = self._asking, None
        return asked.result()
