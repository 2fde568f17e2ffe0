"""A small community in a folder, to be broken in one place at a time."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shouwang import config

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three good files."""
    shutil.copytree(HERE / "good", tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def sample() -> Path:
    """The folder of the sample community."""
    return ROOT


@pytest.fixture
def problems(folder: Path) -> Callable[..., list[str]]:
    """Load the folder and give its problems, with the names of files counted from it."""

    def load(**environ: str) -> list[str]:
        try:
            config.load(folder, environ=environ)
        except config.ConfigError as error:
            return [str(problem).replace(f"{folder}/", "") for problem in error.problems]
        return []

    return load


@pytest.fixture
def warnings(folder: Path) -> Callable[[], list[str]]:
    """Load the folder and give its warnings, with the names of files counted from it."""
    return lambda: [str(warning).replace(f"{folder}/", "") for warning in config.load(folder, environ={}).warnings]


@pytest.fixture
def edit(folder: Path) -> Callable[..., None]:
    """Replace something in one of the files."""

    def replace(kind: str, *changes: tuple[str, str]) -> None:
        path = folder / f"{kind}.yaml"
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    return replace
