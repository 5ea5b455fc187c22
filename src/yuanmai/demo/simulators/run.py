"""Running many simulated devices at once."""

import asyncio
from collections.abc import Callable

from yuanmai.demo.simulators.link import Client
from yuanmai.demo.simulators.meter import Bus, Registers
from yuanmai.demo.simulators.mqtt import Gate, Lamp, Load, Sensor
from yuanmai.demo.simulators.station import FACTORS, Station
from yuanmai.demo.simulators.stats import Stats
from yuanmai.demo.simulators.terminal import Terminal

Make = Callable[[str, int, float, Stats, int], Client]
KINDS_OF_STATION = sorted(FACTORS)


def _station(host: str, port: int, period: float, stats: Stats, index: int) -> Client:
    kind = KINDS_OF_STATION[index % len(KINDS_OF_STATION)]
    return Station(host, port, period, stats, mn=f"SIM{index:021d}", kind=kind)


def _terminal(host: str, port: int, period: float, stats: Stats, index: int) -> Client:
    return Terminal(
        host,
        port,
        period,
        stats,
        phone=f"{19_900_000_000 + index}",
        plate=f"湘A{index % 100_000:05d}",
        newer=index % 2 == 1,
    )


# Kind → (port of the gateway's listener, how the device of a number is made).
CLIENTS: dict[str, tuple[str, Make]] = {
    "stations": ("hj212", _station),
    "terminals": ("jt808", _terminal),
    "lamps": (
        "mqtt",
        lambda host, port, period, stats, index: Lamp(
            host, port, period, stats, name=f"sim-lamp-{index:05d}"
        ),
    ),
    "gates": (
        "mqtt",
        lambda host, port, period, stats, index: Gate(
            host, port, period, stats, name=f"sim-gate-{index:05d}"
        ),
    ),
    "sensors": (
        "mqtt",
        lambda host, port, period, stats, index: Sensor(
            host, port, period, stats, name=f"sim-sensor-{index:05d}"
        ),
    ),
    "things": (
        "mqtt",
        lambda host, port, period, stats, index: Load(
            host, port, period, stats, name=f"sim-thing-{index:05d}"
        ),
    ),
}
METERS = ("meters", "registers")
PORTS = {"hj212": 8212, "jt808": 8808, "mqtt": 1883, "meters": 8645, "registers": 8502}


async def run_clients(
    kind: str, count: int, rate: float, host: str, port: int, stats: Stats, first: int = 0
) -> None:
    """Keep `count` devices of a kind running that send `rate` messages a second in all, until cancelled."""
    make = CLIENTS[kind][1]
    period = count / rate
    async with asyncio.TaskGroup() as group:
        for index in range(first, first + count):
            group.create_task(make(host, port, period, stats, index).run())
            if index % 200 == 199:
                await asyncio.sleep(0.1)  # a listener takes so many new connections at once and no more


async def run_meters(kind: str, count: int, host: str, port: int, stats: Stats, first: int = 0) -> None:
    """Keep meters listening: `meters` on one bus, `registers` on one port each, counted up from `port`."""
    if kind == "meters":
        await Bus([f"{first + index + 1:012d}" for index in range(count)], stats).start(host, port)
    else:
        for index in range(count):
            await Registers(f"registers-{first + index}", stats).start(host, port + index)
    await asyncio.Event().wait()
