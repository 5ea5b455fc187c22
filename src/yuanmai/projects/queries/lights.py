"""Lights in queries: which rule holds where, the light as SQL, and its explanation in words.

The conditions are the integers of ``engine.lights``: `done × d` against `n × plan`, never a rounded rate, so that a list
filtered by light and the record page cannot disagree (tested against each other).
"""

import calendar
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b
from importlib import resources
from typing import Any

import yaml
from django.core.cache import cache
from django.db.models import BigIntegerField, Case, CharField, F, FloatField, Func, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, NullIf
from django.db.models.lookups import LessThan, LessThanOrEqual
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from yuanmai.core.audit.log import version_for
from yuanmai.core.figures import Query
from yuanmai.core.figures.display import chinese, rounded
from yuanmai.people.models import Organisation
from yuanmai.projects.engine import lights as engine
from yuanmai.projects.engine.lights import Light, Rule
from yuanmai.projects.models import Kind, LightRule, ProjectState

FIELDS = (
    "measure", "yellow_from", "yellow_included", "red_above", "start_red_months", "statistics_yellow_months",
    "statistics_red_months",
)  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """A published rule that a place can start from."""

    code: str
    name: str
    source: str
    values: Mapping[str, Any]


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    text = resources.files("yuanmai.projects").joinpath("presets/lights.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def presets() -> list[Preset]:
    """Return the published rules, the default first."""
    document, language = _document(), "zh" if chinese() else "en"
    codes = sorted(document["rules"], key=lambda code: code != document["default"])
    return [
        Preset(
            code,
            document["rules"][code]["name"][language],
            document["source"][code],
            {name: document["rules"][code][name] for name in FIELDS},
        )
        for code in codes
    ]


def default_rule() -> Rule:
    """Return the rule that holds where nobody decided one."""
    preset = presets()[0]
    return Rule(name=preset.name, **preset.values)


def rule_of(row: LightRule) -> Rule:
    """Return a stored rule as the engine takes it."""
    return Rule(name=row.name, **{name: getattr(row, name) for name in FIELDS})


def rules_in_force(as_of: date, known_at: datetime | None = None) -> list[LightRule]:
    """Return the rules that hold on a day, from the top of the organisation tree down; the nearest one wins."""
    known = Q(retracted_at=None)
    if known_at is not None:
        known = Q(recorded_at__lte=known_at) & (Q(retracted_at=None) | Q(retracted_at__gt=known_at))
    rows = LightRule.objects.filter(known, effective_on__lte=as_of).select_related("org")
    latest: dict[int | None, LightRule] = {}
    for row in rows.order_by("effective_on", "recorded_at", "id"):
        latest[row.org_id] = row
    return sorted(latest.values(), key=lambda row: (row.org.depth if row.org else 0, row.pk))


def rules_for(query: Query) -> list[tuple[Rule, frozenset[int]]]:
    """Return the rules for the organisations of a query with the organisations that each governs."""
    question = blake2b(replace(query, filters=()).key.encode(), digest_size=16).hexdigest()
    key = f"lights:{version_for(('projects', 'people'), query.org_ids)}:{question}"
    groups = cache.get(key)
    if groups is None:
        groups = _rules_for(query)
        cache.set(key, groups)
    return [(rule, frozenset(ids)) for rule, ids in groups]


def _rules_for(query: Query) -> list[tuple[Rule, list[int]]]:
    rows = rules_in_force(query.as_of, query.known_at)
    governed: dict[int, Rule] = dict.fromkeys(query.org_ids, default_rule())
    paths: dict[int, str] = {}
    if any(row.org for row in rows):
        paths = dict(Organisation.objects.filter(id__in=query.org_ids).values_list("id", "path"))
    for row in rows:
        for org_id in query.org_ids:
            if row.org is None or paths.get(org_id, "").startswith(row.org.path):
                governed[org_id] = rule_of(row)
    groups: dict[Rule, list[int]] = defaultdict(list)
    for org_id, rule in governed.items():
        groups[rule].append(org_id)
    return list(groups.items())


def rule_for(query: Query, org_id: int) -> Rule:
    """Return the rule that governs one organisation."""
    return next((rule for rule, ids in rules_for(query) if org_id in ids), default_rule())


class Cents(Func):
    """An amount as a whole number: cents, so that comparisons are exact on SQLite too, which stores decimals as floats."""

    output_field = BigIntegerField()
    template = "(%(expressions)s * 100)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Round away the error of the float."""
        return super().as_sql(
            compiler, connection, template="CAST(ROUND(%(expressions)s * 100) AS INTEGER)", **context
        )


def _month_end(day: date, months_back: int) -> date:
    index = day.year * 12 + day.month - 1 - months_back
    year, month = divmod(index, 12)
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def _behind(bound: Fraction, *, included: bool) -> Q:
    """Return the condition: completion rate < bound (≤ where included), as done × d < n × plan in whole cents."""
    zero = Value(Decimal(0))
    done = Cents(Coalesce(F("investment_done"), zero)) * Value(bound.denominator)
    plan = Cents(F("planned_investment")) * Value(bound.numerator)
    comparison = LessThanOrEqual(done, plan) if included else LessThan(done, plan)
    return Q(planned_investment__gt=0) & Q(comparison)


def _conditions(rule: Rule, day: date) -> tuple[Q, Q]:
    """Return (red, yellow or worse) of a rule as conditions over annotated states."""
    passed = engine.year_passed(day)
    red = _behind(rule.bound(passed, rule.red_above), included=False)
    yellow = _behind(rule.bound(passed, rule.yellow_from), included=rule.yellow_included)
    waiting = Q(kind=Kind.NEW_START, started=False)
    yellow |= waiting & Q(start_on__lte=_month_end(day, 0))
    red |= waiting & Q(start_on__lte=_month_end(day, rule.start_red_months))
    if rule.statistics_yellow_months:
        outside = Q(started=True, in_statistics=False, total_investment__gte=engine.STATISTICS_FROM)
        yellow |= outside & Q(start_on__lte=_month_end(day, rule.statistics_yellow_months))
        if rule.statistics_red_months:
            months = max(rule.statistics_yellow_months, rule.statistics_red_months)
            red |= outside & Q(start_on__lte=_month_end(day, months))
    return red, yellow


def light_expression(query: Query) -> Case:
    """Return the light of a state (``red``, ``yellow``, ``green``, ``grey``) as an expression over `ProjectState`."""
    red, yellow = Q(), Q()
    groups = rules_for(query)
    for index, (rule, ids) in enumerate(groups):
        red_here, yellow_here = _conditions(rule, query.as_of)
        if len(groups) > 1:
            red_here, yellow_here = Q(org_id__in=ids) & red_here, Q(org_id__in=ids) & yellow_here
        red = red | red_here if index else red_here
        yellow = yellow | yellow_here if index else yellow_here
    measured = Q(planned_investment__gt=0) | Q(kind=Kind.NEW_START, started=False, start_on__isnull=False)
    if not groups:
        return Case(default=Value(engine.GREY), output_field=CharField())
    return Case(
        When(kind=Kind.RESERVE, then=Value(engine.GREY)),
        When(completed=True, then=Value(engine.GREEN)),
        When(red, then=Value(engine.RED)),
        When(yellow, then=Value(engine.YELLOW)),
        When(measured, then=Value(engine.GREEN)),
        default=Value(engine.GREY),
        output_field=CharField(),
    )


def with_light(states: QuerySet[Any], query: Query) -> QuerySet[Any]:
    """Annotate states with `light`."""
    return states.annotate(light=light_expression(query))


def completion_order() -> Any:
    """Return the completion rate as a float, for sorting only; None without a plan."""
    plan = NullIf(Cast(F("planned_investment"), FloatField()), Value(0.0))
    return Coalesce(Cast(F("investment_done"), FloatField()), Value(0.0)) / plan


RANKS = Case(*(When(light=value, then=Value(rank)) for value, rank in engine.RANK.items()), default=Value(0))


def facts_of(state: ProjectState) -> engine.Facts:
    """Return what the engine needs of a state."""
    return engine.Facts(
        kind=state.kind,
        planned=state.planned_investment,
        done=state.investment_done,
        started=state.started,
        completed=state.completed,
        start_on=state.start_on,
        total=state.total_investment,
        in_statistics=state.in_statistics,
    )


def light_of(state: ProjectState, query: Query) -> Light:
    """Return the light of one project on the query's day."""
    return engine.light(facts_of(state), query.as_of, rule_for(query, state.org_id))


def words(light: Light) -> str:
    """Return why a light shows what it shows: its worst cause in words."""
    if not light.causes:
        return _("No plan to measure against")
    return "; ".join(cause_words(cause) for cause in light.causes if cause.light == light.value)


def cause_words(cause: engine.Cause) -> str:
    """Return one cause in words: “12.4 points behind the time progress”."""
    if cause.code == "completed":
        return _("Completed")
    if cause.code == "progress":
        assert cause.lag is not None
        points = rounded(Decimal(cause.lag.numerator) / Decimal(cause.lag.denominator) * 100, 1)
        if points > 0:
            return _("%(points)s points behind the time progress") % {"points": points}
        if points < 0:
            return _("%(points)s points ahead of the time progress") % {"points": -points}
        return _("In step with the time progress")
    months = cause.months or 0
    if cause.code == "start":
        if months < 0:
            return _("The start is not yet due")
        if months == 0:
            return _("The start is due this month and has not happened")
        return ngettext("The start is %(n)d month overdue", "The start is %(n)d months overdue", months) % {
            "n": months
        }
    return ngettext(
        "Started %(n)d month ago and not yet in the statistics",
        "Started %(n)d months ago and not yet in the statistics",
        months,
    ) % {"n": months}
