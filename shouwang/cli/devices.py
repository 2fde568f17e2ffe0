"""`shouwang devices`: what is heard and in no file."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shouwang.unregistered import Proposal


def devices(
    *,
    source: Annotated[str | None, typer.Option(help="Only those of this source.")] = None,
    home: Annotated[str, typer.Option(help="The home that they are for: ids begin with it.")] = "CHANGE-ME",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List devices that are heard, or that a gateway speaks of, and that are not registered; the latest first.

    Behind the list stand lines to be pasted into devices.yaml, under the `devices:` of their home.
    """
    found, taken = asyncio.run(_found())
    chosen = [one for one in found if source is None or one.source == source]
    shown = chosen[:limit]
    if as_json:
        import json  # noqa: PLC0415 - seldom asked for

        rows = [
            {
                "source": one.source,
                "dialect": one.dialect,
                "name": one.name,
                "kind": one.kind,
                "vendor": one.vendor,
                "model": one.model,
                "last_seen": one.last_seen.isoformat() if one.last_seen else None,
                "topic": one.topic,
                "entry": one.entry(home, taken),
            }
            for one in shown
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not shown:
        typer.echo("nothing is heard that is not registered")
        return
    _table(shown)
    if len(chosen) > limit:
        typer.echo(f"… and {len(chosen) - limit:,} more (--limit)")
    typer.echo("")
    for one in shown:
        typer.echo(f"          {one.entry(home, taken)}")


async def _found() -> tuple[list[Proposal], set[str]]:
    from shouwang.settings import load  # noqa: PLC0415 - `shouwang --help` needs none of this
    from shouwang.unregistered import propose  # noqa: PLC0415
    from store import registry, strangers  # noqa: PLC0415
    from store.database import Database  # noqa: PLC0415

    database = await Database.open(load().database.url, create=False)
    try:
        await database.migrate()
        async with database.read() as tx:
            found = propose(await strangers.unregistered(tx))
            ids = {device.id async for device in registry.each_device(tx)} if found else set()
            return found, ids
    finally:
        await database.close()


def _table(rows: list[Proposal]) -> None:
    from rich.console import Console  # noqa: PLC0415 - not for --json
    from rich.table import Table  # noqa: PLC0415

    from shouwang.clock import SystemClock  # noqa: PLC0415

    now = SystemClock().now()
    table = Table(box=None, pad_edge=False)
    for heading in ("source", "name", "kind", "vendor", "model", "heard"):
        table.add_column(heading, overflow="fold")
    for one in rows:
        heard = (
            "never; its gateway speaks of it" if one.last_seen is None else _ago((now - one.last_seen).total_seconds())
        )
        table.add_row(one.source, one.name, one.kind or "?", one.vendor or "", one.model or "", heard)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _ago(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"
