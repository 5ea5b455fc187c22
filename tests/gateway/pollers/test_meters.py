"""Meters behind serial servers: the simulated meters of the package dlt645, ours, and a bus with several of them that misbehaves."""

from __future__ import annotations

import asyncio

from dlt645 import MeterServerService

from tests.gateway.kit import run
from tests.gateway.mqtt.foreign import free_port
from tests.gateway.pollers.kit import device, oddities, polling, scripted, until
from yuanmai.demo.simulators.meter import Bus as SimulatedBus
from yuanmai.demo.simulators.stats import Stats
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import MemoryJournal
from yuanmai.gateway.pollers.meters import blocks
from yuanmai.protocols.cjt188 import frame as cjt188
from yuanmai.protocols.dlt645 import frame as dlt645
from yuanmai.protocols.dlt645.items import item_of

ENERGY, VOLTS, NONE = "00010000", "0201FF00", "02FF0000"


def values(journal: MemoryJournal, key: str = "") -> dict[str, tuple[float | None, ...]]:
    """The last answers in the journal by data item."""
    found = {}
    for _kind, who, payload, _at in journal.of(Kind.DLT645):
        frame = dlt645.decode(payload)
        item = item_of(frame) if isinstance(frame, dlt645.Frame) else None
        if item is not None and key in ("", who):
            found[item.di] = item.values
    return found


def test_a_meter_of_the_package_dlt645() -> None:
    async def work() -> None:
        port = free_port()
        meter = MeterServerService.new_tcp_server("127.0.0.1", port, 2.0)
        assert meter.set_address(bytes.fromhex("000000012345")[::-1])  # it keeps addresses as they travel
        assert meter.set_00(0x00010000, 12345.67)
        assert meter.set_02(0x02010100, 229.5)
        assert meter.start()
        try:
            known = device(
                f"127.0.0.1:{port}/000000012345", {ENERGY: "energy", "02010100": "volt"}, "dlt645", timeout=2
            )
            async with polling(known) as (_hub, journal, _pollers):
                await until(lambda: len(values(journal)) == 2, 10)
                assert values(journal) == {ENERGY: (12345.67,), "02010100": (229.5,)}
                assert meter.set_00(0x00010000, 12346.0)
                await until(lambda: values(journal)[ENERGY] == (12346.0,), 10)
                assert [record[1] for record in journal.of(Kind.CONNECTED)] == [f"dlt645:{known.key}"]
        finally:
            await asyncio.to_thread(meter.stop)

    run(work())


def test_several_meters_share_a_bus_that_echoes() -> None:
    async def work() -> None:
        bus = SimulatedBus(["000000000001", "000000000002"], Stats(), echo=True)
        port = await bus.start("127.0.0.1", 0)
        devices = [
            device(
                f"127.0.0.1:{port}/{number:012d}",
                {ENERGY: "energy", "02010100": "volt", NONE: "none"},
                "dlt645",
                number,
            )
            for number in (1, 2, 3)  # the third is not there
        ]
        async with polling(*devices) as (_hub, journal, _pollers):
            await until(
                lambda: {record[1] for record in journal.of(Kind.DLT645)} == {devices[0].key, devices[1].key}
            )
            await until(lambda: "no_answer" in oddities(journal))
            await asyncio.sleep(0.5)
            assert set(values(journal, devices[0].key)) == {ENERGY, "02010100"}
            refused = [
                payload
                for _kind, who, payload, _at in journal.of(Kind.DLT645)
                if who == devices[0].key and payload[8] & 0x40
            ]
            assert len(refused) == 1  # what the meter does not have is asked once

    run(work())


