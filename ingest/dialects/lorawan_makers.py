"""Where a maker's LoRaWAN codec means something else by a name than most do, and how a maker is found."""

import re
from collections.abc import Mapping
from typing import Final

from ingest.dialects.lorawan_tables import (
    FAULT,
    IGNORE,
    INPUT,
    LEAK,
    MOTION,
    OPEN,
    PERCENT,
    PRESENCE,
    PRESS,
    SOS,
    TAMPER,
    VIBRATION,
    VOLTS,
    How,
    Step,
    Table,
    each,
)
from ingest.dialects.meanings import off, on

_DRAGINO: Final[Table] = {
    # Of its door and leak sensors `ALARM` is "open for too long", and no intrusion.
    **each("alarm alarmstatus", IGNORE),
    **each("battery bat", VOLTS),
    "batstatus": Step(
        How.STATE, "battery", {"0": on("battery"), "1": on("battery"), "2": off("battery"), "3": off("battery")}
    ),
    **each("digitalistatus extipinlevel extistatus di1status di2status exti1status", INPUT),
}
_NETVOX: Final[Table] = {
    **each("onoff status", INPUT),
    "alarm": PRESS,
    "hightempalarm": Step(How.HINT, "smoke", {"alarm": on("smoke"), "1": on("smoke")}, detail="heat"),
    "doorbell": PRESS,
    "occupy": MOTION,
}
_BROWAN: Final[Table] = {"battery": VOLTS, "status": INPUT}
_MCLIMATE: Final[Table] = {
    "battery": VOLTS,
    "status": IGNORE,
    "reason": Step(How.HINT, "test", {"testbuttonpressed": on("test"), "frauddetected": on("tamper")}),
}
_MILESIGHT: Final[Table] = {
    "battery": PERCENT,
    "alarm": Step(How.ALARM),
    # Whether it is on its wall.
    "install": Step(How.STATE, "tamper", {"yes": off("tamper"), "no": on("tamper")}),
    **each("gpio gpiostatus gpioin digital digitalinput", INPUT),
}
_RADIO_BRIDGE: Final[Table] = {
    "tamperevent": TAMPER,
    "supervisorytamperstate": TAMPER,
    "buttonstate": PRESS,
    **each("buttonevent resetevent linkqualityevent", IGNORE),
}

#: By what is found of the maker, and behind it, parted by a space, what its model is; the longest that there is counts.
MAKERS: Final[Mapping[str, Table]] = {
    "": {},
    "adeunis": {
        "alarmpresencealarmstatus": MOTION,
        "presencedetectedwhensending": MOTION,
        "alarmluminosityalarmstatus": IGNORE,
        "statehardwareerror": FAULT,
    },
    "browan": _BROWAN,
    "browan contact": {**_BROWAN, "status": OPEN},
    "browan motion": {**_BROWAN, "status": MOTION},
    "browan leak": {**_BROWAN, "status": LEAK},
    "browan button": {**_BROWAN, "status": PRESS},
    "decentlab": {"battery": VOLTS},
    "dragino": _DRAGINO,
    # Panic button and trackers: there the alarm is the button.
    "dragino sos": {**_DRAGINO, **each("alarm alarmstatus", SOS)},
    "elsys": {
        **each("motion accmotion", MOTION),
        "occupancy": PRESENCE,
        "waterleak": Step(How.COUNT, "water_leak", LEAK.words),
        **each("digital", INPUT),
        "vdd": VOLTS,
    },
    "mclimate": _MCLIMATE,
    "milesight": _MILESIGHT,
    "milesight radar": {**_MILESIGHT, "occupancy": PRESENCE},
    "netvox": _NETVOX,
    "netvox contact": {**_NETVOX, **each("onoff status", OPEN)},
    "netvox sos": {**_NETVOX, "alarm": SOS},
    "netvox vibration": {**_NETVOX, "status": VIBRATION},
    "radio bridge": _RADIO_BRIDGE,
    "sensative": {
        **each("battery", PERCENT),
        # A share of wetness; its alarm is `floodAlarm`.
        **each("flood flooddetection", IGNORE),
        # Its codec's own remarks contradict one another on what `door: true` is: that needs a map.
        **each("dooralarm oilalarm foilalarm closeproximityalarm", IGNORE),
        **each("userswitchalarm", INPUT),
    },
    "tektelic": {
        "reedstate": OPEN,
        **each("moisture moisturestate", LEAK),
        **each("motioneventstate motion", MOTION),
        **each("breakin", TAMPER),
        **each("impactalarm", VIBRATION),
        **each("externalconnectorstate externalinput externalinputstate", INPUT),
    },
    "yobiiq": {"battery": PERCENT},
}

