"""Which files there are, and a cheap way to tell whether they have changed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from shouwang.config.problems import Problem

#: The three files, in the order in which their problems are told.
KINDS: Final = ("devices", "grids", "rules")
#: Changes when the same text is read differently than before, so that unchanged files are brought in again.
FORMAT: Final = b"shouwang configuration 2"

_VARIABLE: Final = re.compile(rb"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
#: Bytes of the longest variable that is found where it is cut in two, and bytes read at once.
_LONGEST_NAME: Final = 1_000
_PIECE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Found:
    """A file of one of the three kinds, and how problems name it."""

    path: Path
    name: str


def find(directory: Path, kind: str) -> tuple[list[Found], list[Problem]]:
    """Find `devices.yaml`, or the files of the folder `devices/`; what is in the way of that is a problem."""
    single, folder = directory / f"{kind}.yaml", directory / kind
    in_folder = sorted(path for path in folder.glob("*.yaml") if path.is_file())
    if single.is_file() and in_folder:
        message = f"there is also a folder {kind}/ with files in it; keep one of the two"
        return [Found(single, str(single))], [Problem(file=str(single), message=message)]
    if single.is_file():
        return [Found(single, str(single))], []
    if in_folder:
        return [Found(path, str(path)) for path in in_folder], []
    return [], [Problem(file=str(single), message=_missing(directory, kind))]


def _missing(directory: Path, kind: str) -> str:
    if (directory / f"{kind}.yml").is_file():
        return f"there is no such file, but a {kind}.yml; rename it to {kind}.yaml"
    if (directory / kind).is_dir():
        return f"there is no such file, and the folder {kind}/ holds no *.yaml"
    return (
        f"there is no such file, and no folder {kind}/; write one (docs/configuration.md, or copy the sample), "
        "or let SHOUWANG_CONFIG__DIR name the folder that has it"
    )


class Digester:
    """Digests the files of one kind, together with the variables of the environment that they name."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._hash = blake2b(FORMAT, digest_size=16)

    def add(self, name: str, content: Iterable[bytes]) -> None:
        """Take in one file, in pieces of any size."""
        variables: set[bytes] = set()
        size, rest = 0, b""
        self._add_part(name.encode())
        for piece in content:
            self._hash.update(piece)
            size += len(piece)
            # A name may be cut in two.
            rest = rest[-_LONGEST_NAME:] + piece
            variables.update(_VARIABLE.findall(rest))
        self._add_part(size.to_bytes(8, "big"))
        for variable in sorted(variables):
            self._add_part(variable + b"=" + self._environ.get(variable.decode(), "").encode())

    def _add_part(self, part: bytes) -> None:
        self._hash.update(len(part).to_bytes(8, "big"))
        self._hash.update(part)

    def result(self) -> str:
        """The digest in hex."""
        return self._hash.hexdigest()


def digests(directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Digest the files by kind: `devices.yaml`, `grids.yaml`, `rules.yaml`. A kind that is missing has none."""
    result = {}
    for kind in KINDS:
        found, _ = find(directory, kind)
        digester = Digester(environ)
        for file in found:
            with suppress(OSError):  # whoever loads it will say what is the matter with it
                digester.add(file.path.name, _pieces(file.path))
        if found:
            result[f"{kind}.yaml"] = digester.result()
    return result


def _pieces(path: Path) -> Iterator[bytes]:
    """Read a file without having all of it in memory: it is done at every start, and the files of a city are big."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
