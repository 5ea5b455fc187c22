"""The Modbus poller with foreign devices: pymodbus, and our simulator under mbpoll."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.gateway.kit import run
from tests.gateway.mqtt.foreign import free_port, program
from tests.gateway.pollers.kit import device, oddities, order, polling, rounds, sent, until
from yuanmai.demo.simulators.meter import Registers
from yuanmai.demo.simulators.stats import Stats
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.orders import Order, Outcome, RefusedError
from yuanmai.gateway.pollers.modbus import place_of


def words(form: str, value: float) -> list[int]:
    return list(struct.unpack(f">{struct.calcsize(form) // 2}H", struct.pack(">" + form, value)))


@asynccontextmanager
async def pymodbus(framer: FramerType = FramerType.SOCKET) -> AsyncIterator[int]:
    """A device of pymodbus: unit 7, registers 0–9 and 100, coils 0–15."""
    port = free_port()
    value = words("f", 21.5)
    held = [*value, *value[::-1], 0xFFFE, *words("i", -70000), 42, 0, 0]
    block = [
        SimData(0, values=held, datatype=DataType.REGISTERS),
        SimData(100, values=[220], datatype=DataType.REGISTERS),
    ]
    bits = [SimData(0, values=[True, False] * 8, datatype=DataType.BITS)]
    context = SimDevice(id=7, simdata=(bits, list(bits), block, list(block)))
    server = ModbusTcpServer(context, framer=framer, address=("127.0.0.1", port))
    await server.listen()
    try:
        yield port
    finally:
        await server.shutdown()


ADDRESSES = {
    "holding:0:float32": "abcd", "holding:2:float32:CDAB": "cdab", "holding:4:int16": "small", "holding:5:int32": "large",
    "holding:7:uint16": "code10", "input:7": "input", "holding:100": "limit", "coil:0": "relay", "discrete:1:bool": "door",
}  # fmt: skip
VALUES = {
    "holding:0:float32": 21.5, "holding:2:float32:CDAB": 21.5, "holding:4:int16": -2, "holding:5:int32": -70000,
    "holding:7:uint16": 42, "input:7": 42, "holding:100": 220, "coil:0": 1, "discrete:1:bool": 0,
}  # fmt: skip


@pytest.mark.parametrize("framer", [FramerType.SOCKET, FramerType.RTU])
def test_a_device_of_pymodbus_is_read_and_written(framer: FramerType) -> None:
    async def work() -> None:
        async with pymodbus(framer) as port:
            transport = "tcp" if framer is FramerType.SOCKET else "rtu"
            meter = device(f"127.0.0.1:{port}/7", ADDRESSES, transport=transport, timeout=2)
            async with polling(meter) as (hub, journal, _pollers):
                await until(lambda: len(rounds(journal)) > 2)
                assert rounds(journal)[0] == VALUES
                assert [record[1] for record in journal.of(Kind.CONNECTED)] == [f"modbus:{meter.key}"]
                for point, value, address, raw in (
                    ("abcd", -3.25, "holding:0:float32", -3.25), ("cdab", 7.5, "holding:2:float32:CDAB", 7.5), ("large", 123456, "holding:5:int32", 123456),
                    ("code10", 6.4, "holding:7:uint16", 64), ("limit", 180, "holding:100", 180), ("relay", 0, "coil:0", 0),
                ):  # fmt: skip
                    asked = order(meter, point=point, value=value)
                    assert await sent(hub, asked) == Outcome("done", {"code": "ok", "values": {address: raw}})
                    assert [entry["direction"] for entry in asked.trace] == ["out", "in", "out", "in"]
                before = len(rounds(journal))
                await until(lambda: len(rounds(journal)) > before + 1)
                assert rounds(journal)[-1]["holding:7:uint16"] == 64
                for wrong in (
                    {"point": "door", "value": 1},
                    {"point": "none", "value": 1},
                    {"point": "large", "value": 1.5},
                    {"point": "small", "value": 99999},
                ):
                    with pytest.raises(RefusedError):
                        await sent(hub, order(meter, **wrong))

    run(work())


def test_one_register_that_does_not_exist_hides_no_other() -> None:
    async def work() -> None:
        async with pymodbus() as port:
            meter = device(
                f"127.0.0.1:{port}/7",
                {"holding:8": "a", "holding:9": "b", "holding:10": "gap", "holding:100": "c"},
            )
            async with polling(meter) as (_hub, journal, _pollers):
                await until(lambda: len(rounds(journal)) > 1)
                assert rounds(journal)[1] == {"holding:8": 0, "holding:9": 0, "holding:100": 220}
                assert "refused_address" in oddities(journal)

    run(work())


def test_mbpoll_sees_what_the_poller_reads() -> None:
    async def work() -> None:
        meter = Registers("m1", Stats())
        port = await meter.start("127.0.0.1", 0)
        known = device(
            f"127.0.0.1:{port}/1", {"holding:0:float32": "volt", "holding:100": "limit", "coil:0": "breaker"}
        )
        async with polling(known) as (hub, journal, _pollers):
            assert (await sent_when_there(hub, order(known, point="limit", value=150))).state == "done"
            await until(lambda: any(one.get("holding:100") == 150 for one in rounds(journal)))
            process = await asyncio.create_subprocess_exec(
                program("mbpoll"), "-m", "tcp", "-p", str(port), "-a", "1", "-0", "-r", "0", "-c", "1", "-t", "4:float", "-B", "-1", "127.0.0.1",
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            out, _err = await process.communicate()
            seen = float(
                next(line.split()[-1] for line in out.decode().splitlines() if line.startswith("[0]"))
            )
            # What is read back after a write is a round of its own, without the other addresses.
            read = [one["holding:0:float32"] for one in rounds(journal) if "holding:0:float32" in one]
            assert seen == pytest.approx(read[-1], abs=0.2)
            process = await asyncio.create_subprocess_exec(
                program("mbpoll"), "-m", "tcp", "-p", str(port), "-a", "1", "-0", "-r", "100", "-t", "4", "-1", "127.0.0.1", "77",
                stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            assert await process.wait() == 0
            await until(lambda: rounds(journal)[-1].get("holding:100") == 77)

    run(work())


async def sent_when_there(hub: Hub, asked: Order) -> Outcome:
    await until(lambda: hub.commands.find(asked.device) is not None)
    return await sent(hub, asked)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "holding",
        "holding:x",
        "holding:1:int7",
        "holding:1:int16:XYZW",
        "holding:65535:int32",
        "file:1",
        "coil:1:a:b:c",
    ],
)
def test_addresses_that_are_none(wrong: str) -> None:
    with pytest.raises(ValueError, match="address"):
        place_of(wrong)
