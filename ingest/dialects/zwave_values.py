"""What the values of a Z-Wave node say, command class by command class."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ingest.dialects import zwave_tables as tables
from ingest.dialects.common import number, shorten
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import Fact, Rank, read, unknown
from rules.community import Device

_NO_NUMBER = -2
#: An intrusion is an open door or a movement, as the sensor may be.
_INTRUSIONS = frozenset({"sensorstatus", "intrusion", "intrusionlocationprovided"})
_INTRUDED = frozenset({"contact", "motion", "presence", "vibration"})


class Value(NamedTuple):
    """Which value a topic is of."""

    node: str
    command_class: int
    endpoint: str
    #: As they are in the topic.
    name: str
    key: str = ""

    @property
    def field(self) -> str:
        """As a map would name it."""
        return f"{self.name}/{self.key}" if self.key else self.name


class Given(NamedTuple):
    """What a message says of a value."""

    value: Value
    said: Any
    unit: str | None
    device: Device
    retained: bool


def _notification(facts: Facts, given: Given) -> str | None:
    kind, variable = tables.plain_name(given.value.name), tables.plain_name(given.value.key)
    if kind in {"alarmtype", "alarmlevel"}:
        # Version 1, in which each maker has its own numbers; 0 is also what all others say there.
        if number(given.said) != 0 and given.said is not None:
            facts.by_map(given.value.field, given.said, what="alarm_bit")
        return "attribute"
    known = tables.NOTIFICATIONS.get(kind)
    if known is None:
        return "not_a_safety_sensor"
    if variable in known.labels:
        fact = known.events[known.labels[variable]]
        if fact.kind == "sos" and given.retained:
            fact = Fact(Rank.CLEAR, "button", f"emergency_{fact.detail}", fact.detail)
        facts.fact(fact)
        return None
    figure = whole(given.said)
    if variable == "teststatus" and figure in tables.TEST_RESULTS:
        facts.fact(tables.TEST_RESULTS[figure])
        return None
    if variable in known.maps:
        # An event is published with its parameters; that it is published says that it has happened.
        happened = not variable.endswith("status") or figure > 0
        if variable in _INTRUSIONS and kind == "homesecurity" and given.device.kind in _INTRUDED:
            facts.value(given.device.kind, None if figure < 0 and not happened else happened)
        elif happened or (given.said is not None and figure != 0):
            facts.by_map(given.value.field, given.said, what="event")
        return "attribute"
    if figure == 0 and variable in known.idle:
        for fact in known.idle[variable]:
            facts.fact(fact)
    elif figure in known.events:
        facts.fact(known.events[figure])
    elif (of_variable := tables.VARIABLES.get((kind, variable))) is not None:
        facts.fact(unknown(of_variable))
    return "attribute"


def _binary(facts: Facts, given: Given) -> str | None:
    name = tables.plain_name(given.value.name)
    if given.value.command_class == tables.CLASSES["sensor_alarm"]:
        if name != "state":
            return "attribute"
        name = tables.plain_name(given.value.key)
        name = tables.SENSOR_ALARMS.get(name, name)
    kind = tables.BINARY.get(name)
    if kind is None and name in tables.GENERIC and given.device.kind in tables.GENERIC_KINDS:
        kind = given.device.kind
    if kind is None:
        facts.by_map(given.value.field, given.said, what="event")
    else:
        facts.fact(read(kind, True if given.said == 255 else given.said))
    return None


def _battery(facts: Facts, given: Given) -> str | None:
    name = tables.plain_name(given.value.name)
    if name == "level":
        # 255 is Z-Wave's word for low.
        facts.battery(given.said, state="low" if number(given.said) == 255 else None)
        return "invalid_value"
    if name in {"islow", "lowfluid"}:
        facts.fact(read("battery", given.said))
        return "invalid_value"
    if name in {"rechargeorreplace", "replacementstatus"}:
        facts.battery(state={0: "ok", 1: "low", 2: "low"}.get(whole(given.said)))
    return "attribute"


def _scene(facts: Facts, given: Given) -> str | None:
    if tables.plain_name(given.value.name) not in {"scene", "sceneid"}:
        return "attribute"
    if given.said is None:
        return "empty_action_reset"
    figure = whole(given.said)
    action = tables.KEYS.get(figure) if given.value.command_class == 0x5B else "press"
    if action is None:
        return "invalid_value"
    _press(facts, given, action, f"scene {given.value.key} {action}" if given.value.key else action)
    return None


def _entry(facts: Facts, given: Given) -> str | None:
    name = tables.plain_name(given.value.name)
    if name in {"keycachesize", "keycachetimeout"}:
        return "attribute"
    if name == "eventtype":
        name = tables.plain_name(str(given.said))
    if (call := tables.HELP_KEYS.get(name)) is not None:
        _press(facts, given, f"emergency_{call}", call)
        return None
    return "not_a_safety_sensor"


def _press(facts: Facts, given: Given, action: str, detail: str) -> None:
    if given.retained:
        facts.fact(Fact(Rank.CLEAR, "button", shorten(action), shorten(detail)))
    else:
        facts.pressed(action)


def _amount(facts: Facts, given: Given) -> str | None:
    kind = tables.AMOUNTS.get(tables.plain_name(given.value.name))
    if kind is not None:
        facts.number(kind, given.said, given.unit)
    elif number(given.said) is None:
        return "invalid_value"
    else:
        facts.number("measurement", given.said, given.unit, detail=shorten(given.value.field))
    return None


def _basic(facts: Facts, given: Given) -> str | None:
    # Its current value is the siren's, or the lamp's; an event is what a sensor tells those that it is to switch.
    if tables.plain_name(given.value.name) != "event":
        return "attribute"
    figure = number(given.said)
    if given.device.kind in tables.GENERIC_KINDS:
        facts.value(given.device.kind, None if figure is None or not 0 <= figure <= 255 else figure > 0)
    else:
        facts.by_map(given.value.field, given.said, what="event")
    return None


def _lock(facts: Facts, given: Given) -> str | None:
    if tables.plain_name(given.value.name) != "doorstatus":
        return "not_a_safety_sensor"
    facts.value("contact", given.said if type(given.said) is str else None)
    return None


def whole(said: Any) -> int:
    """Read a whole number; what is none is a number that stands for nothing."""
    figure = number(said)
    return int(figure) if figure is not None and figure.is_integer() else _NO_NUMBER


#: Each takes what a value says, or gives the word why it is of no interest.
READERS: dict[int, Callable[[Facts, Given], str | None]] = {
    0x20: _basic,
    0x26: _amount,
    0x2B: _scene,
    0x30: _binary,
    0x31: _amount,
    0x32: _amount,
    0x5B: _scene,
    0x62: _lock,
    0x6F: _entry,
    0x71: _notification,
    0x80: _battery,
    0x9C: _binary,
}
