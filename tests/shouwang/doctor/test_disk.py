"""File systems that keep nothing, or have no room."""

from pathlib import Path

import pytest

from shouwang.doctor import disk
from shouwang.doctor.diagnosis import Grade
from shouwang.doctor.disk import Mount, Space, judge, mount_of

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE
GIB = 1 << 30
ROOMY = Space(100 * GIB, 200 * GIB, 1_000_000)
EXT4 = Mount("/", "ext4", "/dev/sda1", read_only=False)
MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
40 27 0:40 / /srv/data\\040old rw,relatime - nfs4 box:/export rw,vers=4.2
41 27 0:41 / /srv rw,relatime - xfs /dev/sdb1 rw
42 27 179:2 / /mnt/card ro,relatime - ext4 /dev/mmcblk0p2 ro
43 27 0:43 / /srv rw,relatime - btrfs /dev/sdc1 rw
not a line of this file
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/lib/shouwang", Mount("/", "ext4", "/dev/sda1", read_only=False)),
        ("/srv/data old/x", Mount("/srv/data old", "nfs4", "box:/export", read_only=False)),
        ("/srv/database", Mount("/srv", "btrfs", "/dev/sdc1", read_only=False)),
        ("/srvother", Mount("/", "ext4", "/dev/sda1", read_only=False)),
        ("/mnt/card", Mount("/mnt/card", "ext4", "/dev/mmcblk0p2", read_only=True)),
    ],
)
def test_the_file_system_of_a_path(path: str, expected: Mount) -> None:
    """The longest mount point that holds it, and of two on one point the later."""
    assert mount_of(Path(path), MOUNTS) == expected


def test_without_mounts_nothing_is_claimed() -> None:
    assert mount_of(Path("/var"), "") is None
    assert [one.grade for one in judge(Path("/var"), "the database", None, ROOMY)] == [FINE]


@pytest.mark.parametrize(
    ("type_", "grade", "words"),
    [
        ("nfs4", FINDING, "network file system"),
        ("cifs", FINDING, "network file system"),
        ("9p", FINDING, "network file system"),
        ("fuse.sshfs", FINDING, "network file system"),
        ("tmpfs", FINDING, "gone with the next start of the machine"),
        ("overlay", FINDING, "gone with the container"),
        ("fuse.mergerfs", NOTE, "fuse.mergerfs"),
    ],
)
def test_file_systems_that_cannot_be_relied_on(type_: str, grade: Grade, words: str) -> None:
    mount = EXT4._replace(type=type_)
    first, second = judge(Path("/var"), "the database", mount, ROOMY)

    assert (first.grade, words in first.what) == (grade, True)
    assert first.advice
    assert second.grade is FINE


@pytest.mark.parametrize("type_", ["ext4", "xfs", "btrfs", "zfs"])
def test_local_ones_are_fine(type_: str) -> None:
    assert [one.grade for one in judge(Path("/var"), "it", EXT4._replace(type=type_), ROOMY)] == [FINE]


def test_cards_wear_out_and_what_is_read_only_takes_nothing() -> None:
    mount = Mount("/mnt", "ext4", "/dev/mmcblk0p2", read_only=True)

    assert [one.grade for one in judge(Path("/mnt"), "it", mount, ROOMY)] == [NOTE, FINDING, FINE]


@pytest.mark.parametrize(
    ("space", "grades"),
    [
        (Space(199 << 20, 4 * GIB, None), [FINDING]),
        (Space(GIB, 100 * GIB, None), [FINDING]),
        (Space(GIB, 4 * GIB, None), [NOTE]),
        (Space(3 * GIB, 100 * GIB, None), [FINE]),
        (Space(3 * GIB, 100 * GIB, 999), [FINE, FINDING]),
        (Space(3 * GIB, 100 * GIB, 1_000), [FINE]),
    ],
)
def test_room(space: Space, grades: list[Grade]) -> None:
    assert [one.grade for one in judge(Path("/var"), "it", EXT4, space)] == grades


async def test_what_is_not_there_yet_is_looked_for_above(tmp_path: Path) -> None:
    """The folder will be made on the file system of the one above it."""
    told = await disk.look(tmp_path / "not" / "yet" / "shouwang.db", "the database")

    assert [one.where for one in told if "are free" in one.what] == [str(tmp_path / "not" / "yet" / "shouwang.db")]
