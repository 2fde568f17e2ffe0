"""What the properties of Zigbee2MQTT's devices mean.

A gateway's own definitions (`bridge/devices`) say which value of a property is "on"; these tables say which fact a
property is about, and stand in where there is no definition.
"""

import re
from enum import IntEnum
from typing import Any


class How(IntEnum):
    """How a property's value is read."""

    STATE = 0
    FAULT = 1
    NUMBER = 2
    BATTERY = 3
    VOLTAGE = 4
    ACTION = 5
    #: Says `alarm` without saying of what: the registry knows what the device is.
    GENERIC = 6
    #: Says `alarm`, and nobody knows of what.
    UNCLEAR = 7
    #: As somebody has written it down.
    MAPPED = 8


#: Property: the kind of fact it states.
STATES: dict[str, str] = {
    **dict.fromkeys(("gas", "gas_state", "gas_sensor_state", "gas_sensor_status", "gas_leak", "natural_gas"), "gas"),
    **dict.fromkeys(("smoke", "smoke_state", "smoke_sensor_state", "smoke_sensor_status", "fire"), "smoke"),
    **dict.fromkeys(("carbon_monoxide", "co_state", "co_status", "carbon_monoxide_state"), "carbon_monoxide"),
    **dict.fromkeys(
        ("water_leak", "water_leakage", "water_leakage_state", "active_water_leak", "leak", "leakage", "flood"),
        "water_leak",
    ),
    **dict.fromkeys(("contact", "garage_door_contact", "opening_state", "door_state", "contact_state"), "contact"),
    **dict.fromkeys(("fall", "fall_status", "fall_down_status", "fall_state"), "fall"),
    **dict.fromkeys(("sos", "sos_state", "panic", "emergency"), "sos"),
    **dict.fromkeys(("tamper", "tamper_state"), "tamper"),
    **dict.fromkeys(
        ("occupancy", "motion", "pir", "pir_state", "human_motion_state", "motion_state", "motion_status"), "motion"
    ),
    **dict.fromkeys(("presence", "presence_state", "human_presence", "human_presence_state"), "presence"),
    **dict.fromkeys(("vibration",), "vibration"),
    **dict.fromkeys(("battery_low", "low_battery", "battery_state", "battery_alarm"), "battery"),
    **dict.fromkeys(
        (
            "test",
            "test_in_progress",
            "testing",
            "test_alarm_result",
            "self_test",
            "selftest",
            "self_test_result",
            "halo_test_result",
            "self_checking",
            "checking_result",
        ),
        "test",
    ),
    **dict.fromkeys(
        ("silence", "silenced", "mute", "muted", "muffling", "buzzer_mute", "smoke_alarm_silenced"), "mute"
    ),
    **dict.fromkeys(("end_of_life", "endoflife"), "end_of_life"),
    **dict.fromkeys(("preheat", "preheating", "warmup", "warm_up", "warming_up"), "warmup"),
}

#: Properties that are states only where the definition says so.
STATES_IF_DEFINED: dict[str, str] = {"co": "carbon_monoxide", "battery_level": "battery"}

#: Properties that tell of a fall where the definition says that they have this value.
FALLING = "falling"

#: Property: the code of the fault it states. `ac_status: true` means that the mains has failed.
FAULTS: dict[str, str] = {
    "trouble": "trouble",
    "fault": "fault",
    "fault_alarm": "fault",
    "device_fault": "fault",
    "sensor_fault": "sensor",
    "battery_defect": "battery_defect",
    "fault_state": "fault",
    "reliability": "reliability",
    "ac_status": "mains_power",
}

#: Property: the kind of number and its unit where the definition does not say.
NUMBERS: dict[str, tuple[str, str]] = {
    "gas_value": ("gas_concentration", "LEL"),
    "gas_density": ("gas_concentration", "%LEL"),
    "gas_concentration": ("gas_concentration", "LEL"),
    "gas": ("gas_concentration", "LEL"),
    "co": ("carbon_monoxide_concentration", "ppm"),
    "co_ppm": ("carbon_monoxide_concentration", "ppm"),
    "co_value": ("carbon_monoxide_concentration", "ppm"),
    "co_concentration": ("carbon_monoxide_concentration", "ppm"),
    "carbon_monoxide": ("carbon_monoxide_concentration", "ppm"),
    "carbon_monoxide_value": ("carbon_monoxide_concentration", "ppm"),
    "smoke_value": ("smoke_concentration", "ppm"),
    "smoke_concentration": ("smoke_concentration", "ppm"),
    "smoke_concentration_ppm": ("smoke_concentration", "ppm"),
    "smoke_density_dbm": ("smoke_concentration", "dB/m"),
    "smoke_density": ("smoke_concentration", "dB/m"),
}

