"""Whether the broker keeps messages for a client that is away, and how many.

Tried out, with a client id and a topic of the doctor's own that are gone afterwards: connect, subscribe, leave, let
another client publish, come back and count.
"""

import asyncio
import secrets
from collections.abc import Sequence

from ingest.options import MqttOptions
from ingest.visit import Heard, Published, VisitError, visit
from shouwang.config.problems import listed
from shouwang.doctor.diagnosis import Diagnosis, finding, fine, note

SUBJECT = "sessions"
#: The first level of every topic of the doctor's.
TOPIC = "shouwang-doctor"

#: The broker may forget what the doctor leaves behind after so many seconds, where the doctor itself cannot.
_KEEP_S = 600
_ECHO_S = 5.0
_PUBLISH_S = 20.0
#: Nothing for so long: what has not come back does not come.
_SILENCE_S = 3.0
_LAST_S = 30.0
#: Messages a second that a broker handles at the least; one that syncs an SD card for each is slower than all measured.
SLOWEST_PER_S = 200

_ALLOW = f"Allow this user to read and write {TOPIC}/#, and run the doctor again."


class Inbox:
    """Counts different payloads, and tells when the last of them came."""

    def __init__(self) -> None:
        self.payloads: set[bytes] = set()
        self._came = asyncio.Event()

    def put(self, heard: Heard) -> None:
        """Take in one message."""
        self.payloads.add(heard.payload)
        self._came.set()

    async def fill(self, count: int, *, silence_s: float, last_s: float) -> None:
        """Wait for so many, until it has been silent for some seconds, and `last_s` at the longest."""
        try:
            async with asyncio.timeout(last_s):
                while len(self.payloads) < count:
                    self._came.clear()
                    async with asyncio.timeout(silence_s):
                        await self._came.wait()
        except TimeoutError:
            return


async def look(options: MqttOptions, count: int) -> list[Diagnosis]:
    """Publish `count` messages to a session that is away. Raises VisitError where the broker cannot be reached."""
    token = secrets.token_hex(4)
    name, topic = f"{TOPIC}-{token}", f"{TOPIC}/{token}"
    try:
        if reason := await _no_echo(options, name, topic):
            what = f"whether the broker keeps messages for who is away could not be tried: {reason}"
            return [note(SUBJECT, what, where=f"{TOPIC}/#", advice=_ALLOW)]
        async with visit(options, f"{name}-p") as other:
            payloads = [b"%d" % number for number in range(count)]
            within_s = _PUBLISH_S + count / SLOWEST_PER_S
            published = await other.publish(topic, payloads, within_s=within_s)
        inbox = Inbox()
        async with visit(options, name, keep_s=_KEEP_S, resume=True, forget=True, on_message=inbox.put) as back:
            present = back.greeting.session_present
            last_s = _LAST_S + count / SLOWEST_PER_S
            await inbox.fill(published.acknowledged, silence_s=_SILENCE_S, last_s=last_s)
        return judge(count, published, present=present, came=len(inbox.payloads))
    finally:
        # With MQTT 3.1.1 a session lasts until its client comes without one.
        async with visit(options, name):
            pass


async def _no_echo(options: MqttOptions, name: str, topic: str) -> str:
    """Leave a session behind that is subscribed to the topic. Give why that is impossible, or nothing."""
    inbox = Inbox()
    async with visit(options, name, keep_s=_KEEP_S, on_message=inbox.put) as first:
        if (await first.subscribe([topic]))[topic] >= 0x80:
            return "the broker does not let us subscribe to a topic of the doctor's"
        echo = await first.publish(topic, [b"echo"], within_s=_ECHO_S)
        if echo.refused:
            return f"the broker does not let us publish to a topic of the doctor's ({', '.join(echo.refused)})"
        if not echo.acknowledged:
            return "the broker does not acknowledge what is published"
        await inbox.fill(1, silence_s=_ECHO_S, last_s=_ECHO_S)
        return "" if inbox.payloads else "what is published to a topic of the doctor's does not come back"


def judge(count: int, published: Published, *, present: bool, came: int) -> list[Diagnosis]:
    """Say what became of the messages that were published while nobody was there."""
    if not present and not came:
        return [
            finding(
                SUBJECT,
                "the broker forgets the session of a client that leaves: what is published while Shouwang restarts is"
                " lost",
                advice="Let the broker keep sessions (Mosquitto: no `persistent_client_expiration` of seconds; EMQX:"
                " `session_expiry_interval`); see docs/operations.md, section 2.",
            )
        ]
    told = []
    if not present:
        told.append(note(SUBJECT, "the broker says that it has no session for us, and yet sends what it kept"))
    lost = published.acknowledged - came
    if lost > 0:
        told.append(
            finding(
                SUBJECT,
                f"the broker keeps {came} messages for a client that is away and drops the rest without a word: of"
                f" {published.acknowledged} that it acknowledged, {lost} did not come back",
                where="max_queued_messages (Mosquitto), max_mqueue_len (EMQX)",
                advice="Let it keep what arrives in the longest outage: Mosquitto `max_queued_messages 1000000` and"
                " `max_queued_bytes 1073741824`; see docs/operations.md, section 2.",
            )
        )
    elif published.refused:
        words = ", ".join(published.refused)
        told.append(
            finding(
                SUBJECT,
                f"the broker refuses messages for a client that is away: {published.refused.total()} of {count}"
                f" ({words})",
                advice="Raise the limit of messages that it keeps for a client; see docs/operations.md, section 2.",
            )
        )
    elif published.acknowledged < count:
        told.append(
            finding(
                SUBJECT,
                f"the broker acknowledged {published.acknowledged} of {count} messages, and then none for a long time",
                advice="Look at its disk, and at what else it has to do.",
            )
        )
    else:
        told.append(fine(SUBJECT, f"{count} messages published to a client that was away: all of them came back"))
    return told


async def with_spaces(options: MqttOptions, names: Sequence[str]) -> list[Diagnosis]:
    """Try whether the broker takes a topic with a space, as these devices have one."""
    token = secrets.token_hex(4)
    topic, inbox = f"{TOPIC}/{token}/a b", Inbox()
    try:
        async with visit(options, f"{TOPIC}-{token}", on_message=inbox.put) as here:
            await here.subscribe([f"{TOPIC}/{token}/#"])
            plain = await here.publish(f"{TOPIC}/{token}/a", [b"a"], within_s=_ECHO_S)
            await inbox.fill(1, silence_s=_ECHO_S, last_s=_ECHO_S)
            if plain.refused or not inbox.payloads:
                return [note(SUBJECT, "whether topics with a space arrive could not be tried", advice=_ALLOW)]
            await here.publish(topic, [b"a b"], within_s=_ECHO_S)
            await inbox.fill(2, silence_s=_ECHO_S, last_s=_ECHO_S)
    except VisitError:
        if not inbox.payloads:
            raise
    if b"a b" in inbox.payloads:
        return [fine(SUBJECT, "topics with a space arrive")]
    shown = listed((f"'{name}'" for name in names), shown=3)
    count = "one name has one" if len(names) == 1 else f"{len(names)} names have one"
    return [
        finding(
            SUBJECT,
            f"the broker does not carry topics with a space, and {count}: {shown}",
            where="devices.yaml",
            advice="Give these devices names without spaces at their gateway and in devices.yaml, or use another broker"
            " (the embedded one and NATS cannot do it).",
        )
    ]
