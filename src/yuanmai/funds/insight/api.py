"""Follow the yuan, repayment calendar and quota optimiser for programs; amounts in yuan, shares as fractions."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import Amount, ApiRequest, Exact, Query, Router, Schema
from yuanmai.funds.engine import flow, flow_graph
from yuanmai.funds.engine.optimise import Aim, Why
from yuanmai.funds.insight import following, proposing, repayment
from yuanmai.funds.insight.following import Flow
from yuanmai.funds.insight.proposing import LEAST, LOT, WEIGHTS, Wish
from yuanmai.funds.permissions import SEE_FUNDS

router = Router(tags=["funds"])


class FlowFilter(Schema):
    """Which money."""

    node: str = Field(
        "",
        max_length=80,
        description="key of a node, to see only its money: tranche:3, contract:12, tenant:7 …",
    )


class FlowNode(Schema):
    """A node: what went in, what went on to other nodes, and what rests; inflow = outflow + rests."""

    key: str
    stage: str = Field(
        description="place, tranche, lent, project, use, contract, payment, work, building, tenant, rest, excess"
    )
    name: str
    detail: str
    inflow: Amount
    outflow: Amount
    rests: Amount


class FlowLink(Schema):
    """What went from one node to the next."""

    source: str
    target: str
    amount: Amount
    shared: list[str] = Field(
        description="rules by which parts were shared out: quantity, equal, area; empty where all is recorded"
    )


class FlowPart(Schema):
    """How much of the chosen node's money passes through another node."""

    key: str
    amount: Amount
    shared: list[str]


class FlowOut(Schema):
    """The money of a place, or of one node."""

    total: Amount
    nodes: list[FlowNode]
    links: list[FlowLink]
    before: list[FlowPart] = Field(description="where the chosen node's money comes from")
    behind: list[FlowPart] = Field(description="what became of it")


def _node(money: Flow, found: flow_graph.Node) -> FlowNode:
    name = money.name(found.key)
    return FlowNode(
        key=found.key,
        stage=found.stage,
        name=name.name,
        detail=name.detail,
        inflow=found.inflow,
        outflow=found.outflow,
        rests=found.rests,
    )


def _part(part: flow_graph.Part) -> FlowPart:
    return FlowPart(key=part.key, amount=part.amount, shared=_rules(part.rules))


def _rules(rules: frozenset[str]) -> list[str]:
    return [rule for rule in flow.RULES if rule in rules]


@router.get("/follow", permission=SEE_FUNDS, response=FlowOut)
def follow_money(request: ApiRequest, filters: Query[FlowFilter]) -> FlowOut:
    """Follow bond money from the tranche to the tenant, forwards and backwards."""
    money = following.load(request.view.query())
    strands = flow_graph.through(money.strands, filters.node) if filters.node else money.strands
    if filters.node and not strands:
        raise Http404
    picture = flow_graph.graph(strands)
    before, behind = flow_graph.around(strands, filters.node) if filters.node else ([], [])
    return FlowOut(
        total=picture.total,
        nodes=[_node(money, found) for found in picture.nodes.values()],
        links=[
            FlowLink(source=link.source, target=link.target, amount=link.amount, shared=_rules(link.rules))
            for link in picture.links
        ],
        before=[_part(part) for part in before],
        behind=[_part(part) for part in behind],
    )


class CalendarFilter(Schema):
    """Whose calendar."""

    project: UUID | None = Field(
        None, description="one project; without it all of the place, each covering itself"
    )


class DueOut(Schema):
    """What falls due for one bond: the day by its terms, and the working day on which it is paid."""

    bond: str
    due_on: date
    payment_day: date
    interest: Amount
    principal: Amount
    planned: bool = Field(description="the bond is not issued yet")


class MonthOut(Schema):
    """A month: what to set aside of income, what must come from elsewhere, the reserve at its end."""

    month: str
    income: Amount
    due: Amount
    set_aside: Amount
    from_elsewhere: Amount
    reserve: Amount


class YearOut(Schema):
    """A year; `gaps` is the number of projects whose cumulative balance is negative."""

    year: int
    income: Amount
    due: Amount
    set_aside: Amount
    from_elsewhere: Amount
    gaps: int


class RepayerOut(Schema):
    """A project that repays."""

    uid: UUID
    name: str
    coverage: Exact | None
    gap_years: list[int]
    hidden_gap: bool = Field(description="the total covers, and yet there are years with a gap")


class CalendarOut(Schema):
    """The repayment calendar of a place."""

    projects: list[RepayerOut]
    payments: list[DueOut]
    months: list[MonthOut]
    years: list[YearOut]


