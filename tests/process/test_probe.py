"""`shouwang probe`, as cron runs it, against the process: green while the whole line works, red where it does not."""

import json
from typing import Any

HOME = 1
OPERATOR = "+8613900000099"


async def test_it_is_green_while_the_line_works_and_red_when_it_does_not(site: Any) -> None:
    """And no worker hears a thing."""
    shouwang = site.shouwang
    site.community({HOME: [{"id": "gas", "kind": "gas", "source": "zigbee", "name": "gas"}]}, site.steps(0))
    assert (await shouwang.command("probe"))[0] == 2  # no secret is set
    shouwang.environment |= {
        "SHOUWANG_PROBE__SECRET": "a-secret-of-the-tests",
        "SHOUWANG_OPERATORS__SMS": OPERATOR,
    }
    await shouwang.start()

    status, said = await shouwang.command("probe", "--json")
    assert status == 0, said
    assert json.loads(said)["state"] == "sent"
    assert site.texts == []

    status, said = await shouwang.command("probe", "--to", "sms")
    assert status == 0, said
    ((to, body),) = [(one.to, one.body) for one in site.texts]
    assert to == OPERATOR
    assert "自检" in body

    site.twilio.faults.add("rate_limited")
    status, said = await shouwang.command("probe", "--to", "sms", "--within", "1s")
    assert (status, "429" in said) == (1, True), said

    shouwang.environment["SHOUWANG_PROBE__SECRET"] = "a-secret-of-somebody-else"
    status, said = await shouwang.command("probe", "--within", "1s")
    assert (status, "nothing came back" in said) == (1, True), said
    assert "signed with another secret" in shouwang.said()

    assert await shouwang.stop() == 0
    shouwang.environment["SHOUWANG_PROBE__SECRET"] = "a-secret-of-the-tests"
    status, said = await shouwang.command("probe", "--within", "1s")
    assert (status, "nothing came back" in said) == (1, True), said
