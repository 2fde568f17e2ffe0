"""Ports, and waiting for what happens in another process."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
#: Longer than anything takes on a machine that is busy with other things.
PATIENCE_S = 90.0


class WaitedInVainError(AssertionError):
    """Something did not become so."""


def free_port() -> int:
    """Give a port below those that the system hands out: it must stay free while whoever listens there is down."""
    while True:
        port = secrets.choice(range(20_000, 30_000))
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, port))
            return port


async def until(what: str, true: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
    """Wait until something is so; raise WaitedInVainError, in words, where it does not become so."""
    try:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise WaitedInVainError(f"waited {within_s:.0f} s, and still not: {what}") from None
