"""HJ 212: worked cases of the standard, what the field sends, resynchronisation, records and dialogues."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.protocols.bits import crc_modbus
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212.crc import crc, possible
from yuanmai.protocols.hj212.dialogue import Dialogue, State
from yuanmai.protocols.hj212.factors import factors, find, number
from yuanmai.protocols.hj212.frame import Frame, Profile, decode, encode, wrap
from yuanmai.protocols.hj212.messages import (
    acknowledgement,
    command,
    reply,
    set_clock,
    set_minute_interval,
    set_real_time_interval,
    uploads_data,
)
from yuanmai.protocols.hj212.packages import join
from yuanmai.protocols.hj212.stream import Decoder

MN = "010000A8900016F000169DC0"
HEAD = f"QN=20160801085857223;ST=32;CN=2011;PW=123456;MN={MN};Flag=5;"


def of(content: str, head: str = HEAD) -> bytes:
    return wrap(f"{head}CP=&&{content}&&".encode())


def good(raw: bytes, profile: Profile | None = None) -> Frame:
    found = decode(raw, profile) if profile else decode(raw)
    assert isinstance(found, Frame), found
    return found


def reason(raw: bytes) -> str:
    found = decode(raw)
    assert isinstance(found, Fault)
    return found.reason


def plain_crc(data: bytes) -> int:
    """The standard's own words: shift right by eight, mix the byte in, eight rounds."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _round in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return register


def test_checksum_of_the_standard_and_of_modbus() -> None:
    assert crc(b"123456789") == 0x2F80
    assert crc_modbus(b"123456789") == 0x4B37
    assert possible(0x2F80)
    assert not possible(0x4B37)


@given(st.binary(max_size=300))
def test_folding_gives_the_checksum_of_the_text(data: bytes) -> None:
    assert crc(data) == plain_crc(data)


@pytest.mark.parametrize(
    ("content", "params", "values"),
    [
        ("", {}, {}),
        (
            "DataTime=20160801085857;w01018-Rtd=2.2,w01018-Flag=N",
            {"DataTime": "20160801085857"},
            {"w01018": {"Rtd": "2.2", "Flag": "N"}},
        ),
        ("Nh3-scr-Rtd=4.1;LA-Rtd-Rtd=71.0", {}, {"Nh3-scr": {"Rtd": "4.1"}, "LA-Rtd": {"Rtd": "71.0"}}),
        ("BeginTime=1,EndTime=2", {"BeginTime": "1", "EndTime": "2"}, {}),
        ("a=1;", {"a": "1"}, {}),
        ("a=1;;b=", {"a": "1", "b": ""}, {}),
        ("w1-Rtd=1;w1-Rtd=2;w1-Flag=N", {}, {"w1": {"Rtd": "2", "Flag": "N"}}),
        ("i11001-Info=//开,关;a=b//;x=1", {"x": "1"}, {"i11001": {"Info": "//开,关;a=b//"}}),
        ("k=a=b", {"k": "a=b"}, {}),
    ],
)
def test_items(content: str, params: dict[str, str], values: dict[str, dict[str, str]]) -> None:
    found = good(of(content))
    assert (found.params, found.factors) == (params, values)


def test_what_the_field_sends_is_read_and_noted() -> None:
    lower = of("a=1").decode()
    assert good((lower[:-6] + lower[-6:].lower()).encode()).crc == lower[-6:-2]
    assert good(of("a=1", "ST=32;CN=2011;PW=;MN=88;")).flag is None
    assert good(of("a=1", "ST=32;CN=2011;PW=123456;,MN=88;")).fields["MN"] == "88"
    flag = good(of("a=1", "ST=32;CN=2011;MN=88;FLAG=9;")).flag
    assert flag is not None
    assert (flag.version, flag.needs_ack) == (2, True)
    assert good(of("PNUM=3;PNO=2")).number == (3, 2)
    assert good(of("a=1")[:-2]).odd == ("no_line_end",)
    assert good(of("a=1")[:-2] + b"**\r\n").odd == ("bytes_after_crc",)
    assert "blank" in good(wrap(f"{HEAD}CP=&&a=1&& ".encode())).odd
    assert "long_segment" in good(of(";".join(f"w{n:05d}-Rtd=1.0" for n in range(80)))).odd
    gbk = wrap(f"{HEAD}CP=&&Info=正常&&".encode("gb18030"))
    assert good(gbk).params == {"Info": "正常"}
    assert good(gbk, Profile(encoding="gbk")).odd == ()
    assert isinstance(decode(gbk, Profile(encoding="no such")), Frame)


