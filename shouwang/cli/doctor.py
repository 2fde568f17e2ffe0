"""`shouwang doctor`: what would lose messages here."""

from typing import Annotated

import typer


def doctor(
    send_test_to: Annotated[
        list[str] | None,
        typer.Option(
            "--send-test-to",
            help="Also send a test message: to a number (+8613800000001), an address (ntfy://…), voice:NUMBER, or every"
            " way of a worker by id. May be given several times.",
        ),
    ] = None,
    *,
    listen: Annotated[float, typer.Option(min=1, max=86_400, help="Seconds to listen to the sensors.")] = 10.0,
    queue: Annotated[
        int, typer.Option(min=0, max=100_000, help="Messages to publish to a session of the doctor's own; 0: none.")
    ] = 1_500,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Connect to broker, database and provider, and say in plain words what would lose messages.

    Run it beside the running service: it uses names of its own, changes nothing, and sends nothing unless told to.
    Exit 0: nothing found, 1: findings, 2: the settings cannot be used.
    """
    import asyncio  # noqa: PLC0415 - `shouwang --help` needs none of this
    import json  # noqa: PLC0415
    import logging  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415

    from shouwang.clock import SystemClock  # noqa: PLC0415
    from shouwang.doctor import report  # noqa: PLC0415
    from shouwang.doctor.diagnosis import Grade  # noqa: PLC0415
    from shouwang.doctor.examination import examine  # noqa: PLC0415
    from shouwang.settings import load  # noqa: PLC0415

    # What parts of the service would log is either said better below, or about what the doctor does itself.
    logging.getLogger().addHandler(logging.NullHandler())
    settings = load()
    waiting = Console(stderr=True)
    with waiting.status(f"listening for {listen:g} s, and looking around meanwhile") as status:
        if not waiting.is_terminal:
            status.stop()
        diagnoses = asyncio.run(
            examine(settings, now=SystemClock().now, listen_s=listen, queue=queue, send_to=tuple(send_test_to or ()))
        )
    if as_json:
        typer.echo(json.dumps(report.as_json(diagnoses), ensure_ascii=False, indent=2))
    else:
        report.print_to(Console(highlight=False), diagnoses)
    if any(one.grade is Grade.FINDING for one in diagnoses):
        raise typer.Exit(1)
