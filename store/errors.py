"""What can go wrong in the store, each as a sentence. Nobody outside needs SQLAlchemy's own errors.

Two families, because they call for opposite things: a `DatabaseError` is about the database (wait, or mend it, and do
the same again), a `RefusedError` is about what was to be written (the same again would be refused again).
"""

import sqlite3

import sqlalchemy.exc as sa_exc

#: SQLSTATEs of PostgreSQL after which the same unit of work may well succeed: serialization failure, deadlock, lock not
#: available, the server going down or coming up, too many connections.
_PASSING_STATES = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300"})

#: Classes of SQLSTATEs that are about the values: data exception, integrity constraint violation.
_REFUSING_CLASSES = frozenset({"22", "23"})

#: The same as SQLAlchemy and SQLite say it.
_REFUSALS = (sa_exc.IntegrityError, sa_exc.DataError, sqlite3.IntegrityError, sqlite3.DataError)

#: Result codes of SQLite of the first sort: SQLITE_BUSY, SQLITE_LOCKED. Extended codes carry them in the lowest byte.
_PASSING_CODES = frozenset({5, 6})


class DatabaseError(Exception):
    """The database cannot be used as asked; the message says why and what to do."""


class DatabaseUnavailableError(DatabaseError):
    """The database did not answer, or was busy: all or nothing of the unit of work is written; run all of it again."""


class SchemaTooNewError(DatabaseError):
    """The database was migrated by a newer Shouwang than this one."""


class RefusedError(Exception):
    """The database refused the values: a state that must never be (CHECK, UNIQUE), or a text it cannot hold.

    Nothing of the unit of work was written.
    """


class StaleIncident(Exception):  # noqa: N818 - it is news more than an error: load the incident again and decide again
    """Somebody else has written the incident since it was loaded."""


def translated(error: Exception) -> Exception:
    """Give an error of SQLAlchemy, a driver or the network as one of ours."""
    if isinstance(error, sa_exc.TimeoutError):
        return DatabaseUnavailableError("No connection to the database became free in time.")
    if isinstance(error, OSError):  # TimeoutError among them
        return DatabaseUnavailableError(f"The database did not answer: {str(error) or type(error).__name__}")
    if isinstance(error, sa_exc.InvalidRequestError):
        return DatabaseError(f"The transaction cannot go on: {error}")
    if not isinstance(error, (sa_exc.DBAPIError, sqlite3.Error)):
        return RefusedError(f"The database could not be asked that way: {error}")

    cause = error.orig if isinstance(error, sa_exc.DBAPIError) else error
    state = str(getattr(cause, "sqlstate", None) or "")
    if isinstance(error, _REFUSALS) or state[:2] in _REFUSING_CLASSES:
        return RefusedError(f"The database refused what was to be written: {cause}")
    code = getattr(cause, "sqlite_errorcode", None)
    passing = state in _PASSING_STATES or (isinstance(code, int) and code & 0xFF in _PASSING_CODES)
    if passing or (isinstance(error, sa_exc.DBAPIError) and error.connection_invalidated):
        return DatabaseUnavailableError(f"The database is not available: {cause}")
    return DatabaseError(f"The database did not do what was asked: {cause}")
