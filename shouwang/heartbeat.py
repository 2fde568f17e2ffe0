"""A sign of life to a place of the operator's choice, while all is well: a dead man's switch.

Whoever is called raises the alarm when the calls stay away, whatever the reason: the process is gone, the machine, the
network, or something is not in order. So nothing is sent while something is not, and nothing waits for the other side.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from notify.channels.http import Courier, MayHaveLeftError, NeverLeftError
from notify.masking import mask_url
from web.metrics import Metrics

_log = logging.getLogger(__name__)


class Heartbeat:
    """Calls an address every so many seconds."""

    def __init__(
        self,
        url: str,
        *,
        method: str,
        every_s: float,
        not_in_order: Callable[[], Sequence[str]],
        metrics: Metrics,
        courier: Courier | None = None,
    ) -> None:
        """Make it; `not_in_order` gives the reasons to withhold it, in a word each."""
        self._url = url
        self._method = method.upper()
        self._every_s = every_s
        self._not_in_order = not_in_order
        self._metrics = metrics
        self._courier = courier or Courier()
        self._last = ""

    async def run(self) -> None:
        """Beat for ever; the first time as soon as all is well."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            result = await self.beat()
            # What was withheld is made up for soon: the other side may be about to raise the alarm.
            every = self._every_s if result == "sent" else min(self._every_s, 5.0)
            await asyncio.sleep(max(0.0, began + every - loop.time()))

    async def beat(self) -> str:
        """Call once, or do not; say which: `sent`, `withheld`, `failed`."""
        reasons = self._not_in_order()
        if reasons:
            result, why = "withheld", ", ".join(reasons)
        else:
            why = await self._call()
            result = "failed" if why else "sent"
        self._metrics.heartbeats.labels(result).inc()
        if (said := f"{result} {why}") != self._last:
            self._last = said
            level = logging.INFO if result == "sent" else logging.WARNING
            _log.log(level, "heartbeat to %s: %s %s", mask_url(self._url), result, why)
        return result

    async def aclose(self) -> None:
        """Close the connection."""
        await self._courier.aclose()

    async def _call(self) -> str:
        try:
            answer = await self._courier.request(self._method, self._url, headers={"User-Agent": "shouwang"})
        except (NeverLeftError, MayHaveLeftError) as error:
            return str(error)
        return "" if answer.is_success else f"it answered {answer.status_code}"
