"""The codecs: frames a second on one core, every field read, from a stream in pieces of 64 KiB; beside a peer where one exists.

    python bench/codec.py [--frames 10000]

Prints one JSON line per measurement: what, frames, bytes of one frame, cpu_seconds, per_second (frames a second of CPU time). The
peers are `dlt645` and `pymodbus`, which read the same frames; for HJ 212 and JT/T 808 no package that works was found. The bench
fails where fewer frames come out than went in, or where a peer reads another value.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator

from yuanmai.protocols.dlt645 import frame as dlt645
from yuanmai.protocols.dlt645.items import item_of
from yuanmai.protocols.hj212 import frame as hj212_frame
from yuanmai.protocols.hj212 import stream as hj212
from yuanmai.protocols.hj212.crc import crc
from yuanmai.protocols.jt808 import frame as jt808_frame
from yuanmai.protocols.jt808 import items, location
from yuanmai.protocols.jt808 import stream as jt808
from yuanmai.protocols.jt808.location import Location
from yuanmai.protocols.modbus import frame as modbus_frame
from yuanmai.protocols.modbus import pdu as modbus_pdu
from yuanmai.protocols.sparkplug import payload
from yuanmai.protocols.sparkplug.values import DataType

PIECE = 65536
PASSES = 25
GOALS = {"JT/T 808 location, 12 items": 60_000, "HJ 212, all fields": 100_000}
FACTORS = ("a34004", "a34002", "a01001", "a01002", "a01006", "a01007")
ITEMS = "010400003039020203e803020258250400000000" "2a020000" "2b0400000000" "30011f" "31010e" "140400000000" "150400000000" "17020000" "18020000"  # fmt: skip


def hj212_frame_of(number: int) -> bytes:
    """317 bytes or so: six factors with average and mark, as an air station sends them."""
    values = ";".join(
        f"{code}-Avg={number % 97}.{place}730,{code}-Flag=N" for place, code in enumerate(FACTORS)
    )
    head = f"QN=20190925181031{number % 1000:03d};ST=22;CN=2061;PW=123456;MN=Z1340100001{number % 10000:04d};Flag=5;"
    return hj212_frame.wrap(f"{head}CP=&&DataTime=20190924220000;{values}&&".encode())


def jt808_frame_of(number: int) -> bytes:
    """A position with twelve items."""
    here = Location(
        0, 3, 28_000_000 + number, 113_000_000 - number, 50, 600, number % 360, "2026-11-22 08:00:00"
    )
    body = location.encode(here) + bytes.fromhex(ITEMS)
    return jt808_frame.encode(jt808_frame.make_header(0x0200, "13800138000", number), body)


def pieces(stream: bytes) -> Iterator[bytes]:
    """The stream as a socket hands it over."""
    return (stream[place : place + PIECE] for place in range(0, len(stream), PIECE))


def read_hj212(stream: bytes) -> int:
    """Frames with fields, parameters, factors."""
    decoder = hj212.Decoder()
    return sum(len(decoder.feed(piece)) for piece in pieces(stream)) - decoder.rejected


def read_jt808(stream: bytes) -> int:
    """Positions in degrees, with their items cut out."""
    decoder, count, total = jt808.Decoder(), 0, 0.0
    for piece in pieces(stream):
        for frame in decoder.feed(piece):
            assert isinstance(frame, jt808_frame.Frame)
            found = location.decode(frame.body)
            total += found.latitude + found.longitude
            count += len(found.extras) == 12
    assert total
    return count


def read_jt808_meaning(stream: bytes) -> int:
    """The same, and every item understood."""
    decoder, count = jt808.Decoder(), 0
    for piece in pieces(stream):
        for frame in decoder.feed(piece):
            assert isinstance(frame, jt808_frame.Frame)
            count += items.meaning(location.decode(frame.body).extras)["satellites"] == 14
    return count


def read_dlt645(stream: bytes) -> int:
    """Replies with their value."""
    decoder, count = dlt645.Decoder(), 0
    for piece in pieces(stream):
        for frame in decoder.feed(piece):
            assert isinstance(frame, dlt645.Frame)
            found = item_of(frame)
            count += found is not None and found.values == (123.45,)
    return count


def measure(what: str, frame: Callable[[int], bytes], read: Callable[[bytes], int], frames: int) -> float:
    """Print and return frames a second of CPU time, of many short passes the best: what other processes disturb is not ours."""
    stream = b"".join(frame(number) for number in range(frames))
    best = 0.0
    for _pass in range(PASSES):
        begin = time.process_time()
        count = read(stream)
        taken = time.process_time() - begin
        assert count == frames, (what, count)
        best = max(best, frames / taken)
    report(what, frames, len(stream) // frames, best)
    return best


def report(what: str, frames: int, size: int, per_second: float) -> None:
    """Print one line."""
    line = {"what": what, "frames": frames, "frame_bytes": size, "per_second": round(per_second)}
    line["cpu_seconds"] = round(frames / per_second, 3)
    goal = {"goal": GOALS[what], "reached": per_second >= GOALS[what]} if what in GOALS else {}
    print(json.dumps({**line, **goal}, ensure_ascii=False), flush=True)


def measure_calls(what: str, size: int, call: Callable[[], object], frames: int) -> None:
    """Print calls a second, the best of many short passes."""
    best = 0.0
    for _pass in range(PASSES):
        begin = time.process_time()
        for _frame in range(frames):
            call()
        best = max(best, frames / (time.process_time() - begin))
    report(what, frames, size, best)


def measure_dlt645_beside_peer(frames: int) -> None:
    """The same replies read frame by frame by ours and by the peer."""
    reply = dlt645.encode("000000000161", 0x91, bytes.fromhex("00000100") + bytes.fromhex("45230100"), 4)
    measure("DL/T 645, one value", lambda _number: reply, read_dlt645, frames)
    measure_calls("DL/T 645 frame alone", len(reply), lambda: dlt645.decode(reply), frames)
    try:
        from dlt645.protocol.protocol import DLT645Protocol
    except ImportError:
        print(json.dumps({"what": "dlt645 (peer)", "skipped": "not installed"}), flush=True)
        return
    theirs = DLT645Protocol.deserialize(reply)
    ours = dlt645.decode(reply)
    assert isinstance(ours, dlt645.Frame)
    assert bytes(theirs.data) == ours.data, (theirs.data, ours.data)
    measure_calls(
        "DL/T 645 frame alone, dlt645 (peer)", len(reply), lambda: DLT645Protocol.deserialize(reply), frames
    )


def measure_modbus_beside_peer(frames: int) -> None:
    """Answers with 125 registers, as they come from a socket."""
    asked = modbus_pdu.Request(modbus_pdu.READ_HOLDING, 0, 125)
    answer = modbus_pdu.answer(asked, list(range(125)))
    raw = modbus_frame.encode_tcp(7, 1, answer)
    decoder = modbus_frame.TcpDecoder()

    def ours() -> int:
        (found,) = decoder.feed(raw)
        assert isinstance(found, modbus_frame.Adu)
        told = modbus_pdu.decode(asked, found.pdu)
        assert isinstance(told, modbus_pdu.Answer)
        return told.values[124]

    measure_calls("Modbus TCP, 125 registers", len(raw), ours, frames)
    try:
        from pymodbus.framer import FramerSocket
        from pymodbus.pdu import DecodePDU
    except ImportError:
        print(json.dumps({"what": "pymodbus (peer)", "skipped": "not installed"}), flush=True)
        return
    framer = FramerSocket(DecodePDU(False))

    def theirs() -> int:
        _used, found = framer.handleFrame(raw, 1, 7)
        return int(found.registers[124])

    assert ours() == theirs() == 124
    measure_calls("Modbus TCP, 125 registers, pymodbus (peer)", len(raw), theirs, frames)


def main() -> None:
    """Measure on one core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=10_000)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    measure("HJ 212, all fields", hj212_frame_of, read_hj212, options.frames)
    segment = hj212_frame_of(1)[6:-6]
    measure_calls("HJ 212 checksum", len(segment), lambda: crc(segment), options.frames)
    measure("JT/T 808 location, 12 items", jt808_frame_of, read_jt808, options.frames)
    measure("JT/T 808 location, 12 items understood", jt808_frame_of, read_jt808_meaning, options.frames)
    measure_dlt645_beside_peer(options.frames)
    measure_modbus_beside_peer(options.frames // 10)
    metrics = [payload.Metric(None, alias, 1_700_000_000_000, DataType.Float, 1.5) for alias in range(10)]
    data = payload.encode(payload.Payload(1_700_000_000_000, 1, None, metrics))
    measure_calls("Sparkplug B, ten metrics", len(data), lambda: payload.decode(data), options.frames // 10)


if __name__ == "__main__":
    main()
