"""`shouwang simulate`: homes, gateways and phones against a running broker, as simulators/ has them."""

import typer


def simulate(context: typer.Context) -> None:
    """Simulate the outside world: homes, gateway, twilio, load. `shouwang simulate --help` lists them."""
    from simulators.cli import app  # noqa: PLC0415 - `shouwang --help` needs none of this

    app(args=context.args or ["--help"], prog_name="shouwang simulate")
