"""A load on a broker, never the bottleneck: packets made beforehand, one socket, a window of unacknowledged ones.

Alarms are spread among ordinary reports, and when each left is recorded by the clock that all processes of a machine
share (time.monotonic), so that another process can tell how long it took to reach the provider.
"""

import secrets
import select
import socket
import struct
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple, Self

from simulators.community import Community, SimDevice
from simulators.gateway import Gateway
from simulators.homes import OwnDialect
from simulators.life import ALARM, CALM, Fact
from simulators.mqtt import Broker, parse_url

#: Kinds that a load raises alarms of.
_ALARM_KINDS = ("gas", "smoke", "carbon_monoxide")
_CHUNK = 200
_ANSWER_WITHIN_S = 30.0


class Outgoing(NamedTuple):
    """One message of a load; `alarm` is the id of the device that raises one."""

    topic: str
    payload: bytes
    retain: bool = False
    alarm: str | None = None


class Left(NamedTuple):
    """When an alarm was handed to the socket: time.time() and time.monotonic()."""

    wall: float
    monotonic: float


@dataclass(slots=True, kw_only=True)
class Report:
    """What a load came to."""

    messages: int
    #: From the first byte to the last acknowledgement.
    seconds: float
    began: Left
    alarms: dict[str, Left] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Messages a second, acknowledged by the broker."""
        return self.messages / self.seconds if self.seconds else 0.0


# --- what to send -----------------------------------------------------------------------------------------------------


def _finish(work: Coroutine[None, None, None]) -> None:
    """Run a coroutine that waits for nothing, inside an event loop or outside."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("an outlet that only collects has waited for something")


