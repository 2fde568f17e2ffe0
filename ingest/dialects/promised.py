"""How long a device is silent at the most, by what its gateway says of it; counts where devices.yaml says nothing.

A decoder puts the answer into what it keeps of the device (`Decoded.definitions`, `Decoded.learnt`) under HEARTBEAT.
"""

from typing import Any, Final

#: The key, whose value is whole seconds.
HEARTBEAT: Final = "heartbeat_s"

_HOUR = 3_600
#: By what feeds a device. On the mains: GB 50440 lets a system look at its detectors every two hours at the least. On a
#: battery: Zigbee2MQTT calls such a device offline after 25 h (its documentation, configuration of availability).
_FED: dict[str, int] = {"mains": 2 * _HOUR, "battery": 25 * _HOUR}

#: What wakes up more often than that still counts by this: a word may be lost now and then.
_SHORTEST = 10 * 60
_LONGEST = 60 * 24 * _HOUR


def by_power(fed: str | None) -> int | None:
    """Give the seconds for a device on `mains` or `battery`; None where that is not known."""
    return None if fed is None else _FED.get(fed)


def by_wake_up(seconds: Any) -> int | None:
    """Give the seconds for a device that wakes up that often; None where that cannot be."""
    if type(seconds) not in {int, float} or not 0 < seconds <= _LONGEST:
        return None
    return max(_SHORTEST, int(seconds))
