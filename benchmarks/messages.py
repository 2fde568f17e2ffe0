"""What ordinary messages cost, and how many a second are kept up with."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from benchmarks import processes
from benchmarks.communities import Dialect, write
from benchmarks.processes import Load, Provider, Service, TrialError
from benchmarks.report import Figure

HOMES: Final = 1_000
_WARMING_RATE: Final = 5_000
#: A rate is kept up with where the last message of it is committed this soon after it was sent.
_KEPT_UP_S: Final = 0.5


@dataclass(slots=True)
class Trial:
    """Everything that runs for one trial, warm: every device has spoken once."""

    load: Load
    service: Service
    provider: Provider
    _stack: ExitStack
    _sent: int = 0

    @classmethod
    def begin(cls, folder: Path, dialect: Dialect, *, homes: int = HOMES) -> Self:
        """Start broker, provider, service and load."""
        stack = ExitStack()
        try:
            write(folder, homes, dialect)
            url = stack.enter_context(processes.broker(folder))
            provider = stack.enter_context(processes.provider(folder))
            service = stack.enter_context(processes.service(folder, broker_url=url, provider_at=provider))
            load = stack.enter_context(processes.load(folder, broker_url=url, homes=homes, dialect=dialect))
            trial = cls(load, service, provider, stack)
            load.prepare(do="introduce", rate=_WARMING_RATE, marker="open")
            trial.send("open")
        except BaseException:
            stack.close()
            raise
        return trial

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def send(self, marker: str, *, at_most_s: float = 60.0) -> "Sent":
        """Send what was prepared; wait until it is acknowledged by the broker, and until it is committed."""
        self.load.send()
        report = self.load.report()
        committed = self.service.wait_for_marker(marker, at_most_s=at_most_s)
        self._sent += report["messages"]
        return Sent(**report, committed=committed)

    def check(self) -> None:
        """Raise TrialError where a message is missing or was set aside: such a trial says nothing."""
        handled, aside = (self.service.metric(f"shouwang_{name}_total") for name in ("messages", "quarantine"))
        # The very message that its topic has said last, again and again.
        handled += self.service.metric("shouwang_thinned_total", 'what="repeated"')
        if handled < self._sent or aside:
            raise TrialError(f"{handled:.0f} of {self._sent} messages were handled, {aside:.0f} of them set aside")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A load that was sent; times are monotonic."""

    messages: int
    #: Until the broker had acknowledged the last one.
    seconds: float
    rate: float
    began: float
    #: When the alarm of each device was sent.
    alarms: dict[str, float]
    #: When what was sent last was seen committed.
    committed: float

    @property
    def lag_s(self) -> float:
        """How far the commits were behind at the end."""
        return self.committed - self.began - self.seconds


def cpu(folder: Path, *, seconds: int) -> Iterator[Figure]:
    """Processor time of ordinary messages at 1,000 a second, in each dialect, and of doing nothing."""
    for dialect in ("shouwang", "zigbee2mqtt"):
        with Trial.begin(folder / f"cpu-{dialect}", dialect) as trial:
            trial.load.prepare(do="steady", rate=1_000, seconds=seconds, alarms=0, marker="closed")
            # Before what was asked of it comes into the figure, the service may finish what it does after a start.
            time.sleep(1)
            before, load_before = trial.service.process.cpu_s(), trial.load.cpu_s()
            sent = trial.send("closed")
            after, load_after = trial.service.process.cpu_s(), trial.load.cpu_s()
            trial.check()
            yield Figure(
                name=f"cpu per 1,000 messages at 1,000/s ({dialect})",
                value=(after - before) / sent.messages * 1e6,
                unit="ms",
            )
            if dialect == "shouwang":
                yield Figure(name="the load's own", value=(load_after - load_before) / sent.messages * 1e6, unit="ms")
                before = trial.service.process.cpu_s()
                time.sleep(5)
                idle = (trial.service.process.cpu_s() - before) / 5
                yield Figure(name="cpu when nothing arrives", value=idle * 1e3, unit="ms/s")


def sustained(folder: Path, *, rates: tuple[int, ...], seconds: int) -> Iterator[Figure]:
    """The highest of some rates that is kept up with, and what the load and the broker could do without us."""
    ceiling = _ceiling(folder / "ceiling")
    yield Figure(name="the load alone, to a broker without subscribers", value=ceiling, unit="msg/s")
    kept = 0.0
    with Trial.begin(folder / "sustained", "shouwang") as trial:
        for number, rate in enumerate(rates):
            marker = ("closed", "open")[number % 2]
            trial.load.prepare(do="steady", rate=rate, seconds=seconds, alarms=0, marker=marker)
            before = trial.service.process.cpu_s()
            sent = trial.send(marker)
            share = (trial.service.process.cpu_s() - before) / (sent.committed - sent.began)
            yield Figure(name=f"at {rate:,}/s: last commit behind by", value=sent.lag_s * 1e3, unit="ms")
            yield Figure(name=f"at {rate:,}/s: share of a core", value=share * 100, unit="%")
            if sent.lag_s > _KEPT_UP_S or sent.rate < 0.98 * rate:
                break
            kept = sent.rate
        trial.check()
    yield Figure(name="sustained", value=kept, unit="msg/s")


def _ceiling(folder: Path) -> float:
    with (
        processes.broker(folder) as url,
        processes.load(folder, broker_url=url, homes=HOMES, dialect="shouwang") as load,
    ):
        load.prepare(do="burst", count=100_000, alarms=0, marker="open")
        load.send()
        rate: float = load.report()["rate"]
        return rate
