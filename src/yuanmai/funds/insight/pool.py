"""The reserve projects and batches that the quota optimiser chooses from, looked at by engine and rules, set-based."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.core.figures import Query
from yuanmai.funds.engine.bonds import terms
from yuanmai.funds.engine.bonds.checks import check_plan
from yuanmai.funds.engine.bonds.coverage import Statement, statement
from yuanmai.funds.engine.optimise import Batch, Candidate
from yuanmai.funds.engine.review import Application, Gate, gates, stopped
from yuanmai.funds.issuing import queries as issuing
from yuanmai.funds.issuing.ceilings import ALLOTTABLE
from yuanmai.funds.issuing.service import ISSUED, PLAN, PLANNED, engine_terms, plans_of
from yuanmai.funds.models import NamedUse, Reserve, Tranche
from yuanmai.funds.queries import ZERO
from yuanmai.funds.reserve import queries as reserve_queries
from yuanmai.funds.reserve.rules import Rules, rules_of
from yuanmai.projects.models import ProjectState
from yuanmai.projects.queries import states

State = Reserve.State
FUNDED = (State.ISSUED, State.DRAWN, State.COMPLETED, State.REPAID)
POOLS: dict[str, tuple[str, ...]] = {
    "approved": tuple(ALLOTTABLE),
    "reviewed": (State.REVIEWED, State.REPORTED, *ALLOTTABLE),
    "all": (State.RESERVE, State.REVIEWED, State.REPORTED, *ALLOTTABLE),
}
# The optimiser has a threshold of its own; what the reviewing bodies saw in the papers is theirs to say (see `_failed_gates`).
NOT_STOPPING = ("coverage",)
EXPECTED = "expected"  # the id of the issue that is only expected


@dataclass(frozen=True)
class Offer:
    """A batch: a tranche of which something is left, or an issue that is expected (`tranche` is None)."""

    batch: Batch
    name: str
    tranche: Tranche | None
    terms: terms.Tranche  # of 1 yuan


@dataclass(frozen=True)
class Entrant:
    """A reserve project as the optimiser and the page see it."""

    uid: str
    reserve: Any  # with name, state_then
    candidate: Candidate
    gates: tuple[Gate, ...]  # hard ones that are not passed
    coverage_by_batch: Mapping[str, Decimal | None]
    allottable: bool
    timely: bool  # some batch matures while the project still earns


def offers(query: Query, expected: Offer | None = None) -> list[Offer]:
    """Return the tranches that the query's organisations keep and have not wholly allotted, the earliest first; two queries."""
    given: dict[int, Decimal] = defaultdict(Decimal)
    for (_project, tranche_id), amount in issuing.allotted(query).items():
        given[tranche_id] += amount
    found = []
    rows = issuing.known_tranches(query).filter(org_id__in=query.org_ids)
    for tranche in rows.order_by("value_date", "code"):
        # What stands now decides what can be allotted, also where the page looks back.
        left = min(tranche.amount - given[tranche.pk], tranche.amount - tranche.allotted)
        if left > 0:
            batch = Batch(str(tranche.uid), left, tranche.term_years, tranche.value_date)
            found.append(
                Offer(batch, tranche.name or tranche.code, tranche, engine_terms(tranche, Decimal(1)))
            )
    return [*found, *([expected] if expected else [])]


def entrants(query: Query, pool: str, batches: Iterable[Offer], least: Decimal) -> list[Entrant]:
    """Return the reserve projects of a pool with something left to get; `least` is the least useful share of it.

    A constant number of queries. Each is examined under the rules of its place; for each batch its coverage is computed with the
    batch's rate, dates and repayment in place of what the plan supposes.
    """
    offered = list(batches)
    lines = {line.reserve.pk: line for line in reserve_queries.lines(query)}
    rows = [line.reserve for line in lines.values()]
    known = {row.pk: row for row in rows}
    given: dict[int, Decimal] = defaultdict(Decimal)
    for (project_id, _tranche), amount in issuing.allotted(query).items():
        given[project_id] += amount
    wanted = []
    for row in rows:
        limit = (row.approved_then if row.approved_then is not None else row.requested) - given[
            row.project_id
        ]
        if row.state_then in POOLS[pool] and limit > 0:
            wanted.append((row, limit))
    chosen = [row for row, _limit in wanted]
    rules = rules_of({row.org_id for row in chosen}, query.as_of, query.known_at)
    plans = plans_of(chosen, ISSUED, query)
    failed = _failed_gates(query, chosen, rules)
    needs = _needs(chosen, known, given)
    found = []
    for row, limit in wanted:
        plan, bounds = plans[row.pk], rules[row.org_id]
        threshold = bounds["coverage_threshold"]
        by_batch = {offer.batch.id: coverage_with(plan, offer, limit) for offer in offered}
        carried = {name for name, value in by_batch.items() if value is not None and value >= threshold}
        timely = {offer.batch.id for offer in offered if _earns(plan, offer)}
        line = lines[row.pk]
        own = statement(plan).coverage.all_interest.value if plan.years else None
        candidate = Candidate(
            id=str(row.uid),
            limit=limit,
            minimum=limit * least,
            readiness=line.readiness or ZERO,
            coverage=own,
            score=line.score,
            deadline=row.deadline,
            term_years=row.term_years,
            longest_term=row.term_years,
            capital_share=row.bonds_as_capital / row.requested if row.requested else ZERO,
            leverage=row.total_investment / row.requested if row.requested else Decimal(1),
            gates=tuple(gate.code for gate in failed[row.pk] if gate.code not in NOT_STOPPING),
            needs=tuple(sorted(needs[row.pk])),
            fitting=frozenset(carried & timely),
        )
        found.append(
            Entrant(
                str(row.uid),
                row,
                candidate,
                failed[row.pk],
                by_batch,
                row.state_then in ALLOTTABLE,
                bool(timely),
            )
        )
    return found


