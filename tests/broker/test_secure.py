"""TLS and passwords with a real Mosquitto, with authorities and certificates made for the test."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.options import MqttOptions
from ingest.visit import visit

pytestmark = pytest.mark.broker

USER, PASSWORD = "wächter", "p@ss/wörd"


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_passwords(path: Path) -> None:
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(path), USER, PASSWORD], check=True, capture_output=True)


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_authority(folder: Path, name: str) -> tuple[Path, Path]:
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    openssl(
        *("req", "-x509", *_NEW_KEY, "-days", "2", "-subj", f"/CN={name}"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", str(key), "-out", str(certificate)),
    )
    return key, certificate


def make_certificate(folder: Path, name: str, authority: tuple[Path, Path]) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1."""
    key, request, certificate = folder / f"{name}.key", folder / f"{name}.csr", folder / f"{name}.pem"
    extensions = folder / f"{name}.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("req", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
    openssl(
        *("x509", "-req", "-in", str(request), "-CA", str(authority[1]), "-CAkey", str(authority[0])),
        *("-CAcreateserial", "-days", "2", "-extfile", str(extensions), "-out", str(certificate)),
    )
    return key, certificate


@pytest.fixture
def folder(tmp_path: Path, real_part: Any) -> Path:
    for tool in ("openssl", "mosquitto_passwd"):
        if shutil.which(tool) is None:
            real_part(tool, "it makes what the broker needs")
    folder = tmp_path / "certificates"
    folder.mkdir()
    return folder


@pytest.fixture
async def secure(folder: Path, make_mosquitto: Any) -> tuple[Any, Path]:
    """Give a Mosquitto that asks for TLS and a password, and its authority."""
    authority = make_authority(folder, "authority")
    key, certificate = make_certificate(folder, "broker", authority)
    passwords = folder / "passwords"
    make_passwords(passwords)
    broker = await make_mosquitto(
        anonymous=False, lines=[f"certfile {certificate}", f"keyfile {key}", f"password_file {passwords}"]
    )
    return broker, authority[1]


async def test_a_visit_sees_until_when_the_certificate_is_good(secure: Any) -> None:
    broker, authority = secure
    url = f"mqtts://w%C3%A4chter:p%40ss%2Fw%C3%B6rd@127.0.0.1:{broker.port}?ca_file={authority}"

    async with visit(MqttOptions.from_url(url), "visitor") as here:
        ends = here.certificate_ends

    assert ends is not None
    assert timedelta(days=1) < ends - datetime.now(UTC) < timedelta(days=2, minutes=1)


async def test_an_encrypted_connection_with_a_password(secure: Any, hands: Any) -> None:
    broker, authority = secure
    url = f"mqtts://w%C3%A4chter:p%40ss%2Fw%C3%B6rd@127.0.0.1:{broker.port}?ca_file={authority}"
    options = MqttOptions.from_url(url)
    listener = await hands.listen(
        options.port, tls=options.tls, username=options.username, password=options.password, ca_file=options.ca_file
    )
    await hands.publish(
        broker.port,
        ["x" * 20_000] * 20,
        auth={"username": USER, "password": PASSWORD},
        tls={"ca_certs": str(authority)},
    )
    got = await listener.take(20)

    assert {len(one.payload) for one in got} == {20_000}
    assert listener.source.acknowledge(got) == 20


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "wrong"}, "Not authorized"),
        ({"username": None, "password": None}, "Not authorized"),
        ({"ca_file": None}, "CERTIFICATE_VERIFY_FAILED"),
        ({"ca_file": "other"}, "CERTIFICATE_VERIFY_FAILED"),
        ({"host": "localhost"}, "CERTIFICATE_VERIFY_FAILED"),
        ({"tls": False, "ca_file": None}, "are the port and mqtt:// or mqtts:// right?"),
    ],
)
async def test_whoever_is_not_right_is_not_let_in_and_told_why(
    *, secure: Any, folder: Path, hands: Any, caplog: pytest.LogCaptureFixture, change: dict[str, Any], says: str
) -> None:
    broker, authority = secure
    options = {"tls": True, "username": USER, "password": PASSWORD, "ca_file": authority, "protocol": "5", **change}
    if options["ca_file"] == "other":
        options["ca_file"] = make_authority(folder, "other")[1]
    listener = await hands.listen(broker.port, connected=False, **options)
    await hands.until(lambda: says in caplog.text)

    assert not listener.source.connected
    assert PASSWORD not in caplog.text


async def test_a_broker_that_asks_for_our_certificate_gets_it(folder: Path, make_mosquitto: Any, hands: Any) -> None:
    authority = make_authority(folder, "authority")
    key, certificate = make_certificate(folder, "broker", authority)
    our_key, ours = make_certificate(folder, "shouwang", authority)
    broker = await make_mosquitto(
        lines=[f"cafile {authority[1]}", f"certfile {certificate}", f"keyfile {key}", "require_certificate true"]
    )

    await hands.listen(broker.port, tls=True, ca_file=authority[1], cert_file=ours, key_file=our_key)
