"""`deliveries`: how messages have gone, by person, channel and provider."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shouwang.cli.desk import print_json, with_desk


def deliveries(
    *,
    days: Annotated[float, typer.Option("--days", min=0.01, max=3660, help="How far back to look.")] = 7.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what became of what was sent: taken, arrived, how quickly; for each person, and for each provider."""
    found = with_desk(lambda desk: desk.delivery_figures(days=days))
    if as_json:
        print_json(found)
    elif not found["figures"]:
        typer.echo(f"nothing has been sent in the last {days:g} days")
    else:
        _print(found)


_HEADINGS = ("taken", "arrived", "failed", "unheard", "refused", "no answer", "mean", "longest")


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415 - not for --json
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    for title, rows in (("by person", found["figures"]), ("by provider", found["providers"])):
        table = Table(box=None, pad_edge=False, title=f"{title}, since {found['since']}", title_justify="left")
        who = [] if rows is found["providers"] else ["to"]
        for heading in (*who, "channel", "provider"):
            table.add_column(heading, overflow="fold")
        for heading in _HEADINGS:
            table.add_column(heading, justify="right")
        for row in rows:
            name = [row["name"]] if who else []
            table.add_row(*name, row["channel"], row["provider"] or "none", *_cells(row))
        console.print(table)


def _cells(row: dict[str, Any]) -> list[str]:
    counts = ("accepted", "delivered", "failed", "unheard", "refused", "unanswered")
    seconds = ("seconds_mean", "seconds_max")
    return [
        *(str(row[name] or "") for name in counts),
        *("" if row[name] is None else f"{row[name]:g} s" for name in seconds),
    ]
