"""`shouwang security`: the security journal, which tells what looks as if somebody meant harm."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shouwang.settings import Settings
    from store.security import Entry


def security(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List messages that looked as if somebody meant harm: of another home, of another source, too many, too large.

    The one that came last is first; docs/runbook.md says what to do. Exit 0: there are none, 1: there are.
    """
    from shouwang.settings import load  # noqa: PLC0415 - `shouwang --help` needs none of this

    settings = load()
    found = asyncio.run(_entries(settings, limit))
    if as_json:
        rows = [
            {
                "kind": one.kind,
                "source": one.source or None,
                "subject": one.subject,
                "first_at": one.first_at.isoformat(timespec="seconds"),
                "last_at": one.last_at.isoformat(timespec="seconds"),
                "count": one.count,
                "detail": one.detail,
            }
            for one in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif found:
        _table(found, settings.time_zone)
    else:
        typer.echo("nothing that looks as if somebody meant harm")
    raise typer.Exit(1 if found else 0)


async def _entries(settings: Settings, limit: int) -> list[Entry]:
    from store import security as stored  # noqa: PLC0415 - see above
    from store.database import Database  # noqa: PLC0415

    database = await Database.open(settings.database.url, create=False)
    try:
        await database.migrate()
        async with database.read() as tx:
            return await stored.listing(tx, limit)
    finally:
        await database.close()


def _table(found: list[Entry], time_zone: str) -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - not for --json

    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "source", "first", "last", "times", "what"):
        table.add_column(heading, overflow="fold")
    for one in found:
        first, last = (f"{at.astimezone(ZoneInfo(time_zone)):%m-%d %H:%M:%S}" for at in (one.first_at, one.last_at))
        table.add_row(one.kind, one.source, first, last, str(one.count), one.detail)
    Console().print(table, markup=False)
