"""What can be wrong with what is entered about a project (pure).

Every check gives an :class:`Issue` with the field it belongs to and the numbers of its sentence; the words stand in
`projects/forms.py`. An *error* stops the entry, a *warning* asks for a confirmation.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Issue:
    """Something wrong: the field, the rule's code, how serious it is, and what its sentence is filled with."""

    field: str
    code: str
    level: str = ERROR
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Before:
    """What was last known of a project before a report; amounts in yuan."""

    reported_on: date | None = None
    investment_done: Decimal | None = None
    done_total: Decimal | None = None
    visible_percent: Decimal | None = None
    started: bool = False
    resumed: bool = False
    completed: bool = False
    planned_investment: Decimal | None = None
    total_investment: Decimal | None = None


# A year's plan is exceeded now and then; by half it is more often a slip of the unit.
PLAN_TWICE = Decimal("1.5")


def check_report(report: Mapping[str, Any], before: Before, effective_on: date) -> list[Issue]:
    """Check a progress report against what was known before it; `report` maps fields of `ProgressReport` to values."""
    issues = list(_negative(report, ("investment_done", "done_total", "visible_percent")))
    done, total = report.get("investment_done"), report.get("done_total")
    percent = report.get("visible_percent")
    if percent is not None and percent > 100:
        issues.append(Issue("visible_percent", "percent_over_100", params={"value": percent}))
    whole = before.total_investment
    if whole is not None:
        for name, value in (("done_total", total), ("investment_done", done)):
            if value is not None and value > whole:
                issues.append(Issue(name, "done_over_total", params={"value": value, "total": whole}))
    if done is not None and total is not None and done > total:
        issues.append(Issue("investment_done", "year_over_total", params={"value": done, "total": total}))
    plan = before.planned_investment
    if done is not None and plan and done > plan * PLAN_TWICE:
        issues.append(Issue("investment_done", "done_over_plan", WARNING, {"value": done, "plan": plan}))
    issues += _regressions(report, before, effective_on)
    if report.get("completed") and report.get("started") is False:
        issues.append(Issue("completed", "completed_not_started"))
    return issues


def _regressions(report: Mapping[str, Any], before: Before, effective_on: date) -> Iterable[Issue]:
    same_year = before.reported_on is not None and before.reported_on.year == effective_on.year
    for name in ("investment_done", "done_total", "visible_percent"):
        value, last = report.get(name), getattr(before, name)
        if value is None or last is None or (name == "investment_done" and not same_year):
            continue
        if value < last:
            yield Issue(name, f"less_{name}", WARNING, {"value": value, "last": last})
    if report.get("started") is False and before.started:
        yield Issue("started", "no_longer_started", WARNING)
    if report.get("resumed") is False and before.resumed and same_year:
        yield Issue("resumed", "no_longer_resumed", WARNING)
    if report.get("completed") is False and before.completed:
        yield Issue("completed", "no_longer_completed", WARNING)


def check_version(version: Mapping[str, Any], *, done_total: Decimal | None = None) -> list[Issue]:
    """Check the attributes of a project; `done_total` is what has been reported as done since the start."""
    issues = list(_negative(version, ("total_investment",)))
    if not str(version.get("name") or "").strip():
        issues.append(Issue("name", "no_name"))
    start, finish = version.get("start_on"), version.get("finish_on")
    if start is not None and finish is not None and finish < start:
        issues.append(Issue("finish_on", "end_before_start", params={"start": start, "finish": finish}))
    total = version.get("total_investment")
    if total is not None and done_total is not None and total < done_total:
        issues.append(
            Issue("total_investment", "total_under_done", params={"value": total, "done": done_total})
        )
    return issues


def check_plan(
    planned: Decimal | None, monthly: Sequence[Decimal | None] | None, total: Decimal | None = None
) -> list[Issue]:
    """Check a year's plan: the months must add up to the year, and the year must not exceed the whole."""
    issues: list[Issue] = []
    if planned is not None and planned < 0:
        issues.append(Issue("planned_investment", "negative", params={"value": planned}))
    if planned is not None and total is not None and planned > total:
        params = {"value": planned, "total": total}
        issues.append(Issue("planned_investment", "plan_over_total", params=params))
    stated = [month for month in monthly or () if month is not None]
    for index, month in enumerate(monthly or (), start=1):
        if month is not None and month < 0:
            issues.append(Issue(f"month_{index}", "negative", params={"value": month}))
    if stated and planned is not None and sum(stated, Decimal(0)) != planned:
        params = {"value": sum(stated, Decimal(0)), "plan": planned}
        issues.append(Issue("planned_investment", "months_differ", params=params))
    if stated and planned is None:
        issues.append(Issue("planned_investment", "months_without_plan"))
    return issues


def _negative(values: Mapping[str, Any], names: Sequence[str]) -> Iterable[Issue]:
    for name in names:
        value = values.get(name)
        if value is not None and value < 0:
            yield Issue(name, "negative", params={"value": value})


def makes_cycle(child: int, parent: int, parents: Mapping[int, int | None]) -> bool:
    """Whether putting `child` under `parent` closes a circle; `parents` maps each project to its main project."""
    seen: set[int] = set()
    node: int | None = parent
    while node is not None and node not in seen:
        if node == child:
            return True
        seen.add(node)
        node = parents.get(node)
    return False
