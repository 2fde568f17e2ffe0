"""The socket that paho sees: bytes from and to an asyncio transport.

asyncio connects, resolves names and speaks TLS without blocking; paho speaks MQTT and finds here what it wants of a
socket. Whole packets are cut from the stream first, so that messages need not go through paho (see ingest.packets).
"""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from ingest.packets import PUBLISH, Publish, frame, publish

#: A busy socket is left alone between two reads until about so many messages have come, for being woken costs more than
#: a message does; but not longer than this, and a message after a pause is read at once. In seconds.
_AT_ONCE = 10
_SHORTEST_REST_S = 0.002
_LONGEST_REST_S = 0.01

#: Lets the system confirm what has arrived at once (Linux). Brokers that leave Nagle's algorithm on (Mosquitto does, if
#: not told otherwise) hold a message back until the one before it is confirmed, which by itself may take 40 ms.
_QUICK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Wire(asyncio.Protocol):
    """One connection's bytes.

    `on_publish` gets every message; `on_other` is called with one whole packet waiting in `recv`; `on_lost` is called
    once, with the error that ended the connection or None where the broker closed it.
    """

    def __init__(
        self,
        *,
        properties: bool,
        on_publish: Callable[[Publish], None],
        on_other: Callable[[], None],
        on_lost: Callable[[BaseException | None], None],
    ) -> None:
        self._properties = properties
        self._on_publish = on_publish
        self._on_other = on_other
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._read_at = 0.0
        self._chunks: list[bytes] = []
        self._held = 0
        self._needed = 0
        self._packet = b""
        self._out: list[bytes] = []
        self._error: BaseException | None = None
        self.paused = False

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._socket = transport.get_extra_info("socket")

    def data_received(self, data: bytes) -> None:
        """Cut packets from the stream; what is incomplete waits for the rest."""
        if self._transport is None:
            return
        if self._chunks:
            self._chunks.append(data)
            self._held += len(data)
            if self._held < self._needed:
                return
            data = b"".join(self._chunks)
        size = len(data)
        start = 0
        needed = 0
        messages = 0
        try:
            while start < size:
                found = frame(data, start)
                if found is None:
                    break
                content, end = found
                if end > size:
                    needed = end - start
                    break
                if data[start] & 0xF0 == PUBLISH:
                    messages += 1
                    self._on_publish(publish(data[start], data, content, end, properties=self._properties))
                else:
                    self._packet = data[start:end]
                    self._on_other()
                start = end
        except Exception as error:  # noqa: BLE001 - whatever a packet does to us or to paho ends this connection only
            self.abort(error)
            return
        self._chunks = [data[start:]] if start < size else []
        self._held = size - start
        self._needed = needed
        if messages:
            self._take_rest(messages)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell it once."""
        self._transport = None
        self._chunks.clear()
        if self._rest is not None:
            self._rest.cancel()
        self._on_lost(self._error or exc)

    # --- what paho calls ---

    def recv(self, buffer_size: int) -> bytes:
        """Give paho the next bytes of the one packet that waits."""
        if not self._packet:
            if self._transport is None:
                return b""
            raise BlockingIOError
        taken, self._packet = self._packet[:buffer_size], self._packet[buffer_size:]
        return taken

    def send(self, buffer: bytes | bytearray) -> int:
        """Take all of it; it leaves with `flush`."""
        if self._transport is None or self._transport.is_closing():
            raise BrokenPipeError
        self._out.append(bytes(buffer))
        return len(buffer)

    def close(self) -> None:
        """Close after what was sent has left."""
        if self._transport is not None:
            self.flush()
            self._transport.close()

    def fileno(self) -> int:
        """There is none for paho: it never waits on this socket."""
        return -1

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""

    # --- what the connection calls ---

    def flush(self) -> None:
        """Hand everything that paho has sent to the network at once."""
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def abort(self, error: BaseException | None = None) -> None:
        """End the connection now."""
        self._error = self._error or error
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Leave further messages in the network, and so with the broker."""
        if self._transport is not None and not self.paused:
            self.paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        self.paused = False
        if self._transport is not None and self._rest is None:
            self._transport.resume_reading()

    def _take_rest(self, messages: int) -> None:
        """Go on when it is likely to be worth it, judging by how quickly these messages came."""
        if self._transport is None:
            return
        if _QUICK is not None and self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)
        loop = asyncio.get_running_loop()
        now = loop.time()
        pace_s = (now - self._read_at) / messages
        self._read_at = now
        if pace_s < _LONGEST_REST_S and self._rest is None:
            self._transport.pause_reading()
            pause_s = max(_SHORTEST_REST_S, min(pace_s * _AT_ONCE, _LONGEST_REST_S))
            self._rest = loop.call_at(now + pause_s, self._end_rest)

    def _end_rest(self) -> None:
        self._rest = None
        if self._transport is not None and not self.paused:
            self._transport.resume_reading()
