"""How outcomes are shown: a table on the terminal, the same in docs/reliability.md."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.faults.problem import Kind
from tests.faults.scenario import Outcome

#: The columns of problems, and what counts there.
COLUMNS: dict[str, tuple[Kind, ...]] = {
    "lost": ("lost",),
    "doubled": ("doubled",),
    "late": ("late",),
    "early": ("early",),
    "without owner": ("unowned",),
    "wrong person": ("misdirected",),
    "answers lost": ("answer lost", "after answer"),
    "other": ("forged", "other"),
}
_AMOUNTS = ("kills", "alarms", "texts", "calls", "answers")
#: The two tables of the document: of the run that everybody can do in minutes, and of the long one.
BOUNDED, LONG = "faults", "faults-long"
_DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "reliability.md"


def show(outcomes: Sequence[Outcome], console: Console, title: str, *, problems_each: int = 12) -> None:
    """Print the table, and what is behind every figure that is not zero: so many problems of an outcome at the most."""
    table = Table(title=title)
    table.add_column("what was done")
    for name in (*_AMOUNTS, *COLUMNS, "s"):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        table.add_row(*_row(outcome, mark=True), f"{outcome.seconds:.0f}")
    if len(outcomes) > 1:
        table.add_section()
        table.add_row(*_total(outcomes, mark=True), "")
    console.print(table)
    for outcome in outcomes:
        if outcome.error:
            console.print(f"[red]{escape(outcome.scenario.name)}: {escape(outcome.error)}")
        for problem in outcome.problems[:problems_each]:
            console.print(f"[red]{escape(outcome.scenario.name)}: {escape(str(problem))}")
        if outcome.lost_by_broker:
            console.print(
                f"{escape(outcome.scenario.name)}: {outcome.lost_by_broker} alarms were lost by the broker after it had"
                " acknowledged them, and came when sensors repeated them",
                style="yellow",
            )


def write_document(
    outcomes: Sequence[Outcome],
    command: str,
    version: str,
    *,
    table: str = BOUNDED,
    minutes: float,
    document: Path = _DOCUMENT,
) -> None:
    """Put a table into docs/reliability.md, between its marks. Raises ValueError where those are missing.

    In the long one installations of one sort are one row.
    """
    head = ("what was done", *_AMOUNTS, *COLUMNS)
    rows = [_row(one) for one in outcomes] if table == BOUNDED else _by_sort(outcomes)
    all_rows = [head, ("---", *["---:"] * (len(head) - 1)), *rows, _total(outcomes)]
    lines = "\n".join("| " + " | ".join(row) + " |" for row in all_rows)
    today = date.today().isoformat()  # noqa: DTZ011 - the day where it was run
    about = f"{today}, version {version}, `{command}`, {len(outcomes)} installations, {minutes:.0f} minutes"
    begin, end = f"<!-- {table}: begin -->", f"<!-- {table}: end -->"
    pattern = re.compile(f"{begin}.*?{end}", re.DOTALL)
    text = document.read_text("utf-8")
    if not pattern.search(text):
        raise ValueError(f"{document} has no {begin} … {end}")
    new = f"{begin}\n{about}:\n\n{lines}\n{end}"
    document.write_text(pattern.sub(lambda _: new, text), "utf-8")


def _by_sort(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    sorts: dict[str, list[Outcome]] = {}
    for one in outcomes:
        sorts.setdefault(one.scenario.sort or one.scenario.name, []).append(one)
    return [_total(those, name=f"{name} ({len(those)})") for name, those in sorts.items()]


def _row(outcome: Outcome, *, mark: bool = False) -> tuple[str, ...]:
    name = outcome.scenario.name
    if outcome.not_run:
        return (f"{name} ({outcome.not_run})", *[""] * (len(_AMOUNTS) + len(COLUMNS)))
    amounts = (outcome.kills, outcome.alarms, outcome.texts, outcome.calls, outcome.replies)
    figures = ["?"] * len(COLUMNS) if outcome.error else [str(outcome.count(*kinds)) for kinds in COLUMNS.values()]
    return (name, *(f"{one:,}" for one in amounts), *(_marked(one) if mark else one for one in figures))


def _total(outcomes: Sequence[Outcome], *, name: str = "all", mark: bool = False) -> tuple[str, ...]:
    run = [one for one in outcomes if not one.not_run]
    amounts = (
        sum(one.kills for one in run),
        sum(one.alarms for one in run),
        sum(one.texts for one in run),
        sum(one.calls for one in run),
        sum(one.replies for one in run),
    )
    # What broke off proves nothing.
    broke_off = any(one.error for one in outcomes)
    counted = [sum(one.count(*kinds) for one in run) for kinds in COLUMNS.values()]
    figures = [f"{one}?" if broke_off else str(one) for one in counted]
    return (name, *(f"{one:,}" for one in amounts), *(_marked(one) if mark else one for one in figures))


def _marked(figure: str) -> str:
    return figure if figure == "0" else f"[bold red]{figure}[/]"
