"""The three files, and everything else that a start needs: refused in words where wrong, taken up where edited."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

GAS = [{"id": "gas1", "kind": "gas", "source": "zigbee"}]
SMOKE = [{"id": "smoke2", "kind": "smoke", "source": "zigbee"}]
#: Three mistakes, of three sorts.
BROKEN = """\
version: 1
rules:
  - {id: gas, title: 燃气泄漏, when: {kind: gaz, state: alarm}, severity: critical, plan: look, policy: life}
  - {id: smoke, title: 烟雾报警, when: {kind: smoke, state: alarm}, severity: critical, plan: lok, policy: life}
plans:
  look: {first: 立即上门查看, steps: [先打电话]}
policies:
  life: {steps: [{after: soon, to: assigned, by: [sms]}], repeat: {every: 1h, until: answered}}
"""
MISTAKES = ("rules.yaml:3:", "rules.yaml:4:", "rules.yaml:8:")


async def refused(site: Any) -> str:
    """Start it, which it refuses; give what it says."""
    site.shouwang.spawn()
    assert await site.shouwang.ended() == 2
    said: str = site.shouwang.said()
    assert "Traceback" not in said
    return said


# --- at start ---------------------------------------------------------------------------------------------------------


async def test_wrong_rules_are_refused_at_start_with_every_problem(site: Any) -> None:
    """Exit status 2, every problem at once, and nothing was opened or changed."""
    site.community({1: GAS}, site.steps(0))
    (site.shouwang.folder / "rules.yaml").write_text(BROKEN, "utf-8")

    said = await refused(site)

    for mistake in MISTAKES:
        assert mistake in said
    assert "did you mean 'gas'" in said
    assert not (site.shouwang.folder / "shouwang.db").exists()
    assert "connected" not in said


async def test_a_port_that_is_taken_is_said_and_whoever_runs_there_is_left_in_peace(site: Any) -> None:
    """A second start in the same folder ends with a sentence; the first keeps its broker and its work."""
    site.community({1: GAS}, site.steps(0))
    await site.shouwang.start()

    status, said = await site.shouwang.command("run")

    assert (status, "Traceback" in said) == (2, False)
    assert "another program listens there already" in said
    await site.zigbee("gas1", gas=True)
    await site.told_is(1, [site.told_of(1)[0]])
    assert site.shouwang.said().count("connected to mqtt") == 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:////proc/shouwang.db", "cannot be written"),
        ("sqlite:///no/such/folder/shouwang.db", "does not exist"),
        ("sqlite:///text.db", "not a database"),
        ("sqlite:///.", "is a folder"),
        ("postgresql://nobody:s3cret-word@127.0.0.1:9/none", "cannot be opened"),
        ("mysql://localhost/shouwang", "not a database's address"),
    ],
)
async def test_a_database_that_cannot_be_used_is_said(site: Any, url: str, sentence: str) -> None:
    site.community({1: GAS}, site.steps(0))
    (site.shouwang.folder / "text.db").write_text(
        "no database, but a text that is long enough to look like a file\n" * 99
    )
    site.shouwang.environment["SHOUWANG_DATABASE__URL"] = url

    said = await refused(site)

    assert sentence in said
    assert "s3cret-word" not in said


async def test_settings_that_are_wrong_are_refused_each_with_a_sentence(site: Any) -> None:
    site.community({1: GAS}, site.steps(0))
    site.shouwang.environment |= {
        "SHOUWANG_MQTT__URL": "tcp://127.0.0.1",
        "SHOUWANG_HTTP__LISTEN": "somewhere",
        "SHOUWANG_LANGUAGE": "fr",
    }
    site.shouwang.environment.pop("SHOUWANG_TWILIO__AUTH_TOKEN")

    said = await refused(site)

    for name in ("SHOUWANG_MQTT__URL", "SHOUWANG_HTTP__LISTEN", "SHOUWANG_LANGUAGE", "SHOUWANG_TWILIO__AUTH_TOKEN"):
        assert name in said


# --- while it runs ----------------------------------------------------------------------------------------------------


async def test_a_broken_edit_changes_nothing_and_is_said(site: Any) -> None:
    """The log says every problem, `shouwang check` too; what was in force stays in force, over a restart refused."""
    site.community({1: GAS, 2: SMOKE}, site.steps(0))
    await site.shouwang.start()
    rules = site.shouwang.folder / "rules.yaml"
    good = rules.read_text("utf-8")

    rules.write_text(BROKEN, "utf-8")
    await site.until("the edit is refused", lambda: all(site.shouwang.has_said(one) for one in MISTAKES))

    status, said = await site.shouwang.command("check")
    assert status == 2
    assert all(mistake in said for mistake in MISTAKES)
    await site.zigbee("gas1", gas=True)
    await site.told_is(1, [site.told_of(1)[0]])
    assert 'shouwang_config_reload_total{result="refused"}' in (await site.shouwang.get("/metrics")).text

    rules.write_text(good.replace("烟雾报警", "厨房冒烟"), "utf-8")
    await site.until("the next edit is taken up", lambda: site.shouwang.has_said('in force"'))
    await site.zigbee("smoke2", smoke=True)
    await site.told_is(2, [site.told_of(2)[0]])
    assert "厨房冒烟" in site.texts[-1].body


async def test_a_good_edit_takes_effect_at_once_and_open_incidents_stay_as_they_are(site: Any) -> None:
    """Invariant snapshot: the new policy is for what comes; what is under way goes on by the old one."""
    site.community({1: GAS, 2: SMOKE}, site.steps(0, 6))
    await site.shouwang.start()
    await site.zigbee("gas1", gas=True)
    await site.told_is(1, [site.told_of(1)[0]])

    everything = site.rules_document([{"after": "0s", "to": "desk", "by": ["sms"]}])
    site.write_yaml(site.shouwang.folder / "rules.yaml", everything)
    await site.until("the edit is taken up", lambda: site.shouwang.has_said('in force"'))
    await site.zigbee("smoke2", smoke=True)

    await site.told_is(2, [site.told_of(2)[2]])
    await site.told_is(1, site.told_of(1)[:2])


async def test_a_new_home_behind_a_new_gateway_is_heard_without_a_restart(site: Any) -> None:
    """The broker is asked for the new gateway's topics at once, and what was unknown before is known."""
    site.community({1: GAS}, site.steps(0))
    await site.shouwang.start()
    await site.zigbee("gas3", gas=True)
    await site.until("it is a stranger's", lambda: site.shouwang.has_said("quarantined zigbee2mqtt/gas3"))

    site.community(
        {
            1: GAS,
            3: [{"id": "gas3", "kind": "gas", "source": "zigbee"}, {"id": "gas4", "kind": "smoke", "source": "new"}],
        },
        site.steps(0),
        sources=[{"id": "new", "dialect": "zigbee2mqtt", "base": "second"}],
    )
    await site.until("the edit is taken up", lambda: site.shouwang.has_said('in force"'))
    await site.publish("second/gas4", b'{"smoke": true}')
    await site.told_is(3, [site.told_of(3)[0]])
    await site.zigbee("gas3", gas=True)
    await site.told_is(3, [site.told_of(3)[0]] * 2)


