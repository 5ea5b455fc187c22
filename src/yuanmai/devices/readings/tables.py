"""CSV and Arrow: columns read natively; only where that fails, cell by cell."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _
from pyarrow import csv

from yuanmai.core.api.problems import Fault, Faulty, Problem
from yuanmai.devices.readings import cells
from yuanmai.devices.readings.rows import (
    COLUMNS,
    MOST_ROWS,
    Names,
    Rows,
    name_message,
    scaled,
    time_message,
    too_many,
    unreadable,
)

NAME = pa.dictionary(pa.int32(), pa.string())
MOMENT = pa.timestamp("us", "UTC")
NOTHING = ["", "null", "NULL", "NaN", "nan", "NA", "N/A"]
WHOLE = re.compile(rb'"?[+-]?\d{1,19}"?\s*')
DECIMAL = re.compile(rb'"?[+-]?\d{1,19}\.\d*(?:[eE][+-]?\d{1,2})?"?\s*')
OPTIONAL = frozenset({"quality"})


def wrong_columns(found: list[str], with_device: bool) -> Problem | None:
    """Return the refusal of a head without the columns wanted, or with others."""
    wanted = [name for name in COLUMNS if name not in OPTIONAL and (with_device or name != "device")]
    faults = [
        Fault(_("The column “%(name)s” is missing.") % {"name": name}, "missing", f"/{name}")
        for name in wanted
        if name not in found
    ]
    for place, name in enumerate(found):
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            message = _("There is no column “%(name)s” here. Known: %(known)s.")
            faults.append(Fault(message % {"name": name[:60], "known": known}, "unknown", f"/{name[:60]}"))
        elif name in found[:place]:
            faults.append(
                Fault(_("The column “%(name)s” comes twice.") % {"name": name}, "twice", f"/{name}")
            )
    return Faulty(faults) if faults else None


def _head(body: bytes) -> tuple[list[str], list[bytes]]:
    """Return the names in the first line and the cells of the second."""
    end = body.find(b"\n")
    first = body[: end if end >= 0 else len(body)].removeprefix(b"\xef\xbb\xbf").strip(b"\r\n")
    second = body[end + 1 : body.find(b"\n", end + 1) if body.find(b"\n", end + 1) >= 0 else len(body)]
    names = [
        name.strip().strip(b'"').strip().decode("utf-8", "replace").lower() for name in first.split(b",")
    ]
    return names, (second.strip(b"\r\n").split(b",") if end >= 0 else [])


def read_csv(body: bytes, with_device: bool) -> Rows:
    """Return the rows of a CSV with a head. Raises `Problem`."""
    found, sample = _head(body)
    if (problem := wrong_columns(found, with_device)) is not None:
        raise problem
    if b"\0" in body:
        raise unreadable(_("This is no CSV: it holds bytes of zero."))
    time: pa.DataType = MOMENT
    if len(sample) == len(found):
        cell = sample[found.index("time")]
        time = pa.int64() if WHOLE.fullmatch(cell) else pa.float64() if DECIMAL.fullmatch(cell) else MOMENT
    types = {"device": NAME, "point": NAME, "time": time, "value": pa.float64(), "quality": pa.int16()}
    try:
        return from_table(_table(body, found, types, NOTHING))
    except pa.ArrowInvalid as error:
        return _cells(body, found, str(error))


def _table(body: bytes, names: list[str], types: dict[str, pa.DataType], empty: list[str]) -> pa.Table:
    return csv.read_csv(
        pa.py_buffer(body),
        csv.ReadOptions(
            use_threads=False, block_size=max(len(body) + 1, 1024), column_names=names, skip_rows=1
        ),
        csv.ParseOptions(newlines_in_values=False),
        csv.ConvertOptions(
            column_types=types, null_values=empty, strings_can_be_null=False, timestamp_parsers=[csv.ISO8601]
        ),
    )


def _cells(body: bytes, names: list[str], why: str) -> Rows:
    """Return the rows read cell by cell with all their faults. Raises `Problem` where the lines themselves are wrong."""
    try:
        table = _table(body, names, dict.fromkeys(names, pa.string()), [])
    except pa.ArrowInvalid as error:
        raise unreadable(_("This is no CSV: %(why)s") % {"why": str(error)[:300]}) from None
    if len(table) > MOST_ROWS:
        raise too_many(len(table))
    columns: dict[str, list[Any]] = {name: table[name].to_pylist() for name in names}
    rows = Rows(None, Names([""], np.zeros(0, np.int32)), np.zeros(0, np.int64), np.zeros(0))
    if "device" in columns:
        rows.device = cells.names(columns["device"], "device", rows.fault)
    rows.point = cells.names(columns["point"], "point", rows.fault)
    rows.time = cells.times(columns["time"], rows.fault)
    rows.value = cells.values(columns["value"], rows.fault, texts=True)
    if "quality" in columns:
        rows.quality = cells.qualities(columns["quality"], rows.fault, texts=True)
    return rows


def read_arrow(body: bytes, with_device: bool) -> Rows:
    """Return the rows of an Arrow IPC stream or file. Raises `Problem`."""
    try:
        opened = pa.ipc.open_file if body[:6] == b"ARROW1" else pa.ipc.open_stream
        with opened(pa.py_buffer(body)) as source:
            if (
                problem := wrong_columns([name.lower() for name in source.schema.names], with_device)
            ) is not None:
                raise problem
            table = source.read_all()
        table.validate(full=True)
        table = table.rename_columns([name.lower() for name in table.schema.names])
        return from_table(pa.table({name: _cast(table[name], name) for name in table.schema.names}))
    except (pa.ArrowException, ValueError, OSError) as error:
        raise unreadable(
            _("This is no Arrow stream of readings: %(why)s") % {"why": str(error)[:300]}
        ) from None


def _cast(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return a column in the type that is wanted. Raises ArrowInvalid."""
    kind = column.type
    if name == "time":
        if pa.types.is_timestamp(kind):
            if kind.tz is None:
                raise pa.ArrowInvalid(f"time: {kind} has no zone")
            return column.cast(MOMENT, safe=False)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return column.cast(MOMENT)
        return column.cast(pa.float64() if pa.types.is_floating(kind) else pa.int64())
    if name in ("device", "point"):
        if pa.types.is_dictionary(kind):
            return column.cast(pa.string()) if kind != NAME else column
        return column.cast(pa.string())
    if pa.types.is_boolean(kind) or pa.types.is_string(kind):
        raise pa.ArrowInvalid(f"{name}: {kind} is no number")
    return column.cast(pa.float64() if name == "value" else pa.int16())


