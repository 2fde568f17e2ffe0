"""The command line. Each command imports what it needs when it is called, so that `--help` is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from shouwang.cli import (
    bring_in,
    commission,
    decode,
    deliveries,
    desk,
    devices,
    doctor,
    homes,
    own,
    probe,
    run,
    security,
    simulate,
    story,
    tell,
)

app = typer.Typer(
    name="shouwang",
    help="Shouwang 守望: from a sensor in the home to the phone of the neighbour who answers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_SERVICE, _FILES, _DESK = "The service", "The files", "The desk"
app.command("demo", rich_help_panel=_SERVICE, short_help="See it work: a gas leak, told live. Needs nothing else.")(
    story.demo
)
app.command("run", rich_help_panel=_SERVICE, short_help="Run the service.")(run.run)
app.command("doctor", rich_help_panel=_SERVICE, short_help="What would lose messages here, in plain words.")(
    doctor.doctor
)
app.command("probe", rich_help_panel=_SERVICE, short_help="A self-test from outside, through the real broker.")(
    probe.probe
)
app.command("troubles", rich_help_panel=_SERVICE, short_help="What is wrong with the service itself.")(own.troubles)
app.command("security", rich_help_panel=_SERVICE, short_help="Messages that look as if somebody meant harm.")(
    security.security
)
app.command("check", rich_help_panel=_FILES, short_help="Find every mistake in the three files.")(tell.check)
app.command("decode", rich_help_panel=_FILES, short_help="What recorded messages say, and why not more.")(decode.decode)
app.command("commission", rich_help_panel=_SERVICE, short_help="Test a home's devices, one by one; nobody is paged.")(
    commission.commission
)
app.command("devices", rich_help_panel=_FILES, short_help="What is heard and in no file, ready to be pasted.")(
    devices.devices
)
app.command("explain", rich_help_panel=_FILES, short_help="Who would be told what, and when.")(tell.explain)
app.command("import", rich_help_panel=_FILES, short_help="Homes, people and devices from tables.")(bring_in.import_)
app.command("incidents", rich_help_panel=_DESK, short_help="List incidents, or show one whole.")(desk.incidents)
app.command("homes", rich_help_panel=_DESK, short_help="Which homes are watched over, and which are not.")(homes.homes)
app.command("deliveries", rich_help_panel=_DESK, short_help="How messages have gone, by person and provider.")(
    deliveries.deliveries
)
app.command("ack", rich_help_panel=_DESK, short_help="Answer an incident for somebody.")(desk.ack)
app.command("arrive", rich_help_panel=_DESK, short_help="Somebody is on the scene.")(desk.arrive)
app.command("resolve", rich_help_panel=_DESK, short_help="Close an incident with its outcome.")(desk.resolve)
app.command(
    "simulate",
    rich_help_panel=_SERVICE,
    short_help="Homes, gateways, a provider and load against a running broker.",
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)(simulate.simulate)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - rarely asked for

        typer.echo(f"shouwang {version('shouwang')}")
        raise typer.Exit


@app.callback()
def _options(
    directory: Annotated[
        Path | None,
        typer.Option("--dir", "-C", help="Work as if started in this folder.", file_okay=False, exists=True),
    ] = None,
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and end.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """Options for every command."""
    if directory is not None:
        import os  # noqa: PLC0415 - see above

        os.chdir(directory)


def main() -> None:
    """Run the command line; problems that people can mend end in a sentence and exit status 2."""
    try:
        app()
    except Exception as error:
        from shouwang.cli.trouble import sentences  # noqa: PLC0415 - knows every part, and most commands go well

        told = sentences(error)
        if not told:
            raise
        for sentence in told:
            typer.echo(sentence, err=True)
        sys.exit(2)
