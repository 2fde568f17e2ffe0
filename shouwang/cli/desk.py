"""The desk from a terminal: `incidents`, `ack`, `arrive`, `resolve`; on the database, beside a running service."""

from __future__ import annotations

import asyncio
import getpass
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rules.incident import OutcomeKind, Verb

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shouwang.desk import Desk

_Reference = Annotated[str, typer.Argument(help="A reply code (K7), an incident's id or the beginning of one.")]
_By = Annotated[
    str, typer.Option("--by", help="A worker's id, or any name: who does it.", show_default="you, at the desk")
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Note = Annotated[str | None, typer.Option("--note", help="A few words for the record.")]


def incidents(
    reference: Annotated[str | None, typer.Argument(help="Show this one whole: code, id or beginning of one.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    as_json: _Json = False,
) -> None:
    """List open incidents, or show one with its journal and deliveries."""
    if reference is None:
        rows = with_desk(lambda desk: desk.incidents(open_only=not everything, limit=limit))
        if as_json:
            print_json(rows)
        else:
            _table(rows)
        return
    found = with_desk(lambda desk: desk.incident(reference))
    if found is None:
        _unknown(reference)
    if as_json:
        print_json(found)
    else:
        _whole(found)


def ack(reference: _Reference, by: _By = "", *, note: _Note = None, as_json: _Json = False) -> None:
    """Answer an incident for somebody: stops the escalation and starts the clock for arrival."""
    _act(reference, Verb.ACKNOWLEDGE, by=by, note=note, as_json=as_json)


def arrive(reference: _Reference, by: _By = "", *, note: _Note = None, as_json: _Json = False) -> None:
    """Say that somebody is on the scene: starts the clock for the outcome."""
    _act(reference, Verb.ARRIVE, by=by, note=note, as_json=as_json)


def resolve(
    reference: _Reference,
    outcome: Annotated[OutcomeKind, typer.Argument(help="How it ended.")],
    by: _By = "",
    *,
    note: _Note = None,
    as_json: _Json = False,
) -> None:
    """Close an incident with its outcome."""
    _act(reference, Verb.OUTCOME, by=by, note=note, as_json=as_json, outcome=outcome)


def _act(
    reference: str, verb: Verb, *, by: str, note: str | None, as_json: bool, outcome: OutcomeKind | None = None
) -> None:
    who = by or f"desk:{getpass.getuser()}"
    result = with_desk(lambda desk: desk.act(reference, verb, by=who, via="cli", outcome=outcome, note=note))
    if not result.found:
        _unknown(reference)
    if as_json:
        print_json({"refused": result.refused, "answer": result.answer, "incident": result.incident})
    else:
        typer.echo(result.refused or result.answer)
    if result.refused is not None:
        raise typer.Exit(1)


def with_desk(work: Callable[[Desk], Awaitable[Any]]) -> Any:
    """Give what some work at a desk of its own comes to; the service may run beside it."""
    from rules.rulebook import Rulebook  # noqa: PLC0415 - `shouwang --help` needs none of this
    from shouwang.clock import SystemClock  # noqa: PLC0415
    from shouwang.service import Service  # noqa: PLC0415
    from shouwang.settings import load  # noqa: PLC0415
    from store.database import Database  # noqa: PLC0415

    settings = load()
    # An incident carries all that its verbs need: it can be answered also while rules.yaml is broken.
    no_rules = Rulebook(rules=(), plans={}, policies={}, time_zone=settings.time_zone, language=settings.language)

    async def go() -> Any:
        database = await Database.open(settings.database.url, create=False)
        try:
            await database.migrate()
            return await work(Service(database, no_rules, now=SystemClock().now).desk)
        finally:
            await database.close()

    return asyncio.run(go())


def _unknown(reference: str) -> None:
    typer.echo(f"no incident goes by {reference!r}; `shouwang incidents` lists the open ones", err=True)
    raise typer.Exit(1)


def print_json(value: Any) -> None:
    """Print it for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - not for --json
    from rich.table import Table  # noqa: PLC0415

    if not rows:
        typer.echo("no open incidents")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("code", "state", "severity", "what", "where", "answered by", "opened"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        what = f"{row['title']}{' (drill)' if row['drill'] else ''}{'' if row['verified'] else ' (unverified)'}"
        table.add_row(
            row["code"],
            row["state"],
            row["severity"],
            what,
            row["address"],
            row["answered_by_name"] or "nobody yet",
            row["opened_at"],
        )
    Console().print(table)


def _whole(row: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415 - not for --json

    console = Console(highlight=False)
    console.print(f"[bold]{row['title']}[/]  {row['address']}  {' '.join(row['residents'])}")
    console.print(
        f"code {row['code']}  {row['state']}  {row['severity']}  answered by {row['answered_by_name'] or 'nobody yet'}"
    )
    if row["outcome"]:
        console.print(f"outcome {row['outcome']} by {row['outcome_by']}  {row['note'] or ''}")
    console.print("\n[bold]journal[/]")
    for entry in row["journal"]:
        console.print(f"  {entry['at']}  {entry['words']}")
    console.print("\n[bold]deliveries[/]")
    for one in row["deliveries"]:
        late = f" late {one['late_s']} s" if one["late_s"] else ""
        console.print(
            f"  {one['created_at']}  {one['channel']} to {one['to']} ({one['address']}): {one['state']}{late}"
        )
        console.print(f"      {one['text']}", style="dim")
