"""What decoding one message costs, for every dialect: names looked up, payload read, facts made."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.report import Figure
from ingest.decode import Decoder, Gateway, World
from ingest.dialects import DIALECTS
from ingest.message import Message
from rules.community import Device
from shouwang.decoding import Line, Sitting, read_line
from shouwang.decoding.sitting import assumed

_CORPUS: Final = Path(__file__).parent.parent / "tests" / "decoding" / "corpus"
_PAYLOADS: Final = Path(__file__).parent.parent / "tests" / "ingest" / "payloads"
_NOW: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
#: Messages a round, as many as a batch may have; and rounds, of which the best one counts: what else the machine does
#: only ever adds to it.
_MESSAGES: Final = 500
_ROUNDS: Final = 15


def decoders(folder: Path) -> Iterator[Figure]:  # noqa: ARG001 - the others need one
    """Measure every dialect by what was recorded of it, with every device of it registered."""
    lines = _recorded()
    for dialect in sorted(DIALECTS):
        if lines.get(dialect):
            yield Figure(name=f"decoder {dialect}: per message", value=_cost_us(dialect, lines[dialect]), unit="µs")


def _recorded() -> dict[str, list[Line]]:
    lines: dict[str, list[Line]] = {
        "shouwang": [
            Line(
                topic="shouwang/v1/home/gas/event", payload=b'{"kind":"gas","state":"clear","at":1795000000,"id":"1"}'
            ),
            Line(topic="shouwang/v1/home/door/event", payload=b'{"kind":"contact","state":"open","id":"2"}'),
            Line(topic="shouwang/v1/home/gas/status", payload=b"online"),
        ]
    }
    for file in sorted(_CORPUS.glob("*.jsonl")):
        for text in file.read_text("utf-8").splitlines():
            line = read_line(text)
            if line is not None and line.dialect is not None:
                lines.setdefault(line.dialect, []).append(line)
    # What a real gateway publishes, with everything that it remembers beside what is new.
    captures = json.loads((_PAYLOADS / "zigbee2mqtt_models.json").read_text("utf-8"))["messages"]
    lines["zigbee2mqtt"] = [Line(topic=one["topic"], payload=one["payload"].encode()) for one in captures]
    return lines


def _cost_us(dialect: str, lines: Sequence[Line]) -> float:
    """Give the processor time for a message in microseconds: the best of several rounds over all messages."""
    source = assumed(dialect)
    sitting = Sitting([source])
    decoder = Decoder([source])
    world = World()
    for line in lines:
        decoded = sitting.hear(line, _NOW).decoded
        for name in {one.device_id for one in decoded.readings} | {one.name for one in decoded.unmapped}:
            world.devices[source.id, name] = Device(id=name, home_id="h", kind="gas", source=source.id, name=name)
        for name, definition in {**(decoded.definitions or {}), **(decoded.learnt or {})}.items():
            if definition is not None:
                world.definitions[source.id, name] = definition
    world.gateways[source.id, ""] = Gateway("online", _NOW)
    taken = []
    for number in range(_ROUNDS + 1):
        # Each round has payloads of its own: what is remembered of one is of no use to the next.
        messages = [_message(lines[one % len(lines)], number, one) for one in range(_MESSAGES)]
        began = time.process_time()
        for message in messages:
            decoder.names(message)
            decoder.decode(message, world)
        taken.append((time.process_time() - began) / _MESSAGES * 1e6)
    return min(taken[1:])


def _message(line: Line, *numbers: int) -> Message:
    """Make a message that equals no other, without changing what it says: space behind JSON says nothing."""
    payload = line.payload
    if payload[:1] in {b"{", b"["}:
        payload += b" " * (numbers[0] + 1) + b"\n" * (numbers[1] % 61 + 1)
    return Message(line.topic, payload, line.retain, _NOW)
