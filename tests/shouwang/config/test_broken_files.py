"""Every mistake that has a file in broken/ is told in exactly the words at the top of that file."""

from collections.abc import Callable
from pathlib import Path

import pytest

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))
MARK = b"#= "


def test_there_are_files_for_every_kind() -> None:
    assert {path.name.split(".")[0] for path in BROKEN} == {"devices", "grids", "rules"}


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_mistake_is_told_where_it_is_and_what_to_do(
    path: Path, folder: Path, problems: Callable[[], list[str]]
) -> None:
    """The lines that begin with `#= ` are the problems of the file, all of them, in this order."""
    content = path.read_bytes()
    expected = [line.removeprefix(MARK).decode() for line in content.splitlines() if line.startswith(MARK)]
    (folder / f"{path.name.split('.')[0]}.yaml").write_bytes(content)

    assert expected
    assert problems() == expected


def test_the_good_files_have_no_problems(problems: Callable[[], list[str]]) -> None:
    assert problems() == []
