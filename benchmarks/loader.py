"""The process that publishes: `python -m benchmarks.loader URL HOMES DIALECT`, one JSON object a line each way.

    {"do": "introduce", "rate": 3000, "marker": "open"}   what gateways say first, and every device once
    {"do": "steady", "rate": 1000, "seconds": 20, "alarms": 0, "marker": "open"}
    {"do": "burst", "count": 50000, "alarms": 500, "marker": "closed"}
    {"do": "storm", "homes": 50, "seconds": 10, "repeats": 500, "marker": "closed"}   the first homes alarm, one after
                                          another; with `repeats`, the first five say so again so often a second

Each is answered when its messages are made; `{"do": "send"}` then sends them, and is answered with a report. The
marker's state is what is sent last.
"""

import json
import sys
from typing import Any

from benchmarks.communities import MARKER, MARKER_HOME, simulated
from simulators.load import Outgoing, Publisher, Report, Schedule, Traffic, burst, steady

#: Messages that the broker has not acknowledged yet.
_WINDOW = 2_000
#: Devices whose gateway repeats them in a storm.
_REPEATING = 5


def main(url: str, homes: str, dialect: str) -> None:
    """Answer until there is no more to read."""
    community = simulated(int(homes), "zigbee2mqtt" if dialect == "zigbee2mqtt" else "shouwang")
    traffic = Traffic(community)
    schedule: Schedule = []
    with Publisher(url, window=_WINDOW) as publisher:
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                if asked["do"] == "send":
                    answer = _told(publisher.send(schedule))
                else:
                    schedule = _made(traffic, asked, 3 * int(homes))
                    answer = {"messages": len(schedule)}
            except (ValueError, OSError) as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)


def _made(traffic: Traffic, asked: dict[str, Any], devices: int) -> Schedule:
    marker = Outgoing(
        f"shouwang/v1/{MARKER_HOME}/{MARKER}/event",
        json.dumps({"kind": "contact", "state": asked["marker"]}).encode(),
    )
    if asked["do"] == "introduce":
        # Without the word that a gateway has just started: for a minute after it, everything is looked at twice.
        said = [one for one in traffic.introduction() if not one.topic.endswith("/bridge/state")]
        messages = [*said, *traffic.ordinary(devices), marker]
        return [(number / asked["rate"], message) for number, message in enumerate(messages)]
    if asked["do"] == "storm":
        return [*_storm(traffic, asked, devices), (float(asked["seconds"]), marker)]
    if asked["do"] == "burst":
        return [*burst(traffic, count=asked["count"] - 1, alarms=asked["alarms"]), (0.0, marker)]
    seconds = asked["seconds"]
    plan = steady(traffic, rate=asked["rate"], seconds=seconds, alarms=asked["alarms"])
    return [*plan, (float(seconds), marker)]


def _storm(traffic: Traffic, asked: dict[str, Any], devices: int) -> Schedule:
    homes, seconds = asked["homes"], asked["seconds"]
    able = sorted(traffic.alarming(devices // 3 * 2), key=lambda one: one.id)
    # Gas in one half of the homes, smoke in the other.
    raised = traffic.alarms([one for one in able if one.kind == ("gas", "smoke")[int(one.home_id[1:]) % 2]][:homes])
    plan = [(number * seconds / homes, message) for number, message in enumerate(raised)]
    repeating = [message._replace(alarm=None) for message in raised[:_REPEATING]]
    # Each of these has spoken once by then.
    began = _REPEATING * seconds / homes
    again = range(int(asked["repeats"] * (seconds - began)))
    plan += [(began + number / asked["repeats"], repeating[number % _REPEATING]) for number in again]
    return sorted(plan, key=lambda entry: entry[0])


def _told(report: Report) -> dict[str, Any]:
    return {
        "messages": report.messages,
        "seconds": report.seconds,
        "rate": report.rate,
        "began": report.began.monotonic,
        "alarms": {device: left.monotonic for device, left in report.alarms.items()},
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
