"""The command line. Each command imports what it needs when it is called, so that `--help` is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from shouwang.cli import desk, run, simulate, story, tell

app = typer.Typer(
    name="shouwang",
    help="Shouwang 守望: from a sensor in the home to the phone of the neighbour who answers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(story.demo)
app.command("run")(run.run)
app.command("check")(tell.check)
app.command("explain")(tell.explain)
app.command("incidents")(desk.incidents)
app.command("ack")(desk.ack)
app.command("arrive")(desk.arrive)
app.command("resolve")(desk.resolve)
app.command(
    "simulate",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(simulate.simulate)


@app.callback()
def _options(
    directory: Annotated[
        Path | None,
        typer.Option("--dir", "-C", help="Work as if started in this folder.", file_okay=False, exists=True),
    ] = None,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.", is_eager=True)] = False,
) -> None:
    """Options for every command."""
    if version:
        from importlib.metadata import version as installed  # noqa: PLC0415 - rarely asked for

        typer.echo(f"shouwang {installed('shouwang')}")
        raise typer.Exit
    if directory is not None:
        import os  # noqa: PLC0415 - see above

        os.chdir(directory)


def main() -> None:
    """Run the command line; problems that people can mend end in a sentence and exit status 2."""
    from shouwang.cli.trouble import MENDABLE, describe  # noqa: PLC0415 - after the command is known to exist

    try:
        app()
    except* MENDABLE as group:
        for error in group.exceptions:
            typer.echo(describe(error), err=True)
        sys.exit(2)
