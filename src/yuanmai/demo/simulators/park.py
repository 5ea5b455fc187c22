"""The small set of simulated devices that the demonstration keeps running."""

import asyncio
import os
from typing import Any

from yuanmai.demo.geography import move
from yuanmai.demo.presets import preset
from yuanmai.demo.simulators.link import Client
from yuanmai.demo.simulators.meter import Bus, Registers
from yuanmai.demo.simulators.mqtt import Gate, Lamp, Sensor
from yuanmai.demo.simulators.run import PORTS
from yuanmai.demo.simulators.station import Station, Surge
from yuanmai.demo.simulators.stats import Stats
from yuanmai.demo.simulators.terminal import Terminal


def ports() -> dict[str, int]:
    """Return where the gateway of this installation listens, from the same variables as the gateway itself."""
    return {
        protocol: int(os.environ.get(f"YUANMAI_PORT_{protocol.upper()}", PORTS[protocol]))
        for protocol in ("hj212", "jt808", "mqtt")
    }


def rectangle(centre: tuple[float, float], way: list[float]) -> list[tuple[float, float]]:
    """Return the corners of a way round: west, south, east, north in metres from the centre."""
    west, south, east, north = way
    return [move(centre, x, y) for x, y in ((west, south), (east, south), (east, north), (west, north))]


def clients(host: str, stats: Stats) -> list[Client]:
    """Return everything that calls the gateway."""
    data: dict[str, Any] = preset("devices")
    at = ports()
    longitude, latitude = preset("heshan")["map"]["centre"]
    lamps, stranger = data["lamps"], data["strangers"]["sensor"]
    return [
        *(
            Station(
                host, at["hj212"], entry["period"], stats, mn=entry["mn"], kind=entry["kind"],
                surge=Surge(**entry["surge"]) if "surge" in entry else None,
            )
            for entry in [*data["stations"], data["strangers"]["station"]]
        ),
        *(
            Terminal(
                host, at["jt808"], entry["period"], stats, phone=entry["phone"], plate=entry["plate"],
                newer=entry["newer"], ring=rectangle((longitude, latitude), entry["way"]), kmh=entry["kmh"],
            )
            for entry in data["terminals"]
        ),
        *(
            Lamp(host, at["mqtt"], lamps["period"], stats, name=f"{lamps['prefix']}-{index + 1:02d}")
            for index in range(lamps["count"])
        ),
        *(Gate(host, at["mqtt"], entry["period"], stats, name=entry["code"]) for entry in data["gates"]),
        *(
            Sensor(host, at["mqtt"], entry["period"], stats, name=entry["code"])
            for entry in [*data["sensors"], {"code": stranger["name"], **stranger}]
        ),
    ]  # fmt: skip


def meter_ports() -> tuple[int, int]:
    """Return the ports of the serial server and of the Modbus meter of the demonstration."""
    data = preset("devices")
    return (
        int(os.environ.get("YUANMAI_DEMO_PORT_METERS", data["meters"]["port"])),
        int(os.environ.get("YUANMAI_DEMO_PORT_REGISTERS", data["registers"]["port"])),
    )


async def run_park(host: str, stats: Stats) -> None:
    """Keep the set running until cancelled."""
    data: dict[str, Any] = preset("devices")
    bus_port, register_port = meter_ports()
    await Bus([meter["address"] for meter in data["meters"]["list"]], stats, echo=True).start(host, bus_port)
    for index, meter in enumerate(data["registers"]["list"]):
        await Registers(meter["code"], stats).start(host, register_port + index)
    async with asyncio.TaskGroup() as group:
        for client in clients(host, stats):
            group.create_task(client.run())
