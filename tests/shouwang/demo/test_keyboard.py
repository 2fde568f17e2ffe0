"""The line at the foot of the terminal."""

import asyncio
import os
import termios

import pytest

from shouwang.demo.keyboard import Keyboard, LineEditor

UP, DOWN, LEFT, RIGHT, HOME, END, DELETE = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b[C", "\x1b[H", "\x1bOF", "\x1b[3~"


@pytest.mark.parametrize(
    ("keys", "lines", "left"),
    [
        ("help\r", ["help"], ""),
        ("回复 李明", [], "回复 李明"),
        ("helq\x7fp\n", ["help"], ""),
        ("李明\x7f\x7f\x7fa", [], "a"),
        ("gas yl\x17door", [], "gasdoor"),
        ("gas\x15speed 9\r", ["speed 9"], ""),
        (f"elp{HOME}h{END}!{LEFT}{DELETE}", [], "help"),
        (f"ac{LEFT}b{RIGHT}d", [], "abcd"),
        ("bc\x01a\x05d", [], "abcd"),
        ("one\rtwo\r", ["one", "two"], ""),
        (f"one\rtwo\r{UP}{UP}", ["one", "two"], "one"),
        (f"one\r{UP}{DOWN}", ["one"], ""),
        ("a\x00\x07b\x1b[200~", [], "ab"),
    ],
)
def test_keys_become_lines(keys: str, lines: list[str], left: str) -> None:
    editor = LineEditor()

    assert (editor.feed(keys), editor.text) == (lines, left)


def test_a_key_may_come_in_pieces() -> None:
    """A slow connection parts an arrow key's three bytes."""
    editor = LineEditor()
    editor.feed("ac\x1b")
    editor.feed("[")
    editor.feed("Db")

    assert editor.text == "abc"


def test_the_end_of_input_ends_it_on_an_empty_line_only() -> None:
    editor = LineEditor()
    editor.feed("a\x04")
    assert not editor.ended

    editor.feed("\x7f\x04")
    assert editor.ended


def test_tab_completes_as_far_as_it_is_clear() -> None:
    editor = LineEditor(lambda text: [word for word in ("alarm", "already", "clear") if word.startswith(text[-1])])
    editor.feed("gas a\t")
    assert (editor.text, editor.choices) == ("gas al", ["alarm", "already"])

    editor.feed("\x15gas c\t")
    assert (editor.text, editor.choices) == ("gas clear ", [])


async def test_a_terminal_gives_its_keys_one_by_one_and_gets_its_habits_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unseen while they are typed; parts of a character wait for the rest of it."""
    outer, inner = os.openpty()
    with os.fdopen(inner, encoding="utf-8") as stdin, os.fdopen(outer, "wb", buffering=0) as typing:
        monkeypatch.setattr("sys.stdin", stdin)
        before = termios.tcgetattr(inner)
        changes: list[str] = []
        editor = LineEditor()
        with Keyboard(editor, lambda: changes.append(editor.text)) as keyboard:
            assert not termios.tcgetattr(inner)[3] & termios.ECHO
            for piece in ("回复 李".encode(), "明".encode()[:2], "明".encode()[2:] + b"\n"):
                typing.write(piece)
                await asyncio.sleep(0)
            assert await keyboard.line() == "回复 李明"
            typing.write(b"\x04")
            assert await keyboard.line() is None

        assert changes
        assert termios.tcgetattr(inner) == before
