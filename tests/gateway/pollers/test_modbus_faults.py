"""The Modbus poller with devices that behave badly: late, busy, gone, echoing, refusing."""

from __future__ import annotations

import asyncio
import json
import struct

import pytest

from tests.gateway.kit import run
from tests.gateway.mqtt.foreign import free_port
from tests.gateway.pollers.kit import device, oddities, order, polling, rounds, scripted, sent, until
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.orders import Outcome
from yuanmai.protocols.bits import crc_modbus


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
