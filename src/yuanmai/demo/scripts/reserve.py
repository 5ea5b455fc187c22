"""Made-up reserve projects: life, checklist, plan with an income that covers the debt service as often as wanted."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid5

from yuanmai.common.money import WAN
from yuanmai.core.figures import Query
from yuanmai.demo.scripts.common import moment, named
from yuanmai.demo.scripts.papers import keep
from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.issuing.service import operation_start, plans_of
from yuanmai.funds.models import (
    NamedUse,
    PlanYear,
    Repayment,
    Reserve,
    ReserveItem,
    ReserveStep,
    Review,
)
from yuanmai.funds.reserve.rules import rule
from yuanmai.projects.models import Project

LIFE = ("reserve", "reviewed", "reported", "approved", "issued", "drawn", "completed")
MOVES = {"reserve": "enter", "reviewed": "review", "reported": "report", "approved": "approve"}


@dataclass
class Plan:
    """What a made-up reserve project asks for; amounts in yuan. `steps` are (state, day) in the order of its life."""

    project: Project
    year: int
    total: Decimal
    requested: Decimal
    use_field: str
    sector: str
    steps: list[tuple[str, date]]
    approved: Decimal | None = None
    capital: Decimal | None = None
    term: int = 15
    rate: Decimal = Decimal("0.033")
    coverage: Decimal = Decimal("1.3")
    ramp: int = 3
    repayment: str = Repayment.BULLET
    construction: tuple[date, date] = (date(2022, 6, 1), date(2024, 5, 31))
    operation: date | None = None
    joint_start: str = ""
    deadline: date | None = None
    uses: list[tuple[str, Decimal]] = field(default_factory=list)
    bonds: dict[int, Decimal] = field(default_factory=dict)  # by year; all in the first where nothing is said


def enter(plans: Iterable[Plan]) -> list[Reserve]:
    """Put projects in reserve with their history, checklist, named uses and reviews; `forecast` adds the yearly plan."""
    plans = list(plans)
    reserves = Reserve.objects.bulk_create([_reserve(plan) for plan in plans])
    steps, items, uses, reviews = [], [], [], []
    for reserve, plan in zip(reserves, plans, strict=True):
        steps += _steps(reserve, plan)
        items += _items(reserve)
        uses += [
            NamedUse(reserve=reserve, name=name, amount=amount)
            for name, amount in plan.uses or [("工程费用", reserve.requested)]
        ]
        reviews += _reviews(reserve, plan)
    ReserveStep.objects.bulk_create(steps)
    _offering(ReserveItem.objects.bulk_create(items))
    NamedUse.objects.bulk_create(uses)
    Review.objects.bulk_create(reviews)
    return reserves


def _reserve(plan: Plan) -> Reserve:
    capital = plan.total - plan.requested if plan.capital is None else plan.capital
    return Reserve(
        org_id=plan.project.org_id,
        project=plan.project,
        uid=uuid5(plan.project.uid, f"reserve-{plan.year}"),
        state=plan.steps[-1][0],
        year=plan.year,
        field=plan.use_field,
        sector=plan.sector,
        requested=plan.requested,
        approved=plan.approved,
        capital=capital,
        other_debt=max(plan.total - plan.requested - capital, Decimal(0)),
        total_investment=plan.total,
        term_years=plan.term,
        rate=plan.rate,
        frequency=2 if plan.term >= 10 else 1,
        repayment=plan.repayment,
        construction_start=plan.construction[0],
        construction_end=plan.construction[1],
        operation_start=plan.operation,
        joint_start=plan.joint_start,
        deadline=plan.deadline,
        public_benefit="完善园区基础设施,服务入园企业",
        recorded_at=moment(plan.steps[0][1]),
        synthetic=True,
    )


def _steps(reserve: Reserve, plan: Plan) -> list[ReserveStep]:
    reached = LIFE.index("approved")
    return [
        ReserveStep(
            reserve=reserve,
            transition=MOVES.get(state, state),
            state=state,
            effective_on=day,
            recorded_at=moment(day),
            approved=plan.approved if LIFE.index(state) >= reached else None,
        )
        for state, day in plan.steps
    ]


def _items(reserve: Reserve) -> list[ReserveItem]:
    """Everything is there from the approval on; before it two lines in three."""
    ready = LIFE.index(reserve.state) >= LIFE.index("reviewed")
    items = []
    for number, code in enumerate(rule("checklist", reserve.org_id, reserve.recorded_at.date())):
        done = ready or (number + reserve.pk) % 3 > 0
        items.append(
            ReserveItem(
                reserve=reserve,
                code=code,
                state="done" if done else ("under_way", "missing")[reserve.pk % 2],
                document=f"示例文号〔{reserve.year}〕{reserve.pk % 900 + 100}号" if done else "",
                dated_on=reserve.recorded_at.date() - timedelta(days=10 * number + 5) if done else None,
            )
        )
    return items


def _offering(items: list[ReserveItem]) -> None:
    """Keep a sample file with the parts of the offering file that are there."""
    codes = {
        "implementation_plan": "实施方案",
        "financial_report": "财务评估报告",
        "legal_opinion": "法律意见书",
    }
    keep(
        [
            (item, "offering", named(f"{codes[item.code]}") + ".pdf", item.reserve.recorded_at)
            for item in items
            if item.code in codes and item.state == "done"
        ]
    )


def _reviews(reserve: Reserve, plan: Plan) -> list[Review]:
    day = next((day for state, day in plan.steps if state == "reviewed"), None)
    if day is None:
        return []
    weights: dict[str, Decimal] = rule("review_headings", reserve.org_id, day)
    reviews = []
    for offset, body in enumerate(Review.Body.values):
        scores = {code: 72 + (reserve.pk * (number + 3 + offset)) % 24 for number, code in enumerate(weights)}
        score = sum((scores[code] * weight for code, weight in weights.items()), Decimal(0))
        reviews.append(
            Review(
                reserve=reserve,
                body=body,
                headings={code: {"score": value, "opinion": ""} for code, value in scores.items()},
                score=round(score / sum(weights.values(), Decimal(0)), 2),
                verdict=Review.Verdict.PASS,
                opinion="符合申报条件(示例)",
                reviewed_on=day - timedelta(days=2 - offset),
                recorded_at=moment(day - timedelta(days=2 - offset)),
            )
        )
    return reviews


def forecast(reserves: list[Reserve], plans: list[Plan], query: Query) -> None:
    """Write the yearly plan: investment over the construction, and an income that covers the service `coverage` times.

    The income begins with operation, grows over `ramp` years to its full size, and 30 % of it are costs and 4 % tax.
    """
    bare = plans_of(reserves, PlanYear.Version.ISSUED, query)
    rows = []
    for reserve, plan in zip(reserves, plans, strict=True):
        found = statement(bare[reserve.pk])
        service = found.coverage.all_interest.denominator
        first = (operation_start(reserve) or plan.construction[1]).year
        last = max((row.year for row in found.rows), default=first)
        years = range(first, last + 1)
        pace = [Decimal(min(index + 1, plan.ramp + 1)) / (plan.ramp + 1) for index in range(len(years))]
        net = service * plan.coverage
        revenues = [
            (net * part / sum(pace) / Decimal("0.66") / WAN).to_integral_value() * WAN for part in pace
        ]
        rows += _plan_years(reserve, plan, dict(zip(years, revenues, strict=True)))
    PlanYear.objects.bulk_create(rows, batch_size=500)


def _plan_years(reserve: Reserve, plan: Plan, revenues: dict[int, Decimal]) -> list[PlanYear]:
    building = list(range(plan.construction[0].year, plan.construction[1].year + 1))
    share = (plan.total / len(building) / WAN).to_integral_value() * WAN
    outlays = dict.fromkeys(building, share) | {building[-1]: plan.total - share * (len(building) - 1)}
    first = plan.year if plan.year in building else building[0]
    bonds = plan.bonds or {first: plan.approved or plan.requested}
    rows = []
    for year in sorted({*building, *revenues}):
        revenue = revenues.get(year, Decimal(0))
        outlay, bond = outlays.get(year, Decimal(0)), bonds.get(year, Decimal(0))
        rows.append(
            PlanYear(
                reserve=reserve,
                year=year,
                investment=outlay,
                bonds=bond,
                capital=reserve.capital if year == building[0] else Decimal(0),
                other_debt=reserve.other_debt if year == building[0] else Decimal(0),
                revenue=revenue,
                operating_cost=(revenue * 30 / 100 / WAN).to_integral_value() * WAN,
                tax=(revenue * 4 / 100 / WAN).to_integral_value() * WAN,
            )
        )
    return rows
