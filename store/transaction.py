"""What a function of the store needs of a transaction, whichever database it is on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

_T = TypeVar("_T")

#: The values bound in a statement.
Bound = Mapping[str, Any] | None

#: As above, or those of each row of many.
Values = Bound | Sequence[Mapping[str, Any]]

#: What a statement gives.
Rows = sa.CursorResult[*tuple[Any, ...]]

#: Options of a statement that may take long, for SQLite: it leaves the event loop alone.
SLOW: Mapping[str, Any] = {"slow": True}


class Transaction(Protocol):
    """A connection inside a transaction; the first argument of every function of the store."""

    @property
    def dialect(self) -> sa.Dialect:
        """What SQL it speaks."""

    async def execute(self, statement: sa.Executable, parameters: Values = None, /) -> Rows:
        """Execute a statement; its rows have been fetched."""

    async def scalar(self, statement: sa.Executable, parameters: Bound = None, /) -> Any:
        """Give the first value of the first row, or None."""

    async def scalars(self, statement: sa.Executable, parameters: Bound = None, /) -> sa.ScalarResult[Any]:
        """Give the first value of each row."""

    async def exec_driver_sql(self, sql: str, parameters: Any = None, /) -> Rows:
        """Execute a text in the words of the driver, for each of many rows where that is what is given."""

    async def run_sync(self, function: Callable[..., _T], /, *args: Any) -> _T:
        """Call a function with the connection as SQLAlchemy's blocking kind."""
