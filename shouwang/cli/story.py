"""`shouwang demo`: a story told live, with every part real but the people."""

import sys
from pathlib import Path
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
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Also save the heart of the story as an SVG.", dir_okay=False)
    ] = None,
) -> None:
    """Show the whole line at work: an ordinary evening, a gas leak, who is told, and how it ends.

    Needs nothing but this command. On a terminal it goes on after the story, and you can type what sensors say and what
    people answer. Sends nothing anywhere, and leaves nothing behind.
    """
    if picture is not None and not picture.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {picture.parent}", param_hint="--picture")

    import asyncio  # noqa: PLC0415 - `shouwang --help` needs none of this

    from shouwang.demo import tell_story  # noqa: PLC0415

    try:
        kept = asyncio.run(tell_story(once=once or not sys.stdout.isatty(), picture=picture))
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("已停下。 Stopped.", err=True)
        raise typer.Exit(130) from None
    if not kept:
        raise typer.Exit(1)
