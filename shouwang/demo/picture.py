"""A picture of the terminal, as an SVG that needs nothing from anywhere else."""

from pathlib import Path

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
  font-family: "Noto Sans Mono CJK SC", "Sarasa Mono SC", "Source Han Mono SC", ui-monospace, Menlo, Consolas,
    "DejaVu Sans Mono", "PingFang SC", "Microsoft YaHei", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
  font-variant-east-asian: full-width;
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


def save(console: Console, path: Path) -> None:
    """Save what a recording console has printed."""
    console.save_svg(str(path), title="shouwang demo", theme=_THEME, code_format=_FORMAT, unique_id="shouwang")
