"""What stands in a journal: one record per thing heard, as it was heard."""

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """How a record's payload is to be read. Numbers are kept for ever: old journals must stay readable."""

    HJ212 = 1  # one frame; key: MN
    JT808 = 2  # one frame with its marks, as received (escaped); key: phone without leading zeros
    MQTT = (
        3  # u16 length of the topic, topic, body; key: client identifier ("" where the broker does not say)
    )
    SPARKPLUG = 4  # as MQTT; key: group/node or group/node/device
    MODBUS = 5  # JSON: {"address": raw value} read in one round; key: as the device's
    DLT645 = 6  # one answer frame; key: as the device's
    CJT188 = 7  # one answer frame; key: as the device's
    READINGS = 8  # Arrow IPC stream: point int32, time timestamp[us, UTC], value float64, quality int16; key: who sent it
    CONNECTED = 16  # key: protocol + ":" + key; payload: JSON {"address", "gateway"}
    DISCONNECTED = 17  # as CONNECTED, with "reason"
    ODD = (
        18  # something odd from a known or unknown device; key as CONNECTED; payload: JSON {"kind", "sample"}
    )


class Record(NamedTuple):
    """A record of a journal. `received` is in microseconds since 1970 (UTC); `sequence` grows by one, from 1, without gaps."""

    sequence: int
    received: int
    kind: int
    key: str
    payload: bytes
