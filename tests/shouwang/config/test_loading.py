"""The three files as values."""

import stat
from collections.abc import Callable
from datetime import time
from pathlib import Path

import pytest

from rules.community import (
    ContactMethod,
    Device,
    FamilyContact,
    Grid,
    GridLevel,
    Home,
    Location,
    Resident,
    Role,
    Source,
)
from rules.periods import DailyWindow, Shift
from rules.rulebook import Absent, Offline, Plan, Policy, Rule, Severity, StateIs, Step, Threshold
from shouwang import config

Problems = Callable[..., list[str]]
Edit = Callable[..., None]


def test_the_values_of_devices_yaml(sample: Path) -> None:
    registry = config.load(sample, environ={}).registry
    home = next(home for home in registry.homes if home.id == "yl-1-2-301")

    assert registry.sources == (
        Source(id="xinsheng", dialect="zigbee2mqtt", base="zigbee2mqtt"),
        Source(id="own", dialect="shouwang", base="shouwang/v1"),
    )
    assert home == Home(
        id="yl-1-2-301",
        grid="xinsheng-g1-w07",
        address="玉林北街1号院1栋2单元301",
        location=Location(lat=30.6401, lon=104.0432, datum="wgs84"),
        residents=(
            Resident(
                name="王秀英",
                born=1941,
                phone="+8613900000001",
                living_alone=True,
                care="red",
                notes=("听力差", "行动慢"),
            ),
        ),
        contacts=(FamilyContact(name="王强", relation="儿子", phone="+8613900000002", notify=True),),
        access="备用钥匙在门卫室",
        hazards={"gas_valve": "厨房灶台下方", "breaker": "入户门右侧"},
    )
    assert registry.devices[0] == Device(
        id="yl-1-2-301-gas",
        home_id="yl-1-2-301",
        kind="gas",
        source="xinsheng",
        name="yl-1-2-301-gas",
        room="厨房",
        heartbeat_s=7_200,
    )


def test_a_device_is_called_by_its_id_where_it_has_no_name(folder: Path) -> None:
    assert [device.name for device in config.load(folder, environ={}).registry.devices] == ["h1-gas", "h1-door"]


def test_the_values_of_grids_yaml(sample: Path) -> None:
    registry = config.load(sample, environ={}).registry
    workers = {worker.id: worker for worker in registry.workers}

    assert registry.grids[-1] == Grid(
        id="xinsheng-g2-w03", level=GridLevel.MICRO, name="永丰路20号院", parent="xinsheng-g2"
    )
    assert workers["w07-a"].role is Role.MICRO
    assert workers["w07-a"].contact == (
        ContactMethod(channel="sms", address="+8613800000001"),
        ContactMethod(channel="voice", address="+8613800000001"),
        ContactMethod(channel="apprise", address="ntfy://ntfy.example.org/w07-a"),
    )
    assert workers["w07-a"].shifts == (
        Shift(days=frozenset(range(7)), window=DailyWindow(start=time(7), end=time(22))),
    )
    assert workers["w07-b"].backup_for == ("w07-a", "w08-a")
    assert workers["w07-b"].shifts == ()


def test_the_values_of_rules_yaml(sample: Path) -> None:
    rulebook = config.load(sample, environ={}).rulebook
    rules = {rule.id: rule for rule in rulebook.rules}

    assert rules["gas-leak"] == Rule(
        id="gas-leak",
        title="燃气泄漏",
        when=StateIs(kind="gas", state="alarm"),
        severity=Severity.CRITICAL,
        plan="gas-leak",
        policy="life-safety",
        group="life-safety",
    )
    assert rules["door-open-at-night"].when == StateIs(
        kind="contact", state="open", hold_s=900, between=DailyWindow(start=time(22), end=time(6))
    )
    assert rules["no-door-activity"].when == Absent(kind="contact", hold_s=86_400)
    assert rules["no-door-activity"].unless == ("away",)
    assert rules["sensor-silent"].when == Offline(hold_s=0)
    assert rules["battery-low"].when == Threshold(kind="battery", below=15.0, clear_above=20.0)
    assert rulebook.plans["gas-leak"].first == "开窗关阀勿开灯"
    assert rulebook.policies["life-safety"] == Policy(
        id="life-safety",
        answer_within_s=60,
        arrive_within_s=300,
        outcome_within_s=1_800,
        steps=(
            Step(after_s=0, to=("assigned",), by=("sms", "apprise")),
            Step(after_s=60, to=("assigned",), by=("voice",)),
            Step(after_s=120, to=("backup", "general"), by=("sms", "voice")),
            Step(after_s=180, to=("desk", "contacts"), by=("sms", "voice")),
        ),
        repeat_every_s=300,
    )


