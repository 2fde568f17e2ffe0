"""What one message of Shelly's second generation says: of a device, and of the BLU devices behind it."""

from collections.abc import Sequence
from typing import Any

from ingest.decoded import Decoded, GatewayWord, Unmapped, World
from ingest.dialects import shelly_blu as blu
from ingest.dialects import shelly_gen2_components as components
from ingest.dialects.common import observed, shorten, unknown_device
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import Fact, Rank
from ingest.dialects.promised import HEARTBEAT, by_wake_up
from ingest.message import Message
from rules.community import Device, Source
from rules.readings import Reading


class Answer:
    """What one message says, of a device and of the BLU devices behind it."""

    def __init__(
        self,
        source: Source,
        message: Message,
        world: World,
        *,
        names: Sequence[str],
        at: Any,
    ) -> None:
        """Begin; `names` are those that the device may be registered by, `at` is its own word on the time."""
        self._source = source.id
        self._map = source.map
        self._message = message
        self._world = world
        self._names = names
        self._at = observed(at, message.received_at)
        self._facts: dict[str, Facts] = {}
        self._strangers: list[str] = []
        self._learnt: dict[str, dict[str, Any] | None] = {}
        self._ignored: str | None = None
        self._is_gateway = False
        found = [one for one in names if (source.id, one) in world.devices]
        self._name = found[0] if found else names[0]
        self._device = world.devices.get((source.id, self._name))

    def status(self, params: dict[str, Any]) -> Decoded:
        """Take the status of components, by their keys."""
        for key, status in params.items():
            if type(status) is not dict:
                continue
            if components.is_part(key):
                self._part(key, status)
            elif key == blu.COMPONENT:
                for packet in blu.of_status(status):
                    # Its presses are events as well.
                    self._blu(packet, presses=False)
            elif (main := self._main()) is not None:
                components.take(main, key, status)
        if "sys" in params or "devicepower:0" in params:
            self._learn_sleep(params)
        return self._done()

    def events(self, events: list[dict[str, Any]]) -> Decoded:
        """Take events: presses, alarms, and what a script has heard of BLU devices."""
        for event in events:
            key, what = event.get("component"), event.get("event")
            if type(key) is not str or type(what) is not str:
                continue
            if components.is_part(key):
                if (facts := self._of_part(key) or self._main()) is not None:
                    components.happen(facts, key, what)
            elif (packet := blu.of_event(event)) is not None:
                self._blu(packet)
            elif (main := self._main()) is not None:
                if key == "sys" and what == "sleep":
                    self._learn("sleeps", value=True)
                    main.fact(Fact(Rank.CLEAR, "availability", "sleeping"))
                components.happen(main, key, what)
        return self._done()

    def packet(self, packet: blu.Packet) -> Decoded:
        """Take what a script has heard of one BLU device."""
        self._blu(packet)
        return self._done()

    # --- the device itself, and those behind it ---

    def _main(self) -> Facts | None:
        if self._device is None:
            if self._name not in self._strangers:
                self._strangers.insert(0, self._name)
            return None
        return self._of(self._device)

    def _of(self, device: Device, at: Any = None) -> Facts:
        facts = self._facts.get(device.name)
        if facts is None:
            facts = Facts(
                device,
                self._message,
                observed_at=observed(at, self._message.received_at) or self._at,
                meanings=self._map,
            )
            self._facts[device.name] = facts
        return facts

    def _of_part(self, key: str, at: Any = None) -> Facts | None:
        self._is_gateway = self._is_gateway or not key.startswith("presencezone:")
        for name in self._names:
            device = self._world.devices.get((self._source, f"{name}/{key}"))
            if device is not None:
                return self._of(device, at)
        return None

    def _part(self, key: str, status: dict[str, Any]) -> None:
        facts = self._of_part(key, status.get("last_updated_ts"))
        if facts is not None:
            components.take(facts, key, status, own=True)
        elif key.startswith("bthomedevice:"):
            # Its battery is not the gateway's.
            self._strangers.append(f"{self._name}/{key}")
        elif (main := self._main()) is not None:
            components.take(main, key, status)

    def _blu(self, packet: blu.Packet, *, presses: bool = True) -> None:
        self._is_gateway = True
        address, _, data = packet
        if data.get("encryption") is True:
            self._ignored = "encrypted"
            return
        candidates = blu.names(self._names, packet)
        found = [one for one in candidates if (self._source, one) in self._world.devices]
        if not found:
            self._strangers.append(candidates[0])
            return
        device = self._world.devices[self._source, found[0]]
        number = data.get("pid")
        known = self._world.definitions.get((self._source, address)) or {}
        again = type(number) is int and known.get("pid") == number
        pressed = blu.take(self._of(device), device.kind, data, presses=presses and not again)
        if pressed and type(number) is int:
            # Each gateway in range tells of the same press.
            self._learnt[address] = {"pid": number}

    # --- what is remembered, and what is given ---

    def _learn(self, key: str, *, value: bool | int) -> None:
        known = self._learnt.get(self._name) or self._world.definitions.get((self._source, self._name)) or {}
        if known.get(key) != value:
            self._learnt[self._name] = {**known, key: value}

    def _learn_sleep(self, params: dict[str, Any]) -> None:
        system, power = params.get("sys"), params.get("devicepower:0")
        period = system.get("wakeup_period") if type(system) is dict else None
        external = power.get("external") if type(power) is dict else None
        if type(external) is dict and external.get("present") is True:
            self._learn("sleeps", value=False)
        elif type(period) is int and period > 0:
            self._learn("sleeps", value=True)
            if (seconds := by_wake_up(period)) is not None:
                self._learn(HEARTBEAT, value=seconds)

    def _done(self) -> Decoded:
        readings: list[Reading] = []
        unmapped: list[Unmapped] = []
        if not self._strangers and not self._facts:
            # Nothing that anybody wants to know, and a sign of life.
            self._main()
        for facts in self._facts.values():
            facts.alive()
            readings += facts.readings
            unmapped += facts.unmapped
        source, gateway, quarantine = self._source, None, None
        if self._is_gateway and not self._message.retain and (source, self._name) not in self._world.gateways:
            gateway = GatewayWord(source, "online", None, self._name)
        if not readings and self._strangers and self._ignored is None:
            quarantine = unknown_device(source, self._strangers[0]).quarantine
        return Decoded(
            readings,
            quarantine=quarantine,
            ignored=self._ignored,
            learnt=self._learnt or None,
            unmapped=unmapped,
            strangers=tuple(shorten(one, 200) for one in dict.fromkeys(self._strangers)),
            gateway=gateway,
            source=source,
        )
