"""What is published on MQTT, with what it says put down beside it by hand: the judges must not ask the decoder."""

from dataclasses import dataclass, field
from datetime import datetime

import orjson
from model.community import DEVICES

from ingest.message import Message


@dataclass(slots=True)
class Letter:
    """One message, and what became of it."""

    topic: str
    payload: bytes
    #: None for what is about no device.
    device: str | None
    #: What it says, by kind: a state, or a number; None: it names the kind and says nothing of it.
    says: dict[str, str | float | None]
    #: `fact`; `quarantine`: nobody can make sense of it; `word`: of a gateway; `anything`: it may be either.
    expect: str
    retain: bool = False
    historic: bool = False
    published_at: datetime | None = None
    received_at: datetime | None = None
    #: It has been handed over before.
    handed: bool = False
    acked: bool = False
    #: A transaction was written while it was handled, and yet it was not acknowledged.
    perhaps_taken: bool = False
    #: Whether its device was in the files when it was taken in.
    known: bool = True
    #: Judged already.
    traced: bool = False
    handle: int = field(default=0)

    @property
    def live(self) -> bool:
        """Whether its device says it now."""
        return not self.retain and not self.historic

    def message(self) -> Message:
        """As the broker hands it over."""
        assert self.received_at is not None
        return Message(
            topic=self.topic,
            payload=self.payload,
            retain=self.retain,
            received_at=self.received_at,
            dup=self.handed and not self.retain,
            handle=self.handle,
        )


#: What a kind of sensor may say: fields of a Zigbee message, and what they say by hand.
_ZIGBEE: dict[str, dict[str, tuple[dict[str, object], dict[str, str | float | None]]]] = {
    "gas": {
        "alarm": ({"gas": True}, {"gas": "alarm"}),
        "clear": ({"gas": False}, {"gas": "clear"}),
        "null": ({"gas": None}, {"gas": None}),
        "unavailable": ({"gas": "unavailable"}, {"gas": None}),
        "low": ({"battery": 9}, {"battery": 9.0}),
        "full": ({"battery": 90}, {"battery": 90.0}),
        "alarm and low": ({"gas": True, "battery_low": True}, {"gas": "alarm", "battery": "low"}),
        "clear and fair": ({"gas": False, "battery": 17}, {"gas": "clear", "battery": 17.0}),
        "tested": ({"gas": True, "test": True, "tamper": False}, {"gas": "test", "test": "active", "tamper": "clear"}),
        "nothing": ({"linkquality": 80}, {}),
    },
    "smoke": {
        "alarm": ({"smoke": True}, {"smoke": "alarm"}),
        "clear": ({"smoke": False}, {"smoke": "clear"}),
        "null": ({"smoke": None}, {"smoke": None}),
        "unavailable": ({"smoke": "unknown"}, {"smoke": None}),
    },
    "contact": {
        "alarm": ({"contact": False}, {"contact": "open"}),
        "clear": ({"contact": True}, {"contact": "closed"}),
        "null": ({"contact": None}, {"contact": None}),
        "low": ({"contact": True, "battery": 3}, {"contact": "closed", "battery": 3.0}),
    },
}

_OWN: dict[str, dict[str, tuple[object, dict[str, str | float | None]]]] = {
    "gas": {
        "alarm": ({"kind": "gas", "state": "alarm"}, {"gas": "alarm"}),
        "clear": ({"kind": "gas", "state": "clear"}, {"gas": "clear"}),
        "null": ({"kind": "gas", "state": None}, {"gas": None}),
        "unavailable": ({"kind": "gas", "state": "unknown"}, {"gas": None}),
        "low": ({"kind": "battery", "value": 5}, {"battery": 5.0}),
        "full": ({"kind": "battery", "value": 99}, {"battery": 99.0}),
        "tested": ({"kind": "gas", "state": "alarm", "test": True}, {"gas": "test"}),
        "traces": ({"kind": "gas_concentration", "value": 12}, {"gas_concentration": 12.0}),
        "no traces": ({"kind": "gas_concentration", "value": 1}, {"gas_concentration": 1.0}),
        "two": (
            [{"kind": "gas", "state": "alarm"}, {"kind": "gas_concentration", "value": 30}],
            {"gas": "alarm", "gas_concentration": 30.0},
        ),
    },
    "contact": {
        "alarm": ({"kind": "contact", "state": "open"}, {"contact": "open"}),
        "clear": ({"kind": "contact", "state": "closed"}, {"contact": "closed"}),
        "null": ({"kind": "contact", "state": None}, {"contact": None}),
    },
    "sos": {
        "alarm": ({"kind": "sos", "state": "pressed"}, {"sos": "pressed"}),
        "clear": ({"kind": "sos", "state": "cleared"}, {"sos": "cleared"}),
        "null": ({"kind": "sos", "state": None}, {"sos": None}),
    },
}

