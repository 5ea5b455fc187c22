"""Frames of a station (HJ 212) and of a terminal (JT/T 808) for the tests of decoding."""

from __future__ import annotations

from yuanmai.protocols.hj212.frame import encode as hj212
from yuanmai.protocols.jt808 import frame as jt808
from yuanmai.protocols.jt808.location import Location

MN = "010000A8900016F000169DC0"
# 2023-11-15 06:13:20 in Beijing.
BEIJING_NOW = "20231115061320"


def upload(
    factors: dict[str, dict[str, str]], command: str = "2011", time: str = BEIJING_NOW, **more: str
) -> bytes:
    fields = {"QN": f"{time}000", "ST": "32", "CN": command, "PW": "123456", "MN": MN, "Flag": "4", **more}
    return hj212(fields, {"DataTime": time}, factors)


PHONE = "13800000001"


def location(**fields: object) -> Location:
    values: dict[str, object] = {
        "alarm": 0, "status": 3, "lat_raw": 30_500_000, "lng_raw": 114_300_000, "altitude": 20, "speed": 605,
        "direction": 90, "time": "2023-11-15 06:13:20", **fields,
    }  # fmt: skip
    return Location(**values)  # type: ignore[arg-type]


def terminal(msg_id: int, body: bytes, standard: int = 2013, serial: int = 1) -> bytes:
    return jt808.encode(jt808.make_header(msg_id, PHONE, serial, standard), body)