async def test_sighup_reads_the_files_again(site: Any, tmp_path: Path) -> None:
    """For folders in which nobody sees a change, such as links into another one."""
    site.community({1: GAS}, site.steps(0))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    rules = site.shouwang.folder / "rules.yaml"
    rules.rename(elsewhere / "rules.yaml")
    rules.symlink_to(elsewhere / "rules.yaml")
    await site.shouwang.start()

    site.shouwang.send(signal.SIGHUP)
    site.write_yaml(elsewhere / "rules.yaml", site.rules_document([{"after": "0s", "to": "desk", "by": ["sms"]}]))
    site.shouwang.send(signal.SIGHUP)
    await site.until("the edit is taken up", lambda: site.shouwang.has_said('in force"'))
    (elsewhere / "rules.yaml").write_text(BROKEN, "utf-8")
    site.shouwang.send(signal.SIGHUP)
    await site.until("the edit is refused", lambda: all(site.shouwang.has_said(one) for one in MISTAKES))
    (elsewhere / "rules.yaml").unlink()
    site.shouwang.send(signal.SIGHUP)
    await site.until("its absence is refused", lambda: site.shouwang.said().count("is refused") >= 2)

    await site.zigbee("gas1", gas=True)
    await site.told_is(1, [site.told_of(1)[2]])
    assert await site.shouwang.stop() == 0


async def test_sighup_before_it_is_up_does_not_end_it(site: Any) -> None:
    """Whoever reloads a service does not know that it is only just starting."""
    site.community({1: GAS}, site.steps(0))
    site.shouwang.spawn()
    while not site.shouwang.has_said("shouwang is up"):
        assert site.shouwang.running, site.shouwang.returncode
        if (site.shouwang.folder / "shouwang.db").exists():
            site.shouwang.send(signal.SIGHUP)
        await asyncio.sleep(0.05)
    await site.shouwang.ready()
    assert await site.shouwang.stop() == 0


async def test_a_database_that_is_locked_while_files_change_does_not_end_it(site: Any) -> None:
    """The edit waits, and is taken up when asked for again."""
    import sqlite3  # noqa: PLC0415 - here alone

    site.community({1: GAS}, site.steps(0))
    await site.shouwang.start()
    other = sqlite3.connect(site.shouwang.folder / "shouwang.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        site.community({1: GAS, 2: SMOKE}, site.steps(0))
        site.shouwang.send(signal.SIGHUP)
        await site.until("it is said", lambda: site.shouwang.has_said("lock") or not site.shouwang.running)
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert site.shouwang.running

    site.shouwang.send(signal.SIGHUP)
    await site.until("the edit is taken up", lambda: site.shouwang.has_said('in force"'))
    await site.zigbee("smoke2", smoke=True)
    await site.told_is(2, [site.told_of(2)[0]])
