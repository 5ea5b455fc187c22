"""The simulators are read by our codecs, which they share no code with, and the other way round."""

import asyncio
import itertools
import struct
import time

import pytest

from yuanmai.demo.simulators import world
from yuanmai.demo.simulators.meter import Bus, Registers
from yuanmai.demo.simulators.mqtt import packet
from yuanmai.demo.simulators.park import clients
from yuanmai.demo.simulators.run import CLIENTS
from yuanmai.demo.simulators.station import Station
from yuanmai.demo.simulators.stats import Stats
from yuanmai.demo.simulators.terminal import Terminal
from yuanmai.protocols.dlt645 import frame as dlt645
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212.stream import Decoder as StationDecoder
from yuanmai.protocols.jt808.stream import Decoder as TerminalDecoder

NOW = 1_795_000_000.0


class Kept:
    """What a client writes."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def test_a_station_sends_what_the_decoder_reads() -> None:
    station = Station("", 0, 20, Stats(), mn="YM4407840000000000000001")
    station.writer = kept = Kept()  # type: ignore[assignment]
    station.say(NOW)
    station.say(NOW + 700)
    frames = StationDecoder().feed(kept.data)
    assert len(frames) == 3  # two of the moment, one of ten minutes
    assert not [frame for frame in frames if isinstance(frame, Fault)]
    assert station.stats.sent == 3


@pytest.mark.parametrize("newer", [False, True])
def test_a_terminal_sends_what_the_decoder_reads(newer: bool) -> None:
    terminal = Terminal("", 0, 5, Stats(), phone="13900440001", newer=newer)
    terminal.writer = kept = Kept()  # type: ignore[assignment]
    for second in range(300):
        terminal.say(NOW + second)
    frames = TerminalDecoder().feed(kept.data)
    assert len(frames) == 300
    assert not [frame for frame in frames if isinstance(frame, Fault)]


def test_a_terminal_answers_the_platform() -> None:
    terminal = Terminal("", 0, 5, Stats(), phone="13900440001")
    terminal.writer = kept = Kept()  # type: ignore[assignment]
    platform = Terminal("", 0, 5, Stats(), phone="13900440001")
    _serial, text = platform.message(0x8300, b"\x01" + "前方右转".encode("gbk"))
    terminal.hear(text[:7])
    terminal.hear(text[7:])
    assert terminal.texts == ["前方右转"]
    assert terminal.stats.commands == 1
    assert len(TerminalDecoder().feed(kept.data)) == 1


def test_a_meter_answers_a_read_request() -> None:
    bus = Bus(["000000440001"], Stats())
    asked = bus.wrap(bytes.fromhex("010044000000"), 0x11, bytes.fromhex("00000100"))
    answer = bus.answer(asked)
    assert answer is not None
    assert not isinstance(dlt645.decode(answer), Fault)
    assert bus.answer(asked[:-2] + b"\x00\x16") is None


def test_registers_answer_reads_writes_and_refuse_the_rest() -> None:
    meter = Registers("hv-01", Stats())
    answer = meter.answer(struct.pack(">BHH", 3, 0, 2))
    assert answer[:2] == b"\x03\x04"
    assert 220 < struct.unpack(">f", answer[2:])[0] < 240
    assert meter.answer(struct.pack(">BHH", 6, 100, 235)) == struct.pack(">BHH", 6, 100, 235)
    assert meter.held[100] == 235
    assert meter.answer(struct.pack(">BHH", 3, 500, 1)) == b"\x83\x02"
    assert meter.answer(struct.pack(">BHH", 3, 0, 200)) == b"\x83\x03"


@pytest.mark.parametrize("length", [0, 127, 128, 16_383, 16_384, 300_000])
def test_remaining_length_is_written_as_mqtt_has_it(length: int) -> None:
    made = packet(0x30, bytes(length))
    value, shift, place = 0, 0, 1
    while True:
        value |= (made[place] & 127) << shift
        if made[place] < 128:
            break
        shift, place = shift + 7, place + 1
    assert value == length
    assert len(made) == place + 1 + length


def test_a_vehicle_never_leaps() -> None:
    ring = [(112.9, 22.7), (112.91, 22.7), (112.91, 22.71), (112.9, 22.71)]
    before = world.drive("x", NOW, ring, 60)
    for second in range(1, 3000):
        here = world.drive("x", NOW + second, ring, 60)
        metres = ((here[0] - before[0]) ** 2 + (here[1] - before[1]) ** 2) ** 0.5 * world.METRES_PER_DEGREE
        assert metres < 25
        before = here


def test_a_counter_never_falls() -> None:
    values = [world.counted("m", NOW + step * 60, 0.01, NOW - 86_400) for step in range(3000)]
    assert all(later > earlier for earlier, later in itertools.pairwise(values))


def test_the_park_has_its_set_and_kinds_have_makers() -> None:
    made = clients("127.0.0.1", Stats())
    assert len(made) == 4 + 1 + 4 + 12 + 2 + 2 + 1
    assert {protocol for protocol, _make in CLIENTS.values()} == {"hj212", "jt808", "mqtt"}


def test_a_client_comes_again_and_counts_acknowledgements() -> None:
    async def run() -> Stats:
        stats = Stats()
        dropped = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal dropped
            data = await reader.readuntil(b"\r\n")
            if not dropped:
                dropped += 1
                writer.close()
                return
            qn = data.partition(b"QN=")[2][:17].decode()
            from yuanmai.demo.simulators.station import frame

            writer.write(frame(f"QN={qn};ST=91;CN=9014;PW=123456;MN=M1;Flag=4;CP=&&&&"))
            await writer.drain()
            await asyncio.sleep(0.2)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        station = Station("127.0.0.1", port, 0.05, stats, mn="M1")
        task = asyncio.create_task(station.run())
        deadline = time.monotonic() + 10
        while not stats.acknowledged and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        task.cancel()
        server.close()
        return stats

    stats = asyncio.run(run())
    assert stats.acknowledged >= 1
    assert stats.quantile(0.5) is not None
