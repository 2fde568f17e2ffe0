"""The doctor at real brokers: what each of them would lose, and that nothing is left behind."""

import asyncio
import gc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import publish as paho_publish

from ingest.embedded import EmbeddedBroker
from ingest.options import MqttOptions
from ingest.visit import Visit, VisitError, visit
from rules.community import Device, Registry, Source
from shouwang.doctor import broker, session
from shouwang.doctor.diagnosis import Diagnosis, Grade
from shouwang.doctor.patient import Patient
from shouwang.settings import MqttSettings, Settings

pytestmark = pytest.mark.broker

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not come within a second on this machine does not come."""
    monkeypatch.setattr(session, "_SILENCE_S", 1.0)
    monkeypatch.setattr(session, "_ECHO_S", 1.0)


@pytest.fixture
def patient() -> Callable[..., Patient]:
    """Make a patient with two devices, whose broker is at an address."""

    def make(
        url: str, names: tuple[str, ...] = ("gas", "door"), mqtt: dict[str, Any] | None = None, **more: Any
    ) -> Patient:
        devices = tuple(Device(id=name, home_id="h", kind="gas", source="zigbee", name=name) for name in names)
        sources = (Source(id="zigbee", dialect="zigbee2mqtt", base="zigbee2mqtt"),)
        registry = Registry(sources=sources, homes=(), devices=devices, grids=(), workers=())
        settings = Settings.model_construct(mqtt=MqttSettings(url=url, **(mqtt or {})))
        fields = {"listen_s": 0.5, "queue": 50, **more}
        return Patient(settings=settings, registry=registry, now=lambda: datetime.now(UTC), **fields)

    return make


def told(diagnoses: list[Diagnosis], subject: str) -> list[tuple[Grade, str]]:
    return [(one.grade, one.what) for one in diagnoses if one.subject == subject]


def url_of(port: int, protocol: str = "auto") -> str:
    return f"mqtt://127.0.0.1:{port}?protocol={protocol}"


async def test_mosquitto_as_installed_drops_what_is_too_much_and_keeps_nothing_on_disk(
    make_mosquitto: Any, patient: Any
) -> None:
    mosquitto = await make_mosquitto(untouched=True)
    found = await broker.look(patient(url_of(mosquitto.port), queue=1_200))

    [(grade, what)] = told(found, "sessions")
    assert grade is FINDING
    assert "keeps 1000 messages" in what
    assert "of 1200 that it acknowledged, 200 did not come back" in what
    [(grade, what)] = told(found, "persistence")
    assert (grade, "keeps nothing on disk" in what) == (FINDING, True)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_mosquitto_as_documented_is_fine_in_both_versions(mosquitto: Any, patient: Any, protocol: str) -> None:
    found = await broker.look(patient(url_of(mosquitto.port, protocol), queue=1_200))

    assert told(found, "broker") == [(FINE, f"lets us in (MQTT {protocol})")]
    assert told(found, "sessions") == [
        (FINE, "1200 messages published to a client that was away: all of them came back")
    ]
    assert [grade for grade, _ in told(found, "persistence")] == [FINE]
    assert not [one for one in found if one.grade is FINDING]


async def test_who_publishes_with_qos_0_and_who_retains_too_much_is_told(mosquitto: Any, patient: Any) -> None:
    def say(topic: str, qos: int, *, retain: bool = False) -> dict[str, Any]:
        return {"topic": f"zigbee2mqtt/{topic}", "payload": '{"gas": false}', "qos": qos, "retain": retain}

    async def publish(messages: list[dict[str, Any]]) -> None:
        await asyncio.to_thread(paho_publish.multiple, messages, hostname="127.0.0.1", port=mosquitto.port)

    await publish([say(f"old{number}", 1, retain=True) for number in range(600)])
    examination = asyncio.create_task(broker.look(patient(url_of(mosquitto.port), listen_s=2.5, queue=0)))
    while not examination.done():
        # The gateway's own words with QoS 0 are no finding.
        await publish([say("gas", 0), say("door", 1), say("cellar", 1), say("bridge/logging", 0)])
        await asyncio.sleep(0.3)

    notes = told(await examination, "messages")
    assert notes[0][0] is FINDING
    assert "1 of 2 topics of devices heard in 2.5 s come with QoS 0" in notes[0][1]
    assert "(zigbee2mqtt/gas)" in notes[0][1]
    assert (notes[1][0], notes[1][1].split(":")[0]) == (FINDING, "600 retained messages for 2 devices")
    assert notes[2][0] is NOTE
    assert "zigbee2mqtt/cellar" in notes[2][1]
    assert len(notes) == 3


async def test_a_broker_that_lets_nobody_try_is_no_finding(make_mosquitto: Any, patient: Any, tmp_path: Path) -> None:
    """A user that may only read, as the service needs no more."""
    (tmp_path / "acl").write_text("topic read zigbee2mqtt/#\n")
    mosquitto = await make_mosquitto(lines=[f"acl_file {tmp_path / 'acl'}"])

    for protocol in ("5", "3.1.1"):
        found = await broker.look(patient(url_of(mosquitto.port, protocol), names=("gas", "front door")))
        [(grade, what), (other, spaces)] = told(found, "sessions")
        assert (grade, other) == (NOTE, NOTE)
        assert "could not be tried" in what
        assert spaces == "whether topics with a space arrive could not be tried"

    (tmp_path / "acl").write_text("topic read zigbee2mqtt/#\ntopic readwrite shouwang-doctor/#\n")
    allowing = await make_mosquitto(lines=[f"acl_file {tmp_path / 'acl'}"])
    found = await broker.look(patient(url_of(allowing.port), names=("gas", "front door")))
    assert [grade for grade, _ in told(found, "sessions")] == [FINE, FINE]


async def test_a_broker_that_refuses_us_is_one_finding_without_the_password(make_mosquitto: Any, patient: Any) -> None:
    mosquitto = await make_mosquitto(anonymous=False)
    [only] = await broker.look(patient(f"mqtt://somebody:a-secret-word@127.0.0.1:{mosquitto.port}"))

    assert (only.grade, only.subject) == (FINDING, "broker")
    assert "Not authorized" in only.what
    assert "a-secret-word" not in f"{only}"


async def test_a_broker_that_takes_the_doctor_for_the_service_is_left_at_once(
    make_mosquitto: Any, hands: Any, patient: Any, payloads: Any
) -> None:
    """By the user's name; what waits for the service must not be taken from it, nor its session be ended."""
    mosquitto = await make_mosquitto(lines=["use_username_as_clientid true"])
    for protocol in ("5", "3.1.1"):
        options = {"username": f"user{protocol[0]}", "protocol": protocol}
        service = await hands.listen(mosquitto.port, **options)
        await service.stop()
        await hands.publish(mosquitto.port, ["an alarm"], auth={"username": "gateway", "password": None})

        url = f"mqtt://{options['username']}@127.0.0.1:{mosquitto.port}?protocol={protocol}"
        [only] = await broker.look(patient(url))
        again = await hands.listen(mosquitto.port, **options)

        assert (only.grade, only.where) == (FINDING, "use_username_as_clientid (Mosquitto)")
        assert payloads(await again.take(1)) == ["an alarm"]
        await again.stop()


