"""An installation with its broker, its provider and its sensors."""

import contextlib
import json
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from typing import Any

from simulators.mqtt import Line
from simulators.twilio import FakeTwilio, Message
from tests.real.broker import mosquitto_process
from tests.real.community import home_in, homes_in, rules_document, steps, told_of, write_community, write_yaml
from tests.real.process import Shouwang
from tests.real.waiting import LOOPBACK, WaitedInVainError, free_port, until

NUMBER = "+15005550006"
PUBLIC = "https://alarm.example.org"


class Site:
    """An installation with its broker, its provider and its sensors."""

    # Test modules cannot import this file; what they need of it they find here.
    until = staticmethod(until)
    WaitedInVainError = WaitedInVainError
    steps = staticmethod(steps)
    told_of = staticmethod(told_of)
    home_in = staticmethod(home_in)
    homes_in = staticmethod(homes_in)
    rules_document = staticmethod(rules_document)
    write_yaml = staticmethod(write_yaml)

    def __init__(self, shouwang: Shouwang, twilio: FakeTwilio, sensors: Line) -> None:
        self.shouwang = shouwang
        self.twilio = twilio
        self.publish = sensors.publish

    def community(self, *args: Any, **kwargs: Any) -> None:
        """Write the three files of the installation; see write_community."""
        write_community(self.shouwang.folder, *args, **kwargs)

    async def zigbee(self, name: str, **fields: object) -> None:
        """A Zigbee sensor says something; returns when the broker has it."""
        await self.publish(f"zigbee2mqtt/{name}", json.dumps(fields, ensure_ascii=False).encode())

    async def own(self, home: int, device: str, **event: object) -> None:
        """A sensor of Shouwang's own dialect says something."""
        await self.publish(f"shouwang/v1/h{home}/{device}/event", json.dumps(event).encode())

    async def incident(self) -> dict[str, Any]:
        """The only incident there has been, whole."""
        (incident,) = await self.shouwang.incidents()
        whole: dict[str, Any] = (await self.shouwang.get(f"/api/v1/incidents/{incident['id']}")).json()
        return whole

    @property
    def texts(self) -> list[Message]:
        """The texts that the provider has stored, which is what people get, once each."""
        return [one for one in self.twilio.messages if one.direction != "inbound"]

    def told(self, home: int) -> list[str]:
        """The numbers that have got a text about a home, in order."""
        return [one.to for one in self.texts for named in homes_in(one.body) if named == home]

    async def told_is(self, home: int, numbers: Collection[str]) -> None:
        """Wait until at least these have been told of a home."""
        await until(f"{len(numbers)} texts about home {home}", lambda: len(self.told(home)) >= len(numbers))
        assert self.told(home) == list(numbers)


@contextlib.asynccontextmanager
async def open_site(folder: Path, mosquitto: str | None, **environment: str) -> AsyncIterator[Site]:
    """An installation, not started yet, beside a Mosquitto of its own; with the embedded broker where that is None."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything runs
    async with contextlib.AsyncExitStack() as stack:
        if mosquitto is not None:
            url = stack.enter_context(mosquitto_process(folder / "mosquitto", mosquitto, free_port()))
            settings = {"SHOUWANG_MQTT__URL": url}
        else:
            port = free_port()
            url = f"mqtt://{LOOPBACK}:{port}"
            settings = {
                "SHOUWANG_MQTT__URL": "embedded",
                "SHOUWANG_MQTT__EMBEDDED_PORT": str(port),
                "SHOUWANG_MQTT__EMBEDDED_DIR": str(folder / "broker"),
            }
        yield await stack.enter_async_context(_site(folder, url, {**settings, **environment}))


@contextlib.asynccontextmanager
async def _site(folder: Path, mqtt_url: str, environment: Mapping[str, str]) -> AsyncIterator[Site]:
    async with FakeTwilio(numbers=[NUMBER]) as twilio, Line(mqtt_url, name="sensors") as sensors:
        shouwang = Shouwang(
            folder,
            {
                "SHOUWANG_HTTP__PUBLIC_URL": PUBLIC,
                "SHOUWANG_TWILIO__ACCOUNT_SID": twilio.account_sid,
                "SHOUWANG_TWILIO__AUTH_TOKEN": twilio.auth_token,
                "SHOUWANG_TWILIO__FROM_NUMBER": NUMBER,
                "SHOUWANG_TWILIO__API_BASE_URL": twilio.base_url,
                **environment,
            },
        )
        twilio.routes[PUBLIC] = f"http://{LOOPBACK}:{shouwang.port}"
        twilio.sms_url = f"{PUBLIC}/webhooks/twilio/sms"
        try:
            yield Site(shouwang, twilio, sensors)
        finally:
            await shouwang.close()
