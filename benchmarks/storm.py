"""Very many homes at once: when the last one is named to somebody, and how many messages their workers get.

    python -m benchmarks storm                  measure and show
    python -m benchmarks storm --write-docs     and write the table into docs/reliability.md

The provider answers at once; nobody answers the pages. What is measured is the first text about each home, up to the
request at the provider, from the moment its alarm was handed to the broker.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.alarms import homes_in
from benchmarks.messages import Sent, Trial
from benchmarks.processes import TrialError
from benchmarks.report import Figure

_DOCS: Final = Path(__file__).parent.parent / "docs" / "reliability.md"
_BEGIN, _END = "<!-- storm: begin -->", "<!-- storm: end -->"
#: Every home is named within this (invariant life-first).
_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """What alarms, and how."""

    name: str
    homes: int
    seconds: float
    #: Messages a second by which one gateway repeats what is known already, beside the alarms.
    repeats: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a storm; times in seconds after the alarm was sent."""

    storm: Storm
    workers: int
    first_s: float
    half_s: float
    last_s: float
    messages: int
    most_to_one: int


STORMS: Final = (
    Storm(name="50 homes of one worker in the same second", homes=50, seconds=0.0),
    Storm(name="1,000 homes of a district within ten seconds", homes=1_000, seconds=10.0),
    Storm(name="50 homes while a gateway repeats 500 alarms a second", homes=50, seconds=10.0, repeats=500),
)


def storm(folder: Path, *, write_docs: bool = False) -> Iterator[Figure]:
    """Let each storm break, on an installation of its own."""
    outcomes = []
    for number, one in enumerate(STORMS):
        outcome = _weather(folder / f"storm-{number}", one)
        outcomes.append(outcome)
        yield Figure(name=f"{one.name}: first named after", value=outcome.first_s * 1e3, unit="ms")
        yield Figure(name=f"{one.name}: half of them named after", value=outcome.half_s, unit="s")
        yield Figure(name=f"storm: last home named after ({one.name})", value=outcome.last_s, unit="s")
        yield Figure(name=f"{one.name}: texts", value=outcome.messages, unit="")
        yield Figure(name=f"{one.name}: most texts to one worker", value=outcome.most_to_one, unit="")
    if write_docs:
        text = _DOCS.read_text("utf-8")
        before, _, rest = text.partition(_BEGIN)
        _, _, after = rest.partition(_END)
        _DOCS.write_text(f"{before}{_BEGIN}\n{table(outcomes)}\n{_END}{after}", "utf-8")


def table(outcomes: list[Outcome]) -> str:
    """Give the outcomes as they stand in the documentation."""
    lines = [
        "| storm | homes | workers | first home named after | half of them | last home | texts | most to one worker |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.storm.name} | {one.storm.homes:,} | {one.workers} | {one.first_s * 1e3:.0f} ms | {one.half_s:.2f} s |"
        f" {one.last_s:.2f} s | {one.messages} | {one.most_to_one} |"
        for one in outcomes
    ]
    return "\n".join(lines)


def _weather(folder: Path, one: Storm) -> Outcome:
    with Trial.begin(folder, "shouwang") as trial:
        trial.load.prepare(do="storm", homes=one.homes, seconds=one.seconds, repeats=one.repeats, marker="closed")
        sent = trial.send("closed", at_most_s=2 * _WITHIN_S)
        named, to = _named(trial, sent)
        trial.check()
    waited = sorted(named[device.rpartition("-")[0]] - at for device, at in sent.alarms.items())
    return Outcome(
        storm=one,
        workers=len(to),
        first_s=waited[0],
        half_s=waited[len(waited) // 2],
        last_s=waited[-1],
        messages=sum(to.values()),
        most_to_one=max(to.values()),
    )


def _named(trial: Trial, sent: Sent) -> tuple[dict[str, float], Counter[str]]:
    """Give when each home was first named (monotonic), and how many texts each worker got."""
    named: dict[str, float] = {}
    to: Counter[str] = Counter()
    for request in trial.provider.wait_for(lambda body: len(homes_in(body)), len(sent.alarms), within_s=_WITHIN_S):
        to[request["params"]["To"]] += 1
        for home in homes_in(request["params"]["Body"]):
            if home in named:
                raise TrialError(f"a home was named twice: {request['params']['Body']}")
            named[home] = request["arrived"]
    return named, to
