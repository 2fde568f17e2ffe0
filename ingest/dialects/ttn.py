"""The Things Stack (version 3), and The Things Network's version 2 as bridges of one's own still write it.

    v3/<application>[@<tenant>]/devices/<device>/<up|join|down/...|location/solved|service/data>
    <application>/devices/<device>/up           version 2: payload_fields

A device's name in devices.yaml is its end device ID, or `<application>/<end device ID>` where several applications have
one of that name. What the console simulates is a test's.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, Final

from ingest.decoded import Decoded, UnderBases, World
from ingest.dialects.common import observed, parse, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.lorawan import Uplink, read_uplink
from ingest.dialects.meanings import Fact, Rank
from ingest.message import Message
from rules.community import Device, Source

_DEVICES: Final = "devices"
_READ: Final = frozenset({"up", "join", "activations", "events/activations"})
_IGNORED: Final = {
    "down": "command",
    "down/push": "command",
    "down/replace": "command",
    "location/solved": "not_a_safety_sensor",
    "service/data": "metadata",
    # The same uplink again, under other names; of some codecs it turns "NO LEAK" into a leak.
    "up/normalized": "metadata",
}
_IGNORED_BELOW: Final = {"down": "gateway_message", "up": "attribute", "events": "gateway_message"}


class TheThings(UnderBases):
    """Reads one Things Stack."""

    default_base: ClassVar = "v3"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._map = source.map

    def names(self, rest: str, payload: bytes) -> Sequence[str]:  # noqa: ARG002 - the topic says it all
        """Give the device, alone and with its application."""
        application, device, kind = _split(rest)
        return (device, f"{application}/{device}") if kind in _READ else ()

    def decode(self, message: Message, rest: str, world: World) -> Decoded:
        """Read an uplink or a join."""
        application, name, kind = _split(rest)
        if not kind:
            return self._aside("unknown_topic", "A topic of this dialect is .../devices/<device>/up, join, down/...")
        if kind not in _READ:
            reason = _IGNORED.get(kind) or _IGNORED_BELOW.get(kind.partition("/")[0])
            if reason is None:
                return self._aside("unknown_topic", "The Things Stack has no such message.")
            return self._ignored(reason)
        if not message.payload:
            return self._ignored("retained_clear" if message.retain else "empty_payload")
        source = self._source
        device = world.devices.get((source, f"{application}/{name}")) or world.devices.get((source, name))
        if device is None:
            return unknown_device(source, name)
        try:
            document = parse(message.payload)
        except ValueError:
            return self._aside("malformed_json", "The payload is not valid JSON.")
        if type(document) is not dict:
            return self._aside("invalid_value", "A message of The Things Stack is a JSON object.")
        if kind == "up":
            return self._up(document, device, message)
        facts = Facts(device, message, observed_at=_earliest(document, "join_accept", message))
        facts.fact(Fact(Rank.CLEAR, "availability", "online"))
        return Decoded(facts.readings, source=source)

    def _up(self, document: dict[str, Any], device: Device, message: Message) -> Decoded:
        uplink = document.get("uplink_message")
        at: Any
        battery: Any = None
        if type(uplink) is dict:
            said, data, port = uplink.get("decoded_payload"), uplink.get("frm_payload"), uplink.get("f_port")
            hints = _hints(uplink.get("version_ids"))
            at = document.get("received_at", uplink.get("received_at"))
            if type(level := uplink.get("last_battery_percentage")) is dict:
                battery = level.get("value")
        elif "payload_fields" in document or "payload_raw" in document:
            said, data, port = document.get("payload_fields"), document.get("payload_raw"), document.get("port")
            hints = []
            at = metadata.get("time") if type(metadata := document.get("metadata")) is dict else None
        else:
            return self._aside("invalid_value", "The uplink has no uplink_message.")
        told = read_uplink(
            Uplink(said, data, port if type(port) is int else None, hints),
            device,
            message,
            meanings=self._map,
            at=at,
            under_test=document.get("simulated") is True,
            battery=battery,
        )
        return Decoded(told.readings, unmapped=told.unmapped, source=self._source)


@lru_cache(maxsize=1024)
def _split(rest: str) -> tuple[str, str, str]:
    """Give application (without its tenant), device and kind of message; no kind: the topic is none of this dialect."""
    parts = rest.split("/")
    for at in (0, 1):
        if len(parts) > at + 2 and parts[at] == _DEVICES:
            application = parts[0].partition("@")[0] if at else ""
            return application, parts[at + 1], "/".join(parts[at + 2 :])
    return "", "", ""


def _hints(ids: Any) -> list[str]:
    """Brand and model as the device repository has them."""
    if type(ids) is not dict:
        return []
    return [word for word in (ids.get("brand_id"), ids.get("model_id")) if type(word) is str]


def _earliest(document: dict[str, Any], part: str, message: Message) -> Any:
    within = document.get(part)
    at = document.get("received_at", within.get("received_at") if type(within) is dict else None)
    return observed(at, message.received_at)
