from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dialects import bthome


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("0026016405e803002d013f0000", {"pid": 38, "battery": 100, "illuminance": 10.0, "window": 1}),
        ("012e2e3745c8ff", {"battery": 46, "humidity": 55, "temperature": -5.6}),
        ("3a003a013a02", {"button": [0, 1, 2]}),
        ("02ca09", {"temperature": 25.06}),
        ("57ea", {"temperature": -22}),
        ("53034142432901", {"smoke": 1}),
        ("5402ffff1701", {"carbon_monoxide": 1}),
        ("0c800b2b01", {"tamper": 1}),
        ("f00102f1010203041a01", {"door": 1}),
        # What follows an unknown id could be anything.
        ("2d01ee012901", {"window": 1}),
        # Cut off in the middle.
        ("2d0105e8", {"window": 1}),
        ("2d", {}),
        ("53", {}),
        ("53ff41", {}),
        ("", {}),
        ("zz", None),
        ("2", None),
        ("00" * 300, None),
        (5, None),
        (None, None),
    ],
)
def test_objects(said: Any, found: dict[str, Any] | None) -> None:
    assert bthome.objects(said) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("442d01", {"window": 1}),
        ("402d00", {"window": 0}),
        ("44", {}),
        ("452d01", {"encryption": True}),
        ("412d01", {"encryption": True}),
        ("042d01", None),
        ("642d01", None),
        ("", None),
        ("zz", None),
        ([], None),
    ],
)
def test_service_data(said: Any, found: dict[str, Any] | None) -> None:
    assert bthome.service_data(said) == found


@given(data=st.binary(max_size=255))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    found = bthome.objects(data.hex())
    assert found is not None
    for value in found.values():
        assert all(type(one) in {int, float} for one in (value if type(value) is list else [value]))
