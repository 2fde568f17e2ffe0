"""A judge who lets everything pass proves nothing: each way of being wrong is seen."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.decoded import Decoded
from ingest.dialects.zigbee2mqtt import Zigbee2Mqtt
from rules.readings import Reading
from tests.decoding import judge, samples

SAID = {"dialect": "zigbee2mqtt", "topic": "zigbee2mqtt/x", "retain": False}


def verdict_on(tmp_path: Path, *records: dict[str, Any]) -> judge.Verdict:
    file = tmp_path / "samples.jsonl"
    file.write_text("\n".join(json.dumps(one) for one in records), "utf-8")
    return judge.compare(samples.read(file))


def gas(payload: str, *meaning: dict[str, Any]) -> dict[str, Any]:
    return {**SAID, "payload": payload, "meaning": list(meaning)}


@pytest.mark.parametrize(
    ("payload", "meaning", "counted"),
    [
        ('{"gas":true}', [{"kind": "gas", "state": "alarm"}], {"found": 1}),
        ('{"gas":false}', [{"kind": "gas", "state": "alarm"}], {"missed": 1, "false clear": 1}),
        ('{"gas":true}', [{"kind": "gas", "state": "clear"}], {"missed": 1, "false alarm": 1}),
        ('{"gas":false}', [{"kind": "gas", "state": "unknown"}], {"missed": 1, "false clear": 1}),
        ('{"gas":true}', [], {"false alarm": 1}),
        ('{"gas":null}', [{"kind": "gas", "state": "unknown"}], {"found": 1}),
    ],
)
def test_what_is_found_missed_and_made_up_is_counted(
    tmp_path: Path, payload: str, meaning: list[dict[str, Any]], counted: dict[str, int]
) -> None:
    verdict = verdict_on(tmp_path, gas(payload, *meaning))

    assert {what: times for (_, kind, what), times in verdict.counts.items() if kind == "gas"} == counted
    assert len(verdict.vital) == sum(times for what, times in counted.items() if what != "found")


@pytest.mark.parametrize(
    ("payload", "meaning", "agrees"),
    [
        ('{"battery":"90.00"}', {"kind": "battery", "value": 90, "unit": "%"}, True),
        ('{"battery":91}', {"kind": "battery", "value": 90}, False),
        ("", {"kind": "ignored", "reason": "empty_payload"}, True),
        ("{", {"kind": "ignored", "reason": "malformed_json"}, True),
        ('{"gas":true}', {"kind": "ignored", "reason": "command"}, False),
        ('{"gas":false,"last_seen":"2024-01-01T00:00:00Z"}', {"kind": "last_seen", "value": "2024-01-01T00:00Z"}, True),
        ('{"gas":false}', {"kind": "last_seen", "value": "2024-01-01T00:00:00Z"}, False),
        ('{"alarm":true}', {"kind": "alarm_bit", "state": "alarm", "needs_mapping": True}, True),
        ('{"gas":false}', {"kind": "alarm_bit", "state": "alarm", "needs_mapping": True}, False),
        ('{"gas":true}', {"kind": "gas", "state": "alarm", "historic": True}, False),
    ],
)
def test_every_form_of_meaning_is_held_against_what_is_said(
    tmp_path: Path, payload: str, meaning: dict[str, Any], agrees: bool
) -> None:
    verdict = verdict_on(tmp_path, gas(payload, meaning))

    assert (verdict.counts["zigbee2mqtt", meaning["kind"], "missed"] == 0) == agrees


def test_the_truth_of_a_frame_is_read_by_property(tmp_path: Path) -> None:
    exposes = [{"property": one, "family": one, "access": 1} for one in ("smoke", "contact", "occupancy")]
    record = {
        "kind": "state",
        "topic": "zigbee2mqtt/x",
        "payload": {"smoke": True, "contact": False, "occupancy": None, "battery": 5},
        "exposes": exposes,
        "truth": {
            "active": {"smoke": True, "contact": True, "occupancy": None},
            "numeric": {"battery": 5},
            "new_alarm": True,
        },
    }
    [sample] = _read(tmp_path, record)

    assert sample.meaning == [
        {"kind": "smoke", "state": "alarm"},
        {"kind": "contact", "state": "open"},
        {"kind": "motion", "state": "unknown"},
        {"kind": "battery", "value": 5, "unit": "%"},
    ]
    assert verdict_on(tmp_path, record).disagreements == []
    assert verdict_on(tmp_path, record).counts["zigbee2mqtt", "new alarm", "found"] == 1


def test_a_decoder_that_makes_everything_clear_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotage: what nobody understands is taken for all quiet."""
    honest = Zigbee2Mqtt.decode

    def sabotaged(*arguments: Any) -> Decoded:
        decoded = honest(*arguments)
        made: list[Reading] = [
            one._replace(state="clear") if one.state == "unknown" else one for one in decoded.readings
        ]
        return decoded._replace(readings=made)

    monkeypatch.setattr(Zigbee2Mqtt, "decode", sabotaged)
    verdict = verdict_on(tmp_path, gas('{"gas":null}', {"kind": "gas", "state": "unknown"}))

    assert {one.what for one in verdict.vital} == {"missed", "false clear"}


def test_dialects_that_nobody_decodes_are_told(tmp_path: Path) -> None:
    assert verdict_on(tmp_path, {**gas("x"), "dialect": "smoke signals"}).unread == {"smoke signals": 1}


def _read(tmp_path: Path, record: dict[str, Any]) -> list[samples.Sample]:
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(record), "utf-8")
    return list(samples.read(file))