class Traffic:
    """Messages of a community's devices, made beforehand in the dialect of each."""

    def __init__(self, community: Community, *, seed: int = 0, changes: float = 0.05) -> None:
        """`changes` is the share of door reports that say something new."""
        self._random = Random(seed)
        self._changes = changes
        self._made: list[Outgoing] = []
        self._outlets: dict[str, OwnDialect | Gateway] = {}
        for source in community.sources:
            if source.dialect == "zigbee2mqtt":
                devices = list(community.devices())
                self._outlets[source.id] = Gateway(source, devices, self._collect, seed=seed, log_payloads=False)
            elif source.dialect == "shouwang":
                self._outlets[source.id] = OwnDialect(source, community.devices(), self._collect)
        self._devices = [device for device in community.devices() if device.source in self._outlets]
        self._open: set[str] = set()

    async def _collect(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._made.append(Outgoing(topic, payload, retain))

    def introduction(self) -> list[Outgoing]:
        """What gateways say before anything else: their devices, above all."""
        _finish(self._introduce())
        return self._take()

    async def _introduce(self) -> None:
        for outlet in self._outlets.values():
            if isinstance(outlet, Gateway):
                await outlet.start()

    def _take(self) -> list[Outgoing]:
        made = self._made.copy()
        self._made.clear()
        return made

    def alarming(self, count: int) -> list[SimDevice]:
        """Devices to raise alarms, each in a home of its own as long as there are enough; raises ValueError."""
        able = [device for device in self._devices if device.kind in _ALARM_KINDS]
        if len(able) < count:
            raise ValueError(f"{count} alarms asked for, and there are {len(able)} devices that can raise one")
        self._random.shuffle(able)
        first = list({device.home_id: device for device in able}.values())
        chosen = set(first)
        return (first + [device for device in able if device not in chosen])[:count]

    def ordinary(self, count: int, *, without: Sequence[SimDevice] = ()) -> list[Outgoing]:
        """So many reports that all is well, of all devices in turn."""
        left_out = {device.id for device in without}
        speaking = [d for d in self._devices if d.id not in left_out and d.kind in CALM]
        if not speaking:
            raise ValueError("there is no device that can say anything")

        async def speak() -> None:
            while len(self._made) < count:
                self._random.shuffle(speaking)
                for device in speaking:
                    await self._outlets[device.source].tell(device, [self._report(device)])
                    if len(self._made) >= count:
                        return

        _finish(speak())
        return self._take()[:count]

    def _report(self, device: SimDevice) -> Fact:
        now = self._outlets[device.source].now()
        if device.kind != "contact":
            return Fact(now, device, device.kind, CALM[device.kind])
        if self._random.random() < self._changes:
            self._open ^= {device.id}
        return Fact(now, device, "contact", "open" if device.id in self._open else "closed")

    def alarms(self, devices: Sequence[SimDevice]) -> list[Outgoing]:
        """One alarm of each device."""

        async def raise_all() -> None:
            for device in devices:
                outlet = self._outlets[device.source]
                await outlet.tell(device, [Fact(outlet.now(), device, device.kind, ALARM[device.kind])])

        _finish(raise_all())
        return [made._replace(alarm=device.id) for made, device in zip(self._take(), devices, strict=True)]


Schedule = Sequence[tuple[float, Outgoing]]


def steady(traffic: Traffic, *, rate: float, seconds: float, alarms: int) -> Schedule:
    """Ordinary reports at a rate, for some seconds, with alarms at even distances; rate 0: only the alarms."""
    devices = traffic.alarming(alarms)
    count = round(rate * seconds)
    ordinary = traffic.ordinary(count, without=devices) if count else []
    plan = [(index / rate, message) for index, message in enumerate(ordinary)]
    plan += [((i + 0.5) * seconds / alarms, message) for i, message in enumerate(traffic.alarms(devices))]
    plan.sort(key=lambda entry: entry[0])
    return plan


def burst(traffic: Traffic, *, count: int, alarms: int) -> Schedule:
    """So many messages at once, with alarms spread evenly among them."""
    devices = traffic.alarming(alarms)
    messages = traffic.ordinary(count - alarms, without=devices)
    raised = traffic.alarms(devices)
    step = count / alarms if alarms else 0
    for index, message in enumerate(raised):
        messages.insert(round((index + 0.5) * step), message)
    return [(0.0, message) for message in messages]


# --- sending it -------------------------------------------------------------------------------------------------------


def _length(value: int) -> bytes:
    encoded = bytearray()
    while True:
        value, digit = divmod(value, 128)
        encoded.append(digit | (128 if value else 0))
        if not value:
            return bytes(encoded)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("!H", len(encoded)) + encoded


def _connect_packet(broker: Broker, client_id: str) -> bytes:
    flags = 0x02 | (0x80 if broker.username else 0) | (0x40 if broker.password else 0)
    # Keep-alive 0: the broker does not wait for pings.
    body = _text("MQTT") + bytes([4, flags, 0, 0]) + _text(client_id)
    for value in (broker.username, broker.password):
        if value:
            body += _text(value)
    return b"\x10" + _length(len(body)) + body


def _publish_halves(message: Outgoing) -> tuple[bytes, bytes]:
    """A PUBLISH of QoS 1 before and after its packet id."""
    topic = _text(message.topic)
    head = (0x33 if message.retain else 0x32).to_bytes(1, "big")
    return head + _length(len(topic) + 2 + len(message.payload)) + topic, message.payload


class Publisher:
    """One connection that sends as fast as it may. Blocking; for a process of its own."""

    def __init__(self, url: str, *, window: int = 1000) -> None:
        """`window` is how many messages may wait for their acknowledgement."""
        self._broker = parse_url(url)
        if self._broker.tls:
            raise ValueError("a load is sent without TLS: use mqtt://")
        self._window = window
        self._socket: socket.socket | None = None
        self._packet_id = 0
        self._rest = b""

    def __enter__(self) -> Self:
        broker = self._broker
        sock = socket.create_connection((broker.host, broker.port), timeout=_ANSWER_WITHIN_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(_connect_packet(broker, f"sim-load-{secrets.token_hex(4)}"))
        answer = sock.recv(4, socket.MSG_WAITALL)
        if answer[:1] != b"\x20" or answer[3:] != b"\x00":
            sock.close()
            raise ConnectionError(f"the broker at {broker.host}:{broker.port} refused the connection: {answer.hex()}")
        self._socket = sock
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.setblocking(True)
            self._socket.sendall(b"\xe0\x00")
            self._socket.close()
            self._socket = None

    def send(self, schedule: Schedule) -> Report:
        """Send each message when its second has come, and return when the broker has acknowledged them all."""
        sock = self._socket
        if sock is None:
            raise RuntimeError("use it as a context manager")
        ready = [(offset, *_publish_halves(message), message.alarm) for offset, message in schedule]
        sock.setblocking(False)
        began = Left(time.time(), time.monotonic())
        report = Report(messages=len(ready), seconds=0.0, began=began)
        sent = acknowledged = 0
        buffer = memoryview(b"")
        while acknowledged < len(ready):
            if not buffer:
                elapsed = time.monotonic() - began.monotonic
                most = min(len(ready), acknowledged + self._window, sent + _CHUNK)
                chunk = bytearray()
                while sent < most and ready[sent][0] <= elapsed:
                    _, head, payload, alarm = ready[sent]
                    chunk += head + self._next_id() + payload
                    sent += 1
                    if alarm is not None:
                        # The chunk ends with it, so that its time is that of its own sending.
                        report.alarms[alarm] = Left(time.time(), time.monotonic())
                        break
                buffer = memoryview(bytes(chunk))
            wait_s = self._wait_s(ready[sent][0] if sent < len(ready) else None, began.monotonic, bool(buffer))
            if sent - acknowledged >= self._window and not buffer:
                wait_s = _ANSWER_WITHIN_S
            readable, writable, _ = select.select([sock], [sock] if buffer else [], [], wait_s)
            if writable:
                buffer = buffer[sock.send(buffer) :]
            if readable:
                acknowledged += self._acknowledged(sock)
            elif wait_s >= _ANSWER_WITHIN_S and not writable:
                raise TimeoutError(f"the broker has acknowledged {acknowledged} of {sent} messages and then no more")
        report.seconds = time.monotonic() - began.monotonic
        return report

    @staticmethod
    def _wait_s(next_offset: float | None, began: float, sending: bool) -> float:
        if sending or next_offset is None:
            return _ANSWER_WITHIN_S
        return max(0.0, min(next_offset - (time.monotonic() - began), _ANSWER_WITHIN_S / 2))

    def _next_id(self) -> bytes:
        self._packet_id = self._packet_id % 0xFFFF + 1
        return self._packet_id.to_bytes(2, "big")

    def _acknowledged(self, sock: socket.socket) -> int:
        data = sock.recv(1 << 16)
        if not data:
            raise ConnectionError("the broker has closed the connection")
        # Only PUBACKs come here, four bytes each.
        self._rest += data
        whole = len(self._rest) // 4
        if self._rest[:1] != b"\x40":
            raise ConnectionError(f"unexpected packet from the broker: {self._rest[:4].hex()}")
        self._rest = self._rest[whole * 4 :]
        return whole


def run(url: str, schedule: Schedule, *, introduction: Sequence[Outgoing] = (), window: int = 1000) -> Report:
    """Introduce the gateways, then send a schedule."""
    first = [(0.0, message) for message in introduction]
    try:
        with Publisher(url, window=window) as publisher:
            if first:
                publisher.send(first)
            return publisher.send(schedule)
    except (BrokenPipeError, ConnectionResetError) as exc:
        largest = max(len(message.payload) for _, message in (*first, *schedule))
        raise ConnectionError(f"the broker closed the connection; the largest message has {largest} bytes") from exc
