"""How to reach the broker."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_PORTS = {"mqtt": 1883, "mqtts": 8883}
#: What may stand behind the question mark, and the field it sets.
_QUERY = {
    "protocol": "protocol",
    "client_id": "client_id",
    "ca_file": "ca_file",
    "cert_file": "cert_file",
    "key_file": "key_file",
}
_ENCODE = "write mqtt://user:password@host:1883, with / ? # @ : in the password as %2F %3F %23 %40 %3A."
#: Brokers refuse these in client ids (NATS the dot), or read them as parts of topics.
_NOT_IN_CLIENT_ID = frozenset(". /+#*>\t\r\n")


class OptionsError(ValueError):
    """The broker's address cannot be used; the text says what to write instead, and never holds the password."""


class Protocol(StrEnum):
    """The version of MQTT to speak."""

    #: MQTT 5, and 3.1.1 where the broker refuses that.
    AUTO = "auto"
    V5 = "5"
    V311 = "3.1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttOptions:
    """The broker's address, who we are there, and how much it may send ahead.

    Raises OptionsError where a value cannot work.
    """

    host: str
    port: int = 1883
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    #: Trust these authorities instead of the system's (PEM).
    ca_file: Path | None = None
    #: Our own certificate, for brokers that ask for one (PEM).
    cert_file: Path | None = None
    key_file: Path | None = None
    #: Stable: the broker keeps our unacknowledged messages under this name.
    client_id: str = "shouwang-ingest-0"
    protocol: Protocol = Protocol.AUTO
    #: Seconds of silence after which the connection is tried with a ping.
    keepalive_s: int = 20
    #: Seconds the broker keeps our messages while we are away (MQTT 5): longer than the longest outage.
    session_expiry_s: int = 30 * 24 * 3600
    #: Messages of QoS 1 that the broker may send before we acknowledge (MQTT 5).
    receive_maximum: int = 1000
    #: Messages held in memory before the socket is not read any more: what is read ahead stands before an alarm. Needed
    #: for QoS 0 and MQTT 3.1.1, and Mosquitto 2.0.11 was seen to send ten times the receive maximum ahead.
    queue_limit: int = 2_000
    #: Bytes that a payload may have; of a larger one only the beginning is taken in, to be set aside. The list of
    #: devices of a Zigbee2MQTT with three hundred of them has about two million.
    payload_limit: int = 4 * 1024 * 1024
    #: Seconds a connection may take until the broker has confirmed our subscriptions.
    connect_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "protocol", Protocol(self.protocol))
        if not self.host:
            raise OptionsError("The broker's address names no host; write mqtt://host:1883.")
        if not 0 < self.port < 65536:
            raise OptionsError(f"Port {self.port} of the broker is not between 1 and 65535.")
        if not self.client_id or len(self.client_id) > 64 or _NOT_IN_CLIENT_ID.intersection(self.client_id):
            raise OptionsError(
                f"Some brokers will refuse the client id {self.client_id!r}; use up to 64 letters, digits and hyphens."
            )
        if self.password is not None and self.username is None:
            raise OptionsError("The broker's address has a password but no user; write mqtt://user:password@host.")
        if (self.ca_file or self.cert_file or self.key_file) and not self.tls:
            raise OptionsError("Certificates are given but the address is not encrypted; write mqtts:// for TLS.")
        if self.key_file and not self.cert_file:
            raise OptionsError("A key file is given without the certificate it belongs to (cert_file).")
        for name in ("ca_file", "cert_file", "key_file"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise OptionsError(f"{name} {path} does not exist or is not a file.")

    @classmethod
    def from_url(cls, url: str, **overrides: Any) -> Self:
        """Read `mqtt://user:password@host:port` or `mqtts://…`.

        `?protocol=3.1.1&client_id=…&ca_file=…&cert_file=…&key_file=…` may follow. User and password may be
        percent-encoded. Fields given by name win over the address. Raises OptionsError.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            # What Python says of it may hold a piece of the password.
            raise OptionsError(f"The broker's address cannot be read; {_ENCODE}") from None
        if parts.scheme not in _PORTS:
            found = f"{parts.scheme}://" if parts.scheme else "none"
            raise OptionsError(f"The broker's address must begin with mqtt:// or mqtts:// (found: {found}).")
        if parts.path not in {"", "/"} or parts.fragment:
            raise OptionsError(
                f"The broker's address ends with the port (topics are set by the sources in devices.yaml); {_ENCODE}"
            )
        fields: dict[str, Any] = {
            "host": parts.hostname or "",
            "port": _PORTS[parts.scheme] if port is None else port,
            "tls": parts.scheme == "mqtts",
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            **_query(parts),
            **{name: value for name, value in overrides.items() if value is not None},
        }
        return cls(**fields)

    @property
    def address(self) -> str:
        """The address for people and logs, without the password."""
        who = f"{self.username}@" if self.username else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{who}{host}:{self.port}"


def _query(parts: SplitResult) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "@" in parts.query:
        raise OptionsError(f"The broker's address has a ? before its host; {_ENCODE}")
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in _QUERY:
            known = ", ".join(sorted(_QUERY))
            raise OptionsError(f"The broker's address has an unknown part {name!r}; known are {known}.")
        if name.endswith("_file"):
            fields[_QUERY[name]] = Path(value)
        elif name == "protocol":
            try:
                fields[name] = Protocol(value)
            except ValueError:
                raise OptionsError(f"Protocol {value!r} is not known; write 5, 3.1.1 or auto.") from None
        else:
            fields[_QUERY[name]] = value
    return fields