@pytest.mark.parametrize("refusal", [b"\x20\x03\x00\x85\x00", b"\x20\x02\x00\x02"], ids=["5", "3.1.1"])
async def test_a_broker_that_knows_its_clients_by_name_is_no_finding(patient: Any, refusal: bytes) -> None:
    """It may well let in the service."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(refusal)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = url_of(server.sockets[0].getsockname()[1], "5" if len(refusal) == 5 else "3.1.1")
        [only] = await broker.look(patient(url))

    assert only.grade is NOTE
    assert "could not be examined" in only.what


# paho leaves the closing of a connection on which nothing was agreed to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_address_that_is_encrypted_on_one_side_only_is_told(make_mosquitto: Any, patient: Any) -> None:
    mosquitto = await make_mosquitto()
    [only] = await broker.look(patient(f"mqtts://127.0.0.1:{mosquitto.port}"))
    gc.collect()

    assert (only.grade, only.what.split(":")[0]) == (FINDING, "no encrypted connection")


@pytest.mark.parametrize(("days", "grade"), [(-1, FINDING), (6, FINDING), (7, NOTE), (20, NOTE), (21, FINE)])
def test_a_certificate_that_ends_soon(days: int, grade: Grade) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    told = broker.of_certificate(now + timedelta(days=days, hours=1), now, "mqtts://broker.example.org")

    assert told.grade is grade


async def test_nobody_there_is_one_finding(make_mosquitto: Any, patient: Any) -> None:
    mosquitto = await make_mosquitto()
    await mosquitto.stop()
    [only] = await broker.look(patient(url_of(mosquitto.port)))

    assert (only.grade, only.what) == (FINDING, "no connection: Connection refused")


async def test_topics_with_a_space_pass_mosquitto_and_not_the_embedded_broker(
    mosquitto: Any, nats: Any, patient: Any
) -> None:
    names = ("gas", "front door")
    passing = await broker.look(patient(url_of(mosquitto.port), names, queue=0))
    refusing = await broker.look(patient(url_of(nats.port), names, queue=0))

    assert told(passing, "sessions") == [(FINE, "topics with a space arrive")]
    [(grade, what)] = told(refusing, "sessions")
    assert grade is FINDING
    assert "one name has one: 'front door'" in what
    # It refuses MQTT 5, and the doctor falls back as the service does.
    assert told(refusing, "broker") == [(FINE, "lets us in (MQTT 3.1.1)")]


async def test_the_embedded_broker_is_examined_where_it_runs_and_another_where_it_does_not(
    nats: Any, patient: Any, tmp_path: Path
) -> None:
    running: EmbeddedBroker = nats.broker
    mqtt = {"embedded_dir": running._store_dir, "embedded_port": running.port}
    beside = await broker.look(patient("embedded", mqtt=mqtt))
    alone = await broker.look(patient("embedded", mqtt={"embedded_dir": tmp_path / "none"}))
    unknown = await broker.look(patient("embedded", mqtt=mqtt | {"embedded_port": 0}))

    assert told(beside, "broker") == [(FINE, "lets us in (MQTT 3.1.1)")]
    assert [grade for grade, _ in told(beside, "messages")] == [NOTE]
    for other, why in ((alone, "is not running"), (unknown, "SHOUWANG_MQTT__EMBEDDED_PORT is 0")):
        (first, _) = told(other, "broker")
        assert first[0] is NOTE
        assert why in first[1]
        # There is nobody to be heard on a broker that was started for this alone.
        assert told(other, "messages") == []
    assert all(told(one, "persistence")[0][0] is FINE for one in (beside, alone, unknown))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_nothing_is_left_behind(mosquitto: Any, monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    """No session, and no message for one."""
    monkeypatch.setattr(session.secrets, "token_hex", lambda _: "0123")
    options = MqttOptions.from_url(url_of(mosquitto.port, protocol))
    assert [one.grade for one in await session.look(options, 20)] == [FINE]

    for name in ("shouwang-doctor-0123", "shouwang-doctor-0123-p"):
        async with visit(options, name, resume=True, forget=True) as again:
            assert not again.greeting.session_present


async def test_a_broker_that_forgets_sessions_is_found_out(mosquitto: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one does that keeps them for seconds: here the session is deleted while nobody is there."""
    monkeypatch.setattr(session.secrets, "token_hex", lambda _: "4567")
    options = MqttOptions.from_url(url_of(mosquitto.port))
    publish = Visit.publish

    async def after_forgetting(self: Visit, topic: str, payloads: Any, *, within_s: float) -> Any:
        if len(payloads) > 1:
            async with visit(options, "shouwang-doctor-4567"):
                pass
        return await publish(self, topic, payloads, within_s=within_s)

    monkeypatch.setattr(Visit, "publish", after_forgetting)
    [only] = await session.look(options, 20)

    assert only.grade is FINDING
    assert "forgets the session" in only.what


async def test_a_visit_ends_in_words_where_the_broker_goes(mosquitto: Any) -> None:
    options = MqttOptions.from_url(url_of(mosquitto.port))
    async with visit(options, "visitor") as here:
        await mosquitto.kill()
        with pytest.raises(VisitError, match="ended the connection"):
            await here.publish("a/b", [b"x"] * 200, within_s=20)
