"""`python -m benchmarks [NAMES] [--full]`: measure, show, save."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import alarms, decoders, machine, messages, sizes, storm
from benchmarks.processes import TrialError
from benchmarks.report import Figure, save, show

_RESULTS: Final = Path(__file__).parent / "results"
_RATES: Final = (0, 500, 2_000, 5_000)

Measure = Callable[[Path], Iterator[Figure]]

#: Five minutes at the most, all together.
_QUICK: Final[dict[str, Measure]] = {
    "decoders": decoders.decoders,
    "cpu": lambda folder: messages.cpu(folder, seconds=10),
    "latency": lambda folder: alarms.latency(folder, rates=_RATES, seconds=15, alarms=150),
    "burst": lambda folder: alarms.burst(folder, count=50_000, alarms=500),
    "sustained": lambda folder: messages.sustained(folder, rates=(10_000, 15_000, 20_000), seconds=6),
    "storm": storm.storm,
    "sizes": lambda folder: sizes.sizes(folder, homes=(1_000, 10_000)),
}
_FULL: Final[dict[str, Measure]] = {
    "decoders": decoders.decoders,
    "cpu": lambda folder: messages.cpu(folder, seconds=30),
    "latency": lambda folder: alarms.latency(folder, rates=_RATES, seconds=50, alarms=800),
    "burst": lambda folder: alarms.burst(folder, count=50_000, alarms=500),
    "sustained": lambda folder: messages.sustained(folder, rates=tuple(range(10_000, 40_001, 2_500)), seconds=15),
    "storm": storm.storm,
    "sizes": lambda folder: sizes.sizes(folder, homes=(1_000, 10_000, 100_000)),
}


def main() -> int:
    """Run; 0 where every figure is within its budget, 1 where one is not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(_QUICK)}")
    parser.add_argument("--full", action="store_true", help="all sizes, and long enough for steady figures")
    parser.add_argument("--write-docs", action="store_true", help="write the storms' table into docs/reliability.md")
    parser.add_argument("--folder", type=Path, help="where databases and logs go, and stay")
    options = parser.parse_args()
    if unknown := set(options.names) - _QUICK.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(_QUICK)}")

    console = Console(highlight=False)
    measures = dict(_FULL if options.full else _QUICK)
    if options.write_docs:
        measures["storm"] = lambda folder: storm.storm(folder, write_docs=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="shouwang-bench-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        about = machine.describe(folder)
        for number, name in enumerate(options.names or measures):
            began = time.monotonic()
            figures.append(Figure(name=f"pace of the machine before: {name}", value=machine.pace_ms(), unit="ms"))
            console.print(f"measuring {name} … (pace {figures[-1].value:.2f} ms)")
            try:
                # One that is asked for twice must not find what its first run has left.
                for figure in measures[name](folder / f"{number}-{name}"):
                    figures.append(figure)
                    console.print(f"  {figure.name}: {figure.value:.4g} {figure.unit}")
            except TrialError as error:
                console.print(f"  {error}", style="red", markup=False)
                return 1
            console.print(f"  ({time.monotonic() - began:.0f} s)")
    show(figures, about, console)
    path = _RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    save(figures, about, path)
    console.print(f"saved to {path}")
    return int(any(figure.ratio is not None and figure.ratio > 1 for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
