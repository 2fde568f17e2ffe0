"""The diagnoses, for people and for programs."""

from collections.abc import Sequence
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
    from rich.text import Text  # noqa: PLC0415 - not for --json

    # In a file or a pipe one line is one line.
    wraps = not console.is_terminal
    for grade in (Grade.FINE, Grade.NOTE, Grade.FINDING):
        word, style = _WORDS[grade]
        for one in diagnoses:
            if one.grade is not grade:
                continue
            line = Text()
            line.append(f"{word:8}", style)
            line.append(f"{one.subject}: {one.what}")
            console.print(line, soft_wrap=wraps)
            for mark, text in (("   where", one.where), ("   do   ", one.advice)):
                if text and grade is not Grade.FINE:
                    console.print(Text(f"{mark}  {text}", "dim" if mark.strip() == "where" else ""), soft_wrap=wraps)
    console.print(Text(summary(diagnoses), "bold"))


def summary(diagnoses: Sequence[Diagnosis]) -> str:
    """Say it in one line."""
    findings, notes = _count(diagnoses, Grade.FINDING), _count(diagnoses, Grade.NOTE)
    rest = f"{counted(notes, 'note')}, {_count(diagnoses, Grade.FINE)} fine"
    if not findings:
        return f"nothing found that would lose messages; {rest}"
    return f"{counted(findings, 'finding')}; {rest}"


def _count(diagnoses: Sequence[Diagnosis], grade: Grade) -> int:
    return sum(one.grade is grade for one in diagnoses)