def coverage_with(plan: terms.Plan, offer: Offer, amount: Decimal) -> Decimal | None:
    """Return the coverage of a plan whose bonds still to come are replaced by `amount` of a batch."""
    if not plan.years:
        return None
    issued = tuple(t for t in plan.tranches if not t.id.startswith(PLANNED))
    scaled = replace(
        offer.terms,
        principal=amount,
        instalments=tuple(
            replace(part, principal=part.principal * amount) for part in offer.terms.instalments
        ),
    )
    return statement(replace(plan, tranches=(*issued, scaled))).coverage.all_interest.value


def _earns(plan: terms.Plan, offer: Offer) -> bool:
    """Does the project earn until the bond matures?"""
    last = max((year.year for year in plan.years if year.revenue > 0), default=0)
    return offer.batch.value_date.year + offer.batch.term_years <= last + 1


def _failed_gates(query: Query, rows: list[Any], rules: Mapping[int, Rules]) -> dict[int, tuple[Gate, ...]]:
    """Return the hard gates that each reserve project fails, by its plan. The papers of one that passed its review were seen there."""
    ids = [row.pk for row in rows]
    plans = plans_of(rows, PLAN, query)
    items = reserve_queries.items_of(ids)
    files = reserve_queries.with_files(item for group in items.values() for item in group.values())
    named = (
        states(query).filter(project_id__in=[row.project_id for row in rows]).select_related("org", "park")
    )
    by_project: dict[int, ProjectState] = {state.project_id: state for state in named}
    uses: dict[int, list[NamedUse]] = defaultdict(list)
    for use in NamedUse.objects.filter(reserve_id__in=ids, retired_at=None):
        uses[use.reserve_id].append(use)
    result = {}
    for row in rows:
        found, bounds = statement(plans[row.pk]), rules[row.org_id]
        state = by_project.get(row.project_id)
        given = _application(row, found, items.get(row.pk, {}), files, uses[row.pk], state, bounds)
        seen = ("checklist",) if row.state_then != State.RESERVE else ()
        result[row.pk] = tuple(gate for gate in stopped(gates(given, bounds)) if gate.code not in seen)
    return result


def _application(
    row: Any,
    found: Statement,
    items: Mapping[str, Any],
    files: frozenset[int],
    uses: list[NamedUse],
    state: ProjectState | None,
    rules: Rules,
) -> Application:
    checks = check_plan(found, rules.engine())
    given = bool(found.plan.years)
    return Application(
        field=row.field,
        sector=row.sector,
        park_level=reserve_queries.park_level(state),
        gap_closing=row.gap_closing,
        total_investment=row.total_investment,
        capital=row.capital,
        bonds=row.requested,
        bonds_as_capital=row.bonds_as_capital,
        other_debt=row.other_debt,
        term_years=row.term_years,
        coverage=found.coverage.all_interest.value if given else None,
        coverage_all_debt=found.coverage.all_debt.value if given else None,
        has_loans=bool(found.plan.loans) or row.other_debt > 0,
        gap_years=tuple(line.year for line in found.rows if line.cumulative_balance < 0),
        failed_checks=tuple(dict.fromkeys(c.code for c in checks if not c.passed and c.level == "error")),
        items={code: item.state for code, item in items.items()},
        files=frozenset(code for code, item in items.items() if item.pk in files),
        uses=sum((use.amount for use in uses), ZERO),
        current_uses=sum((use.amount for use in uses if not use.capital_expenditure), ZERO),
        # The cap on capital is a constraint of the optimiser, over all projects that it chooses.
        place_bonds=ZERO,
        place_bonds_as_capital=ZERO,
    )


def _needs(rows: list[Any], known: Mapping[int, Any], given: Mapping[int, Decimal]) -> dict[int, set[str]]:
    """Return on which other reserve projects each depends that have no money yet; one query."""
    result: dict[int, set[str]] = defaultdict(set)
    through = Reserve.depends_on.through.objects.filter(from_reserve_id__in=[row.pk for row in rows])
    for source, target in through.values_list("from_reserve_id", "to_reserve_id"):
        other = known.get(target)
        if other is None:
            result[source].add(f"#{target}")
        elif other.state_then not in FUNDED and not given.get(other.project_id):
            result[source].add(str(other.uid))
    return result


def expected(amount: Decimal, term: int, rate: Decimal, day: date, name: str, rules: Rules) -> Offer:
    """Return an issue that is expected, as a batch: repaid at the end, interest as is usual for its term."""
    bond = terms.Tranche(EXPECTED, Decimal(1), rate, day, term, rules.frequency(term))
    return Offer(Batch(EXPECTED, amount, term, day), name, None, bond)
