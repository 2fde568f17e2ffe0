"""`check` and `explain`: what the files mean, before anything happens."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def check(
    directory: Annotated[
        Path | None, typer.Argument(help="The folder with the three files.", show_default="here")
    ] = None,
    *,
    as_json: _Json = False,
) -> None:
    """Validate devices.yaml, grids.yaml and rules.yaml: every problem at once, and warnings.

    Exit 0: good, 1: warnings, 2: problems.
    """
    from shouwang import config  # noqa: PLC0415 - `shouwang --help` needs none of this
    from shouwang.settings import load  # noqa: PLC0415

    folder = directory or load().config.dir
    try:
        community = config.load(folder)
    except config.ConfigError as error:
        problems, warnings, summary = list(error.problems), [], ""
    else:
        problems, warnings = [], list(community.warnings)
        summary = (
            f"{len(community.registry.homes)} homes, {len(community.registry.devices)} devices, "
            f"{len(community.registry.workers)} workers, {len(community.rulebook.rules)} rules"
        )
    if as_json:
        value = {"problems": [str(one) for one in problems], "warnings": [str(one) for one in warnings]}
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            typer.echo(str(problem))
        for warning in warnings:
            typer.echo(f"warning: {warning}")
        typer.echo(summary or f"{len(problems)} problem{'s' if len(problems) != 1 else ''}")
    if problems:
        raise typer.Exit(2)
    if warnings:
        raise typer.Exit(1)


def explain(
    device: Annotated[str, typer.Argument(help="A device's id.")],
    state: Annotated[str, typer.Argument(help="What it says: alarm, open, pressed, low, a number …")],
    at: Annotated[str | None, typer.Option("--at", help="When: HH:MM, or YYYY-MM-DDTHH:MM; local time.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Of which kind, where it is not the device's own.")] = None,
    *,
    as_json: _Json = False,
) -> None:
    """Say what would happen: rule, incident, who, how, when, with the text of each message, if nobody answered.

    Exit 0: somebody would be told, 1: nothing would happen.
    """
    from rich.console import Console  # noqa: PLC0415 - `shouwang --help` needs none of this

    from shouwang import explain as explaining  # noqa: PLC0415
    from shouwang.settings import load  # noqa: PLC0415

    settings = load()
    explanation = explaining.explain(
        settings.config.dir,
        device_id=device,
        state=state,
        kind=kind,
        at=_moment(at, settings.time_zone),
        time_zone=settings.time_zone,
        language=settings.language,
    )
    if as_json:
        typer.echo(json.dumps(explanation.as_json(), ensure_ascii=False, indent=2))
    else:
        explanation.print_to(Console(highlight=False))
    if not explanation.pages:
        raise typer.Exit(1)


def _moment(text: str | None, time_zone: str) -> datetime:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see above

    from shouwang.clock import SystemClock  # noqa: PLC0415

    local = SystemClock().now().astimezone(ZoneInfo(time_zone))
    if text is None:
        return local
    for form in ("%H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"):
        try:
            given = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is set below
        except ValueError:
            continue
        if form == "%H:%M":
            return local.replace(hour=given.hour, minute=given.minute, second=0, microsecond=0)
        return given.replace(tzinfo=local.tzinfo)
    raise typer.BadParameter(f"{text!r} is no time; write 03:00 or 2026-01-31T03:00", param_hint="--at")
