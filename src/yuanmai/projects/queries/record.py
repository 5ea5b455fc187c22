"""What the page of one project shows: its reports, its year by months, its history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query
from yuanmai.core.figures.evaluate import month_ends
from yuanmai.core.temporal import KNOWN_FOREVER, Fact
from yuanmai.projects.engine.lights import year_passed
from yuanmai.projects.models import ProgressReport, Project, ProjectState, YearPlan
from yuanmai.projects.queries import states
from yuanmai.projects.recording import FACT_MODELS


def known(rows: QuerySet[Any], known_at: datetime | None) -> QuerySet[Any]:
    """Keep the facts that stood at a moment (None: now)."""
    if known_at is None:
        return rows.filter(retracted_at=None)
    return rows.filter(Q(retracted_at=None) | Q(retracted_at__gt=known_at), recorded_at__lte=known_at)


def reports_of(project: Project, query: Query) -> list[ProgressReport]:
    """Return the reports of a project up to the query's day, the newest first, as known then."""
    rows = known(
        ProgressReport.objects.filter(project=project, effective_on__lte=query.as_of), query.known_at
    )
    return list(rows.select_related("recorded_by", "batch").order_by("-effective_on", "-recorded_at", "-id"))


@dataclass(frozen=True)
class Month:
    """One month of a project's year, cumulative amounts in yuan; None where nothing is known."""

    month: int
    planned: Decimal | None
    time: Decimal | None
    done: Decimal | None


def year_by_months(state: ProjectState, query: Query) -> list[Month]:
    """Return the year of a project by months: planned (its monthly split), time-proportional, and reported as done."""
    year = query.as_of.year
    plan = state.plan if state.plan_id and state.plan and state.plan.year == year else None
    split = split_of(plan)
    done = _done_by_month(state.project_id, query)
    whole = state.planned_investment
    months = []
    for month in range(1, 13):
        passed = Fraction(month, 12)
        months.append(
            Month(
                month,
                split[month - 1] if split else None,
                None if whole is None else whole * passed.numerator / passed.denominator,
                done.get(month),
            )
        )
    return months


def split_of(plan: YearPlan | None) -> list[Decimal] | None:
    """Return the twelve cumulative amounts of a plan with a monthly split, None without one."""
    if plan is None or not plan.monthly or not any(plan.monthly):
        return None
    total, result = Decimal(0), []
    for amount in plan.monthly:
        total += Decimal(amount or 0)
        result.append(total)
    return result


def _done_by_month(project_id: int, query: Query) -> dict[int, Decimal | None]:
    """Return what was done at the end of each past month of the year (one query)."""
    days = month_ends(query.as_of, query.as_of.month)
    base = ProjectState.objects.filter(project_id=project_id)
    moment = query.known_at
    believed = (
        Q(known_until=KNOWN_FOREVER) if moment is None else Q(known_from__lte=moment, known_until__gt=moment)
    )
    rows = base.filter(believed)
    spans = list(
        rows.filter(
            effective_until__gt=date(query.as_of.year, 1, 1), effective_from__lte=query.as_of
        ).values_list("effective_from", "effective_until", "investment_done")
    )
    result: dict[int, Decimal | None] = {}
    for day in days:
        result[day.month] = next((amount for start, end, amount in spans if start <= day < end), None)
    return result


def expected_done(state: ProjectState, day: date) -> Decimal | None:
    """Return the share of the year's plan that the calendar expects on a day."""
    if state.planned_investment is None:
        return None
    passed = year_passed(day)
    return state.planned_investment * passed.numerator / passed.denominator


def siblings(query: Query, project_ids: Iterable[int]) -> dict[int, ProjectState]:
    """Return the states of projects by id (one query)."""
    rows = states(query).filter(project_id__in=list(project_ids)).select_related("project")
    return {state.project_id: state for state in rows}


HIDDEN = {"id", "project", "recorded_at", "recorded_by", "retracted_at", "batch", "effective_on", "extra"}


@dataclass(frozen=True)
class Told:
    """A fact with the one of its kind before it."""

    fact: Any
    kind: str
    changes: list[dict[str, Any]]


def facts_of_project(project: Project, known_at: datetime | None = None) -> list[Told]:
    """Return every fact of a project, the newest recorded first, each with what it changed; retracted ones too."""
    told: list[Told] = []
    for model in FACT_MODELS:
        rows = model.objects.filter(project=project)
        if known_at is not None:
            rows = rows.filter(recorded_at__lte=known_at)
        related = [f.name for f in model._meta.concrete_fields if f.is_relation and f.name != "project"]
        facts = list(rows.select_related(*related).order_by("recorded_at", "id"))
        standing: list[Any] = []
        for fact in facts:
            before = [f for f in standing if _same_thing(f, fact) and f.effective_on <= fact.effective_on]
            told.append(
                Told(fact, model._meta.model_name or "", changes(before[-1] if before else None, fact))
            )
            if fact.retracted_at is None:
                standing.append(fact)
    return sorted(told, key=lambda t: (t.fact.recorded_at, t.fact.pk), reverse=True)


def _same_thing(one: Any, other: Any) -> bool:
    return all(getattr(one, name, None) == getattr(other, name, None) for name in ("year", "list_code"))


def changes(before: Fact | None, after: Fact) -> list[dict[str, Any]]:
    """Return what a fact says that the one before it did not, as rows of the diff table."""
    rows = []
    for field in after._meta.concrete_fields:
        if field.name in HIDDEN:
            continue
        new = shown(after, field)
        old = shown(before, field) if before is not None else ""
        if new != old:
            rows.append({"label": str(field.verbose_name), "before": old, "after": new, "changed": True})
    return rows


def shown(fact: Any, field: Any) -> str:
    """Return a value of a fact as text."""
    value = getattr(fact, field.name)
    if value is None or value == "":
        return ""
    if field.name == "monthly":
        return " · ".join(wan(Decimal(amount)) if amount else "–" for amount in value)
    if field.name == "site":
        return _("stated")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, Decimal):
        return (
            wan(value) if field.decimal_places == 2 and field.max_digits == 18 else f"{value.normalize():f}"
        )
    if isinstance(value, Project):
        state = ProjectState.objects.filter(project=value).order_by("-known_until", "-effective_from").first()
        return state.name if state else str(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def wan(value: Decimal) -> str:
    """Return yuan as 万元."""
    return _("%(n)s ten thousand yuan") % {"n": f"{(value / 10_000).normalize():,f}"}
