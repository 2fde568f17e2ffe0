"""`shouwang demo`: a story told live, with every part real but the people."""

import sys
from typing import Annotated

import typer


def demo(
    *,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="Tell the story once, in compressed time, and end: exit 1 if a promise was broken."
        ),
    ] = False,
) -> None:
    """Show the whole line at work: an evening, a gas leak, who is told and how it ends. Needs nothing but this command."""
    import asyncio  # noqa: PLC0415 - `shouwang --help` needs none of this

    from shouwang.demo import tell_story  # noqa: PLC0415

    kept = asyncio.run(tell_story(once=once or not sys.stdout.isatty()))
    if not kept:
        raise typer.Exit(1)
