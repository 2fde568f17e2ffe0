"""A line of input at the foot of a terminal on which other things are printed.

It is edited here, because what the terminal itself edits would be written over.
"""

import asyncio
import codecs
import os
import re
import sys
import termios
from collections.abc import Callable
from types import TracebackType
from typing import Self

_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z~]|O[A-Z])")
_BEGINNING = re.compile(r"\x1b(?:\[[0-9;?]*|O)?\Z")


class LineEditor:
    """Keys in, finished lines out. Knows no terminal.

    `complete` gives what the end of the text before the cursor may become, each whole word.
    """

    def __init__(self, complete: Callable[[str], list[str]] = lambda _text: []) -> None:
        self.text = ""
        self.cursor = 0
        #: What the last word could become, where Tab found several.
        self.choices: list[str] = []
        #: Ctrl-D on an empty line: there will be no more.
        self.ended = False
        self._complete = complete
        self._history: list[str] = []
        self._place = 0
        self._rest = ""

    def feed(self, keys: str) -> list[str]:
        """Take what was typed; give the lines finished by it."""
        keys, self._rest = self._rest + keys, ""
        finished: list[str] = []
        position = 0
        while position < len(keys):
            if (found := _SEQUENCE.match(keys, position)) is not None:
                self._move(found[0][-1], found[0])
                position = found.end()
            elif keys[position] == "\x1b" and _BEGINNING.match(keys, position):
                self._rest = keys[position:]
                break
            else:
                self._key(keys[position], finished)
                position += 1
        return finished

    def _key(self, key: str, finished: list[str]) -> None:
        self.choices = []
        match key:
            case "\r" | "\n":
                finished.append(self.text)
                if self.text.strip() and self._history[-1:] != [self.text]:
                    self._history.append(self.text)
                self._place = len(self._history)
                self._set("")
            case "\x7f" | "\b" if self.cursor:
                self._replace(self.cursor - 1, "")
            case "\x15":
                self._replace(0, "")
            case "\x17":
                self._replace(len(self.text[: self.cursor].rstrip().rpartition(" ")[0]), "")
            case "\x01":
                self.cursor = 0
            case "\x05":
                self.cursor = len(self.text)
            case "\x04" if not self.text:
                self.ended = True
            case "\t":
                self._tab()
            case _ if key.isprintable():
                self._replace(self.cursor, key)

    def _move(self, key: str, sequence: str) -> None:
        match key:
            case "A" | "B":
                self._place = min(max(self._place + (1 if key == "B" else -1), 0), len(self._history))
                self._set((*self._history, "")[self._place])
            case "C":
                self.cursor = min(self.cursor + 1, len(self.text))
            case "D":
                self.cursor = max(self.cursor - 1, 0)
            case "H":
                self.cursor = 0
            case "F":
                self.cursor = len(self.text)
            case "~" if sequence == "\x1b[3~":
                self.text = self.text[: self.cursor] + self.text[self.cursor + 1 :]

    def _tab(self) -> None:
        before = self.text[: self.cursor]
        choices = self._complete(before)
        if choices:
            start = before.rfind(" ") + 1
            common = os.path.commonprefix(choices)  # noqa: RUF071 - of words, and by characters
            self._replace(start, common + " " if len(choices) == 1 else common)
            self.choices = choices if len(choices) > 1 else []

    def _replace(self, start: int, words: str) -> None:
        """Put words in place of what stands between `start` and the cursor."""
        self.text = self.text[:start] + words + self.text[self.cursor :]
        self.cursor = start + len(words)

    def _set(self, text: str) -> None:
        self.text, self.cursor = text, len(text)


class Keyboard:
    """The terminal's keys, one by one and unseen, while it is entered; the terminal is as before afterwards."""

    def __init__(self, editor: LineEditor, changed: Callable[[], None] = lambda: None) -> None:
        self.editor = editor
        self._changed = changed
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._fd = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._fd)

    async def line(self) -> str | None:
        """The next line; None where there will be no more."""
        return await self._lines.get()

    def __enter__(self) -> Self:
        settings = termios.tcgetattr(self._fd)
        # Ctrl-C stays what it is.
        settings[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(self._fd, termios.TCSADRAIN, settings)
        asyncio.get_running_loop().add_reader(self._fd, self._read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            data = b""
        for line in self.editor.feed(self._decoder.decode(data)):
            self._lines.put_nowait(line)
        if not data or self.editor.ended:
            asyncio.get_running_loop().remove_reader(self._fd)
            self._lines.put_nowait(None)
        self._changed()
