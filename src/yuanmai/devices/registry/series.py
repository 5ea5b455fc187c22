"""The history of points as the chart, the interface and the exports want it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from yuanmai.devices.engine.curve import drawn, thinned
from yuanmai.devices.engine.quality import EXCLUDED
from yuanmai.devices.models import Point
from yuanmai.devices.registry.lake import queries
from yuanmai.devices.registry.tables import quality_words, value_text

Step = Literal["raw", "hour", "day"]
STEPS: tuple[Step, ...] = ("raw", "hour", "day")
MOST_POINTS = 6
LONGEST: dict[Step, timedelta] = {
    "raw": timedelta(days=62),
    "hour": timedelta(days=800),
    "day": timedelta(days=4000),
}
DRAWN = 12_000  # readings of one point that are sent; a screen has fewer columns, and extremes are kept
MARKED = 2_000  # excluded readings of one point that are marked
TABLE = 500  # rows of the table behind the chart
LEAST = {"raw": 0, "hour": 3600 * 10**6, "day": 86_400 * 10**6}


@dataclass(frozen=True)
class Span:
    """What is asked: from `begin` to before `end`, in steps."""

    begin: datetime
    end: datetime
    step: Step


RANGES = {
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "365d": timedelta(days=365),
}
USUAL: dict[str, Step] = {"24h": "raw", "7d": "raw", "30d": "hour", "365d": "day"}


def range_of(values: Any) -> str:
    """Return the name of the range that an address asks for, "" for days of its own (`from`, `to`; `own` where both are there)."""
    if values.get("own") and values.get("from"):
        return ""
    return values.get("range") or ("" if values.get("from") else "24h")


def span_of(values: Any, now: datetime | None = None) -> Span:
    """Read a span out of an address: `range` (24h, 7d, 30d, 365d) or `from` and `to` (days, or moments), and `step`.

    Raises `ValidationError` saying what is wrong with it.
    """
    now = now or timezone.now()
    name = range_of(values)
    begin: datetime | None
    end: datetime | None
    if name in RANGES:
        begin, end = now - RANGES[name], now + timedelta(seconds=1)
    else:
        begin, end = _moment(values.get("from", "")), _moment(values.get("to", ""), last=True) or now
    if begin is None or end is None or begin >= end:
        raise ValidationError(_("Say from which day to which: the first day must lie before the last."))
    step: Step = values.get("step") or USUAL.get(name) or _usual(end - begin)
    if step not in STEPS:
        raise ValidationError(_("The step is raw, hour or day."))
    if end - begin > LONGEST[step]:
        raise ValidationError(
            _("At most %(days)s days in this step; choose hours or days, or a shorter time.")
            % {"days": LONGEST[step].days}
        )
    return Span(begin, end, step)


def _usual(length: timedelta) -> Step:
    if length <= timedelta(days=8):
        return "raw"
    return "hour" if length <= timedelta(days=100) else "day"


def _moment(text: str, *, last: bool = False) -> datetime | None:
    try:
        moment, day = parse_datetime(text), parse_date(text)
    except ValueError:
        return None
    if moment is not None:
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    if day is None:
        return None
    start = timezone.make_aware(datetime.combine(day, datetime.min.time()))
    return start + timedelta(days=1) if last else start


def series(points: Sequence[Point], span: Span) -> list[dict[str, Any]]:
    """Return each point's history: columns of moments (ms since 1970) and values, null where there is a gap.

    raw: `time`, `value`, and apart from them `excluded` (time, value, reason). hour, day: `time`, `value` (mean; the increase of
    a meter count), `low`, `high`, `number`, `left_out`. Everybody: `gaps`, `interval` in seconds, `count`.
    """
    table = queries().history([point.pk for point in points], span.begin, span.end, span.step)
    numbers = np.asarray(table["point"])
    edges = {
        int(p): (int(np.searchsorted(numbers, p)), int(np.searchsorted(numbers, p, "right")))
        for p in np.unique(numbers)
    }
    found = []
    for point in points:
        start, stop = edges.get(point.pk, (0, 0))
        part = table.slice(start, stop - start)
        told = _raw(point, part) if span.step == "raw" else _steps(point, part, span.step)
        found.append({"point": point.pk, "code": point.code, "name": point.label, "unit": point.unit, "kind": point.kind,
                      "decimals": point.decimals, "states": point.states, **told})  # fmt: skip
    return found


def _times(part: pa.Table, column: str = "time") -> Any:
    return np.asarray(part[column].cast(pa.timestamp("us", "UTC")).cast(pa.int64()))


def _column(part: pa.Table, name: str) -> Any:
    return np.asarray(
        part[name].cast(pa.float64()).fill_null(np.nan)
        if part[name].null_count
        else part[name].cast(pa.float64())
    )


def _ms(time: Any) -> list[int]:
    return (time // 1000).tolist()


def _plain(values: Any) -> list[float | None]:
    """Return numbers as JSON knows them: null for NaN and infinities."""
    finite = np.isfinite(values)
    if finite.all():
        return values.tolist()
    mixed = values.astype(object)
    mixed[~finite] = None
    return mixed.tolist()


def _raw(point: Point, part: pa.Table) -> dict[str, Any]:
    time, value = _times(part), _column(part, "value")
    quality = np.asarray(part["quality"]).astype(np.int64)
    good = (quality & EXCLUDED) == 0
    # A gap is where nothing came at all; an excluded reading is no gap, and has its own mark.
    whole = drawn(time, np.where(good, value, np.nan))
    places = thinned(whole.time, whole.value, DRAWN)
    bad = np.flatnonzero(~good)[-MARKED:]
    return {
        "time": _ms(whole.time[places]),
        "value": _plain(whole.value[places]),
        "excluded": [
            [
                int(time[p]) // 1000,
                None if np.isnan(value[p]) else float(value[p]),
                "; ".join(quality_words(int(quality[p]))),
            ]
            for p in bad
        ],
        "gaps": (whole.gaps // 1000).tolist(),
        "interval": whole.expected / 10**6,
        "count": len(time),
        "left_out": int((~good).sum()),
        "thinned": len(places) < len(whole.time),
    }


def _steps(point: Point, part: pa.Table, step: Step) -> dict[str, Any]:
    time = _times(part)
    mean = _column(part, "increase" if point.kind == "counter" else "mean")
    curve = drawn(time, mean, least=LEAST[step])
    low, high = (drawn(time, _column(part, name), least=LEAST[step]).value for name in ("minimum", "maximum"))
    number = drawn(time, np.asarray(part["n"]).astype(float), least=LEAST[step]).value
    left_out = drawn(time, np.asarray(part["excluded"]).astype(float), least=LEAST[step]).value
    band = point.kind == "gauge"
    return {
        "time": _ms(curve.time),
        "value": _plain(curve.value),
        "low": _plain(low) if band else [],
        "high": _plain(high) if band else [],
        "number": _plain(number),
        "left": _plain(left_out),
        "excluded": [],
        "gaps": (curve.gaps // 1000).tolist(),
        "interval": curve.expected / 10**6,
        "count": int(np.nansum(number)),
        "left_out": int(np.nansum(left_out)),
        "thinned": False,
    }


def behind(points: Sequence[Point], told: Sequence[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return the table behind the chart: the last moments with the value of each point, the newest first."""
    rows: dict[int, dict[int, str]] = {}
    for point, one in zip(points, told, strict=True):
        pairs = [(t, v) for t, v in zip(one["time"], one["value"], strict=True) if v is not None][-TABLE:]
        marked = [(t, v) for t, v, _why in one["excluded"]][-TABLE:]
        for moment, value in pairs:
            rows.setdefault(moment, {})[point.pk] = value_text(point, value)
        for moment, value in marked:
            rows.setdefault(moment, {})[point.pk] = f"({value_text(point, value)})"
    lines = sorted(rows.items(), reverse=True)[:TABLE]
    return [
        (
            timezone.localtime(datetime.fromtimestamp(moment / 1000, UTC)).strftime("%Y-%m-%d %H:%M:%S"),
            [cells.get(point.pk, "–") for point in points],
        )
        for moment, cells in lines
    ]


