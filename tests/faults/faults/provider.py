"""Faults of the provider of texts, and of the way to it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.twilio.webhooks import sign
from tests.faults.faults.base import NOTHING
from tests.faults.ledger import Forgery
from tests.faults.load import Load
from tests.faults.world import World
from tests.real.site import PUBLIC

#: A page that was certainly refused again and again is tried again after up to a minute.
_BACKS_OFF_S = 65.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFails:
    """Requests, or what they asked for, meet one of the faults of simulators/twilio/faults.py."""

    kind: str
    times: int = 3
    settings: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    within_s: float = 60.0
    aftermath_s: float = _BACKS_OFF_S
    needs = NOTHING

    @property
    def name(self) -> str:
        return f"provider: {self.name_of_kind}, {self.times} times"

    @property
    def name_of_kind(self) -> str:
        """What it does."""
        return self.words or self.kind.replace("_", " ")

    async def strike(self, world: World, load: Load) -> None:
        fault = world.twilio.faults.add(self.kind, times=self.times, **self.settings)
        try:
            raised = [await load.raise_one() for _ in range(self.times)]
            if not any(raised):
                return  # Every home has alarmed already: there is nobody left to be told.
            async with asyncio.timeout(self.within_s):
                while fault.met < self.times:  # noqa: ASYNC110 - it happens in another process
                    await asyncio.sleep(0.05)
        except TimeoutError:
            # One that has failed is spared where there is another.
            if fault.met == 0 and len(world.providers) == 1:
                world.ledger.complaints.append(f"nothing met the fault '{self.name}'")
        finally:
            world.twilio.faults.remove(fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRefuses:
    """Nobody listens at the provider's address; connections that stand are reset."""

    seconds: float = 5.0
    aftermath_s: float = _BACKS_OFF_S
    needs = NOTHING
    name = "provider: connection refused"

    async def strike(self, world: World, load: Load) -> None:
        await world.provider.refuse()
        try:
            await load.raise_one()
            await asyncio.sleep(self.seconds)
        finally:
            await world.provider.listen()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderNotFound:
    """The provider's name is not known to the DNS, until a start later."""

    aftermath_s: float = _BACKS_OFF_S
    needs = NOTHING
    name = "provider: its name is not found"

    async def strike(self, world: World, load: Load) -> None:
        await _with_setting(world, load, "SHOUWANG_TWILIO__API_BASE_URL", "http://twilio.invalid", refused=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCredentials:
    """The service runs with a token that the provider refuses, until a start later.

    That is a refusal for certain, after which the next person is tried, and in the end the next round.
    """

    aftermath_s: float = _BACKS_OFF_S
    needs = NOTHING
    name = "provider: wrong credentials"

    async def strike(self, world: World, load: Load) -> None:
        await _with_setting(world, load, "SHOUWANG_TWILIO__AUTH_TOKEN", "another-token", refused=True)


async def _with_setting(world: World, load: Load, variable: str, value: str, *, refused: bool) -> None:
    environment = world.shouwang.environment
    before = environment[variable]
    async with world.stopped():
        environment[variable] = value
    try:
        await load.raise_one()
        await asyncio.sleep(4.0)
        if refused and not any(one.status == 401 for one in world.twilio.requests):
            world.ledger.complaints.append("the provider has refused nobody's credentials")
    finally:
        async with world.stopped():
            environment[variable] = before


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgedCallbacks:
    """Somebody who does not know the token says that texts have failed, and that people answer."""

    aftermath_s: float = 0.0
    needs = NOTHING
    name = "forged callbacks"

    async def strike(self, world: World, load: Load) -> None:
        await load.raise_one()
        await asyncio.sleep(1.0)
        texts = [one for one in world.twilio.messages if one.direction == "outbound-api"][-8:]
        for number, text in enumerate(texts):
            status = {"MessageSid": text.sid, "SmsSid": text.sid, "MessageStatus": "failed", "ErrorCode": "30003"}
            await _forge(world, (text.status_callback or f"{PUBLIC}/webhooks/twilio/status"), status, signed=number % 2)
            code = text.body.rpartition("回")[2].strip()
            reply = {"MessageSid": f"SM{number:032x}", "From": text.to, "To": text.sender, "Body": code}
            await _forge(world, f"{PUBLIC}/webhooks/twilio/sms", reply, signed=number % 2)
        for number, call in enumerate(world.twilio.calls[-4:]):
            about = {"CallSid": call.sid, "From": call.sender, "To": call.to}
            failed = {**about, "CallStatus": "no-answer"}
            await _forge(world, call.status_callback or "", failed, signed=number % 2)
            key_url = (call.url or "").replace("/voice?", "/voice/key?")
            await _forge(world, key_url, {**about, "CallStatus": "in-progress", "Digits": "1"}, signed=number % 2)


async def _forge(world: World, url: str, params: dict[str, str], *, signed: int) -> None:
    import httpx  # noqa: PLC0415 - as an outsider, and not by the provider's own client

    headers = {"Host": PUBLIC.partition("//")[2], "X-Forwarded-Proto": "https"}
    if signed:
        headers["X-Twilio-Signature"] = sign("a-guessed-token", url, params)
    path = url.removeprefix(PUBLIC)
    status = 0
    async with httpx.AsyncClient() as http:
        try:
            answer = await http.post(f"http://127.0.0.1:{world.shouwang.port}{path}", data=params, headers=headers)
            status = answer.status_code
        except httpx.HTTPError:
            pass
    world.ledger.forgeries.append(Forgery(path=path.partition("?")[0], status=status))
