"""A stateful fake of Twilio's Messages and Calls, over real HTTP. `FakeTwilio` is the door."""

from simulators.twilio.fake import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio
from simulators.twilio.faults import Fault, FaultKind
from simulators.twilio.messaging import Incoming
from simulators.twilio.resources import Call, Message, Request
from simulators.twilio.webhooks import Answer, Webhook
from simulators.twilio.world import Pace

__all__ = [
    "ACCOUNT_SID",
    "AUTH_TOKEN",
    "Answer",
    "Call",
    "FakeTwilio",
    "Fault",
    "FaultKind",
    "Incoming",
    "Message",
    "Pace",
    "Request",
    "Webhook",
]
