"""Three mistakes that others make, built into the running process so that the harness can be seen to see.

They exist here alone: nothing of this can be switched on in the product.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from ingest.message import Message
from ingest.subscriber import Subscriber
from notify.channel import SendOutcome, SendResult
from rules.decisions import Delivery
from shouwang import deliveries
from store import outbox


def acknowledge_before_commit() -> None:
    """Tell the broker that a message is safe as soon as it is there, as most MQTT clients do by themselves."""
    handled = Subscriber._until_handled

    async def replacement(self: Any, batch: Sequence[Message]) -> None:
        self._source.acknowledge(batch)
        await handled(self, batch)

    Subscriber._until_handled = replacement  # type: ignore[method-assign]  # that is what this file is for


def naive_retry() -> None:
    """Send again whatever was not answered, as if no answer meant that nothing had happened."""
    finished = deliveries.Deliveries.send_finished

    async def replacement(self: Any, delivery: Delivery, result: SendResult) -> None:
        if result.outcome is SendOutcome.UNKNOWN:
            result = SendResult(outcome=SendOutcome.RETRY, error=result.error)
        await finished(self, delivery, result)

    deliveries.Deliveries.send_finished = replacement  # type: ignore[method-assign]  # as above


def no_fence() -> None:
    """Believe everybody's word about a delivery, whoever has taken it over meanwhile."""
    change = outbox.change

    async def replacement(tx: Any, delivery_id: int, new: Any, **_held: Any) -> bool:
        return await change(tx, delivery_id, new)

    outbox.change = replacement


SABOTAGES: Final[dict[str, Callable[[], None]]] = {
    "acknowledge-before-commit": acknowledge_before_commit,
    "naive-retry": naive_retry,
    "no-fence": no_fence,
}
