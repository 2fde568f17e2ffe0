"""What an account at a provider says of itself: whether it takes our credentials, and what is left of its balance.

It is asked whether or not anything is sent: wrong credentials should not be found out by an alarm.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from notify.channels.http import MayHaveLeftError, NeverLeftError
from notify.channels.twilio_client import RefusedError, TwilioClient, UnreadableError
from rules.trouble import Symptom, TroubleKind

_log = logging.getLogger(__name__)

ASK_EVERY_S = 600.0

#: While it could not be asked, it is asked this often.
ASK_AGAIN_S = 30.0

#: So many questions in a row without an answer: one that is lost says nothing.
_UNANSWERED = 3

#: Twilio's codes for an account that it does not let in: wrong credentials, not active.
_NOT_LET_IN = frozenset({20003, 20005})


class Accounts:
    """Asks the accounts of some providers now and then, and remembers what they said."""

    def __init__(self, clients: Mapping[str, TwilioClient], *, balance_below: Mapping[str, float]) -> None:
        """Make it; both by the provider's name. `balance_below` in the account's currency, 0 for never."""
        self._clients = clients
        self._balance_below = balance_below
        self._symptoms: dict[str, Symptom | None] = {}
        self._unanswered: dict[str, int] = {}

    def symptoms(self) -> Sequence[Symptom]:
        """Give what is wrong by the latest answers."""
        return [one for one in self._symptoms.values() if one is not None]

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await self.ask()
            await asyncio.sleep(ASK_AGAIN_S if any(self._unanswered.values()) else ASK_EVERY_S)

    async def ask(self) -> None:
        """Ask all of them once."""
        await asyncio.gather(*(self._ask(name, client) for name, client in self._clients.items()))

    async def _ask(self, name: str, client: TwilioClient) -> None:
        try:
            answer = await client.read(lambda rest: rest.api.v2010.account.balance.fetch_async())
        except (NeverLeftError, MayHaveLeftError) as error:
            self._unanswered[name] = self._unanswered.get(name, 0) + 1
            if self._unanswered[name] >= _UNANSWERED:
                self._symptoms[name] = Symptom(kind=TroubleKind.PROVIDER, subject=name, detail=f"not reached: {error}")
            return
        except RefusedError as error:
            # Whatever else is refused (another firm has no such page), our credentials are not what is wrong.
            wrong = error.status == 401 or error.code in _NOT_LET_IN
            found = Symptom(kind=TroubleKind.PROVIDER, subject=name, detail=str(error)) if wrong else None
        except UnreadableError:
            found = None
        else:
            found = self._judge(name, str(answer.balance or ""), str(answer.currency or ""))
        self._unanswered[name] = 0
        self._symptoms[name] = found

    def _judge(self, name: str, balance: str, currency: str) -> Symptom | None:
        try:
            left = float(balance)
        except ValueError:
            return None  # an account that belongs to another has none of its own
        if left >= self._balance_below.get(name, 0.0):
            return None
        return Symptom(kind=TroubleKind.QUOTA, subject=name, detail=f"the balance is {balance} {currency}".rstrip())
