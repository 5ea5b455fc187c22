"""From the socket to the alarm on the live stream, at the rated load.

    python bench/alarms.py [--connections 5000] [--rate 15000] [--seconds 60]

One more device than the load has (MQTT, QoS 1) passes its limit every two seconds and comes back; timed is from the moment its
reading is written into the socket to the moment a page's stream of events (`yuanmai live`) tells of the alarm. Prints a JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import uvloop  # noqa: E402

from bench.ingesting.clients import SOURCES, Load  # noqa: E402
from bench.ingesting.home import Home, fresh_home  # noqa: E402
from bench.ingesting.report import percentile, report  # noqa: E402

KEY = "probe-000000"
EVERY = 2.0  # seconds between two changes of the probe
GOAL_MS = 2_000


class Probe:
    """A device that passes its limit and comes back, and the page that is told so."""

    def __init__(self, home: Home, cookie: str) -> None:
        self.home, self.cookie = home, cookie
        self.sent = 0.0
        self.times: list[float] = []
        self.missed = 0
        self.heard = asyncio.Event()

    async def listen(self) -> None:
        """Read the stream of alarms as a page does."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.home.ports["live"])
        writer.write(
            f"GET /live/?topics=alarms HTTP/1.1\r\nHost: localhost\r\nCookie: {self.cookie}\r\n\r\n".encode()
        )
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"the live process answers {status!r}")
        while line := await reader.readline():
            if (
                line.startswith(b"data:")
                and b'"alarm"' in line
                and self.device == json.loads(line[5:])["device"]
            ):
                self.heard.set()

    async def run(self, device: int, until: float) -> None:
        """Change the probe's value every two seconds; every other change raises its alarm."""
        self.device = device
        listening = asyncio.create_task(self.listen())
        reader, writer = await asyncio.open_connection("127.0.0.1", self.home.ports["mqtt"])
        writer.write(SOURCES["mqtt"](0).greeting(KEY))
        await reader.readexactly(4)
        await asyncio.sleep(4)  # until the rules are taken and the stream stands
        high, number = False, 0
        while time.perf_counter() < until:
            if listening.done():
                listening.result()
            high, number = not high, number + 1
            self.heard.clear()
            writer.write(self.packet(number, 120.0 if high else 10.0))
            began = time.perf_counter()
            try:
                await asyncio.wait_for(self.heard.wait(), 20)
                if high:
                    self.times.append(time.perf_counter() - began)
            except TimeoutError:
                self.missed += 1
            await reader.readexactly(4)
            await asyncio.sleep(max(0.0, EVERY - (time.perf_counter() - began)))
        listening.cancel()
        writer.close()

    @staticmethod
    def packet(number: int, value: float) -> bytes:
        """A PUBLISH of one reading of now."""
        topic = f"devices/{KEY}/telemetry".encode()
        body = json.dumps({"ts": time.time_ns() // 1_000_000, "a": value}).encode()
        rest = struct.pack(">H", len(topic)) + topic + struct.pack(">H", number % 65_535 + 1) + body
        return b"\x32" + bytes([len(rest)]) + rest


async def play(load: Load, probe: Probe, device: int, seconds: float) -> None:
    """The load and the probe together."""
    load.stopping = True
    await load.connect()
    while load.connected < len(load.clients):
        await asyncio.sleep(0.02)
    load.stopping = False
    end = time.perf_counter() + seconds
    probing = asyncio.create_task(probe.run(device, end))
    await load.pace(lambda: time.perf_counter() >= end or probing.done())
    await probing
    await load.settle()


def wait_for_port(port: int, seconds: float = 60.0) -> None:
    """Return when somebody listens there."""
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, default=5_000)
    parser.add_argument("--rate", type=int, default=15_000, help="points a second of the load")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    source = SOURCES["mqtt"](int(time.time()) // 60 * 60 - 12 * 3600)
    each = len(source.addresses)
    keys = [source.key(index) for index in range(options.connections)]
    with fresh_home(Path.cwd()) as home:
        order = {"protocol": "mqtt", "keys": [*keys, KEY], "addresses": source.addresses, "rules": 20}
        home.populate(order)
        cookie = home.call(str(ROOT / "bench/ingesting/listen.py")).splitlines()[-1]
        load = Load(source, home.ports["mqtt"], rate=options.rate / each, window=64)
        load.prepare(keys, int(options.rate / each / options.connections * (options.seconds + 10) * 1.05) + 2)
        home.start_gateway()
        home.start("ingest")
        home.start("live")
        wait_for_port(home.ports["live"])
        probe = Probe(home, cookie)
        number = int(
            home.call("-c", f"import django; django.setup()\nfrom yuanmai.core.scope import everywhere\nfrom yuanmai.devices.models import Device\nwith everywhere(): print(Device.objects.get(key='{KEY}').pk)").split()[-1]
        )  # fmt: skip
        uvloop.run(play(load, probe, number, options.seconds))
        load.close()
    report(
        "from socket to alarm on the stream", "yuanmai", offered_points_per_second=options.rate, connections=options.connections, rules=20,
        acknowledged=load.acknowledged * each, alarms=len(probe.times), missed=probe.missed, goal_ms=GOAL_MS,
        p50_ms=percentile(probe.times, 0.5), p99_ms=percentile(probe.times, 0.99), max_ms=percentile(probe.times, 1.0),
    )  # fmt: skip
    return 1 if probe.missed or not probe.times else 0


if __name__ == "__main__":
    sys.exit(main())