def test_a_station_with_another_checksum_has_a_profile() -> None:
    raw = encode({"MN": "1"}, {"a": "1"}, profile=Profile(crc="modbus"))
    assert reason(raw) == "crc_mismatch"
    assert good(raw, Profile(crc="modbus")).params == {"a": "1"}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "truncated"),
        (b"#", "truncated"),
        (b"xx", "syntax"),
        (b"##01", "truncated"),
        (b"##01A1QN=", "bad_length"),
        (b"##0000", "bad_length"),
        (of("a=1")[:40], "truncated"),
        (of("a=1")[:-4] + b"G0\r\n", "bad_crc_field"),
        (of("a=1").replace(b"a=1", b"a=2"), "crc_mismatch"),
        (b"##0001" + of("a=1")[6:], "bad_crc_field"),
        (b"##0092" + of("a=1")[6:], "bad_crc_field"),
        (b"##0999" + of("a=1")[6:], "truncated"),
        (wrap(f"{HEAD}DP=1".encode()), "bad_cp"),
        (wrap(f"{HEAD}CP=&&a=1".encode()), "bad_cp"),
        (wrap(f"{HEAD}CP=&&a=1&".encode()), "bad_cp"),
        (wrap(f"{HEAD}CP=&&&".encode()), "bad_cp"),
        (of("nothing"), "syntax"),
        (of("a=1", "hello;MN=1;"), "syntax"),
        (of("a=1", "ST=32;CN=2011;"), "missing_MN"),
        (of("a=1", "ST=32;MN=;"), "missing_MN"),
    ],
)
def test_every_fault_has_its_name(raw: bytes, why: str) -> None:
    assert reason(raw) == why


def test_limits_and_stray_items_are_a_matter_of_the_profile() -> None:
    raw = of(";".join(f"w{n:05d}-Rtd=1.0" for n in range(80)))
    found = decode(raw, Profile(max_length=1024))
    assert isinstance(found, Fault)
    assert found.reason == "length_too_long"
    assert good(of("stray;a=1"), Profile(stray_items="drop")).params == {"a": "1"}


def feed(chunks: list[bytes]) -> tuple[list[bytes], int]:
    decoder = Decoder()
    found = [entry for chunk in chunks for entry in decoder.feed(chunk)]
    found += decoder.settle()
    return [entry.raw for entry in found if isinstance(entry, Frame)], decoder.rejected


A, B = of("a=1"), of("b=2")


@pytest.mark.parametrize(
    ("stream", "rejected"),
    [
        (A + B, 0),
        (A[:-2] + B, 0),
        (A + b"\r\n\r\n" + B, 0),
        (b"noise#" + A + b"#" + B, 0),
        (A + b"##" + B, 0),
        (A.replace(b"a=1", b"a=3") + A + B, 1),
        (b"##9999" + A[6:] + A + B, 1),
        (b"##9999" + A[6:-2] + A + B, 1),
        (b"##0005" + A[6:] + A + B, 1),
        (b"##0000" + A + B, 1),
        (A[:50] + b"\r\n" + A + B, 1),
        (A[:-2] + b"**\r\n" + B, 0),
    ],
)
def test_the_next_frame_is_found_whatever_stood_before_it(stream: bytes, rejected: int) -> None:
    frames, refused = feed([stream])
    assert [good(raw).params for raw in frames] == [{"a": "1"}, {"b": "2"}]
    assert refused == rejected
    for cut in range(len(stream)):
        assert feed([stream[:cut], stream[cut:]]) == (frames, refused), cut
    assert feed([stream[place : place + 1] for place in range(len(stream))]) == (frames, refused)


def test_a_frame_that_stops_is_let_go_at_the_time_out_and_hides_nothing() -> None:
    decoder = Decoder()
    assert decoder.feed(b"##0900QN=2016") == []
    assert decoder.pending.startswith(b"##0900")
    found = decoder.flush()
    assert [entry.reason for entry in found if isinstance(entry, Fault)] == ["truncated"]
    assert decoder.pending == b""


def test_the_beginning_of_a_frame_ends_another_at_once() -> None:
    decoder = Decoder()
    found = decoder.feed(b"##0900QN=2016;" + A)
    assert [getattr(entry, "reason", "frame") for entry in found] == ["bad_length", "frame"]
    assert decoder.pending == b""


def test_a_flood_of_nonsense_is_counted_not_told_and_hides_nothing() -> None:
    decoder = Decoder()
    found = decoder.feed(b"##0000" * 1000 + b"##0900x" + A + B[:40])
    assert [entry.raw for entry in found if isinstance(entry, Frame)] == [A]
    assert len(found) == 101
    assert decoder.rejected == 101
    assert decoder.pending == B[:40]
    assert [entry.raw for entry in decoder.feed(B[40:])] == [B]
    assert [getattr(entry, "reason", "frame") for entry in decoder.feed(b"##0000" + A)] == [
        "bad_length",
        "frame",
    ]


