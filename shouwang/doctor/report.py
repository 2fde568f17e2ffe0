"""The diagnoses, for people and for programs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from shouwang.doctor.diagnosis import Diagnosis, Grade, counted

if TYPE_CHECKING:
    from rich.console import Console

_WORDS = {Grade.FINDING: ("FINDING", "bold red"), Grade.NOTE: ("note", "yellow"), Grade.FINE: ("fine", "green")}


def as_json(diagnoses: Sequence[Diagnosis]) -> dict[str, Any]:
    """Give them as JSON-ready values. Keys are only ever added."""
    return {
        "findings": _count(diagnoses, Grade.FINDING),
        "notes": _count(diagnoses, Grade.NOTE),
        "checks": [
            {
                "grade": str(one.grade),
                "subject": one.subject,
                "what": one.what,
                "where": one.where,
                "advice": one.advice,
            }
            for one in diagnoses
        ],
    }


def print_to(console: "Console", diagnoses: Sequence[Diagnosis]) -> None:
    """Print them: what is wrong last, because that is what stays on the screen."""
    from rich.table import Table  # noqa: PLC0415 - not for --json
    from rich.text import Text  # noqa: PLC0415

    rows = [row for grade in (Grade.FINE, Grade.NOTE, Grade.FINDING) for row in _rows(diagnoses, grade)]
    if console.is_terminal:
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for mark, style, text in rows:
            table.add_row(Text(mark, style), Text(text))
        console.print(table)
    else:
        # In a file or a pipe one line is one line.
        for mark, _, text in rows:
            console.print(Text(f"{mark:7} {text}"), soft_wrap=True)
    console.print(Text(summary(diagnoses), "bold"))


def _rows(diagnoses: Sequence[Diagnosis], grade: Grade) -> Iterator[tuple[str, str, str]]:
    """Give each line as its mark, the mark's style, and the text."""
    word, style = _WORDS[grade]
    for one in diagnoses:
        if one.grade is grade:
            yield word, style, f"{one.subject}: {one.what}"
            if one.where and grade is not Grade.FINE:
                yield "  where", "dim", one.where
            if one.advice and grade is not Grade.FINE:
                yield "  do", "dim", one.advice


def summary(diagnoses: Sequence[Diagnosis]) -> str:
    """Say it in one line."""
    findings, notes = _count(diagnoses, Grade.FINDING), _count(diagnoses, Grade.NOTE)
    rest = f"{counted(notes, 'note')}, {_count(diagnoses, Grade.FINE)} fine"
    if not findings:
        return f"nothing found that would lose messages; {rest}"
    return f"{counted(findings, 'finding')}; {rest}"


def _count(diagnoses: Sequence[Diagnosis], grade: Grade) -> int:
    return sum(one.grade is grade for one in diagnoses)
