"""The wheel: what it brings, and that nothing else brings the same."""

import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SAMPLE = ("devices.yaml", "grids.yaml", "rules.yaml")


@pytest.fixture(scope="module")
def declared() -> set[str]:
    """The packages that pyproject.toml declares."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = set(project["project"]["import-names"])
    assert names == set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    return names


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built as a release is."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (file,) = folder.iterdir()
    with zipfile.ZipFile(file) as opened:
        yield opened


def test_it_brings_exactly_the_declared_packages(wheel: zipfile.ZipFile, declared: set[str]) -> None:
    """No tests, no configuration of anybody, no stray files."""
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == declared


def test_it_brings_what_is_no_python(wheel: zipfile.ZipFile) -> None:
    """The sample community for the demo as it stands in the root, schemas for editors, migrations, marks of typing."""
    names = set(wheel.namelist())

    for name in SAMPLE:
        assert wheel.read(f"shouwang/demo/community/{name}") == (ROOT / name).read_bytes()
        assert f"shouwang/schemas/{name.replace('.yaml', '.json')}" in names
    assert [name for name in names if name.startswith("store/migrations/versions/m0001")]
    assert "shouwang/py.typed" in names


def test_the_demo_finds_its_community_in_it(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    where = subprocess.run(
        [sys.executable, "-c", "from shouwang.demo import sample; print(sample.folder())"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert Path(where.stdout.strip()) == tmp_path / "shouwang" / "demo" / "community"


def test_nothing_else_installed_has_these_names(declared: set[str]) -> None:
    """Two distributions with one package overwrite each other; that is why Shouwang has an environment of its own."""
    owners = packages_distributions()

    assert {name: owners[name] for name in declared if set(owners.get(name, [])) - {"shouwang"}} == {}
