"""Taking down problems (or warnings) by place, and finding their lines and columns only if there are any."""

from dataclasses import dataclass, field
from typing import NamedTuple

from shouwang.config.files import Found
from shouwang.config.places import Place, path_of, positions
from shouwang.config.problems import Problem


class At(NamedTuple):
    """A place in a file."""

    file: Found
    place: Place


@dataclass(frozen=True, slots=True)
class _Note:
    at: At
    message: str
    #: A second place, with which the message ends.
    other: At | None


@dataclass(slots=True)
class Notes:
    """What there is to say about some files."""

    #: The files in their order.
    files: list[Found] = field(default_factory=list)
    #: Values that came from the environment, by variable: they are never shown.
    substituted: dict[str, str] = field(default_factory=dict)
    _placed: list[Problem] = field(default_factory=list)
    _notes: list[_Note] = field(default_factory=list)

    def add(self, at: At, message: str, *, other: At | None = None) -> None:
        """Take down something about a place."""
        self._notes.append(_Note(at, message, other))

    def add_placed(self, *problems: Problem) -> None:
        """Take down what knows its own position already."""
        self._placed += problems

    def problems(self) -> list[Problem]:
        """Everything taken down, with positions, in the order of the files."""
        places: dict[Found, set[Place]] = {}
        for note in self._notes:
            for at in (note.at, note.other):
                if at is not None:
                    places.setdefault(at.file, set()).add(at.place)
        found = {file: positions(_content(file), wanted) for file, wanted in places.items()}
        # Where a variable is missing or a key is there twice, what follows from that is no news.
        said = {(problem.file, problem.line, problem.column) for problem in self._placed}
        problems = list(self._placed)
        for note in self._notes:
            line, column = found[note.at.file][note.at.place]
            if (note.at.file.name, line, column) in said:
                continue
            message = self._without_secrets(note.message)
            if note.other is not None:
                message += f" ({note.other.file.name}:{found[note.other.file][note.other.place][0]})"
            path = path_of(note.at.place.loc)
            problems.append(Problem(file=note.at.file.name, line=line, column=column, path=path, message=message))
        order = {file.name: number for number, file in enumerate(self.files)}
        return sorted(
            dict.fromkeys(problems), key=lambda one: (order.get(one.file, -1), one.file, one.line or 0, one.column or 0)
        )

    def _without_secrets(self, message: str) -> str:
        """Put the names of variables back where their values would show; the longest first, as one may hold another."""
        for name, value in sorted(self.substituted.items(), key=lambda pair: -len(pair[1])):
            if value:
                message = message.replace(value, f"${{{name}}}")
        return message


def _content(file: Found) -> bytes:
    # Read again rather than kept: there are problems seldom, and the files of a city are big.
    try:
        return file.path.read_bytes()
    except OSError:
        return b""