@router.get("/calendar", permission=SEE_FUNDS, response=CalendarOut)
def repayment_calendar(request: ApiRequest, filters: Query[CalendarFilter]) -> CalendarOut:
    """Show what is due when, and what to set aside each month so that every payment is covered."""
    found = repayment.repayers(request.view.query())
    if filters.project:
        found = [repayer for repayer in found if repayer.uid == str(filters.project)]
        if not found:
            raise Http404
    return CalendarOut(
        projects=[
            RepayerOut(
                uid=UUID(repayer.uid),
                name=repayer.name,
                coverage=repayer.calendar.coverage,
                gap_years=list(repayer.calendar.gap_years),
                hidden_gap=repayer.calendar.hidden,
            )
            for repayer in found
        ],
        payments=[
            DueOut(
                bond=row.bond,
                due_on=row.due_on,
                payment_day=row.payment_day,
                interest=row.interest,
                principal=row.principal,
                planned=row.planned,
            )
            for row in repayment.payments(found)
        ],
        months=[
            MonthOut(
                month=f"{row.month[0]}-{row.month[1]:02d}",
                income=row.income,
                due=row.due,
                set_aside=row.set_aside,
                from_elsewhere=row.bridged,
                reserve=row.reserve,
            )
            for row in repayment.months(found)
        ],
        years=[
            YearOut(
                year=row.year,
                income=row.income,
                due=row.due,
                set_aside=row.set_aside,
                from_elsewhere=row.bridged,
                gaps=row.gaps,
            )
            for row in repayment.years(found)
        ],
    )


class ExpectedIn(Schema):
    """An issue that is only expected."""

    amount: Amount = Field(gt=0)
    term_years: int = Field(ge=1, le=50)
    rate: Decimal = Field(ge=0, le=Decimal("0.3"), description="a fraction a year: 0.03")
    value_date: date


class WishIn(Schema):
    """What is to be allotted, among whom, and what counts how much."""

    pool: str = Field("reviewed", pattern="^(approved|reviewed|all)$")
    quota: Amount | None = Field(None, ge=0, description="without it all that the batches hold")
    lot: Amount = Field(LOT, gt=0)
    least: Decimal = Field(LEAST, ge=0, le=1, description="least useful share of what a project asks for")
    batches: list[UUID] | None = Field(
        None, max_length=100, description="tranches; without it all with something left"
    )
    expected: ExpectedIn | None = None
    weights: dict[Aim, int] = Field(default_factory=lambda: dict(WEIGHTS), description="0 to 100 by aim")
    fixed_in: list[UUID] = Field(default_factory=list, max_length=500)
    fixed_out: list[UUID] = Field(default_factory=list, max_length=500)


class ShareOut(Schema):
    """So much of a batch for a reserve project."""

    reserve: UUID
    name: str
    batch: str = Field(description="uid of the tranche, or expected")
    amount: Amount


class LeftOutOut(Schema):
    """Why a project is left out. `cost`: the share of the value that taking it in would cost, found by solving with it fixed in."""

    reserve: UUID
    name: str
    why: Why
    text: str
    cost: Exact | None


class ProposalOut(Schema):
    """The best proposal."""

    used: Amount
    quota: Amount
    proven: bool
    parts: list[ShareOut]
    left_out: list[LeftOutOut]
    reached: dict[Aim, Exact]
    conflict: list[UUID] = Field(
        description="projects fixed in that cannot be in together; nothing is proposed then"
    )


@router.post("/propose", permission=SEE_FUNDS, response=ProposalOut)
def propose_allotments(request: ApiRequest, body: WishIn) -> ProposalOut:
    """Propose which reserve projects get how much of which batch. Nothing is stored."""
    issue = body.expected
    wish = Wish(
        pool=body.pool,
        quota=body.quota,
        lot=body.lot,
        least=body.least,
        batches=None if body.batches is None else [str(uid) for uid in body.batches],
        expected=(issue.amount, issue.term_years, issue.rate, issue.value_date) if issue else None,
        weights={aim: min(max(weight, 0), 100) for aim, weight in body.weights.items()},
        fixed_in=frozenset(map(str, body.fixed_in)),
        fixed_out=frozenset(map(str, body.fixed_out)),
    )
    found = proposing.answer(request.view.query(), request.view.org.id, wish)
    proposal = found.proposal
    return ProposalOut(
        used=proposal.used,
        quota=found.task.quota,
        proven=proposal.proven,
        parts=[
            ShareOut(reserve=UUID(p.candidate), name=found.name(p.candidate), batch=p.batch, amount=p.amount)
            for p in proposal.parts
        ],
        left_out=[
            LeftOutOut(
                reserve=UUID(row.candidate),
                name=found.name(row.candidate),
                why=row.why,
                text=proposing.why_not(found, row),
                cost=row.cost,
            )
            for row in proposal.left_out
        ],
        reached=dict(proposal.reached),
        conflict=[UUID(uid) for uid in proposal.conflict],
    )
