"""JSON, by rows or by columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from django.utils.translation import gettext as _

from yuanmai.devices.readings import cells
from yuanmai.devices.readings.rows import COLUMNS, MOST_ROWS, Names, Rows, too_many, unreadable
from yuanmai.devices.readings.tables import MOMENT, from_table, wrong_columns

NUMBERS = frozenset({int, float, type(None)})


def read_json(body: bytes, with_device: bool) -> Rows:
    """Return the rows of `[{"device", "point", "time", "value"}, …]`, or of one object with a list for each column.

    In columns a single device or point stands for all rows. Raises `Problem`.
    """
    try:
        document = orjson.loads(body)
    except ValueError as error:
        raise unreadable(_("This is no JSON: %(why)s") % {"why": str(error)[:200]}) from None
    if isinstance(document, dict):
        return _columns(document, with_device)
    if not isinstance(document, list):
        raise unreadable(_("Send a list of readings, or an object with a list for each column."))
    if len(document) > MOST_ROWS:
        raise too_many(len(document))
    return _rows(document, with_device)


def _rows(document: list[Any], with_device: bool) -> Rows:
    try:
        quick: dict[str, list[Any]] = {
            "point": [row["point"] for row in document],
            "time": [row["time"] for row in document],
            "value": [row["value"] for row in document],
        }
        size = 3
        if with_device or any("device" in row for row in document):
            quick["device"], size = [row["device"] for row in document], 4
        if any(len(row) != size for row in document):
            quick["quality"] = [row.get("quality") for row in document]
            if any(len(row) != size + ("quality" in row) for row in document):
                raise KeyError
        return _together(quick, "/{row}/{column}")
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, pa.ArrowException):
        return _each(document, with_device)


def _together(columns: dict[str, list[Any]], origin: str) -> Rows:
    """Return columns read natively. Raises what that raises where a cell is not as it shall be."""
    if not set(map(type, columns["value"])) <= NUMBERS:
        raise ValueError
    kinds = set(map(type, columns["time"]))
    arrays: dict[str, Any] = {}
    if kinds <= {str}:
        arrays["time"] = pa.array(columns["time"], pa.string()).cast(MOMENT)
    elif kinds <= {int}:
        arrays["time"] = pa.array(columns["time"], pa.int64())
    elif kinds <= {int, float}:
        arrays["time"] = pa.array(columns["time"], pa.float64())
    else:
        raise ValueError
    arrays["value"] = pa.array(columns["value"], pa.float64())
    for name in ("device", "point"):
        if name in columns:
            if not set(map(type, columns[name])) <= {str}:
                raise ValueError
            arrays[name] = pa.array(columns[name], pa.string()).dictionary_encode()
    if "quality" in columns:
        if not set(map(type, columns["quality"])) <= {int, type(None)}:
            raise ValueError
        arrays["quality"] = pa.array(columns["quality"], pa.int16())
    rows = from_table(pa.table(arrays))
    rows.origin = origin
    return rows


def _each(document: Sequence[Any], with_device: bool) -> Rows:
    """Return rows read one by one, with all their faults."""
    rows = Rows(
        None, Names([""], np.zeros(0, np.int32)), np.zeros(0, np.int64), np.zeros(0), origin="/{row}/{column}"
    )
    wanted = [name for name in COLUMNS if name != "quality" and (with_device or name != "device")]
    table: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for place, row in enumerate(document):
        if not isinstance(row, dict):
            rows.faults.add(place, "", row, "object", _("A reading is an object."), f"/{place}")
            row = dict.fromkeys(wanted, _MISSING)
        for name in wanted:
            if name not in row:
                rows.fault(place, name, "", "missing", _("This is required."))
        for name in row:
            if name not in COLUMNS:
                rows.fault(place, str(name)[:60], "", "unknown", _("There is no field of this name."))
        for name in COLUMNS:
            table[name].append(row.get(name, _MISSING))

    def fault(row: int, column: str, value: Any, rule: str, message: str) -> None:
        if value is not _MISSING:
            rows.fault(row, column, value, rule, message)

    rows.point = cells.names(table["point"], "point", fault)
    if with_device or any(cell is not _MISSING for cell in table["device"]):
        rows.device = cells.names(table["device"], "device", fault if with_device else rows.fault)
    rows.time = cells.times(table["time"], fault)
    rows.value = cells.values(table["value"], fault, texts=False)
    qualities = [None if cell is _MISSING else cell for cell in table["quality"]]
    rows.quality = cells.qualities(qualities, rows.fault, texts=False)
    return rows


class _Missing:
    """Stands where a row has no such field: that was said already."""

    def __str__(self) -> str:
        return ""


_MISSING = _Missing()


def _columns(document: Mapping[str, Any], with_device: bool) -> Rows:
    if (problem := wrong_columns(list(document), with_device)) is not None:
        raise problem
    lists = {name: cells_ for name, cells_ in document.items() if isinstance(cells_, list)}
    sizes = {name: len(column) for name, column in lists.items()}
    alone = [name for name in document if name not in lists]
    if len(set(sizes.values())) != 1 or any(name not in ("device", "point") for name in alone):
        told = ", ".join(f"{name}: {sizes.get(name, '-')}" for name in document)
        raise unreadable(
            _("All columns must be lists of one length (a device or point may stand alone): %(told)s")
            % {"told": told}
        )
    size = next(iter(sizes.values()))
    if size > MOST_ROWS:
        raise too_many(size)
    columns = {name: lists[name] if name in lists else [document[name]] * size for name in document}
    try:
        return _together(columns, "/{column}/{row}")
    except (ValueError, TypeError, OverflowError, pa.ArrowException):
        pass
    rows = Rows(
        None, Names([""], np.zeros(0, np.int32)), np.zeros(0, np.int64), np.zeros(0), origin="/{column}/{row}"
    )
    if "device" in columns:
        rows.device = cells.names(columns["device"], "device", rows.fault)
    rows.point = cells.names(columns["point"], "point", rows.fault)
    rows.time = cells.times(columns["time"], rows.fault)
    rows.value = cells.values(columns["value"], rows.fault, texts=False)
    if "quality" in columns:
        rows.quality = cells.qualities(columns["quality"], rows.fault, texts=False)
    return rows
