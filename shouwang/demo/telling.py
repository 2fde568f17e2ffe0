"""From the curtain to the tally: sets the stage, has the story told, and judges its promises."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from shouwang.demo import gathering
from shouwang.demo.playing import FreePlay
from shouwang.demo.promises import judged
from shouwang.demo.reporter import Reporter
from shouwang.demo.screen import WIDTH, Screen
from shouwang.demo.stage import ZONE, Stage, StuckError
from shouwang.demo.story import BRISK, START, UNWATCHED, WATCHED, Story
from shouwang.demo.world import set_up
from store import incidents


async def tell_story(
    *, once: bool, picture: Path | None = None, prepare: Callable[[Stage], object] = lambda _stage: None
) -> bool:
    """Tell the story; return whether every promise of it was kept.

    On a terminal, and unless `once`, people can then go on by themselves until they have had enough. `picture` is where
    to save the heart of it as an SVG; `prepare` may change the stage before the curtain rises.
    """
    screen = Screen(_console(), zone=ZoneInfo(ZONE))
    with _ended_by_sigterm():
        async with set_up(START) as stage:
            prepare(stage)
            reporter = Reporter(stage, screen)
            stage.watch.append(reporter.look)
            stage.on_life = reporter.life
            screen.foot = lambda: _foot(stage, "Ctrl-C 结束")
            with screen.alive():
                _curtain(stage, screen)
                pace = UNWATCHED if screen.plain else BRISK if once else WATCHED
                story = Story(stage, screen, pace, picture=picture)
                try:
                    await story.tell()
                except StuckError as error:
                    story.evidence.stuck = str(error)
                kept = await _tally(stage, screen, story)
            if not once and sys.stdin.isatty() and not screen.plain:
                await _play(stage, screen)
    return kept


async def _play(stage: Stage, screen: Screen) -> None:
    try:
        await FreePlay(stage, screen, lambda: _foot(stage, "help 帮助")).run()
    except asyncio.CancelledError:
        # Ctrl-C is one way to say that it is enough; the story itself has been told.
        task = asyncio.current_task()
        if task is None or task.uncancel():
            raise


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does: everything is cleared away on the way out."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        # A pipe has no width, and may have no Chinese.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        return Console(highlight=False, width=WIDTH)
    return console


def _curtain(stage: Stage, screen: Screen) -> None:
    registry = stage.directory.registry
    micro = sum(grid.level == "micro" for grid in registry.grids)
    desks = sum(worker.role == "desk" for worker in registry.workers)
    people = len(registry.workers) - desks
    screen.line(
        None,
        "story",
        "守望 Shouwang：从家里的传感器，到邻居的手机",
        "from a sensor in the home to the phone of the neighbour who answers",
        style="bold",
    )
    screen.line(
        None,
        "story",
        f"编造的社区：{len(registry.homes)}户人家、{micro}个微网格、{people}位网格员、一个值班室",
        f"a made-up community: {len(registry.homes)} homes, {micro} micro-grids, {people} workers, a desk",
    )
    screen.line(
        None,
        "story",
        f"真的：消息服务器（NATS，进程{stage.broker.pid}）、MQTT、SQLite、HTTP、守望本身",
        "real: the broker, MQTT, SQLite, HTTP, and Shouwang itself",
    )
    screen.line(None, "story", "模拟的：传感器、手机、短信服务商", "simulated: sensors, phones, the SMS provider")


def _foot(stage: Stage, hint: str) -> Text:
    clock = stage.clock
    local = clock.now().astimezone(ZoneInfo(ZONE))
    open_now = sum(one.is_open for one in stage.incidents)
    sent = stage.twilio.requests
    texts_sent = sum(one.accepted and one.resource == "messages" for one in sent)
    calls = sum(one.accepted and one.resource == "calls" for one in sent)
    parts = (
        f" {local:%H:%M:%S} {'‖' if stage.stands_still else f'×{clock.speed:g}'} ",
        f" 消息 messages {stage.ledger.committed} ",
        f" 事件 open {open_now} ",
        f" 短信 texts {texts_sent} ",
        f" 电话 calls {calls} ",
        f" {hint} ",
    )
    return Text("│".join(parts), style="reverse", no_wrap=True, overflow="ellipsis")


async def _tally(stage: Stage, screen: Screen, story: Story) -> bool:
    """Show the journal and the promises; return whether all were kept."""
    screen.scene("经过与承诺", "What happened, and what was promised")
    for incident in reversed(stage.incidents):
        async with stage.database.read() as tx:
            journal = await incidents.journal(tx, incident.id)
        screen.incident(incident, journal)
    await gathering.gather(stage, story.evidence, began=story.began)
    verdicts = judged(story.evidence)
    screen.promises(verdicts)
    kept = all(one.kept for one in verdicts)
    if kept:
        screen.line(None, "story", "承诺都兑现了。", "Every promise was kept.", style="bold green")
    else:
        broken = sum(not one.kept for one in verdicts)
        screen.line(None, "story", f"有{broken}个承诺没有兑现。", f"{broken} broken.", style="bold red")
    return kept
