"""Home Assistant's discovery messages: what gateways say of their entities for its sake, and of use to us as well.

    <prefix>/<component>/[<node>/]<object>/config     {"state_topic": …, "device_class": "gas", "payload_on": …}
    <prefix>/device/[<node>/]<object>/config          {"device": …, "components": {"<id>": {"platform": …, …}}}

Keys come long or abbreviated, topics with `~` for a base. What is said of a topic is learnt under `key(topic)`, as
{"entities": [...]} and {"availability": {"on": …, "off": …, "path": …}}; names of devices hold no `#`, so that no key
is the name of one. (Home Assistant: integrations "MQTT", "MQTT Binary Sensor", "MQTT Sensor"; abbreviations.py.)
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ingest.decoded import Decoded, World
from ingest.dialects.common import parsed, shorten
from ingest.message import Message
from rules.community import Source

#: What no entity says by itself.
COMPONENTS = frozenset(
    """alarm_control_panel binary_sensor button camera climate cover date datetime device device_automation
    device_tracker event fan humidifier image lawn_mower light lock notify number scene select sensor siren switch tag
    text time update vacuum valve water_heater""".split()  # noqa: SIM905 - thirty quoted words are harder to read
)
#: The keys that are of use here, by their short forms.
_LONG = {
    "avty": "availability",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "cmps": "components",
    "dev": "device",
    "dev_cla": "device_class",
    "mdl": "model",
    "mf": "manufacturer",
    "obj_id": "object_id",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_t": "state_topic",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
_MOST_ENTITIES = 200
_MOST_REMEMBERED = 4096
_DEEPEST = 6
_LONGEST_TOPIC = 1024
_LONGEST_TEMPLATE = 300
#: A template that only picks a field; filters that leave it what it is are passed over.
_TEMPLATE = re.compile(
    r"""^\s*\{\{-?\s*(?P<root>value_json|value)(?P<path>(?:\.\w+|\[\s*(?:'[^'\]]*'|"[^"\]]*"|\d+)\s*\])*)
    (?P<filters>(?:\s*\|\s*(?:float|int|string|lower|upper|is_defined|trim|round|default|d)(?:\([^()]*\))?)*)\s*-?\}\}\s*$""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.(\w+)|\[\s*(?:'([^'\]]*)'|"([^"\]]*)"|(\d+))\s*\]""")

Path = tuple[str | int, ...]


class Entity(NamedTuple):
    """What a topic's value is, or a field of it."""

    domain: str
    #: As it is called by its gateway; the field that a map would name.
    object_id: str
    device_class: str | None = None
    unit: str | None = None
    #: What stands for on and off, as text; None: the usual words.
    on: str | None = None
    off: str | None = None
    #: Where in the payload; None: said by a template that nobody but Home Assistant can work out.
    path: Path | None = ()


class Availability(NamedTuple):
    """How a topic says that what is behind it can be heard."""

    on: str
    off: str
    path: Path | None = ()


def key(topic: str) -> str:
    """Give the key under which it is learnt what a topic says."""
    return f"#{topic}"


def entities(definition: Mapping[str, Any] | None) -> list[Entity]:
    """Give the entities of what was learnt of a topic."""
    said = definition.get("entities") if definition is not None else None
    return [_entity(one) for one in said if type(one) is dict] if type(said) is list else []


def availability(definition: Mapping[str, Any] | None) -> Availability | None:
    """Give how a topic says that something can be heard, if that was learnt of it."""
    said = definition.get("availability") if definition is not None else None
    if type(said) is not dict:
        return None
    return Availability(said.get("on", "online"), said.get("off", "offline"), _tuple(said.get("path", [])))


def pick(document: Any, path: Path) -> Any:
    """Follow a path into a document; None where it leads nowhere."""
    for step in path:
        if type(document) is dict:
            document = document.get(step)
        elif type(document) is list and type(step) is int and step < len(document):
            document = document[step]
        else:
            return None
    return document


class Discovery:
    """Reads the discovery messages of one source, if it is said where they come."""

    def __init__(self, source: Source) -> None:
        self._source = source.id
        self.prefix = source.discovery.strip("/") if source.discovery else None
        #: To be added to what the dialect has of its own.
        self.bases: tuple[str, ...] = (self.prefix,) if self.prefix else ()
        self.subscriptions: tuple[str, ...] = (
            (f"{self.prefix}/+/+/config", f"{self.prefix}/+/+/+/config") if self.prefix else ()
        )
        # The topics of which a message spoke: one that takes it back does not say them. After a restart it is only
        # forgotten what was taken back before, which nobody publishes any more.
        self._topics: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def is_config(self, topic: str) -> bool:
        """Say whether a topic is that of a discovery message."""
        prefix = self.prefix
        return prefix is not None and topic.startswith(f"{prefix}/") and self.may_be(topic[len(prefix) + 1 :])

    def may_be(self, rest: str) -> bool:
        """Say whether what follows a base may be a discovery message's."""
        if self.prefix is None or not rest.endswith("/config"):
            return False
        return rest.partition("/")[0] in COMPONENTS and 2 <= rest.count("/") <= 3

    def names(self, rest: str, payload: bytes) -> Sequence[str]:
        """Give the keys of what a discovery message speaks of; `rest` follows the prefix."""
        topic = f"{self.prefix}/{rest}"
        said = self._said(topic, payload) or {}
        return [key(one) for one in dict.fromkeys((*said, *self._topics.get(topic, ())))]

    def decode(self, message: Message, world: World, ours: Callable[[str], bool]) -> Decoded:
        """Learn what a discovery message says of topics that are `ours`."""
        source, topic = self._source, message.topic
        said = self._said(topic, message.payload)
        if said is None:
            return Decoded(
                quarantine=("malformed_json", "A discovery message is a JSON object, or nothing."), source=source
            )
        mine = {one: what for one, what in said.items() if ours(one)}
        gone = [one for one in self._topics.get(topic, ()) if one not in mine]
        if not mine and not gone:
            return Decoded(ignored="discovery_config", source=source, foreign=True)
        learnt: dict[str, dict[str, Any] | None] = {}
        for one in (*mine, *gone):
            before = world.definitions.get((source, key(one)))
            after = _merged(before, topic, mine.get(one))
            if after != before:
                learnt[key(one)] = after
        self._remember(topic, tuple(mine))
        return Decoded(ignored="discovery_config", learnt=learnt or None, source=source)

    def _remember(self, topic: str, topics: tuple[str, ...]) -> None:
        self._topics.pop(topic, None)
        if topics:
            self._topics[topic] = topics
        while len(self._topics) > _MOST_REMEMBERED:
            self._topics.popitem(last=False)

    def _said(self, topic: str, payload: bytes) -> dict[str, dict[str, Any]] | None:
        """By topic, what a message says of it; None where it is no discovery message."""
        if not payload:
            return {}
        try:
            document = parsed(payload)
        except ValueError:
            return None
        if type(document) is not dict:
            return None
        said: dict[str, dict[str, Any]] = {}
        for component, object_id, config in _configs(topic[len(self.prefix or "") + 1 :], document):
            _read(said, component, object_id, config)
        return said


def _configs(rest: str, document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Take a message apart: component, object id and settings of each entity in it."""
    component, *_, object_id, _ = rest.split("/")
    document = _long(document)
    if component != "device":
        yield component, object_id, document
        return
    each = document.get("components")
    shared = {name: document[name] for name in document.keys() & _SHARED}
    for name, one in list(each.items())[:_MOST_ENTITIES] if type(each) is dict else ():
        if type(one) is dict:
            config = shared | _long(one)
            yield _text(config.get("platform")) or "", name, config


#: What a device says for all of its components.
_PAYLOADS = frozenset({"payload_available", "payload_not_available"})
_SHARED = _PAYLOADS | {"availability", "availability_topic", "availability_template", "device", "state_topic", "~"}


def _read(said: dict[str, dict[str, Any]], component: str, object_id: str, config: dict[str, Any]) -> None:
    base = _text(config.get("~")) or ""
    topic = _topic(config.get("state_topic"), base)
    if topic and component in COMPONENTS:
        entity: dict[str, Any] = {
            "domain": component,
            "object_id": shorten(object_id),
        }
        for name, short in (("device_class", "class"), ("unit_of_measurement", "unit")):
            if text := _text(config.get(name)):
                entity[short] = shorten(text)
        for name, short in (("payload_on", "on"), ("payload_off", "off")):
            if (value := config.get(name)) is not None:
                entity[short] = shorten(written(value))
        path = _path(config.get("value_template"))
        if path != ():
            entity["path"] = None if path is None else list(path)
        device = _long(config["device"]) if type(config.get("device")) is dict else {}
        for name, short in (("manufacturer", "vendor"), ("model", "model")):
            if text := _text(device.get(name)):
                entity[short] = shorten(text)
        said.setdefault(topic, {}).setdefault("entities", []).append(entity)
    for one in _availabilities(config):
        if topic := _topic(one.get("topic"), base):
            path = _path(one.get("value_template"))
            said.setdefault(topic, {})["availability"] = {
                "on": shorten(written(one.get("payload_available", "online"))),
                "off": shorten(written(one.get("payload_not_available", "offline"))),
                "path": None if path is None else list(path),
            }


def _availabilities(config: dict[str, Any]) -> list[dict[str, Any]]:
    listed = config.get("availability")
    each = [_long(one) for one in (listed if type(listed) is list else [listed]) if type(one) is dict]
    if config.get("availability_topic") is not None:
        own: dict[str, Any] = {name: config[name] for name in _PAYLOADS if name in config}
        each.append(
            own | {"topic": config["availability_topic"], "value_template": config.get("availability_template")}
        )
    return each[:_MOST_ENTITIES]


def _merged(before: dict[str, Any] | None, config: str, said: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is known of a topic after a message has said something of it, or, with None, has taken it back."""
    after = {name: value for name, value in (before or {}).items() if name not in {"entities", "availability"}}
    kept = [one for one in (before or {}).get("entities", ()) if one.get("from") != config]
    new = [one | {"from": config} for one in (said or {}).get("entities", ())]
    # What reads the same field replaces what read it before: two cannot both be right.
    fields = [(one["domain"], one.get("path", [])) for one in new]
    kept = [one for one in kept if (one.get("domain"), one.get("path", [])) not in fields]
    if kept or new:
        after["entities"] = [*kept, *new][-_MOST_ENTITIES:]
    if heard := (said or {}).get("availability") or (before or {}).get("availability"):
        after["availability"] = heard
    return after or None


def written(value: Any) -> str:
    """Write a value as Home Assistant would compare it: True, 1, ON."""
    return value if isinstance(value, str) else str(value)


def _entity(said: Any) -> Entity:
    return Entity(
        said.get("domain", ""),
        said.get("object_id", ""),
        said.get("class"),
        said.get("unit"),
        said.get("on"),
        said.get("off"),
        _tuple(said.get("path", [])),
    )


def _tuple(path: Any) -> Path | None:
    return None if path is None else tuple(path)


def _long(document: dict[str, Any]) -> dict[str, Any]:
    return {_LONG.get(name, name): value for name, value in document.items()}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _topic(value: Any, base: str) -> str | None:
    if not isinstance(value, str) or not value or len(value) > _LONGEST_TOPIC:
        return None
    if base and value[0] == "~":
        return base + value[1:]
    return value[:-1] + base if base and value[-1] == "~" else value


def _path(template: Any) -> Path | None:
    """Read a template: where it points to, or None where it does more than point."""
    if template is None or template == "":
        return ()
    found = _TEMPLATE.match(template) if type(template) is str and len(template) < _LONGEST_TEMPLATE else None
    if found is None:
        return None
    steps = [name or quoted or double or int(index) for name, quoted, double, index in _STEP.findall(found["path"])]
    if found["root"] == "value" and steps:
        return None
    return tuple(steps) if len(steps) <= _DEEPEST else None
