"""The readings around an alarm, and of a dry run, as a chart with the limit drawn in."""

import itertools
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.devices.engine.quality import EXCLUDED
from yuanmai.devices.engine.rules import conditions as c
from yuanmai.devices.engine.rules.definition import Definition
from yuanmai.devices.models import Point
from yuanmai.devices.registry.lake import queries
from yuanmai.devices.store.readings import Readings

logger = logging.getLogger(__name__)
MOST = 400  # categories of a chart
Span = tuple[datetime, datetime]


def around(raised_at: datetime, cleared_at: datetime | None, now: datetime | None = None) -> Span:
    """Return the span to show: the alarm with as much before and after, at least half an hour, at most three days."""
    end = cleared_at or now or timezone.now()
    length = min(max(end - raised_at, timedelta(minutes=30)), timedelta(days=1))
    return raised_at - length, min(raised_at + 2 * length, max(end, raised_at) + length)


def readings_of(points: Sequence[int], span: Span) -> Readings | None:
    """Return raw readings; None where the lake cannot be asked."""
    try:
        return queries().raw(points, *span)
    except Exception:
        logger.exception("the lake cannot be read")
        return None


def limits(definition: Definition) -> list[float]:
    """Return the limits that a rule names for its first condition, if it is one on values."""
    found: list[float] = []
    for condition in (definition.when, *(condition for _severity, condition in definition.grades)):
        if isinstance(condition, c.Threshold):
            found += [b for b in (condition.bounds.low, condition.bounds.high) if np.isfinite(b)]
    return sorted(set(found))


def chart(
    point: Point, found: Readings, alarmed: Iterable[tuple[datetime, datetime | None]], lines: Sequence[float], step: str = "%m-%d %H:%M:%S"
) -> dict[str, Any]:  # fmt: skip
    """Return a chart of readings: those within alarms in red, the limits as lines. Excluded readings are gaps."""
    good = (found.quality & EXCLUDED) == 0
    time, value = found.time, np.where(good, found.value, np.nan)
    places = _thinned(value)
    time, value = time[places], value[places]
    within = np.zeros(len(time), bool)
    for begin, end in alarmed:
        last = (end or timezone.now()).timestamp() * 1e6
        within |= (time >= begin.timestamp() * 1e6) & (time < last)
    moments = [
        timezone.localtime(datetime.fromtimestamp(t / 1e6, timezone.get_current_timezone())).strftime(step)
        for t in time
    ]
    plain: list[float | None] = [None if np.isnan(v) else round(float(v), 6) for v in value]
    series: list[dict[str, Any]] = [
        {"name": point.label, "data": plain, "type": "line"},
        {"name": _("In alarm"), "type": "line", "tone": "danger",
         "data": [v if inside else None for v, inside in zip(plain, within.tolist(), strict=True)]},
    ]  # fmt: skip
    series += [
        {
            "name": _("Limit %(limit)s") % {"limit": f"{line:g}"},
            "type": "line",
            "tone": "warning",
            "data": [line] * len(plain),
        }
        for line in lines
    ]
    return {
        "type": "line",
        "categories": moments,
        "axis": str(_("Time")),
        "unit": point.unit,
        "series": series,
    }


def _thinned(value: Any) -> Any:
    """Return at most `MOST` places: of each stretch the lowest and the highest, so that no peak is lost."""
    count = len(value)
    if count <= MOST:
        return np.arange(count)
    edges = np.linspace(0, count, MOST // 2 + 1).astype(int)
    chosen: set[int] = {0, count - 1}
    for begin, end in itertools.pairwise(edges):
        part = value[begin:end]
        if len(part) and not np.isnan(part).all():
            chosen |= {begin + int(np.nanargmin(part)), begin + int(np.nanargmax(part))}
        elif len(part):
            chosen.add(begin)
    return np.array(sorted(chosen))