#: Property: its unit where the definition does not say. Numbers about the surroundings, and of interest only where a
#: device says nothing else, or is there for them.
SURROUNDINGS: dict[str, str | None] = {
    "temperature": "°C",
    "local_temperature": "°C",
    "humidity": "%",
    "soil_moisture": "%",
    "pressure": "hPa",
    "illuminance": "lx",
    "illuminance_lux": "lx",
    "co2": "ppm",
    "voc": "µg/m³",
    "voc_index": None,
    "formaldehyd": "mg/m³",
    "hcho": "mg/m³",
    "pm1": "µg/m³",
    "pm10": "µg/m³",
    "pm25": "µg/m³",
    "air_quality": None,
    "noise": "dBA",
    "power": "W",
    "energy": "kWh",
    "current": "A",
}

#: Properties that say `alarm` and not of what, by the kinds of devices for which we believe them.
GENERIC: dict[str, frozenset[str]] = {
    "alarm": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak", "sos", "fall"}),
    "alarm_state": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"}),
    "alarm_status": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"}),
    "alarm_1": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"}),
    "alarm_2": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"}),
    "water": frozenset({"water_leak"}),
    "door": frozenset({"contact"}),
    "door_open": frozenset({"contact"}),
    "window_open": frozenset({"contact"}),
}

#: Of those, the ones that need a map where neither the registry nor the gateway says what the device is.
UNCLEAR = frozenset({"alarm", "alarm_1", "alarm_2"})

#: What a definition's description says that a device watches.
_ABOUT: dict[str, re.Pattern[str]] = {
    "carbon_monoxide": re.compile(r"carbon monoxide|\bCO\b", re.IGNORECASE),
    "smoke": re.compile(r"smoke|\bfire\b", re.IGNORECASE),
    "gas": re.compile(r"\bgas\b|methane|combustible", re.IGNORECASE),
    "water_leak": re.compile(r"leak|flood", re.IGNORECASE),
}
#: Words of a description of something that is there for something else, and whose alarms are about that.
_ELSE = re.compile(r"siren|thermostat|radiator|\bTRV|meter|breaker|valve|irrigat|outlet|plug|\bUSB", re.IGNORECASE)

#: Of surroundings' units those that a meter counts in, rather than a detector.
METERED = frozenset({"m³", "m3", "ft³", "kWh", "L"})

#: Parts of a controller that many sensors are wired to.
_WIRED = re.compile(r"(?:^|_)(leak_detect|battery_low)(?:_\d+)?$")

#: An IAS zone status carries the test bit together with these: only then is `test` known to be of this very moment.
IAS_COMPANIONS = ("tamper", "battery_low", "trouble", "ac_status", "battery_defect", "supervision_reports")

#: Property endings of devices with several endpoints or several alarm bits.
_ENDING = re.compile(r"(?:_alarm)?(?:_(?:\d{1,2}|l\d|left|right|center|top|bottom))?$")


def kind_of(name: str) -> str | None:
    """Tell which kind of fact a property states, if any."""
    kind = STATES.get(name) or STATES.get(_ENDING.sub("", name))
    if kind is None and (wired := _WIRED.search(name)) is not None:
        return "water_leak" if wired[1] == "leak_detect" else "battery"
    return kind


def about(description: Any) -> str | None:
    """Tell what a device watches, by its definition's description.

    Empty where it is there for something else, None where that cannot be told.
    """
    if type(description) is not str:
        return None
    if _ELSE.search(description):
        return ""
    found = [kind for kind, pattern in _ABOUT.items() if pattern.search(description)]
    return found[0] if len(found) == 1 else None
