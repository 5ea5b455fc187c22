"""Modbus: our frames beside those of pymodbus, streams in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import register_message as registers

from yuanmai.protocols.bits import crc_modbus
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.modbus import pdu
from yuanmai.protocols.modbus.frame import Adu, RtuDecoder, TcpDecoder, encode_rtu, encode_tcp

ADDRESS = st.integers(0, 0xFF00)
REGISTER = st.integers(0, 0xFFFF)


def peers(message: ModbusPDU, unit: int = 17, transaction: int = 0x1234) -> tuple[bytes, bytes]:
    """The same message as pymodbus sends it, over TCP and as RTU."""
    message.dev_id, message.transaction_id = unit, transaction
    return FramerSocket(DecodePDU(True)).buildFrame(message), FramerRTU(DecodePDU(True)).buildFrame(message)


REQUESTS = [
    (pdu.read(1, 19, 37), bits.ReadCoilsRequest(address=19, count=37)),
    (pdu.read(2, 0, 2000), bits.ReadDiscreteInputsRequest(address=0, count=2000)),
    (pdu.read(3, 107, 125), registers.ReadHoldingRegistersRequest(address=107, count=125)),
    (pdu.read(4, 0xFFFF, 1), registers.ReadInputRegistersRequest(address=0xFFFF, count=1)),
    (pdu.write_coil(172, True), bits.WriteSingleCoilRequest(address=172, bits=[True])),
    (pdu.write_coil(172, False), bits.WriteSingleCoilRequest(address=172, bits=[False])),
    (pdu.write_register(1, 0xABCD), registers.WriteSingleRegisterRequest(address=1, registers=[0xABCD])),
    (
        pdu.write_coils(19, [True, False, True, True, False, False, True, True, True, False]),
        bits.WriteMultipleCoilsRequest(
            address=19, bits=[True, False, True, True, False, False, True, True, True, False]
        ),
    ),
    (
        pdu.write_registers(1, [10, 258, 65535]),
        registers.WriteMultipleRegistersRequest(address=1, registers=[10, 258, 65535]),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), REQUESTS)
def test_requests_are_those_of_pymodbus(ours: bytes, theirs: ModbusPDU) -> None:
    assert (encode_tcp(0x1234, 17, ours), encode_rtu(17, ours)) == peers(theirs)
    asked = pdu.decode_request(ours)
    assert isinstance(asked, pdu.Request)
    assert pdu.encode(asked) == ours


def test_examples_of_the_specification() -> None:
    """Modbus Application Protocol 1.1b3, 6.1 to 6.12, and 7."""
    assert pdu.read(1, 0x13, 0x13).hex() == "0100130013"
    coils = pdu.decode(pdu.Request(1, 0x13, 0x13), bytes.fromhex("0103cd6b05"))
    assert isinstance(coils, pdu.Answer)
    assert [int(value) for value in coils.values] == [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1]
    assert pdu.decode(pdu.Request(3, 0x6B, 3), bytes.fromhex("0306022b00000064")) == pdu.Answer(
        3, 0x6B, 3, (555, 0, 100)
    )
    assert pdu.write_registers(1, [10, 0x102]).hex() == "100001000204000a0102"
    assert pdu.write_coils(0x13, [bool(int(sign)) for sign in "1011001110"]).hex() == "0f0013000a02cd01"
    refusal = pdu.decode(pdu.Request(1, 0x4A1, 1), bytes.fromhex("8102"))
    assert isinstance(refusal, pdu.Refusal)
    assert (refusal.code, refusal.name) == (2, "address")
    assert crc_modbus(b"123456789") == 0x4B37
    assert encode_rtu(1, pdu.read(3, 0, 10)).hex() == "01030000000ac5cd"


ANSWERS = [
    (pdu.Request(1, 0, 10), [True] * 3 + [False] * 7, bits.ReadCoilsResponse(bits=[True] * 3 + [False] * 7)),
    (pdu.Request(2, 5, 3), [False, True, True], bits.ReadDiscreteInputsResponse(bits=[False, True, True])),
    (pdu.Request(3, 0, 2), [1, 65535], registers.ReadHoldingRegistersResponse(registers=[1, 65535])),
    (pdu.Request(4, 0, 1), [258], registers.ReadInputRegistersResponse(registers=[258])),
    (pdu.Request(5, 7, 1, (1,)), [], bits.WriteSingleCoilResponse(address=7, bits=[True])),
    (pdu.Request(6, 7, 1, (9,)), [], registers.WriteSingleRegisterResponse(address=7, registers=[9])),
    (pdu.Request(15, 7, 4, (1, 0, 1, 1)), [], bits.WriteMultipleCoilsResponse(address=7, count=4)),
    (pdu.Request(16, 7, 2, (1, 2)), [], registers.WriteMultipleRegistersResponse(address=7, count=2)),
]


@pytest.mark.parametrize(("request_", "read", "theirs"), ANSWERS)
def test_answers_are_those_of_pymodbus(request_: pdu.Request, read: list[int], theirs: ModbusPDU) -> None:
    ours = pdu.answer(request_, read)
    assert (encode_tcp(0x1234, 17, ours), encode_rtu(17, ours)) == peers(theirs)
    assert pdu.decode(request_, ours) == pdu.Answer(
        request_.function, request_.address, request_.count, tuple(read)
    )


@pytest.mark.parametrize("code", [*pdu.EXCEPTIONS, 99])
def test_exceptions(code: int) -> None:
    ours = pdu.refuse(3, code)
    assert (encode_tcp(0x1234, 17, ours), encode_rtu(17, ours)) == peers(ExceptionResponse(3, code))
    assert pdu.decode(pdu.Request(3, 0, 2), ours) == pdu.Refusal(3, code)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "too_short"),
        ("03", "too_short"),
        ("0304000100", "bad_length"),
        ("03020001", "bad_length"),
        ("030600010002", "bad_length"),
        ("040400010002", "mismatch"),
        ("8402", "mismatch"),
        ("830200", "bad_length"),
    ],
)
def test_answers_that_fit_no_request(answer: str, reason: str) -> None:
    found = pdu.decode(pdu.Request(3, 0, 2), bytes.fromhex(answer))
    assert isinstance(found, Fault)
    assert found.reason == reason


def test_a_write_is_confirmed_only_by_its_own_echo() -> None:
    asked = pdu.Request(6, 7, 1, (9,))
    assert pdu.decode(asked, pdu.write_register(7, 9)) == pdu.Answer(6, 7, 1)
    for other in (pdu.write_register(7, 8), pdu.write_register(8, 9)):
        assert isinstance(pdu.decode(asked, other), Fault)


@pytest.mark.parametrize(
    "call",
    [
        lambda: pdu.read(3, 0, 126),
        lambda: pdu.read(1, 0, 2001),
        lambda: pdu.read(3, 0, 0),
        lambda: pdu.read(3, 0xFFFF, 2),
        lambda: pdu.read(7, 0, 1),
        lambda: pdu.write_register(0, 65536),
        lambda: pdu.write_register(-1, 0),
        lambda: pdu.write_registers(0, [0] * 124),
        lambda: pdu.write_registers(0, []),
        lambda: pdu.write_coils(0, [True] * 1969),
        lambda: pdu.encode(pdu.Request(6, 0, 1)),
        lambda: pdu.answer(pdu.Request(3, 0, 2), [1]),
        lambda: encode_tcp(65536, 1, b"\1"),
        lambda: encode_tcp(1, 256, b"\1"),
        lambda: encode_rtu(1, b""),
        lambda: encode_rtu(1, bytes(254)),
    ],
)
def test_what_may_not_be_sent_is_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=r"\d"):
        call()


def test_longest_requests_are_taken() -> None:
    assert len(encode_rtu(1, pdu.write_registers(0, [1] * 123))) == 255
    assert len(encode_tcp(1, 1, pdu.write_coils(0, [True] * 1968))) == 259
    longest = bytes((3, 250)) + bytes(250)
    assert TcpDecoder().feed(encode_tcp(7, 1, longest)) == [Adu(1, longest, 7, encode_tcp(7, 1, longest))]
    assert RtuDecoder().feed(encode_rtu(1, longest)) == [Adu(1, longest, -1, encode_rtu(1, longest))]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("03", "too_short"),
        ("0700000001", "syntax"),
        ("0500000001", "syntax"),
        ("050000ff0000", "bad_length"),
        ("030000000100", "bad_length"),
        ("0300000000", "out_of_range"),
        ("030000007e", "out_of_range"),
        ("03ffff0002", "out_of_range"),
        ("1000000001020001ff", "bad_length"),
        ("100000000103000100", "bad_length"),
    ],
)
def test_requests_that_are_none(sent: str, reason: str) -> None:
    found = pdu.decode_request(bytes.fromhex(sent))
    assert isinstance(found, Fault)
    assert found.reason == reason


FRAMES = [encode_tcp(number, 1, body) for number, (body, _theirs) in enumerate(REQUESTS)]


def in_pieces(stream: bytes, size: int) -> list[bytes]:
    return [stream[place : place + size] for place in range(0, len(stream), size)]


@pytest.mark.parametrize("size", [1, 2, 5, 7, 1000])
def test_tcp_in_pieces(size: int) -> None:
    decoder = TcpDecoder()
    found = [entry for piece in in_pieces(b"".join(FRAMES), size) for entry in decoder.feed(piece)]
    assert [entry.raw for entry in found] == FRAMES
    assert [entry.transaction for entry in found if isinstance(entry, Adu)] == list(range(len(FRAMES)))
    assert decoder.pending == b""


def test_tcp_finds_its_way_after_nonsense() -> None:
    decoder = TcpDecoder()
    found = decoder.feed(b"GET / HTTP/1.1\r\n" + FRAMES[0] + b"\xff\xff\xff" + FRAMES[1] + FRAMES[2][:5])
    assert [getattr(entry, "reason", "frame") for entry in found] == ["syntax", "frame", "syntax", "frame"]
    assert decoder.pending == FRAMES[2][:5]
    assert [fault.raw for fault in decoder.flush()] == [FRAMES[2][:5]]
    assert (decoder.noise, decoder.rejected) == (19, 3)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("master", [True, False])
def test_rtu_in_pieces(size: int, master: bool) -> None:
    bodies = [pdu.answer(asked, read) for asked, read, _theirs in ANSWERS] + [pdu.refuse(3, 6)]
    frames = [encode_rtu(9, body) for body in (bodies if master else [body for body, _theirs in REQUESTS])]
    decoder = RtuDecoder(master=master)
    found = [entry for piece in in_pieces(b"".join(frames), size) for entry in decoder.feed(piece)]
    assert [entry.raw for entry in found] == frames
    assert decoder.noise == decoder.rejected == 0


def test_rtu_finds_its_way_after_a_broken_answer_and_an_echo() -> None:
    asked, answer = encode_rtu(1, pdu.read(3, 0, 1)), encode_rtu(1, bytes.fromhex("03020064"))
    broken = answer[:-1] + bytes((answer[-1] ^ 1,))
    decoder = RtuDecoder()
    found = decoder.feed(asked + broken + answer)
    assert [entry.pdu for entry in found if isinstance(entry, Adu)] == [bytes.fromhex("03020064")]
    assert decoder.rejected == 1
    cut = RtuDecoder()
    assert cut.feed(answer[:4]) == []
    assert "truncated" in [getattr(entry, "reason", "") for entry in cut.flush()]
    assert [entry.raw for entry in cut.feed(answer)] == [answer]


@pytest.mark.parametrize("size", [1, 3, 8, 100])
def test_rtu_leaves_out_the_echo_of_what_was_sent(size: int) -> None:
    asked, answer = encode_rtu(1, pdu.read(3, 0x1000, 1)), encode_rtu(1, bytes.fromhex("03020064"))
    for stream in (asked + answer, answer):
        decoder = RtuDecoder()
        decoder.expect_echo(asked)
        found = [entry for piece in in_pieces(stream, size) for entry in decoder.feed(piece)]
        assert [entry.raw for entry in found] == [answer]
        assert decoder.noise == 0


def test_rtu_hears_nothing_in_a_storm_until_a_pause() -> None:
    answer = encode_rtu(1, bytes.fromhex("03020064"))
    decoder = RtuDecoder()
    assert [entry.raw[:1] for entry in decoder.feed(b"\0" * 2000 + answer) if isinstance(entry, Adu)] == []
    decoder.flush()
    assert [entry.raw for entry in decoder.feed(answer)] == [answer]


@given(st.binary(max_size=600), st.integers(0, 600), st.booleans())
def test_any_bytes_give_frames_or_faults_however_they_are_cut(data: bytes, cut: int, tcp: bool) -> None:
    whole, pieces = (TcpDecoder(), TcpDecoder()) if tcp else (RtuDecoder(), RtuDecoder())
    one = whole.feed(data) + whole.flush()
    two = pieces.feed(data[:cut]) + pieces.feed(data[cut:]) + pieces.flush()
    frames = [entry for entry in one if isinstance(entry, Adu)]
    assert frames == [entry for entry in two if isinstance(entry, Adu)]
    assert whole.noise == pieces.noise
    for entry in frames:
        again = (
            encode_tcp(entry.transaction, entry.unit, entry.pdu) if tcp else encode_rtu(entry.unit, entry.pdu)
        )
        assert again == entry.raw


@given(st.integers(0, 65535), st.integers(0, 255), ADDRESS, st.lists(REGISTER, min_size=1, max_size=123))
def test_requests_return_as_they_went(transaction: int, unit: int, address: int, written: list[int]) -> None:
    body = pdu.write_registers(address, written)
    found = TcpDecoder().feed(encode_tcp(transaction, unit, body))
    assert [(entry.transaction, entry.unit) for entry in found if isinstance(entry, Adu)] == [
        (transaction, unit)
    ]
    assert pdu.decode_request(body) == pdu.Request(16, address, len(written), tuple(written))


@given(st.binary(max_size=300), st.sampled_from([asked for asked, _read, _theirs in ANSWERS]))
def test_any_answer_is_understood_or_a_fault(data: bytes, asked: pdu.Request) -> None:
    found = pdu.decode(asked, data)
    assert isinstance(found, pdu.Answer | pdu.Refusal | Fault)
    assert isinstance(pdu.decode_request(data), pdu.Request | Fault)
