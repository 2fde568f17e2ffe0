"""What the demo shows: scenes, lines, and messages as a phone shows them. Chinese first, English beside it.

On a terminal there are colours, bubbles and lines at the foot; anywhere else every happening is a plain line.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.text import Text

from rules import texts
from rules.decisions import JournalEntry
from rules.incident import Incident
from shouwang.demo import picture
from shouwang.demo.people import Person
from shouwang.demo.promises import Verdict
from shouwang.demo.sheets import PlainSheet, Sheet, TerminalSheet

#: The width for which everything is laid out.
WIDTH = 100


class Screen:
    """Prints; nothing here knows what happens, only how it looks."""

    def __init__(self, console: Console, *, zone: ZoneInfo) -> None:
        self.console = console
        self._zone = zone
        self._sheets: list[Sheet] = [TerminalSheet(console, zone) if console.is_terminal else PlainSheet(console, zone)]
        self._live: Live | None = None
        #: What stands at the foot of a terminal.
        self.foot: Callable[[], RenderableType] = lambda: Text("")

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
        """Save what is printed meanwhile as an SVG, as a terminal would show it."""
        if path is None:
            yield
            return
        recorder = Console(
            file=io.StringIO(), width=WIDTH, record=True, force_terminal=True, color_system="truecolor", highlight=False
        )
        sheet = TerminalSheet(recorder, self._zone)
        self._sheets.append(sheet)
        try:
            yield
        finally:
            self._sheets.remove(sheet)
        picture.save(recorder, path)

    # --- what is shown ------------------------------------------------------------------------------------------------

    def scene(self, zh: str, en: str) -> None:
        """A new part begins."""
        for sheet in self._sheets:
            sheet.scene(zh, en)

    def line(self, at: datetime | None, voice: str, zh: str, en: str = "", *, style: str = "") -> None:
        """Somebody or something says a thing; `voice` is one of sheets.VOICES."""
        for sheet in self._sheets:
            sheet.line(at, voice, zh, en, style=style)

    def message(self, at: datetime, person: Person, way: str, text: str, *, note: str = "") -> None:
        """What a phone shows (`way` sms), or says (voice), to its owner."""
        for sheet in self._sheets:
            sheet.message(at, person, way, text, note=note)

    def answer(self, at: datetime, person: Person, zh: str, en: str, text: str) -> None:
        """What somebody does with a phone: a text sent, a key pressed."""
        for sheet in self._sheets:
            sheet.answer(at, person, zh, en, text)

    def typed(self, line: str) -> None:
        """What somebody has typed, where it vanishes from the foot."""
        if line.strip():
            for sheet in self._sheets:
                sheet.typed(line)

    def incident(self, incident: Incident, journal: Iterable[JournalEntry]) -> None:
        """An incident with its journal, in both languages."""
        state = texts.word("state", incident.state, "zh")
        heading = f"{incident.code}  {incident.title}  {incident.snapshot.home.address}  {state}"
        self.line(None, "story", heading, style="bold")
        lines = [(one.at, texts.render_journal(one, "zh"), texts.render_journal(one, "en")) for one in journal]
        for sheet in self._sheets:
            sheet.journal(lines)

    def promises(self, verdicts: Sequence[Verdict]) -> None:
        """What was promised, and whether it was kept."""
        for sheet in self._sheets:
            sheet.promises(verdicts)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A list of things."""
        for sheet in self._sheets:
            sheet.table(headings, rows)


class _Foot:
    """Asks for the foot anew at every refresh."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._screen.foot()
