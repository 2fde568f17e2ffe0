"""What `--map` names: a devices.yaml, or only what stands under `map:` in one."""

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rules.community import Device, Mapped, Source
from shouwang.config import ConfigError, Problem, load_devices
from shouwang.config.entries import Map
from shouwang.config.reader import RawEntry, Reader
from shouwang.config.sentences import sentences
from shouwang.environment import environment

_MAP: TypeAdapter[Map] = TypeAdapter(Map)
_SECTIONS = frozenset({"version", "sources", "homes"})


def read(path: Path) -> tuple[dict[str, Mapped] | None, list[Source], list[Device]]:
    """Give a map that holds for every device, and the sources and devices of the file. Raises ConfigError."""
    if path.is_dir():
        return None, *load_devices(path)
    reader = Reader(str(path), path.read_bytes(), environment())
    entries = list(reader.entries())
    if any(entry.section in _SECTIONS for entry in entries):
        return None, *load_devices(path)
    if reader.problems:
        raise ConfigError(list(reader.problems))
    document = _document(entries)
    try:
        known = _MAP.validate_python(document.get("map", document) if len(document) == 1 else document)
    except ValidationError as error:
        told = sentences(Map, error.errors(include_url=False))
        problems = [
            Problem(file=str(path), message=f"{'.'.join(str(part) for part in one.place.loc)}: {one.message}")
            for one in told
        ]
        raise ConfigError(problems) from None
    return {name: entry.value() for name, entry in known.items()}, [], []


def _document(entries: list[RawEntry]) -> dict[str, Any]:
    """Put a document of entries together again: a map's fields are its sections."""
    document: dict[str, Any] = {}
    for entry in entries:
        if entry.key is None:
            document[entry.section] = entry.value
        else:
            document.setdefault(entry.section, {})[entry.key] = entry.value
    return document