def test_the_defaults_of_a_policy(folder: Path) -> None:
    """As docs/configuration.md says: answer 60s, arrive 5m, outcome 30m, repeat 15m."""
    policy = config.load(folder, environ={}).rulebook.policies["maintenance"]

    assert policy == Policy(
        id="maintenance",
        answer_within_s=60,
        arrive_within_s=300,
        outcome_within_s=1_800,
        steps=(Step(after_s=0, to=("assigned",), by=("sms",)),),
        repeat_every_s=900,
    )


def test_a_rule_may_name_its_group(folder: Path, edit: Edit) -> None:
    edit("rules", ("severity: critical,", "severity: critical, group: fire,"))

    assert [rule.group for rule in config.load(folder, environ={}).rulebook.rules] == ["fire", "maintenance"]


def test_problems_of_all_files_come_at_once(edit: Edit, problems: Problems) -> None:
    edit("devices", ("kind: contact", "kind: contakt"))
    edit("grids", ("level: micro", "level: mikro"))
    edit("rules", ("state: alarm", "state: alrm"))

    assert [problem.split(":")[0] for problem in problems()] == ["devices.yaml", "grids.yaml", "rules.yaml"]


def test_what_a_broken_file_would_say_is_not_missed_elsewhere(edit: Edit, problems: Problems) -> None:
    """Homes name grids, but with grids.yaml unreadable nobody can know whether they are there."""
    edit("grids", ("version: 1", "version: 1\n\tx: 1"))

    assert problems() == ["grids.yaml:2:1: a tab cannot indent YAML; use spaces"]


def test_an_entry_that_is_wrong_is_there_all_the_same(edit: Edit, problems: Problems) -> None:
    edit("grids", ("level: micro", "level: mikro"))

    assert problems() == ["grids.yaml:5:21: grids[2].level: 'mikro' is not known here; did you mean 'micro'?"]


def test_a_missing_file(folder: Path, problems: Problems) -> None:
    (folder / "rules.yaml").unlink()

    assert problems() == [
        (
            "rules.yaml: there is no such file, and no folder rules/; "
            "write one (docs/configuration.md, or copy the sample), "
            "or let SHOUWANG_CONFIG__DIR name the folder that has it"
        )
    ]


def test_a_file_with_the_other_ending(folder: Path, problems: Problems) -> None:
    (folder / "rules.yaml").rename(folder / "rules.yml")

    assert problems() == ["rules.yaml: there is no such file, but a rules.yml; rename it to rules.yaml"]


def test_an_empty_folder_for_a_file(folder: Path, problems: Problems) -> None:
    (folder / "rules.yaml").unlink()
    (folder / "rules").mkdir()

    assert problems() == ["rules.yaml: there is no such file, and the folder rules/ holds no *.yaml"]


def test_a_file_and_a_folder_at_once(folder: Path, problems: Problems) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "more.yaml").write_text("version: 1\n")

    assert problems() == ["rules.yaml: there is also a folder rules/ with files in it; keep one of the two"]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load(tmp_path / "nowhere", environ={})

    assert str(caught.value) == (
        f"{tmp_path}/nowhere: there is no such folder; give the one that has the files (SHOUWANG_CONFIG__DIR)"
    )


