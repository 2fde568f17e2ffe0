"""The service itself, and the way back to it: does it run, is it ready, and does its public address lead to it?"""

import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from notify.channels.http import Answer, Courier, MayHaveLeftError, NeverLeftError
from shouwang import channels
from shouwang.doctor.checking import aside
from shouwang.doctor.diagnosis import Diagnosis, finding, fine, note
from shouwang.doctor.patient import Patient
from shouwang.doctor.places import is_loopback
from shouwang.settings import Settings

SERVICE = "service"
CALLBACKS = "callbacks"

#: Answers a signed question with what it was asked, and does nothing else; see web/twilio_check.py.
CHECK = "/webhooks/twilio/check"
_PUBLIC = "SHOUWANG_HTTP__PUBLIC_URL"
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not listened on


async def look(patient: Patient) -> list[Diagnosis]:
    """Ask the service how it is, and its public address whether it leads there."""
    courier = Courier()
    try:
        runs, told = await _service(courier, patient.settings)
        return told + await _public(courier, patient.settings, runs=runs)
    finally:
        await courier.aclose()


def own_address(listen: str) -> str:
    """Give the address by which a program on this machine reaches what listens on `host:port`."""
    host, _, port = listen.rpartition(":")
    bare = host.strip("[]")
    if bare in _EVERYWHERE:
        host = "[::1]" if bare == "::" else "127.0.0.1"
    return f"http://{host}:{port}"


async def _service(courier: Courier, settings: Settings) -> tuple[bool, list[Diagnosis]]:
    where = own_address(settings.http.listen)
    try:
        answer = await courier.request("GET", f"{where}/readyz")
    except NeverLeftError:
        advice = "Nobody is alerted before it runs. Run the doctor again beside it."
        return False, [note(SERVICE, "the service is not running here", where=where, advice=advice)]
    except MayHaveLeftError as error:
        advice = "Look at its log; restart it where `/healthz` does not answer either."
        return False, [finding(SERVICE, f"something runs at our address, and {error}", where=where, advice=advice)]
    body = _json(answer)
    if body.get("status") not in {"ready", "not_ready"}:
        advice = "Give the service another address (SHOUWANG_HTTP__LISTEN), or stop the other program."
        return False, [finding(SERVICE, "another program answers at our address", where=where, advice=advice)]
    problems = [str(one) for one in body.get("problems", [])]
    if problems:
        advice = "docs/operations.md, section 6."
        return True, [finding(SERVICE, problem, where=f"{where}/readyz", advice=advice) for problem in problems]
    return True, [fine(SERVICE, "the service runs, and says that it is ready", where=where)]


async def _public(courier: Courier, settings: Settings, *, runs: bool) -> list[Diagnosis]:
    url, accounts = settings.http.public_url, channels.accounts(settings)
    if not accounts:
        return []
    if url is None:
        advice = f"Set {_PUBLIC} to the address of a proxy that leads here (docs/operations.md, section 5)."
        what = "there is no public address: replies, receipts and keys on calls cannot reach us"
        return [finding(CALLBACKS, what, where=_PUBLIC, advice=advice)]
    told = []
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        advice = "Let the proxy speak TLS, and write https://."
        told.append(note(CALLBACKS, "the public address is not encrypted", where=url, advice=advice))
    if not runs:
        return [
            *told,
            note(CALLBACKS, "the service does not answer here, so that the way to it was not tried", where=url),
        ]
    tokens = dict.fromkeys(account.auth_token for account in accounts.values())
    return [*told, *[await _asked(courier, url, token) for token in tokens]]


async def _asked(courier: Courier, url: str, token: str) -> Diagnosis:
    """Ask, signed as the provider signs, and say what came back."""
    word = secrets.token_hex(8)
    form = {"word": word}
    headers = {
        "X-Twilio-Signature": await aside(_signature, token, f"{url}{CHECK}", form),
        "User-Agent": "shouwang doctor",
    }
    try:
        answer = await courier.request("POST", f"{url}{CHECK}", form=form, headers=headers)
    except (NeverLeftError, MayHaveLeftError) as error:
        advice = (
            "Look at the proxy, its certificate and the name look-up. Some routers do not let a network reach itself"
            " from within: then try from a telephone."
        )
        return finding(CALLBACKS, f"the public address does not answer: {error}", where=url, advice=advice)
    return judge(answer, word, url)


def _signature(token: str, url: str, form: dict[str, str]) -> str:
    from twilio.request_validator import RequestValidator  # noqa: PLC0415 - loads the library, which takes a moment

    return str(RequestValidator(token).compute_signature(url, form))


def judge(answer: Answer, word: str, url: str) -> Diagnosis:
    """Say what an answer to the signed question means."""
    body = _json(answer)
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if answer.is_success and body.get("word") == word:
        return fine(CALLBACKS, "the public address leads to us, and signatures fit", where=url)
    if code == "signature":
        advice = f"The service has another {_PUBLIC} or another token than the doctor, or the proxy changes the path."
        return finding(CALLBACKS, "we are reached, and the signature does not fit", where=url, advice=advice)
    if code == "unconfigured":
        advice = "Start the service again with the settings that the doctor has."
        return finding(CALLBACKS, "we are reached, and the service has no Twilio token", where=url, advice=advice)
    if code in {"not_found", "method_not_allowed"}:
        advice = "Start the service again after an upgrade; does the proxy pass paths on as they are?"
        return note(
            CALLBACKS, "we are reached, by a service that does not know this question", where=url, advice=advice
        )
    advice = "Let the proxy hand /webhooks/twilio/ to the service (docs/operations.md, section 5)."
    what = f"something else answers at the public address (status {answer.status_code})"
    return finding(CALLBACKS, what, where=url, advice=advice)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
