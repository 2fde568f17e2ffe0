"""Homes and gateways: what goes out on MQTT, told to a list instead of a broker."""

import json
from datetime import timedelta
from itertools import islice, takewhile
from typing import Any, NamedTuple

import pytest

from simulators.clock import HandClock
from simulators.community import Community, SimDevice, from_documents
from simulators.gateway import Gateway
from simulators.homes import Homes, outlet_for
from simulators.life import Fact
from simulators.models import MODELS, Binary, Enum

#: What a kind calls its two states, where it is not alarm and clear.
WORDS = {
    "contact": ("open", "closed"),
    "motion": ("detected", "clear"),
    "presence": ("detected", "clear"),
    "vibration": ("detected", "clear"),
    "sos": ("pressed", "cleared"),
}


class Sent(NamedTuple):
    topic: str
    body: Any
    retain: bool


class Wire:
    """Collects what is published."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        text = payload.decode()
        self.sent.append(Sent(topic, json.loads(text) if text[:1] in "[{" else text, retain))

    def take(self, *, log: bool = False) -> list[Sent]:
        taken = [sent for sent in self.sent if log or not sent.topic.endswith("bridge/logging")]
        self.sent.clear()
        return taken


@pytest.fixture
def community() -> Community:
    return from_documents(
        [
            {
                "sources": [
                    {"id": "own", "dialect": "shouwang", "base": "shouwang/v1"},
                    {"id": "zig", "dialect": "zigbee2mqtt", "base": "zigbee2mqtt"},
                ],
                "homes": [
                    {
                        "id": "a",
                        "grid": "g",
                        "devices": [
                            {"id": "a-gas", "kind": "gas", "source": "own", "name": "gas"},
                            {"id": "a-door", "kind": "contact", "source": "own", "name": "a/door", "invert": True},
                            {"id": "a-sos", "kind": "sos", "source": "own"},
                        ],
                    },
                    {
                        "id": "b",
                        "grid": "g",
                        "devices": [
                            {"id": "b-smoke", "kind": "smoke", "source": "zig", "name": "6号楼/b/烟感"},
                            {"id": "b-door", "kind": "contact", "source": "zig", "heartbeat": "2h"},
                            {"id": "b-sos", "kind": "sos", "source": "zig"},
                        ],
                    },
                ],
            }
        ]
    )


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def homes(community: Community, wire: Wire, clock: HandClock) -> Homes:
    outlets = {
        source.id: outlet_for(source, community.devices(), wire.publish, now=clock.now) for source in community.sources
    }
    return Homes(community, outlets, now=clock.now)


async def test_own_dialect(homes: Homes, wire: Wire, clock: HandClock) -> None:
    """One event a fact, with its time and an id of its own; not retained."""
    await homes.alarm("a-gas")
    await homes.repeat("a-gas")
    first, second = wire.take()
    assert (first.topic, first.retain) == ("shouwang/v1/a/gas/event", False)
    assert (first.body["kind"], first.body["state"]) == ("gas", "alarm")
    assert first.body["at"] == clock.now().isoformat(timespec="milliseconds")
    assert second.body["id"] != first.body["id"]
    await homes.clear("a-gas")
    await homes.battery("a-gas", 12)
    clear, battery = wire.take()
    assert clear.body["state"] == "clear"
    assert (battery.body["kind"], battery.body["value"], battery.body["unit"]) == ("battery", 12, "%")


async def test_own_dialect_status_is_retained(homes: Homes, wire: Wire) -> None:
    await homes.start()
    own = [sent for sent in wire.take() if sent.topic.startswith("shouwang/")]
    assert own == [Sent(f"shouwang/v1/a/{name}/status", "online", True) for name in ("gas", "door", "a-sos")]
    await homes.unreachable("a-gas")
    assert wire.take() == [Sent("shouwang/v1/a/gas/status", "offline", True)]
    await homes.alarm("a-gas")
    assert wire.take() == []
    await homes.reachable("a-gas")
    await homes.repeat("a-gas")
    back, alarm = wire.take()
    assert (back.body, alarm.body["state"]) == ("online", "alarm")


async def test_contact_wired_the_other_way_round_says_the_opposite(homes: Homes, wire: Wire) -> None:
    await homes.alarm("a-door")
    assert wire.take()[0].body["state"] == "closed"


async def test_test_alarm_does_not_stand(homes: Homes, wire: Wire) -> None:
    await homes.alarm("a-gas", test=True)
    assert wire.take()[0].body["test"] is True
    await homes.repeat("a-gas")
    assert wire.take() == []


async def test_gateway_introduces_its_devices(homes: Homes, wire: Wire) -> None:
    """bridge/devices carries for every property what its values mean."""
    await homes.start()
    sent = {s.topic: s for s in wire.take() if s.topic.startswith("zigbee2mqtt/")}
    assert sent["zigbee2mqtt/bridge/state"] == ("zigbee2mqtt/bridge/state", {"state": "online"}, True)
    coordinator, *devices = sent["zigbee2mqtt/bridge/devices"].body
    assert sent["zigbee2mqtt/bridge/devices"].retain
    assert (coordinator["type"], coordinator["definition"]) == ("Coordinator", None)
    assert [device["friendly_name"] for device in devices] == ["6号楼/b/烟感", "b-door", "b-sos"]
    door = next(device for device in devices if device["friendly_name"] == "b-door")
    contact = next(e for e in door["definition"]["exposes"] if e["property"] == "contact")
    assert (contact["type"], contact["value_on"], contact["value_off"]) == ("binary", False, True)
    assert sent["zigbee2mqtt/6号楼/b/烟感/availability"] == (
        "zigbee2mqtt/6号楼/b/烟感/availability",
        {"state": "online"},
        True,
    )
    # Nothing has been heard of any device, so there is nothing to repeat.
    assert not [topic for topic in sent if topic.count("bridge") == 0 and "availability" not in topic]


async def test_gateway_repeats_cached_fields_beside_the_new_one(homes: Homes, wire: Wire) -> None:
    """What was never heard is null."""
    await homes.alarm("b-door")
    [opened] = wire.take()
    assert (opened.topic, opened.retain) == ("zigbee2mqtt/b-door", False)
    assert opened.body["contact"] is False
    assert opened.body["battery"] is None
    assert opened.body["last_seen"].endswith("Z")
    await homes.battery("b-door", 55)
    [battery] = wire.take()
    assert (battery.body["battery"], battery.body["contact"]) == (55, False)


async def test_gateway_repeats_its_cache_at_the_start_unmarked(homes: Homes, wire: Wire) -> None:
    """Not retained, and with the old last_seen: only the start before it tells that it is old."""
    gateway = homes._outlets["zig"]
    assert isinstance(gateway, Gateway)
    await homes.alarm("b-smoke")
    [alarm] = wire.take()
    await gateway.restart()
    sent = wire.take()
    assert sent[0] == ("zigbee2mqtt/bridge/state", {"state": "offline"}, True)
    assert sent[1] == ("zigbee2mqtt/bridge/state", {"state": "online"}, True)
    assert [s for s in sent if s.topic == alarm.topic] == [alarm]
    await gateway.restart(forget=True)
    assert not [s for s in wire.take() if s.topic == alarm.topic]


async def test_gateway_log_echoes_each_state(homes: Homes, wire: Wire) -> None:
    """So a reader that looks at every topic sees each alarm twice."""
    await homes.alarm("b-smoke")
    state, log = wire.take(log=True)
    assert log.topic == "zigbee2mqtt/bridge/logging"
    assert json.dumps(state.body, ensure_ascii=False, separators=(",", ":")) in log.body["message"]


async def test_button_is_an_action_that_is_not_remembered(homes: Homes, wire: Wire) -> None:
    await homes.alarm("b-sos")
    await homes.battery("b-sos", 80)
    pressed, battery = wire.take()
    assert pressed.body["action"] == "emergency"
    assert "action" not in battery.body


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_models_say_what_they_expose(model: Any, clock: HandClock) -> None:
    """The encoded alarm is the value that `exposes` names for it, and the calm one is another."""
    device = SimDevice(id="x", home_id="h", kind=model.kind, source="zig", name="x")
    alarm, calm = WORDS.get(model.kind, ("alarm", "clear"))
    exposed = {entry["property"]: entry for entry in model.exposes()}
    said = model.encode(Fact(clock.now(), device, model.kind, alarm))
    if isinstance(model.main, Binary):
        assert said == {model.main.name: exposed[model.main.name]["value_on"]}
        assert model.encode(Fact(clock.now(), device, model.kind, calm)) == {
            model.main.name: exposed[model.main.name]["value_off"]
        }
    else:
        assert isinstance(model.main, Enum)
        assert said[model.main.name] in exposed[model.main.name]["values"]
    assert model.encode(Fact(clock.now(), device, "measurement", value=1.0)) == {}


def test_kind_without_a_model_is_refused(community: Community, wire: Wire) -> None:
    device = SimDevice(id="x", home_id="h", kind="measurement", source="zig", name="x")
    with pytest.raises(ValueError, match="measurement"):
        Gateway(community.sources[1], [device], wire.publish)


async def test_ordinary_life_is_told_and_obeys_what_was_requested(homes: Homes, wire: Wire, clock: HandClock) -> None:
    """A standing alarm is repeated by routine reports, a silent sensor says nothing, nobody moves who is away."""
    await homes.alarm("b-door")
    homes.silence("a-gas")
    homes.leave("a")
    wire.take()
    for at, facts in islice(homes.moments(clock.now()), 400):
        clock.move_to(at)
        await homes.live(facts)
    sent = wire.take()
    assert {s.body["contact"] for s in sent if s.topic == "zigbee2mqtt/b-door"} == {False}
    assert not [s for s in sent if s.topic.startswith("shouwang/v1/a/gas")]
    doors = [s.body for s in sent if s.topic == "shouwang/v1/a/door/event" and s.body["kind"] == "contact"]
    assert len({body["state"] for body in doors}) == 1
    await homes.clear("b-door")
    homes.come_back("a")
    wire.take()
    for at, facts in islice(homes.moments(clock.now()), 800):
        clock.move_to(at)
        await homes.live(facts)
    sent = wire.take()
    assert {s.body["contact"] for s in sent if s.topic == "zigbee2mqtt/b-door"} == {False, True}
    assert len({s.body["state"] for s in sent if s.topic == "shouwang/v1/a/door/event" and "state" in s.body}) == 2


async def test_run_plays_in_compressed_time(homes: Homes, wire: Wire, clock: HandClock) -> None:
    """A day in no time: the same facts as the day has."""
    end = clock.now() + timedelta(days=1)
    facts = [facts for at, facts in takewhile(lambda moment: moment[0] < end, homes.moments(clock.now()))]
    await homes.run(speed=1e9, start=clock.now(), until=end)
    assert homes.told == sum(len(said) for said in facts) > 100


async def test_unknown_device_is_said(homes: Homes) -> None:
    with pytest.raises(LookupError, match="z-gas"):
        await homes.alarm("z-gas")
    with pytest.raises(LookupError):
        homes.leave("z")
