"""Lists of messages and calls: filters, order and pages as the 2010 API gives them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from simulators.twilio.errors import ApiError
from simulators.twilio.resources import API_VERSION, Call, Message

_LARGEST_PAGE = 1000

_Item = TypeVar("_Item", Message, Call)


def _moment(text: str) -> tuple[datetime, datetime]:
    """The first moment a date means, and the first after it; a whole day for `YYYY-MM-DD`, a second for a time."""
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, 20001, "Invalid date value.") from None
    if start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    return start, start + (timedelta(days=1) if len(text) == len("2009-07-06") else timedelta(seconds=1))


def _date_filter(query: Mapping[str, str], name: str) -> Callable[[datetime | None], bool]:
    """All three forms: `DateSent=`, `DateSent>=` and `DateSent<=`; both inequalities include what they name.

    What has no such time yet (still queued) is in no list filtered by it: the documentation promises no more.
    """
    tests: list[Callable[[datetime], bool]] = []
    if name in query:
        # The libraries send a date as its first moment; what is meant is the day.
        start, _ = _moment(query[name])
        tests.append(lambda moment: moment.date() == start.astimezone(UTC).date())
    if f"{name}>" in query:
        first, _ = _moment(query[f"{name}>"])
        tests.append(lambda moment: moment.replace(microsecond=0) >= first.replace(microsecond=0))
    if f"{name}<" in query:
        _, after = _moment(query[f"{name}<"])
        tests.append(lambda moment: moment < after)
    if not tests:
        return lambda _moment: True
    return lambda moment: moment is not None and all(test(moment) for test in tests)


def messages(query: Mapping[str, str], stored: Sequence[Message], now: datetime) -> list[Message]:
    """Filtered by To, From and DateSent; the newest first."""
    fits = _date_filter(query, "DateSent")
    found = [
        message
        for message in stored
        if (message.listed_from is None or message.listed_from <= now)
        and query.get("To") in {None, message.to}
        and query.get("From") in {None, message.sender}
        and fits(message.sent_at)
    ]
    found.reverse()
    # Stable: of equal times the one stored last comes first. What is not sent yet counts by its creation.
    found.sort(key=lambda message: message.sent_at or message.created_at, reverse=True)
    return found


def calls(query: Mapping[str, str], stored: Sequence[Call], now: datetime) -> list[Call]:
    """Filtered by To, From, Status, StartTime and EndTime; the newest first."""
    starts, ends = _date_filter(query, "StartTime"), _date_filter(query, "EndTime")
    found = [
        call
        for call in stored
        if (call.listed_from is None or call.listed_from <= now)
        and query.get("To") in {None, call.to}
        and query.get("From") in {None, call.sender}
        and query.get("Status") in {None, call.status}
        and starts(call.started_at)
        and ends(call.ended_at)
    ]
    found.reverse()
    found.sort(key=lambda call: call.started_at or call.created_at, reverse=True)
    return found


def page(
    query: Mapping[str, str], found: Sequence[_Item], *, account_sid: str, name: str
) -> tuple[list[_Item], dict[str, Any]]:
    """One page of a list, and the fields that stand around it.

    The next page is reached by a token that names the last item of this one, so that what arrives meanwhile shifts
    nothing; a bare `Page` counts from the top.
    """
    try:
        size = min(max(1, int(query.get("PageSize", "50"))), _LARGEST_PAGE)
        number = max(0, int(query.get("Page", "0")))
    except ValueError:
        raise ApiError(400, 20006, "Invalid page or page size") from None
    start = number * size
    if (token := query.get("PageToken")) is not None:
        start = next((i + 1 for i, item in enumerate(found) if item.sid == token.removeprefix("PA")), len(found))
    items = list(found[start : start + size])

    kept = {key: value for key, value in query.items() if key not in {"Page", "PageSize", "PageToken"}}

    def uri(at: int, token: str | None) -> str:
        fields = {**kept, "PageSize": str(size), "Page": str(at)} | ({"PageToken": token} if token else {})
        return f"/{API_VERSION}/Accounts/{account_sid}/{name}.json?{urlencode(fields)}"

    more = start + size < len(found)
    return items, {
        "first_page_uri": uri(0, None),
        "end": number * size + max(0, len(items) - 1),
        "next_page_uri": uri(number + 1, f"PA{items[-1].sid}") if more else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": uri(number - 1, None) if number else None,
        "start": number * size,
        "uri": uri(number, query.get("PageToken")),
    }
