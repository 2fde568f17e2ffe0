"""Models of which it is known that they never say that it is over."""

from datetime import timedelta
from typing import Any

SMOKE = "yl-1-2-301-smoke"


async def _is_a(site: Any, vendor: str, model: str) -> None:
    """The gateway says which model the smoke detector is."""
    exposes = [{"type": "binary", "name": "smoke", "property": "smoke", "access": 1, "value_on": True}]
    definition = {"vendor": vendor, "model": model, "exposes": exposes}
    await site.publishes(
        "zigbee2mqtt/bridge/devices", [{"friendly_name": SMOKE, "definition": definition}], retain=True
    )


async def _fires(site: Any) -> list[Any]:
    """Incidents of smoke, the newest first; other sensors are silent meanwhile, which is another matter."""
    return [one for one in await site.incidents() if one.title == "烟雾报警"]


async def _smokes_and_is_closed(site: Any) -> None:
    """Smoke; somebody has looked, and so has the desk when it went on after that."""
    await site.says(SMOKE, smoke=True, battery=90)
    await site.advance(seconds=10)
    await site.phone("li").replies(f"误报{await site.code()}")
    await site.advance(minutes=20)
    await site.says(SMOKE, smoke=True, battery=90)
    await site.phone("desk").replies(f"误报{await site.code()}")


async def test_the_second_fire_of_a_detector_that_never_clears_is_told(any_site: Any) -> None:
    """Half a day later its old alarm stands for nothing: what says smoke then is a new one, and pages as one."""
    site = any_site
    await _is_a(site, "Tuya", "PA-44Z")
    await _smokes_and_is_closed(site)
    for _ in range(10):
        await site.advance(hours=1)
        await site.says(SMOKE, smoke=True, battery=89)
    assert len(await _fires(site)) == 2, "what its gateway repeats is no news for as long as the latch holds"

    quiet_until = (site.now() - site.began + timedelta(hours=2)).total_seconds()
    await site.advance(hours=2)
    await site.says(SMOKE, smoke=True, battery=89)

    newest = (await _fires(site))[0]
    assert len(await _fires(site)) == 3
    assert newest.verified
    assert {who for _, who in site.who_heard(since=quiet_until)} == {"sms chen"}, "she is on duty at that hour"


async def test_a_restart_of_the_gateway_wears_no_alarm_out(site: Any) -> None:
    """Invariant stale-does-not-page: it publishes what it remembers, however long ago that was."""
    await _is_a(site, "Tuya", "PA-44Z")
    await _smokes_and_is_closed(site)
    await site.advance(hours=30)
    await site.publishes("zigbee2mqtt/bridge/state", {"state": "online"})
    await site.says(SMOKE, smoke=True, battery=89)

    assert len(await _fires(site)) == 2


async def test_every_other_model_is_believed_to_go_on(site: Any) -> None:
    await _is_a(site, "Other", "Made up")
    await _smokes_and_is_closed(site)
    await site.advance(hours=13)
    await site.says(SMOKE, smoke=True, battery=89)

    assert len(await _fires(site)) == 2
