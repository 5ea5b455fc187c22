"""The Modbus poller with foreign devices (pymodbus, our simulator under mbpoll) and with ones that behave badly."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.gateway.kit import hub_of, run
from tests.gateway.mqtt.foreign import free_port, program
from yuanmai.demo.simulators.meter import Registers
from yuanmai.demo.simulators.stats import Stats
from yuanmai.devices.engine.registry import DeviceSpec, PointSpec, Registry
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub, MemoryJournal
from yuanmai.gateway.orders import Order, Outcome, RefusedError
from yuanmai.gateway.pollers.listeners import Pollers
from yuanmai.gateway.pollers.modbus import place_of
from yuanmai.protocols.bits import crc_modbus


def device(
    key: str, addresses: dict[str, str], protocol: str = "modbus", number: int = 1, **profile: Any
) -> DeviceSpec:
    """A device whose points are address → code; asked ten times a second."""
    points = {
        address: (PointSpec(place, code, address, scale=0.1 if code.endswith("10") else 1.0),)
        for place, (address, code) in enumerate(addresses.items(), number * 100)
    }
    return DeviceSpec(
        number,
        1,
        f"D-{number}",
        protocol,
        key,
        {"interval": 0.1, "timeout": 0.3, "retries": 0} | profile,
        points,
    )


@asynccontextmanager
async def polling(*devices: DeviceSpec) -> AsyncIterator[tuple[Hub, MemoryJournal, Pollers]]:
    """The pollers at work."""
    hub, journal = hub_of(*devices)
    pollers = Pollers(hub)
    await pollers.start()
    try:
        yield hub, journal, pollers
    finally:
        await pollers.stop()


async def until(truth: Callable[[], Any], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not truth():
            await asyncio.sleep(0.01)


def rounds(journal: MemoryJournal, kind: Kind = Kind.MODBUS) -> list[dict[str, Any]]:
    return [json.loads(record[2]) for record in journal.of(kind)]


def oddities(journal: MemoryJournal) -> set[str]:
    return {json.loads(record[2])["kind"] for record in journal.of(Kind.ODD)}


def order(of: DeviceSpec, **parameters: Any) -> Order:
    return Order(1, "uid-1", of, "write", parameters, datetime.now(UTC) + timedelta(minutes=1))


async def sent(hub: Hub, asked: Order) -> Outcome:
    sender = hub.commands.find(asked.device)
    assert sender is not None
    return await sender(asked)


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
            assert seen == pytest.approx(rounds(journal)[-1]["holding:0:float32"], abs=0.2)
            process = await asyncio.create_subprocess_exec(
                program("mbpoll"), "-m", "tcp", "-p", str(port), "-a", "1", "-0", "-r", "100", "-t", "4", "-1", "127.0.0.1", "77",
                stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            assert await process.wait() == 0
            await until(lambda: rounds(journal)[-1]["holding:100"] == 77)

    run(work())


async def sent_when_there(hub: Hub, asked: Order) -> Outcome:
    await until(lambda: hub.commands.find(asked.device) is not None)
    return await sent(hub, asked)


# --- devices that behave badly ------------------------------------------------------------------------------------------------

Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(serve: Serve, port: int = 0) -> AsyncIterator[int]:
    """A gateway that does with each request what the test says."""
    writers: set[asyncio.StreamWriter] = set()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            while data := await reader.read(4096):
                await serve(data, writer)
        except ConnectionError:
            pass
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", port, reuse_address=True)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in list(writers):
            writer.transport.abort()


def registers(request: bytes, *values: int) -> bytes:
    body = struct.pack(">BBB", request[6], 3, len(values) * 2) + struct.pack(f">{len(values)}H", *values)
    return request[:4] + struct.pack(">H", len(body)) + body


def refusal(request: bytes, code: int) -> bytes:
    return request[:4] + b"\0\x03" + bytes((request[6], request[7] | 0x80, code))


def test_late_split_and_foreign_answers() -> None:
    late: list[bytes] = []

    async def serve(data: bytes, writer: asyncio.StreamWriter) -> None:
        late.append(data)
        if len(late) == 1:
            return  # says nothing in time …
        if len(late) == 2:
            writer.write(
                registers(late[0], 666)
            )  # … but now; then nonsense, another unit, the answer in pieces
            writer.write(b"\xff\xff\xff\xff\xff\xff\xff")
            writer.write(registers(data[:6] + b"\x09" + data[7:], 667))
        whole = registers(data, len(late))
        for byte in whole:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.001)

    async def work() -> None:
        async with scripted(serve) as port:
            known = device(f"127.0.0.1:{port}/1", {"holding:5": "a"})
            async with polling(known) as (_hub, journal, _pollers):
                await until(lambda: len(rounds(journal)) >= 3)
                assert [one["holding:5"] for one in rounds(journal)[:3]] == [2, 3, 4]
                assert {"late_answer", "syntax", "no_answer"} <= oddities(journal)

    run(work())


def test_only_one_request_is_under_way_and_many_units_take_turns() -> None:
    under_way = 0
    most = 0
    units: list[int] = []

    async def serve(data: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += len(data) // 12
        most = max(most, under_way)
        units.append(data[6])
        await asyncio.sleep(0.01)
        under_way -= 1
        if data[6] != 3:  # unit 3 is dead
            writer.write(registers(data, data[6]))

    async def work() -> None:
        async with scripted(serve) as port:
            devices = [
                device(f"127.0.0.1:{port}/{unit}", {"holding:0": "a"}, number=unit, timeout=0.1)
                for unit in range(1, 6)
            ]
            async with polling(*devices) as (_hub, journal, _pollers):
                await until(lambda: len(rounds(journal)) >= 40, 10)
            heard = {record[1] for record in journal.of(Kind.MODBUS)}
            assert heard == {f"127.0.0.1:{port}/{unit}" for unit in (1, 2, 4, 5)}
            assert most == 1
            assert set(units) == {1, 2, 3, 4, 5}
            known = {record[1] for record in journal.of(Kind.CONNECTED)}
            assert f"modbus:127.0.0.1:{port}/3" not in known

    run(work())


@pytest.mark.parametrize("code", [6, 11])
def test_a_busy_device_is_left_alone_for_longer_and_longer(code: int) -> None:
    asked: list[float] = []

    async def serve(data: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(asyncio.get_running_loop().time())
        writer.write(refusal(data, code) if len(asked) < 3 else registers(data, 1))

    async def work() -> None:
        async with scripted(serve) as port:
            async with polling(device(f"127.0.0.1:{port}/1", {"holding:5": "a"})) as (
                _hub,
                journal,
                _pollers,
            ):
                await until(lambda: rounds(journal), 10)
            assert asked[1] - asked[0] > 0.9
            assert asked[2] - asked[1] > 1.9
            assert "busy" in oddities(journal)

    run(work())


def test_a_broken_connection_is_made_again_and_a_lost_device_is_told() -> None:
    async def serve(data: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(registers(data, 1))

    async def work() -> None:
        async with scripted(serve) as port:
            known = device(f"127.0.0.1:{port}/1", {"holding:5": "a"})
            async with polling(known) as (hub, journal, pollers):
                await until(lambda: rounds(journal))
                bus = next(iter(pollers.buses.values()))
                assert bus._transport is not None
                bus._transport.abort()
                await until(lambda: journal.of(Kind.DISCONNECTED))
                before = len(rounds(journal))
                await until(lambda: len(rounds(journal)) > before)
                assert [json.loads(record[2])["reason"] for record in journal.of(Kind.DISCONNECTED)] == [
                    "closed"
                ]
                # Out of the register: asked no more.
                hub.take_registry(Registry([], 2))
                await until(lambda: not pollers.buses)
                await asyncio.sleep(0.15)
                before = len(rounds(journal))
                await asyncio.sleep(0.3)
                assert len(rounds(journal)) == before
                assert hub.commands.find(known) is None

    run(work())


def test_rtu_with_echo_and_an_answer_that_comes_too_late() -> None:
    asked: list[bytes] = []

    async def serve(data: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(data)
        writer.write(data)  # the bus returns everything
        answer = data[:2] + b"\x02\x00" + bytes((len(asked),))
        answer += crc_modbus(answer).to_bytes(2, "little")
        if len(asked) == 2:
            await asyncio.sleep(0.4)  # too late: on a new connection nobody takes it for another answer
        writer.write(answer)

    async def work() -> None:
        async with scripted(serve) as port:
            known = device(f"127.0.0.1:{port}/1", {"holding:5": "a"}, transport="rtu", echo=True)
            async with polling(known) as (_hub, journal, _pollers):
                await until(lambda: len(rounds(journal)) >= 3)
                assert [one["holding:5"] for one in rounds(journal)][:3] == [1, 3, 4]
                assert "no_answer" in oddities(journal)

    run(work())


def test_writes_that_fail() -> None:
    async def serve(data: bytes, writer: asyncio.StreamWriter) -> None:
        if data[7] == 6 and data[9] == 1:
            writer.write(refusal(data, 4))
        elif data[7] == 6 and data[9] == 2:
            return
        elif data[7] == 6:
            writer.write(data)
        else:
            writer.write(registers(data, 5))

    async def work() -> None:
        async with scripted(serve) as port:
            known = device(
                f"127.0.0.1:{port}/1",
                {"holding:1": "a", "holding:2": "b", "holding:3": "c"},
                interval=60,
                most=1,
            )
            async with polling(known) as (hub, _journal, _pollers):
                await until(lambda: hub.commands.find(known) is not None)
                assert await sent(hub, order(known, point="a", value=9)) == Outcome(
                    "failed", {"code": "device_failure"}
                )
                assert await sent(hub, order(known, point="b", value=9)) == Outcome(
                    "timed_out", {"code": "no_answer"}
                )
                told = await sent(hub, order(known, point="c", value=9))
                assert told == Outcome("failed", {"code": "read_back_differs", "values": {"holding:3": 5}})

    run(work())


def test_nobody_there_is_counted() -> None:
    async def work() -> None:
        known = device(f"127.0.0.1:{free_port()}/1", {"holding:1": "a"})
        async with polling(known, device("nonsense", {"holding:1": "a"}, number=2)) as (
            hub,
            journal,
            _pollers,
        ):
            await until(lambda: {"unreachable", "bad_key"} <= oddities(journal))
            assert hub.commands.find(known) is None

    run(work())


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
