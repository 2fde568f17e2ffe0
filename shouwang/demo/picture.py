"""A picture of the terminal, as an SVG that needs nothing from anywhere else."""

import html
import re
from itertools import groupby
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import TerminalTheme

#: Dark, with enough contrast for the dim English.
_THEME = TerminalTheme(
    (22, 24, 29),
    (220, 223, 228),
    [
        (40, 44, 52),
        (224, 108, 117),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (220, 223, 228),
    ],
    [
        (130, 137, 151),
        (255, 123, 133),
        (169, 214, 137),
        (245, 210, 143),
        (119, 193, 255),
        (214, 140, 235),
        (102, 204, 216),
        (255, 255, 255),
    ],
)

#: As rich has it, without its fonts from a server far away: a picture in a README may not load anything.
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: "DejaVu Sans Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", "PingFang SC", "Microsoft YaHei",
    monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-wide {{
  font-size: 22px;
}}
.{unique_id}-title {{
  font-size: 18px;
  font-family: system-ui, sans-serif;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


_ID = "shouwang"
#: How far a glyph of 22 pixels stands inside two cells of 12.2, in cells.
_WIDE_INSET = 0.1

#: A piece of text as rich writes it: where it begins, how long it is, and what it says.
_TEXT = re.compile(
    r'<text class="(?P<style>[^"]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="(?P<length>[\d.]+)" '
    r'clip-path="(?P<clip>[^"]+)">(?P<said>[^<]*)</text>'
)


def save(console: Console, path: Path) -> None:
    """Save what a recording console has printed."""
    drawn = console.export_svg(title="shouwang demo", theme=_THEME, code_format=_FORMAT, unique_id=_ID)
    path.write_text(_TEXT.sub(_in_cells, drawn), encoding="utf-8")


def _in_cells(found: re.Match[str]) -> str:
    """Give every character its cells: rich counts one for each, and a Chinese one has two."""
    characters = html.unescape(found["said"])
    cell = float(found["length"]) / max(1, len(characters))
    x, pieces = float(found["x"]), []
    for width, run in groupby(characters, key=cell_len):
        words = "".join(run)
        length = cell * width * len(words)
        if width == 2:
            # Each in the middle of its two cells, whatever the font makes of it.
            places = " ".join(f"{x + cell * (2 * index + _WIDE_INSET):g}" for index in range(len(words)))
            place = f'class="{found["style"]} {_ID}-wide" x="{places}"'
        else:
            place = f'class="{found["style"]}" x="{x:g}" textLength="{length:g}"'
        if words.strip("\xa0 "):
            said = html.escape(words)
            pieces.append(f'<text {place} y="{found["y"]}" clip-path="{found["clip"]}">{said}</text>')
        x += length
    return "".join(pieces)
