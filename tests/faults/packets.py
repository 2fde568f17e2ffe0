"""A look into MQTT as it passes: which messages Shouwang has acknowledged to the broker."""

from collections.abc import Callable

from tests.faults.proxy import Connection, Direction, Verdict

_CONNECT, _PUBLISH, _PUBACK = 1, 3, 4


class Watcher:
    """A tap of the proxy before the broker; calls `acknowledged` with topic and payload of each PUBACK."""

    def __init__(self, acknowledged: Callable[[str, bytes], None]) -> None:
        self._acknowledged = acknowledged

    def __call__(self, connection: Connection, direction: Direction, data: bytes) -> Verdict:
        """Look at a piece; it is passed on in any case."""
        memory = connection.memory
        rest = memory.get(direction, b"") + data  # type: ignore[operator]  # only we write there
        start = 0
        while (end := _end(rest, start)) is not None and end[1] <= len(rest):
            self._packet(connection, direction, rest[start], rest[end[0] : end[1]])
            start = end[1]
        memory[direction] = rest[start:]
        return "pass"

    def _packet(self, connection: Connection, direction: Direction, first: int, content: bytes) -> None:
        kind, memory = first >> 4, connection.memory
        waiting: dict[int, tuple[str, bytes]] = memory.setdefault("waiting", {})  # type: ignore[assignment]  # as above
        if direction == "up" and kind == _CONNECT:
            # Protocol name with its length, then the version.
            memory["properties"] = content[2 + int.from_bytes(content[:2], "big")] >= 5
        elif direction == "down" and kind == _PUBLISH and (first >> 1) & 3:
            length = int.from_bytes(content[:2], "big")
            topic = content[2 : 2 + length].decode("utf-8", "replace")
            mid = int.from_bytes(content[2 + length : 4 + length], "big")
            at = 4 + length
            if memory.get("properties"):
                # Coded as a packet's length, which has a byte before it.
                _, at = _end(content, at - 1) or (at, at)
            waiting[mid] = (topic, content[at:])
        elif direction == "up" and kind == _PUBACK:
            message = waiting.pop(int.from_bytes(content[:2], "big"), None)
            if message is not None:
                self._acknowledged(*message)


def _end(data: bytes, start: int) -> tuple[int, int] | None:
    """Give where the content of the packet at `start` begins and ends; None where that is not known yet."""
    length = 0
    for index in range(4):
        position = start + 1 + index
        if position >= len(data):
            return None
        length |= (data[position] & 0x7F) << (7 * index)
        if data[position] < 0x80:
            return position + 1, position + 1 + length
    return None
