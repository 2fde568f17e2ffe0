"""`homes`: which homes are watched over, and which are not, since when and because of which devices."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shouwang.cli.desk import print_json, with_desk

#: So many are asked for at a time.
_AT_ONCE = 500


def homes(
    *,
    unwatched: Annotated[bool, typer.Option("--unwatched", help="Only those that are not watched over.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")] = 1_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which homes are watched over; a sensor that gives no sign of life is never all quiet.

    A home is watched over while each of its devices keeps to its heartbeat and its gateway is on. Exit 0: all of those
    listed are, 1: some are not.
    """
    found: list[dict[str, Any]] = []
    after: str | None = ""
    answer: dict[str, Any] = {}
    while after is not None and len(found) < limit:
        answer = _ask(unwatched, min(_AT_ONCE, limit - len(found)), after)
        found += answer["homes"]
        after = answer["next"]
    if as_json:
        print_json({**answer, "homes": found})
    else:
        _print(found, answer["deaf_since"])
    raise typer.Exit(0 if all(one["watched"] for one in found) else 1)


def _ask(unwatched: bool, limit: int, after: str) -> dict[str, Any]:
    found: dict[str, Any] = with_desk(lambda desk: desk.homes(unwatched_only=unwatched, limit=limit, after=after))
    return found


def _print(rows: list[dict[str, Any]], deaf_since: str | None) -> None:
    from rich.console import Console  # noqa: PLC0415 - not for --json
    from rich.table import Table  # noqa: PLC0415

    if deaf_since is not None:
        typer.echo(f"nothing has been heard since {deaf_since}: is the service running, and connected to its broker?")
    if not rows:
        typer.echo("no home is without somebody to watch over it")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("home", "where", "watched over", "no sign of life of"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        since = row["unwatched_since"]
        watched = "yes" if row["watched"] else f"not since {since}" if since else "not yet"
        silent = ", ".join(f"{one['id']} ({one['cause'].replace('_', ' ')})" for one in row["devices"])
        table.add_row(row["id"], row["address"], watched, silent)
    Console().print(table)
