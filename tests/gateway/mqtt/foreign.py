"""Foreign clients and brokers of MQTT: the programs of mosquitto. Outside CI tests are skipped where they are missing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest


def program(name: str) -> str:
    """The path of a program; skips the test where it is missing, except in CI."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing: scripts/system_packages.sh test")
        pytest.skip(f"{name} is missing")
    return found


async def pub(port: int, *args: str, text: bytes | None = None, check: bool = True) -> tuple[int, str]:
    """Run mosquitto_pub; return its exit code and what it complains of."""
    process = await asyncio.create_subprocess_exec(
        program("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(port), *args,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        out, _err = await asyncio.wait_for(process.communicate(text), 15)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    if check:
        assert process.returncode == 0, out.decode()
    return process.returncode, out.decode()


class Sub:
    """A running mosquitto_sub; its lines are `topic payload`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self, seconds: float = 15) -> str:
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), seconds)).decode().rstrip("\n")

    async def silent(self, seconds: float = 0.3) -> None:
        with pytest.raises(TimeoutError):
            await self.line(seconds)


@asynccontextmanager
async def sub(port: int, *args: str, topic: str = "%t %p") -> AsyncIterator[Sub]:
    """Run mosquitto_sub while the block lasts; it is told to speak when it is subscribed."""
    process = await asyncio.create_subprocess_exec(
        program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(port), "-F", topic, *args,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield Sub(process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Mosquitto:
    """A mosquitto broker with persistence that can be killed and started again on its port."""

    def __init__(self, folder: Path, *, anonymous: bool = True) -> None:
        self.port = free_port()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    f"allow_anonymous {str(anonymous).lower()}",
                    "persistence true",
                    f"persistence_location {folder}/",
                    "autosave_interval 1",
                    "autosave_on_changes true",
                    "max_inflight_messages 1000",
                    "max_queued_messages 0",
                    *(
                        ["user root"] if os.getuid() == 0 else []
                    ),  # it would leave its rights, and with them the folder
                    "",
                ]
            )
        )
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            program("mosquitto"), "-c", str(self.config),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        for _attempt in range(200):
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
        raise AssertionError("mosquitto does not listen")

    async def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()
