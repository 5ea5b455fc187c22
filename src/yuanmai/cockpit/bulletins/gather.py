"""Taking from the ledger what a bulletin says, at one day and by the knowledge of one moment."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q
from django.utils import translation

from yuanmai.cockpit.bulletins.facts import (
    BlockerLine,
    Difference,
    Facts,
    Funds,
    Group,
    ProjectLine,
    Totals,
)
from yuanmai.cockpit.bulletins.period import Period
from yuanmai.core.figures import FIGURES, Query, Result, breakdown, evaluate, evaluate_many, rows
from yuanmai.core.figures.display import chinese
from yuanmai.core.findings import Finding
from yuanmai.projects.engine import lights as light_engine
from yuanmai.projects.figures import NOT_STATED
from yuanmai.projects.findings import STATED_TOTAL
from yuanmai.projects.models import Blocker, Kind, ProjectState, StatedTotal
from yuanmai.projects.queries import planned_projects, states
from yuanmai.projects.queries.lights import cause_words, facts_of, rules_for, words

PARTS = {
    "count": "projects.count",
    "total": "projects.total_investment",
    "planned": "projects.planned_investment",
    "done": "projects.investment_done",
    "completion": "projects.completion_rate",
    "ahead": "projects.ahead_points",
}
SINGLE = (
    "projects.time_progress", "projects.start_rate", "projects.resumption_rate", "projects.over_1bn_count",
    "projects.reserve_count", "projects.reserve_investment",
)  # fmt: skip
FUNDS = ("funds.secured", "funds.planned", "funds.gap")
LANGUAGES = {"zh": "zh-hans", "en": "en"}


def gather(
    org: str, period: Period, query: Query, known_at: datetime, *, language: str, with_funds: bool = True
) -> Facts:
    """Return the facts of a bulletin on `org` (its name). The scope of `query.org_ids` must be open."""
    with translation.override(LANGUAGES[language]):
        return _gather(org, period, query, known_at, with_funds)


def _gather(org: str, period: Period, query: Query, known_at: datetime, with_funds: bool) -> Facts:
    single = evaluate_many(SINGLE, query)
    ranked_by = (
        "organisation" if len(breakdown("projects.count", query, "organisation")) > 1 else "responsible"
    )
    before = period.before
    start, resumption = single["projects.start_rate"], single["projects.resumption_rate"]
    whole = _totals(query)
    return Facts(
        org=org,
        period=period,
        as_of=query.as_of,
        known_at=known_at,
        whole=whole,
        new_start=_totals(query.where(kind=Kind.NEW_START)),
        continuing=_totals(query.where(kind=Kind.CONTINUING)),
        time_progress=single["projects.time_progress"].value or Decimal(0),
        start_rate=start.value,
        started=int(start.numerator or 0),
        resumption_rate=resumption.value,
        resumed=int(resumption.numerator or 0),
        over_1bn=int(single["projects.over_1bn_count"].value or 0),
        reserve_count=int(single["projects.reserve_count"].value or 0),
        reserve_total=single["projects.reserve_investment"].value,
        done_before=evaluate(PARTS["done"], query.on(before)).value if before else None,
        categories=_largest(_groups(query, "category")),
        ranking=_ranked(_groups(query, ranked_by)),
        ranked_by=ranked_by,
        projects=_projects(query),
        blockers=_blockers(query, known_at),
        differences=_differences(query, known_at),
        findings=_findings(query, known_at),
        funds=_funds(query) if with_funds else None,
        codes={
            code: str(_value(result)) for code, result in evaluate_many(_frozen(with_funds), query).items()
        },
    )


def _frozen(with_funds: bool) -> tuple[str, ...]:
    """The figures that an issued bulletin keeps."""
    return (*PARTS.values(), *SINGLE, *(FUNDS if with_funds else ()))


def _value(result: Result) -> Decimal | None:
    return result.value


def _totals(query: Query) -> Totals:
    return _from(evaluate_many(PARTS.values(), query))


def _from(results: Mapping[str, Result]) -> Totals:
    values = {name: results[code].value if code in results else None for name, code in PARTS.items()}
    return Totals(count=int(values.pop("count") or 0), **values)


def _groups(query: Query, dimension: str) -> tuple[Group, ...]:
    labels: dict[str, str] = {}
    results: dict[str, dict[str, Result]] = {}
    for code in PARTS.values():
        for group in breakdown(code, query, dimension):
            labels.setdefault(group.value, str(group.label))
            results.setdefault(group.value, {})[code] = group.result
    return tuple(Group(label, _from(results[value])) for value, label in labels.items())


def _largest(groups: Sequence[Group]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda g: (-(g.totals.planned or 0), -(g.totals.total or 0), g.label)))


def _ranked(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The best completion rate first, parts without a rate last."""

    def key(group: Group) -> tuple[bool, Decimal, str]:
        rate = group.totals.completion
        return rate is None, -(rate or Decimal(0)), group.label

    return tuple(sorted(groups, key=key))


