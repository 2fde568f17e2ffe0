"""Running checks: all of them beside one another, each within its time, and none of them able to stop the others."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from shouwang.cli import trouble
from shouwang.doctor.diagnosis import Diagnosis, finding

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Check(NamedTuple):
    """One look at one thing."""

    subject: str
    #: What it looks at, in a few words that stand behind "could not look at".
    what: str
    #: Seconds it may take.
    limit_s: float
    look: Callable[[], Awaitable[Sequence[Diagnosis]]]


async def run(checks: Sequence[Check]) -> list[Diagnosis]:
    """Run all checks at the same time; give what they say, in the order of the checks.

    A check that fails, or does not end in time, is itself a finding.
    """
    each = await asyncio.gather(*(_one(check) for check in checks))
    return [diagnosis for diagnoses in each for diagnosis in diagnoses]


async def _one(check: Check) -> Sequence[Diagnosis]:
    try:
        async with asyncio.timeout(check.limit_s):
            return await check.look()
    except TimeoutError:
        what = f"could not look at {check.what}: it did not end within {check.limit_s:g} s"
        return [finding(check.subject, what, advice="What hangs here hangs the service too; look at it by hand.")]
    except Exception as error:  # noqa: BLE001 - whatever happens in one check must not hide what the others say
        if told := trouble.sentences(error):
            return [
                finding(check.subject, sentence, advice="Mend this, and run the doctor again.") for sentence in told
            ]
        _log.debug("the check of %s failed", check.what, exc_info=error)
        what = f"could not look at {check.what}: {type(error).__name__}"
        return [finding(check.subject, what, advice="This is a fault of the doctor's; please report it.")]


async def aside(work: Callable[..., _T], *arguments: Any) -> _T:
    """Run what blocks in a thread that nobody waits for at the end: a dead file server holds it for ever."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # None is a result where T allows it

    def go() -> None:
        result, failed = None, None
        try:
            result = work(*arguments)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=go, daemon=True, name="doctor").start()
    return await done
