"""`python -m tests.decoding FILE...`: hold the decoders against recorded messages with their meaning.

Exit 0 where nothing that may cost a life was missed or made up, else 1. See tests/decoding/samples.py for the format.
"""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.decoding import judge, samples

CORPUS = Path(__file__).parent / "corpus"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.decoding", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="by default, our own corpus")
    parser.add_argument("--dialect", help="only this one")
    parser.add_argument("--vital", action="store_true", help="list only disagreements that may cost a life")
    options = parser.parse_args()
    files = options.files or sorted(CORPUS.glob("*.jsonl"))
    every = [one for file in files for one in samples.read(file) if options.dialect in {None, one.dialect}]
    verdict = judge.compare(every)

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(_table(verdict))
    shown = verdict.vital if options.vital else verdict.disagreements
    for one in shown:
        record = one.sample.about
        console.print(f"{one.sample.where} {one.sample.dialect} {one.kind}: {one.what}", style="bold", markup=False)
        payload = record.get("payload", record.get("payload_base64"))
        console.print(f"  {record['topic']} {_short(payload)}", markup=False)
        console.print(f"  meant {_short(one.meant)}; said {_short(one.said)}", markup=False)
        if record.get("open"):
            console.print(f"  {record['open']}", markup=False)
    if verdict.unread:
        console.print(f"dialects that nobody decodes: {dict(verdict.unread)}", markup=False)
    count = len(verdict.disagreements)
    console.print(f"{len(every)} messages, {count} disagreements, {len(verdict.vital)} of them vital", markup=False)
    return int(bool(verdict.vital))


def _table(verdict: judge.Verdict) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("dialect", "kind"):
        table.add_column(heading)
    for heading in ("found", "missed", "false alarm", "false clear"):
        table.add_column(heading, justify="right")
    for dialect, kind, *figures in judge.rows(verdict):
        style = "red" if any(figures[1:]) and kind in judge.VITAL else None
        table.add_row(dialect, kind, *(str(one) if one else "·" for one in figures), style=style)
    return table


def _short(value: object, most: int = 300) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[:most] + "…"


if __name__ == "__main__":
    sys.exit(main())
