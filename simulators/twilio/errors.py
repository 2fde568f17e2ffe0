"""Twilio's error bodies: what the provider says when it refuses a request.

Codes and sentences follow Twilio's error dictionary; the ones an alerting service can meet.
"""

from typing import Any


class ApiError(Exception):
    """A refusal, with the HTTP status and Twilio's own code."""

    def __init__(self, status: int, code: int, message: str, *, detail: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail

    def body(self) -> dict[str, Any]:
        """The JSON object Twilio answers with."""
        body: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        if self.detail is not None:
            body["detail"] = self.detail
        return body


#: What the delivery of a message may fail with, as `error_message` says it.
DELIVERY_ERRORS = {
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30036: "Validity Period Expired",
    30410: "Provider Timeout Error",
    30500: "Twilio Internal Error",
}

#: Sentences of request errors; `{}` is the value in question.
REQUEST_ERRORS = {
    20001: "Invalid parameter value: {}",
    20003: "Authenticate",
    20404: "The requested resource {} was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    20503: "Service unavailable",
    21201: "No 'To' number is specified",
    21205: "Url is not a valid URL: {}",
    21208: "Invalid Timeout value: {}",
    21210: "Source phone number provided, {}, is not yet verified for your account. You may only make calls from phone "
    "numbers that you've verified or purchased from Twilio.",
    21211: "The 'To' number {} is not a valid phone number.",
    21212: "The 'From' number {} is not a valid phone number, shortcode, or alphanumeric sender ID.",
    21213: "No 'From' number is specified",
    21214: "'To' phone number cannot be reached",
    21215: "Account not authorized to call {}. Perhaps you need to enable some international permissions.",
    21216: "Account not allowed to call {}",
    21220: "Call is not in-progress. Cannot redirect.",
    21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {}.",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21606: "The From phone number {} is not a valid, SMS-capable inbound phone number or short code for your account.",
    21609: "The 'StatusCallback' URL {} is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: "The 'To' phone number: {}, is not currently reachable using the 'From' phone number via SMS.",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    21266: "'To' and 'From' number cannot be the same: {}",
    30409: "Message is not in a cancelable state",
    90007: "Invalid validity period value: {}",
}

_STATUS = {20003: 401, 20404: 404, 20429: 429, 20500: 500, 20503: 503}


def refuse(code: int, value: str = "") -> ApiError:
    """The error with this code, as Twilio words it; an unknown code becomes a plain 400."""
    sentence = REQUEST_ERRORS.get(code, f"Error {code}")
    return ApiError(_STATUS.get(code, 400), code, sentence.replace("{}", value))
