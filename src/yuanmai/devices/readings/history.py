"""Readings read back: points of the caller's scope, a span, raw or by hours or days; a page of JSON, or a stream of a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from yuanmai.core.api import Fault, Faulty, Problem
from yuanmai.devices.models import Point
from yuanmai.devices.registry.lake import queries

Step = Literal["raw", "hour", "day"]
LONGEST: dict[str, timedelta] = {
    "raw": timedelta(days=93), "hour": timedelta(days=1100), "day": timedelta(days=11000)
}  # fmt: skip
MOST_POINTS = 200
RAW = ("time", "value", "quality")
ROLLED = ("time", "mean", "minimum", "maximum", "first", "last", "increase", "n", "excluded")
KINDS: dict[str, pa.DataType] = {
    "time": pa.timestamp("us", "UTC"), "quality": pa.int16(), "n": pa.int64(), "excluded": pa.int64()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: points by number with their device and code, from `begin` to before `end`."""

    names: dict[int, tuple[str, str]]
    begin: datetime
    end: datetime
    step: Step

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the answer behind device and point."""
        return RAW if self.step == "raw" else ROLLED

    @property
    def schema(self) -> pa.Schema:
        """The columns of a file."""
        fields = [("device", pa.string()), ("point", pa.string())]
        return pa.schema([*fields, *((name, KINDS.get(name, pa.float64())) for name in self.columns)])


def question(
    org_ids: Sequence[int], device: str, point: str | None, begin: datetime, end: datetime, step: Step
) -> Question:
    """Return what is asked. Raises `Faulty` for a wrong span or unknown points, 404 for a device outside of the scope."""
    faults = []
    if begin.tzinfo is None or end.tzinfo is None:
        name = "begin" if begin.tzinfo is None else "end"
        faults.append(
            Fault(_("Say the time with its zone: 2026-03-31T18:00:00+08:00."), "zone", parameter=name)
        )
    elif begin >= end:
        faults.append(Fault(_("The begin must lie before the end."), "span", parameter="begin"))
    elif end - begin > LONGEST[step]:
        message = _("At most %(days)s days in this step. Ask for hours or days, or for a shorter time.")
        faults.append(Fault(message % {"days": LONGEST[step].days}, "span", parameter="end"))
    if faults:
        raise Faulty(faults)
    rows = Point.objects.filter(device__org_id__in=org_ids, device__code=device, device__retired_at=None)
    found = list(rows.filter(retired_at=None).values_list("pk", "device_id", "code"))
    if not found:
        raise Problem(404, _("There is nothing here, or nothing that you may see."), code="not_found")
    if len({owner for _pk, owner, _code in found}) > 1:
        message = _("Several of your organisations have a device “%(device)s”. Name one with `org`.")
        raise Faulty([Fault(message % {"device": device}, "ambiguous_device", parameter="device")])
    wanted = None if point is None else [code.strip() for code in point.split(",")]
    names = {pk: (device, code) for pk, _owner, code in found if wanted is None or code in wanted}
    known = {code for _pk, _owner, code in found}
    if missing := [code for code in wanted or () if code not in known]:
        message = _("This device has no point “%(point)s”. Its points stand on its page in the register.")
        raise Faulty([
            Fault(message % {"point": code[:60]}, "unknown_point", parameter="point") for code in missing
        ])  # fmt: skip
    if len(names) > MOST_POINTS:
        message = _("At most %(most)s points at once: name those wanted with `point`.")
        raise Faulty([Fault(message % {"most": MOST_POINTS}, "too_many", parameter="point")])
    return Question(names, begin.astimezone(UTC), end.astimezone(UTC), step)


def tables(asked: Question) -> Iterator[pa.Table]:
    """Yield the answer in pieces that follow each other in time, sorted by point and time inside; nothing outside the span."""
    numbers = sorted(asked.names)
    for table in queries().export(numbers, asked.begin, asked.end, asked.step):
        if asked.step == "raw":
            inside = pc.and_(
                pc.greater_equal(table["time"], pa.scalar(asked.begin, KINDS["time"])),
                pc.less(table["time"], pa.scalar(asked.end, KINDS["time"])),
            )
            table = table.filter(inside)
        yield table


def named(asked: Question, pieces: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the pieces with codes instead of numbers, as they stand in files."""
    numbers = np.array(sorted(asked.names), np.int64)
    for table in pieces:
        place = np.searchsorted(numbers, table["point"].to_numpy())
        columns: dict[str, Any] = {}
        for name, side in (("device", 0), ("point", 1)):
            words = pa.array([asked.names[number][side] for number in numbers.tolist()], pa.string())
            columns[name] = words.take(pa.array(place))
        columns |= {name: table[name].cast(asked.schema.field(name).type) for name in asked.columns}
        yield pa.table(columns, schema=asked.schema)


def page(asked: Question, limit: int) -> tuple[list[dict[str, Any]], datetime | None]:
    """Return up to `limit` rows in the order of time, and the begin of what follows (nothing at the end).

    Rows of one time are never torn apart, so a page may have some more.
    """
    parts, count = [], 0
    for table in tables(asked):
        parts.append(table)
        count += len(table)
        if count > limit:
            break
    if not parts:
        return [], None
    whole = pa.concat_tables(parts).sort_by([("time", "ascending"), ("point", "ascending")])
    following: datetime | None = None
    if len(whole) > limit:
        moments = whole["time"].cast(pa.int64()).to_numpy()
        cut = int(np.searchsorted(moments, moments[limit - 1], side="right"))
        if cut < len(whole):
            following = whole["time"][cut].as_py()
        elif count > limit and whole["time"][-1].as_py() < asked.end:
            following = whole["time"][-1].as_py() + timedelta(microseconds=1)
        whole = whole.slice(0, cut)
    columns = {name: whole[name].to_pylist() for name in asked.columns}
    found = []
    for place, number in enumerate(whole["point"].to_pylist()):
        device, code = asked.names[number]
        row = {"device": device, "point": code}
        row |= {name: column[place] for name, column in columns.items()}
        found.append(row)
    return found, following
