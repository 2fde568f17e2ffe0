"""The order in which a batch is taken: life first, and how far it has been committed."""

from collections.abc import Sequence

from ingest.decode import Decoder
from ingest.message import FULL_BATCH, Message

Name = tuple[str, str]


class Ordered:
    """A batch in the order in which it is taken, in one part or in two (invariant life-first).

    Whoever commits what stands next counts it in `done`.
    """

    def __init__(self, handed_over: Sequence[Message], decoder: Decoder) -> None:
        #: The batch itself, as it came.
        self.handed_over = handed_over
        self.done = 0
        self._messages = handed_over
        self._decoder = decoder
        self._names = [decoder.names(message) for message in handed_over]
        #: So many are committed before the rest.
        self._first = len(handed_over)
        if any(message.urgent for message in handed_over):
            self._put_life_first()

    @property
    def left(self) -> int:
        """How many messages are not committed yet."""
        return len(self._messages) - self.done

    @property
    def next(self) -> Sequence[Message]:
        """The messages that are committed next."""
        return self._messages[self.done : self._end]

    def names(self, decoder: Decoder) -> set[Name]:
        """Give what those may be about by a decoder, which may be another than when they came."""
        if decoder is not self._decoder:
            self._decoder = decoder
            self._names = [decoder.names(message) for message in self._messages]
        return {name for names in self._names[self.done : self._end] for name in names}

    @property
    def _end(self) -> int:
        return self._first if self.done < self._first else len(self._messages)

    def _put_life_first(self) -> None:
        """Put what looks urgent first, to be committed before the rest, or with it where that costs the next one time.

        What may be of the same device and stands before it goes with it; so does all that stands before a word that is
        of no device, a gateway's for instance, where that word does: nothing overtakes what it may depend on.
        """
        messages, names_of = self._messages, self._names
        ahead: list[int] = []
        behind: list[int] = []
        wanted: set[Name] = set()
        for number in range(len(messages) - 1, -1, -1):
            urgent, names = messages[number].urgent, names_of[number]
            if urgent or not wanted.isdisjoint(names):
                wanted.update(names)
                ahead.append(number)
            elif ahead and not names:
                ahead.extend(range(number, -1, -1))
                break
            else:
                behind.append(number)
        order = [*reversed(ahead), *reversed(behind)]
        self._messages = [messages[number] for number in order]
        self._names = [names_of[number] for number in order]
        # Behind a full batch others wait, with alarms in them: it is soonest over in one transaction.
        self._first = len(ahead) if len(messages) < FULL_BATCH else len(messages)
