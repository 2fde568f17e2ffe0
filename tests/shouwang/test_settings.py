"""Settings from the environment and `.env`, and what is said of wrong ones."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from ingest.options import MqttOptions, OptionsError, Protocol
from rules.pace import Limit, Pacing
from shouwang import settings
from shouwang.settings import Settings, SettingsError

SECRET = "s3cret"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without `.env`, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("SHOUWANG_"):
            monkeypatch.delenv(name)
    return tmp_path


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"SHOUWANG_{name}", value)
    return settings.load()


def of_the_options(url: str, **fields: Any) -> str:
    """What ingest says of an address; its sentences are tested there."""
    with pytest.raises(OptionsError) as caught:
        MqttOptions.from_url(url, **fields)
    return str(caught.value)


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **variables)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_everything_has_a_default() -> None:
    """`shouwang run` works beside a broker on the same machine with nothing set at all."""
    found = settings.load()

    assert found.mqtt.url.get_secret_value() == "mqtt://127.0.0.1:1883"
    assert found.database.url == "sqlite:///shouwang.db"
    assert found.http.listen == "127.0.0.1:8080"
    assert found.config.dir == Path()
    assert found.time_zone == "Asia/Shanghai"
    assert found.language == "zh"
    assert not found.twilio.is_set


def test_variables_of_the_environment_count(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        MQTT__URL="mqtts://shouwang:s%40cret@broker.example.org",
        MQTT__PROTOCOL="3.1.1",
        MQTT__RECEIVE_MAXIMUM="200",
        DATABASE__URL="postgresql://shouwang:secret@db/shouwang",
        HTTP__PUBLIC_URL="https://alarm.example.org/shouwang/",
        HTTP__API_TOKEN="t",
        CONFIG__DIR="/etc/shouwang",
        TIME_ZONE="Asia/Urumqi",
        LANGUAGE="en",
        LOG__LEVEL="debug",
    )
    options = found.mqtt.options()

    assert (options.host, options.port, options.tls) == ("broker.example.org", 8883, True)
    assert (options.username, options.password) == ("shouwang", "s@cret")
    assert (options.protocol, options.receive_maximum) == (Protocol.V311, 200)
    assert found.http.public_url == "https://alarm.example.org/shouwang"
    assert found.http.api_token is not None
    assert found.http.api_token.get_secret_value() == "t"
    assert found.config.dir == Path("/etc/shouwang")
    assert (found.time_zone, found.language, found.log.level) == ("Asia/Urumqi", "en", "debug")


def test_dotenv_is_read_and_the_environment_wins(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / ".env").write_text(
        "# 注释\nSHOUWANG_LANGUAGE=en\nSHOUWANG_HTTP__LISTEN='0.0.0.0:80'\nNTFY_URL=ntfy://x\n", encoding="utf-8"
    )
    found = load(monkeypatch, HTTP__LISTEN="127.0.0.1:81")

    assert found.language == "en"
    assert found.http.listen == "127.0.0.1:81"


def test_an_empty_variable_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files pass variables on that are not set."""
    found = load(monkeypatch, HTTP__PUBLIC_URL="", TWILIO__ACCOUNT_SID="", CONFIG="")

    assert found.http.public_url is None
    assert not found.twilio.is_set