def test_data_is_acknowledged_and_commands_are_not() -> None:
    ack = acknowledgement(good(of("DataTime=20160801085857;w01018-Rtd=2.2")))
    assert ack is not None
    found = good(ack)
    assert found.fields == {
        "QN": "20160801085857223",
        "ST": "91",
        "CN": "9014",
        "PW": "123456",
        "MN": MN,
        "Flag": "4",
    }
    assert acknowledgement(good(of("DataTime=2;x-Rtd=1", HEAD.replace("Flag=5", "Flag=4")))) is None
    assert acknowledgement(good(of("BeginTime=1;EndTime=2", HEAD.replace("2011", "2051")))) is None
    clock = acknowledgement(good(of("PolId=w01018", HEAD.replace("2011", "1013"))))
    assert clock is not None
    assert good(clock).fields["CN"] == "9013"
    assert acknowledgement(found) is None
    silent = good(of("DataTime=2", "ST=32;CN=2011;MN=8;"))
    assert uploads_data(silent)
    assert acknowledgement(silent) is None
    always = acknowledgement(silent, Profile(acknowledge="always"))
    assert always is not None
    assert "QN" not in good(always).fields


def test_commands_of_the_standard_byte_for_byte() -> None:
    sent = set_real_time_interval(MN, "20160801085857223", "32", "123456", 30)
    assert sent == (
        b"##0101QN=20160801085857223;ST=32;CN=1062;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&4400\r\n"
    )
    with pytest.raises(ValueError, match="30 to 3600"):
        set_real_time_interval(MN, "20160801085857223", "32", "123456", 29)
    with pytest.raises(ValueError, match="minutes"):
        set_minute_interval(MN, "20160801085857223", "32", "123456", 7)
    with pytest.raises(ValueError, match="17 digits"):
        command("2011", MN, "2016", "32", "123456")
    with pytest.raises(ValueError, match="no command"):
        command("9014", MN, "20160801085857223", "32", "123456")
    clock = good(set_clock(MN, "20160801085857223", "32", "123456", "20160801085857", "w01018"))
    assert clock.params == {"PolId": "w01018", "SystemTime": "20160801085857"}
    with pytest.raises(ValueError, match="separates"):
        encode({"MN": "1"}, {"a": "1;b=2"})


def test_packages_make_one_record_in_any_order_and_twice() -> None:
    head = HEAD.replace("Flag=5", "Flag=7;PNUM=2;PNO={}")
    one = good(of("DataTime=1;a-Rtd=1", head.format(1)))
    two = good(of("DataTime=1;b-Rtd=2", head.format(2).replace("223;", "224;")))
    for order in ([one, two], [two, one], [two, one, two]):
        (record,) = join(order)
        assert record.complete
        assert set(record.factors) == {"a", "b"}
    (half,) = join([two])
    assert half.missing == [1]


def test_a_command_ends_by_answer_refusal_or_time_out() -> None:
    sent = good(set_real_time_interval(MN, "20160801085857223", "32", "123456", 30))
    course = Dialogue(MN, "1062", "20160801085857223", resends=2)
    assert [course.resend(), course.resend()] == [True, True]
    assert course.take(good(reply(sent, "9011", {"QnRtn": "1"})))
    assert not course.take(good(of("DataTime=1;a-Rtd=1")))
    assert course.take(good(reply(sent, "9012", {"ExeRtn": "5"})))
    assert (course.states, course.result) == ([State.SENT, State.ACCEPTED, State.FAILED], "busy")
    refused = Dialogue(MN, "1062", "20160801085857223")
    refused.take(good(reply(sent, "9011", {"QnRtn": "3"})))
    assert (refused.over, refused.result, refused.resend()) == (True, "password", False)
    lost = Dialogue(MN, "1062", "20160801085857223", resends=0)
    assert not lost.resend()
    assert (lost.result, lost.states[-1]) == ("timeout", State.TIMED_OUT)


def test_factors_have_names_of_both_editions() -> None:
    assert len(factors()) == 196
    cod = find("011", "32")
    assert cod is not None
    assert (cod.code, cod.name, cod.unit) == ("w01018", "化学需氧量", "毫克/升")
    assert find("w01018") == cod
    assert find("LAMPBLACK") is None
    assert [number(text) for text in ("1.5", " -2 ", "1e3", "", "-", "NaN", "١")] == [
        1.5,
        -2.0,
        1000.0,
        None,
        None,
        None,
        None,
    ]


NAMES = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789_", min_size=1, max_size=8)
TEXTS = st.text(
    st.characters(blacklist_characters=";,&#=/\r\n", blacklist_categories=("Cs", "Cc")), max_size=12
).map(lambda text: text.strip(" "))


@given(
    st.dictionaries(NAMES, TEXTS, max_size=4),
    st.dictionaries(NAMES, st.dictionaries(NAMES, TEXTS, min_size=1, max_size=3), max_size=4),
)
def test_what_is_encoded_is_decoded_again(params: dict[str, str], values: dict[str, dict[str, str]]) -> None:
    fields = {"QN": "20160801085857223", "ST": "32", "CN": "2011", "MN": "1", "Flag": "4"}
    found = good(encode(fields, params, values))
    assert (found.fields, found.params, found.factors) == (fields, params, values)
