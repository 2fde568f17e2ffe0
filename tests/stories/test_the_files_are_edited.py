"""The three files are edited while the service runs, or wrong when it starts."""

import logging
from typing import Any

import pytest

from rules.incident import IncidentState
from shouwang.config import ConfigError

GAS = "yl-1-2-301-gas"


def edit(site: Any, name: str, *changes: tuple[str, str]) -> None:
    """Save a file with some words replaced."""
    text = site.file(name).read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    site.file(name).write_text(text)


async def test_a_broken_file_at_the_start_is_refused_with_every_problem(site: Any) -> None:
    """All problems at once, each with its place, before anything is opened or changed."""
    await site.stop()
    edit(site, "rules.yaml", ("plan: smoke, policy", "plan: smok, policy"), ("severity: warning", "severity: wrning"))
    with pytest.raises(ConfigError) as caught:
        await site.start()

    problems = [str(one) for one in caught.value.problems]
    assert len(problems) >= 2
    assert any("rules.yaml:4:" in one and "smok" in one for one in problems)
    assert any("rules.yaml:5:" in one and "wrning" in one for one in problems)


async def test_an_edited_file_that_is_broken_changes_nothing_and_says_so(
    site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The rules that were in force stay so, and the log has every problem."""
    edit(
        site,
        "rules.yaml",
        ("plan: gas-leak, policy", "plan: gas-leek, policy"),
        ("to: assigned, by: [voice]", "to: asigned, by: [voice]"),
    )
    with caplog.at_level(logging.ERROR):
        assert not await site.reload()

    assert "is refused; what was in force stays in force" in caplog.text
    assert "gas-leek" in caplog.text
    assert "asigned" in caplog.text
    await site.says(GAS, gas=True)
    await site.advance(seconds=65)
    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]


async def test_a_good_file_takes_effect_without_a_restart(any_site: Any) -> None:
    """Another first action and another first step count for the next incident."""
    site = any_site
    edit(
        site,
        "rules.yaml",
        ("first: 开窗关阀勿开灯", "first: 先关总阀"),
        (
            "{after: 0s, to: assigned, by: [sms]}\n      - {after: 60s",
            "{after: 0s, to: assigned, by: [voice]}\n      - {after: 60s",
        ),
    )
    assert await site.reload()
    assert not await site.reload(), "the same file again is no news"
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)

    assert site.who_heard() == [(0, "voice li")]
    assert (await site.incident()).snapshot.plan.first == "先关总阀"


async def test_what_is_under_way_is_not_touched(any_site: Any) -> None:
    """An open incident keeps its people, its plan and its policy, whatever the files say now (invariant snapshot)."""
    site = any_site
    await site.says(GAS, gas=True)
    await site.advance(seconds=10)
    edit(
        site,
        "rules.yaml",
        ("after: 60s, to: assigned", "after: 30s, to: assigned"),
        ("first: 开窗关阀勿开灯", "first: 别的"),
    )
    edit(
        site,
        "grids.yaml",
        ('{voice: "+8613800000001"}', '{voice: "+8613800000077"}'),
        ("backup_for: [li]", "backup_for: [chen]"),
        ("grids: [xinsheng-g1]\n", "grids: []\n    backup_for: [duty-room]\n"),
    )
    assert await site.reload()
    await site.advance(seconds=80)

    assert site.who_heard() == [
        (0, "sms li"),
        (60, "voice li"),
        (86, "sms chen"),
        (86, "sms zhang"),
        (86, "voice chen"),
        (86, "voice zhang"),
    ]
    assert "开窗关阀勿开灯" in site.text("sms chen", 86)
    assert (await site.incident()).snapshot.policy.steps[1].after_s == 60


async def test_a_home_that_is_gone_keeps_its_open_incident(any_site: Any) -> None:
    """A household that moved out in the middle of an alarm: the alarm goes on and is answered as always."""
    site = any_site
    await site.says(GAS, gas=True)
    await site.advance(seconds=10)
    text = site.file("devices.yaml").read_text()
    start, end = text.index("  - id: yl-1-2-301\n"), text.index("  - id: yl-1-2-302\n")
    site.file("devices.yaml").write_text(text[:start] + text[end:])
    assert await site.reload()
    await site.advance(seconds=55)
    await site.phone("li").replies(f"误报{await site.code()}")

    assert site.who_heard()[:2] == [(0, "sms li"), (60, "voice li")]
    assert (await site.incident()).state is IncidentState.RESOLVED
    # From now on it is nobody's.
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)
    assert len(await site.incidents()) == 1


async def test_a_rule_that_is_gone_leaves_its_incident_to_people(site: Any) -> None:
    """The rule that opened it is deleted: the incident is still escalated, and closed by whoever goes."""
    await site.says(GAS, gas=True)
    lines = site.file("rules.yaml").read_text().splitlines(keepends=True)
    site.file("rules.yaml").write_text("".join(line for line in lines if "{id: gas-leak" not in line))
    assert await site.reload()
    await site.says(GAS, gas=False)
    await site.advance(seconds=65)
    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]

    await site.phone("li").replies(f"误报{await site.code()}")
    assert (await site.incident()).state is IncidentState.RESOLVED


async def test_a_new_device_is_heard_at_once(any_site: Any) -> None:
    """A detector that was put up today alarms today."""
    site = any_site
    await site.publishes("shouwang/v1/yl-1-2-302/smoke/event", {"kind": "smoke", "state": "alarm"})
    assert await site.incidents() == []
    smoke = "      - {id: yl-1-2-302-smoke, kind: smoke, source: own, name: yl-1-2-302/smoke}\n"
    edit(site, "devices.yaml", ("      - {id: yl-1-2-302-gas,", f"{smoke}      - {{id: yl-1-2-302-gas,"))
    assert await site.reload()
    await site.publishes("shouwang/v1/yl-1-2-302/smoke/event", {"kind": "smoke", "state": "alarm"})
    await site.advance(seconds=5)

    assert site.who_heard() == [(0, "sms li")]


async def test_a_start_with_unchanged_files_changes_nothing(site: Any) -> None:
    """Digests tell that nothing was edited; what the desk set by hand stays."""
    await site.says(GAS, gas=True)
    await site.advance(seconds=5)
    await site.stop()
    await site.start()
    assert not await site.reload()
    await site.advance(seconds=60)

    assert site.who_heard() == [(0, "sms li"), (60, "voice li")]


async def test_a_rule_that_was_renamed_keeps_no_notice_open(site: Any) -> None:
    """The finding of the old name is never cleared; the battery is charged, and the notice closes itself."""
    await site.says("yl-1-2-301-door", contact=True, battery=10)
    edit(site, "rules.yaml", ("id: battery-low", "id: low-battery"))
    assert await site.reload()
    await site.says("yl-1-2-301-door", contact=True, battery=9)
    await site.says("yl-1-2-301-door", contact=True, battery=100)

    (incident,) = await site.incidents()
    assert incident.state is IncidentState.RESOLVED
