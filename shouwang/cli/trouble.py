"""Problems that a person can mend, and how they are told."""

from ingest.embedded import EmbeddedBrokerError
from ingest.options import OptionsError
from shouwang.config import ConfigError
from shouwang.settings import SettingsError
from store.errors import DatabaseError
from web.server import ListenError

MENDABLE = (ConfigError, SettingsError, DatabaseError, OptionsError, EmbeddedBrokerError, ListenError)


def sentences(error: BaseException) -> list[str]:
    """Say each problem of an error in a sentence; nothing where any of it is not for people to mend."""
    if isinstance(error, BaseExceptionGroup):
        each = [sentences(one) for one in error.exceptions]
        return [line for lines in each for line in lines] if all(each) else []
    return [describe(error)] if isinstance(error, MENDABLE) else []


def describe(error: BaseException) -> str:
    """Say it in a sentence, or in one line for each problem."""
    if isinstance(error, ConfigError):
        count = len(error.problems)
        lines = "\n".join(str(problem) for problem in error.problems)
        return f"{lines}\n{count} problem{'s' if count != 1 else ''}; nothing was started or changed."
    return str(error)
