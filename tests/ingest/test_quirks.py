"""What is known of models: the file is sound, and a device gets what its model needs."""

import re

import pytest

from ingest.decode import Decoder, World
from ingest.message import Message
from ingest.quirks import Quirks, QuirksError, known, read
from rules.community import Device, Source
from shouwang.decoding import Sitting, read_line
from shouwang.decoding.sitting import assumed
from tests.fuzzing.mutants import NOON

ENTRY = """
version: 1
quirks:
  - vendor: Acme
    models: [Door 1]
    inverted: true
    never_clears: {smoke: 12h, gas: 90s}
    never_sets: [gas]
    test_button: alarm
    because: it was built that way
    reference: its manual
"""


def device(kind: str = "contact", **more: object) -> Device:
    return Device(id="d", home_id="h", kind=kind, source="s", name=str(more.pop("name", "x")), **more)  # type: ignore[arg-type]


def test_the_file_is_sound_and_every_entry_says_where_it_is_from() -> None:
    gas = known().of("heiman", "hs1cg-e")

    assert gas is not None
    assert gas.never_sets == {"gas"}
    assert "Koenkk/zigbee2mqtt" in gas.reference


@pytest.mark.parametrize(
    ("vendor", "model", "found"),
    [("Acme", "Door 1", True), ("ACME", "door 1", True), (None, "Door 1", True), ("Other", "Door 1", False)],
)
def test_a_model_is_known_however_it_is_spelt(vendor: str | None, model: str, found: bool) -> None:
    assert (Quirks(read(ENTRY)).of(vendor, model) is not None) == found
    assert Quirks(read(ENTRY)).of(vendor, None) is None


def test_a_device_gets_what_its_model_needs() -> None:
    fitted = Quirks(read(ENTRY)).fitted(device(vendor="Acme", model="Door 1"), None)

    assert fitted.invert
    assert fitted.latches == {"smoke": 43_200, "gas": 90}


def test_what_staff_have_written_down_is_taken_at_its_word() -> None:
    """A door that somebody has found to be the other way round is not turned a second time."""
    assert Quirks(read(ENTRY)).fitted(device(vendor="Acme", model="Door 1", invert=True), None).invert


def test_the_registry_s_model_goes_before_the_gateway_s() -> None:
    quirks = Quirks(read(ENTRY))
    gateway_s = {"vendor": "Acme", "model": "Door 1"}

    assert quirks.fitted(device(), gateway_s).invert
    assert not quirks.fitted(device(vendor="Acme", model="Door 2"), gateway_s).invert
    plain = device()
    assert quirks.fitted(plain, None) is plain
    assert quirks.fitted(plain, {"vendor": 5, "model": "Door 1"}) is plain


def test_a_receiver_s_devices_are_known_by_their_names() -> None:
    assert known().fitted(device("smoke", name="Smoke-GS558/12"), None).latches == {"smoke": 600, "water_leak": 600}
    assert known().fitted(device("smoke", name="Smoke-GS558"), None).latches is None


def test_an_inverted_contact_is_so_in_every_dialect() -> None:
    fitted = Quirks(read(ENTRY)).fitted(device(vendor="Acme", model="Door 1"), None)
    said = {
        "zigbee2mqtt": ("zigbee2mqtt/x", b'{"contact":true}'),
        "shouwang": ("shouwang/v1/h/x/event", b'{"kind":"contact","state":"closed"}'),
    }
    for dialect, (topic, payload) in said.items():
        decoder = Decoder([Source(id="s", dialect=dialect, base=topic.partition("/x")[0].removesuffix("/h"))])
        [reading] = decoder.decode(Message(topic, payload, False, NOON), World(devices={("s", "x"): fitted})).readings
        assert reading.state == "open", dialect


def test_recorded_messages_are_read_with_their_quirks() -> None:
    """`shouwang decode` says what the service would."""
    line = read_line('{"topic":"zigbee2mqtt/x","payload":{"smoke":true},"vendor":"Tuya","model":"PA-44Z"}')
    assert line is not None

    assert Sitting([assumed("zigbee2mqtt")]).read(line, NOON).as_json()["facts"][0]["state"] == "alarm"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("version: 1", "version: 2", "version: 1"),
        ("inverted: true", "inverted: maybe", "inverted is true or false"),
        ("inverted", "reversed", "unknown key 'reversed'"),
        ("    reference: its manual\n", "", "reference is missing"),
        ("    because: it was built that way\n", "", "because is missing"),
        ("models: [Door 1]", "models: Door 1", "list of texts"),
        ("models: [Door 1]", "models: [Door 1, door 1]", "there twice"),
        ("smoke: 12h", "smoke: soon", "'soon' is no duration"),
        ("smoke: 12h", "smok: 12h", "there is no kind 'smok'"),
        ("[gas]", "gas", "a list of kinds"),
        ("test_button: alarm", "test_button: loud", "alarm or silent"),
        ("quirks:", "quirks: {}\nmore:", "list `quirks`"),
        ("quirks:", "quirks: [x]\nmore:", "should be a mapping"),
        ("quirks:", "quirks: [", "no YAML"),
    ],
)
def test_what_is_wrong_with_the_file_is_told(old: str, new: str, told: str) -> None:
    assert old in ENTRY
    with pytest.raises(QuirksError, match=re.escape(told)):
        read(ENTRY.replace(old, new))
