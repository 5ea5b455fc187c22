"""Reads of the reserve: everything a list, a review or a figure needs, set-based."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from yuanmai.core.figures import Query
from yuanmai.core.scope import everywhere
from yuanmai.funds.engine.bonds.checks import Check, check_plan
from yuanmai.funds.engine.bonds.coverage import Statement, statement
from yuanmai.funds.engine.review import Application, Gate, Readiness, gates, readiness
from yuanmai.funds.figures import facts
from yuanmai.funds.files import target_name
from yuanmai.funds.issuing.service import plan_of
from yuanmai.funds.models import Attachment, NamedUse, PlanYear, Reserve, ReserveItem, ReserveLoan, Review
from yuanmai.funds.reserve.rules import Rules, rules_for, rules_of, step
from yuanmai.people.models import Organisation
from yuanmai.projects.models import ProjectState
from yuanmai.projects.queries import states

ZERO = Decimal(0)
ITEM_TARGET = target_name(ReserveItem)
OFFERING = ("offering",)


def park_level(state: ProjectState | None) -> str:
    """Return the level of the park that a project lies in: national, provincial, municipal; empty outside parks."""
    if state is None:
        return ""
    text = state.park.level if state.park and state.park.level else ""
    if not text and state.org.kind == Organisation.Kind.PARK:
        text = state.org.level
    if not text:
        return ""
    lowered = text.lower()
    if "国家" in text or "national" in lowered or "state" in lowered:
        return "national"
    if "省" in text or "自治区" in text or "provinc" in lowered:
        return "provincial"
    return "municipal"


def state_of(reserve: Reserve, query: Query) -> ProjectState | None:
    """Return the project of a reserve entry as it stood, or as it is known now where it did not stand then."""
    question = Query((reserve.org_id,), query.as_of, query.known_at)
    related = ("project", "org", "park")
    found = states(question).filter(project_id=reserve.project_id).select_related(*related).first()
    if found is not None:
        return found
    rows = ProjectState.objects.current().filter(project_id=reserve.project_id)
    return rows.order_by("-effective_from").select_related(*related).first()


def items_of(reserve_ids: Iterable[int]) -> dict[int, dict[str, ReserveItem]]:
    """Return the lines of the checklists, by reserve project and code (one query)."""
    found: dict[int, dict[str, ReserveItem]] = defaultdict(dict)
    for item in ReserveItem.objects.filter(reserve_id__in=list(reserve_ids)).order_by("id"):
        found[item.reserve_id][item.code] = item
    return found


def with_files(items: Iterable[ReserveItem]) -> frozenset[int]:
    """Return the ids of the lines that hold a file (one query)."""
    targets = [f"{ITEM_TARGET}:{item.pk}" for item in items]
    if not targets:
        return frozenset()
    rows = Attachment.objects.filter(target__in=targets, retracted_at=None).values_list("target", flat=True)
    return frozenset(int(target.partition(":")[2]) for target in rows)


def standing_reviews(reserve: Reserve) -> dict[str, Review]:
    """Return the newest review of each body since the project was handed in; none while it is being prepared."""
    rows = Review.objects.filter(reserve=reserve, retracted_at=None)
    if reserve.submitted_at is not None:
        rows = rows.filter(recorded_at__gte=reserve.submitted_at)
    elif reserve.state == Reserve.State.RESERVE:
        return {}
    found: dict[str, Review] = {}
    for row in rows.select_related("reviewer").order_by("recorded_at", "id"):
        found[row.body] = row
    return found


def awaiting(body: str) -> QuerySet[Reserve]:
    """Return the reserve projects that wait for the review of a body."""
    rows = Reserve.objects.filter(state=Reserve.State.RESERVE, withdrawn_at=None).exclude(submitted_at=None)
    mine = Review.objects.filter(body=body, retracted_at=None)
    done = [
        pk
        for pk, recorded, submitted in mine.filter(reserve__in=rows).values_list(
            "reserve_id", "recorded_at", "reserve__submitted_at"
        )
        if submitted is not None and recorded >= submitted
    ]
    return rows.exclude(pk__in=done)


def place_sums(reserve: Reserve) -> tuple[Decimal, Decimal]:
    """Return (bonds, of them as project capital) of all projects of the province, or of the whole tree, in the entry's year.

    They decide whether the cap is kept, so they count what lies outside the reader's data scope as well; only the sums go out.
    """
    path = reserve.org.path
    above = [path[:end] for end in range(step(), len(path) + 1, step())]
    found = Organisation.objects.filter(path__in=above, kind=Organisation.Kind.PROVINCE)
    top = found.order_by("depth").values_list("path", flat=True).first() or above[0]
    with everywhere():
        rows = Reserve.objects.filter(org__path__startswith=top, year=reserve.year, withdrawn_at=None)
        sums = rows.aggregate(bonds=Sum(Coalesce("approved", "requested")), capital=Sum("bonds_as_capital"))
    return sums["bonds"] or ZERO, sums["capital"] or ZERO


@dataclass(frozen=True)
class Examined:
    """A reserve project looked at by engine and rules, as of a query."""

    reserve: Reserve
    state: ProjectState | None
    rules: Rules
    statement: Statement
    checks: tuple[Check, ...]
    application: Application
    gates: tuple[Gate, ...]
    readiness: Readiness
    offering: Readiness


def examine(reserve: Reserve, query: Query, version: str = PlanYear.Version.PLAN) -> Examined:
    """Compute plan, checks, gates and readiness of one reserve project, under the rules of its place on the query's day."""
    rules = rules_for(reserve.org_id, query.as_of, query.known_at)
    state = state_of(reserve, query)
    found = statement(plan_of(reserve, version, query))
    checks = tuple(check_plan(found, rules.engine()))
    items = items_of([reserve.pk]).get(reserve.pk, {})
    files = with_files(items.values())
    states_by_code = {code: item.state for code, item in items.items()}
    holding = frozenset(code for code, item in items.items() if item.pk in files)
    uses = list(NamedUse.objects.filter(reserve=reserve, retired_at=None))
    bonds, as_capital = place_sums(reserve)
    application = Application(
        field=reserve.field,
        sector=reserve.sector,
        park_level=park_level(state),
        gap_closing=reserve.gap_closing,
        total_investment=reserve.total_investment,
        capital=reserve.capital,
        bonds=reserve.requested,
        bonds_as_capital=reserve.bonds_as_capital,
        other_debt=reserve.other_debt,
        term_years=reserve.term_years,
        coverage=found.coverage.all_interest.value if found.plan.years else None,
        coverage_all_debt=found.coverage.all_debt.value if found.plan.years else None,
        has_loans=bool(found.plan.loans) or reserve.other_debt > 0,
        gap_years=tuple(row.year for row in found.rows if row.cumulative_balance < 0),
        failed_checks=tuple(dict.fromkeys(c.code for c in checks if not c.passed and c.level == "error")),
        items=states_by_code,
        files=holding,
        uses=sum((use.amount for use in uses), ZERO),
        current_uses=sum((use.amount for use in uses if not use.capital_expenditure), ZERO),
        place_bonds=bonds,
        place_bonds_as_capital=as_capital,
    )
    checklist = rules["checklist"]
    return Examined(
        reserve,
        state,
        rules,
        found,
        checks,
        application,
        tuple(gates(application, rules)),
        readiness(states_by_code, holding, checklist),
        readiness(states_by_code, holding, checklist, OFFERING),
    )


