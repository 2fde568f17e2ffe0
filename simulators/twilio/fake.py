"""The fake provider as one thing: start it, look at it, drive it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from aiohttp import web

from simulators.phones import Phone
from simulators.twilio.account import Account
from simulators.twilio.admin import Admin
from simulators.twilio.agenda import Agenda
from simulators.twilio.api import Api, not_found
from simulators.twilio.calling import Calling
from simulators.twilio.faults import Faults
from simulators.twilio.messaging import Incoming, Messaging
from simulators.twilio.resources import Call, Message, Request
from simulators.twilio.validation import MAGIC_GOOD_FROM
from simulators.twilio.webhooks import HttpPost, Post, Webhook, Webhooks
from simulators.twilio.world import Pace, World

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "fake-twilio-auth-token"


def wall_clock() -> datetime:
    """The real time."""
    return datetime.now(UTC)


class FakeTwilio:
    """Twilio's Messages and Calls over real HTTP on the loopback, with a memory.

    Its time is `now`. With the default, the wall clock, things happen by themselves. With a clock of yours nothing
    happens until `advance()`, unless you give `speed`: the seconds of `now` that pass in a real second.
    `next_at()` tells when there is something to advance to.

    `routes` maps the start of a public address to where the service really listens, as a proxy does; `post` replaces
    HTTP towards the service altogether.
    """

    def __init__(
        self,
        account_sid: str = ACCOUNT_SID,
        auth_token: str = AUTH_TOKEN,
        *,
        numbers: Collection[str] = (MAGIC_GOOD_FROM,),
        sms_url: str | None = None,
        routes: Mapping[str, str] | None = None,
        now: Callable[[], datetime] | None = None,
        speed: float | None = None,
        pace: Pace | None = None,
        post: Post | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        #: See the class; may be changed at any time.
        self.routes: dict[str, str] = dict(routes or {})
        self._moves_by_itself = now is None or speed is not None
        self._http = HttpPost(self.routes)
        clock = now or wall_clock
        agenda = Agenda(clock, speed=speed)
        self._world = World(
            account_sid=account_sid,
            numbers=set(numbers),
            now=clock,
            agenda=agenda,
            faults=Faults(clock),
            webhooks=Webhooks(auth_token, post or self._http),
            pace=pace or Pace(),
            phone=self.phone,
            sms_url=sms_url,
        )
        self._phones: dict[str, Phone] = {}
        self._messaging = Messaging(self._world)
        self._calling = Calling(self._world)
        self._api = Api(self._world, self._messaging, self._calling)
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._mover: asyncio.Task[None] | None = None

    # --- what it knows ------------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """Where its API is, for `SHOUWANG_TWILIO__API_BASE_URL`."""
        return f"http://{self._host}:{self._port}"

    @property
    def messages(self) -> list[Message]:
        """Every message, in and out, in the order it was stored."""
        return self._world.messages

    @property
    def calls(self) -> list[Call]:
        """Every call."""
        return self._world.calls

    @property
    def requests(self) -> list[Request]:
        """Every POST of the service, accepted or not."""
        return self._api.requests

    @property
    def reads(self) -> list[Request]:
        """Every GET of the service."""
        return self._api.reads

    @property
    def webhooks(self) -> list[Webhook]:
        """Every request made to the service."""
        return self._world.webhooks.sent

    @property
    def faults(self) -> Faults:
        """What goes wrong, now."""
        return self._world.faults

    @property
    def numbers(self) -> set[str]:
        """The account's own numbers, from which it may send and call."""
        return self._world.numbers

    @property
    def account(self) -> Account:
        """What the provider says of the account: its state, its balance."""
        return self._world.account

    @property
    def opted_out(self) -> set[str]:
        """Numbers that have sent STOP."""
        return self._world.opted_out

    @property
    def sms_url(self) -> str | None:
        """Where texts to the account's numbers are brought."""
        return self._world.sms_url

    @sms_url.setter
    def sms_url(self, url: str | None) -> None:
        self._world.sms_url = url

    @property
    def pace(self) -> Pace:
        """How fast things go."""
        return self._world.pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._world.pace = pace

    def phone(self, number: str) -> Phone:
        """The telephone with a number; made at first use, then always the same."""
        if number not in self._phones:
            self._phones[number] = Phone(number, self)
        return self._phones[number]

    def texts_to(self, number: str) -> list[Message]:
        """The outgoing messages stored for a number, whatever became of them."""
        return [message for message in self.messages if message.to == number and message.direction != "inbound"]

    def calls_to(self, number: str) -> list[Call]:
        """The calls stored for a number."""
        return [call for call in self.calls if call.to == number]

    # --- what one does with it ----------------------------------------------------------------------------------------

    def next_at(self) -> datetime | None:
        """When something will happen next, or None."""
        return self._world.agenda.next_at()

    async def advance(self) -> int:
        """Let happen what is due by `now()`, in order, webhooks included; return how much it was."""
        return await self._world.agenda.run_due()

    async def incoming(self, sender: str, to: str | None, body: str) -> Incoming:
        """A text from a phone to one of the account's numbers (None: the first of them)."""
        to = to or min(self.numbers)
        return await self._messaging.receive(sender, to, body, at=self._world.agenda.time())

    async def redeliver(self, sid: str) -> Incoming:
        """Bring an incoming text to the service once more, as happens where its first answer was lost."""
        message = next(message for message in self.messages if message.sid == sid)
        return await self._messaging.bring(message, at=self._world.agenda.time())

    def later(self, seconds: float, action: Callable[[], Awaitable[object]]) -> None:
        """Do something after some seconds of this clock (phones reply by it)."""

        async def act(_at: datetime) -> None:
            await action()

        self._world.agenda.at(self._world.agenda.time() + timedelta(seconds=seconds), act)

    async def text_from_phone(self, sender: str, recipient: str, body: str) -> Incoming:
        """What `Phone.replies` uses."""
        return await self.incoming(sender, recipient, body)

    @property
    def unreachable(self) -> bool:
        """Whether every request is dropped at once. See also `down`."""
        return self._api.down

    @unreachable.setter
    def unreachable(self, value: bool) -> None:
        self._api.down = value

    @contextlib.asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Out of reach: new connections are refused, open ones are cut; afterwards it is there again."""
        self.unreachable = True
        if self._site is not None:
            await self._site.stop()
        try:
            yield
        finally:
            self.unreachable = False
            await self._listen()

    def reset(self) -> None:
        """Forget everything that was asked and sent, and all faults; phones keep their manners."""
        world = self._world
        for memory in (world.messages, world.calls, world.webhooks.sent, self.requests, self.reads):
            memory.clear()
        world.opted_out.clear()
        world.agenda.clear()
        self.faults.clear()
        for phone in self._phones.values():
            phone.forget()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 20)
        app.add_routes([*self._api.routes(), *Admin(self).routes(), web.route("*", "/{path:.*}", _not_found)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await self._listen()
        if self._moves_by_itself:
            self._mover = asyncio.create_task(self._world.agenda.run(), name="fake twilio")
        return self

    async def _listen(self) -> None:
        if self._runner is None:
            return
        self._site = web.TCPSite(self._runner, self._host, self._port, reuse_address=True)
        await self._site.start()
        self._port = self._runner.addresses[-1][1]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._mover is not None:
            self._mover.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._mover
            self._mover = None
        await self._world.agenda.stop()
        self._api.closing.set()
        await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


async def _not_found(request: web.Request) -> web.Response:
    return not_found(request)
