"""What the figures were measured on."""

import json
import os
import platform
import sqlite3
import statistics
import sys
import time
from pathlib import Path
from typing import Any


def describe(folder: Path) -> dict[str, Any]:
    """Name the machine; `folder` is where the databases will be."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "file_system": _file_system(folder),
        "fsync_ms": round(_fsync_s(folder) * 1000, 2),
        "load_average": round(os.getloadavg()[0], 2),
        "executable": sys.executable,
    }


def pace_ms() -> float:
    """How long this machine takes at this moment for the same work in Python: neighbours of a virtual one slow it down.

    In milliseconds of processor time; figures of two runs compare only where this is alike.
    """
    taken = []
    for _ in range(9):
        began = time.process_time()
        for number in range(300):
            told = json.loads('{"kind": "gas", "state": "clear", "at": [1, 2, 3, {"id": "made-up"}], "value": 1.5}')
            squares = {key: key * key for key in range(50)}
            sorted(squares.values(), key=lambda value: -value)
            told["id"] = str(number)
        taken.append(time.process_time() - began)
    return statistics.median(taken) * 1000


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text("utf-8", "replace").splitlines()]
    holding = [(point, kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(holding, key=lambda one: len(one[0]))[1] if holding else "unknown"


def _fsync_s(folder: Path) -> float:
    """How long the disk takes to say that four KiB are safe."""
    path = folder / "fsync"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    path.unlink()
    return statistics.median(taken)
