"""The disks on which the database and the embedded broker keep what must not be lost."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shouwang.doctor.checking import aside
from shouwang.doctor.diagnosis import Diagnosis, finding, fine, note

SUBJECT = "disk"

_MIB = 1 << 20
_FULL_B = 200 * _MIB
_SMALL_B = 2_048 * _MIB
_FULL_SHARE = 0.02
_FEW_FILES = 1_000

#: File systems of other machines: locks and the shared memory of a write-ahead log do not hold there.
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gpfs", "ncpfs"}
)
#: The same, through a virtual machine or a program.
_SHARED = frozenset({"vboxsf", "prl_fs", "vmhgfs", "fuse.vmhgfs-fuse", "fuse.sshfs", "fuse.glusterfs", "fuse.rclone"})
#: Gone with the next start of the machine.
_MEMORY = frozenset({"tmpfs", "ramfs"})
#: Gone with the container, where it is one's root.
_LAYERS = frozenset({"overlay", "aufs"})


class Mount(NamedTuple):
    """The file system that a path is on."""

    point: str
    type: str
    device: str
    read_only: bool


class Space(NamedTuple):
    """What is left on it."""

    free_b: int
    total_b: int
    #: None where the file system does not count files.
    free_files: int | None


def mount_of(path: Path, mounts: str) -> Mount | None:
    """Find the file system of an absolute path in the text of /proc/self/mountinfo; None where it is not there."""
    best = None
    for line in mounts.splitlines():
        own, _, other = line.partition(" - ")
        fields, more = own.split(), other.split()
        if len(fields) < 6 or len(more) < 2:
            continue
        point = _unescaped(fields[4])
        # Of several on one point the last one is seen.
        if path.is_relative_to(point) and (best is None or len(point) >= len(best.point)):
            read_only = "ro" in fields[5].split(",") or "ro" in more[-1].split(",")
            best = Mount(point, more[0], _unescaped(more[1]), read_only)
    return best


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def judge(path: Path, what: str, mount: Mount | None, space: Space) -> Iterator[Diagnosis]:
    """Say what is the matter with the file system on which something lives."""
    where = str(path)
    if mount is not None:
        yield from _of_kind(where, what, mount)
    left = f"{space.free_b // _MIB:,} MiB are free"
    if space.free_b < _FULL_B or space.free_b < _FULL_SHARE * space.total_b:
        yield finding(
            SUBJECT,
            f"the disk of {what} is nearly full: {left}",
            where=where,
            advice="Make room. On a full disk nothing is decided and nothing acknowledged; messages wait in the broker,"
            " as long as that has room itself.",
        )
    elif space.free_b < _SMALL_B:
        yield note(SUBJECT, f"the disk of {what}: {left}", where=where, advice="Make room before it is needed.")
    else:
        yield fine(SUBJECT, f"the disk of {what}: {left}", where=where)
    if space.free_files is not None and space.free_files < _FEW_FILES:
        yield finding(
            SUBJECT,
            f"the disk of {what} can take {space.free_files} more files only",
            where=where,
            advice="Remove what fills it with small files.",
        )


def _of_kind(where: str, what: str, mount: Mount) -> Iterator[Diagnosis]:
    if mount.type in _NETWORK | _SHARED:
        yield finding(
            SUBJECT,
            f"{what} is on a network file system ({mount.type} at {mount.point}), where locks and the write-ahead log"
            " cannot be relied on",
            where=where,
            advice="Put it on a local disk, or use PostgreSQL.",
        )
    elif mount.type in _MEMORY:
        yield finding(
            SUBJECT,
            f"{what} is in memory ({mount.type} at {mount.point}) and gone with the next start of the machine",
            where=where,
            advice="Put it on a disk.",
        )
    elif mount.type in _LAYERS:
        yield finding(
            SUBJECT,
            f"{what} is in the container's own layer ({mount.type}) and gone with the container",
            where=where,
            advice="Put it on a volume.",
        )
    elif mount.type.startswith("fuse"):
        advice = "Make sure that it keeps what it was told to sync."
        yield note(SUBJECT, f"{what} is on {mount.type} at {mount.point}", where=where, advice=advice)
    elif re.match(r"/dev/mmcblk", mount.device):
        advice = "Use an SSD, and keep a backup; every alarm is a few writes that are waited for."
        yield note(SUBJECT, f"{what} is on an SD card or eMMC, which wears out", where=where, advice=advice)
    if mount.read_only:
        yield finding(
            SUBJECT,
            f"{what} is on a file system that can only be read ({mount.point})",
            where=where,
            advice="Find out why (a disk with errors is mounted so), and mount it for writing.",
        )


async def look(path: Path, what: str) -> list[Diagnosis]:
    """Examine the disk of a path; of the nearest folder that is there, where it is not."""
    return await aside(_look, path, what)


def _look(path: Path, what: str) -> list[Diagnosis]:
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    there = there.resolve()
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "replace")
    except OSError:  # not on this system
        mounts = ""
    found = os.statvfs(there)
    files = found.f_favail if found.f_files else None
    space = Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, files)
    return [*judge(path, what, mount_of(there, mounts), space)]
