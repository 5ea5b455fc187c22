"""A fresh installation in a folder of its own: its processes, its register, and what its lake holds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from bench.ingesting.peers import free_port

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("hj212", "jt808", "mqtt", "web", "live")


class Rows(NamedTuple):
    """What stands in all files of a lake."""

    point: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    sequence: npt.NDArray[np.int64]

    def keys(self) -> npt.NDArray[np.int64]:
        """Point and second in one number."""
        return self.point.astype(np.int64) * 10_000_000_000 + self.time // 1_000_000


@dataclass
class Home:
    """`YUANMAI_HOME` with a database of its own (SQLite, or that of DATABASE_URL in `extra`)."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What its processes find in their environment."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("YUANMAI_", "DJANGO_", "DATABASE_"))
        }
        return {
            **kept, "YUANMAI_HOME": str(self.folder), "DJANGO_SETTINGS_MODULE": "yuanmai.config.settings",
            "DATABASE_URL": f"sqlite:///{self.folder / 'yuanmai.sqlite3'}", "YUANMAI_LANGUAGE": "en",
            "YUANMAI_LIVE_PORT": str(self.ports["live"]), "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "YUANMAI_PORT_HJ212": str(self.ports["hj212"]), "YUANMAI_PORT_JT808": str(self.ports["jt808"]),
            "YUANMAI_PORT_MQTT": str(self.ports["mqtt"]), **self.extra,
        }  # fmt: skip

    def call(self, *command: str, text: str = "") -> str:
        """Run Python in the installation and return what it printed."""
        done = subprocess.run(
            [sys.executable, *command], input=text, capture_output=True, text=True, env=self.environment, cwd=self.folder, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def yuanmai(self, *arguments: str) -> str:
        """Run `yuanmai …` to its end."""
        return self.call("-m", "yuanmai", *arguments)

    def populate(self, *orders: dict[str, Any]) -> list[dict[str, list[int]]]:
        """Put devices into the register, as `populate.py` says; return the numbers of their points by key."""
        said = self.call(str(Path(__file__).with_name("populate.py")), text=json.dumps(orders))
        found: list[dict[str, list[int]]] = json.loads(said.splitlines()[-1])
        return found

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `yuanmai name`; its output goes to `name.log`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            made = subprocess.Popen(
                [sys.executable, "-m", "yuanmai", name, *arguments], env=self.environment, cwd=self.folder, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.processes[name] = made
        return made

    def start_gateway(self, seconds: float = 60) -> subprocess.Popen[bytes]:
        """Start the gateway and return when it listens."""
        log = self.folder / "gateway.log"
        said = log.stat().st_size if log.exists() else 0
        made = self.start("gateway", "--name", "bench")
        until = time.monotonic() + seconds
        while b"gateway bench:" not in (log.read_bytes()[said:] if log.exists() else b""):
            if made.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the gateway does not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        return made

    def stop(self, *names: str, kill: bool = False) -> None:
        """End processes; all without names."""
        for name in names or tuple(self.processes):
            made = self.processes.pop(name, None)
            if made is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                os.killpg(made.pid, signal.SIGKILL if kill else signal.SIGTERM)
            try:
                made.wait(60)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(made.pid, signal.SIGKILL)
                made.wait()

    def pids(self, *names: str) -> list[int]:
        """The ids of processes and of those they have started."""
        found = []
        for name in names or tuple(self.processes):
            made = self.processes.get(name)
            if made is None:
                continue
            found.append(made.pid)
            with contextlib.suppress(OSError, ValueError):
                for task in Path(f"/proc/{made.pid}/task").iterdir():
                    found += [int(pid) for pid in (task / "children").read_text().split()]
        return found

    def drain(self, seconds: float = 600, root: Path | None = None) -> float:
        """Return after how many seconds everything in the journals is in the lake."""
        from yuanmai.devices.store.journal import Reader, journals, recover
        from yuanmai.devices.store.lake import Lake

        began = time.monotonic()
        root = root or self.folder / "journal"
        recover(root)
        lake = Lake(str(self.folder / "lake"))
        while True:
            positions = lake.positions()
            behind = 0
            for folder in journals(root):
                reader = Reader(folder)
                behind += max(reader.durable() - positions.get(reader.stream, 0), 0)
            if not behind:
                return time.monotonic() - began
            if time.monotonic() - began > seconds:
                raise RuntimeError(f"{behind} records are not in the lake after {seconds:.0f} s")
            time.sleep(0.1)

    def rows(self) -> Rows:
        """Every row of every file that belongs to the lake now."""
        from yuanmai.devices.store.lake import Lake

        lake = Lake(str(self.folder / "lake"))
        tables = [
            pq.ParquetFile(lake.readings.files.uri(file.path)).read(["point", "time", "value", "sequence"])
            for file in lake.readings.snapshot().files
        ]
        if not tables:
            return Rows(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))

        def column(name: str) -> Any:
            return np.concatenate([table[name].to_numpy() for table in tables])

        return Rows(
            column("point"),
            column("time").astype("datetime64[us]").astype(np.int64),
            column("value"),
            column("sequence"),
        )


@contextlib.contextmanager
def fresh_home(parent: Path | None = None, **extra: str) -> Iterator[Home]:
    """A migrated installation without any device; everything ends and goes with it."""
    folder = Path(tempfile.mkdtemp(prefix=".bench-home-", dir=parent or Path.cwd()))
    home = Home(folder, extra)
    try:
        home.yuanmai("migrate")
        yield home
    finally:
        home.stop(kill=True)
        shutil.rmtree(folder, ignore_errors=True)
