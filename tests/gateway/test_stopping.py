"""How a gateway stops: what came is answered and kept; and how a second one of the same name does not start."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gateway.kit import Client, run, said, upload
from yuanmai.devices.store.journal import GroupCommit, Journal, Reader
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hj212.listener import Hj212Listener
from yuanmai.gateway.hub import Hub


@pytest.mark.usefixtures("quick_sweeps")
def test_an_orderly_stop_answers_what_came_and_keeps_it(tmp_path: Path) -> None:
    async def play() -> tuple[list[str], int]:
        loop = asyncio.get_running_loop()
        journal = Journal.open(tmp_path, "gate")
        commits = GroupCommit(journal, loop)
        hub = Hub("gate", commits)
        server = Hj212Listener(hub, "127.0.0.1", 0)
        await server.start()
        port = int(server.addresses[0].rpartition(":")[2])
        clients = [await Client.connect(port) for _n in range(50)]
        for round_number in range(20):
            for number, client in enumerate(clients):
                client.writer.write(upload(mn=f"MN{number:04d}", qn=f"20260101000{round_number:06d}"))
        await asyncio.sleep(0.02)
        await server.stop()
        await commits.close()
        journal.close()
        answers: list[str] = []
        for client in clients:
            data = await client.reader.read()
            answers += [said(line)["MN"] + said(line)["QN"] for line in data.split(b"\r\n") if line]
        return answers, len(answers)

    answers, number = run(play())
    assert number > 0
    reader = Reader(tmp_path / "gate")
    kept = [record for record in reader.read(0, 64 << 20) if record.kind == Kind.HJ212]
    names = {f"{record.key}{record.payload[9:26].decode()}" for record in kept}
    assert set(answers) <= names
    assert len(kept) == len(names)


@pytest.mark.slow
def test_the_process_stops_when_told_and_a_second_of_the_same_name_does_not_start(tmp_path: Path) -> None:
    ports = free_ports(3)
    environment = {
        **os.environ,
        "YUANMAI_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "yuanmai.config.settings",
    }
    environment.pop("DATABASE_URL", None)
    named = [f"--{what}-port={port}" for what, port in zip(("hj212", "jt808", "mqtt"), ports, strict=True)]
    command = [sys.executable, "-m", "yuanmai", "gateway", "--name", "one", "--json", *named]
    first = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                station = socket.create_connection(("127.0.0.1", ports[0]), timeout=5)
                break
            except OSError:
                assert first.poll() is None and time.monotonic() < deadline, first.communicate()
                time.sleep(0.2)
        station.sendall(upload())
        assert said(station.recv(4096).rstrip())["CN"] == "9014"
        second = subprocess.run(command, env=environment, capture_output=True, timeout=90)
        assert second.returncode == 1
        assert b"status" in second.stdout
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 0
        assert station.recv(10) == b""
    finally:
        if first.poll() is None:
            first.kill()
    (folder,) = [path for path in tmp_path.rglob("one") if path.is_dir()]
    kinds = [record.kind for record in Reader(folder).read(0, 1 << 20)]
    assert kinds == [Kind.CONNECTED, Kind.HJ212, Kind.DISCONNECTED]


def free_ports(number: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _n in range(number)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports
