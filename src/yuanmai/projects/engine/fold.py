"""From facts to states (pure): what held of a project on each day.

Facts are taken in the order of their effective day; on the same day the later recorded one wins. A plan holds within
its year; what is reported as done in a year is empty again on 1 January, while state, text and total since the start
stay. A project exists from its first version on.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.core.engine.temporal import Span, spans

KIND_NEW_START, KIND_CONTINUING, KIND_RESERVE = "new_start", "continuing", "reserve"


@dataclass(frozen=True)
class VersionFact:
    """Attributes of a project from a day on; `values` maps the state's field names to values."""

    id: int
    effective_on: date
    values: Mapping[str, Any]
    stage: str = ""


@dataclass(frozen=True)
class PlanFact:
    """The plan of a year; it holds from `effective_on`, or from 1 January where that lies before the year."""

    id: int
    effective_on: date
    year: int
    kind: str
    planned_investment: Decimal | None


@dataclass(frozen=True)
class ReportFact:
    """A progress report. None in a field means "not said", and the value before it stands."""

    id: int
    effective_on: date
    investment_done: Decimal | None = None
    done_total: Decimal | None = None
    visible_progress: str = ""
    visible_percent: Decimal | None = None
    started: bool | None = None
    resumed: bool | None = None
    completed: bool | None = None
    problems: str = ""


@dataclass(frozen=True)
class ListFact:
    """On a day the project came onto a list, or left it."""

    effective_on: date
    list_code: str
    on: bool


@dataclass(frozen=True)
class Facts:
    """All facts of one project that have not been retracted, each kind in the order of recording."""

    versions: Sequence[VersionFact]
    plans: Sequence[PlanFact] = ()
    reports: Sequence[ReportFact] = ()
    lists: Sequence[ListFact] = ()


@dataclass
class _Reported:
    values: dict[str, Any] = field(default_factory=dict)
    report_id: int | None = None
    reported_on: date | None = None


def stage_of(explicit: str, kind: str, started: bool, resumed: bool, completed: bool) -> str:
    """Return the stage: a reported completion first, then what was said explicitly, then kind and start."""
    if explicit == "operating":
        return explicit
    if completed:
        return "completed"
    if started or resumed or kind == KIND_CONTINUING:
        return "construction"
    return explicit or ("reserve" if kind == KIND_RESERVE else "preparation")


def fold(facts: Facts) -> list[Span[tuple[tuple[str, Any], ...]]]:
    """Return the timeline of a project; each payload is the sorted items of a state's fields (hashable).

    Fields are those of `ProjectState` that come from facts, plus ``version_id``, ``plan_id``, ``report_id``.
    """
    versions = _ordered(facts.versions)
    if not versions:
        return []
    plans, reports, lists = _ordered(facts.plans), _ordered(facts.reports), _ordered(facts.lists)
    first = versions[0].effective_on
    breaks = {f.effective_on for group in (versions, plans, reports, lists) for f in group}
    years = {plan.year for plan in plans} | {report.effective_on.year for report in reports}
    breaks |= {date(year, 1, 1) for year in years} | {date(year + 1, 1, 1) for year in years}

    def payload(day: date) -> tuple[tuple[str, Any], ...] | None:
        version = _latest(versions, day)
        if version is None:
            return None
        plan = _latest([p for p in plans if p.year == day.year], day)
        reported = _reported(reports, day)
        values = dict(version.values)
        values.update(reported.values)
        kind = plan.kind if plan else ""
        values.update(
            kind=kind,
            stage=stage_of(version.stage, kind, values["started"], values["resumed"], values["completed"]),
            plan_year=plan.year if plan else None,
            planned_investment=plan.planned_investment if plan else None,
            lists=_lists(lists, day),
            reported_on=reported.reported_on,
            version_id=version.id,
            plan_id=plan.id if plan else None,
            report_id=reported.report_id,
        )
        return tuple(sorted(values.items()))

    return spans((day for day in breaks if day >= first), payload)


def _ordered(facts: Sequence[Any]) -> list[Any]:
    # Stable: of two facts of one day the one recorded later comes later.
    return sorted(facts, key=lambda fact: fact.effective_on)


def _latest(facts: Sequence[Any], day: date) -> Any:
    index = bisect_right(facts, day, key=lambda fact: fact.effective_on)
    return facts[index - 1] if index else None


def _reported(reports: Iterable[ReportFact], day: date) -> _Reported:
    """Carry reports forward to a day."""
    values: dict[str, Any] = {
        "investment_done": None,
        "done_total": None,
        "visible_progress": "",
        "visible_percent": None,
        "started": False,
        "resumed": False,
        "completed": False,
        "problems": "",
    }
    result = _Reported(values)
    for report in reports:
        if report.effective_on > day:
            break
        if result.reported_on is not None and report.effective_on.year != result.reported_on.year:
            # A new year starts: resumption and the year's investment are asked for anew.
            values.update(investment_done=None, resumed=False)
        for name in ("investment_done", "done_total", "visible_percent", "started", "resumed", "completed"):
            if (said := getattr(report, name)) is not None:
                values[name] = said
        values["visible_progress"] = report.visible_progress or values["visible_progress"]
        values["problems"] = report.problems
        result.report_id, result.reported_on = report.id, report.effective_on
    if result.reported_on is not None and result.reported_on.year != day.year:
        values.update(investment_done=None, resumed=False, problems="")
    return result


def _lists(lists: Iterable[ListFact], day: date) -> str:
    on: dict[str, bool] = {}
    for fact in lists:
        if fact.effective_on <= day:
            on[fact.list_code] = fact.on
    codes = sorted(code for code, is_on in on.items() if is_on)
    return f"|{'|'.join(codes)}|" if codes else ""
