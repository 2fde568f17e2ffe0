"""`shouwang run`: the service."""

from typing import Annotated

import typer


def run(
    *,
    stub_channels: Annotated[
        bool,
        typer.Option("--stub-channels", help="Print every message here instead of sending it: for a trial."),
    ] = False,
) -> None:
    """Run the service, from the folder's three YAML files and the environment (SHOUWANG_…, .env).

    Ends on SIGTERM or Ctrl-C. SIGHUP, or saving a file, reads the configuration again.
    """
    import asyncio  # noqa: PLC0415 - `shouwang --help` needs none of this
    import signal  # noqa: PLC0415 - as above

    # Until it is heeded: a reload that comes too early must not end the service.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    from shouwang import memory  # noqa: PLC0415 - before anything that may begin a thread

    memory.be_modest()

    from shouwang import app, channels, logs  # noqa: PLC0415
    from shouwang.settings import load  # noqa: PLC0415

    settings = load()
    logs.configure(level=settings.log.level, style=settings.log.format)
    asyncio.run(app.run(settings, sending=channels.stubs() if stub_channels else None))
