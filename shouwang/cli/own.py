"""`shouwang troubles`: what is wrong with the service itself, as it was last written down."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rules.trouble import Trouble
    from shouwang.settings import Settings


def troubles(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what is wrong with the service itself; docs/runbook.md says what to do about each.

    Read off the database, so what keeps that from being written is not here: the operators are told of it, and the log
    has it. Exit 0: nothing stands, 1: something does.
    """
    from shouwang.clock import SystemClock  # noqa: PLC0415 - `shouwang --help` needs none of this
    from shouwang.settings import load  # noqa: PLC0415
    from shouwang.trouble import summary  # noqa: PLC0415

    settings = load()
    found = [one for one in asyncio.run(_rows(settings)) if everything or one.stands]
    rows = summary(found, settings.language, SystemClock().now())
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif rows:
        _table(rows, settings.time_zone)
    else:
        typer.echo("nothing is wrong that is known of")
    raise typer.Exit(1 if any(one.stands for one in found) else 0)


async def _rows(settings: Settings) -> list[Trouble]:
    from store import troubles as stored  # noqa: PLC0415 - see above
    from store.database import Database  # noqa: PLC0415

    database = await Database.open(settings.database.url, create=False)
    try:
        await database.migrate()
        async with database.read() as tx:
            return await stored.listing(tx)
    finally:
        await database.close()


def _table(rows: list[dict[str, Any]], time_zone: str) -> None:
    from datetime import datetime  # noqa: PLC0415 - not for --json
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415 - not for --json
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "subject", "since", "until", "times", "what"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        since, until = (
            f"{datetime.fromisoformat(at).astimezone(ZoneInfo(time_zone)):%m-%d %H:%M:%S}" if at else "now"
            for at in (row["began_at"], row["ended_at"])
        )
        table.add_row(row["kind"], row["subject"], since, until, str(row["spells"]), row["what"])
    Console().print(table)
