"""What Z-Wave's command classes say: numbers and names as in the Z-Wave specification, spelt as Z-Wave JS does.

Sources: Z-Wave Application Command Class Specification, its list of notification types and events; node-zwave-js
(core/registries/Notifications.ts, cc/lib/_Types.ts); zwave-js-ui (api/lib/Constants.ts). Names are compared without
case, spaces and signs, as the gateway changes those in topics.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ingest.dialects.meanings import Fact, Rank

#: The command classes that are read, by the names that the gateway gives them in topics.
CLASSES: dict[str, int] = {
    "basic": 0x20,
    "switch_multilevel": 0x26,
    "scene_activation": 0x2B,
    "sensor_binary": 0x30,
    "sensor_multilevel": 0x31,
    "meter": 0x32,
    "central_scene": 0x5B,
    "door_lock": 0x62,
    "entry_control": 0x6F,
    "notification": 0x71,
    "battery": 0x80,
    "sensor_alarm": 0x9C,
}
#: Those that switch and regulate, and say nothing of a person's safety.
_CONTROLS = {
    "switch_binary": 0x25,
    "switch_all": 0x27,
    "switch_toggle_binary": 0x28,
    "switch_toggle_multilevel": 0x29,
    "color": 0x33,
    "thermostat_heating": 0x38,
    "thermostat_mode": 0x40,
    "thermostat_operating_state": 0x42,
    "thermostat_setpoint": 0x43,
    "thermostat_fan_mode": 0x44,
    "thermostat_fan_state": 0x45,
    "climate_control_schedule": 0x46,
    "thermostat_setback": 0x47,
    "door_lock_logging": 0x4C,
    "schedule_entry_lock": 0x4E,
    "user_code": 0x63,
    "barrier_operator": 0x66,
    "protection": 0x75,
    "lock": 0x76,
    "sound_switch": 0x79,
    "indicator": 0x87,
    "energy_production": 0x90,
    "silence_alarm": 0x9D,
}
CONTROLS = frozenset({*_CONTROLS.values(), 0x6A})
#: What a node is and how it is set up: versions, settings, keys …
_SETTINGS = {
    "scene_actuator_conf": 0x2C,
    "scene_controller_conf": 0x2D,
    "antitheft": 0x5D,
    "multi_instance": 0x60,
    "zwave_plus_info": 0x5E,
    "configuration": 0x70,
    "manufacturer_specific": 0x72,
    "powerlevel": 0x73,
    "node_naming": 0x77,
    "firmware_update_md": 0x7A,
    "clock": 0x81,
    "wake_up": 0x84,
    "association": 0x85,
    "version": 0x86,
    "language": 0x89,
    "time": 0x8A,
    "time_parameters": 0x8B,
    "multi_instance_association": 0x8E,
    "manufacturer_proprietary": 0x91,
    "security": 0x98,
    "association_command_configuration": 0x9B,
    "sensor_configuration": 0x9E,
}
NUMBERS: dict[str, int] = {**CLASSES, **_CONTROLS, **_SETTINGS}

_NOT_NAME = re.compile(r"[^a-z0-9]+")


def plain_name(name: str) -> str:
    """Spell a name as these tables do."""
    return _NOT_NAME.sub("", name.lower())


class Notification(NamedTuple):
    """One type of notification."""

    #: What each event says; None: what nobody can know or what is of no interest here, see `maps`.
    events: dict[int, Fact]
    #: By the name of a variable: what it says when it is idle. Which of the events are its own does not matter.
    idle: dict[str, tuple[Fact, ...]]
    #: Variables that may be of importance and that no kind of ours fits.
    maps: frozenset[str] = frozenset()
    #: Names of events, as single messages have them.
    labels: Mapping[str, int] = MappingProxyType({})


def _alarm(kind: str, detail: str | None = None, state: str = "alarm") -> Fact:
    return Fact(Rank.ALARM, kind, state, detail)


def _clear(kind: str, state: str = "clear", detail: str | None = None) -> Fact:
    return Fact(Rank.CLEAR, kind, state, detail)


_TEST = _alarm("test", state="active")
_NO_TEST = _clear("test", "inactive")
_MUTE = _alarm("mute", state="on")
_NO_MUTE = _clear("mute", "off")
_NO_FAULT = (_clear("fault"),)
_REPLACE = _alarm("fault", "replacement_required")
_INSPECT = _alarm("fault", "maintenance_required")
_END = _alarm("end_of_life")
_NO_END = _clear("end_of_life")
_LOW = _alarm("battery", state="low")
_OK = (_clear("battery", "ok"),)
_TAMPER = _alarm("tamper")
_LABELS_OF_ALARMS = {
    "replacementrequired": 4,
    "replacementrequiredendoflife": 5,
    "alarmsilenced": 6,
    "maintenancerequiredplannedperiodicinspection": 7,
}


def _detector(kind: str | None, name: str) -> Notification:
    """Make the notifications of smoke, CO and CO2, which are alike."""
    found = {} if kind is None else {1: _alarm(kind), 2: _alarm(kind)}
    is_found = {f"{name}detectedlocationprovided": 1, f"{name}detected": 2}
    events = {**found, 3: _TEST, 4: _REPLACE, 5: _END, 6: _MUTE, 7: _INSPECT, 8: _alarm("fault", "dust")}
    return Notification(
        events,
        {
            "sensorstatus": () if kind is None else (_clear(kind),),
            "alarmstatus": (_NO_TEST, _NO_MUTE) if kind == "smoke" else (_NO_MUTE,),
            "teststatus": (_NO_TEST,),
            "maintenancestatus": (*_NO_FAULT, _NO_END),
            "periodicinspectionstatus": _NO_FAULT,
            "dustindevicestatus": _NO_FAULT,
        },
        frozenset({"sensorstatus", *is_found} if kind is None else ()),
        {**(is_found if kind is not None else {}), **_LABELS_OF_ALARMS}
        | {f"{name}test": 3, f"{name}alarmtest": 3, "maintenancerequireddustindevice": 8},
    )


#: By their names, as in topics and in values.
NOTIFICATIONS: dict[str, Notification] = {
    "smokealarm": _detector("smoke", "smoke"),
    "coalarm": _detector("carbon_monoxide", "carbonmonoxide"),
    "carbonmonoxidealarm": _detector("carbon_monoxide", "carbonmonoxide"),
    "co2alarm": _detector(None, "carbondioxide"),
    "carbondioxidealarm": _detector(None, "carbondioxide"),
    "heatalarm": Notification(
        {7: _TEST, 8: _END, 9: _MUTE, 10: _alarm("fault", "dust"), 11: _INSPECT},
        {
            "alarmstatus": (_NO_TEST, _NO_MUTE),
            "maintenancestatus": (_NO_END,),
            "periodicinspectionstatus": _NO_FAULT,
            "dustindevicestatus": _NO_FAULT,
        },
        frozenset({"heatsensorstatus"}),
        {"heatalarmtest": 7, "replacementrequiredendoflife": 8, "alarmsilenced": 9},
    ),
    "wateralarm": Notification(
        {1: _alarm("water_leak"), 2: _alarm("water_leak"), 11: _alarm("fault", "pump")},
        {"sensorstatus": (_clear("water_leak"),), "pumpstatus": _NO_FAULT},
        frozenset({"waterlevelalarmstatus", "waterflowalarmstatus", "waterpressurealarmstatus"}),
        {"waterleakdetectedlocationprovided": 1, "waterleakdetected": 2, "sumppumpfailure": 11},
    ),
    "accesscontrol": Notification(
        {
            22: _alarm("contact", state="open"),
            23: _clear("contact", "closed"),
            # Where a door says how it is open, that stands in the lower byte.
            22 << 8: _alarm("contact", state="open"),
            22 << 8 | 1: _alarm("contact", "tilted", "open"),
        },
        {},
        labels={
            "windowdoorisopen": 22,
            "windowdoorisclosed": 23,
            "windowdoorisopeninregularposition": 22 << 8,
            "windowdoorisopenintiltposition": 22 << 8 | 1,
        },
    ),
    "homesecurity": Notification(
        {
            3: _TAMPER,
            4: _alarm("tamper", "invalid_code"),
            7: _alarm("motion", state="detected"),
            8: _alarm("motion", state="detected"),
            9: _alarm("tamper", "moved"),
            10: _alarm("vibration", state="detected"),
            11: _alarm("fault", "magnetic_interference"),
            12: _alarm("fault", "rf_jamming"),
        },
        {
            "coverstatus": (_clear("tamper"),),
            "motionsensorstatus": (_clear("motion"),),
            "magneticinterferencestatus": _NO_FAULT,
        },
        frozenset({"sensorstatus", "intrusion", "intrusionlocationprovided", "glassbreakage"}),
        {
            "tamperingproductcoverremoved": 3,
            "tamperinginvalidcode": 4,
            "motiondetectionlocationprovided": 7,
            "motiondetection": 8,
            "tamperingproductmoved": 9,
            "impactdetected": 10,
            "magneticfieldinterferencedetected": 11,
            "rfjammingdetected": 12,
        },
    ),
    "powermanagement": Notification(
        {
            2: _alarm("fault", "mains_power"),
            3: _clear("fault", detail="mains_power"),
            6: _alarm("fault", "over_current"),
            7: _alarm("fault", "over_voltage"),
            8: _alarm("fault", "over_load"),
            9: _alarm("fault", "load_error"),
            10: _LOW,
            11: _LOW,
            13: _clear("battery", "ok"),
            14: _LOW,
            15: _LOW,
            16: _LOW,
            17: _LOW,
            18: _alarm("fault", "backup_battery"),
        },
        {
            "overcurrentstatus": _NO_FAULT,
            "overvoltagestatus": _NO_FAULT,
            "overloadstatus": _NO_FAULT,
            "loaderrorstatus": _NO_FAULT,
            "batterymaintenancestatus": _OK,
            "batterylevelstatus": _OK,
            "backupbatterylevelstatus": (*_OK, *_NO_FAULT),
        },
        labels={
            "acmainsdisconnected": 2,
            "acmainsreconnected": 3,
            "replacebatterysoon": 10,
            "replacebatterynow": 11,
            "batteryisfullycharged": 13,
            "chargebatterysoon": 14,
            "chargebatterynow": 15,
            "backupbatteryislow": 16,
            "backupbatterydisconnected": 18,
        },
    ),
    "system": Notification(
        {
            1: _alarm("fault", "hardware"),
            2: _alarm("fault", "software"),
            3: _alarm("fault", "hardware"),
            4: _alarm("fault", "software"),
            5: _clear("heartbeat", "alive"),
            6: _TAMPER,
            7: _alarm("fault", "emergency_shutoff"),
        },
        {
            "hardwarestatus": _NO_FAULT,
            "softwarestatus": _NO_FAULT,
            "coverstatus": (_clear("tamper"),),
            "emergencyshutoffstatus": _NO_FAULT,
        },
        labels={
            "systemhardwarefailure": 1,
            "systemsoftwarefailure": 2,
            "heartbeat": 5,
            "tamperingproductcoverremoved": 6,
            "emergencyshutoff": 7,
        },
    ),
    "emergencyalarm": Notification(
        {
            1: _alarm("sos", "police", "pressed"),
            2: _alarm("sos", "fire", "pressed"),
            3: _alarm("sos", "medical", "pressed"),
        },
        {},
        labels={"contactpolice": 1, "contactfireservice": 2, "contactmedicalservice": 3},
    ),
    "homehealth": Notification(
        {12: _alarm("fall")},
        {},
        frozenset({"sleepapneastatus", "sleepapneadetected"}),
        {"falldetected": 12},
    ),
    "gasalarm": Notification(
        {
            1: _alarm("gas"),
            2: _alarm("gas"),
            3: _alarm("gas", "toxic"),
            4: _alarm("gas", "toxic"),
            5: _TEST,
            6: _REPLACE,
        },
        {
            # That there is no toxic gas does not say that there is none that burns.
            "combustiblegasstatus": (_clear("gas"),),
            "alarmstatus": (_NO_TEST,),
            "maintenancestatus": _NO_FAULT,
        },
        labels={
            "combustiblegasdetectedlocationprovided": 1,
            "combustiblegasdetected": 2,
            "toxicgasdetectedlocationprovided": 3,
            "toxicgasdetected": 4,
            "gasalarmtest": 5,
            "replacementrequired": 6,
        },
    ),
    "homemonitoring": Notification(
        {1: _alarm("presence", state="detected"), 2: _alarm("presence", state="detected")},
        {"homeoccupancystatus": (_clear("presence"),)},
        labels={"homeoccupiedlocationprovided": 1, "homeoccupied": 2},
    ),
}
#: A CO detector's test status is the result of the test, where it tells one.
TEST_RESULTS = {
    1: Fact(Rank.BETTER_THAN_UNKNOWN, "test", "passed"),
    2: Fact(Rank.WORSE_THAN_ALARM, "test", "failed"),
}
#: Variables of which an unknown number leaves a hazard, a contact or the like unknown.
VARIABLES: dict[tuple[str, str], str] = {
    ("smokealarm", "sensorstatus"): "smoke",
    ("coalarm", "sensorstatus"): "carbon_monoxide",
    ("carbonmonoxidealarm", "sensorstatus"): "carbon_monoxide",
    ("wateralarm", "sensorstatus"): "water_leak",
    ("accesscontrol", "doorstate"): "contact",
    ("accesscontrol", "doorstatesimple"): "contact",
    ("homesecurity", "coverstatus"): "tamper",
    ("homesecurity", "motionsensorstatus"): "motion",
    ("gasalarm", "combustiblegasstatus"): "gas",
    ("homemonitoring", "homeoccupancystatus"): "presence",
}

#: Binary Sensor and Sensor Alarm: the types of sensors, by name and by the number in Sensor Alarm.
BINARY: dict[str, str] = {
    "smoke": "smoke",
    "co": "carbon_monoxide",
    "water": "water_leak",
    "waterleak": "water_leak",
    "tamper": "tamper",
    "doorwindow": "contact",
    "motion": "motion",
}
SENSOR_ALARMS = {"1": "smoke", "2": "co", "3": "co2", "4": "heat", "5": "waterleak"}
#: Types that say only that there is something: what it is, the registry knows.
GENERIC = frozenset({"any", "generalpurpose", "currentvalue", "sensorstate", "intrusion", "sensorstatus"})
GENERIC_KINDS = frozenset(
    {"gas", "smoke", "carbon_monoxide", "water_leak", "contact", "motion", "presence", "vibration", "sos"}
)

#: Central Scene: key attributes.
KEYS = {0: "single", 1: "release", 2: "long", 3: "double", 4: "triple", 5: "quadruple", 6: "quintuple"}
#: Entry Control: event types by which somebody asks for help.
HELP_KEYS = {
    "16": "fire", "fire": "fire",
    "17": "police", "police": "police",
    "18": "panic", "alertpanic": "panic",
    "19": "medical", "alertmedical": "medical",
}  # fmt: skip
#: Sensor Multilevel: those that are amounts of what is dangerous, by name.
AMOUNTS = {
    "carbonmonoxidecolevel": "carbon_monoxide_concentration",
    "carbonmonoxidelevel": "carbon_monoxide_concentration",
    "smokedensity": "smoke_concentration",
    "methanech4density": "gas_concentration",
    "methanedensity": "gas_concentration",
}