@dataclass
class Line:
    """One reserve project in a list."""

    reserve: Any  # with name, state_then, approved_then
    readiness: Decimal | None = None
    offering: Readiness | None = None
    coverage: Decimal | None = None
    gap_years: int = 0
    scores: dict[str, Decimal] = field(default_factory=dict)
    threshold: Decimal = ZERO

    @property
    def score(self) -> Decimal | None:
        """The mean of the bodies' weighted scores."""
        return sum(self.scores.values(), ZERO) / len(self.scores) if self.scores else None


def lines(query: Query, rows: Iterable[Any] | None = None) -> list[Line]:
    """Return reserve projects as they stood, with readiness, coverage and score; a constant number of queries.

    `rows` are taken from ``figures.facts.reserves``; all of them unless said.
    """
    found = {row.pk: Line(row) for row in (facts.reserves(query) if rows is None else rows)}
    items = items_of(found)
    files = with_files(item for group in items.values() for item in group.values())
    rules = rules_of({line.reserve.org_id for line in found.values()}, query.as_of, query.known_at)
    for pk, line in found.items():
        mine = items.get(pk, {})
        codes = {code: item.state for code, item in mine.items()}
        holding = frozenset(code for code, item in mine.items() if item.pk in files)
        checklist = rules[line.reserve.org_id]["checklist"]
        line.readiness = readiness(codes, holding, checklist).share
        line.offering = readiness(codes, holding, checklist, OFFERING)
        line.threshold = rules[line.reserve.org_id]["coverage_threshold"]
    for record in facts.coverage(query).filter(reserve_id__in=found):
        found[record.reserve_id].coverage = record.net_income / record.service
        found[record.reserve_id].gap_years = record.gap_years
    for review in reviews_as_of(query, found):
        if review.score is not None:
            found[review.reserve_id].scores[review.body] = review.score
    return list(found.values())


def reviews_as_of(query: Query, reserve_ids: Iterable[int]) -> QuerySet[Review]:
    """Return the reviews that stood on the query's day, the newest last."""
    rows = Review.objects.filter(reserve_id__in=list(reserve_ids), reviewed_on__lte=query.as_of)
    if query.known_at is None:
        rows = rows.filter(retracted_at=None)
    else:
        stood = Q(retracted_at=None) | Q(retracted_at__gt=query.known_at)
        rows = rows.filter(stood, recorded_at__lte=query.known_at)
    return rows.order_by("recorded_at", "id")


def loans_of(reserve: Reserve) -> QuerySet[ReserveLoan]:
    """Return the market loans of a reserve project."""
    return ReserveLoan.objects.filter(reserve=reserve, retired_at=None).order_by("drawn_on", "id")


def uses_of(reserve: Reserve) -> QuerySet[NamedUse]:
    """Return the named uses in force."""
    return NamedUse.objects.filter(reserve=reserve, retired_at=None).order_by("id")


def plan_years(reserve: Reserve) -> dict[str, dict[int, PlanYear]]:
    """Return the plan by version and year (one query)."""
    found: dict[str, dict[int, PlanYear]] = {code: {} for code in PlanYear.Version.values}
    for row in PlanYear.objects.filter(reserve=reserve):
        found[row.version][row.year] = row
    return found


def horizon_years(reserve: Reserve, known: Iterable[int]) -> list[int]:
    """Return the years that a plan's sheet offers: from the first of construction, demand or plan to the end of the bonds."""
    first = min(
        [reserve.year, *known, *([reserve.construction_start.year] if reserve.construction_start else [])]
    )
    last = max([reserve.year + reserve.term_years, *known])
    return list(range(first, last + 1))
