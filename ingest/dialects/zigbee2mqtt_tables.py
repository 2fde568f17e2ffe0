"""What the properties of Zigbee2MQTT's devices mean.

A gateway's own definitions (`bridge/devices`) say which value of a property is "on"; these tables say which fact a
property is about, and stand in where there is no definition.
"""

import re
from enum import IntEnum


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
    **dict.fromkeys(("occupancy", "motion", "pir", "pir_state", "human_motion_state", "motion_state"), "motion"),
    **dict.fromkeys(("presence", "presence_state", "human_presence", "human_presence_state"), "presence"),
    **dict.fromkeys(("vibration",), "vibration"),
    **dict.fromkeys(("battery_low", "low_battery", "battery_state", "battery_alarm"), "battery"),
    **dict.fromkeys(
        (
            "test",
            "test_in_progress",
            "self_test",
            "selftest",
            "self_test_result",
            "halo_test_result",
            "self_checking",
            "checking_result",
        ),
        "test",
    ),
    **dict.fromkeys(("silence", "silenced", "mute", "muted", "muffling", "buzzer_mute"), "mute"),
    "end_of_life": "end_of_life",
    **dict.fromkeys(("preheat", "preheating", "warmup", "warm_up"), "warmup"),
}

#: Properties that are numbers unless the definition says that they are states.
STATES_IF_DEFINED: dict[str, str] = {"co": "carbon_monoxide"}

#: Property: the code of the fault it states. `ac_status: true` means that the mains has failed.
FAULTS: dict[str, str] = {
    "trouble": "trouble",
    "fault": "fault",
    "fault_alarm": "fault",
    "device_fault": "fault",
    "sensor_fault": "sensor",
    "battery_defect": "battery_defect",
    "ac_status": "mains_power",
}

#: Property: the kind of number and its unit where the definition does not say.
NUMBERS: dict[str, tuple[str, str]] = {
    "gas_value": ("gas_concentration", "LEL"),
    "gas_concentration": ("gas_concentration", "LEL"),
    "gas": ("gas_concentration", "LEL"),
    "co": ("carbon_monoxide_concentration", "ppm"),
    "co_value": ("carbon_monoxide_concentration", "ppm"),
    "co_concentration": ("carbon_monoxide_concentration", "ppm"),
    "carbon_monoxide": ("carbon_monoxide_concentration", "ppm"),
    "carbon_monoxide_value": ("carbon_monoxide_concentration", "ppm"),
    "smoke_value": ("smoke_concentration", "ppm"),
    "smoke_concentration": ("smoke_concentration", "ppm"),
    "smoke_concentration_ppm": ("smoke_concentration", "ppm"),
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
    "alarm_1": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"}),
    "alarm_2": frozenset({"gas", "smoke", "carbon_monoxide", "water_leak"}),
    "water": frozenset({"water_leak"}),
    "door": frozenset({"contact"}),
    "door_open": frozenset({"contact"}),
    "window_open": frozenset({"contact"}),
}

#: An IAS zone status carries the test bit together with these: only then is `test` known to be of this very moment.
IAS_COMPANIONS = ("tamper", "battery_low", "trouble", "ac_status", "battery_defect", "supervision_reports")

#: Property endings of devices with several endpoints or several alarm bits.
_ENDING = re.compile(r"(?:_alarm)?(?:_(?:\d{1,2}|l\d|left|right|center|top|bottom))?$")


def kind_of(name: str) -> str | None:
    """Tell which kind of fact a property states, if any."""
    return STATES.get(name) or STATES.get(_ENDING.sub("", name))
