"""The two looks of the demo: bubbles and colours for a terminal, a line for each happening anywhere else."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from rich import box
from rich.align import Align
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from shouwang.demo.lines import wrap
from shouwang.demo.people import Person
from shouwang.demo.promises import Verdict

#: Who speaks in a line: label and style.
VOICES = {
    "home": ("家里", "yellow"),
    "alarm": ("报警", "bold red"),
    "shouwang": ("守望", "bold magenta"),
    "phone": ("电话", "cyan"),
    "story": ("", ""),
}
#: Ways a message comes to a phone, in Chinese and English.
WAYS = {"sms": ("短信", "SMS"), "voice": ("电话", "call")}

#: A moment, and what was said of it in Chinese and English.
Line = tuple[datetime, str, str]

_INDENT = 11
#: A text of a page stands in a bubble as narrow as a phone; what is longer gets a broader one.
_NARROW, _BROAD, _LONG_CELLS = 54, 84, 150


class Sheet(Protocol):
    """Something to print on. The methods are those of Screen, which explains them."""

    def scene(self, zh: str, en: str) -> None:
        """See Screen."""

    def line(self, at: datetime | None, voice: str, zh: str, en: str, *, style: str) -> None:
        """See Screen."""

    def message(self, at: datetime, person: Person, way: str, text: str, *, note: str) -> None:
        """See Screen."""

    def answer(self, at: datetime, person: Person, zh: str, en: str, text: str) -> None:
        """See Screen."""

    def typed(self, line: str) -> None:
        """See Screen."""

    def journal(self, lines: Iterable[Line]) -> None:
        """See Screen."""

    def promises(self, verdicts: Sequence[Verdict]) -> None:
        """See Screen."""

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """See Screen."""


class PlainSheet:
    """Lines, as long as they are."""

    def __init__(self, console: Console, zone: ZoneInfo) -> None:
        self._console = console
        self._zone = zone

    def scene(self, zh: str, en: str) -> None:
        """A heading."""
        self._print(f"\n== {zh}  {en} ==")

    def line(self, at: datetime | None, voice: str, zh: str, en: str, *, style: str) -> None:  # noqa: ARG002 - plain
        """One line."""
        self._print(_words(_time(at, self._zone), VOICES[voice][0], zh, en and f"| {en}"))

    def message(self, at: datetime, person: Person, way: str, text: str, *, note: str) -> None:
        """One line, with the note at its end."""
        shown = text.replace("\n", " / ")
        self._print(
            _words(
                _time(at, self._zone), *WAYS[way], "->", person.name, f"{person.masked}:", shown, note and f"[{note}]"
            )
        )

    def answer(self, at: datetime, person: Person, zh: str, en: str, text: str) -> None:
        """One line, the other way round."""
        self._print(_words(_time(at, self._zone), zh, en, "<-", person.name, f"{person.masked}:", text))

    def typed(self, line: str) -> None:
        """A line with a prompt."""
        self._print(f"> {line}")

    def journal(self, lines: Iterable[Line]) -> None:
        """A line each."""
        for at, zh, en in lines:
            self._print(f"  {_time(at, self._zone)}  {zh} | {en}")

    def promises(self, verdicts: Sequence[Verdict]) -> None:
        """A line each."""
        for one in verdicts:
            self._print(f"{'兑现 kept  ' if one.kept else '未兑现 BROKEN'}  {one.zh} | {one.en} | {one.figure}")

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A line each."""
        for row in (headings, *rows):
            self._print("  " + " | ".join(row))

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class TerminalSheet:
    """Bubbles, tables and colours."""

    def __init__(self, console: Console, zone: ZoneInfo) -> None:
        self._console = console
        self._zone = zone

    def scene(self, zh: str, en: str) -> None:
        """A heading with a rule."""
        heading = Text.assemble((zh, "bold"), "  ", (en, "dim"))
        self._console.print(Group("", Rule(heading, align="left", style="bright_black")))

    def line(self, at: datetime | None, voice: str, zh: str, en: str, *, style: str) -> None:
        """Time, who, and both languages: beside each other where there is room, else one below the other."""
        label, colour = VOICES[voice]
        if at is None:
            self._indented(self._both(zh, en, style, room=self._console.width - 3))
            return
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=8, style="bright_black")
        grid.add_column(width=4, style=colour)
        grid.add_column()
        grid.add_row(_time(at, self._zone), label, self._both(zh, en, style, room=self._console.width - 17))
        self._indented(grid)

    def message(self, at: datetime, person: Person, way: str, text: str, *, note: str) -> None:
        """A bubble on the left."""
        title = Text.assemble(
            (" ".join(WAYS[way]), "bold cyan"), " ", (person.name, "bold"), f" {person.role[0]} ", person.masked
        )
        bubble = self._bubble(text, title, f"{_time(at, self._zone)}{note and f'  {note}'}", "cyan")
        self._console.print(Padding(bubble, (0, 0, 0, _INDENT)))

    def answer(self, at: datetime, person: Person, zh: str, en: str, text: str) -> None:
        """A bubble on the right."""
        title = Text.assemble((person.name, "bold"), f" {person.role[0]} ", (f"{zh} {en}", "bold green"))
        self._console.print(Align.right(self._bubble(text, title, _time(at, self._zone), "green")))

    def typed(self, line: str) -> None:
        """The line as it stood at the foot."""
        self._console.print(Text.assemble(("守望> ", "bold magenta"), line))

    def journal(self, lines: Iterable[Line]) -> None:
        """A table with a column for each language."""
        table = _empty_table()
        table.add_column("时间", style="bright_black")
        table.add_column("经过", ratio=1)
        table.add_column("journal", style="dim", ratio=1)
        for at, zh, en in lines:
            table.add_row(_time(at, self._zone), Text(zh), Text(en))
        self._indented(table)

    def promises(self, verdicts: Sequence[Verdict]) -> None:
        """A table, English below Chinese."""
        table = _empty_table("承诺  promise", "", "实测  measured")
        for one in verdicts:
            mark = Text("✓ 兑现 kept", "green") if one.kept else Text("✗ 未兑现 broken", "bold red")
            table.add_row(Text.assemble(one.zh, "\n", (one.en, "dim")), mark, Text(one.figure))
        self._indented(table)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table."""
        table = _empty_table(*headings)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._indented(table)

    def _indented(self, thing: RenderableType) -> None:
        self._console.print(Padding(thing, (0, 0, 0, 1)))

    @staticmethod
    def _both(zh: str, en: str, style: str, *, room: int) -> Text:
        said = Text(zh, style=style)
        if en:
            said.append("  " if cell_len(zh) + 2 + cell_len(en) <= room else "\n").append(en, style="dim")
        return said

    def _bubble(self, text: str, title: Text, subtitle: str, style: str) -> Panel:
        widest = max((cell_len(line) for line in text.splitlines()), default=0) + 4
        most = _BROAD if cell_len(text) > _LONG_CELLS else _NARROW
        width = min(most, max(widest, title.cell_len + 6, cell_len(subtitle) + 6), self._console.width - _INDENT)
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


def _empty_table(*headings: str) -> Table:
    return Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False, header_style="bright_black")


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _time(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%H:%M:%S}"