CHUNK_DAYS = 5
HEAD = ("device", "point", "name", "unit", "time", "value", "quality", "excluded")
HEAD_STEPS = (
    "device",
    "point",
    "name",
    "unit",
    "time",
    "number",
    "excluded",
    "mean",
    "minimum",
    "maximum",
    "first",
    "last",
    "increase",
)


def tables(points: Sequence[Point], span: Span, device: str) -> Iterator[pa.Table]:
    """Return the history as tables with names instead of numbers, some days at a time, so that a year fits in little memory."""
    named = {point.pk: point for point in points}
    length = timedelta(days=CHUNK_DAYS if span.step == "raw" else 400)
    begin = span.begin
    while begin < span.end:
        end = min(begin + length, span.end)
        if span.step == "day":
            end = span.end
        part = queries().history(list(named), begin, end, span.step)
        yield _said(part, named, span.step, device)
        begin = end


def _said(part: pa.Table, named: dict[int, Point], step: Step, device: str) -> pa.Table:
    numbers = np.asarray(part["point"]).tolist()
    texts = {
        name: pa.array([getattr(named[n], name) for n in numbers], pa.string())
        for name in ("code", "label", "unit")
    }
    moments = part["time"].cast(pa.timestamp("us", "UTC"))
    whole = {"device": pa.array([device] * len(numbers), pa.string()), "point": texts["code"], "name": texts["label"],
             "unit": texts["unit"], "time": moments}  # fmt: skip
    if step == "raw":
        quality = np.asarray(part["quality"]).astype(np.int64)
        whole |= {
            "value": part["value"],
            "quality": pa.array(quality),
            "excluded": pa.array((quality & EXCLUDED) != 0),
        }
    else:
        whole |= {"number": part["n"], "excluded": part["excluded"]}
        whole |= {name: part[name] for name in HEAD_STEPS[7:]}
    return pa.table(whole)