def test_the_embedded_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it listens is known only when it has been started."""
    found = load(monkeypatch, MQTT__URL="embedded", MQTT__EMBEDDED_PORT="0")

    assert found.mqtt.is_embedded
    assert found.mqtt.options(url="mqtt://127.0.0.1:40001").port == 40001


def test_twilio_is_set_where_account_token_and_number_are(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        TWILIO__ACCOUNT_SID="AC00000000000000000000000000000000",
        TWILIO__AUTH_TOKEN=SECRET,
        TWILIO__FROM_NUMBER="+12025550123",
        TWILIO__API_BASE_URL="http://127.0.0.1:9999/",
    )

    assert found.twilio.is_set
    assert found.twilio.api_base_url == "http://127.0.0.1:9999"


def test_a_second_account_has_variables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        TWILIO_2__ACCOUNT_SID="AC1",
        TWILIO_2__AUTH_TOKEN=SECRET,
        TWILIO_2__FROM_NUMBER="+12025550124",
        TWILIO_2__RING_S="40",
    )

    assert (found.twilio.is_set, found.twilio_2.is_set) == (False, True)
    assert (found.twilio.ring_s, found.twilio_2.ring_s) == (25, 40)
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        (
            "MQTT__URL",
            f"http://u:{SECRET}@h",
            (
                f"SHOUWANG_MQTT__URL: {of_the_options('http://h')} "
                "Or write `embedded` for the broker that Shouwang brings along."
            ),
        ),
        ("MQTT__PROTOCOL", "4", "SHOUWANG_MQTT__PROTOCOL: this must be auto, 5 or 3.1.1"),
        ("MQTT__RECEIVE_MAXIMUM", "0", "SHOUWANG_MQTT__RECEIVE_MAXIMUM: this must be at least 1"),
        (
            "MQTT__CLIENT_ID",
            "a b",
            f"SHOUWANG_MQTT__…: {of_the_options('mqtt://h', client_id='a b')}",
        ),
        (
            "MQTT__CA_FILE",
            "/nowhere.pem",
            f"SHOUWANG_MQTT__…: {of_the_options('mqtt://h', ca_file=Path('/nowhere.pem'))}",
        ),
        (
            "DATABASE__URL",
            f"mysql://u:{SECRET}@h/d",
            (
                "SHOUWANG_DATABASE__URL: this is not a database's address; "
                "write sqlite:///shouwang.db or postgresql://user:pass@host/name"
            ),
        ),
        ("DATABASE__RETENTION_DAYS", "x", "SHOUWANG_DATABASE__RETENTION_DAYS: this should be a whole number"),
        ("DATABASE__RETENTION_DAYS", "99999", "SHOUWANG_DATABASE__RETENTION_DAYS: this must be at most 36500"),
        (
            "HTTP__LISTEN",
            "8080",
            (
                "SHOUWANG_HTTP__LISTEN: '8080' is not an address to listen on; "
                "write host:port, such as 127.0.0.1:8080 or [::1]:8080"
            ),
        ),
        (
            "HTTP__PUBLIC_URL",
            "alarm.example.org",
            (
                "SHOUWANG_HTTP__PUBLIC_URL: this is not a web address; "
                "write it without user and query, such as https://alarm.example.org"
            ),
        ),
        ("TWILIO__ACCOUNT_SID", "SK1", "SHOUWANG_TWILIO__ACCOUNT_SID: an account SID of Twilio begins with AC"),
        (
            "TWILIO__FROM_NUMBER",
            "123",
            (
                "SHOUWANG_TWILIO__FROM_NUMBER: write the number with + and the country code, "
                "or the SID of a messaging service (MG…)"
            ),
        ),
        (
            "TWILIO__AUTH_TOKEN",
            SECRET,
            (
                "SHOUWANG_TWILIO__ACCOUNT_SID and SHOUWANG_TWILIO__FROM_NUMBER must be set too: "
                "account, token and number are needed together"
            ),
        ),
        (
            "TWILIO_2__ACCOUNT_SID",
            "AC1",
            (
                "SHOUWANG_TWILIO_2__AUTH_TOKEN and SHOUWANG_TWILIO_2__FROM_NUMBER must be set too: "
                "account, token and number are needed together"
            ),
        ),
        ("TWILIO__DETECT_MACHINES", "often", "SHOUWANG_TWILIO__DETECT_MACHINES: this should be true or false"),
        (
            "TIME_ZONE",
            "Asia/Shanhai",
            "SHOUWANG_TIME_ZONE: there is no time zone 'Asia/Shanhai'; did you mean 'Asia/Shanghai'?",
        ),
        ("TIME_ZONE", "../x", "SHOUWANG_TIME_ZONE: there is no time zone '../x'; write one such as Asia/Shanghai"),
        ("LANGUAGE", "de", "SHOUWANG_LANGUAGE: this must be zh or en"),
        ("LOG__LEVEL", "loud", "SHOUWANG_LOG__LEVEL: this must be debug, info, warning or error"),
        ("LOG__FORMAT", "xml", "SHOUWANG_LOG__FORMAT: this must be auto, text or json"),
        ("CONFIG", "/etc", "SHOUWANG_CONFIG is the name of a group of settings; did you mean SHOUWANG_CONFIG__DIR?"),
        ("MQTT", "mqtt://x", "SHOUWANG_MQTT is the name of a group of settings; did you mean SHOUWANG_MQTT__URL?"),
    ],
)
def test_a_wrong_value_is_told_in_a_sentence_and_never_shown_where_it_may_be_secret(
    name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(monkeypatch, **{name: value}) == [problem]
    assert SECRET not in problem


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = refused(monkeypatch, LANGUAGE="de", HTTP__LISTEN="x", LOG__LEVEL="loud")

    assert [problem.split(":")[0] for problem in problems] == [
        "SHOUWANG_HTTP__LISTEN",
        "SHOUWANG_LOG__LEVEL",
        "SHOUWANG_LANGUAGE",
    ]


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("SHOUWANG_MQTT_URL", "SHOUWANG_MQTT_URL is no setting of Shouwang; did you mean SHOUWANG_MQTT__URL?"),
        (
            "SHOUWANG_HTTP__TOKEN",
            "SHOUWANG_HTTP__TOKEN is no setting of Shouwang; did you mean SHOUWANG_HTTP__API_TOKEN?",
        ),
        ("SHOUWANG_QQQ", "SHOUWANG_QQQ is no setting of Shouwang"),
    ],
)
def test_a_variable_that_sets_nothing_is_a_warning(
    name: str, warning: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not an error: a typo in the environment must not keep an alarm service from starting."""
    monkeypatch.setenv(name, SECRET)
    with caplog.at_level(logging.WARNING):
        settings.load()

    assert [record.getMessage() for record in caplog.records] == [warning]


