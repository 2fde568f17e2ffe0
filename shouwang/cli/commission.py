"""`shouwang commission`: walk through a home, and see that every device is heard."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from shouwang.commissioning import Commissioning, Standing

_LOOK_EVERY_S = 0.5


def commission(
    home: Annotated[str, typer.Argument(help="The id of the home.")],
    *,
    by: Annotated[str, typer.Option("--by", help="Who tests; goes into the record.", show_default="you")] = "",
    minutes: Annotated[int, typer.Option("--for", min=1, max=240, help="Minutes, at the most.")] = 30,
    device: Annotated[list[str] | None, typer.Option(help="Only this device of the home. May be given again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Test a home's devices: press each test button, open and close each door, and see that it is heard.

    Meanwhile alarms of this home page nobody. It ends when all have passed, when the time is over, or with Ctrl-C; how
    each device did is recorded with date and person. Exit 0: all passed, 1: not all.
    """
    from shouwang.commissioning import UnknownHomeError  # noqa: PLC0415 - `shouwang --help` needs none of this

    try:
        who = by or getpass.getuser()
        standings = asyncio.run(_walk(home, who, timedelta(minutes=minutes), device or [], quiet=as_json))
    except UnknownHomeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps([_row(one) for one in standings], ensure_ascii=False, indent=2))
    if not all(one.verdict.passed for one in standings):
        raise typer.Exit(1)


async def _walk(home: str, by: str, lasts: timedelta, only: Sequence[str], *, quiet: bool) -> list[Standing]:
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.live import Live  # noqa: PLC0415

    from rules.texts import render  # noqa: PLC0415
    from shouwang.clock import SystemClock  # noqa: PLC0415
    from shouwang.commissioning import Commissioning  # noqa: PLC0415
    from shouwang.settings import load  # noqa: PLC0415
    from store.database import Database  # noqa: PLC0415

    settings, clock = load(), SystemClock()
    language = settings.language
    console = Console(stderr=quiet, width=None if sys.stdout.isatty() else 120, highlight=False)
    database = await Database.open(settings.database.url, create=False)
    try:
        await database.migrate()
        walk = await Commissioning.begin(database, home, by=by, now=clock.now(), lasts=lasts, only=only)
        until = walk.window.until.astimezone(ZoneInfo(settings.time_zone))
        console.print(render("commission.window", language, address=walk.home.address, until=f"{until:%H:%M}"))
        if not await walk.hears(clock.now()):
            console.print(render("commission.silent_service", language), style="bold red")
        # Ctrl-C ends the walk, and what was heard until then is recorded.
        with contextlib.suppress(asyncio.CancelledError), Live(console=console, auto_refresh=False) as live:
            await _until_all_passed(walk, clock, lambda seen: live.update(_table(seen, language), refresh=True))
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        standings = await walk.finish(clock.now())
        for one in standings:
            key = "commission.passed" if one.verdict.passed else "commission.failed"
            console.print(f"{one.device.id}: {render(key, language)}", style="green" if one.verdict.passed else "red")
        return standings
    finally:
        await database.close()


async def _until_all_passed(walk: Commissioning, clock: Any, show: Any) -> None:
    while True:
        standings = await walk.look()
        show(standings)
        if all(one.verdict.passed for one in standings) or clock.now() >= walk.window.until:
            return
        await asyncio.sleep(_LOOK_EVERY_S)


def _table(standings: Sequence[Standing], language: str) -> Table:
    from rich.table import Table  # noqa: PLC0415 - as above

    from rules.texts import render  # noqa: PLC0415
    from shouwang.commissioning import said_in_words  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, show_header=False)
    for one in standings:
        device = one.device
        to_do = one.verdict.to_do
        if to_do is None:
            mark = f"[green]✓ {render('commission.passed', language)}[/]"
        else:
            mark = f"[yellow]… {render(f'commission.{to_do}', language)}[/]"
        said = said_in_words(one.heard)
        heard = render("commission.heard" if said else "commission.nothing_heard", language, said=said)
        table.add_row(device.room or "", device.kind, device.id, mark, f"[dim]{heard}[/]")
    return table


def _row(one: Standing) -> dict[str, Any]:
    from shouwang.commissioning import said_in_words  # noqa: PLC0415 - as above

    return {
        "device": one.device.id,
        "kind": one.device.kind,
        "room": one.device.room,
        "passed": one.verdict.passed,
        "heard": said_in_words(one.heard),
        "tested_before": one.before.at.isoformat() if one.before is not None else None,
    }
