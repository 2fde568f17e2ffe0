"""Memory, and the time from the start to being ready, for communities of different sizes."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import processes
from benchmarks.communities import write
from benchmarks.processes import Provider
from benchmarks.report import Figure

_READY_WITHIN_S: Final = 300.0
#: Devices that speak before memory is looked at, at the most.
_SPEAKING_HOMES: Final = 10_000
_SPEAKING_RATE: Final = 3_000


def sizes(folder: Path, *, homes: tuple[int, ...]) -> Iterator[Figure]:
    """Start with files that are new, and again with the same files."""
    for count in homes:
        place = folder / f"homes-{count}"
        write(place, count, "shouwang")
        with processes.broker(place) as url, processes.provider(place) as provider:
            for which in ("first start", "restart"):
                yield from _start(place, url, provider, homes=count, which=which)


def _start(folder: Path, url: str, provider: Provider, *, homes: int, which: str) -> Iterator[Figure]:
    first = which == "first start"
    with processes.service(folder, broker_url=url, provider_at=provider, ready_within_s=_READY_WITHIN_S) as service:
        # Its first start reads the files; the budget is for the one that finds them as they were.
        name = f"{homes:,} homes: {'reading the files' if first else 'start'}"
        yield Figure(name=name, value=service.ready_after_s, unit="s")
        ready_mib, _ = service.process.memory_mib()
        marker = "open" if first else "closed"
        speaking = min(homes, _SPEAKING_HOMES)
        with processes.load(folder, broker_url=url, homes=speaking, dialect="shouwang") as load:
            load.prepare(do="introduce", rate=_SPEAKING_RATE, marker=marker)
            load.send()
            load.report()
            service.wait_for_marker(marker, at_most_s=60)
        time.sleep(1)
        steady, peak = service.process.memory_mib()
        yield Figure(name=f"{homes:,} homes: rss when ready ({which})", value=ready_mib, unit="MiB")
        yield Figure(name=f"{homes:,} homes: memory, all have spoken ({which})", value=steady, unit="MiB")
        yield Figure(name=f"{homes:,} homes: peak ({which})", value=peak, unit="MiB")
