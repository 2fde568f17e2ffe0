"""PostgreSQL, by way of asyncpg and SQLAlchemy's own pool."""

import contextlib
from collections.abc import AsyncIterator, Callable

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from store.documents import to_json
from store.errors import DatabaseError


class Postgresql:
    """A database on a server."""

    def __init__(self, url: URL) -> None:
        self._engine = create_async_engine(
            url,
            # Values are people's numbers and addresses; an error that is logged must not name them.
            hide_parameters=True,
            json_serializer=to_json,
            json_deserializer=orjson.loads,
            pool_size=5,
            max_overflow=10,
            pool_pre_ping=True,
            query_cache_size=1000,
            connect_args={
                # Seconds; a server that is silent for longer counts as gone: nobody waits for a dead connection.
                "timeout": 10,
                "command_timeout": 60,
                "server_settings": {"application_name": "shouwang", "jit": "off"},
            },
        )

    async def look(self, refuse_newer: Callable[[sa.Connection], None]) -> None:
        """See whether it can be used: it keeps what it confirms, and its schema is none that is not known."""
        async with self._engine.connect() as connection:
            if await connection.scalar(sa.text("SHOW synchronous_commit")) == "off":
                raise DatabaseError(
                    "PostgreSQL runs with synchronous_commit = off, which may forget an alarm that was already"
                    " acknowledged. Set it to on for this role or database."
                )
            await connection.run_sync(refuse_newer)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that writes."""
        async with self._engine.begin() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that reads."""
        async with self._engine.connect() as connection:
            await connection.execution_options(postgresql_readonly=True)
            async with connection.begin():
                yield connection

    async def close(self) -> None:
        """Let every connection go."""
        await self._engine.dispose()
