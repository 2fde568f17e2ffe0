"""One file for each way of writing on MQTT. A new one needs its file and a line here."""

from ingest.decoded import Dialect
from ingest.dialects.chirpstack import ChirpStack
from ingest.dialects.esphome import Esphome
from ingest.dialects.homeassistant import HomeAssistant
from ingest.dialects.homie import Homie
from ingest.dialects.json import Json
from ingest.dialects.onenet import OneNet
from ingest.dialects.openmqttgateway import OpenMqttGateway
from ingest.dialects.rtl_433 import Rtl433
from ingest.dialects.shelly_gen1 import ShellyGen1
from ingest.dialects.shelly_gen2 import ShellyGen2
from ingest.dialects.shouwang import Shouwang
from ingest.dialects.sparkplug import Sparkplug
from ingest.dialects.tasmota import Tasmota
from ingest.dialects.thingsboard import ThingsBoard
from ingest.dialects.ttn import TheThings
from ingest.dialects.zigbee2mqtt import Zigbee2Mqtt
from ingest.dialects.zwave_js_ui import ZwaveJsUi

#: By the name that `dialect:` has in devices.yaml.
DIALECTS: dict[str, type[Dialect]] = {
    "chirpstack": ChirpStack,
    "esphome": Esphome,
    "homeassistant": HomeAssistant,
    "homie": Homie,
    "json": Json,
    "onenet": OneNet,
    "openmqttgateway": OpenMqttGateway,
    "rtl_433": Rtl433,
    "shelly-gen1": ShellyGen1,
    "shelly-gen2": ShellyGen2,
    "shouwang": Shouwang,
    "sparkplug": Sparkplug,
    "tasmota": Tasmota,
    "thingsboard": ThingsBoard,
    "ttn": TheThings,
    "zigbee2mqtt": Zigbee2Mqtt,
    "zwave-js-ui": ZwaveJsUi,
}
