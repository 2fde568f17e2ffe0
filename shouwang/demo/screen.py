"""What the demo shows: scenes, lines, and messages as a phone shows them. Chinese first, English beside it.

On a terminal there are colours, bubbles and a line at the foot; anywhere else every happening is a plain line.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich import box
from rich.align import Align
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from rules import texts
from rules.decisions import JournalEntry
from rules.incident import Incident
from shouwang.demo import picture
from shouwang.demo.lines import wrap
from shouwang.demo.people import Person
from shouwang.demo.promises import Verdict

#: The width for which everything is laid out.
WIDTH = 100
_INDENT = 11
#: A text of a page in a bubble as narrow as a phone; what is longer gets a broader one.
_NARROW, _BROAD, _LONG_CELLS = 54, 84, 150

#: Who speaks in a line: label and style.
VOICES = {
    "home": ("家里", "yellow"),
    "alarm": ("报警", "bold red"),
    "shouwang": ("守望", "bold magenta"),
    "phone": ("电话", "cyan"),
    "story": ("", ""),
}
#: Ways a message comes to a phone, in Chinese and English.
WAYS = {"sms": ("短信", "SMS"), "voice": ("电话", "call"), "apprise": ("推送", "push")}


class Screen:
    """Prints; nothing here knows what happens, only how it looks."""

    def __init__(self, console: Console, *, zone: ZoneInfo) -> None:
        self._consoles = [console]
        self._zone = zone
        self._live: Live | None = None
        #: What stands at the foot of a terminal.
        self.foot: Callable[[], RenderableType] = lambda: Text("")

    @property
    def console(self) -> Console:
        """Where it prints."""
        return self._consoles[0]

    @property
    def plain(self) -> bool:
        """Whether this is no terminal."""
        return not self.console.is_terminal

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Keep the foot up to date, on a terminal."""
        if self.plain:
            yield
            return
        self._live = Live(_Foot(self), console=self.console, refresh_per_second=10, transient=True)
        try:
            with self._live:
                yield
        finally:
            self._live = None

    def refresh(self) -> None:
        """Show the foot as it is now."""
        if self._live is not None:
            self._live.refresh()

    @contextmanager
    def pictured(self, path: Path | None) -> Iterator[None]:
        """Save what is printed meanwhile as an SVG."""
        if path is None:
            yield
            return
        recorder = Console(file=io.StringIO(), width=WIDTH, record=True, force_terminal=True, color_system="truecolor")
        self._consoles.append(recorder)
        try:
            yield
        finally:
            self._consoles.remove(recorder)
        picture.save(recorder, path)

    # --- what is shown ------------------------------------------------------------------------------------------------

    def scene(self, zh: str, en: str) -> None:
        """A new part begins."""
        if self.plain:
            self._print(f"\n== {zh}  {en} ==")
        else:
            self._print("", Rule(Text.assemble((zh, "bold"), "  ", (en, "dim")), align="left", style="bright_black"))

    def line(self, at: datetime | None, voice: str, zh: str, en: str = "", *, style: str = "") -> None:
        """Somebody or something says a thing."""
        label, colour = VOICES[voice]
        if self.plain:
            self._print(" ".join(part for part in (self._time(at), label, zh, en and f"| {en}") if part))
            return
        if at is None:
            said = self._both(zh, en, style, room=self.console.width - 3)
            self._print(Padding(said, (0, 0, 0, 1)))
            return
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=8, style="bright_black")
        grid.add_column(width=4, style=colour)
        grid.add_column()
        grid.add_row(self._time(at), label, self._both(zh, en, style, room=self.console.width - 17))
        self._print(Padding(grid, (0, 0, 0, 1)))

    def message(self, at: datetime, person: Person, way: str, text: str, *, note: str = "") -> None:
        """What a phone shows, or says, to its owner."""
        zh, en = WAYS[way]
        if self.plain:
            shown = text.replace("\n", " / ")
            self._print(f"{self._time(at)} {zh} {en} -> {person.name} {person.masked}: {shown}{note and f' [{note}]'}")
            return
        title = Text.assemble((f"{zh} {en} ", "bold cyan"), (person.name, "bold"), f" {person.role[0]} ", person.masked)
        self._print(
            Padding(self._bubble(text, title, f"{self._time(at)}{note and f'  {note}'}", "cyan"), (0, 0, 0, _INDENT))
        )

    def answer(self, at: datetime, person: Person, zh: str, en: str, text: str) -> None:
        """What somebody does with a phone: a text sent, a key pressed."""
        if self.plain:
            self._print(f"{self._time(at)} {zh} {en} <- {person.name} {person.masked}: {text}")
            return
        title = Text.assemble((person.name, "bold"), f" {person.role[0]} ", (f"{zh} {en}", "bold green"))
        self._print(Align.right(self._bubble(text, title, self._time(at), "green")))

    def typed(self, line: str) -> None:
        """What somebody has typed, where it would vanish from the foot."""
        if line.strip():
            self._print(Text.assemble(("守望> ", "bold magenta"), line))

    def incident(self, incident: Incident, journal: Iterable[JournalEntry]) -> None:
        """An incident with its journal, in both languages."""
        home, state = incident.snapshot.home, texts.word("state", incident.state, "zh")
        self.line(None, "story", f"{incident.code}  {incident.title}  {home.address}  {state}", style="bold")
        lines = [(one.at, texts.render_journal(one, "zh"), texts.render_journal(one, "en")) for one in journal]
        if self.plain:
            for at, zh, en in lines:
                self._print(f"  {self._time(at)}  {zh} | {en}")
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bright_black")
        for heading, style in (("时间", "bright_black"), ("经过", ""), ("journal", "dim")):
            table.add_column(heading, style=style, ratio=None if heading == "时间" else 1)
        for at, zh, en in lines:
            table.add_row(self._time(at), zh, en)
        self._print(Padding(table, (0, 0, 0, 1)))

    def promises(self, verdicts: Sequence[Verdict]) -> None:
        """What was promised, and whether it was kept."""
        if self.plain:
            for one in verdicts:
                self._print(f"{'兑现 kept  ' if one.kept else '未兑现 BROKEN'}  {one.zh} | {one.en} | {one.figure}")
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bright_black")
        for heading in ("承诺  promise", "", "实测  measured"):
            table.add_column(heading)
        for one in verdicts:
            mark = Text("✓ 兑现 kept", "green") if one.kept else Text("✗ 未兑现 broken", "bold red")
            table.add_row(Text.assemble(one.zh, "\n", (one.en, "dim")), mark, Text(one.figure))
        self._print(Padding(table, (0, 0, 0, 1)))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A plain list of things."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bright_black")
        for heading in headings:
            table.add_column(heading)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._print(Padding(table, (0, 0, 0, 1)))

    def blank(self) -> None:
        """An empty line."""
        self._print("")

    # --- common -------------------------------------------------------------------------------------------------------

    @staticmethod
    def _both(zh: str, en: str, style: str, *, room: int) -> Text:
        """Both languages: beside each other where there is room, else one below the other."""
        said = Text(zh, style=style)
        if en:
            said.append("  " if cell_len(zh) + 2 + cell_len(en) <= room else "\n").append(en, style="dim")
        return said

    def _bubble(self, text: str, title: Text, subtitle: str, style: str) -> Panel:
        broad = cell_len(text) > _LONG_CELLS
        widest = max((cell_len(line) for line in text.splitlines()), default=0) + 4
        width = min(_BROAD if broad else _NARROW, max(widest, title.cell_len + 6, cell_len(subtitle) + 6))
        width = min(width, self.console.width - _INDENT)
        return Panel(
            Text("\n".join(wrap(text, width - 4))),
            title=title,
            title_align="left",
            subtitle=Text(subtitle, style="bright_black"),
            subtitle_align="right",
            width=width,
            border_style=style,
            box=box.ROUNDED,
        )

    def _time(self, at: datetime | None) -> str:
        return "" if at is None else f"{at.astimezone(self._zone):%H:%M:%S}"

    def _print(self, *things: RenderableType) -> None:
        for console in self._consoles:
            if self.plain:
                # A line is a line: no wrapping where nobody looks at a width.
                console.print(*things, sep="\n", markup=False, highlight=False, soft_wrap=True)
            else:
                console.print(Group(*things))


class _Foot:
    """Asks for the foot anew at every refresh."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._screen.foot()