SAYINGS = sorted({name for table in (_ZIGBEE, _OWN) for sayings in table.values() for name in sayings})

#: What is none of these: topic, payload, and what is expected.
RUBBISH: list[tuple[str, bytes, str]] = [
    ("somewhere/else", b"{}", "quarantine"),
    ("zigbee2mqtt/nobody", b'{"gas": true}', "quarantine"),
    ("zigbee2mqtt/c-gas", b'{"gas": tr', "quarantine"),
    ("zigbee2mqtt/c-gas", b"[1, 2]", "quarantine"),
    ("zigbee2mqtt/bridge/state", b'"sideways"', "quarantine"),
    ("shouwang/v1/c/meter/event", b'{"kind": "ghost", "state": "alarm"}', "quarantine"),
    ("shouwang/v1/c/meter/event", b'{"kind": "gas", "state": "purple"}', "quarantine"),
    ("shouwang/v1/c/nobody/event", b'{"kind": "gas", "state": "alarm"}', "quarantine"),
    ("shouwang/v1/c/meter/event", b"\xff\xfe\x00", "quarantine"),
    ("zigbee2mqtt/bridge/state", b'{"state": "offline"}', "word"),
    ("zigbee2mqtt/bridge/state", b'{"state": "online"}', "word"),
    ("zigbee2mqtt/bridge/logging", b"x", "word"),
    ("zigbee2mqtt/a-gas/set", b'{"gas": true}', "word"),
]


def saying(device: str, what: str, *, retain: bool = False, historic: bool = False) -> Letter:
    """Let a device say something of the tables; where it cannot say that, its alarm."""
    _, kind, source, name, _, _ = DEVICES[device]
    if source == "own":
        sayings = _OWN[kind]
        document, says = sayings.get(what, sayings["alarm"])
        if historic:
            events = document if isinstance(document, list) else [document]
            document = [{**event, "historic": True} for event in events]
        topic = f"shouwang/v1/{name}/event"
    else:
        zigbee = _ZIGBEE[kind]
        document, says = zigbee.get(what, zigbee["alarm"])
        topic, historic = f"zigbee2mqtt/{name}", False
    return Letter(
        topic=topic,
        payload=orjson.dumps(document),
        device=device,
        says=dict(says),
        expect="fact",
        retain=retain,
        historic=historic,
    )


def availability(device: str, state: str, *, retain: bool = False) -> Letter:
    """Let a gateway say whether a device is there."""
    _, _, source, name, _, _ = DEVICES[device]
    topic = f"shouwang/v1/{name}/status" if source == "own" else f"zigbee2mqtt/{name}/availability"
    return Letter(
        topic=topic, payload=state.encode(), device=device, says={"availability": state}, expect="fact", retain=retain
    )


def rubbish(number: int, *, retain: bool = False) -> Letter:
    """Something else."""
    topic, payload, expect = RUBBISH[number % len(RUBBISH)]
    return Letter(topic=topic, payload=payload, device=None, says={}, expect=expect, retain=retain)


def noise(device: str, payload: bytes) -> Letter:
    """Any bytes at all, on the topic of a device."""
    letter = saying(device, "alarm")
    letter.payload, letter.says, letter.expect, letter.device = payload, {}, "anything", None
    return letter
