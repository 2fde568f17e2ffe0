"""How long to wait: before the next try, and before a doubt is asked about. Pure; both tables are tested row by row."""

#: Seconds before the second, third … try; the last one repeats until the delivery expires.
RETRY_DELAYS_S = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0)

#: A provider's Retry-After is honoured up to here: a page that waits longer than this should look again by itself.
RETRY_AFTER_AT_MOST_S = 120.0

#: A doubt is first asked about when it is this old: by then a request that was still under way has landed (it is longer
#: than any request may take), and the provider's listing has had some seconds to show it.
FIRST_ASK_S = 15.0

#: A doubt that lasts is asked about at least this often.
ASK_AT_MOST_S = 60.0


def retry_delay_s(attempts: int, retry_after_s: float | None = None) -> float:
    """Give the seconds to wait after `attempts` tries (1 after the first); never less than the provider asked for."""
    delay = RETRY_DELAYS_S[min(max(attempts, 1), len(RETRY_DELAYS_S)) - 1]
    if retry_after_s is None or not retry_after_s > 0:  # `not >` also sorts out nan
        return delay
    return max(delay, min(retry_after_s, RETRY_AFTER_AT_MOST_S))


def ask_delay_s(doubt_age_s: float) -> float:
    """Give the seconds until the next question about a doubt that has lasted `doubt_age_s`.

    Asked at the ages of about 15, 30, 60, 120 … 180 s: doubling, and never more than a minute apart.
    """
    if doubt_age_s < FIRST_ASK_S:
        return FIRST_ASK_S - max(doubt_age_s, 0.0)
    return min(doubt_age_s, ASK_AT_MOST_S)
