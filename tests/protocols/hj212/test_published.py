"""Frames that devices and programs published, and what their makers or the standard say is in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from yuanmai.protocols.answers.hj212 import answer as raw_answer
from yuanmai.protocols.hj212.frame import Frame, decode, wrap
from yuanmai.protocols.hj212.messages import without_passwords

CRLF = "\r\n"


def answer(line: dict[str, Any]) -> dict[str, Any]:
    found = json.loads(json.dumps(raw_answer(line)))
    assert isinstance(found, dict)
    return found


def segment(text: str) -> str:
    return wrap(text.encode()).decode()


# hj-t212-parser: what stations of 2005 sent to a province in one hour; hj212-protocol, e212, T212Mapper, cloud and rtu programs.
GOOD = [
    ("##0139ST=32;CN=2011;PW=123456;MN=LD130133000015;CP=&&DataTime=20160824003817000;B01-Rtd=36.91;011-Rtd=231.0,011-Flag=N;"
     "060-Rtd=1.803,060-Flag=N&&4980", {"DataTime": "20160824003817000"},
     {"B01": {"Rtd": "36.91"}, "011": {"Rtd": "231.0", "Flag": "N"}, "060": {"Rtd": "1.803", "Flag": "N"}}),
    ("##0073ST=32;CN=8013;PW=123456;MN=ZG130182201205;Flag=0;CP=&&HeartbeatTime=120&&0500", {"HeartbeatTime": "120"}, {}),
    ("##0091ST=91;CN=9015;PW=123456;MN=LD130130000155;Flag=0;CP=&&DataTime=20160823234442000;CON-RT=0&&B401",
     {"DataTime": "20160823234442000"}, {"CON": {"RT": "0"}}),
    ("##0127QN=20160823235559979;ST=32;CN=2072;PW=123456;MN=ZG130182201401;Flag=1;CP=&&AlarmTime=20160823235559;B01-Ala=16.00,"
     "AlarmType=1&&5D80", {"AlarmTime": "20160823235559", "AlarmType": "1"}, {"B01": {"Ala": "16.00"}}),
    ("##0165ST=32;CN=2011;PW=123456;MN=LD130185000294;CP=&&DataTime=20160824012432000;B01-Rtd=16.71;060-Rtd=4.660,060-Flag=N;"
     "B01-Rtd=16.34;B01-Rtd=0.00;011-Rtd=61.0,011-Flag=N&&A6C1", {"DataTime": "20160824012432000"},
     {"B01": {"Rtd": "0.00"}, "060": {"Rtd": "4.660", "Flag": "N"}, "011": {"Rtd": "61.0", "Flag": "N"}}),
    ("##0112ST=32;CN=2011;PW=123456;MN=LD130104000407;CP=&&DataTime=20160824004640000;B01-Rtd=5.64;011-Rtd=98.0,011-Flag=N&&3740",
     {"DataTime": "20160824004640000"}, {"B01": {"Rtd": "5.64"}, "011": {"Rtd": "98.0", "Flag": "N"}}),
    ("##0131QN=20200428011552615;ST=31;CN=2081;PW=;MN=MYHJ00000000000080011128;Flag=4;CP=&&DataTime=20200428011552;"
     "RestartTime=20200425120954&&47C0", {"DataTime": "20200428011552", "RestartTime": "20200425120954"}, {}),
    ("##0087QN=20190708113403000;ST=80;CN=1013;PW=123456;MN=0010931004HBYDTEST000002;Flag=5;CP=&&&&EF41", {}, {}),
    ("##0086QN=20190415224851543;ST=91;CN=9021;PW=123456;MN=23040281003022;Flag=5;CP=&&Data=0BBE&&71C0", {"Data": "0BBE"}, {}),
    ("##0197ST=32;CN=2051;QN=20190424002721168;PW=123456;MN=23040281003022;Flag=5;CP=&&DataTime=20190416003000;w01018-Max=27.299999,"
     "w01018-Avg=27.300000,w01018-Min=27.299999,w01018-Cou=0.000000,w01018-Flag=N&&D081\n", {"DataTime": "20190416003000"},
     {"w01018": {"Max": "27.299999", "Avg": "27.300000", "Min": "27.299999", "Cou": "0.000000", "Flag": "N"}}),
    ("##0218ST=32;CN=2011;PW=123456;,MN=88888881234567;FLAG=0;CP=&&DataTime=20180306120000;001-Rtd=6.951,001-Flag=N;060-Rtd=23.400,"
     "060-Flag=N;011-Rtd=134.119,011-Flag=N;B01-Rtd=382.222,B01-Flag=N;B00-Rtd=156720160.000,B00-Flag=N&&2940",
     {"DataTime": "20180306120000"},
     {"001": {"Rtd": "6.951", "Flag": "N"}, "060": {"Rtd": "23.400", "Flag": "N"}, "011": {"Rtd": "134.119", "Flag": "N"},
      "B01": {"Rtd": "382.222", "Flag": "N"}, "B00": {"Rtd": "156720160.000", "Flag": "N"}}),
    ("##0162QN=20231008123340461;ST=22;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&DataTime=20231008123340;"
     "w01008-SampleTime=20231008123340,w01008-Rtd=123.456&&F441", {"DataTime": "20231008123340"},
     {"w01008": {"SampleTime": "20231008123340", "Rtd": "123.456"}}),
    ("##0158QN=20180531225849000;ST=31;CN=2011;PW=123456;MN=010000A8900016F018010001;Flag=5;CP=&&DataTime=20180531225849;"
     "a34041-Rtd=0.00,a34041-Flag=N;SB7-RS=2;SB8-RS=2&&9181", {"DataTime": "20180531225849"},
     {"a34041": {"Rtd": "0.00", "Flag": "N"}, "SB7": {"RS": "2"}, "SB8": {"RS": "2"}}),
    ("##0058ST=32;CN=3012;PW=123456;MN=00000000000001;CP=&&DataTime=&&FB41", {"DataTime": ""}, {}),
    ("##0262QN=20190430101750562;ST=21;CN=3020;PW=624930;MN=A140100_2006;Flag=9;CP=&&DataTime=20190430101750;PolId=w01019,i12001-Info=0,"
     "i12002-Info=0;PolId=w21001,i12001-Info=0,i12002-Info=0;PolId=w21003,i12001-Info=0,i12002-Info=0;PolId=w21011,i12001-Info=0,"
     "i12002-Info=0&&FB41", {"DataTime": "20190430101750", "PolId": "w21011"}, {"i12001": {"Info": "0"}, "i12002": {"Info": "0"}}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "params", "factors"), GOOD)
def test_what_stations_sent(text: str, params: dict[str, str], factors: dict[str, Any]) -> None:
    found = answer({"ascii": text})
    assert (found["valid"], found["params"], found["factors"]) == (True, params, factors)
    assert found["strict"] == "end_mark"
    assert "strict" not in answer({"ascii": text.rstrip() + CRLF})
    assert answer({"chunks": [text + CRLF]})["rejected"] == 0


BAD = [
    # hj212-protocol: values were changed for publication and the checksum was not; e212; cloud programs
    ("##0136ST=32;CN=2011;PW=123456;MN=LD130133000015;CP=&&DataTime=20160824003817;B01-Rtd=36.91;011-Rtd=231.0,011-Flag=N;060-Rtd=1.803,"
     "060-Flag=N&&4980\r\n", "crc_mismatch", None),
    ("##0131QN=20200428102058322;ST=31;CN=2081;PW=123456;MN=MYHJ00000000000080011128;Flag=4;CP=&&DataTime=20200428102058;"
     "RestartTime=20200428100633&&47c0\r\n", "crc_mismatch", None),
    ("##0181QN=20240606000056000;ST=22;CN=2061;PW=O447JGPYQ75V3C58D138L2WX;MN=340100001V008;Flag=5;CP=&&DataTime=20240605230000;"
     "a34514-Avg=305.000,a34514-Flag=N;a34515-Avg=268.333,a34515-Flag=N&&2340\r\n", "bad_crc_field", None),
    ("##299ST=21;CN=2011;PW=;MN=100000000AM1975;CP=&&DataTime=20171220040009;PM10-Rtd=69,PM10-Flag=N&&d042\r\n", "bad_length", None),
    # hcu: checksum of MODBUS, items that come twice, answers by the edition of 2005
    ("##0096QN=20170516010101001;ST=22;CN=1021;PW=123456;MN=ABCDEFG1234567;Flag=3;CP=&&PolId=101;PolId=102&&7FAA\r\n", "crc_mismatch",
     {"crc_variant": "modbus", "valid": True}),
    ("##0076ST=91;CN=9013;PW=123456;MN=ABCDEFG1234567;Flag=0;CP=&&QN=20170516010101001&&1CBA\r\n", "crc_mismatch",
     {"crc_variant": "modbus", "valid": True}),
    # copied with blanks that neither the length nor the checksum counts
    ("##0297QN=20191122100900943 ;ST=22;CN=2011;PW=123456;MN= 2019061803100005;Flag=5;CP=&&DataTime=20191122100900 ;a34004-Rtd=34.2,"
     "a34004-Flag=N ;a34002-Rtd=65.7,a34002-Flag=N;a21026-Rtd=14.8,a21026-Flag=N;a21004- Rtd=20.9,a21004-Flag=N;O3-Rtd=185.1,O3-Flag=N;"
     "a21005-Rtd=2.5,a21005-Flag=N;VOC-Rtd=0.5,VOC-Flag=N&&CFC1\r\n", "bad_crc_field", {"valid": True}),
    # one byte more than it says, checksum right
    ("##0481QN=20160801085000001;ST=22;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=7;CP=&&DataTime=20160801084000;a21005-Rtd=1.1,"
     "a21005-Flag=N;a21004-Rtd=112,a21004-Flag=N;a21026-Rtd=58,a21026-Flag=N;a21030-Rtd=64,a21030-Flag=N;LA-Rtd=50.1,LA-Flag=N;"
     "a34004-Rtd=207,a34004-Flag=N;a34002-Rtd=295,a34002-Flag=N;a01001-Rtd=12.6,a01001-Flag=N;a01002-Rtd=32,a01002-Flag=N;"
     "a01006-Rtd=101.02,a01006-Flag=N;a01007-Rtd=2.1,a01007-Flag=N;a01008-Rtd=120,a01008-Flag=N;a34001-Rtd=217,a34001-Flag=N;&&4f40\r\n",
     "bad_crc_field", {"valid": True, "length": 482}),
    # three digits of length, else right
    ("##82QN=20160801085857223;ST=32;CN=1061;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&&&0000\r\n", "bad_length", None),
    ("QN=20160801085857223;ST=32;CN=1061;CP=&&&&1C80\r\n", "syntax", None),
    (segment("MN=1;CP=&&stray;a=1&&"), "syntax", {"valid": True}),
    (segment("ST=31;CN=2011;CP=&&DataTime=20200707151756;01-Rtd=0000&&"), "missing_MN", None),
    (segment("MN=1;CP=&DataTime=1;a-Rtd=2&&"), "bad_cp", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason", "tolerant"), BAD)
def test_what_is_refused_and_who_would_read_it(
    text: str, reason: str, tolerant: dict[str, Any] | None
) -> None:
    found = answer({"ascii": text})
    assert (found["valid"], found["reason"], found["reply"]) == (False, reason, None)
    assert found.get("tolerant") == tolerant
    assert found.get("strict") == (reason if tolerant else None)


def test_more_than_the_standard_allows() -> None:
    long = ";".join(f"B{number:02d}-Min=0.0000,B{number:02d}-Flag=D" for number in range(40))
    text = segment(
        f"ST=31;CN=2051;PW=123456;MN=756877X7916010;Flag=2;PNUM=2;PNO=1;CP=&&DataTime=20180303102200;{long}&&"
    )
    found = answer({"ascii": text})
    assert (found["valid"], found["strict"], found["flag"]) == (
        True,
        "length_too_long",
        {"version": 0, "packaged": True, "needs_ack": False},
    )
    assert found["tolerant"] == {"valid": True, "length": found["length"]}
    assert found["length"] > 1024
    for length, reason in (("9999", "length_too_long"), ("1025", "length_too_long"), ("1024", "truncated")):
        cut = answer({"ascii": f"##{length}{text[6:500]}\r\n"})
        assert (cut["valid"], cut["reason"]) == (False, reason)
    spoiled = text.replace("B00-Min=0.0000", "B00-Min=1.0000")
    assert answer({"ascii": spoiled})["reason"] == "crc_mismatch"


def test_a_frame_that_something_follows() -> None:
    good = segment(
        "QN=20160801085857223;ST=32;CN=2011;PW=123456;MN=A1;Flag=5;CP=&&DataTime=20160801085857;w01018-Rtd=2.2&&"
    )
    twice = answer({"ascii": good, "then": "the same again, our 9014 was lost"})
    assert (twice["acks"], twice["stored_records"]) == (2, 1)
    assert twice["dedupe_key"] == ["MN", "CN", "DataTime", "factor"]
    wrong = "##9" + good[3:]
    rescued = answer({"ascii": wrong, "then": good})
    assert (rescued["valid"], rescued["reason"]) == (False, "length_too_long")
    assert (rescued["frames"], rescued["rejected"]) == ([good], 1)
    assert answer({"ascii": good[:50], "then": "silence"})["reason"] == "truncated"


SENT = segment(
    "QN=20160824000501001;ST=31;CN=2031;PW=123456;MN=LD130100000452;Flag=3;CP=&&BeginTime=20160823000000,EndTime=20160824000000&&"
)
# hj-t212-parser: a station answers by the edition of 2005, its request number inside CP
OLD_READY = (
    "##0084ST=91;CN=9011;PW=123456;MN=LD130100000452;Flag=0;CP=&&QN=20160824000501001;QnRtn=1&&9AC1\r\n"
)
OLD_DONE = "##0078ST=91;CN=9012;PW=123456;MN=LD130100000452;CP=&&QN=20160824000501001;ExeRtn=1&&7200\r\n"
OLD_DATA = segment(
    "ST=31;CN=2031;PW=123456;MN=LD130100000452;CP=&&DataTime=20160824000000;S01-Min=1.04,S01-Avg=1.04&&"
)


def reply(
    number: str, content: str, request: str = "20160824000501001", station: str = "LD130100000452"
) -> str:
    return segment(f"QN={request};ST=91;CN={number};PW=123456;MN={station};Flag=4;CP=&&{content}&&")


READY, DONE = reply("9011", "QnRtn=1"), reply("9012", "ExeRtn=1")


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ([OLD_READY, OLD_DATA, OLD_DONE], {"result": "success", "states": ["sent", "accepted", "done"], "uploads": 1}),
        ([READY, DONE], {"result": "success", "states": ["sent", "accepted", "done"]}),
        ([DONE], {"result": "success", "states": ["sent", "done"]}),
        ([reply("9011", "qnrtn=1"), reply("9012", "exertn=1")], {"result": "success", "states": ["sent", "accepted", "done"]}),
        ([reply("9011", "QnRtn=2")], {"result": "refused", "states": ["sent", "refused"]}),
        ([reply("9011", "QnRtn=3"), DONE], {"result": "refused", "answer": "password", "states": ["sent", "refused"]}),
        ([READY, reply("9012", "ExeRtn=2")], {"result": "failed", "states": ["sent", "accepted", "failed"]}),
        ([READY, reply("9012", "ExeRtn=5")], {"result": "failed", "answer": "busy", "states": ["sent", "accepted", "failed"]}),
        ([READY, reply("9012", "ExeRtn=100")], {"result": "no_data", "states": ["sent", "accepted", "done"]}),
        ([reply("9013", "")], {"result": "success", "states": ["sent", "done"]}),
        ([READY], {"result": "timeout", "states": ["sent", "accepted", "timeout"]}),
        ([], {"result": "timeout", "states": ["sent", "timeout"], "resends": 3}),
        ([reply("9011", "QnRtn=1", "20160824000501002")], {"result": "timeout", "states": ["sent", "timeout"], "resends": 3}),
        ([reply("9011", "QnRtn=1", station="X")], {"result": "timeout", "states": ["sent", "timeout"], "resends": 3}),
        ([READY.replace("QnRtn=1", "QnRtn=3")], {"result": "timeout", "states": ["sent", "timeout"], "resends": 3}),
    ],
)  # fmt: skip
def test_how_a_command_goes(replies: list[str], expected: dict[str, Any]) -> None:
    assert answer({"platform_sends": SENT, "device_replies": replies}) == expected


@pytest.mark.parametrize("mark", ["CP=&&", "Cp=&&", "cp=&&", " CP = &&", "CP =&&"])
def test_cp_however_it_is_written(mark: str) -> None:
    found = decode(wrap(f"ST=32;CN=2011;MN=1;{mark}a=1&&".encode()))
    assert isinstance(found, Frame)
    assert (found.fields["MN"], found.params) == ("1", {"a": "1"})
    assert not isinstance(decode(wrap(f"ST=32;CN=2011;MN=1 X{mark}a=1&&".encode())), Frame)


def test_blanks_beside_the_dash_are_no_part_of_a_name() -> None:
    found = decode(wrap(b"MN=1;CP=&&a21004- Rtd=20.9,a21004 -Flag=N&&"))
    assert isinstance(found, Frame)
    assert found.factors == {"a21004": {"Rtd": "20.9", "Flag": "N"}}


def test_whether_all_packages_have_come() -> None:
    parts = [
        segment(
            f"QN=2016080108585753{place};ST=32;CN=2061;MN=1;Flag=7;PNUM=3;PNO={place};CP=&&DataTime=1;{code}-Avg=1&&"
        )
        for place, code in ((3, "c"), (1, "b"), (2, "a"), (2, "a"))
    ]
    whole = answer({"frames_ascii": parts})
    assert (whole["complete"], whole["acks"], whole["stored_records"]) == (True, 4, 1)
    assert (whole["merged"]["factors"], whole["merged"]["factors_set"]) == (["c", "b", "a"], ["a", "b", "c"])
    assert answer({"frames_ascii": parts[:2]})["complete"] is False
    spoiled = answer({"frames_ascii": [parts[0], parts[1].replace("Avg=1", "Avg=2")]})
    assert (spoiled["valid"], spoiled["reason"], spoiled["acks"]) == (False, "crc_mismatch", 1)


def test_what_cannot_be_written_back_is_not_answered() -> None:
    text = segment("QN=1;ST=32;CN=2011;PW=a&b;MN=1;Flag=5;CP=&&DataTime=1;a-Rtd=1&&")
    found = answer({"ascii": text})
    assert found["valid"] is True
    assert "ack_frame_ascii" not in found
    assert answer({"frames_ascii": [text]})["acks"] == 0


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("QN=1;PW=123456;MN=A;CP=&&&&", "QN=1;PW=******;MN=A;CP=&&&&"),
        ("PW=123456;,MN=A", "PW=******;,MN=A"),
        ("CP=&&NewPW=654321&&", "CP=&&NewPW=******&&"),
        ("pw=12,PW=;CP=&&newpw=1;XPW=7&&", "pw=******,PW=;CP=&&newpw=******;XPW=7&&"),
    ],
)
def test_passwords_are_not_for_people(said: str, shown: str) -> None:
    assert without_passwords(said) == shown
