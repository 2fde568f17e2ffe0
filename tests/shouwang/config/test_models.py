"""Warnings about models."""

from collections.abc import Callable
from pathlib import Path

from rules.community import Device
from shouwang import config
from shouwang.config.models import models


def device(kind: str, vendor: str | None, model: str | None, number: int = 1) -> Device:
    name = f"d{number}"
    return Device(id=name, home_id="h", kind=kind, source="s", name=name, vendor=vendor, model=model)


def test_a_model_whose_alarm_may_not_arrive_is_told_once_with_all_its_devices() -> None:
    [remark] = models([device("gas", "Heiman", "HS1CG-E"), device("gas", "HEIMAN", "hs1cg-e", 2)])

    assert remark.section == "homes"
    assert "the gas alarm of HEIMAN HS1CG-E has been seen not to arrive" in remark.message
    assert "(d1, d2)" in remark.message


def test_nothing_is_told_of_others() -> None:
    others = [device("gas", None, None), device("smoke", "HEIMAN", "HS1CG-E"), device("smoke", "Tuya", "PA-44Z")]

    assert list(models(others)) == []


def test_it_is_among_the_warnings(folder: Path, edit: Callable[..., None], warnings: Callable[[], list[str]]) -> None:
    before = warnings()
    edit("devices", ("kind: gas, ", "kind: gas, vendor: HEIMAN, model: HS3CG, "))

    assert [one for one in warnings() if one not in before and "has been seen not to arrive" in one]
    source, device = config.load_devices(folder)
    assert source
    assert device


def test_a_single_file_holds_devices_as_well(folder: Path) -> None:
    sources, devices = config.load_devices(folder / "devices.yaml")

    assert {one.source for one in devices} <= {one.id for one in sources}
