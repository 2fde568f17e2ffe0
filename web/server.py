"""Serves the application from an event loop that already runs."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI

from web.gate import host_of

logger = logging.getLogger(__name__)

#: Seconds that requests under way have to end.
_GRACE_S = 5

#: How often the Date of answers is made anew.
_DATE_EVERY_S = 1.0

_REASONS = {
    errno.EADDRINUSE: "another program listens there already",
    errno.EACCES: "this user may not listen on that port",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class ListenError(Exception):
    """Shouwang cannot listen where it was told to."""


class _Server(uvicorn.Server):
    """Without signal handlers of its own, and with a word when it has started."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_started = started
        self._ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell_started()

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn looks ten times a second whether it has come, which costs more than it may."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DATE_EVERY_S):
                    await self._ended.wait()

    def end(self) -> None:
        """Take no more requests, and let those under way end."""
        self.should_exit = True
        self._ended.set()


async def serve(app: FastAPI, listen: str, *, started: Callable[[str, int], None] | None = None) -> None:
    """Serve on `host:port` until cancelled; then let the requests under way end, for some seconds at the most.

    `started` is told the address and the port, which is the one the system chose where `listen` says 0.
    Raises ListenError, a sentence for the person who set it.
    """
    bound = _bind(listen)
    host, port = bound.getsockname()[:2]

    def tell() -> None:
        logger.info("Listening on http://%s:%d.", f"[{host}]" if ":" in host else host, port)
        if started is not None:
            started(host, port)

    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # The API's rule for this machine alone stands on the real peer address, so no header may change it.
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config, tell)
    task = asyncio.create_task(server.serve(sockets=[bound]), name="http")
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        server.end()
        await task
        raise
    finally:
        bound.close()


def _bind(listen: str) -> socket.socket:
    host, (_, colon, port) = host_of(listen), listen.rpartition(":")
    if not (colon and port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise ListenError(f"SHOUWANG_HTTP__LISTEN must be host:port, such as 127.0.0.1:8080; it is {listen!r}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ListenError(f"SHOUWANG_HTTP__LISTEN names {host!r}, which is no address of this machine.") from error
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(128)
    except OSError as error:
        bound.close()
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise ListenError(
            f"Shouwang cannot listen on {listen}: {reason}. Set SHOUWANG_HTTP__LISTEN to another."
        ) from error
    bound.setblocking(False)
    return bound
