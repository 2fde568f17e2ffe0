"""The command line: what each command prints, and with which status it ends."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from ingest.message import Message
from rules.decisions import Delivery, DeliveryState
from rules.incident import IncidentState
from rules.trouble import Trouble, TroubleKind
from shouwang import cli
from shouwang.clock import SystemClock
from shouwang.configuration import Configuration
from shouwang.service import Service
from store import incidents, outbox, security, troubles
from store.database import Database

SAMPLE = Path(__file__).parents[2]


class Told(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Told]


@pytest.fixture(autouse=True)
def place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the community of the stories, and an environment without settings."""
    for name in os.environ:
        if name.startswith("SHOUWANG_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command as the installed program does."""

    def run(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["shouwang", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Told(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The sample community at the root, in a folder of its own."""
    folder = tmp_path / "sample"
    folder.mkdir()
    for name in ("devices.yaml", "grids.yaml", "rules.yaml"):
        shutil.copy(SAMPLE / name, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def alarm(place: Path) -> str:
    """A gas alarm in the database of the folder; its code. Whoever answers for the home is on duty at any hour."""
    grids = place / "grids.yaml"
    grids.write_text(grids.read_text("utf-8").replace("mon-sun 07:00-22:00", "mon-sun 00:00-24:00"), "utf-8")

    async def make() -> str:
        database = await Database.open(f"sqlite:///{place}/shouwang.db")
        await database.migrate()
        configuration = Configuration(place, time_zone="Asia/Shanghai", language="zh")
        clock = SystemClock()
        service = Service(database, configuration.rulebook(), now=clock.now)
        await configuration.apply(service)
        payload = orjson.dumps({"gas": True})
        message = Message(topic="zigbee2mqtt/yl-1-2-301-gas", payload=payload, retain=False, received_at=clock.now())
        await service.intake.take_in([message])
        async with database.read() as tx:
            code = (await incidents.listing(tx, open_only=True, limit=1))[0].code
        await database.close()
        return code

    return asyncio.run(make())


def only_incident(place: Path) -> incidents.Incident:
    async def look() -> incidents.Incident:
        database = await Database.open(f"sqlite:///{place}/shouwang.db")
        async with database.read() as tx:
            found = await incidents.listing(tx, open_only=False, limit=2)
        await database.close()
        assert len(found) == 1
        return found[0]

    return asyncio.run(look())


@pytest.fixture
def sent(place: Path, alarm: str) -> str:
    """The same, and its text was taken by a provider and arrived four seconds later; its code."""

    async def send() -> None:
        database = await Database.open(f"sqlite:///{place}/shouwang.db")
        now = SystemClock().now()
        async with database.write() as tx:
            found = await incidents.with_code(tx, alarm)
            assert found is not None

            async def choose(_tx: object, deliveries: Sequence[Delivery]) -> dict[int, str | None]:
                return {one.id: "twilio_2" for one in deliveries}

            claimed = await outbox.claim(tx, owner="test", now=now, limit=9, lease_s=30, choose=choose)
            for one in claimed:
                await outbox.sent(tx, one, provider_id=f"SM{one.id}", status="queued", now=now, against=False)
                await outbox.set_state(tx, one.id, DeliveryState.DELIVERED, at=now + timedelta(seconds=4))
        await database.close()

    asyncio.run(send())
    return alarm


# --- in general -------------------------------------------------------------------------------------------------------


def test_help_names_every_command(run: Run) -> None:
    told = run("--help")

    assert told.status == 0
    for command in (
        "demo",
        "run",
        "check",
        "explain",
        "incidents",
        "deliveries",
        "homes",
        "security",
        "ack",
        "arrive",
        "resolve",
        "simulate",
    ):
        assert f" {command} " in told.out


@pytest.mark.parametrize(
    "command", ["demo", "run", "check", "explain", "incidents", "deliveries", "ack", "arrive", "resolve", "simulate"]
)
def test_every_command_has_help(run: Run, command: str) -> None:
    assert run(command, "--help").status == 0


def test_the_version_is_the_installed_one(run: Run) -> None:
    assert run("--version").out.startswith("shouwang 0.")


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("explain",), ("ack",), ("resolve", "K7", "nonsense"), ("incidents", "--limit", "0")]
)
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).status == 2


def test_a_folder_may_be_named(run: Run, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert run("-C", str(sample), "check").status == 0


def test_wrong_settings_end_with_2_and_a_sentence_each(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_LANGUAGE", "fr")
    monkeypatch.setenv("SHOUWANG_DATABASE__RETENTION_DAYS", "0")
    told = run("incidents")

    assert told.status == 2
    assert told.err.splitlines() == [
        "SHOUWANG_DATABASE__RETENTION_DAYS: this must be at least 1",
        "SHOUWANG_LANGUAGE: this must be zh or en",
    ]


# --- check ------------------------------------------------------------------------------------------------------------


def test_the_sample_is_good(run: Run, sample: Path) -> None:
    told = run("check")

    assert (told.status, told.out) == (0, "12 homes, 41 devices, 8 workers, 13 rules\n")


def test_warnings_end_with_1(run: Run) -> None:
    told = run("check")

    assert told.status == 1
    assert "warning: " in told.out
    assert "1 device without a heartbeat" in told.out


def test_problems_end_with_2_all_at_once(run: Run, place: Path) -> None:
    rules = place / "rules.yaml"
    rules.write_text(
        rules.read_text().replace("plan: smoke,", "plan: smok,").replace("severity: high", "severity: hihg")
    )
    told = run("check", str(place))

    assert told.status == 2
    lines = told.out.splitlines()
    assert lines[-1] == "2 problems"
    assert any(":4:" in line and "did you mean 'smoke'" in line for line in lines)
    assert any(":6:" in line and "hihg" in line for line in lines)

    as_json = json.loads(run("check", "--json", str(place)).out)
    assert len(as_json["problems"]) == 2


# --- explain ----------------------------------------------------------------------------------------------------------


def test_explain_says_who_would_get_which_text_when(run: Run, sample: Path) -> None:
    """A gas leak at three in the morning: nobody of the micro-grid is on duty, and it says who hears instead."""
    told = run("explain", "yl-1-2-301-gas", "alarm", "--at", "03:00")

    assert told.status == 0
    out = told.out
    assert "rule gas-leak 燃气泄漏, critical" in out
    assert "note: 玉林北街1号院无人值班，改由第一网格" in out
    heads = [line.split("  ", 1)[1] for line in out.splitlines() if " to " in line and line.startswith("  0")]
    assert [line.strip() for line in heads] == [
        "03:00:00 (+0 s)  sms to 张敏 (138****0006)",
        "03:01:00 (+60 s)  voice to 张敏 (138****0006)",
        "03:02:00 (+120 s)  sms to 周秀兰 (138****0002)",
        "03:02:00 (+120 s)  voice to 周秀兰 (138****0002)",
        "03:02:00 (+120 s)  sms to 张敏 (138****0006)",
        "03:02:00 (+120 s)  voice to 张敏 (138****0006)",
        "03:03:00 (+180 s)  sms to 新盛社区值班室 (138****0090)",
        "03:03:00 (+180 s)  voice to 新盛社区值班室 (138****0090)",
        "03:03:00 (+180 s)  sms to 王强 (139****0002)",
        "03:03:00 (+180 s)  voice to 王强 (139****0002)",
    ]
    assert "      燃气泄漏 玉林北街1号院1栋2单元301 王秀英 开窗关阀勿开灯 接单回K7\n" in out
    assert "接单请按1，去不了请按2，重听请按9。\n" in out
    assert "已通知网格员，请联系老人 编号K7" in out


def test_explain_by_day_begins_with_the_neighbour(run: Run, sample: Path) -> None:
    pages = json.loads(run("explain", "yl-1-2-301-gas", "alarm", "--at", "2026-03-02T15:00", "--json").out)["pages"]

    assert [(page["after_s"], page["by"], page["to"]) for page in pages][:3] == [
        (0, "sms", "李明"),
        (0, "apprise", "李明"),
        (60, "voice", "李明"),
    ]
    assert "+86" not in json.dumps([page["address"] for page in pages])


def test_explain_waits_for_what_has_to_last(run: Run, sample: Path) -> None:
    """A door that is opened at nine in the evening counts from ten, and then for a quarter of an hour."""
    found = json.loads(run("explain", "yl-1-2-301-door", "open", "--at", "2026-03-02T21:00", "--json").out)

    assert (found["rule"], found["raised_at"]) == ("door-open-at-night", "2026-03-02T22:15:00+08:00")


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("yl-1-2-301-smoke", "alarm"), "smoke"),
        (("yl-1-1-102-sos", "alarm"), "sos"),
        (("yl-1-2-301-gas", "14", "--kind", "battery"), "battery-low"),
        (("yl-1-2-301-gas", "low", "--kind", "battery"), "battery-low"),
        (("yl-1-2-301-gas", "offline"), "sensor-silent"),
    ],
)
def test_explain_knows_every_sort_of_state(run: Run, sample: Path, arguments: tuple[str, ...], rule: str) -> None:
    told = run("explain", *arguments, "--json")

    assert told.status == 0
    assert json.loads(told.out)["rule"] == rule


def test_explain_says_why_nothing_would_happen(run: Run, sample: Path) -> None:
    told = run("explain", "yl-1-2-301-gas", "clear")

    assert told.status == 1
    assert "nothing would happen: no rule looks for gas clear" in told.out


def test_explain_helps_with_a_wrong_name_and_a_wrong_time(run: Run, sample: Path) -> None:
    told = run("explain", "yl-1-2-301-gaz", "alarm")
    assert told.status == 2
    assert "did you mean 'yl-1-2-301-gas'?" in told.err
    assert "write 03:00 or" in run("explain", "yl-1-2-301-gas", "alarm", "--at", "3am").err


# --- the desk ---------------------------------------------------------------------------------------------------------


def test_the_desk_sees_what_is_open(run: Run, alarm: str) -> None:
    told = run("incidents")

    assert told.status == 0
    for word in (alarm, "open", "critical", "燃气泄漏", "玉林北街1号院1栋2单元301", "nobody yet"):
        assert word in told.out
    rows = json.loads(run("incidents", "--json").out)
    assert [row["code"] for row in rows] == [alarm]


def test_the_desk_sees_which_homes_are_watched_over(run: Run, alarm: str) -> None:
    """Exit 1 while some are not; `--json` goes on behind the first page, and addresses are masked."""
    told = run("homes")
    assert alarm
    assert told.status == 1
    for word in ("yl-1-2-301", "玉林北街1号院1栋2单元***", "yl-1-2-301-door (never heard)"):
        assert word in told.out.replace("\n", " ")
    found = json.loads(run("homes", "--unwatched", "--json").out)
    assert [one["id"] for one in found["homes"]] == ["yl-1-2-301", "yl-1-2-302"]
    assert found["next"] is None
    assert {one["cause"] for one in found["homes"][0]["devices"]} == {"never_heard"}
    assert len(json.loads(run("homes", "--limit", "1", "--json").out)["homes"]) == 1


def test_the_security_journal_is_listed(run: Run, alarm: str) -> None:
    assert alarm
    assert run("security") == Told(0, "nothing that looks as if somebody meant harm\n", "")

    async def write() -> None:
        database = await Database.open("sqlite:///shouwang.db")
        at = SystemClock().now()
        async with database.write() as tx:
            for number in (1, 2):
                said = security.Entry(
                    kind="wrong_home", source="own", subject="a/[b]", first_at=at, last_at=at, detail=f"said {number}"
                )
                await security.note(tx, [said])
        await database.close()

    asyncio.run(write())
    told = run("security")
    assert told.status == 1
    for word in ("wrong_home", "own", "2", "said 2"):
        assert word in told.out
    (row,) = json.loads(run("security", "--json").out)
    assert (row["kind"], row["subject"], row["count"], row["detail"]) == ("wrong_home", "a/[b]", 2, "said 2")


def test_the_desk_sees_one_whole(run: Run, alarm: str) -> None:
    told = run("incidents", alarm.lower())
    assert told.status == 0
    for word in ("journal", "deliveries", "sms to 李明 (138****0001): pending", "王秀英"):
        assert word in told.out

    whole = json.loads(run("incidents", alarm, "--json").out)
    assert whole["plan"]["first"] == "开窗关阀勿开灯"
    assert json.loads(run("incidents", whole["id"][:8], "--json").out)["id"] == whole["id"]


def test_the_desk_takes_an_incident_through_its_life(run: Run, alarm: str, place: Path) -> None:
    """Acknowledge for a worker, arrive, resolve with a note; each says what it has done."""
    acked = run("ack", alarm, "--by", "li")
    assert (acked.status, alarm in acked.out) == (0, True)
    assert only_incident(place).answered_by_name == "李明"
    assert run("arrive", alarm, "--by", "li").status == 0
    assert run("resolve", alarm, "false_alarm", "--by", "li", "--note", "炒菜").status == 0

    ended = only_incident(place)
    assert (ended.state, ended.outcome, ended.outcome_by, ended.note) == (
        IncidentState.RESOLVED,
        "false_alarm",
        "li",
        "炒菜",
    )
    assert run("incidents").out == "no open incidents\n"
    assert alarm in run("incidents", "--all").out


def test_the_desk_itself_is_named_where_nobody_is(run: Run, alarm: str, place: Path) -> None:
    assert run("ack", alarm).status == 0
    assert (only_incident(place).answered_by or "").startswith("desk:")


def test_a_refusal_is_said_and_ends_with_1(run: Run, alarm: str) -> None:
    assert run("resolve", alarm, "real", "--by", "li").status == 0
    told = run("ack", alarm, "--by", "chen")
    assert told.status == 1
    assert "已由李明结束（属实）" in told.out
    assert json.loads(run("ack", alarm, "--json").out)["refused"]


def test_what_does_not_exist_ends_with_1(run: Run, alarm: str) -> None:
    for command in (("incidents", "Z999"), ("ack", "Z999"), ("resolve", "Z999", "real")):
        told = run(*command)
        assert told.status == 1
        assert "no incident goes by 'Z999'" in told.err


def test_the_desk_works_while_the_rules_are_broken(run: Run, alarm: str, place: Path) -> None:
    """An edit that went wrong must not keep anybody from answering."""
    (place / "rules.yaml").write_text("nonsense: [")

    assert run("ack", alarm, "--by", "li").status == 0


def test_the_desk_finds_no_empty_database_in_the_wrong_folder(run: Run, place: Path) -> None:
    """`no open incidents` from the wrong place would be a lie."""
    told = run("incidents")

    assert told.status == 2
    assert told.err == f"There is no database {place}/shouwang.db; has the service run here?\n"
    assert not (place / "shouwang.db").exists()


# --- deliveries -------------------------------------------------------------------------------------------------------


def test_figures_are_told_by_person_and_by_provider(run: Run, sent: str) -> None:
    told = run("deliveries", "--days", "1")
    by_person, _, by_provider = told.out.partition("by provider")

    assert told.status == 0
    assert [line.split() for line in by_person.splitlines()[2:] if line] == [
        ["李明", "sms", "twilio_2", "1", "1", "4", "s", "4", "s"]
    ]
    assert by_provider.splitlines()[2].split() == ["sms", "twilio_2", "1", "1", "4", "s", "4", "s"]
    assert "+86" not in told.out


def test_figures_are_given_to_programs(run: Run, sent: str) -> None:
    told = json.loads(run("deliveries", "--json").out)

    assert told["figures"] == [
        {
            "to": "li",
            "name": "李明",
            "channel": "sms",
            "provider": "twilio_2",
            "accepted": 1,
            "delivered": 1,
            "failed": 0,
            "unheard": 0,
            "refused": 0,
            "unanswered": 0,
            "seconds_mean": 4.0,
            "seconds_max": 4.0,
        }
    ]
    assert [(one["channel"], one["provider"], one["accepted"]) for one in told["providers"]] == [("sms", "twilio_2", 1)]
    assert "name" not in told["providers"][0]


def test_figures_of_nothing_are_a_sentence(run: Run, alarm: str) -> None:
    assert run("deliveries", "--days", "0.5").out == "nothing has been sent in the last 0.5 days\n"


# --- the service itself -----------------------------------------------------------------------------------------------


def test_troubles_are_listed_and_found(run: Run, alarm: str, place: Path) -> None:
    told = run("troubles")
    assert (told.status, told.out) == (0, "nothing is wrong that is known of\n")

    async def save() -> None:
        database = await Database.open(f"sqlite:///{place}/shouwang.db")
        now = SystemClock().now()
        stands = Trouble(kind=TroubleKind.DISK, subject="/var", detail="3 MiB", began_at=now, seen_at=now, stands=True)
        over = Trouble(kind=TroubleKind.BROKER, subject="", detail="", began_at=now, seen_at=now, ended_at=now)
        async with database.write() as tx:
            await troubles.save(tx, [stands, over])
        await database.close()

    asyncio.run(save())
    told = run("troubles")
    assert told.status == 1
    assert "disk" in told.out
    assert "broker" not in told.out

    told = run("troubles", "--all", "--json")
    rows = json.loads(told.out)
    assert told.status == 1
    assert {(row["kind"], row["stands"]) for row in rows} == {("disk", True), ("broker", False)}
    assert "磁盘快满（/var）：3 MiB" in {row["what"] for row in rows}


def test_a_probe_without_its_secret_is_refused_and_so_is_a_time_that_is_none(run: Run, place: Path) -> None:
    told = run("probe")
    assert told.status == 2
    assert "SHOUWANG_PROBE__SECRET" in told.err

    told = run("probe", "--within", "soon")
    assert told.status == 2
    assert "'soon' is not a duration" in told.err
    assert "Traceback" not in told.err


def test_a_probe_says_that_the_broker_is_not_there(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_PROBE__SECRET", "a-secret-of-the-tests")
    monkeypatch.setenv("SHOUWANG_MQTT__URL", "mqtt://127.0.0.1:1")
    told = run("probe", "--json")

    found = json.loads(told.out)
    assert (told.status, found["good"]) == (1, False)
    assert "mqtt://127.0.0.1:1" in found["sentence"]
