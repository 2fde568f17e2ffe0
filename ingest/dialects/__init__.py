"""One file for each way of writing on MQTT. A new one needs its file and a line here."""

from ingest.decoded import Dialect
from ingest.dialects.esphome import Esphome
from ingest.dialects.rtl_433 import Rtl433
from ingest.dialects.shouwang import Shouwang
from ingest.dialects.zigbee2mqtt import Zigbee2Mqtt

#: By the name that `dialect:` has in devices.yaml.
DIALECTS: dict[str, type[Dialect]] = {
    "esphome": Esphome,
    "rtl_433": Rtl433,
    "shouwang": Shouwang,
    "zigbee2mqtt": Zigbee2Mqtt,
}
