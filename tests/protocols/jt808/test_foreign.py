"""JT/T 808 of others: frames that other projects publish, with what they say about them, and bodies cut where theirs are cut.

The frames are facts; whence each one comes stands beside it. What is asserted is the reading of the standard.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from yuanmai.protocols.commands import respond
from yuanmai.protocols.jt808.bodies import encode_body
from yuanmai.protocols.jt808.frame import Header, encode, make_header

answer = import_module("yuanmai.protocols.answers.jt808").answer

SCHOOL = "中华人民共和国道路运输从业人员从业资格证"
HERE = {"alarm": 1024, "status": 2048, "lat_raw": 116307629, "lng_raw": 40058359, "altitude_m": 312, "speed_01kmh": 3,
        "direction_deg": 99, "time": "2020-07-07 19:23:59", "lat": 116.307629, "lng": 40.058359}  # fmt: skip
LINE = [[123, 345]] * 5

# Frame and what stands in it; yezhihao/jt808-server, SmallChi/JT808, cuteLittleDevil/go-jt808, traccar.
FRAMES: list[tuple[str, int, dict[str, Any]]] = [
    # yezhihao: the licence is filled in front
    ("7e0702004e0123456789017fff022007211830000004d5c5c8fd000000000000003132333435363738393031323328d6d0bbaac8cbc3f1b9b2bacdb9fab5"
     "c0c2b7d4cbcae4b4d3d2b5c8cbd4b1b4d3d2b5d7cab8f1d6a420190630307e", 2013,
     {"status": 2, "time": "2020-07-21 18:30:00", "ic_result": 0, "name": "张三", "licence": "1234567890123", "issuer": SCHOOL,
      "valid_to": "20190630"}),
    # yezhihao: twenty empty bytes of an identity card
    ("7e070240620112345678901234567890ffff022007211830000004d5c5c8fd313233343536373839303132330000000000000028d6d0bbaac8cbc3f1b9b2"
     "bacdb9fab5c0c2b7d4cbcae4b4d3d2b5c8cbd4b1b4d3d2b5d7cab8f1d6a4201906300000000000000000000000000000000000000000557e", 2019,
     {"status": 2, "time": "2020-07-21 18:30:00", "ic_result": 0, "name": "张三", "licence": "1234567890123", "issuer": SCHOOL,
      "valid_to": "20190630", "id_card": ""}),
    ("7e0801002912345678901200010000007b01020102000004000000080006eeb6ad02633df70138000300632007071923590d7b0d7b7be57e", 2013,
     {"media_id": 123, "media_type": 1, "format": 2, "event": 1, "channel": 2, "location": HERE, "data_hex": "0d7b0d7b7b"}),
    ("7e8604003f0123456789017fff000000030003200707192359200707192359007b3c00050000007b000001590000007b000001590000007b000001590000"
     "007b000001590000007b00000159d47e", 2013,
     {"id": 3, "attr": 3, "start_time": "200707192359", "end_time": "200707192359", "max_speed_kmh": 123,
      "overspeed_duration_s": 60, "vertices": LINE}),
    # yezhihao: night speed behind the vertices, an empty name
    ("7e860440430100000000017299841738ffff000000030003200707192359200707192359007b3c00050000007b000001590000007b000001590000007b00"
     "0001590000007b000001590000007b0000015900000000a07e", 2019,
     {"id": 3, "attr": 3, "start_time": "200707192359", "end_time": "200707192359", "max_speed_kmh": 123,
      "overspeed_duration_s": 60, "vertices": LINE, "night_max_speed_kmh": 0, "name": ""}),
    ("7e830040190100000000017299841738ffff3f01b2e2cad43132334034353623616263212e2e2ebde1caf88f7e", 2019,
     {"flag": 63, "text_type": 1, "text": "测试123@456#abc!...结束"}),
    ("7e800340160100000000017299841738ffff10990009000100020003000400050006000700080009147e", 2019,
     {"first_serial": 4249, "ids": [1, 2, 3, 4, 5, 6, 7, 8, 9]}),
    # SmallChi: a terminal of 2019 with a maker of eleven bytes
    ("7e010740660100000000010941000493000700ff3838383838434b313030430000000000000000000000000000000000000000000000003130303034393300"
     "00000000000000000000000000000000000000000000898603249475600329000748572d56322e350e434b313030432d4a542d5630323402209b7e", 2019,
     {"type": 255, "maker": "88888", "model": "CK100C", "terminal_id": "1000493", "iccid": "89860324947560032900",
      "hw": "HW-V2.5", "fw": "CK100C-JT-V024", "gnss": 2, "comm": 32}),
    # traccar: a tracker from the field, model filled with a blank, plate of Guangdong
    ("7e01000021013345678906000f002c012f373031313142534a2d4d3742203030303030303001d4c1423838383838b47e", 2013,
     {"province": 44, "city": 303, "maker": "70111", "model": "BSJ-M7B", "terminal_id": "0000000", "plate_color": 1,
      "plate": "粤B88888"}),
    # traccar: a card without name and issuer
    ("7e0702002201827061151401bc012510091507510000303032396238383500000000000000000000000000000000002b7e", 2013,
     {"status": 1, "time": "2025-10-09 15:07:51", "ic_result": 0, "name": "", "licence": "0029b885", "issuer": "",
      "valid_to": "00000000"}),
    ("7e0107004904546000563500030000584300000043354c00000000000000000000000000000000003938383731323589883030000131882455001943354c5f"
     "56322e3620323032362f30362f30342031353a33310301f47e", 2013,
     {"type": 0, "maker": "XC", "model": "C5L", "terminal_id": "9887125", "iccid": "89883030000131882455", "hw": "",
      "fw": "C5L_V2.6 2026/06/04 15:31", "gnss": 3, "comm": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "standard", "body"), FRAMES)
def test_frames_of_other_projects(raw: str, standard: int, body: dict[str, Any]) -> None:
    found = answer({"hex": raw})
    assert (found["valid"], found["standard"], found["body"]) == (True, standard, body)


def test_a_batch_with_a_byte_too_many() -> None:
    """go-jt808 refuses the message for it; the three positions are good."""
    found = answer(
        {
            "hex": "7e070400610123456789017fff000301001c000004000000080006eeb6ad02633df7013800030063200707192359001c00000400000008"
            "0006eeb6ad02633df70138000300632007071923590020000004000000080006eeb6ad02633df701380003006320070719235902010012177e"
        }
    )
    assert (found["items_present"], found["items_announced"]) == (3, 3)
    assert [entry["trailing"] for entry in found["body"]["items"]] == [0, 0, 1]
    assert found["body"]["items"][2]["extras"] == [{"id": 2, "len": 1, "hex": "00", "complete": True}]


@pytest.mark.parametrize(
    ("raw", "strict", "tolerant"),
    [
        # go-jt808: header cut, body cut, sum wrong
        ("7e0100002c0123454a7e", "too_short", {"msg_id": "0x0100", "bcc": 0x4A, "bcc_ok": True}),
        ("7e000200000123456789017fff7e", "bad_checksum_or_too_short", {"msg_id": "0x0002", "bcc": 0xFF, "bcc_ok": False}),
        ("7e02007d037e", "bad_escape", {"msg_id": "0x0200", "bcc": 3, "bcc_ok": False}),
        ("7e0801200500123456789002de001a000228080001517e", "length_mismatch", {"msg_id": "0x0801", "bcc": 0x51, "bcc_ok": True}),
        ("7e0801200500123456789002de001a00022808000102547e", "bad_checksum", {"msg_id": "0x0801", "bcc": 0x54, "bcc_ok": False}),
        # traccar: a lock whose serial has one byte
        ("7e550100287001608180000127061008045322332880113555602e050031010000000608000010931435010002000300030100051b7e",
         "length_mismatch", {"msg_id": "0x5501", "bcc": 0x1B, "bcc_ok": True}),
        # a frame with rests of others around it
        ("00117e000200000123456789017fff0a7e22", "truncated", {"msg_id": "0x0002", "bcc": 0x0A, "bcc_ok": True}),
    ],
)  # fmt: skip
def test_what_can_be_read_of_a_fault_all_the_same(raw: str, strict: str, tolerant: dict[str, Any]) -> None:
    found = answer({"hex": raw})
    assert (found["valid"], found["reason"], found["strict"]) == (False, strict, strict)
    assert found["tolerant"] == tolerant


@pytest.mark.parametrize(("body", "strict"), [(b"", "too_short"), (b"k12345", "length_mismatch")])
def test_the_flag_of_2019_over_the_header_of_2013(body: bytes, strict: str) -> None:
    raw = encode(Header(0x0102, 0x4000, "013800138000", 1), body)
    found = answer({"hex": raw.hex()})
    assert (found["valid"], found["standard"], found["strict"]) == (True, 2013, strict)
    assert found["tolerant"] == {"msg_id": "0x0102", "bcc": raw[-2], "bcc_ok": True}
    assert "strict" not in answer({"hex": encode(make_header(0x0002, "1", 1), b"").hex()})


PLATE = {"province": 31, "city": 115, "maker": "cd", "model": "www.808.com", "terminal_id": "7654321", "plate_color": 1,
         "plate": "测A1234"}  # fmt: skip


def body_of(msg_id: int, body: bytes, standard: int = 2019) -> dict[str, Any]:
    return answer({"body_hex": body.hex(), "msg_id": f"0x{msg_id:04X}", "standard": standard})


def test_a_registration_of_2019_that_is_cut_is_none_of_2013() -> None:
    whole = encode_body(0x0100, PLATE, 2019)
    assert body_of(0x0100, whole)["body"] == PLATE
    for size in (0, 24, 36, 60, 75):
        assert body_of(0x0100, whole[:size]) == {"valid": False, "reason": "body_too_short"}, size
    for edition in (2011, 2013):
        old = {**PLATE, "model": "www.808."}
        assert body_of(0x0100, encode_body(0x0100, old, edition))["body"] == old
    vin = {**PLATE, "plate_color": 0, "plate": "LFV3A23C0E3000001"}
    assert body_of(0x0100, encode_body(0x0100, vin, 2013))["body"] == vin


def test_an_authentication_of_2019_in_all_its_forms() -> None:
    code = {"auth_code": "17299841738"}
    full = {**code, "imei": "123456789012345", "software_version": "3.7.15"}
    whole = encode_body(0x0102, full, 2019)
    assert body_of(0x0102, whole)["body"] == full
    for size in (35, 37, 13, 5):
        assert body_of(0x0102, whole[:size]) == {"valid": False, "reason": "body_too_short"}, size
    assert body_of(0x0102, whole[:12])["body"] == code
    assert body_of(0x0102, b"17299841738")["body"] == code
    assert body_of(0x0102, b"")["body"] == {"auth_code": ""}


def test_attributes_of_2013_under_a_header_of_2019() -> None:
    device = {"type": 7, "maker": "YM", "model": "A-1", "terminal_id": "1", "iccid": "89860000000000000001", "hw": "1", "fw": "2",
              "gnss": 3, "comm": 4}  # fmt: skip
    for edition in (2013, 2019):
        for said in (2013, 2019):
            assert body_of(0x0107, encode_body(0x0107, device, edition), said)["body"] == device


def test_a_message_may_be_named_by_its_number() -> None:
    assert answer({"body_hex": "00450000007B", "msg_id": 0x8202, "standard": 2013})["body"] == {
        "interval_s": 69,
        "validity_s": 123,
    }


def test_the_bytes_of_rarer_messages_are_shown_as_well() -> None:
    assert body_of(0x0108, b"\x34\x02")["body"] == {"type": 0x34, "result": 2, "raw_hex": "3402"}
    assert "raw_hex" not in body_of(0x8202, bytes(6))["body"]


def test_a_registration_is_answered_with_the_number_without_zeros() -> None:
    raw = encode(make_header(0x0100, "17299841738", 0, 2019), encode_body(0x0100, PLATE, 2019))
    assert answer({"hex": raw.hex()})["reply"]["body"] == {
        "ack_serial": 0,
        "result": 0,
        "auth_code": "17299841738",
    }
    nobody = encode(make_header(0x0100, "0", 0), encode_body(0x0100, PLATE, 2013))
    assert answer({"hex": nobody.hex()})["reply"]["body"]["auth_code"] == "0" * 12


def test_nought_degrees_are_no_place_fixed_or_not() -> None:
    lost = "00000000000000000000000000000000000000000000260615100115"
    found = answer({"body_hex": lost, "msg_id": "0x0200", "standard": 2013})
    assert (found["time_valid"], found["position_plausible"], found["lat_raw"]) == (True, False, 0)
    early = answer({"body_hex": f"{lost[:16]}015752A006CB8080{lost[32:44]}000000000000", "msg_id": "0x0200"})
    assert (early["time_valid"], early["position_plausible"]) == (False, True)
    assert (early["lat_raw"], early["lng_raw"]) == (22500000, 114000000)


def package(number: int, serial: int, body: bytes) -> str:
    return encode(Header(0x0801, 0x2000, "013800138000", serial, None, 3, number), body).hex()


def test_packages_between_which_something_else_was_sent() -> None:
    """Serials should follow one another; where a heartbeat took one, number and total still tell where a package belongs."""
    frames = [package(1, 10, b"\0\0\0\7"), package(2, 12, b"bb"), package(3, 14, b"cc")]
    found = answer({"frames_hex": frames})
    assert (found["complete"], found["first_serial"], found["total"]) == (True, 10, 3)
    assert found["body_hex"] == (b"\0\0\0\7bbcc").hex()
    lacking = answer({"frames_hex": [frames[2], frames[0]]})
    assert (lacking["complete"], lacking["first_serial"]) == (False, 10)
    assert lacking["request_2013"]["body_hex"] == "000a010002"
    assert lacking["media_alternative"]["body_hex"] == "00000007010002"


def test_a_message_in_one_piece_needs_no_other() -> None:
    found = answer({"frames_hex": ["7e000200000123456789017fff0a7e"]})
    assert (found["message_id"], found["total"], found["complete"], found["body_hex"]) == (
        "0x0002",
        1,
        True,
        "",
    )
    assert answer({"frames_hex": ["7e00"]}) == {"valid": False, "reason": "truncated", "complete": False}
    assert answer({"frames_hex": []}) == {"valid": False, "reason": "too_short", "complete": False}


def test_heartbeats_and_positions_of_a_tracker_from_the_field() -> None:
    """A heartbeat that carries seventeen bytes, and a position whose last item is cut (as a log of traccar shows them)."""
    beat = answer({"hex": "7e0002001105805668746700265d102815000501006404000020d06501001d7e"})
    assert (beat["valid"], beat["body"], beat["body_policy"]) == (True, {}, "ignore")
    place = answer(
        {
            "hex": "7e02000046058056687467002700000000000c000000000000000000000000000000002406101655430402015d0501003001163101005d0b01"
            "01cc0827b1000010c516610100620200286404000020d0650100a77e"
        }
    )
    assert (place["valid"], place["position_plausible"], place["body"]["trailing"]) == (True, False, 0)
    assert [entry["id"] for entry in place["body"]["extras"]] == [4, 5, 48, 49, 93, 97, 98, 100, 101]


def test_an_item_that_ends_too_early_costs_none_before_it() -> None:
    """SmallChi: item F6 announces four bytes and has two."""
    found = answer(
        {
            "body_hex": "00000000000c000001f62e8307147c92001e0000001e110111031152010400131a34030200000501000603020590070303812025040000"
            "00002b04000000f0300117310105e0013de108000000000004bcfde20400000000e304000007ace40400000000e50c00130027001300270013002"
            "7ea0400000000eb0400000000ee0100f6041450",
            "msg_id": "0x0200",
            "standard": 2013,
        }
    )
    assert len(found["good_items"]) == 18
    assert (found["good_items"][-1], found["broken_tail_hex"]) == ({"id": 0xEE, "hex": "00"}, "f6041450")


def test_a_line_with_an_endless_number_gets_an_answer() -> None:
    line = b'{"body_hex": "00", "msg_id": "0x0002", "standard": Infinity}'
    document, known = respond(line, 3, answer)
    assert (document["error"], document["line"], known) == ("input", 3, False)
