"""What would break each invariant, put into the service by hand: so that the model test is known to see."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

import rules.batch
import rules.escalation
import shouwang.clockwork
import shouwang.configuration
import shouwang.intake
import shouwang.verdicts
import store.incidents
import store.outbox
import store.outbox_claim
from ingest.decode import Decoder
from ingest.message import Message
from rules.conditions import Verdict, judge
from rules.decisions import DueKind, SetDue
from rules.rulebook import Rulebook
from shouwang.configuration import Configuration
from shouwang.deliveries import Deliveries
from shouwang.intake import Intake
from shouwang.service import Service
from store import incidents, registry
from store.tables import outbox

Sabotage = Callable[[pytest.MonkeyPatch], None]


def acknowledge_before_commit(patch: pytest.MonkeyPatch) -> None:
    """The broker hears that a message is taken while it is not written yet, or never will be."""
    real = Intake.take_in

    async def careless(self: Intake, messages: Sequence[Message], **more: Any) -> None:
        with contextlib.suppress(Exception):
            await real(self, messages, **more)

    patch.setattr(Intake, "take_in", careless)


def forget_the_arrival(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks whether whoever answered has come."""
    real = shouwang.verdicts.write_due

    async def forgetful(tx: Any, changes: Any) -> None:
        kept = [one for one in changes if not (isinstance(one, SetDue) and one.kind is DueKind.ARRIVAL)]
        await real(tx, kept)

    patch.setattr(shouwang.verdicts, "write_due", forgetful)


def retry_in_doubt(patch: pytest.MonkeyPatch) -> None:
    """Where no answer came, it is sent again."""

    async def naive(self: Deliveries, tx: Any, delivery: Any, error: str, *_: Any, **__: Any) -> bool:
        now = self._core.now()
        return bool(await store.outbox.retry(tx, delivery, at=now + timedelta(seconds=2), error=error, now=now))

    patch.setattr(Deliveries, "_in_doubt", naive)


def page_on(patch: pytest.MonkeyPatch) -> None:
    """An answer takes nothing back, and the claim does not ask."""

    async def nothing(tx: Any, unsent: Any) -> int:
        return 0

    real = store.outbox_claim._what_to_do
    patch.setattr(store.outbox, "cancel", nothing)
    patch.setattr(
        store.outbox_claim,
        "_what_to_do",
        lambda delivery, state, now: "send" if (what := real(delivery, state, now)) == "answered" else what,
    )


def unknown_is_clear(patch: pytest.MonkeyPatch) -> None:
    """What says nothing is read as all being well."""

    def hopeful(condition: Any, row: Any) -> Verdict:
        verdict = judge(condition, row)
        return Verdict.FALSE if verdict is Verdict.UNKNOWN and row is not None else verdict

    patch.setattr(rules.batch, "judge", hopeful)


def believe_what_is_kept(patch: pytest.MonkeyPatch) -> None:
    """A retained message is taken for news."""
    real = Decoder.decode

    def credulous(self: Decoder, message: Message, world: Any) -> Any:
        return real(self, message._replace(retain=False), world)

    patch.setattr(Decoder, "decode", credulous)


def first_come_first_served(patch: pytest.MonkeyPatch) -> None:
    """What was written first leaves first."""
    patch.setattr(
        store.outbox_claim, "_WAITING", store.outbox_claim._WAITING.order_by(None).order_by(sa.desc(outbox.c.priority))
    )


def drop_what_is_strange(patch: pytest.MonkeyPatch) -> None:
    """What cannot be understood is thrown away."""

    async def nothing(tx: Any, messages: Any) -> None:
        return None

    patch.setattr(shouwang.intake.quarantine, "add", nothing)


def give_codes_again(patch: pytest.MonkeyPatch) -> None:
    """A code is free as soon as its incident is over."""
    patch.setattr(shouwang.verdicts, "CODE_REST", timedelta(seconds=1))


def say_nothing_of_lateness(patch: pytest.MonkeyPatch) -> None:
    """What goes out late looks like any other."""
    patch.setattr(rules.escalation, "_lateness", lambda draft: 0)


def follow_the_files(patch: pytest.MonkeyPatch) -> None:
    """What is under way is changed with the files."""
    real = Configuration.apply

    async def eager(self: Configuration, service: Service) -> bool:
        changed = await real(self, service)
        rulebook: Rulebook = service.core.rules.rulebook
        async with service.core.database.write() as tx:
            for one in await incidents.listing(tx, open_only=True, limit=100):
                people = await registry.responsibility(tx, one.snapshot.home.grid)
                policy = rulebook.policies[one.snapshot.policy.id]
                new = replace(one.snapshot, responsibility=people, policy=policy)
                if new != one.snapshot:
                    await incidents.save(tx, replace(one, snapshot=new), before=one)
        return changed

    patch.setattr(Configuration, "apply", eager)


#: By the invariant that each breaks.
SABOTAGES: dict[str, Sabotage] = {
    "ack-after-commit": acknowledge_before_commit,
    "never-silent": forget_the_arrival,
    "one-page": retry_in_doubt,
    "quiet-after-answer": page_on,
    "unknown-is-not-clear": unknown_is_clear,
    "stale-does-not-page": believe_what_is_kept,
    "life-first": first_come_first_served,
    "nothing-dropped": drop_what_is_strange,
    "code-is-unique": give_codes_again,
    "late-is-said": say_nothing_of_lateness,
    "snapshot": follow_the_files,
}