@pytest.mark.skipif(not hasattr(stat, "S_IRUSR"), reason="needs file modes")
def test_a_file_that_cannot_be_read(folder: Path, problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.name == "rules.yaml":
            raise PermissionError(13, "Permission denied")
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)

    assert problems() == ["rules.yaml: the file cannot be read: Permission denied"]


def test_a_folder_of_files_is_one_file(folder: Path) -> None:
    """Ids are unique across its files, and one may name what another has."""
    whole = config.load(folder, environ={})
    text = (folder / "devices.yaml").read_text(encoding="utf-8")
    (folder / "devices.yaml").unlink()
    (folder / "devices").mkdir()
    sources, homes = text.split("homes:")
    (folder / "devices" / "a.yaml").write_text(f"version: 1\nhomes:{homes}", encoding="utf-8")
    (folder / "devices" / "b.yaml").write_text(sources, encoding="utf-8")
    (folder / "devices" / "readme.txt").write_text("not read")

    assert config.load(folder, environ={}).registry == whole.registry


def test_an_id_twice_in_a_folder_names_the_other_file(folder: Path, problems: Problems) -> None:
    (folder / "grids").mkdir()
    (folder / "grids.yaml").rename(folder / "grids" / "a.yaml")
    (folder / "grids" / "b.yaml").write_text("version: 1\ngrids:\n  - {id: g1, level: general, name: x}\n")

    assert problems() == [
        "grids/b.yaml:3:10: grids[0].id: the id 'g1' is taken by another of the grids (grids/a.yaml:4)"
    ]


def test_each_file_of_a_folder_has_its_version(folder: Path, problems: Problems) -> None:
    (folder / "grids").mkdir()
    (folder / "grids.yaml").rename(folder / "grids" / "a.yaml")
    (folder / "grids" / "b.yaml").write_text("grids: []\n")

    assert problems() == ["grids/b.yaml:1:1: `version: 1` is missing; write it as the first line"]


def test_an_address_may_come_from_the_environment(folder: Path, edit: Edit) -> None:
    edit("grids", ('{voice: "+8613800000001"}', '{apprise: "${NTFY_URL}"}'))
    community = config.load(folder, environ={"NTFY_URL": "ntfy://ntfy.example.org/secret"})

    assert community.registry.workers[0].contact[1].address == "ntfy://ntfy.example.org/secret"


def test_a_variable_that_is_not_set_is_one_problem(edit: Edit, problems: Problems) -> None:
    """What follows from it (no number, no address) is not told as well."""
    edit("grids", ('{voice: "+8613800000001"}', '{voice: "${PHONE}"}'))

    assert problems() == [
        (
            "grids.yaml:7:93: workers[0].contact[1].voice: "
            "the environment variable PHONE is not set; set it, or write it into .env"
        )
    ]


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("grids", '{voice: "+8613800000001"}', "{voice: '${TOKEN}'}"),
        ("grids", '{voice: "+8613800000001"}', "{webhook: '${TOKEN}'}"),
        ("grids", "role: general", "role: '${TOKEN}'"),
        ("grids", "grids: [w1]", "grids: ['${TOKEN}']"),
        ("grids", "backup_for: [li]", "backup_for: ['x${TOKEN}x']"),
        ("devices", "kind: contact", "kind: '${TOKEN}'"),
        ("devices", "heartbeat: 2h", "heartbeat: '${TOKEN}'"),
        ("devices", "id: h1-door", "id: '${TOKEN}/x'"),
        ("devices", "source: z2m, heartbeat: 2h", "source: '${TOKEN}', heartbeat: 2h"),
        ("rules", "severity: notice", "severity: '${TOKEN}'"),
        ("rules", "state: alarm", "state: '${TOKEN}'"),
        ("rules", "换电池", "'{${TOKEN}}'"),
        ("rules", "after: 2m", "after: '${TOKEN}'"),
    ],
)
def test_no_problem_shows_a_value_from_the_environment(
    kind: str, old: str, new: str, edit: Edit, problems: Problems
) -> None:
    edit(kind, (old, new))
    found = problems(TOKEN="s3cret token")

    assert found
    assert not [problem for problem in found if "s3cret" in problem or "token" in problem]


