"""Whether an address is on this machine: what runs here has our clock, and its files can be looked at."""

import ipaddress
from urllib.parse import urlsplit


def is_this_machine(url: str) -> bool:
    """Say whether an address with a scheme names this machine; one without a host does."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return is_loopback(host)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, by its name or address alone."""
    if host.lower() in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
