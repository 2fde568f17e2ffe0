"""Who may use the API: whoever has the token; where there is none, only this machine itself."""

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from web.options import WebOptions
from web.problems import Problem

#: A request with one of these came through a proxy, so its peer address says nothing of who sent it.
PROXY_HEADERS = frozenset(
    {
        "forwarded",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-server",
        "x-real-ip",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
    }
)

_UNAUTHENTICATED = {"WWW-Authenticate": 'Bearer realm="shouwang"'}


def is_loopback(host: str) -> bool:
    """Say whether a host (a name or an address, without a port) can only be this machine."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def host_of(listen: str) -> str:
    """Give the host of `host:port`, `[v6]:port`, `:port` or of a host alone; empty where it is every address."""
    host, colon, port = listen.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.startswith("[")):
        return host.strip("[]")
    return listen.strip("[]")


def api_is_on(options: WebOptions) -> bool:
    """Say whether the API answers at all.

    A public address means a proxy on this machine, whose requests all come from loopback; not every proxy says so in a
    header. So there is no API without a token behind one.
    """
    if options.api_token:
        return True
    public = urlsplit(options.public_url).hostname if options.public_url else None
    return is_loopback(host_of(options.listen)) and (public is None or is_loopback(public))


def admit(headers: Headers, peer: str | None, options: WebOptions) -> None:
    """Let a request to the API pass, or raise the Problem that says why not.

    `peer` is the address at the other end of the connection. Tokens are compared in constant time.
    """
    if options.api_token:
        _check_token(headers, options.api_token)
        return
    if not api_is_on(options):
        raise Problem(
            403,
            "api_off",
            "The API is off: Shouwang can be reached by others (SHOUWANG_HTTP__LISTEN, SHOUWANG_HTTP__PUBLIC_URL) and"
            " has no token. Set SHOUWANG_HTTP__API_TOKEN.",
        )
    if peer is None or not is_loopback(peer):
        raise Problem(403, "loopback_only", "Without SHOUWANG_HTTP__API_TOKEN the API answers only this machine.")
    if not PROXY_HEADERS.isdisjoint(headers):
        raise Problem(
            403,
            "behind_proxy",
            "This request came through a proxy. Without SHOUWANG_HTTP__API_TOKEN the API answers only this machine.",
        )
    # A page in a browser on this machine can send requests here too, under a name that it has pointed at 127.0.0.1 or
    # straight across origins. Neither is the desk.
    if not is_loopback(urlsplit(f"//{headers.get('host', '')}").hostname or "") or "origin" in headers:
        raise Problem(
            403,
            "loopback_only",
            "Without SHOUWANG_HTTP__API_TOKEN the API answers only requests to localhost that no web page has sent.",
        )


def _check_token(headers: Headers, token: str) -> None:
    sent = headers.getlist("authorization")
    if len(sent) != 1:
        raise Problem(401, "token_missing", "Send the API token as `Authorization: Bearer …`, once.", _UNAUTHENTICATED)
    scheme, _, given = sent[0].partition(" ")
    fits = hmac.compare_digest(given.strip(" ").encode("latin-1"), token.encode())
    if scheme.lower() != "bearer" or not fits:
        raise Problem(401, "token_wrong", "The API token is not the one that was set.", _UNAUTHENTICATED)
