"""Whose answer it is: two people with one telephone, and people whom a file no longer has."""

from typing import Any

from rules.incident import IncidentState

GAS = "yl-1-2-301-gas"


def edit(site: Any, before: str, after: str) -> None:
    grids = site.file("grids.yaml")
    text = grids.read_text()
    assert before in text
    grids.write_text(text.replace(before, after))


async def test_the_answer_is_of_whoever_was_asked_last_by_that_number(site: Any) -> None:
    """Li and Zhang share a telephone; Li cannot go, so Zhang is asked, and it is Zhang who then says yes."""
    edit(site, "+8613800000002", "+8613800000001")
    assert await site.reload()
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)
    code = await site.code()
    await site.phone("li").replies(f"去不了{code}")
    await site.advance(seconds=90)
    asked = [text for _, who, text in site.told() if who == "sms li" and "燃气泄漏" in text]
    assert len(asked) >= 2

    await site.phone("li").replies(f"1 {code}")
    incident = await site.incident()
    assert (incident.state, incident.answered_by) == (IncidentState.ACKNOWLEDGED, "zhang")
    assert incident.declined == ("li",)

    await site.phone("li").replies(f"到场{code}")
    incident = await site.incident()
    assert (incident.state, incident.answered_by) == (IncidentState.ON_SCENE, "zhang")


async def test_whoever_was_asked_can_answer_after_the_file_has_lost_them(site: Any) -> None:
    """Invariant snapshot: an incident goes by the people it was opened with, in both directions."""
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)
    edit(site, "- id: li\n", "- id: li-ming\n")
    edit(site, "backup_for: [li]", "backup_for: [li-ming]")
    edit(site, "+8613800000001", "+8613800000011")
    assert await site.reload()

    await site.phone("li").replies(f"1 {await site.code()}")
    incident = await site.incident()
    assert (incident.state, incident.answered_by, incident.answered_by_name) == (
        IncidentState.ACKNOWLEDGED,
        "li",
        "李明",
    )
