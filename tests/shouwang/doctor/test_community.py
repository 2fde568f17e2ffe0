"""Whether the files can be used, and everybody in them be reached."""

from pathlib import Path
from typing import Any

import pytest

from rules.community import ContactMethod, FamilyContact, Home, Registry, Role, Worker
from shouwang.doctor import community
from shouwang.doctor.diagnosis import Grade

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE
ALL = frozenset({"sms", "voice", "apprise", "webhook", "console"})


def worker(id_: str, **contact: str) -> Worker:
    methods = tuple(ContactMethod(channel=channel, address=address) for channel, address in contact.items())
    return Worker(id=id_, name=id_, role=Role.MICRO, grids=("g",), contact=methods)


def told(*workers: Worker, usable: frozenset[str] = ALL, **understood: bool) -> list[tuple[Grade, str]]:
    by_address = {f"{name}://box.example.org/secret": well for name, well in understood.items()}
    return [(one.grade, one.what) for one in community.judge(workers, usable, by_address)]


async def test_files_that_can_be_used(folder: Path, make_settings: Any) -> None:
    read = await community.read(make_settings(config={"dir": folder}))

    assert read.community is not None
    assert (read.told[0].grade, "homes" in read.told[0].what) == (FINE, True)


async def test_files_that_cannot(folder: Path, make_settings: Any) -> None:
    (folder / "rules.yaml").write_text("version: 1\nrules: 7\n")
    read = await community.read(make_settings(config={"dir": folder}))

    assert read.community is None
    [only] = read.told
    assert only.grade is FINDING
    assert "rules.yaml" in only.what


def test_a_variable_that_is_no_setting_is_a_finding_with_what_was_meant() -> None:
    [wrong] = community.of_settings({"SHOUWANG_TWILO__AUTH_TOKEN": "a-secret", "PATH": "/bin"})
    [right] = community.of_settings({"SHOUWANG_TWILIO__AUTH_TOKEN": "a-secret"})

    assert (wrong.grade, "did you mean SHOUWANG_TWILIO__AUTH_TOKEN" in wrong.what) == (FINDING, True)
    assert "a-secret" not in f"{wrong}"
    assert right.grade is FINE


def test_which_channels_settings_make_usable(make_settings: Any) -> None:
    twilio = {"account_sid": "AC1", "auth_token": "x", "from_number": "+15005550006"}

    assert community.usable(make_settings()) == {"apprise", "console"}
    assert community.usable(make_settings(webhook={"secret": "x"})) == {"apprise", "console", "webhook"}
    assert community.usable(make_settings(twilio=twilio)) == {"apprise", "console", "sms", "voice"}
    # A second account alone sends as well.
    assert community.usable(make_settings(twilio_2=twilio)) == {"apprise", "console", "sms", "voice"}


def test_a_way_that_is_not_set_up_is_a_finding_and_so_is_a_person_without_any() -> None:
    found = told(
        worker("a", sms="+8613800000001"),
        worker("b", sms="+8613800000002", apprise="ntfy://box.example.org/secret"),
        usable=frozenset({"apprise", "console"}),
        ntfy=True,
    )

    assert found == [
        (FINDING, "sms is not set up, and is a way to 2 workers: a, b"),
        (FINDING, "1 worker cannot be reached in any way: a"),
    ]


def test_an_apprise_address_that_cannot_be_read_is_a_finding_without_its_secret() -> None:
    found = told(worker("a", apprise="nosuch://box.example.org/secret"), nosuch=False)

    assert found == [
        (FINDING, "'nosuch://box.example.org/****' of a is no address that Apprise understands"),
        (FINDING, "1 worker cannot be reached in any way: a"),
    ]


def test_what_is_no_address_at_all_is_not_shown() -> None:
    """A colon too few, and it holds the secret all the same."""
    assert community.shown("ntfy:/a-secret") == "****"


def test_family_who_cannot_be_told_are_a_finding() -> None:
    homes = tuple(
        Home(id=f"h{number}", grid="g", address="", contacts=(FamilyContact(name="", phone=phone, notify=notify),))
        for number, (phone, notify) in enumerate([("+8613900000001", True), ("+8613900000002", False), (None, True)])
    )

    [only] = community.of_families(homes, frozenset({"console", "apprise"}))
    assert (only.grade, only.what.split(":")[1]) == (FINDING, " h0")
    assert list(community.of_families(homes, ALL)) == []
    assert list(community.of_families(homes[1:], frozenset())) == []


def test_what_is_printed_on_a_console_reaches_nobody() -> None:
    assert told(worker("a", console="a")) == [(FINDING, "1 worker cannot be reached in any way: a")]


def test_everybody_can_be_reached() -> None:
    assert told(worker("a", sms="+8613800000001"), worker("b", voice="+8613800000002")) == [
        (FINE, "each of 2 workers has a way that is set up")
    ]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
async def test_apprise_itself_reads_the_addresses(make_settings: Any) -> None:
    addresses = ("ntfy://box.example.org/topic", "wxteams", "tgram://nothing")
    workers = tuple(worker(f"w{number}", apprise=address) for number, address in enumerate(addresses))
    registry = Registry(sources=(), homes=(), devices=(), grids=(), workers=workers)

    found = await community.look(registry, make_settings())

    assert [one.what.split(" of ")[1][:2] for one in found if "understands" in one.what] == ["w1", "w2"]
