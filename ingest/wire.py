"""The socket that paho sees: bytes from and to an asyncio transport.

asyncio connects, resolves names and speaks TLS without blocking; paho speaks MQTT and finds here what it wants of a
socket. Whole packets are cut from the stream first, so that messages need not go through paho (see ingest.packets).
"""

import asyncio
import contextlib
import math
import socket
from collections.abc import Callable
from typing import cast

from ingest.packets import PUBLISH, Publish, frame, publish

#: A busy socket is left alone for this long between two reads, for being woken costs more than a message does; so
#: briefly where more than so many messages would come meanwhile, for an alarm would wait behind them; and not at all
#: where hardly any would.
_REST_S = 0.03
_MANY = 60
_SHORT_REST_S = 0.001
_FEW = 4
_COUNTED_FOR_S = 0.1
#: Bytes of one read.
_MOST_AT_ONCE = 65_536

#: Lets the system confirm what has arrived at once (Linux). Brokers that leave Nagle's algorithm on (Mosquitto does, if
#: not told otherwise) hold a message back until the one before it is confirmed, which by itself may take 40 ms.
_QUICK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Wire(asyncio.Protocol):
    """One connection's bytes.

    `on_publish` gets the messages, as many at a time as have come; `on_other` is called with one whole packet waiting
    in `recv`; `on_lost` is called once, with the error that ended the connection or None where the broker closed it.
    """

    def __init__(
        self,
        *,
        properties: bool,
        on_publish: Callable[[list[Publish]], None],
        on_other: Callable[[], None],
        on_lost: Callable[[BaseException | None], None],
    ) -> None:
        self._properties = properties
        self._on_publish = on_publish
        self._on_other = on_other
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        #: The same connection, to be read at the end of a rest; None with TLS, which only asyncio can read.
        self._direct: socket.socket | None = None
        self._rest: asyncio.TimerHandle | None = None
        #: Seconds between two messages of late; how many have come since when; and since the last rest.
        self._pace_s = math.inf
        self._counted = 0
        self._counted_since = 0.0
        self._awake_for = 0
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
        if self._socket is not None and transport.get_extra_info("sslcontext") is None:
            self._direct = self._socket.dup()

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
        count = 0
        messages: list[Publish] = []
        try:
            while start < size:
                found = frame(data, start)
                if found is None:
                    break
                content, end = found
                if end > size:
                    needed = end - start
                    break
                first = data[start]
                if first & 0xF0 == PUBLISH:
                    messages.append(publish(first, data, content, end, properties=self._properties))
                    count += 1
                else:
                    if messages:
                        self._on_publish(messages)
                        messages = []
                    self._packet = data[start:end]
                    self._on_other()
                start = end
            if messages:
                self._on_publish(messages)
        except Exception as error:  # noqa: BLE001 - whatever a packet does to us or to paho ends this connection only
            self.abort(error)
            return
        self._chunks = [data[start:]] if start < size else []
        self._held = size - start
        self._needed = needed
        if count:
            self._take_rest(count)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell it once."""
        self._transport = None
        self._chunks.clear()
        if self._rest is not None:
            self._rest.cancel()
        if self._direct is not None:
            self._direct.close()
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
        self._read_on()

    def _take_rest(self, messages: int) -> None:
        """Go on when it is likely to be worth it, judging by how quickly these messages came."""
        if self._transport is None:
            return
        if _QUICK is not None and self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._counted += messages
        if now - self._counted_since >= _COUNTED_FOR_S:
            self._pace_s = (now - self._counted_since) / self._counted
            self._counted_since, self._counted = now, 0
        if self._pace_s * _FEW > _REST_S or self._rest is not None:
            return
        rest_s = _SHORT_REST_S if self._pace_s * _MANY < _REST_S else _REST_S
        self._awake_for += messages
        # A single message after a rest is often one that the broker had to hold the others back for.
        if 2 * self._awake_for * self._pace_s >= rest_s:
            self._awake_for = 0
            self._transport.pause_reading()
            self._rest = loop.call_at(now + rest_s, self._end_rest)

    def _end_rest(self) -> None:
        """Read what has come meanwhile, without asking asyncio to tell us first that something has."""
        self._rest = None
        if self._transport is None or self.paused:
            return
        if self._direct is not None and not self._transport.is_closing():
            # That the connection has broken or ended, the transport finds as well, and tells it as always.
            with contextlib.suppress(OSError):
                if data := self._direct.recv(_MOST_AT_ONCE):
                    self.data_received(data)
        self._read_on()

    def _read_on(self) -> None:
        if self._transport is not None and self._rest is None and not self.paused:
            self._transport.resume_reading()
