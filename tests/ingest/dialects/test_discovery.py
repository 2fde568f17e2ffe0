import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.decode import World
from ingest.dialects.discovery import Availability, Discovery, Entity, availability, entities, key, pick
from ingest.message import Message
from rules.community import Source

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOPIC = "homeassistant/binary_sensor/node/gas/config"


class Learner:
    """A source that learns from discovery messages, and remembers as the service does."""

    def __init__(self) -> None:
        self.discovery = Discovery(Source(id="s", dialect="esphome", base="x", discovery="homeassistant"))
        self.known: dict[tuple[str, str], Any] = {}

    def hears(self, config: Any, topic: str = TOPIC) -> Any:
        payload = b"" if config is None else json.dumps(config).encode()
        rest = topic.removeprefix("homeassistant/")
        asked = {("s", name) for name in self.discovery.names(rest, payload)}
        world = World(definitions={name: one for name, one in self.known.items() if name in asked})
        decoded = self.discovery.decode(
            Message(topic, payload, True, NOON), world, lambda one: not one.startswith("alien")
        )
        for name, learnt in (decoded.learnt or {}).items():
            assert ("s", name) in asked, "what it learns it must have asked for"
            self.known["s", name] = learnt
        return decoded

    def entities(self, topic: str) -> list[Entity]:
        return entities(self.known.get(("s", key(topic))))

    def availability(self, topic: str) -> Availability | None:
        return availability(self.known.get(("s", key(topic))))


@pytest.fixture
def learner() -> Learner:
    return Learner()


def test_long_keys(learner: Learner) -> None:
    learner.hears(
        {
            "state_topic": "a/gas", "device_class": "gas", "payload_on": "1", "payload_off": "0",
            "availability_topic": "a/lwt", "payload_available": "up", "payload_not_available": "down",
            "device": {"identifiers": ["1"], "manufacturer": "Maker", "model": "G1"},
        }
    )  # fmt: skip
    assert learner.entities("a/gas") == [Entity("binary_sensor", "gas", "gas", None, "1", "0")]
    assert learner.availability("a/lwt") == Availability("up", "down")
    [said] = learner.known["s", "#a/gas"]["entities"]
    assert (said["vendor"], said["model"]) == ("Maker", "G1")


def test_short_keys_and_a_base(learner: Learner) -> None:
    learner.hears(
        {"~": "flat/301", "stat_t": "~/co", "avty": [{"t": "~/lwt", "pl_avail": "1", "pl_not_avail": "0"}],
         "dev_cla": "carbon_monoxide", "unit_of_meas": "ppm"},
        "homeassistant/sensor/co/config",
    )  # fmt: skip
    assert learner.entities("flat/301/co") == [Entity("sensor", "co", "carbon_monoxide", "ppm")]
    assert learner.availability("flat/301/lwt") == Availability("1", "0")


def test_the_base_may_stand_at_the_end(learner: Learner) -> None:
    learner.hears({"~": "flat", "stat_t": "state/~"})
    assert [one.object_id for one in learner.entities("state/flat")] == ["gas"]


def test_a_whole_device_in_one_message(learner: Learner) -> None:
    learner.hears(
        {
            "dev": {"ids": "ea334450945afc", "mf": "Maker", "mdl": "Panel"},
            "o": {"name": "bridge"},
            "cmps": {
                "door": {"p": "binary_sensor", "dev_cla": "door", "val_tpl": "{{ value_json.door }}"},
                "level": {"p": "sensor", "dev_cla": "battery", "val_tpl": "{{ value_json.battery | int }}"},
                "own": {"platform": "binary_sensor", "device_class": "smoke", "state_topic": "p/smoke"},
                "gone": {"p": "sensor"},
                "broken": 3,
            },
            "state_topic": "p/state",
            "availability_topic": "p/lwt",
        },
        "homeassistant/device/0AFFD2/config",
    )
    assert learner.entities("p/state") == [
        Entity("binary_sensor", "door", "door", path=("door",)),
        Entity("sensor", "level", "battery", path=("battery",)),
        Entity("sensor", "gone"),
    ]
    assert learner.entities("p/smoke") == [Entity("binary_sensor", "own", "smoke")]
    assert learner.availability("p/lwt") == Availability("online", "offline")


