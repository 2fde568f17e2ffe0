"""What was heard on the topics, and what it means."""

from datetime import UTC, datetime

from ingest.visit import Heard
from rules.community import Device, Registry, Source
from shouwang.doctor import listening
from shouwang.doctor.diagnosis import Grade
from shouwang.doctor.listening import Listening

SOURCES = (
    Source(id="zigbee", dialect="zigbee2mqtt", base="zigbee2mqtt"),
    Source(id="own", dialect="shouwang", base="shouwang/v1"),
)
DEVICES = tuple(
    Device(id=name.replace("/", "-"), home_id="h", kind="gas", source=source, name=name)
    for source, name in (("zigbee", "gas"), ("zigbee", "hall/door"), ("own", "h/sos"))
)
REGISTRY = Registry(sources=SOURCES, homes=(), devices=DEVICES, grids=(), workers=())


def heard(*messages: Heard) -> list[tuple[Grade, str, str]]:
    ears = Listening(REGISTRY, lambda: datetime(2026, 3, 2, tzinfo=UTC))
    for message in messages:
        ears.hear(message)
    return [(one.grade, one.what, one.where) for one in listening.judge(ears.tallies, REGISTRY, 10.0)]


def say(topic: str, payload: str = '{"gas": false}', *, qos: int = 1, retain: bool = False) -> Heard:
    return Heard(topic, payload.encode(), qos, retain)


def test_it_listens_to_every_source() -> None:
    assert set(Listening(REGISTRY, lambda: datetime.now(UTC)).subscriptions) == {"zigbee2mqtt/#", "shouwang/v1/#"}


def test_silence_is_no_finding_and_not_fine_either() -> None:
    assert [(grade, where) for grade, _, where in heard()] == [
        (Grade.NOTE, "zigbee2mqtt/#"),
        (Grade.NOTE, "shouwang/v1/#"),
    ]


def test_a_device_with_qos_0_is_a_finding_with_its_topic() -> None:
    zigbee, own = heard(say("zigbee2mqtt/gas", qos=0), say("zigbee2mqtt/hall/door"), say("shouwang/v1/h/sos/event"))

    grade, what, where = zigbee
    assert (grade, where) == (Grade.FINDING, "zigbee2mqtt/#")
    assert what.startswith("1 of 2 topics of devices heard in 10 s come with QoS 0")
    assert what.endswith("(zigbee2mqtt/gas)")
    assert own == (Grade.FINE, "1 topic of devices heard in 10 s, all with QoS 1", "shouwang/v1/#")


def test_a_topic_is_unsafe_also_where_it_was_safe_before() -> None:
    (grade, what, _), _ = heard(say("zigbee2mqtt/gas"), say("zigbee2mqtt/gas", qos=0))

    assert grade is Grade.FINDING
    assert what.startswith("1 of 1 topic ")


def test_the_gateways_own_words_and_retained_ones_say_nothing_of_devices() -> None:
    """A retained message keeps the QoS of long ago, and nothing is on its way."""
    silent = heard(say("zigbee2mqtt/bridge/logging", qos=0), say("zigbee2mqtt/gas", qos=0, retain=True))

    assert [grade for grade, _, where in silent if where == "zigbee2mqtt/#"] == [Grade.NOTE, Grade.FINE]


def test_many_retained_messages_are_a_finding() -> None:
    few = heard(*[say(f"zigbee2mqtt/d{number}", "", retain=True) for number in range(500)])
    many = heard(*[say(f"zigbee2mqtt/d{number}", "", retain=True) for number in range(501)])

    assert (Grade.FINE, "500 retained messages for 2 devices", "zigbee2mqtt/#") in few
    assert [(grade, what.split(":")[0]) for grade, what, _ in many if "retained" in what] == [
        (Grade.FINDING, "501 retained messages for 2 devices")
    ]


def test_a_retained_alarm_is_noted() -> None:
    told = heard(say("shouwang/v1/h/sos/event", '{"kind": "gas", "state": "alarm"}', retain=True))

    assert (
        Grade.NOTE,
        "an alarm is retained on shouwang/v1/h/sos/event: an old fact, which pages nobody",
        "shouwang/v1/#",
    ) in told


def test_devices_that_are_in_no_home_are_noted() -> None:
    told = heard(say("zigbee2mqtt/cellar", qos=0))

    assert (
        Grade.NOTE,
        "messages on 1 topic belong to no device and are set aside (zigbee2mqtt/cellar)",
        "zigbee2mqtt/#",
    ) in told
    assert not [grade for grade, _, _ in told if grade is Grade.FINDING]


def test_rubbish_and_foreign_topics_do_not_stop_it() -> None:
    told = heard(Heard("zigbee2mqtt/gas", b"\xff\x00{", 1, retain=False), say("elsewhere/x"), say("zigbee2mqtt"))

    assert len(told) == 2