KIND_ORDER = {Kind.NEW_START: 0, Kind.CONTINUING: 1}


def _projects(query: Query) -> tuple[ProjectLine, ...]:
    governing = {org_id: rule for rule, ids in rules_for(query) for org_id in ids}
    default = light_engine.Rule()
    rates = _project_rates(query)
    lines = []
    for state in planned_projects(query).order_by("name", "project_id"):
        light = light_engine.light(facts_of(state), query.as_of, governing.get(state.org_id, default))
        lines.append(_line(state, light, rates.get(state.pk)))
    return tuple(
        sorted(lines, key=lambda p: (KIND_ORDER.get(Kind(p.kind), 2) if p.kind else 2, p.category, p.name))
    )


def _project_rates(query: Query) -> dict[int, Decimal]:
    """The completion rate of each project, from the rows of the figure, so that annex and figure cannot disagree."""
    _figure, facts = rows("projects.completion_rate", query)
    if facts is None:
        return {}
    pairs = facts.facts.values_list("pk", "figure_numerator", "figure_denominator")
    return {pk: Decimal(str(top)) / Decimal(str(bottom)) for pk, top, bottom in pairs if bottom}


def _line(state: ProjectState, light: light_engine.Light, rate: Decimal | None) -> ProjectLine:
    return ProjectLine(
        name=state.name,
        kind=state.kind,
        kind_name=str(state.get_kind_display()) if state.kind else str(NOT_STATED),
        category=state.category or str(NOT_STATED),
        responsible=state.responsible,
        leader=state.leader,
        total=state.total_investment,
        planned=state.planned_investment,
        done=state.investment_done,
        completion=rate,
        started=state.started,
        resumed=state.resumed,
        completed=state.completed,
        start_on=state.start_on,
        visible=state.visible_progress,
        problems=state.problems,
        light=light.value,
        light_words=_why(light),
        lag=float(light.lag or 0),
    )


def _why(light: light_engine.Light) -> str:
    """The worst causes of a light, joined as a clause of a sentence."""
    causes = [cause_words(cause) for cause in light.causes if cause.light == light.value]
    return ("，" if chinese() else ", ").join(causes) or words(light)


def _blockers(query: Query, known_at: datetime) -> tuple[BlockerLine, ...]:
    names = dict(states(query).values_list("project_id", "name"))
    found = Blocker.objects.filter(
        Q(closed_on=None) | Q(closed_on__gt=query.as_of),
        org_id__in=query.org_ids,
        opened_on__lte=query.as_of,
        recorded_at__lte=known_at,
        project_id__in=names,
    ).order_by("due_on", "id")
    return tuple(
        BlockerLine(
            project=names[blocker.project_id],
            kind_name=str(blocker.get_kind_display()),
            title=blocker.title,
            body=blocker.body,
            due_on=blocker.due_on,
            overdue_days=_overdue(blocker.due_on, query.as_of),
        )
        for blocker in found
    )


def _overdue(due: date | None, as_of: date) -> int:
    return max((as_of - due).days, 0) if due else 0


def _differences(query: Query, known_at: datetime) -> tuple[Difference, ...]:
    """Stated totals of this very day whose figure, computed from the rows, is another one."""
    stated = StatedTotal.objects.filter(
        Q(retracted_at=None) | Q(retracted_at__gt=known_at),
        org_id__in=query.org_ids,
        effective_on=query.as_of,
        recorded_at__lte=known_at,
        figure__in=list(FIGURES),
    ).order_by("figure", "id")
    found: dict[tuple[str, str, Decimal], Difference] = {}
    for total in stated:
        computed = evaluate(total.figure, query.where(**total.filters)).value
        if computed is not None and computed != total.value:
            key = (total.figure, str(sorted(total.filters.items())), total.value)
            found.setdefault(key, Difference(total.label, total.value, computed, total.source))
    return tuple(found.values())


def _findings(query: Query, known_at: datetime) -> tuple[str, ...]:
    """The open findings in words, without those on totals, which :func:`_differences` states with both values."""
    found = Finding.objects.filter(
        org_id__in=query.org_ids,
        state=Finding.State.OPEN,
        effective_on__lte=query.as_of,
        found_at__lte=known_at,
        gone_until__gt=known_at,
    ).exclude(kind=STATED_TOTAL)
    return tuple(finding.sentence for finding in found.order_by("severity", "kind", "key"))


def _funds(query: Query) -> Funds:
    values = {code: evaluate(code, query).value or Decimal(0) for code in FUNDS}
    _figure, facts = rows("funds.gap", query)
    short = []
    if facts is not None:
        short = [
            (name, Decimal(str(gap)))
            for name, gap in facts.facts.filter(figure_numerator__gt=0)
            .order_by("-figure_numerator", "name")
            .values_list("name", "figure_numerator")[:5]
        ]
    return Funds(values["funds.secured"], values["funds.planned"], values["funds.gap"], tuple(short))
