"""Breaking lines of Chinese with words and numbers in it, as a phone does."""

import re

from rich.cells import cell_len

#: What may not begin a line.
_CLOSING = "，。、；：！？）”》,.;:!?)"
#: What stays together: a word, a number or an address part in plain letters, or one other character.
_ATOM = re.compile(r"[A-Za-z0-9+*#-]+|.", re.DOTALL)


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` cells, at blanks where that leaves no line half empty.

    A comma never begins a line, and what is written in plain letters and digits is never parted.
    """
    return [line for paragraph in text.split("\n") for line in _wrap(paragraph, width)]


def _wrap(paragraph: str, width: int) -> list[str]:
    lines = [""]
    atoms = _ATOM.findall(paragraph) or [""]
    for atom, following in zip(atoms, [*atoms[1:], ""], strict=True):
        # Room for the comma that must not stand alone.
        needed = cell_len(atom) + (cell_len(following) if following and following in _CLOSING else 0)
        if lines[-1] and cell_len(lines[-1]) + needed > width and atom not in _CLOSING:
            kept, space, moved = lines[-1].rpartition(" ")
            if not space or cell_len(kept) * 2 < width:
                # No blank to break at, or so early that half of the line would stay empty.
                kept, moved = lines[-1], ""
            lines[-1] = kept.rstrip()
            lines.append(moved)
        if lines[-1] or atom != " " or len(lines) == 1:
            lines[-1] += atom
    return lines