def test_data_that_follows_is_fetched_and_nothing_foreign_is_taken() -> None:
    address = "112233445566"

    async def serve(data: bytes, writer: asyncio.StreamWriter) -> None:
        asked = dlt645.decode(data)
        assert isinstance(asked, dlt645.Frame)
        named = asked.data[:4]
        volts = bytes.fromhex("9522 0023 0523".replace(" ", ""))
        if asked.function == dlt645.READ:
            writer.write(dlt645.encode("999999999998", 0x91, named + volts))  # another meter
            writer.write(dlt645.encode(address, 0x91, bytes(4) + volts))  # another item
            writer.write(
                b"\x68\x16\x68" + dlt645.encode(address, 0x91, named + volts)[:-3] + b"\x00\x00\x16"
            )  # damaged
            writer.write(dlt645.encode(address, 0xB1, named + volts, 4))
        else:
            number = asked.data[4]
            control = 0xB2 if number < 2 else 0x92
            writer.write(dlt645.encode(address, control, named + volts + bytes((number,))))

    async def work() -> None:
        async with scripted(serve) as port:
            known = device(f"127.0.0.1:{port}/{address}", {VOLTS: "volts"}, "dlt645", interval=60)
            async with polling(known) as (_hub, journal, _pollers):
                await until(lambda: len(list(journal.of(Kind.DLT645))) == 3)
                frames = [dlt645.decode(record[2]) for record in journal.of(Kind.DLT645)]
                assert [
                    (frame.function, frame.follow) for frame in frames if isinstance(frame, dlt645.Frame)
                ] == [
                    (0x11, True),
                    (0x12, True),
                    (0x12, False),
                ]
                assert all(isinstance(frame, dlt645.Frame) and frame.address == address for frame in frames)
                assert "late_answer" in oddities(journal)

    run(work())


def test_water_meters_want_their_data_item_one_way_or_the_other() -> None:
    asked: list[bytes] = []

    def serves(high_first: bool, address: str):  # type: ignore[no-untyped-def]
        async def serve(data: bytes, writer: asyncio.StreamWriter) -> None:
            request = cjt188.decode(data)
            assert isinstance(request, cjt188.Frame)
            asked.append(request.data)
            wanted = b"\x90\x1f" if high_first else b"\x1f\x90"
            if request.data[:2] == wanted and request.address == address:
                content = bytes.fromhex("56341200 2c 00000000 2c 00000000000000 0000".replace(" ", ""))
                writer.write(data)  # echo
                writer.write(
                    cjt188.encode(0x10, address, 0x81, wanted + bytes((request.data[2] ^ 1,)) + content)
                )  # a late one
                writer.write(cjt188.encode(0x10, address, 0x81, request.data[:3] + content, 3))

        return serve

    async def work() -> None:
        for high_first in (False, True):
            asked.clear()
            address = "33010012345678"
            async with scripted(serves(high_first, address)) as port:
                known = device(f"127.0.0.1:{port}/{address}", {"total": "total"}, "cjt188")
                async with polling(known) as (_hub, journal, _pollers):
                    await until(lambda journal=journal: len(list(journal.of(Kind.CJT188))) >= 3)
                    assert "late_answer" in oddities(journal)
            # The other order is tried once, before the first answer.
            assert sum(data[:2] == b"\x1f\x90" for data in asked) == (1 if high_first else len(asked))

    run(work())


def test_electricity_and_water_on_one_bus() -> None:
    async def serve(data: bytes, writer: asyncio.StreamWriter) -> None:
        electric = dlt645.decode(data)
        if isinstance(electric, dlt645.Frame):
            writer.write(dlt645.encode(electric.address, 0x91, electric.data[:4] + b"\x67\x45\x23\x01"))
            return
        water = cjt188.decode(data)
        assert isinstance(water, cjt188.Frame)
        writer.write(cjt188.encode(0x10, water.address, 0x81, water.data[:3] + bytes(19)))

    async def work() -> None:
        async with scripted(serve) as port:
            devices = (
                device(f"127.0.0.1:{port}/000000000001", {ENERGY: "energy"}, "dlt645", 1),
                device(f"127.0.0.1:{port}/00000000000002", {"total": "total"}, "cjt188", 2),
            )
            async with polling(*devices) as (_hub, journal, pollers):
                await until(lambda: list(journal.of(Kind.DLT645)) and list(journal.of(Kind.CJT188)))
                assert len(pollers.buses) == 1

    run(work())


def test_blocks() -> None:
    assert blocks(["02010100", "02010200", "02010300", "02030000", ENERGY]) == [
        "0201FF00",
        "02030000",
        ENERGY,
    ]
