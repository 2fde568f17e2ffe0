"""The command line: `python -m simulators twilio|homes|gateway|load`."""

import asyncio
import contextlib
import json
import logging
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from simulators import community, load
from simulators.community import Community
from simulators.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio
from simulators.twilio.validation import MAGIC_GOOD_FROM
from simulators.world import on_broker

app = typer.Typer(
    help="The outside world of Shouwang: homes, gateways, an SMS provider, a load.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Url = Annotated[str, typer.Option(help="The broker: mqtt://user:password@host:port.")]
Devices = Annotated[Path, typer.Option(help="devices.yaml, or the folder it is in.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same days.")]


@app.callback()
def _main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


async def _until_told_to_stop(work: Callable[[], Awaitable[None]]) -> None:
    """Run until it ends by itself, or SIGINT or SIGTERM comes."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    task, stopped = asyncio.ensure_future(work()), asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _read(devices: Path) -> Community:
    try:
        return community.read(devices)
    except (OSError, KeyError, ValueError) as exc:
        raise typer.BadParameter(str(exc), param_hint="--devices") from exc


@app.command()
def twilio(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0: any that is free.")] = 0,
    account_sid: Annotated[str, typer.Option(help="The account that is known.")] = ACCOUNT_SID,
    auth_token: Annotated[str, typer.Option(help="Its token.")] = AUTH_TOKEN,
    number: Annotated[list[str] | None, typer.Option(help="The account's number; may be given several times.")] = None,
    sms_url: Annotated[str | None, typer.Option(help="Where incoming texts are brought.")] = None,
) -> None:
    """A stateful fake of Twilio's Messages and Calls. Prints one line of JSON that says where it is."""
    numbers = number or [MAGIC_GOOD_FROM]

    async def work() -> None:
        async with FakeTwilio(account_sid, auth_token, numbers=numbers, sms_url=sms_url, host=host, port=port) as fake:
            where = {
                "base_url": fake.base_url,
                "account_sid": account_sid,
                "auth_token": auth_token,
                "numbers": numbers,
            }
            typer.echo(json.dumps(where))
            await asyncio.Event().wait()

    asyncio.run(_until_told_to_stop(work))


async def _live(devices: Community, url: str, speed: float, seed: int, dialects: tuple[str, ...]) -> None:
    async with on_broker(devices, url, seed=seed, dialects=dialects) as homes:
        typer.echo(f"{len(devices.homes)} homes live at {speed:g} times the speed of time")
        await homes.run(speed=speed)


@app.command()
def homes(
    url: Url,
    devices: Devices = Path("devices.yaml"),
    speed: Annotated[float, typer.Option(min=0.001, help="Seconds of life in a second.")] = 1.0,
    seed: Seed = 0,
) -> None:
    """Every registered home lives ordinary days, until stopped."""
    known = _read(devices)
    asyncio.run(_until_told_to_stop(lambda: _live(known, url, speed, seed, ("shouwang", "zigbee2mqtt"))))


@app.command()
def gateway(
    url: Url,
    devices: Devices = Path("devices.yaml"),
    speed: Annotated[float, typer.Option(min=0.001, help="Seconds of life in a second.")] = 1.0,
    seed: Seed = 0,
) -> None:
    """Only the homes behind Zigbee2MQTT-like gateways."""
    known = _read(devices)
    asyncio.run(_until_told_to_stop(lambda: _live(known, url, speed, seed, ("zigbee2mqtt",))))


@app.command(name="load")
def load_command(
    *,
    url: Url,
    devices: Devices = Path("devices.yaml"),
    rate: Annotated[float, typer.Option(min=0, help="Ordinary messages a second; 0 sends the alarms alone.")] = 1000,
    seconds: Annotated[float, typer.Option(min=0.1, help="For how long.")] = 10,
    burst: Annotated[int, typer.Option(min=0, help="Instead of a rate: so many messages at once.")] = 0,
    alarms: Annotated[int, typer.Option(min=0, help="Alarms spread evenly among them.")] = 10,
    changes: Annotated[float, typer.Option(min=0, max=1, help="Share of door reports that say something new.")] = 0.05,
    window: Annotated[int, typer.Option(min=1, help="Messages that may wait for their acknowledgement.")] = 1000,
    introduce: Annotated[bool, typer.Option(help="Let gateways introduce their devices first.")] = True,
    seed: Seed = 0,
) -> None:
    """Send a load, and print what it came to as one line of JSON, with the time each alarm left."""
    traffic = load.Traffic(_read(devices), seed=seed, changes=changes)
    introduction = traffic.introduction() if introduce else []
    try:
        schedule = (
            load.burst(traffic, count=burst, alarms=alarms)
            if burst
            else load.steady(traffic, rate=rate, seconds=seconds, alarms=alarms)
        )
        report = load.run(url, schedule, introduction=introduction, window=window)
    except (ValueError, OSError) as exc:
        typer.echo(f"error: {exc}", err=True)
        raise typer.Exit(2) from exc
    typer.echo(
        json.dumps(
            {
                "messages": report.messages,
                "seconds": report.seconds,
                "rate": report.rate,
                "began": report.began._asdict(),
                "alarms": {device: left._asdict() for device, left in report.alarms.items()},
            }
        )
    )
