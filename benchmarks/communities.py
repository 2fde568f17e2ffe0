"""Communities of any size, as the three files, and as the load knows them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from simulators.community import Community, SimDevice, SimHome, SimSource

Dialect = Literal["shouwang", "zigbee2mqtt"]

_ROOT: Final = Path(__file__).parent.parent
_HOMES_IN_MICRO: Final = 50
_MICROS_IN_GENERAL: Final = 8
#: Kind, ending of the id, room, heartbeat.
_SENSORS: Final = (
    ("gas", "gas", "厨房", "2h"),
    ("smoke", "smoke", "客厅", "24h"),
    ("contact", "door", "入户门", "25h"),
)

_SOURCES: Final = {
    "shouwang": SimSource(id="own", dialect="shouwang", base="shouwang/v1"),
    "zigbee2mqtt": SimSource(id="gateway", dialect="zigbee2mqtt", base="zigbee2mqtt"),
}

#: A door that only benchmarks open: what it says is the last message of a trial, and the database tells when that was
#: committed.
MARKER_HOME: Final = "marker"
MARKER: Final = "marker-door"


def simulated(homes: int, dialect: Dialect) -> Community:
    """Give a community as the load knows it; the marker is not in it."""
    source = _SOURCES[dialect]
    return Community(
        sources=(source,),
        homes=tuple(
            SimHome(id=home_id, address=address(number), devices=tuple(_devices(home_id, source.id)))
            for number, home_id in _homes(homes)
        ),
    )


def write(folder: Path, homes: int, dialect: Dialect) -> None:
    """Write devices.yaml, grids.yaml and the sample's rules.yaml for the same community."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yaml").write_text((_ROOT / "rules.yaml").read_text("utf-8"), "utf-8")
    micros = (homes + _HOMES_IN_MICRO - 1) // _HOMES_IN_MICRO
    generals = (micros + _MICROS_IN_GENERAL - 1) // _MICROS_IN_GENERAL
    (folder / "grids.yaml").write_text("".join(_grids(micros, generals)), "utf-8")
    with (folder / "devices.yaml").open("w", encoding="utf-8") as file:
        file.writelines(_households(homes, dialect))


def address(number: int) -> str:
    """Give a home's address: short enough to stand in a text as it is, and no other home's."""
    micro, home = divmod(number, _HOMES_IN_MICRO)
    return f"长宁路{micro + 1}号院{home // 10 + 1}栋{home % 10 + 101}"


def _homes(count: int) -> Iterator[tuple[int, str]]:
    return ((number, f"h{number:06d}") for number in range(count))


def _devices(home_id: str, source: str) -> Iterator[SimDevice]:
    for kind, ending, _, _ in _SENSORS:
        device_id = f"{home_id}-{ending}"
        yield SimDevice(id=device_id, home_id=home_id, kind=kind, source=source, name=device_id)


def _households(homes: int, dialect: Dialect) -> Iterator[str]:
    source = _SOURCES[dialect]
    yield "version: 1\n\nsources:\n"
    for one in _SOURCES.values():
        yield f"  - {{id: {one.id}, dialect: {one.dialect}, base: {one.base}}}\n"
    yield (
        f"\nhomes:\n  - id: {MARKER_HOME}\n    grid: micro-0\n    address: 长宁路1号院门房\n    devices:\n"
        f"      - {{id: {MARKER}, kind: contact, source: own, name: {MARKER}, heartbeat: 25h}}\n"
    )
    for number, home_id in _homes(homes):
        yield (
            f"  - id: {home_id}\n"
            f"    grid: micro-{number // _HOMES_IN_MICRO}\n"
            f"    address: {address(number)}\n"
            f"    location: {{lat: {30.6 + number % 1000 / 10_000:.4f}, lon: {104.0 + number % 997 / 10_000:.4f}}}\n"
            "    residents:\n"
            f'      - {{name: 老人{number}, born: {1930 + number % 25}, phone: "+86139{number:08d}", care: red}}\n'
            "    contacts:\n"
            f'      - {{name: 家属{number}, relation: 女儿, phone: "+86138{50_000_000 + number:08d}", notify: true}}\n'
            "    access: 备用钥匙在门卫室\n"
            "    hazards: {gas_valve: 厨房灶台下方}\n"
            "    devices:\n"
        )
        for kind, ending, room, heartbeat in _SENSORS:
            name = f"{home_id}-{ending}"
            yield (
                f"      - {{id: {name}, kind: {kind}, source: {source.id}, name: {name}, room: {room}, "
                f"heartbeat: {heartbeat}}}\n"
            )


def _grids(micros: int, generals: int) -> Iterator[str]:
    yield "version: 1\n\ngrids:\n  - {id: community, level: community, name: 长宁社区}\n"
    for number in range(generals):
        yield f"  - {{id: general-{number}, level: general, name: 第{number + 1}网格, parent: community}}\n"
    for number in range(micros):
        parent = number // _MICROS_IN_GENERAL
        yield f"  - {{id: micro-{number}, level: micro, name: 长宁路{number + 1}号院, parent: general-{parent}}}\n"
    yield "\nworkers:\n"
    for number in range(micros):
        yield _worker(f"worker-{number}", f"网格员{number}", "micro", f"micro-{number}", 10_000_000 + number)
    for number in range(generals):
        yield _worker(f"general-worker-{number}", f"专职{number}", "general", f"general-{number}", 20_000_000 + number)
    yield _worker("community-desk", "社区值班室", "desk", "community", 30_000_000)


def _worker(worker_id: str, name: str, role: str, grid: str, number: int) -> str:
    phone = f'"+86138{number:08d}"'
    return (
        f"  - id: {worker_id}\n    name: {name}\n    role: {role}\n    grids: [{grid}]\n"
        f"    contact: [{{sms: {phone}}}, {{voice: {phone}}}]\n"
    )
