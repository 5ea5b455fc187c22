"""JT/T 808: packages joined and asked for again, frames found in any stream."""

from __future__ import annotations

import pytest

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808 import location
from yuanmai.protocols.jt808.frame import LONGEST, Frame, decode, encode, make_header, split
from yuanmai.protocols.jt808.location import Location
from yuanmai.protocols.jt808.packages import Assembler
from yuanmai.protocols.jt808.stream import Decoder

PHONE = "13800138000"
BASIC = location.encode(Location(0, 3, 28_000_000, 113_000_000, 50, 600, 90, "2026-11-22 08:00:00"))


def good(raw: bytes) -> Frame:
    found = decode(raw)
    assert isinstance(found, Frame), found
    return found


def message(number: int, body: bytes = b"") -> bytes:
    return encode(make_header(number, PHONE, 7), body)


def test_packages_are_joined_in_any_order() -> None:
    body = bytes(range(256)) * 10
    frames = [good(raw) for raw in split(make_header(0x0801, PHONE, 65534), body)]
    assert [frame.header.serial for frame in frames] == [65534, 65535, 0]
    for order in (frames, frames[::-1], [frames[1], frames[1], frames[0], frames[2]]):
        assembler = Assembler()
        whole = [parts for parts in map(assembler.add, order) if parts is not None]
        assert [parts.body for parts in whole] == [body]
        assert assembler.unfinished == []


def test_missing_packages_are_asked_for() -> None:
    frames = [good(raw) for raw in split(make_header(0x0801, PHONE, 10), b"\0\0\0\x09" + bytes(3000))]
    assembler = Assembler()
    assert [assembler.add(frame) for frame in (frames[0], frames[2])] == [None, None]
    (parts,) = assembler.unfinished
    assert parts.missing == [2]
    assert parts.request(2013).hex() == "000a010002"
    assert parts.request(2019).hex() == "000a00010002"
    media = parts.media_request()
    assert media is not None
    assert media.hex() == "00000009010002"


def test_unfinished_messages_do_not_pile_up() -> None:
    assembler = Assembler(most=2)
    for serial in (10, 20, 30):
        assembler.add(good(split(make_header(0x0801, PHONE, serial), bytes(3000))[0]))
    assert ([parts.first_serial for parts in assembler.unfinished], assembler.dropped) == ([20, 30], 1)
    small = Assembler(most_bytes=1500)
    frames = [good(raw) for raw in split(make_header(0x0801, PHONE, 1), bytes(5000))]
    assert [small.add(frame) for frame in frames] == [None] * 5
    assert small.dropped > 0


A, B = message(0x0002), message(0x0200, BASIC)
BAD = A[:-2] + bytes((A[-2] ^ 1,)) + A[-1:]


def run(chunks: list[bytes]) -> tuple[list[bytes], list[bytes], bytes]:
    decoder = Decoder()
    found = [entry for chunk in chunks for entry in decoder.feed(chunk)]
    frames = [entry.raw for entry in found if isinstance(entry, Frame)]
    return frames, [entry.raw for entry in found if isinstance(entry, Fault)], decoder.pending


@pytest.mark.parametrize(
    ("stream", "bad", "pending"),
    [
        (A + B, 0, b""),
        (A + B[1:], 0, b""),
        (b"\x7e\x7e\x7e" + A + b"\x7e\x7e" + B, 0, b""),
        (b"(0123)\r\n" + A + b"GET / HTTP" + B, 0, b""),
        (A + BAD + B, 1, b""),
        (BAD + A + B[1:], 1, b""),
        (A[:9] + A + B, 1, b""),
        (A + B + A[:9], 0, A[:9]),
        (A + b"\x7e" + bytes(5000) + B, 1, b""),
        (A + B + b"\xde\xad", 0, b"\xde\xad"),
    ],
)
def test_the_next_frame_is_found_whatever_stood_before_it(stream: bytes, bad: int, pending: bytes) -> None:
    result = run([stream])
    assert result[0] == [A, B]
    assert len(result[1]) == bad
    assert result[2] == pending
    step = max(1, len(stream) // 200)
    for cut in range(0, len(stream), step):
        assert run([stream[:cut], stream[cut:]]) == result, cut
    assert run([stream[place : place + 1] for place in range(len(stream))]) == result


def test_no_stream_makes_it_keep_more_than_a_frame() -> None:
    decoder = Decoder()
    decoder.feed(b"\x7e")
    for _piece in range(100):
        decoder.feed(b"\x41" * 10_000)
    assert decoder.peak <= LONGEST
    assert [type(entry) for entry in decoder.feed(A + B)] == [Fault, Frame, Frame]
    decoder.feed(A[:5])
    assert [entry.reason for entry in decoder.flush() if isinstance(entry, Fault)] == ["truncated"]
    assert decoder.pending == b""


def test_a_terminal_that_does_not_escape_can_be_borne() -> None:
    raw = bytes.fromhex("7e0002000000000000067900007d7e")
    (found,) = Decoder(tolerant=True).feed(raw)
    assert isinstance(found, Frame)
    assert found.checksum == 0x7D
