"""The line protocol of InfluxDB: lines of one plain shape are read natively, others one by one."""

import re
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _
from pyarrow import csv

from yuanmai.devices.readings import cells
from yuanmai.devices.readings.rows import MOST_ROWS, Names, Rows, scaled, too_many, unreadable
from yuanmai.devices.readings.tables import NAME, from_table

_KEY = r"(?:[^,= \\]|\\.)+"
_HEAD = rf"((?:[^, \\]|\\.)+)((?:,{_KEY}={_KEY})*)"
_ONE = rf"{_KEY}=(?:\"(?:[^\"\\]|\\.)*\"|[^,\" ]+)"
_LINE = re.compile(rf"{_HEAD} +({_ONE}(?:,{_ONE})*)(?: +(-?\d{{1,19}}))? *")
_PLAIN_HEAD = re.compile(_HEAD)
_TAG = re.compile(rf",({_KEY})=({_KEY})")
_FIELD = re.compile(rf"({_KEY})=(\"(?:[^\"\\]|\\.)*\"|[^,\" ]+)(?:,|$)")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?[iu]?")
_TRUTH = dict.fromkeys(("t", "T", "true", "True", "TRUE"), 1.0) | dict.fromkeys(
    ("f", "F", "false", "False", "FALSE"), 0.0
)
# Where one of these stands anywhere, a line may be more than three words with commas and signs of equality between.
_NOT_PLAIN = (b"\\", b'"', b"#", b"\r", b"\n\n", b"0x", b"0X", b"\0")
_MOST_HEADS = 20_000


def read_lines(body: bytes, with_device: bool) -> Rows:
    """Return the readings of `measurement,device=CODE point=value,… time` lines; without the tag the measurement is the device.

    Raises `Problem`. A line without a time was measured now.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise unreadable(_("This is not UTF-8: %(why)s") % {"why": str(error)[:200]}) from None
    now = time.time_ns() // 1000
    quick = _together(body.replace(b"\r\n", b"\n") if b"\r" in body else body, with_device, now)
    return quick if quick is not None else _each(text, with_device, now)


def _together(body: bytes, with_device: bool, now: int) -> Rows | None:
    """Return the rows of plain lines, nothing where one of them may be something else: that is looked at line by line."""
    if body.startswith(b"\n") or any(sign in body for sign in _NOT_PLAIN):
        return None
    words = body[: body.find(b"\n") if b"\n" in body else len(body)].count(b" ") + 1
    if words not in (2, 3):
        return None
    try:
        lines = _words(body, ["head", "fields", "time"][:words])
        fields = lines["fields"].combine_chunks()
        parent = None
        if pc.any(pc.match_substring(fields, ",")).as_py():
            split = pc.split_pattern(fields, ",")
            parent, fields = pc.list_parent_indices(split).to_numpy(), pc.list_flatten(split)
        if len(fields) > MOST_ROWS:
            raise too_many(len(fields))
        pair = pc.split_pattern(fields, "=")
        if not len(fields) or not pc.all(pc.equal(pc.list_value_length(pair), 2)).as_py():
            return None
        value = _numbers(pc.list_element(pair, 1))
        device = _devices(lines["head"].combine_chunks())
        if value is None or device is None:
            return None
    except pa.ArrowException:
        return None
    when = lines["time"].combine_chunks() if words == 3 else pa.array(np.full(len(lines), now, np.int64))
    if parent is not None:
        device, when = device.take(pa.array(parent)), when.take(pa.array(parent))
    columns = {
        "device": device,
        "point": pc.list_element(pair, 0).dictionary_encode(),
        "time": when,
        "value": value,
    }
    if not with_device:
        del columns["device"]
    rows = from_table(pa.table(columns))
    rows.lines = parent
    return rows


def _words(body: bytes, names: list[str]) -> pa.Table:
    """Return the words of the lines. Raises ArrowInvalid where a line has more or fewer."""
    return csv.read_csv(
        pa.py_buffer(body),
        csv.ReadOptions(use_threads=False, block_size=max(len(body) + 1, 1024), column_names=names),
        csv.ParseOptions(delimiter=" ", quote_char=False, double_quote=False, newlines_in_values=False),
        csv.ConvertOptions(
            column_types={"head": NAME, "fields": pa.string(), "time": pa.int64()}, null_values=[], strings_can_be_null=False
        ),
    )  # fmt: skip


def _numbers(texts: pa.Array) -> pa.Array | None:
    """Return numbers, with the sign of a whole one behind them or without; nothing where one is something else."""
    try:
        found = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        found = pc.replace_substring_regex(texts, "([0-9])[iu]$", "\\1").cast(pa.float64())
    return found if pc.all(pc.is_finite(found)).as_py() else None


def _devices(heads: pa.DictionaryArray) -> pa.DictionaryArray | None:
    """Return the code of the device for each line, nothing where a head is none."""
    if len(heads.dictionary) > _MOST_HEADS:
        return None
    places: dict[str, int] = {}
    which = []
    for head in heads.dictionary.to_pylist():
        found = _PLAIN_HEAD.fullmatch(head)
        if found is None:
            return None
        device = str(dict(_TAG.findall(found[2])).get("device", found[1]))
        which.append(places.setdefault(device, len(places)))
    index = np.array(which, np.int32)[heads.indices.to_numpy()]
    return pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(list(places), pa.string()))


def _each(text: str, with_device: bool, now: int) -> Rows:
    """Return rows read line by line, with all their faults."""
    devices: list[str] = []
    points: list[str] = []
    times: list[int] = []
    values: list[float] = []
    lines: list[int] = []
    rows = Rows(None, Names([""], np.zeros(0, np.int32)), np.zeros(0, np.int64), np.zeros(0))
    for number, line in enumerate(text.split("\n")):
        line = line.rstrip("\r")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            rows.faults.add(number, "", line, "line", _("This line is not measurement,tag=… field=… time."))
            continue
        tags = dict(_TAG.findall(found[2]))
        device = _plain(str(tags.get("device", found[1])))
        for name, cell in _FIELD.findall(found[3]):
            value = _TRUTH.get(cell)
            if value is None and _NUMBER.fullmatch(cell):
                value = float(cell.rstrip("iu"))
            if value is None:
                rows.faults.add(
                    number,
                    _plain(name),
                    cell,
                    "number",
                    _("Only numbers and truth can be kept: texts have no history."),
                )
                continue
            devices.append(device)
            points.append(_plain(name))
            times.append(_fitting(int(found[4])) if found[4] else now)
            values.append(value)
            lines.append(number)
    if len(values) > MOST_ROWS:
        raise too_many(len(values))
    rows.lines = np.array(lines, np.int64)
    if with_device:
        rows.device = cells.names(devices, "device", rows.fault)
    rows.point = cells.names(points, "point", rows.fault)
    rows.time = scaled(np.array(times, np.int64))
    rows.value = np.array(values, np.float64)
    return rows


def _fitting(when: int) -> int:
    """Return a time as it came, or in microseconds where its nanoseconds need more than 64 bits (after 2262)."""
    return when if abs(when) < 1 << 63 else when // 1_000


def _plain(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name)
