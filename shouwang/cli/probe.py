"""`shouwang probe`: a self-test from outside, through the real broker."""

import json
from enum import StrEnum
from typing import Annotated

import typer


class To(StrEnum):
    """By which of the operators' own addresses the probe shall leave."""

    SMS = "sms"
    APPRISE = "apprise"
    WEBHOOK = "webhook"


def probe(
    *,
    to: Annotated[
        To | None, typer.Option("--to", help="Let it leave by a real channel, to SHOUWANG_OPERATORS__… of that kind.")
    ] = None,
    within: Annotated[str, typer.Option("--within", help="How long it may take: 10s, 1m.")] = "10s",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Send a self-test through broker, database, outbox and dispatcher, and demand that it leaves in time.

    For cron, here or on another machine. It reaches no worker.

    Exit 0: it left in time, 1: it did not, 2: wrong settings.
    """
    import asyncio  # noqa: PLC0415 - `shouwang --help` needs none of this

    from pydantic_core import PydanticCustomError  # noqa: PLC0415

    from shouwang import prober  # noqa: PLC0415
    from shouwang.clock import SystemClock  # noqa: PLC0415
    from shouwang.config.scalars import duration_s  # noqa: PLC0415
    from shouwang.settings import load  # noqa: PLC0415

    try:
        within_s = duration_s(within)
    except PydanticCustomError as error:
        raise typer.BadParameter(error.message(), param_hint="--within") from None
    settings = load()
    finding = asyncio.run(prober.run(settings, to=str(to) if to else "", within_s=within_s, now=SystemClock().now()))
    typer.echo(json.dumps(finding.as_json(), ensure_ascii=False) if as_json else finding.sentence, err=False)
    raise typer.Exit(0 if finding.good else 1)
