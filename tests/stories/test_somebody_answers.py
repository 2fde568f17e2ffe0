"""Somebody answers: it gets quiet, the others know, and the second clock runs."""

from typing import Any

from rules.incident import IncidentState, OutcomeKind
from simulators.phones import answer


async def test_a_reply_with_the_code_ends_the_escalation(site: Any) -> None:
    """After `1 K7` nobody is paged any more (invariant quiet-after-answer)."""
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=30)
    code = (await site.incident()).code

    await site.phone("li").replies(f"1 {code}")
    await site.advance(seconds=200)

    assert site.who_heard() == [(0, "sms li"), (30, "sms li")]
    incident = await site.incident()
    assert IncidentState.ACKNOWLEDGED is incident.state
    assert incident.answered_by == "li"

    await site.phone("li").replies(f"到场{code}")
    assert IncidentState.ON_SCENE is (await site.incident()).state
    await site.phone("li").replies(f"误报 {code}")
    incident = await site.incident()
    assert (incident.state, incident.outcome) == (IncidentState.RESOLVED, OutcomeKind.FALSE_ALARM)
    assert await site.open_incidents() == []


async def test_a_key_on_the_call_answers_too(site: Any) -> None:
    """The first worker takes the call at one minute and presses 1: the back-up hears nothing."""
    site.phone("li").on_call(answer(press="1"))
    await site.says("yl-1-2-301-gas", gas=True)
    await site.advance(seconds=200)

    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]
    assert IncidentState.ACKNOWLEDGED is (await site.incident()).state
