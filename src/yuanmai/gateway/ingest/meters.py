"""Meters that are asked: Modbus registers, DL/T 645 data items, CJ/T 188 readings."""

from typing import Any

import orjson

from yuanmai.gateway.ingest.told import Odd, Told
from yuanmai.protocols.cjt188 import frame as cjt188
from yuanmai.protocols.cjt188.reading import reading_of
from yuanmai.protocols.dlt645 import frame as dlt645
from yuanmai.protocols.dlt645.items import MEASURES, item_of
from yuanmai.protocols.faults import Fault

VALVES = {"open": 0, "closed": 1, "reserved": 2, "fault": 3}
Heard = tuple[list[Told], list[Odd]]


def modbus(payload: bytes) -> Heard:
    """Return the values of one round of reading by the addresses they were read from."""
    try:
        found = orjson.loads(payload)
    except ValueError:
        return [], [Odd("json", payload[:200].decode("utf-8", "backslashreplace"))]
    if not isinstance(found, dict):
        return [], [Odd("form", payload[:200].decode("utf-8", "backslashreplace"))]
    return [Told(None, found)], []


def electricity(payload: bytes) -> Heard:
    """Return the values of an answer of a DL/T 645 meter by their data items; those of a block by the items in it."""
    frame = dlt645.decode(payload)
    if isinstance(frame, Fault):
        return [], [Odd(frame.reason, payload[:120].hex())]
    if frame.abnormal:
        return [], [Odd("refused", ", ".join(frame.errors) or payload.hex())]
    item = item_of(frame)
    if item is None or not frame.reply:
        return [], []
    if item.kind is None or not item.values:
        if item.kind is None and frame.data[4:]:
            return [], [Odd("unmapped_item", f"{item.di}: {frame.data[4:].hex()}")]
        return [], [Odd("item_length", payload.hex())]
    told = zip(members(item.di, len(item.values)), item.values, strict=True)
    # A meter of one phase answers for three: what it does not have, it says with FF.
    values = {di: value for di, value in told if value is not None}
    return ([Told(None, values)], []) if values else ([], [Odd("non_bcd", payload.hex())])


def members(di: str, count: int) -> list[str]:
    """Return the items in an answer of `count` values: of a block (FF in its third byte) its single items."""
    if di[4:6] != "FF":
        return [di] if count == 1 else [f"{di}#{place}" for place in range(count)]
    group, second = di[:2], int(di[2:4], 16)
    first = 1 if group == "02" and not (second in MEASURES and MEASURES[second][5]) else 0
    return [f"{di[:4]}{first + place:02X}{di[6:]}" for place in range(count)]


def supply(payload: bytes) -> Heard:
    """Return the reading of a water, gas or heat meter: total, settlement, power, flow …, valve and battery_low."""
    frame = cjt188.decode(payload)
    if isinstance(frame, Fault):
        return [], [Odd(frame.reason, payload[:120].hex())]
    if frame.abnormal:
        return [], [Odd("refused", payload.hex())]
    reading = reading_of(frame)
    if reading is None:
        return [], ([Odd("unmapped_item", payload.hex())] if frame.reply else [])
    values: dict[str, Any] = {name: entry.value for name, entry in reading.quantities.items()}
    values |= reading.extra
    # What a meter does not have, it says with FF: that is no reading.
    values = {name: value for name, value in values.items() if value is not None}
    if len(reading.status) >= 1:
        values["valve"] = VALVES[reading.valve]
        values["battery_low"] = int(reading.battery_low)
    return [Told(None, values)], []