def test_no_warning_shows_a_value_from_the_environment(folder: Path, edit: Edit) -> None:
    edit("devices", ("  - id: h1\n", "  - id: '${HOME_ID}'\n"), ("hazards: {gas_valve: 厨房灶台下方}", "hazards: {}"))
    found = [str(warning) for warning in config.load(folder, environ={"HOME_ID": "s3cret"}).warnings]

    assert len(found) == 1
    assert found[0].endswith("{hazards.gas_valve} is not known of 1 home with a gas device: ${HOME_ID}")


def test_the_rulebook_alone(folder: Path) -> None:
    """It does not look at devices.yaml at all."""
    (folder / "devices.yaml").write_text("broken: [")

    assert config.load_rulebook(folder, environ={}).plans["repair"] == Plan(
        id="repair", first="查设备", steps=("换电池",)
    )


def test_the_rulebook_alone_knows_the_workers(folder: Path, edit: Edit) -> None:
    edit("rules", ("to: assigned, by: sms", "to: [li, wang], by: sms"))
    with pytest.raises(config.ConfigError, match="there is no worker 'wang'"):
        config.load_rulebook(folder, environ={})


def test_digests_are_those_of_what_was_read(folder: Path) -> None:
    community = config.load(folder, environ={})

    assert community.digests == config.digests(folder, environ={})
    assert sorted(community.digests) == ["devices.yaml", "grids.yaml", "rules.yaml"]


def test_a_digest_changes_with_the_file_alone(folder: Path, edit: Edit) -> None:
    before = config.digests(folder, environ={})
    edit("rules", ("查设备", "看设备"))
    after = config.digests(folder, environ={})

    assert after["rules.yaml"] != before["rules.yaml"]
    assert after["grids.yaml"] == before["grids.yaml"]


def test_a_digest_changes_with_the_variables_that_the_file_names(folder: Path, edit: Edit) -> None:
    edit("grids", ('{voice: "+8613800000001"}', '{apprise: "${NTFY_URL}"}'))
    before = config.digests(folder, environ={"NTFY_URL": "ntfy://a"})

    assert config.digests(folder, environ={"NTFY_URL": "ntfy://b"})["grids.yaml"] != before["grids.yaml"]
    assert config.digests(folder, environ={"NTFY_URL": "ntfy://a", "OTHER": "x"}) == before


def test_a_missing_file_has_no_digest(folder: Path) -> None:
    (folder / "rules.yaml").unlink()

    assert sorted(config.digests(folder, environ={})) == ["devices.yaml", "grids.yaml"]


def test_variables_come_from_the_environment_and_from_dotenv(
    folder: Path, edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both have one, that of the process counts."""
    edit("grids", ('{voice: "+8613800000001"}', '{apprise: "${NTFY_URL}"}'), ("name: 值班室", 'name: "${DESK}"'))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("NTFY_URL=ntfy://file\nDESK=值班室\n", encoding="utf-8")
    monkeypatch.setenv("NTFY_URL", "ntfy://process")
    workers = config.load(folder).registry.workers

    assert workers[0].contact[1].address == "ntfy://process"
    assert workers[2].name == "值班室"


def test_a_wrong_id_in_many_homes_is_found_quickly_and_told_in_short(folder: Path, edit: Edit) -> None:
    homes = "".join(f"  - {{id: h{n}, grid: gone, address: x}}\n" for n in range(5_000))
    (folder / "devices.yaml").write_text(f"version: 1\nhomes:\n{homes}")
    with pytest.raises(config.ConfigError) as caught:
        config.load(folder, environ={})

    assert len(caught.value.problems) == 5_000
    assert str(caught.value).endswith("… and 4,900 more")
