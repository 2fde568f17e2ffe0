"""What the process keeps in memory."""

import subprocess
import sys


def test_the_service_carries_nothing_that_only_others_need() -> None:
    """PostgreSQL's layer with its object mapper, and protocol buffers: together 13 MiB of a budget of 120."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, shouwang.app, shouwang.channels; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "sqlalchemy" in told
    assert not {"sqlalchemy.orm", "sqlalchemy.ext.asyncio", "asyncpg", "google.protobuf", "alembic"} & set(told)
