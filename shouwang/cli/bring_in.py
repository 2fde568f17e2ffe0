"""`shouwang import`: homes, people and devices from tables."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shouwang.importing.bringing_in import Brought
    from shouwang.importing.gathering import Gathered

#: So many problems are printed; all of them go into the file of --report.
_SHOWN = 50


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="CSV files or workbooks (.xlsx, .ods) with homes, residents, contacts, devices."),
    ],
    *,
    name: Annotated[
        str | None, typer.Option(help="What this import is called; the same name again changes what it brought in.")
    ] = None,
    check_only: Annotated[bool, typer.Option("--check", help="Look for mistakes, and write nothing.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Bring in the homes without mistakes.")] = False,
    close_missing: Annotated[
        bool, typer.Option("--close-missing", help="Close homes of this import that are in the tables no more.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write every mistake into this file, as CSV.")] = None,
) -> None:
    """Bring homes, the people in them and their devices in from tables, beside what the three files say.

    Without --skip-bad, one mistake keeps everything out. The service may run meanwhile, and knows of it within seconds.
    """
    from shouwang.importing import tables  # noqa: PLC0415 - `shouwang --help` needs none of this
    from shouwang.importing.gathering import gather  # noqa: PLC0415

    gathered = gather(table for path in files for table in tables.read(path))
    brought = asyncio.run(
        _go(gathered, name or files[0].stem, write=not check_only, skip_bad=skip_bad, close=close_missing)
    )
    if report is not None:
        _write_report(report, gathered)
    for problem in gathered.problems[:_SHOWN]:
        typer.echo(str(problem), err=True)
    if len(gathered.problems) > _SHOWN:
        more = f"… and {len(gathered.problems) - _SHOWN:,} more"
        typer.echo(more if report else f"{more}; all of them with --report mistakes.csv", err=True)
    if brought is not None:
        typer.echo(
            f"homes: {brought.added:,} added, {brought.changed:,} changed, {brought.unchanged:,} as they were,"
            f" {brought.closed:,} closed, {len(gathered.refused):,} left out; devices in them: {brought.devices:,}"
        )
    elif check_only:
        typer.echo(f"{len(gathered.homes):,} homes are good, {len(gathered.refused):,} are not")
    else:
        typer.echo("nothing was brought in; --skip-bad brings in the homes without mistakes", err=True)
    if gathered.problems:
        raise typer.Exit(1)


async def _go(gathered: Gathered, origin: str, *, write: bool, skip_bad: bool, close: bool) -> Brought | None:
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.progress import Progress  # noqa: PLC0415 - as above

    from rules.engine import Engine  # noqa: PLC0415
    from shouwang import config  # noqa: PLC0415
    from shouwang.clock import SystemClock  # noqa: PLC0415
    from shouwang.importing import bringing_in  # noqa: PLC0415
    from shouwang.settings import load  # noqa: PLC0415
    from store.database import Database  # noqa: PLC0415

    settings = load()
    engine = Engine(config.load_rulebook(settings.config.dir))
    database = await Database.open(settings.database.url, create=False)
    try:
        await database.migrate()
        await bringing_in.check(database, gathered, origin)
        if not write or (gathered.problems and not skip_bad):
            return None
        with Progress(transient=True, disable=not sys.stderr.isatty(), console=Console(stderr=True)) as progress:
            task = progress.add_task("homes", total=len(gathered.homes))
            return await bringing_in.bring_in(
                database,
                gathered,
                engine,
                origin=origin,
                now=SystemClock().now(),
                close_missing=close,
                progress=lambda homes: progress.advance(task, homes),
            )
    finally:
        await database.close()


def _write_report(path: Path, gathered: Gathered) -> None:
    import csv  # noqa: PLC0415 - as above

    # With a mark at the beginning, for spreadsheets read it as something else without.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "row", "column", "heading", "mistake"))
        for one in gathered.problems:
            writer.writerow((one.file, one.line, one.column, one.path, one.message))
