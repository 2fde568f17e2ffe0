"""What the doctor says of one thing."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is."""

    #: It loses messages, or will when something else goes wrong.
    FINDING = "finding"
    #: Worth knowing, or could not be found out.
    NOTE = "note"
    #: As it should be.
    FINE = "fine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was seen, where, and what to do. Phones and addresses are masked, secrets are in none of it."""

    grade: Grade
    #: What it is about: `broker`, `database`, `provider` …
    subject: str
    #: A sentence.
    what: str
    #: A setting, a file, a topic; empty where there is no one place.
    where: str = ""
    #: What to do; empty where there is nothing.
    advice: str = ""


def finding(subject: str, what: str, *, where: str = "", advice: str) -> Diagnosis:
    """Something loses messages."""
    return Diagnosis(grade=Grade.FINDING, subject=subject, what=what, where=where, advice=advice)


def note(subject: str, what: str, *, where: str = "", advice: str = "") -> Diagnosis:
    """Something is worth knowing."""
    return Diagnosis(grade=Grade.NOTE, subject=subject, what=what, where=where, advice=advice)


def fine(subject: str, what: str, *, where: str = "") -> Diagnosis:
    """Something is as it should be."""
    return Diagnosis(grade=Grade.FINE, subject=subject, what=what, where=where)


def counted(number: int, what: str) -> str:
    """`1 topic`, `1,000 topics`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
