"""A gateway that publishes like Zigbee2MQTT 2.x does with its defaults, and with `last_seen` and availability on.

What makes it hard to read is simulated: every publication repeats all cached fields beside the new one, the whole cache
is published again at the start and not marked as old, fields are null where nothing has been heard, and the log echoes
each payload. bridge/state, bridge/devices and the availabilities are retained; states are not.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Any

from simulators.community import SimDevice, SimSource
from simulators.life import Fact
from simulators.models import model_of
from simulators.mqtt import Publish, Will


def wall_clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


def will_of(source: SimSource) -> Will:
    """The gateway's last will."""
    return Will(f"{source.base}/bridge/state", b'{"state":"offline"}')


class Gateway:
    """One gateway with its devices and its cache."""

    def __init__(
        self,
        source: SimSource,
        devices: Iterable[SimDevice],
        publish: Publish,
        *,
        now: Callable[[], datetime] = wall_clock,
        seed: int = 0,
        log_payloads: bool = True,
    ) -> None:
        self.source = source
        self.devices = {device.id: device for device in devices if device.source == source.id}
        #: May be replaced when the connection is another one.
        self.publish = publish
        self.now = now
        self._random = Random(f"{seed}/{source.id}")
        self._log_payloads = log_payloads
        self._models = {device.id: model_of(device, seed) for device in self.devices.values()}
        self._offline: set[str] = set()
        #: What was last heard of each device, by property.
        self.cache: dict[str, dict[str, Any]] = {}
        self.forget()

    def forget(self) -> None:
        """Lose the cache: every field is unknown, as after a start without a saved state."""
        self.cache = {device_id: dict.fromkeys(model.cached_properties) for device_id, model in self._models.items()}

    # --- the gateway itself -------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Say that it runs, what devices there are, and everything it remembers, which is not marked as old."""
        await self._tell("bridge/state", {"state": "online"})
        await self._tell("bridge/info", {"version": "2.14.0", "config": {"mqtt": {"base_topic": self.source.base}}})
        await self._tell("bridge/devices", [_COORDINATOR, *(self.definition(d) for d in self.devices.values())])
        for device in self.devices.values():
            await self.availability(device, online=device.id not in self._offline)
        for device in self.devices.values():
            if any(value is not None for value in self.cache[device.id].values()):
                await self._publish_state(device, {})

    async def stop(self) -> None:
        """Say that it does not run any more. A gateway that is killed leaves that to its will."""
        await self._tell("bridge/state", {"state": "offline"})

    async def restart(self, *, forget: bool = False) -> None:
        """Stop and start, with the cache or without it."""
        await self.stop()
        if forget:
            self.forget()
        await self.start()

    def definition(self, device: SimDevice) -> dict[str, Any]:
        """The device's entry in bridge/devices."""
        model = self._models[device.id]
        return {
            "ieee_address": _ieee(device),
            "type": "EndDevice" if model.battery else "Router",
            "network_address": int(_ieee(device)[-4:], 16),
            "supported": True,
            "disabled": False,
            "friendly_name": device.name,
            "power_source": "Battery" if model.battery else "Mains (single phase)",
            "model_id": model.name,
            "manufacturer": model.vendor,
            "interviewing": False,
            "interview_completed": True,
            "interview_state": "SUCCESSFUL",
            "definition": {
                "source": "native",
                "model": model.name,
                "vendor": model.vendor,
                "description": model.description,
                "exposes": model.exposes(),
                "options": [],
                "supports_ota": False,
            },
        }

    # --- its devices --------------------------------------------------------------------------------------------------

    async def tell(self, device: SimDevice, facts: Sequence[Fact], *, test: bool = False) -> None:
        """A device has said something: it goes into the cache, and out with everything else that is in there."""
        model = self._models[device.id]
        fresh: dict[str, Any] = {}
        for fact in facts:
            fresh |= model.encode(fact)
        if test or "test" in self.cache[device.id]:
            fresh["test"] = test
        if fresh:
            await self._publish_state(device, fresh)

    async def availability(self, device: SimDevice, *, online: bool) -> None:
        """Say whether a device can be reached."""
        if online:
            self._offline.discard(device.id)
        else:
            self._offline.add(device.id)
        await self._tell(f"{device.name}/availability", {"state": "online" if online else "offline"})

    async def _publish_state(self, device: SimDevice, fresh: dict[str, Any]) -> None:
        cached = self.cache[device.id]
        # An action is a moment, and the gateway does not remember it.
        cached |= {name: value for name, value in fresh.items() if name != "action"}
        if fresh:
            cached["linkquality"] = self._random.randint(30, 250)
            cached["last_seen"] = self.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        await self._tell(device.name, cached | fresh, retain=False)

    async def _tell(self, topic: str, body: Any, *, retain: bool = True) -> None:
        payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        full = f"{self.source.base}/{topic}"
        await self.publish(full, payload, retain=retain)
        if self._log_payloads and not retain:
            line = f"MQTT publish: topic '{full}', payload '{payload.decode()}'"
            echo = {"level": "info", "message": line, "namespace": "z2m:mqtt"}
            await self.publish(
                f"{self.source.base}/bridge/logging", json.dumps(echo, ensure_ascii=False).encode(), retain=False
            )


def _ieee(device: SimDevice) -> str:
    return "0xa4c138" + sha256(device.id.encode()).hexdigest()[:10]


_COORDINATOR: dict[str, Any] = {
    "ieee_address": "0x00124b0000000001",
    "type": "Coordinator",
    "network_address": 0,
    "supported": True,
    "disabled": False,
    "friendly_name": "Coordinator",
    "definition": None,
    "interviewing": False,
    "interview_completed": True,
    "interview_state": "SUCCESSFUL",
}
