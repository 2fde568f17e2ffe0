"""Reply codes: short enough for a thumb, and never two incidents' at once (invariant code-is-unique)."""

import random
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from store import dialect
from store.database import Transaction
from store.prepared import once
from store.tables import UtcTime, reply_codes

#: Nothing that looks or sounds like something else on a bad line: no 0 and O, no 1, I and L.
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"
DIGITS = "23456789"

#: A letter and this many digits; more only when all the shorter ones are taken.
_DIGITS_AT_MOST = 6
#: So many of a kind are tried before it is looked up which are taken.
_GUESSES = 2

_TAKEN = once(
    sa.select(reply_codes.c.code).where(sa.func.length(reply_codes.c.code) == sa.bindparam("units", type_=sa.Integer))
)
_REST_IS_OVER = once(sa.delete(reply_codes).where(reply_codes.c.free_after <= sa.bindparam("now", type_=UtcTime)))


async def new_code(tx: Transaction, incident_id: str, now: datetime, choose: random.Random) -> str:
    """Take the shortest kind of code that is free for an incident; which one of its kind is up to `choose`."""
    for digits in range(1, _DIGITS_AT_MOST + 1):
        # Most are free, and the database says at once when one is not: also when another process takes it right now.
        for _ in range(_GUESSES):
            guessed = _code(choose.randrange(_count(digits)), digits)
            if await _take(tx, guessed, incident_id):
                return guessed
        if digits == 1:
            await tx.execute(_REST_IS_OVER, {"now": now})
        taken = set(await tx.scalars(_TAKEN, {"units": digits + 1}))
        free = [code for code in _codes(digits) if code not in taken] if len(taken) < _count(digits) else []
        while free:
            code = free.pop(choose.randrange(len(free)))
            if await _take(tx, code, incident_id):
                return code
    raise RuntimeError("every reply code is taken; that is more open incidents than a city has homes")


async def release_code(tx: Transaction, incident_id: str, free_after: datetime) -> None:
    """Let an incident's code be given again after a time."""
    await tx.execute(
        sa.update(reply_codes).where(reply_codes.c.incident_id == incident_id).values(free_after=free_after)
    )


async def _take(tx: Transaction, code: str, incident_id: str) -> bool:
    row = (code, incident_id, None)
    return bool(await dialect.insert_new(tx, reply_codes, ("code", "incident_id", "free_after"), [row]))


def _count(digits: int) -> int:
    count: int = len(LETTERS) * len(DIGITS) ** digits
    return count


@lru_cache(maxsize=2)
def _codes(digits: int) -> tuple[str, ...]:
    return tuple(_code(number, digits) for number in range(_count(digits)))


def _code(number: int, digits: int) -> str:
    code = ""
    for _ in range(digits):
        number, digit = divmod(number, len(DIGITS))
        code += DIGITS[digit]
    return LETTERS[number] + code
