import pytest

from ingest.urgent import is_urgent


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("zigbee2mqtt/x", '{"gas":true,"battery":3}'),
        ("zigbee2mqtt/x", '{"battery":3,"smoke": true}'),
        ("zigbee2mqtt/x", '{"carbon_monoxide":"ON"}'),
        ("zigbee2mqtt/x", '{"gas":"True"}'),
        ("zigbee2mqtt/x", '{"gas_alarm_1":true}'),
        ("zigbee2mqtt/x", '{"smoke_state":"alarm"}'),
        ("zigbee2mqtt/x", '{"fall_status":"fall_alarm"}'),
        ("zigbee2mqtt/x", '{"sos":true}'),
        ("zigbee2mqtt/x", '{"action":"emergency"}'),
        ("zigbee2mqtt/x/smoke", "true"),
        ("shouwang/v1/a/b/event", '{"kind":"gas","state":"alarm"}'),
        ("shouwang/v1/a/b/event", '{"kind": "sos", "state": "pressed"}'),
    ],
)
def test_a_message_that_may_save_a_life_closes_the_batch(topic: str, payload: str) -> None:
    """Invariant life-first."""
    assert is_urgent(topic, payload.encode())


@pytest.mark.parametrize(
    "payload",
    [
        '{"contact":true,"battery":100}',
        '{"gas":false,"smoke":false,"occupancy":true}',
        '{"state":"ON2","brightness":3}',
        '{"kind":"contact","state":"open"}',
        "online",
        "",
    ],
)
def test_ordinary_life_is_gathered(payload: str) -> None:
    assert not is_urgent("zigbee2mqtt/x", payload.encode())
