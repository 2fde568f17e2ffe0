"""Something worse joins what is open already: from then on it goes by the policy of what is worse."""

from typing import Any

_GAS = "severity: critical, plan: gas-leak, policy: life-safety"
_WATER = (
    "  - {id: water, title: 漏水, when: {kind: water_leak, state: alarm}, severity: warning, plan: repair,"
    " policy: routine, group: home}\n"
)


async def test_gas_that_joins_a_leak_goes_up_as_fast_as_gas_does(any_site: Any) -> None:
    """The steps of life-safety follow, and not the slow ones the incident was opened with (invariant life-first)."""
    site = any_site
    rules = site.file("rules.yaml")
    text = rules.read_text().replace(_GAS, f"{_GAS}, group: home").replace("plans:\n", f"{_WATER}plans:\n", 1)
    rules.write_text(text)
    assert await site.reload()

    await site.says("yl-1-2-301-gas", water_leak=True)
    await site.advance(minutes=5)
    assert site.who_heard() == [(0, "sms li")]

    await site.says("yl-1-2-301-gas", water_leak=True, gas=True)
    await site.advance(minutes=2)
    assert site.who_heard(since=300)[:2] == [(300, "sms li"), (360, "voice li")]
    assert {"voice zhang", "voice chen"} <= {who for _, who in site.who_heard(since=300)}
    incident = await site.incident()
    assert (incident.snapshot.policy.id, incident.snapshot.plan.id) == ("life-safety", "gas-leak")