@pytest.mark.parametrize(
    ("template", "path"),
    [
        (None, ()),
        ("", ()),
        ("{{ value }}", ()),
        ("{{value_json.smoke}}", ("smoke",)),
        ("{{ value_json['Gas alarm'] }}", ("Gas alarm",)),
        ('{{ value_json["a"].b[0] }}', ("a", "b", 0)),
        ("{{ value_json.x | float(0) | round(1) }}", ("x",)),
        ("{{ value_json.x | is_defined }}", ("x",)),
        ("{{ value_json.x | default(none) }}", ("x",)),
        ("{{ 'ON' if value_json.x else 'OFF' }}", None),
        ("{{ value_json.x * 2 }}", None),
        ("{% if value_json.x %}ON{% endif %}", None),
        ("{{ value_json.x == 1 }}", None),
        ("{{ not value_json.x }}", None),
        ("{{ value_json.a.b.c.d.e.f.g }}", None),
        ("x" * 1000, None),
        (7, None),
    ],
)
def test_templates_that_only_point_are_followed(learner: Learner, template: Any, path: Any) -> None:
    learner.hears({"stat_t": "t", "val_tpl": template})
    assert [one.path for one in learner.entities("t")] == [path]


@pytest.mark.parametrize(
    ("path", "found"), [(("a", 0), 1), (("a", 5), None), (("b",), None), (("a", "x"), None), ((), {"a": [1]})]
)
def test_a_path_into_a_document(path: Any, found: Any) -> None:
    assert pick({"a": [1]}, path) == found


def test_payloads_are_compared_as_text(learner: Learner) -> None:
    learner.hears({"stat_t": "t", "pl_on": True, "pl_off": 0})
    [entity] = learner.entities("t")
    assert (entity.on, entity.off) == ("True", "0")


def test_several_entities_may_share_a_topic(learner: Learner) -> None:
    learner.hears({"stat_t": "t", "val_tpl": "{{ value_json.gas }}", "dev_cla": "gas"})
    learner.hears({"stat_t": "t", "val_tpl": "{{ value_json.co }}"}, "homeassistant/sensor/co/config")
    assert [(one.domain, one.path) for one in learner.entities("t")] == [
        ("binary_sensor", ("gas",)),
        ("sensor", ("co",)),
    ]


def test_the_newest_word_on_a_field_counts(learner: Learner) -> None:
    learner.hears({"stat_t": "t", "dev_cla": "door"})
    learner.hears({"stat_t": "t", "dev_cla": "gas"}, "homeassistant/binary_sensor/other/config")
    assert [one.device_class for one in learner.entities("t")] == ["gas"]


def test_what_is_said_again_is_not_learnt_again(learner: Learner) -> None:
    config = {"stat_t": "t", "avty_t": "lwt", "dev_cla": "gas"}
    assert set(learner.hears(config).learnt) == {"#t", "#lwt"}
    assert learner.hears(config).learnt is None


def test_what_is_taken_back_is_forgotten(learner: Learner) -> None:
    learner.hears({"stat_t": "t", "dev_cla": "gas"})
    assert learner.hears(None).learnt == {"#t": None}
    assert learner.entities("t") == []


def test_an_entity_that_moves_leaves_its_old_topic(learner: Learner) -> None:
    learner.hears({"stat_t": "old", "dev_cla": "gas"})
    learner.hears({"stat_t": "new", "dev_cla": "gas"})
    assert (learner.entities("old"), len(learner.entities("new"))) == ([], 1)


def test_what_is_of_others_is_left_to_them(learner: Learner) -> None:
    decoded = learner.hears({"stat_t": "alien/t"})
    assert (decoded.ignored, decoded.foreign, decoded.learnt) == ("discovery_config", True, None)


@pytest.mark.parametrize("payload", [b"{", b"[]", b"7", b"\xff"])
def test_what_is_no_discovery_message_is_set_aside(learner: Learner, payload: bytes) -> None:
    assert learner.discovery.names("sensor/x/config", payload) == []
    decoded = learner.discovery.decode(Message("homeassistant/sensor/x/config", payload, True, NOON), World(), bool)
    assert decoded.quarantine is not None
    assert decoded.quarantine[0] == "malformed_json"


@pytest.mark.parametrize(
    ("topic", "is_config"),
    [
        ("homeassistant/sensor/x/config", True),
        ("homeassistant/sensor/node/x/config", True),
        ("homeassistant/device/x/config", True),
        ("homeassistant/sensor/config", False),
        ("homeassistant/sensor/a/b/c/config", False),
        ("homeassistant/nonsense/x/config", False),
        ("homeassistant/sensor/x/state", False),
        ("other/sensor/x/config", False),
    ],
)
def test_which_topics_are_those_of_discovery_messages(learner: Learner, topic: str, is_config: bool) -> None:
    assert learner.discovery.is_config(topic) == is_config


def test_without_a_topic_for_them_there_are_none() -> None:
    silent = Discovery(Source(id="s", dialect="esphome", base="x"))
    assert (silent.bases, silent.subscriptions, silent.is_config(TOPIC)) == ((), (), False)
