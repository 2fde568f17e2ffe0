"""Shouwang itself is in trouble, while a home is: those who run it hear of it, and the workers only of the home."""

from typing import Any

from rules.trouble import NewsEvent, TroubleKind
from shouwang.operators import Bulletin, Operators
from shouwang.symptoms import Senses
from shouwang.trouble import Watch


class Office:
    """Where the operators are told."""

    name = "office"
    leans_on = ""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []

    async def tell(self, bulletin: Bulletin) -> None:
        self.heard += [(str(one.trouble.kind), one.trouble.subject, str(one.event)) for one in bulletin.news]


def watched(site: Any) -> tuple[Watch, Office]:
    def elapsed() -> float:
        return float((site.moment - site.began).total_seconds())

    core = site.service.core
    senses = Senses(core, broker_up=lambda: True, elapsed=elapsed)
    core.on_tries.append(senses.note_try)
    office = Office()
    return Watch(core, senses, Operators([office])), office


async def let(site: Any, watch: Watch, *, seconds: int) -> None:
    """Let time pass, with a look every five seconds."""
    for _ in range(seconds // 5):
        await site.advance(seconds=5)
        await watch.look()
        await watch.tell()


async def test_the_token_was_changed_and_an_alarm_finds_it_out(site: Any) -> None:
    """The desk has another way than the provider, and is told of the home; the operators are told of the token."""
    watch, office = watched(site)
    await let(site, watch, seconds=60)
    assert office.heard == []

    site.twilio.faults.add("reject", code=20003, for_s=120)
    await site.says("yl-1-2-301-gas", gas=True)
    await let(site, watch, seconds=60)
    assert office.heard[0] == ("provider", "twilio", "raised")
    assert "webhook desk" in {who for _, who in site.who_heard()}

    await let(site, watch, seconds=900)
    assert office.heard[-1] == (str(TroubleKind.PROVIDER), "twilio", str(NewsEvent.CLEARED))
    assert {kind for kind, _, _ in office.heard} <= {"provider", "outbox"}
    assert "sms li" in {who for _, who in site.who_heard()}


async def test_an_ordinary_alarm_is_no_trouble_of_ours(site: Any) -> None:
    """A number that is wrong, a phone that is off: the next way and the next person, and nobody of the operators."""
    watch, office = watched(site)
    site.twilio.faults.add("reject", code=21211, number="+8613800000001")
    site.twilio.faults.add("no_answer")
    await site.says("yl-1-2-301-gas", gas=True)
    await let(site, watch, seconds=300)

    assert office.heard == []
