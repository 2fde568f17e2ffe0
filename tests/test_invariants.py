"""Each named invariant is held by tests that name it, in the packages that have to do with it and in a story."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
INVARIANTS = (
    "ack-after-commit",
    "never-silent",
    "one-page",
    "quiet-after-answer",
    "unknown-is-not-clear",
    "stale-does-not-page",
    "life-first",
    "nothing-dropped",
    "code-is-unique",
    "late-is-said",
    "snapshot",
)


@cache
def named() -> frozenset[tuple[str, Path]]:
    """Every invariant that the docstring of a test, or of a whole file of tests, names; with the file."""

    def found() -> Iterator[tuple[str, Path]]:
        for path in TESTS.rglob("test_*.py"):
            if path == Path(__file__):
                continue
            tree = ast.parse(path.read_text())
            tests = (ast.FunctionDef, ast.AsyncFunctionDef)
            nodes = [tree, *(one for one in ast.walk(tree) if isinstance(one, tests) and one.name.startswith("test_"))]
            words = " ".join(ast.get_docstring(node) or "" for node in nodes if isinstance(node, (ast.Module, *tests)))
            for name in INVARIANTS:
                if re.search(rf"(?<![\w-]){name}(?![\w-])", words):
                    yield name, path

    return frozenset(found())


@pytest.mark.parametrize("name", INVARIANTS)
def test_it_is_named_by_tests(name: str) -> None:
    files = {path for invariant, path in named() if invariant == name}

    assert len(files) >= 2, f"{name} is named by {files}"
    assert [path for path in files if path.parent.name in {"stories", "process"}], f"no story is told of {name}"


def test_the_architecture_lists_the_same_ones() -> None:
    text = (TESTS.parent / "docs" / "architecture.md").read_text()

    assert tuple(name for name in INVARIANTS if f"| {name} |" in text) == INVARIANTS
