"""Settings and patients for the doctor, and a fake provider for them."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from rules.community import Registry
from shouwang.doctor.patient import Patient
from shouwang.settings import Settings
from simulators.twilio import FakeTwilio

#: One of Apprise's plugins imports a module that Python 3.13 no longer has.
APPRISE = "ignore:'imghdr' is deprecated:DeprecationWarning"
NUMBER = "+15005550006"


@pytest.fixture
def make_settings() -> Callable[..., Settings]:
    """Make settings that differ from the defaults in the named fields, whatever the environment says."""

    def make(**groups: dict[str, Any]) -> Settings:
        made = {}
        for name, fields in groups.items():
            group: Any = Settings.model_fields[name].annotation
            assert issubclass(group, BaseModel)
            made[name] = group(**fields)
        return Settings.model_construct(**made)

    return make


@pytest.fixture
async def fake() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio(numbers=[NUMBER]) as fake:
        yield fake


@pytest.fixture
def account(fake: FakeTwilio) -> dict[str, Any]:
    """The fields of the group `twilio` for the fake provider."""
    return {
        "account_sid": fake.account_sid,
        "auth_token": fake.auth_token,
        "from_number": NUMBER,
        "api_base_url": fake.base_url,
    }


@pytest.fixture
def make_patient() -> Callable[..., Patient]:
    """Make a patient of settings."""

    def make(settings: Settings, registry: Registry | None = None, **more: Any) -> Patient:
        return Patient(settings=settings, registry=registry, now=lambda: datetime.now(UTC), **more)

    return make
