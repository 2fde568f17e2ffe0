"""Whether a home is watched over, and what follows from a gateway's being off."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import liveness
from rules.community import Device
from rules.decisions import CancelDue, DueKind, FindingEvent, SetDue, StandingFinding
from rules.engine import Engine
from rules.hearing import GRACE, Gap, not_before
from rules.liveness import Audible, Cause, Outage, silence, silences, unwatched_since
from rules.readings import DeviceState, Freshness
from rules.rulebook import GatewayOffline, Offline, Rule, Rulebook, Severity, Unwatched

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
GAS = Device(id="gas", home_id="home", kind="gas", source="s", name="gas", room="厨房", heartbeat_s=7200)
DOOR = Device(id="door", home_id="home", kind="contact", source="s", name="door", room="门口", heartbeat_s=90_000)
LOOSE = Device(id="loose", home_id="home", kind="sos", source="s", name="loose")


@pytest.fixture
def now() -> Any:
    return NOON


def row(
    device: Device, seen: Any, *, kind: str | None = None, state: str = "clear", fresh: Freshness = Freshness.LIVE
) -> dict[tuple[str, str], DeviceState]:
    """What is known of one kind of fact of a device, last heard at a time."""
    kind = kind or device.kind
    return {(device.id, kind): DeviceState(device.id, kind, state, None, None, seen, seen, None, fresh)}


def rulings(**rules: GatewayOffline | Unwatched | Offline) -> Any:
    made = tuple(
        Rule(id=name, title=name, when=when, severity=Severity.NOTICE, plan="p", policy="p")
        for name, when in rules.items()
    )
    return Engine(Rulebook(rules=made, plans={}, policies={}, language="zh")).rulings


def stands(rule: str, subject: str, kind: str, at: Any) -> dict[tuple[str, str], StandingFinding]:
    return {
        (rule, subject): StandingFinding(
            rule_id=rule,
            subject=subject,
            home_id="home",
            device_id=None,
            kind=kind,
            raised_at=at,
            reason="",
            verified=True,
            incident_id="i",
        )
    }


# --- one device -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "hours", "said", "cause"),
    [
        (GAS, 5.9, None, None),
        (GAS, 6, None, Cause.SILENT),
        (GAS, 3, "offline", Cause.OFFLINE),
        (GAS, 1, "offline", None),
        (GAS, 5.9, "sleeping", None),
        (GAS, 6, "sleeping", Cause.SILENT),
        (LOOSE, 10_000, None, None),
        (LOOSE, 1, "offline", Cause.OFFLINE),
        (LOOSE, 1, "sleeping", None),
    ],
)
def test_a_device_gives_no_sign_of_life(
    now: Any, device: Device, hours: float, said: str | None, cause: Cause | None
) -> None:
    """After three missed heartbeats, or one after it was called offline; expected sleep is neither."""
    states = row(device, now - hours * HOUR)
    if said is not None:
        states |= row(device, now - hours * HOUR, kind="availability", state=said)
    found = silence(device, states=states, audible=Audible(), now=now)

    assert (None if found is None else found.cause) is cause
    if found is not None:
        assert found.since == now - hours * HOUR


@pytest.mark.parametrize("device", [GAS, LOOSE])
def test_what_was_never_heard_is_never_quiet(now: Any, device: Device) -> None:
    """Invariant unknown-is-not-clear: also where only a broker remembers something of it, and nothing was promised."""
    nothing = silence(device, states={}, audible=Audible(), now=now)
    assert nothing is not None
    assert (nothing.cause, nothing.since) == (Cause.NEVER, None)

    remembered = silence(LOOSE, states=row(LOOSE, now, fresh=Freshness.RETAINED), audible=Audible(), now=now)
    assert remembered is not None
    assert remembered.cause is Cause.NEVER


def test_behind_a_gateway_that_is_off_nobody_is_silent_and_nobody_is_watched_over(now: Any) -> None:
    gone = now - 20 * HOUR
    audible = Audible(deaf_since=gone, gaps=(Gap(gone, now),))
    found = silence(GAS, states=row(GAS, gone - HOUR), audible=audible, now=now)

    assert found is not None
    assert (found.cause, found.since) == (Cause.GATEWAY, gone)


def test_what_was_silent_before_its_gateway_went_stays_silent(now: Any) -> None:
    gone = now - HOUR
    audible = Audible(deaf_since=gone, gaps=(Gap(gone, now),))
    found = silence(GAS, states=row(GAS, gone - 7 * HOUR), audible=audible, now=now)

    assert found is not None
    assert found.cause is Cause.SILENT


# --- the grace --------------------------------------------------------------------------------------------------------


def test_within_the_grace_nothing_is_made_of_silence(now: Any) -> None:
    assert not_before(now, None) == now
    assert not_before(now, now - MINUTE) == now - MINUTE + GRACE
    assert not_before(now, now - HOUR) == now


@given(back=st.integers(-100_000, 100_000))
def test_starts_hide_nothing_for_longer_than_the_grace(back: int) -> None:
    """However often its gateway starts, silence counts once it is longer than its time by the grace."""
    assert NOON <= not_before(NOON, NOON + timedelta(seconds=back)) <= NOON + GRACE


def test_a_device_has_the_grace_after_its_gateway_is_back(make_site: Any) -> None:
    site = make_site(offline=Offline())
    site.hear("gas", "clear")
    site.now += 6 * HOUR
    back = site.now - MINUTE
    before = site.look(DueKind.OFFLINE, "gas", back_at=back)
    assert not before.findings
    assert before.due == [SetDue(kind=DueKind.OFFLINE, subject="gas", due_at=back + GRACE)]

    site.now = back + GRACE
    assert len(site.look(DueKind.OFFLINE, "gas", back_at=back).findings) == 1


# --- a home -----------------------------------------------------------------------------------------------------------


def due(now: Any, states: Any, *, standing: Any = None, devices: Any = (GAS, DOOR), **more: Any) -> Any:
    return liveness.unwatched_due(
        rulings(unwatched=Unwatched(hold_s=7200)),
        "unwatched",
        "home",
        devices=devices,
        states=states,
        standing=standing or {},
        away=more.pop("away", ()),
        now=now,
        audible=more.pop("audible", {}),
    )


def test_a_home_is_as_watched_as_its_most_silent_sensor(now: Any) -> None:
    states = row(GAS, now - 8 * HOUR) | row(DOOR, now)
    found = silences([DOOR, GAS], states=states, audible={}, now=now)

    assert [one.device for one in found] == [GAS]
    assert unwatched_since(found) == now - 8 * HOUR
    assert silences([DOOR], states=states, audible={}, now=now) == []
    assert unwatched_since([]) is None


def test_it_is_told_once_its_time_has_passed(now: Any) -> None:
    """The time runs from when the silence counts, after three heartbeats: six hours, and two more."""
    waiting = due(now, row(GAS, now - 7 * HOUR) | row(DOOR, now))
    assert waiting.findings == []
    assert waiting.due == [SetDue(kind=DueKind.UNWATCHED, subject="unwatched/home", due_at=now + HOUR)]

    raised = due(now, row(GAS, now - 8 * HOUR) | row(DOOR, now))
    (finding,) = raised.findings
    assert (finding.event, finding.kind, finding.subject) == (FindingEvent.RAISED, "unwatched", "home")
    assert finding.reason == "看护中断已8小时：厨房燃气（没有消息）"
    assert raised.due == [CancelDue(kind=DueKind.UNWATCHED, subject="unwatched/home")]


def test_it_is_told_once_and_ends_when_all_speak(now: Any) -> None:
    standing = stands("unwatched", "home", "unwatched", now)
    assert due(now, row(GAS, now - 9 * HOUR) | row(DOOR, now), standing=standing).findings == []

    (finding,) = due(now, row(GAS, now) | row(DOOR, now), standing=standing).findings
    assert finding.event is FindingEvent.CLEARED
    assert due(now, row(GAS, now) | row(DOOR, now)).findings == []


def test_what_has_promised_nothing_and_was_never_heard_wakes_nobody(now: Any) -> None:
    watched = row(GAS, now) | row(DOOR, now)
    assert due(now, watched, devices=(GAS, DOOR, LOOSE)).findings == []

    (finding,) = due(now, row(GAS, now)).findings
    assert finding.reason == "看护尚未开始：门口门磁（从未有消息）"


def test_it_rests_while_nobody_lives_there_where_the_rule_says_so(now: Any) -> None:
    made = Rule(
        id="u", title="u", when=Unwatched(hold_s=60), severity=Severity.NOTICE, plan="p", policy="p", unless=("away",)
    )
    resting = liveness.unwatched_due(
        Engine(Rulebook(rules=(made,), plans={}, policies={})).rulings,
        "u",
        "home",
        devices=(GAS,),
        states=row(GAS, now - 9 * HOUR),
        standing={},
        away={"home"},
        now=now,
        audible={},
    )
    assert resting.findings == []
    assert [type(one) for one in resting.due] == [SetDue]


def test_a_word_of_a_silent_device_lets_its_home_be_looked_at(make_site: Any) -> None:
    """And one of a device that has never been silent does not: the home would be looked at with each of its words."""
    site = make_site(unwatched=Unwatched(hold_s=7200))
    site.hear("gas", "clear")
    site.hear("door", "closed")
    key = (DueKind.UNWATCHED, "unwatched/home")
    site.standing |= stands("unwatched", "home", "unwatched", site.now)
    site.hear("door", "closed", after=9 * HOUR)
    assert key not in site.due

    site.hear("gas", "clear", after=9 * HOUR)
    assert site.due[key] == site.now


def test_silence_of_a_device_lets_its_home_be_looked_at(make_site: Any) -> None:
    site = make_site(unwatched=Unwatched(hold_s=7200))
    site.hear("gas", "clear")
    site.now += 6 * HOUR
    evaluation = site.look(DueKind.OFFLINE, "gas")

    assert evaluation.findings == []
    assert (
        SetDue(kind=DueKind.UNWATCHED, subject="unwatched/home", due_at=site.now + 2 * HOUR, if_absent=True)
        in evaluation.due
    )


# --- a gateway --------------------------------------------------------------------------------------------------------


def outage(since: Any, **more: Any) -> Outage:
    return Outage(
        "s", "", since, more.pop("home_id", "home"), homes=more.pop("homes", 2), devices=more.pop("devices", 7)
    )


def test_a_gateway_is_one_finding_with_all_that_is_behind_it(now: Any) -> None:
    rules = rulings(gateway=GatewayOffline(hold_s=600))
    waiting = liveness.gateway_due(rules, outage(now - 5 * MINUTE), standing={}, now=now)
    assert waiting.findings == []
    assert waiting.due == [SetDue(kind=DueKind.GATEWAY, subject="s/", due_at=now + 5 * MINUTE)]

    (finding,) = liveness.gateway_due(rules, outage(now - 10 * MINUTE), standing={}, now=now).findings
    assert (finding.home_id, finding.subject, finding.kind) == ("home", "s/", "gateway_offline")
    assert finding.reason == "网关s离线已10分钟，影响2户7个设备"

    standing = stands("gateway", "s/", "gateway_offline", now)
    assert liveness.gateway_due(rules, outage(now - HOUR), standing=standing, now=now).findings == []
    (over,) = liveness.gateway_due(rules, outage(None), standing=standing, now=now).findings
    assert (over.event, over.subject, over.home_id) == (FindingEvent.CLEARED, "s/", "home")


def test_a_gateway_beside_others_that_hear_the_same(now: Any) -> None:
    rules = rulings(gateway=GatewayOffline())
    (finding,) = liveness.gateway_due(rules, outage(now, homes=0, devices=0), standing={}, now=now).findings
    assert "其他网关" in finding.reason


def test_a_gateway_of_nobody_is_raised_nowhere(now: Any) -> None:
    rules = rulings(gateway=GatewayOffline())
    found = liveness.gateway_due(rules, outage(now, home_id=None), standing={}, now=now)
    assert found.findings == []
    assert found.due == [CancelDue(kind=DueKind.GATEWAY, subject="s/")]
