"""The examples of docs/sensors.md: a devices.yaml, and messages with what they say."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from shouwang.decoding import Line

DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "sensors.md").read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A file, and the messages that follow it with what stands behind the arrow."""

    name: str
    dialect: str
    file: str
    messages: tuple[tuple[Line, str], ...]


def examples() -> list[Example]:
    """Give them in their order."""
    found = re.findall(r"(?ms)^```yaml\n(version: 1\n(?:(?!^```).)*)^```\n\n```text\n([^`]*→[^`]*)^```", DOCUMENT)
    return [_example(number, file, messages) for number, (file, messages) in enumerate(found)]


def _example(number: int, file: str, messages: str) -> Example:
    dialect = yaml.safe_load(file)["sources"][0]["dialect"]
    said = []
    for line in messages.splitlines():
        message, _, meant = line.rpartition(" → ")
        topic, _, payload = message.partition(" ")
        said.append((Line(topic=topic, payload=payload.encode()), meant))
    return Example(name=f"{number} {dialect}", dialect=dialect, file=file, messages=tuple(said))
