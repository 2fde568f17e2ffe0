"""Everything that Apprise can reach: WeCom, DingTalk, Feishu, ntfy, Bark, mail, a hundred more.

Apprise says whether it went well, and nothing of why not: a refused connection, a wrong key and an answer that never
came are all the same to it. So a failure is tried again a few times, which may repeat a push whose answer was lost, and
is then taken for final, so that the person's next contact method gets its turn. What it was told to wait for too long
is a doubt that nobody can be asked about.

It works in threads of its own: with the event loop's, a service that hangs would hold up the name look-ups of others.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from notify.channel import SendOutcome, SendResult
from notify.masking import mask_url
from rules.decisions import Delivery

#: A failure is final at this try.
TRIES = 3

#: As many as the dispatcher sends at once on one channel.
_THREADS = 16


class AppriseChannel:
    """Channel `apprise`. Loads Apprise when the first message leaves."""

    name = "apprise"

    def __init__(self, *, timeout_s: float = 9.0) -> None:
        """Make it; `timeout_s` should be shorter than the dispatcher's time-out."""
        self._timeout_s = timeout_s
        self._threads: ThreadPoolExecutor | None = None

    async def send(self, delivery: Delivery) -> SendResult:
        """Send the text once to the delivery's Apprise URL."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="apprise")
        work = self._threads.submit(_notify, delivery.address, delivery.text)
        shown = mask_url(delivery.address)
        try:
            async with asyncio.timeout(self._timeout_s):
                went_well = await asyncio.wrap_future(work)
        except TimeoutError:
            if work.cancel():  # it was still waiting for a thread
                return SendResult(outcome=SendOutcome.RETRY, error=f"all threads for {shown} and others hang")
            return SendResult(outcome=SendOutcome.UNKNOWN, error=f"{shown} took longer than {self._timeout_s:g} s")
        if went_well is None:
            return SendResult(outcome=SendOutcome.PERMANENT, error=f"{shown} is no Apprise URL")
        if went_well:
            return SendResult(outcome=SendOutcome.ACCEPTED, status="sent")
        final = delivery.attempts >= TRIES
        return SendResult(
            outcome=SendOutcome.PERMANENT if final else SendOutcome.RETRY,
            error=f"{shown} failed" + (f" {delivery.attempts} times" if final else ""),
        )

    async def aclose(self) -> None:
        """Let threads that wait for work go; one that hangs ends by Apprise's own time-outs."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


def _notify(url: str, text: str) -> bool | None:
    """Send; None for an address that Apprise does not understand. Runs in a thread."""
    import apprise  # noqa: PLC0415 - 25 MB and half a second, only where it is used

    notifier = apprise.Apprise()
    if not notifier.add(url):
        return None
    return bool(notifier.notify(body=text, body_format=apprise.NotifyFormat.TEXT))


def understands(url: str) -> bool:
    """Say whether Apprise can read an address. Sends nothing; blocks while Apprise is loaded."""
    import apprise  # noqa: PLC0415 - see above

    return apprise.Apprise.instantiate(url) is not None
