"""Problems that a person can mend, and how they are told."""

from ingest.embedded import EmbeddedBrokerError
from ingest.options import OptionsError
from shouwang.config import ConfigError
from shouwang.settings import SettingsError
from store.errors import DatabaseError
from web.server import ListenError

MENDABLE = (ConfigError, SettingsError, DatabaseError, OptionsError, EmbeddedBrokerError, ListenError)


def describe(error: BaseException) -> str:
    """Say it in a sentence, or in one line for each problem."""
    if isinstance(error, ConfigError):
        count = len(error.problems)
        lines = "\n".join(str(problem) for problem in error.problems)
        return f"{lines}\n{count} problem{'s' if count != 1 else ''}; nothing was started or changed."
    return str(error)
