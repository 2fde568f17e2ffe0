"""The real process, `shouwang run`, driven from outside as whoever runs it would: signals, files, HTTP.

Nothing here looks into the process. Times are bounds after which a test gives up, and are never measured.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.real.waiting import LOOPBACK, PATIENCE_S, free_port, until

_SHOUWANG = (str(Path(sys.executable).parent / "shouwang"),)


class Shouwang:
    """One installation: its folder, its settings, and the process that runs there, or does not."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {
            "SHOUWANG_HTTP__LISTEN": f"{LOOPBACK}:{self.port}",
            "SHOUWANG_DATABASE__URL": f"sqlite:///{folder}/shouwang.db",
            "SHOUWANG_HTTP__API_TOKEN": "a-token-of-the-tests",
            **environment,
        }
        self.log = folder / "log.jsonl"
        self.log.touch()
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._children: list[psutil.Process] = []
        self._offset = 0

    @property
    def pid(self) -> int:
        assert self._process is not None, "it has never been started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def spawn(self, *arguments: str, command: Sequence[str] = _SHOUWANG) -> None:
        """Start the process, and do not wait for anything."""
        assert not self.running
        self.starts += 1
        self._offset = self.log.stat().st_size
        outside = {name: value for name, value in os.environ.items() if not name.startswith("SHOUWANG_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *(arguments or ("run",))],
                cwd=self.folder,
                env={**outside, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def start(self, *arguments: str, command: Sequence[str] = _SHOUWANG) -> None:
        """Start the process, and wait until it says that it is ready."""
        self.spawn(*arguments, command=command)
        await self.ready()

    async def ready(self) -> None:
        async with httpx.AsyncClient() as http, asyncio.timeout(PATIENCE_S):
            while True:
                assert self.running, f"it ended with {self.returncode}: {self.said()}"
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"http://{LOOPBACK}:{self.port}/readyz")).status_code == 200:
                        break
                await asyncio.sleep(0.02)
        self._note_children()

    async def connected(self) -> None:
        """Wait until it listens to the broker, which is when it can do harm."""
        await until("connected to the broker", lambda: not self.running or self.has_said("connected to mqtt"))
        self._note_children()

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def kill9(self, *, with_children: bool = False) -> None:
        """Kill it at once; with its children as a machine that loses power does, or let them notice."""
        self._note_children()
        if with_children:
            # It would start them again.
            self.send(signal.SIGSTOP)
            for child in self._children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        self.send(signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    async def stop(self) -> int:
        self._note_children()
        self.send(signal.SIGTERM)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for the end of the process; give its exit status."""
        await until("the process has ended", lambda: not self.running)
        assert self.returncode is not None
        return self.returncode

    @property
    def returncode(self) -> int | None:
        return self._process.poll() if self._process is not None else None

    def _note_children(self) -> None:
        with contextlib.suppress(psutil.Error):
            known = {one.pid for one in self._children}
            self._children += [one for one in psutil.Process(self.pid).children() if one.pid not in known]

    async def close(self) -> None:
        """Leave nothing running."""
        if self.running:
            self._note_children()
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
            await self.ended()
        # A broker that is ours ends by itself with us.
        _, alive = await asyncio.to_thread(psutil.wait_procs, self._children, 10)
        for child in alive:
            child.kill()

    # --- what it says -------------------------------------------------------------------------------------------------

    def said(self, *, ever: bool = False) -> str:
        """Everything it has written since its last start, or since its first."""
        with self.log.open("rb") as log:
            log.seek(0 if ever else self._offset)
            return log.read().decode()

    def has_said(self, words: str) -> bool:
        return words in self.said()

    def lines(self, *, ever: bool = False) -> list[dict[str, Any]]:
        """What it has logged; every line must be one JSON object."""
        return [json.loads(line) for line in self.said(ever=ever).splitlines()]

    def complaints(self) -> list[dict[str, Any]]:
        """What it has ever logged as an error, or with a traceback."""
        return [one for one in self.lines(ever=True) if one["level"] == "error" or "exception" in one]

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient() as http:
            token = {"Authorization": f"Bearer {self.environment['SHOUWANG_HTTP__API_TOKEN']}"}
            return await http.get(f"http://{LOOPBACK}:{self.port}{path}", headers=token)

    async def incidents(self) -> list[dict[str, Any]]:
        found: dict[str, Any] = (await self.get("/api/v1/incidents?state=all")).json()
        return list(found["incidents"])

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run a command of the same installation beside it; give its exit status and what it printed."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("SHOUWANG_")}
        process = await asyncio.create_subprocess_exec(
            *_SHOUWANG,
            *arguments,
            cwd=self.folder,
            env={**outside, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        async with asyncio.timeout(PATIENCE_S):
            output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()
