from typing import Any

from store import replies
from store.database import Database

PHONE = "+8613800000001"


async def test_a_reply_that_comes_twice_gets_its_first_answer(database: Database, make: Any) -> None:
    async with database.write() as tx:
        assert await replies.earlier_answer(tx, "SM1") is None
        noted = {"sender": PHONE, "text": "1 K7", "received_at": make.now, "verdict": "acknowledge"}
        assert await replies.record(tx, provider_id="SM1", answer="好的", **noted)
        assert not await replies.record(tx, provider_id="SM1", answer="another", **noted)
        assert await replies.earlier_answer(tx, "SM1") == "好的"


async def test_answers_are_counted_by_sender_and_time(database: Database, make: Any) -> None:
    async with database.write() as tx:
        for number, (sender, answer) in enumerate([(PHONE, "?"), (PHONE, ""), (PHONE, "?"), ("+8613800000002", "?")]):
            await replies.record(
                tx,
                provider_id=f"SM{number}",
                sender=sender,
                text="what",
                received_at=make.at(minutes=number),
                verdict="not_understood",
                answer=answer,
            )
        assert await replies.answers_since(tx, PHONE, make.now) == 2
        assert await replies.answers_since(tx, PHONE, make.at(minutes=1)) == 1
        assert await replies.answers_since(tx, PHONE, make.now, verdicts={"not_understood", "which"}) == 2
        assert await replies.answers_since(tx, PHONE, make.now, verdicts={"which"}) == 0
        assert await replies.prune(tx, make.at(minutes=3)) == 3
        assert await replies.answers_since(tx, PHONE, make.now) == 0


async def test_stop_and_start(database: Database, make: Any) -> None:
    async with database.write() as tx:
        assert not await replies.opted_out(tx, PHONE)
        await replies.opt_out(tx, PHONE, make.now)
        await replies.opt_out(tx, PHONE, make.at(hours=1))
        assert await replies.opted_out(tx, PHONE)
        await replies.opt_in(tx, PHONE)
        assert not await replies.opted_out(tx, PHONE)