def test_variables_of_the_tests_are_no_typos(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    load(monkeypatch, TEST_REQUIRE_REAL_PARTS="1")

    assert caplog.records == []


def test_no_secret_is_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        MQTT__URL=f"mqtt://u:{SECRET}@h",
        DATABASE__URL=f"postgresql://u:{SECRET}@h/d",
        HTTP__API_TOKEN=SECRET,
        TWILIO__ACCOUNT_SID="AC1",
        TWILIO__AUTH_TOKEN=SECRET,
        TWILIO__FROM_NUMBER="+12025550123",
        WEBHOOK__SECRET=SECRET,
    )

    assert SECRET not in repr(found)
    assert SECRET not in str(found)
    assert SECRET not in repr(found.mqtt.options())


def test_every_setting_has_its_variable() -> None:
    """The names that design and other programs hang on."""
    assert {
        "SHOUWANG_MQTT__URL",
        "SHOUWANG_DATABASE__URL",
        "SHOUWANG_HTTP__LISTEN",
        "SHOUWANG_HTTP__PUBLIC_URL",
        "SHOUWANG_HTTP__API_TOKEN",
        "SHOUWANG_TWILIO__ACCOUNT_SID",
        "SHOUWANG_TWILIO__AUTH_TOKEN",
        "SHOUWANG_TWILIO__FROM_NUMBER",
        "SHOUWANG_TWILIO__API_BASE_URL",
        "SHOUWANG_CONFIG__DIR",
        "SHOUWANG_TIME_ZONE",
        "SHOUWANG_LANGUAGE",
    } <= settings.variables().keys()


def test_how_fast_messages_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).messages.pacing() == Pacing()
    found = load(monkeypatch, MESSAGES__PACE="sms=30/60 Feishu=5/1,100/60 voice=none", MESSAGES__GAP_S="0")

    pacing = found.messages.pacing()
    assert pacing.gap_s == 0
    assert pacing.limits["sms"] == (Limit(30, 60),)
    assert pacing.limits["feishu"] == (Limit(5, 1), Limit(100, 60))
    assert pacing.limits["voice"] == ()
    assert pacing.limits["dingtalk"] == (Limit(20, 60),)


@pytest.mark.parametrize("value", ["sms", "sms=30", "sms=0/60", "sms=30/", "=30/60", "sms=30/60;", "sms=1/900"])
def test_a_pace_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    (problem,) = refused(monkeypatch, MESSAGES__PACE=value)

    assert problem.startswith("SHOUWANG_MESSAGES__PACE: ")


def test_operators_heartbeat_and_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        OPERATORS__WEBHOOK="https://hook.example.org/s3cret?key=1",
        OPERATORS__APPRISE="ntfy://ntfy.example.org/s3cret\n mailtos://s3cret:x@mail.example.org",
        OPERATORS__SMS="+8613900000001 +8613900000002",
        HEARTBEAT__URL="https://hc.example.org/s3cret",
        PROBE__SECRET="s3cret-s3cret-s3cret",
    )

    assert found.operators.is_set
    assert found.operators.sms is not None
    assert found.operators.sms.split() == ["+8613900000001", "+8613900000002"]
    assert SECRET not in repr(found)
    assert "+86139" not in repr(found)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("OPERATORS__WEBHOOK", "hook.s3cret.example.org", "this is not a web address"),
        ("OPERATORS__APPRISE", "ntfy://ntfy.example.org/x, s3cret", "write addresses of Apprise"),
        ("OPERATORS__SMS", "13900000001", "write numbers with +"),
        ("HEARTBEAT__URL", "ftp://s3cret.example.org", "this is not a web address"),
        ("HEARTBEAT__METHOD", "patch", "this must be get, post or head"),
        ("HEARTBEAT__EVERY_S", "1", "this must be at least 5"),
        ("PROBE__SECRET", "s3cret", "at least 16 characters"),
    ],
)
def test_wrong_ones_are_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    (problem,) = refused(monkeypatch, **{variable: value})

    assert problem.startswith(f"SHOUWANG_{variable}: ")
    assert words in problem
    assert SECRET not in problem
