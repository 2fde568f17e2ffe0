"""One channel by several providers of a kind. Whose turn it is was decided when the delivery was claimed."""

from collections.abc import Mapping

from notify.channel import Asks, Channel, DoubtOutcome, DoubtResult, SendOutcome, SendResult
from rules.decisions import Delivery


class SeveralProviders:
    """Hands each delivery to the provider it names, and asks that one about a doubt and no other."""

    def __init__(self, name: str, by_provider: Mapping[str, Channel]) -> None:
        """Make it; the providers are in the order of preference, and there is at least one."""
        self.name = name
        self._by_provider = dict(by_provider)

    @property
    def providers(self) -> tuple[str, ...]:
        """Their names, in the order of preference."""
        return tuple(self._by_provider)

    async def send(self, delivery: Delivery) -> SendResult:
        """Make one try at the provider that the delivery names."""
        provider = self._by_provider.get(delivery.provider or "")
        if provider is None:
            # Never by another one than is on record: a doubt would be asked of the wrong one.
            error = f"there is no provider {delivery.provider!r} of {self.name!r}"
            return SendResult(outcome=SendOutcome.RETRY, error=error, ours=True)
        return await provider.send(delivery)

    async def ask(self, delivery: Delivery) -> DoubtResult:
        """Ask the provider that the delivery was handed to."""
        provider: object = self._by_provider.get(delivery.provider or "")
        if not isinstance(provider, Asks):
            error = f"there is no provider {delivery.provider!r} of {self.name!r} to be asked"
            return DoubtResult(outcome=DoubtOutcome.CANNOT_ASK, error=error)
        return await provider.ask(delivery)


def providers_of(channel: Channel) -> tuple[str, ...]:
    """Name the providers of a channel; one that has no choice is its own."""
    return channel.providers if isinstance(channel, SeveralProviders) else (channel.name,)
