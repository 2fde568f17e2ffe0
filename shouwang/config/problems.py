"""What is wrong with a file, where, and what was probably meant."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

#: So many problems are printed; the rest is counted, because one wrong id can be repeated in 100,000 homes.
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One mistake, or one warning; renders as `file:line:column: path: message`, without what is not known."""

    file: str
    #: Both count from 1; None where the problem is about the file as a whole.
    line: int | None = None
    column: int | None = None
    #: Where in the document, e.g. `homes[3].devices[0].kind`; empty for the document itself.
    path: str = ""
    message: str

    def __str__(self) -> str:
        position = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (position, self.path, self.message) if part)


class ConfigError(Exception):
    """The configuration files cannot be used; all their problems are in `problems`, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"… and {len(self.problems) - _SHOWN:,} more")
        return "\n".join(lines)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    names = sorted(known)
    folded = {name.casefold(): name for name in reversed(names)}
    if word.casefold() in folded:
        return folded[word.casefold()]
    found = get_close_matches(word, names, n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word, e.g. `; did you mean 'gas'?`; empty where nothing is near."""
    meant = nearest(word, known)
    return "" if meant is None else f"; did you mean '{meant}'?"


def one_of(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that helps with a word that is not known: what was meant, or what there is."""
    names = sorted(known)
    meant = nearest(word, names)
    if meant is not None:
        return f"did you mean '{meant}'?"
    return f"it must be one of: {', '.join(names)}" if names else "there are none"


def listed(names: Iterable[str], *, shown: int = 5) -> str:
    """`a, b, c and 12 more`."""
    every = list(names)
    head = ", ".join(every[:shown])
    return head if len(every) <= shown else f"{head} and {len(every) - shown:,} more"
