"""What can be known of a broker's persistence without killing it."""

from pathlib import Path

import pytest

from shouwang.doctor.diagnosis import Grade
from shouwang.doctor.persistence import Mosquitto, judge, kind_of, local_mosquitto

FINDING, NOTE, FINE = Grade.FINDING, Grade.NOTE, Grade.FINE
GOOD = {"persistence": "true", "autosave_on_changes": "true", "autosave_interval": "1"}
SQLITE = {"global_plugin": "/usr/lib/mosquitto_persist_sqlite.so"}


@pytest.mark.parametrize(
    ("options", "grades", "words"),
    [
        ({}, [FINDING], "keeps nothing on disk"),
        ({"persistence": "false"}, [FINDING], "keeps nothing on disk"),
        ({"persistence": "true"}, [FINDING], "by default every half hour"),
        (GOOD | {"autosave_interval": "300"}, [FINDING], "by default every half hour"),
        (GOOD, [FINE], "one message at the most"),
        (GOOD | {"persistent_client_expiration": "12h"}, [FINE, FINDING], "away for 12h"),
        (GOOD | {"persistent_client_expiration": "30d"}, [FINE], ""),
        (GOOD | {"max_queued_messages": "0"}, [FINE, FINDING], "max_queued_messages 0"),
        (SQLITE, [FINDING], "seconds after it acknowledges"),
        (SQLITE | {"plugin_opt_sync": "full"}, [FINDING], "seconds after it acknowledges"),
        (SQLITE | {"plugin_opt_sync": "full", "plugin_opt_flush_period": "0"}, [FINE], "a millisecond"),
    ],
)
def test_each_configuration_of_mosquitto(options: dict[str, str], grades: list[Grade], words: str) -> None:
    told = judge("Mosquitto 2.0.11", Mosquitto(Path("/etc/mosquitto.conf"), options), embedded=False)

    assert [one.grade for one in told] == grades
    assert words in told[-1].what


def test_a_part_that_cannot_be_read_makes_it_no_finding() -> None:
    found = Mosquitto(Path("/etc/mosquitto.conf"), {}, (Path("/etc/conf.d/secret.conf"),))
    [only] = judge("", found, embedded=False)

    assert (only.grade, "secret.conf" in only.what) == (NOTE, True)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["mosquitto version 2.0.11"], "Mosquitto 2.0.11"),
        (["5.8.1"], "EMQX 5.8.1"),
        ([], ""),
        (["something else"], ""),
    ],
)
def test_brokers_say_who_they_are(words: list[str], kind: str) -> None:
    assert kind_of(words) == kind
    [only] = judge(kind, None, embedded=False)
    assert (only.grade, bool(only.advice)) == (NOTE, True)


def test_the_embedded_broker_is_known() -> None:
    assert [one.grade for one in judge("", None, embedded=True)] == [FINE]


class Machine:
    """A /proc with Mosquittos in it."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.files = folder
        self._pid = 100

    def runs(self, *words: str) -> None:
        self._pid += 1
        process = self.proc / str(self._pid)
        process.mkdir(parents=True)
        (process / "cmdline").write_bytes("\0".join(words).encode() + b"\0")
        (process / "cwd").symlink_to(self.files)

    def has(self, name: str, text: str) -> Path:
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_of_several_the_one_on_our_port_is_read_with_what_it_includes(machine: Machine) -> None:
    machine.has("conf.d/a.conf", "persistence true\n")
    machine.has("conf.d/b.conf", "  autosave_interval 1\n# autosave_interval 9\n")
    machine.has("conf.d/c.txt", "persistence false\n")
    here = machine.has("here.conf", f"listener 1884 127.0.0.1\nlistener 8883\ninclude_dir {machine.files}/conf.d\n")
    machine.runs("/usr/bin/python3", "mosquitto")
    machine.runs("/usr/sbin/mosquitto", "-c", str(machine.has("other.conf", "listener 1999\n")))
    machine.runs("/usr/sbin/mosquitto", "-c", "here.conf", "-v")

    found = local_mosquitto(8883, machine.proc)

    assert found is not None
    assert found.path == here
    assert {"persistence": "true", "autosave_interval": "1"}.items() <= found.options.items()
    assert local_mosquitto(1883, machine.proc) is None


def test_without_a_file_or_a_listener_it_is_on_the_usual_port(machine: Machine) -> None:
    machine.runs("mosquitto")

    found = local_mosquitto(1883, machine.proc)
    assert found is not None
    assert [one.grade for one in judge("", found, embedded=False)] == [FINDING]


def test_a_port_of_the_command_line_counts(machine: Machine) -> None:
    machine.runs("mosquitto", "-p", "1990")

    assert local_mosquitto(1990, machine.proc) is not None
    assert local_mosquitto(1883, machine.proc) is None


def test_what_is_in_a_container_is_read_there(machine: Machine) -> None:
    machine.runs("mosquitto", "-c", "/mosquitto/config/mosquitto.conf")
    inside = machine.proc / "101" / "root" / "mosquitto" / "config" / "mosquitto.conf"
    inside.parent.mkdir(parents=True)
    inside.write_text("listener 1883\npersistence true\n")

    found = local_mosquitto(1883, machine.proc)
    assert found is not None
    assert found.options["persistence"] == "true"
    assert str(found.path) == "/mosquitto/config/mosquitto.conf"
