"""Which homes and devices there are to simulate: a small reader of devices.yaml, with no opinion on mistakes in it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimSource:
    """A stream of messages: a dialect under a topic base."""

    id: str
    dialect: str
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimDevice:
    """A sensor. `name` is what its source calls it."""

    id: str
    home_id: str
    kind: str
    source: str
    name: str
    #: Seconds between two signs of life at the most, as registered; None: nobody watches.
    heartbeat_s: int | None = None
    invert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimHome:
    """A household."""

    id: str
    address: str
    devices: tuple[SimDevice, ...]

    def of_kind(self, kind: str) -> Iterator[SimDevice]:
        """Its devices of a kind."""
        return (device for device in self.devices if device.kind == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """All of it."""

    sources: tuple[SimSource, ...]
    homes: tuple[SimHome, ...]

    def devices(self) -> Iterator[SimDevice]:
        """Every device, home by home."""
        return (device for home in self.homes for device in home.devices)

    def device(self, device_id: str) -> SimDevice:
        """The device with an id; raises LookupError."""
        for device in self.devices():
            if device.id == device_id:
                return device
        raise LookupError(f"there is no device {device_id} among those simulated")

    def home(self, home_id: str) -> SimHome:
        """The home with an id; raises LookupError."""
        for home in self.homes:
            if home.id == home_id:
                return home
        raise LookupError(f"there is no home {home_id} among those simulated")


def seconds(duration: Any) -> int | None:
    """A duration such as `90s`, `15m`, `2h`, `1d` or `1h30m`, or None."""
    if duration is None:
        return None
    parts = re.findall(r"(\d+)([smhd])", str(duration))
    if not parts:
        raise ValueError(f"not a duration: {duration!r}")
    return sum(int(number) * _UNIT_S[unit] for number, unit in parts)


def read(path: Path) -> Community:
    """Read devices.yaml: a file, the folder it lies in, or a folder devices/ of several."""
    if path.is_dir():
        single, folder = path / "devices.yaml", path / "devices"
        files = [single] if single.is_file() else sorted((folder if folder.is_dir() else path).glob("*.yaml"))
    else:
        files = [path]
    if not files:
        raise FileNotFoundError(f"no devices.yaml in {path}")
    return from_documents(yaml.load(file.read_text("utf-8"), _Loader) or {} for file in files)  # noqa: S506 - is safe


#: Ten times faster than the other, where the C library is there.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def from_documents(documents: Iterable[dict[str, Any]]) -> Community:
    """The community that some documents of this form describe together."""
    sources: list[SimSource] = []
    homes: list[SimHome] = []
    for document in documents:
        sources += [
            SimSource(id=str(entry["id"]), dialect=str(entry["dialect"]), base=str(entry["base"]))
            for entry in document.get("sources") or ()
        ]
        homes += [_home(entry) for entry in document.get("homes") or ()]
    return Community(sources=tuple(sources), homes=tuple(homes))


def _home(entry: dict[str, Any]) -> SimHome:
    home_id = str(entry["id"])
    return SimHome(
        id=home_id,
        address=str(entry.get("address", home_id)),
        devices=tuple(
            SimDevice(
                id=str(device["id"]),
                home_id=home_id,
                kind=str(device["kind"]),
                source=str(device["source"]),
                name=str(device.get("name") or device["id"]),
                heartbeat_s=seconds(device.get("heartbeat")),
                invert=bool(device.get("invert", False)),
            )
            for device in entry.get("devices") or ()
        ),
    )
