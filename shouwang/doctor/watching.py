"""Whether anybody hears of it when the service itself is in trouble."""

from collections.abc import Iterator, Mapping

from notify.channels.apprise import understands
from shouwang import channels
from shouwang.doctor.checking import aside
from shouwang.doctor.community import shown
from shouwang.doctor.diagnosis import Diagnosis, finding, fine, note
from shouwang.settings import Settings

SUBJECT = "watching"


async def look(settings: Settings) -> list[Diagnosis]:
    """Look at the operators and the heartbeat. Sends nothing."""
    apprise = settings.operators.apprise
    addresses = apprise.get_secret_value().split() if apprise else []
    understood = {address: await aside(understands, address) for address in addresses}
    return [*judge(settings, understood)]


def judge(settings: Settings, understood: Mapping[str, bool]) -> Iterator[Diagnosis]:
    """Say who is told; `understood` says of each Apprise address of the operators whether Apprise can read it."""
    operators = settings.operators
    for address, well in understood.items():
        if not well:
            yield finding(
                SUBJECT,
                f"'{shown(address)}' is no address that Apprise understands",
                where="SHOUWANG_OPERATORS__APPRISE",
                advice="Write it as https://appriseit.com/services/ says for that service.",
            )
    if operators.sms and not channels.accounts(settings):
        yield finding(
            SUBJECT,
            "the operators are to be told by text, and no account for texts is set",
            where="SHOUWANG_OPERATORS__SMS",
            advice="Set the account, or another way.",
        )
    if not operators.is_set:
        yield note(
            SUBJECT,
            "nobody is told when the service itself is in trouble",
            where="SHOUWANG_OPERATORS__…",
            advice="Name a way to whoever runs it.",
        )
    elif operators.webhook is None and not any(understood.values()):
        yield note(
            SUBJECT,
            "the operators are told by text only, which fails together with the provider",
            where="SHOUWANG_OPERATORS__…",
            advice="Add a way that does not depend on it: a webhook, or an address of Apprise.",
        )
    else:
        yield fine(SUBJECT, "the operators are told of the service's own trouble")
    if settings.heartbeat.url is None:
        yield note(
            SUBJECT,
            "nobody notices when the machine is gone",
            where="SHOUWANG_HEARTBEAT__URL",
            advice="Let something outside wait for the heartbeat.",
        )
