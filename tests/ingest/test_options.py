from pathlib import Path

import pytest

from ingest.options import MqttOptions, OptionsError, Protocol


def test_everything_in_an_address(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()

    options = MqttOptions.from_url(
        f"mqtts://bob:p%40ss%2F@broker.example:9883?protocol=3.1.1&client_id=shouwang-ingest-3&ca_file={authority}"
    )

    assert options == MqttOptions(
        host="broker.example",
        port=9883,
        tls=True,
        username="bob",
        password="p@ss/",
        client_id="shouwang-ingest-3",
        protocol=Protocol.V311,
        ca_file=authority,
    )


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtt://localhost", "localhost", 1883, False),
        ("mqtts://localhost", "localhost", 8883, True),
        ("mqtt://[::1]:1885", "::1", 1885, False),
        (" mqtt://10.0.0.7:1883/ ", "10.0.0.7", 1883, False),
    ],
)
def test_ports_follow_the_scheme(url: str, host: str, port: int, tls: bool) -> None:
    options = MqttOptions.from_url(url)

    assert (host, port, tls) == (options.host, options.port, options.tls)


def test_the_session_survives_a_month_and_is_bounded_by_default() -> None:
    options = MqttOptions(host="h")

    assert options.session_expiry_s >= 30 * 24 * 3600
    assert options.receive_maximum == 1000
    assert options.client_id == "shouwang-ingest-0"
    assert options.protocol is Protocol.AUTO


def test_fields_given_by_name_win() -> None:
    options = MqttOptions.from_url("mqtt://h?client_id=a", client_id="b", keepalive_s=5, ca_file=None)

    assert (options.client_id, options.keepalive_s) == ("b", 5)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "must begin with mqtt:// or mqtts:// (found: none)"),
        ("localhost:1883", "must begin with mqtt:// or mqtts:// (found: localhost://)"),
        ("http://h", "must begin with mqtt:// or mqtts:// (found: http://)"),
        ("mqtt://", "names no host"),
        ("mqtt://h:0", "Port 0"),
        ("mqtt://h:70000", "cannot be read"),
        ("mqtt://h/zigbee2mqtt", "ends with the port"),
        ("mqtt://h?protokoll=5", "unknown part 'protokoll'; known are ca_file, cert_file, client_id"),
        ("mqtt://h?protocol=4", "Protocol '4' is not known"),
        ("mqtt://h?client_id=a.b", "client id 'a.b'"),
        ("mqtt://:secret@h", "a password but no user"),
        ("mqtt://h?ca_file=/etc/hosts", "not encrypted"),
        ("mqtts://h?ca_file=/nowhere/ca.pem", "ca_file /nowhere/ca.pem does not exist"),
        ("mqtts://h?key_file=/etc/hosts", "without the certificate"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(url: str, says: str) -> None:
    with pytest.raises(OptionsError) as error:
        MqttOptions.from_url(url)

    assert says in str(error.value)


@pytest.mark.parametrize("password", ["Xq7/Zk9", "Xq7?Zk9", "Xq7#Zk9", "Xq7:Zk9", "[Xq7Zk9", "Xq7@Zk9"])
def test_no_error_tells_a_piece_of_a_password(password: str) -> None:
    """A password with a sign that should have been encoded must not be told to the log in the complaint about it."""
    try:
        text = repr(MqttOptions.from_url(f"mqtt://bob:{password}@h:1883"))
    except OptionsError as error:
        text = f"{error} {error.__cause__}"

    assert "Xq7" not in text
    assert "Zk9" not in text


def test_the_password_is_in_no_text_of_the_options() -> None:
    options = MqttOptions.from_url("mqtt://bob:hunter2@h")

    assert "hunter2" not in repr(options) + str(options) + options.address
    assert options.address == "mqtt://bob@h:1883"
