"""What the fields of LoRaWAN codecs mean, by their names: in general, and maker by maker where makers differ.

Read from the makers' published codecs: TheThingsNetwork/lorawan-devices (vendor/*/…js), Milesight-IoT/SensorDecoders
and dragino/dragino-end-node-decoder; Tektelic's polarities from its Kona Home Sensor TRM (T0005370), table 2-1. Names
are compared in small letters without anything but letters and digits: DOOR_OPEN_STATUS is dooropenstatus.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from ingest.dialects.meanings import Fact, Rank, off, on, unknown


class How(Enum):
    """How the value of a field is read."""

    #: By its word; what is not among the words is unknown.
    STATE = auto()
    #: By its word; what is not among the words says nothing.
    HINT = auto()
    #: By its word, or how often something was noticed since the last time: none or some.
    COUNT = auto()
    #: Several words with commas between them, of which the worst counts.
    SERIES = auto()
    PRESS = auto()
    PERCENT = auto()
    VOLTS = auto()
    #: Percent or volts, whichever it must be.
    BATTERY = auto()
    NUMBER = auto()
    #: "Alarm", of whatever the device is.
    ALARM = auto()
    #: What somebody has wired to the device.
    INPUT = auto()
    IGNORE = auto()


class Step(NamedTuple):
    """How one field is read."""

    how: How
    kind: str = ""
    words: Mapping[str, Fact] = {}
    unit: str | None = None
    detail: str | None = None


Table = Mapping[str, Step]

_YES: Final = "true 1 yes on alarm alarmed alert trigger triggered detected active abnormal 255"
_NO: Final = "false 0 no off normal none clear ok inactive idle noalarm notdetected nottriggered"


def _words(kind: str, yes: str = "", no: str = "") -> dict[str, Fact]:
    return {
        **dict.fromkeys(f"{_NO} {no}".split(), off(kind)),
        **dict.fromkeys(f"{_YES} {yes}".split(), on(kind)),
    }


def _state(kind: str, yes: str = "", no: str = "", *, detail: str | None = None) -> Step:
    return Step(How.STATE, kind, _words(kind, yes, no), detail=detail)


def each(names: str, step: Step) -> dict[str, Step]:
    """Give several names one meaning."""
    return dict.fromkeys(names.split(), step)


IGNORE: Final = Step(How.IGNORE)
INPUT: Final = Step(How.INPUT)
PRESS: Final = Step(How.PRESS)
VOLTS: Final = Step(How.VOLTS)
PERCENT: Final = Step(How.PERCENT)

LEAK: Final = _state(
    "water_leak",
    "leak leaking leaked leakage waterleak wet flood flooded waterpresent waterdetected floodalarm leakalarm",
    "noleak noleakage nowaterleak dry nowater waternotpresent noflood",
)
_SMOKE: Final = _state(
    "smoke", "smoke smokealarm smokedetected fire firealarm", "nosmoke nosmokealarm nofire nofirealarm"
)
_GAS: Final = _state("gas", "gas gasalarm leak leakage gasleak gasdetected", "nogas nogasalarm noleak noleakage")
_CO: Final = _state("carbon_monoxide", "co coalarm codetected", "noco nocoalarm")
_OPEN_WORDS: Final = {
    **dict.fromkeys(
        ("open", "opened", "isopen", "dooropen", "doorisopen", "dooropened", "windowopen", "contactsopened"),
        on("contact"),
    ),
    **dict.fromkeys(
        ("close", "closed", "isclosed", "doorclosed", "doorisclosed", "windowclosed", "contactsshorted"),
        off("contact"),
    ),
}
#: Of a door of which nobody says which way round its `true` is, only words say something.
_DOOR: Final = Step(How.INPUT, "contact", _OPEN_WORDS)
OPEN: Final = Step(
    How.STATE,
    "contact",
    {
        **_OPEN_WORDS,
        **dict.fromkeys(("true", "1", "yes", "on", "255"), on("contact")),
        **dict.fromkeys(("false", "0", "no", "off"), off("contact")),
    },
)
_CLOSED: Final = Step(
    How.STATE,
    "contact",
    {
        **_OPEN_WORDS,
        **dict.fromkeys(("true", "1", "yes", "on"), off("contact")),
        **dict.fromkeys(("false", "0", "no", "off"), on("contact")),
    },
)
MOTION: Final = Step(
    How.COUNT,
    "motion",
    _words("motion", "motion movement moving occupied pirtrigger", "nomotion vacant unoccupied still"),
)
PRESENCE: Final = Step(
    How.COUNT, "presence", _words("presence", "occupied present presence", "vacant unoccupied absent empty")
)
VIBRATION: Final = Step(How.COUNT, "vibration", _words("vibration", "vibration", "novibration"))
TAMPER: Final = _state(
    "tamper", "tamper tampered uninstalled removed disassembled open opened", "installed closed untampered notampered"
)
SOS: Final = _state("sos", "pressed pushed sos help", "released notpressed cleared")
_FALL: Final = _state("fall", "fall fell falldetected fallalarm", "nofall")
FAULT: Final = _state("fault", "fault failure failed error", "nofault noerror success")
_TEST: Final = _state("test", "pressed pushed testing running", "released notpressed")
_LOW_BATTERY: Final = _state("battery", "low lowbattery", "high good full")
_BATTERY_WORDS: Final = Step(
    How.HINT,
    "battery",
    {
        **dict.fromkeys(("low", "verylow", "ultralow", "critical", "batterylow", "lowbattery"), on("battery")),
        **dict.fromkeys(("ok", "good", "normal", "high", "full", "medium"), off("battery")),
    },
)

#: What Milesight's smoke detector (GS524N) says in words, and its gas detector (GS101) in `alarm`.
PHRASES: Final[Mapping[str, tuple[Fact, ...]]] = {
    "lowbattery": (on("battery"),),
    "failover": (on("fault"),),
    "removed": (on("tamper"),),
    "installed": (off("tamper"),),
    "silent": (on("mute"),),
    "testingalarmwithnormalbattery": (on("test"), off("battery")),
    "testingalarmwithlowbattery": (on("test"), on("battery")),
    "poweroff": (Fact(Rank.ALARM, "availability", "offline", "power off"),),
    "powerdown": (Fact(Rank.ALARM, "availability", "offline", "power off"),),
    "poweron": (Fact(Rank.CLEAR, "availability", "online", "power on"),),
    "devicefault": (on("fault"),),
    "sensorfailure": (on("fault"),),
    "devicefaultrecovered": (off("fault"),),
    "sensorrecover": (off("fault"),),
    "devicewillbeinvalidsoon": (Fact(Rank.ALARM, "end_of_life", "alarm", "soon"),),
    "sensorabouttofail": (Fact(Rank.ALARM, "end_of_life", "alarm", "soon"),),
    "deviceinvalid": (Fact(Rank.ALARM, "end_of_life", "alarm"),),
    "sensorfailed": (Fact(Rank.ALARM, "end_of_life", "alarm"),),
    # MClimate's PIR sensors.
    "occupied": (on("motion"),),
    "pirtrigger": (on("motion"),),
    "unoccupied": (off("motion"),),
}

_LYING: Final = Fact(Rank.BETTER_THAN_UNKNOWN, "fall", "warning", "lying")
#: The states of an alarm of Milesight's fall radar (VS373). Why one was ignored nobody can know.
ALARM_STATES: Final[Mapping[str, Fact]] = {
    **dict.fromkeys(("1", "alarmtriggered"), on("fall")),
    **dict.fromkeys(("2", "alarmdeactivated"), off("fall")),
    **dict.fromkeys(("3", "alarmignored", "4", "statusreport"), unknown("fall")),
}


def _number(unit: str | None, kind: str = "measurement") -> Step:
    return Step(How.NUMBER, kind, unit=unit)


GENERAL: Final[Table] = {
    **each(
        "leakagestatus leakage leak leakstatus leakdetected leakevent waterleak waterleakage waterleakstatus "
        "waterleakagestatus waterleakdetected waterevent watereventstate waterdetected flood flooddetected floodalarm "
        "floodstatus leakalarm waterleakalarm",
        LEAK,
    ),
    **each(
        "smokestatus smokealarm smokedetected smokestate firealarm firestatus firedetected incensesmokealarm", _SMOKE
    ),
    "interconnectalarm": _SMOKE._replace(detail="interconnected"),
    **each("gasstatus gasalarm gasleak gasleakage gasdetected gasstate gasleakstatus gasalarmstatus", _GAS),
    **each("coalarm costatus cocalarm coalarmstatus carbonmonoxidealarm codetected", _CO),
    **each("dooropenstatus dooropen isopen opened windowopen doorisopen openstatus magnetstatus magnetchn", OPEN),
    **each("closed isclosed doorclosed windowclosed", _CLOSED),
    **each(
        "door doorstatus doorstate doorwindow doorwindowevent window windowstatus windowstate contact contactstate "
        "contactstatus contactevent magnet reed reedstatus open openclose openclosestatus actioncontactstate",
        _DOOR,
    ),
    **each(
        "pir pirstatus pirtrigger pirstate motion motiondetected motionstatus motionstate movement movementdetected "
        "occupancy occupancystatus occupy actionmotiondetected accmotion",
        MOTION,
    ),
    **each("presence presencedetected presencestatus occupied humanpresence humaninplace", PRESENCE),
    **each("vibration vibrationdetected vibrationstatus shockalarm", VIBRATION),
    **each(
        "tamper tamperstatus tamperalarm tampered tamperdetected tamperdetect tamperevent tamperstate tamperreport "
        "boxtamper disassembledalarm disassembled",
        TAMPER,
    ),
    **each("sos sosalarm sosevent sosstatus panic panicalarm emergency emergencyalarm sosmode", SOS),
    **each("fall falldetected fallalarm fallstatus falldetection falldown", _FALL),
    "fallalarmalarmstatus": Step(How.SERIES, "fall", ALARM_STATES),
    "lyingalarmalarmstatus": Step(How.SERIES, "fall", {"1": _LYING, "alarmtriggered": _LYING}),
    "detectionstatus": Step(
        How.STATE,
        "fall",
        {"fall": on("fall"), **dict.fromkeys(("normal", "vacant", "inbed", "outofbed"), off("fall"))},
    ),
    **each("battery bat batt batteryvalue", Step(How.BATTERY)),
    **each(
        "batterylevel batterypercent batterypercentage batterylevelinpercentage batpercent batlevel batterypct "
        "batteryremaining batterysoc",
        PERCENT,
    ),
    **each(
        "batv batteryv batteryvoltage batvoltage vbat vbatt batmv batterymv volt batteryvolt batteryvolts "
        "supplyvoltage supervisorybattery vdd",
        VOLTS,
    ),
    **each(
        "batterylow lowbattery lowbatteryalarm lowbat batterylowalarm batteryalarm statuslowbattery "
        "supervisorybatterylow",
        _LOW_BATTERY,
    ),
    **each("batterystatus batterystate", _BATTERY_WORDS),
    **each("testbuttonpressed testbutton selftest testmode testalarm", _TEST),
    **each(
        "fault faultalarm sensorfault devicefault hardwareerror hardwarefault hardwarefailure sensorerror "
        "smokechamberfailure fouledsmokechamber ultrasonicsensorfailure infraredsensorfailure buzzerfailure",
        FAULT,
    ),
    **each("endoflife endoflifealarm eol", _state("end_of_life")),
    **each("silenced muted hush", _state("mute")),
    **each("warmup preheat preheating", _state("warmup", "warmingup")),
    # SenseCAP's trackers.
    "eventname": Step(
        How.HINT,
        "sos",
        {"sosevent": on("sos"), "pressonceevent": Fact(Rank.ALARM, "button", "single"), "shockevent": on("vibration")},
    ),
    **each("button buttonevent buttonstatus buttonpressed buttonpress buttonstate press pressevent", PRESS),
    **each("alarm alarmstatus alarmstate", Step(How.ALARM)),
    **each("temperature temp tempc temperaturec tempcsht temperatureboard ambienttemperature", _number("°C")),
    **each("humidity humiditypct humsht relativehumidity ambientrelativehumidity", _number("%")),
    **each("co2 co2ppm", _number("ppm")),
    **each("light lux illuminance illlx ambientlight", _number("lx")),
    **each("pressure barometricpressure", _number("hPa")),
    **each(
        "version protocol type sn model name devicemodel nodetype sensormodel manufacturer productcode codecversion "
        "hardwareversion firmwareversion softwareversion ipsoversion tslversion lorawanclass devicestatus resetevent "
        "deviceserialnumber device deviceclass swver hwver datecode timestamp time date datetime mod mode workmode "
        "daylight lightdetected frequencyband subband cmod tdc pnackmd datalog bytes payload raw hex port fport rssi "
        "snr error errors warning warnings info message messagetype reason counter cmd install powerevent extsensor "
        "lon md bg smode location locationtago transport noconnect luxstatus unit displayname devicetype "
        "soundkey soundack concentration configurationdone configurationinconsistency targetstatus msgid alarmid "
        "decodinginfo",
        IGNORE,
    ),
}


_NOT_PLAIN: Final = re.compile(r"[^0-9a-z]+")


def plain(name: str) -> str:
    """Write a name or a word as the tables have it."""
    return _NOT_PLAIN.sub("", name.lower())