#: What the words about a device show of its maker; the first that fits counts.
_PATTERNS: Final = tuple(
    (re.compile(pattern), maker)
    for pattern, maker in (
        (r"\b(pb01|trackerd|lgt-?92)", "dragino sos"),
        (r"dragino|\b(lds0[123]|lwl0[1234]|ds03a|ds20l|wl03a|l?sn50|lht[56]|ldds|lse0|cpl0|sw3l|s31)", "dragino"),
        (r"\bvs3[2-7]\d", "milesight radar"),
        (
            r"milesight|ursalink|\b(ws[1235]\d\d|em3\d\d|em[45]00|gs[1356]\d\d|am[13]\d\d|vs1\d\d|ts\d\d\d|uc\d\d\d)",
            "milesight",
        ),
        (r"\b(r311a|r718f2?|r730f|r311cc)\b", "netvox contact"),
        (r"\b(rb02i|r312a)\b", "netvox sos"),
        (r"\b(r718da2?|r718db2?|r730d[ab]|r311d[ab])\b", "netvox vibration"),
        (r"netvox|\b(r311|r718|r712|r720|r730|r312|r313|ra02|rb11|rb02)", "netvox"),
        (r"\btbdw|(browan|tabs|merryiot).*(door|open)", "browan contact"),
        (r"\btbms|(browan|tabs|merryiot).*(motion|pir)", "browan motion"),
        (r"\btbwl|(browan|tabs|merryiot).*(leak|water)", "browan leak"),
        (r"\btbpb|(browan|tabs|merryiot).*button", "browan button"),
        (r"browan|merryiot|\btb(am|hh|hv|sl)\d", "browan"),
        (r"elsys|\b(ers|elt|ems|esm5k)\b", "elsys"),
        (r"mclimate", "mclimate"),
        (r"tektelic|kona", "tektelic"),
        (r"radio.?bridge|\brbs30\d", "radio bridge"),
        (r"adeunis", "adeunis"),
        (r"sensative|\bstrips\b", "sensative"),
        (r"yobiiq|\bsd-?1001\b", "yobiiq"),
        (r"decentlab", "decentlab"),
    )
)

#: Fields that only one maker's codecs have.
SIGNS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("DOOR_OPEN_STATUS", "WATER_LEAK_STATUS", "DOOR1_OPEN_STATUS", "door_open_status", "water_leak_status"),
        "dragino",
    ),
    **dict.fromkeys(("Sound_key", "ALARM_status"), "dragino sos"),
    **dict.fromkeys(
        ("magnet_status", "magnet_chn1", "leakage_status", "tamper_status", "install", "button_event", "ipso_version"),
        "milesight",
    ),
    **dict.fromkeys(("detection_status", "fall_alarm", "out_of_bed_alarm", "lying_alarm"), "milesight radar"),
    "temperatureBoard": "browan",
    "Volt": "netvox",
    "vdd": "elsys",
    "boxTamper": "mclimate",
    "thermistorProperlyConnected": "mclimate",
    **dict.fromkeys(("reed_state", "motion_event_state"), "tektelic"),
    **dict.fromkeys(("DoorWindow", "Supervisory"), "radio bridge"),
    "historySeqNr": "sensative",
    "interconnectAlarm": "yobiiq",
}
#: The port on which Browan's devices say what they are.
BROWAN_PORTS: Final = {100: "browan contact", 102: "browan motion", 106: "browan leak", 147: "browan button"}


def maker_of(words: str) -> str:
    """Find the maker (a key of MAKERS) in the words that there are about a device; "" where there is none."""
    for pattern, maker in _PATTERNS:
        if pattern.search(words):
            return maker
    return ""
