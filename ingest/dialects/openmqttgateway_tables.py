"""What the properties of OpenMQTTGateway's messages mean: Theengs' library's (src/devices), and the gateway's own.

Theengs writes every Bluetooth device's properties with the same few names, whatever the make.
"""

from collections.abc import Mapping
from typing import Any

from ingest.dialects.common import number
from ingest.dialects.facts import Facts
from ingest.dialects.meanings import HAZARDS, Fact, off, on, read, unknown
from ingest.dialects.names import tell
from rules.community import Device

#: Topics by which a gateway speaks of itself, and why they are of no interest.
OF_THE_GATEWAY: dict[str, str] = {
    "SYStoMQTT": "gateway_message",
    "RLStoMQTT": "gateway_message",
    "WebUItoMQTT": "gateway_message",
    "SSD1306toMQTT": "gateway_message",
    "LOGtoMQTT": "log",
    # Text messages that people have sent.
    "2GtoMQTT": "gateway_message",
    "ONOFFtoMQTT": "not_a_safety_sensor",
    "RFM69toMQTT": "vendor_raw",
}
#: Topics whose messages are bare codes, and the field that holds the code.
CODES: dict[str, str] = {
    "433toMQTT": "value",
    "SRFBtoMQTT": "value",
    "IRtoMQTT": "value",
    "RFtoMQTT": "value",
    "RF2toMQTT": "address",
}

#: Property: the kind it states.
_STATES: dict[str, str] = {
    "motion": "motion",
    "open": "contact",
    "lowbatt": "battery",
    "batt_low": "battery",
}
#: Property: its unit.
_NUMBERS: dict[str, str] = {
    "tempc": "°C",
    "tempc2": "°C",
    "temp": "°C",
    "hum": "%",
    "pres": "hPa",
    "lux": "lx",
    "darkness": "lx",
    "moi": "%",
    "co2": "ppm",
    "for": "mg/m³",
    "pm25": "µg/m³",
    "pm10": "µg/m³",
    "weight": "kg",
}
#: What a button's numbers mean: how often, or how, it was pressed.
_PRESSES: dict[Any, str] = {
    1: "single",
    2: "double",
    3: "triple",
    4: "quadruple",
    5: "many",
    9: "long",
    10: "release",
    11: "hold",
}
_BUTTONS = ("button", "button1", "button2", "button3", "button4")
#: Their `open` is how far a blind is.
_BLINDS = frozenset({"W270160X"})
#: Their voltage is of a car's battery or a bus, and their alarm of a tyre.
_OF_CARS = frozenset({"TPMS", "BM2", "BM6"})
#: What every advertisement has, and what says nothing of a home.
_ABOUT = frozenset(
    {
        "id", "mac", "mac_type", "adv_type", "name", "rssi", "distance", "txpower", "brand", "model",
        "model_id", "type", "cidc", "acts", "cont", "track", "device", "servicedata", "servicedatauuid",
        "manufacturerdata", "encr", "prmac", "tempf", "packet", "uuid", "mfid", "major", "minor", "UTCtime",
        "unixtime", "time", "origin", "volt", "hostname",
    }
)  # fmt: skip
#: What an advertisement has that says nothing but that it was heard.
_SIGNAL = _ABOUT - {"model", "volt"}
#: How a presence is spelt: a tag that has not been heard for a while is absent.
_PRESENCE: dict[Any, Fact] = {
    "absent": off("presence"),
    "away": off("presence"),
    "not_home": off("presence"),
    "present": on("presence"),
    "home": on("presence"),
}


def passes_by(document: Mapping[str, Any]) -> bool:
    """Tell whether an advertisement is of a phone that changes its address, or says nothing but that it was heard."""
    return document.get("type") == "RMAC" or _SIGNAL.issuperset(document)


def advertisement(facts: Facts, device: Device, document: Mapping[str, Any]) -> None:
    """Take what a Bluetooth device says."""
    model = str(document.get("model_id"))
    for field, value in document.items():
        if field in _ABOUT or (field != "flag_reed" and field.startswith("flag_")):
            continue
        if field in _STATES:
            if field != "open" or model not in _BLINDS:
                facts.value(_STATES[field], value)
        elif field == "contact":
            facts.fact(_contact(value))
        elif field == "presence":
            facts.fact(_PRESENCE.get(value) or read("presence", value) if _plain(value) else unknown("presence"))
        elif field == "batt":
            facts.battery(value)
        elif field in _BUTTONS:
            press = _PRESSES.get(value) if type(value) is int else None
            if press is not None:
                facts.pressed(press if field == "button" else f"{press}_{field}")
        elif field == "action" and type(value) is str and value:
            facts.pressed(value)
        elif field == "flag_reed":
            facts.by_map(field, value, what="input")
        elif field == "alarm":
            _alarm(facts, device, value, model)
        elif field in _NUMBERS:
            facts.number("measurement", value, _NUMBERS[field], detail=field)
        else:
            tell(facts, field, value)
    volts = number(document.get("volt"))
    if volts is not None and 0 < volts < 10 and model not in _OF_CARS:
        facts.number("battery_voltage", volts, "V")


def _plain(value: Any) -> bool:
    return type(value) in {str, bool, int}


def _contact(value: Any) -> Fact:
    """SwitchBot's contact has three states; the third is that it has been open for long."""
    if value == "timeout not closed":
        return on("contact")._replace(detail=value)
    return read("contact", value) if type(value) is str else unknown("contact")


def _alarm(facts: Facts, device: Device, value: Any, model: Any) -> None:
    if model in _OF_CARS:
        return
    if device.kind in HAZARDS:
        facts.value(device.kind, value)
    else:
        facts.by_map("alarm", value, what="alarm_bit")


def pilight(facts: Facts, device: Device, document: Mapping[str, Any]) -> None:  # noqa: ARG001 - one shape for all
    """Take what Pilight's decoders say: contacts in words, switches as on and off."""
    said = document.get("message")
    if type(said) is not dict:
        return
    for field, value in said.items():
        if field == "state" and type(value) is str:
            word = value.lower()
            if word in {"opened", "closed", "open"}:
                facts.value("contact", word)
            elif not facts.by_map(field, value, what="", known=True):
                facts.by_map(field, value, what="switch")
        elif field == "battery":
            # 1 is good, 0 is low
            facts.value("battery", value, inverted=True)
        elif field in {"temperature", "humidity"}:
            facts.number("measurement", value, "°C" if field == "temperature" else "%", detail=field)


def wired(facts: Facts, device: Device, topic: str, document: Mapping[str, Any]) -> None:
    """Take what a sensor says that is wired to the gateway; what the inputs mean is not in the message."""
    for field, value in document.items():
        if field in _ABOUT:
            continue
        if "HCSR501" in topic and field in {"presence", "hcsr501"}:
            facts.value("motion", value)
        elif field == "detected":
            kind = device.kind if device.kind in HAZARDS else _of_topic(topic)
            if kind is None:
                facts.by_map(field, value, what="input")
            else:
                facts.value(kind, value)
        elif field in {"gpio", "touch", "value"}:
            facts.by_map(field, value, what="input")
        elif field in _NUMBERS:
            facts.number("measurement", value, _NUMBERS[field], detail=field)
        elif "GAS" in topic and field == "gas":
            # What its converter has measured, from 0 to 4095: no unit, and no state.
            facts.number("measurement", value, None, detail=field)
        else:
            tell(facts, field, value)


def _of_topic(topic: str) -> str | None:
    return "gas" if "GAS" in topic or "MQ2" in topic else "water_leak" if "C37" in topic or "WATER" in topic else None