def from_table(table: pa.Table) -> Rows:
    """Return the rows of a table whose columns have the types wanted; raises `Problem` for too many."""
    if len(table) > MOST_ROWS:
        raise too_many(len(table))
    rows = Rows(None, Names([""], np.zeros(0, np.int32)), np.zeros(0, np.int64), np.zeros(0))
    if "device" in table.schema.names:
        rows.device = _names(table["device"], "device", rows)
    rows.point = _names(table["point"], "point", rows)
    rows.time = _times(table["time"], rows)
    rows.value = table["value"].to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    if "quality" in table.schema.names:
        rows.quality = pc.fill_null(table["quality"], 0).to_numpy().astype(np.int16, copy=False)
    return rows


def _names(column: pa.ChunkedArray, what: str, rows: Rows) -> Names:
    one = column.combine_chunks()
    if isinstance(one, pa.ChunkedArray):
        one = one.chunk(0) if one.num_chunks else pa.array([], NAME)
    if not pa.types.is_dictionary(one.type):
        one = one.dictionary_encode()
    index = pc.fill_null(one.indices, -1) if one.null_count else one.indices
    index = index.to_numpy().astype(np.int32, copy=False)
    mark = _mark(one.dictionary)
    each = GOOD.get(mark) if mark is not None and not one.null_count else None
    if each is not None:
        return Names(each, index, mark)
    each = tuple(name or "" for name in one.dictionary.to_pylist()) or ("",)
    wrong = [
        place for place, name in enumerate(each) if not 1 <= len(name) <= cells.LONGEST_NAME or "\0" in name
    ]  # fmt: skip
    if len(index) and (wrong or int(index.min()) < 0):
        bad = np.isin(index, [*wrong, -1])
        for row in np.flatnonzero(bad).tolist():
            rows.fault(row, what, each[index[row]] if index[row] >= 0 else "", "name", name_message())
        return Names(each, np.where(bad, -1, index).astype(np.int32))
    if mark is not None and len(index):
        while len(GOOD) >= MOST_GOOD:
            GOOD.pop(next(iter(GOOD)), None)
        GOOD[mark] = each
    return Names(each, index, mark)


# Names that were looked at, by their bytes: a sender sends the same again and again, and texts are dear to make.
GOOD: dict[tuple[int, bytes, bytes], tuple[str, ...]] = {}
MOST_GOOD = 256
LONGEST_MARK = 200_000


def _mark(names: pa.Array) -> tuple[int, bytes, bytes] | None:
    """Return the bytes of an array of texts, nothing where they are many or do not stand together."""
    buffers = names.buffers()
    if (
        names.offset
        or names.null_count
        or names.type != pa.string()
        or len(buffers) != 3
        or buffers[2] is None
    ):
        return None
    if buffers[1].size + buffers[2].size > LONGEST_MARK:
        return None
    return len(names), buffers[1].to_pybytes()[: 4 * len(names) + 4], buffers[2].to_pybytes()


def _times(column: pa.ChunkedArray, rows: Rows) -> npt.NDArray[np.int64]:
    if column.null_count:
        for row in np.flatnonzero(np.asarray(pc.is_null(column))).tolist():
            rows.fault(row, "time", "", "time", time_message())
        column = pc.fill_null(column, pa.scalar(0).cast(column.type))
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).to_numpy().astype(np.int64, copy=False)
    return scaled(column.to_numpy())
