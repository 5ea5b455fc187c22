"""Contradictions in what was issued: amounts above what was approved or there, unusual terms, coverage, idle money."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse

from yuanmai.common.working_days import china
from yuanmai.core.actions import Act
from yuanmai.core.figures import Query
from yuanmai.core.findings import Found
from yuanmai.core.scope import everywhere
from yuanmai.funds.engine.bonds.coverage import Statement, operation_day, statement
from yuanmai.funds.engine.bonds.schedule import maturity
from yuanmai.funds.engine.idle import Stage
from yuanmai.funds.engine.issue import Part, Terms, check_terms
from yuanmai.funds.findings import bond_kinds as kinds
from yuanmai.funds.issuing.ceilings import ALLOTTABLE, ceilings
from yuanmai.funds.issuing.idle import Lying, batches
from yuanmai.funds.issuing.queries import Share, allotted, tranches_of
from yuanmai.funds.issuing.service import OPERATING, engine_terms, plans_of
from yuanmai.funds.models import PlanYear, Reserve, Tranche
from yuanmai.funds.queries import ZERO
from yuanmai.funds.reserve.rules import Rules, rules_of
from yuanmai.people.models import Organisation
from yuanmai.projects.engine.checks import WARNING
from yuanmai.projects.findings import evidence, settle
from yuanmai.projects.models import Project
from yuanmai.projects.queries import states

Where = dict[int, list[Found]]
LATER = (Reserve.State.COMPLETED, Reserve.State.REPAID)


def refresh_bond_findings(
    act: Act,
    org_ids: Iterable[int],
    as_of: date,
    *,
    project_ids: Iterable[int] | None = None,
    tranche_ids: Iterable[int] | None = None,
) -> None:
    """Look for contradictions of bonds in these organisations, inside a running action; open new ones, close those that are gone.

    `project_ids` and `tranche_ids` limit the look (an empty list: none of them); None looks at all. A constant number of queries.
    """
    orgs = tuple(sorted(set(org_ids)))
    query = Query(orgs, as_of)
    wanted = None if project_ids is None else set(project_ids)
    if wanted is None or wanted:
        found = _of_projects(query, wanted)
        keys = None if wanted is None else {f"project-{pk}" for pk in wanted}
        for org_id in orgs:
            settle(act, org_id, kinds.OF_PROJECTS, found[org_id], as_of, keys)
    tranches = Tranche.objects.filter(org_id__in=orgs, retracted_at=None)
    looked = None if tranche_ids is None else set(tranche_ids)
    if looked is None or looked:
        rows = tranches if looked is None else tranches.filter(pk__in=looked)
        of_tranches = _of_tranches(rows)
        keys = None if looked is None else {f"tranche-{pk}" for pk in looked}
        for org_id in orgs:
            settle(act, org_id, kinds.OF_TRANCHES, of_tranches[org_id], as_of, keys)


def refresh_idle_findings(act: Act, org_ids: Iterable[int], as_of: date) -> None:
    """Look only for what depends on the day: idle money."""
    orgs = tuple(sorted(set(org_ids)))
    query = Query(orgs, as_of)
    found: Where = defaultdict(list)
    names = _names(query, None)
    for lying in _idle_by_project(query, None).values():
        for item in _idle(lying, names):
            found[lying[0].org_id].append(item)
    for org_id in orgs:
        settle(act, org_id, kinds.OF_THE_DAY, found[org_id], as_of, None)


def refresh_quota_findings(act: Act, orgs: Iterable[Organisation], as_of: date) -> None:
    """Look whether the quota of these organisations, or of any above them, is exceeded; years around the day are looked at.

    A place above may lie outside the data scope of whoever acts; its finding is its own, so the scope is switched off here.
    """
    paths = [org.path for org in orgs]
    with everywhere():
        for year in range(as_of.year - 1, as_of.year + 2):
            for ceiling in ceilings(paths, year).values():
                key = f"quota-{ceiling.org.pk}-{year}"
                found = []
                if ceiling.used > ceiling.quota:
                    params = {
                        "place": ceiling.org.name,
                        "year": year,
                        "used": str(ceiling.used),
                        "quota": str(ceiling.quota),
                    }
                    line = {
                        "label": f"{ceiling.org.name} {year}",
                        "url": reverse("funds:quotas"),
                        "value": str(ceiling.quota),
                    }
                    found = [Found(kinds.OVER_QUOTA, key, params, [line])]
                settle(act, ceiling.org.pk, (kinds.OVER_QUOTA,), found, as_of, {key})


def _names(query: Query, project_ids: set[int] | None) -> dict[int, Any]:
    rows = states(query).select_related("project")
    if project_ids is not None:
        rows = rows.filter(project_id__in=project_ids)
    return {state.project_id: state for state in rows}


def _of_projects(query: Query, project_ids: set[int] | None) -> Where:
    found: Where = defaultdict(list)
    reserves: dict[int, list[Reserve]] = defaultdict(list)
    rows = Reserve.objects.filter(org_id__in=query.org_ids, withdrawn_at=None)
    if project_ids is not None:
        rows = rows.filter(project_id__in=project_ids)
    for reserve in rows:
        reserves[reserve.project_id].append(reserve)
    shares = tranches_of(query, project_ids)
    ends = _last_incomes([reserve.pk for mine in reserves.values() for reserve in mine])
    plans = plans_of([reserve for mine in reserves.values() for reserve in mine], OPERATING, query)
    rules = rules_of(query.org_ids, query.as_of)
    lying = _idle_by_project(query, project_ids)
    wanted = set(reserves) | set(shares)
    names = _names(query, wanted)
    for project_id in sorted(wanted & set(names)):
        state = names[project_id]
        mine = reserves[project_id]
        found[state.org_id] += [
            *_over_approved(state, mine, shares.get(project_id, [])),
            *_life(state, mine, shares.get(project_id, []), ends),
            *_coverage(state, mine, plans, rules[state.org_id]),
            *_idle(lying.get(project_id, []), names),
        ]
    return found


def _tranche_line(share: Share, value: Any = None) -> dict[str, Any]:
    return {
        "label": str(share.tranche),
        "url": reverse("funds:tranche", args=[share.tranche.uid]),
        "value": str(share.amount if value is None else value),
    }


def _over_approved(state: Any, mine: list[Reserve], shares: list[Share]) -> Iterator[Found]:
    whole = sum((share.amount for share in shares), ZERO)
    approved = sum((row.approved or ZERO for row in mine if row.state in {*ALLOTTABLE, *LATER}), ZERO)
    if whole > approved:
        params = {"name": state.name, "sum": str(whole), "approved": str(approved)}
        lines = [evidence(state, approved), *(_tranche_line(share) for share in shares)]
        yield Found(kinds.OVER_APPROVED, f"project-{state.project_id}", params, lines)


def _last_incomes(reserve_ids: list[int]) -> dict[int, int]:
    """The last year in which each reserve project expects income: the end of its operation as planned."""
    ends: dict[int, int] = {}
    rows = PlanYear.objects.filter(reserve_id__in=reserve_ids, revenue__gt=0)
    for reserve_id, year in rows.values_list("reserve_id", "year"):
        ends[reserve_id] = max(year, ends.get(reserve_id, year))
    return ends


def _life(state: Any, mine: list[Reserve], shares: list[Share], ends: dict[int, int]) -> Iterator[Found]:
    key = f"project-{state.project_id}"
    end = max((ends[row.pk] for row in mine if row.pk in ends), default=None)
    if end is not None:
        beyond = [s for s in shares if maturity(engine_terms(s.tranche, s.amount)).year > end]
        if beyond:
            params = {
                "name": state.name,
                "tranches": ", ".join(s.tranche.code for s in beyond),
                "year": end,
                "maturity": max(maturity(engine_terms(s.tranche, s.amount)) for s in beyond).isoformat(),
            }
            lines = [_tranche_line(s, maturity(engine_terms(s.tranche, s.amount))) for s in beyond]
            yield Found(kinds.TERM_OVER_PROJECT, key, params, lines, "warning")
    built = max((row.construction_end for row in mine if row.construction_end), default=None)
    if built is not None:
        late = [s for s in shares if s.tranche.value_date > built]
        if late:
            params = {
                "name": state.name,
                "tranches": ", ".join(s.tranche.code for s in late),
                "day": built.isoformat(),
            }
            lines = [_tranche_line(s, s.tranche.value_date) for s in late]
            yield Found(kinds.AFTER_CONSTRUCTION, key, params, lines, "warning")


def _coverage(state: Any, mine: list[Reserve], plans: dict[int, Any], rules: Rules) -> Iterator[Found]:
    """Coverage of the newest reserve project that has a plan of income."""
    rows = [row for row in mine if plans[row.pk].years]
    if not rows:
        return
    reserve = max(rows, key=lambda row: (row.year, row.pk))
    result = statement(plans[reserve.pk])
    value, of_all = result.coverage.all_interest.value, result.coverage.all_debt.value
    url = reverse("funds:debt_service_project", args=[state.project.uid])

    def item(kind: str, shown: Decimal, limit: Decimal, severity: str) -> Found:
        params = {"name": state.name, "value": str(round(shown, 6)), "limit": str(limit)}
        line = {"label": state.name, "url": url, "value": str(round(shown, 4))}
        return Found(kind, f"project-{state.project_id}", params, [line], severity)

    if value is not None and value < rules["coverage_threshold"]:
        yield item(kinds.COVERAGE_LOW, value, rules["coverage_threshold"], "error")
    if value is not None and value > rules["coverage_upper"]:
        yield item(kinds.COVERAGE_HIGH, value, rules["coverage_upper"], "warning")
    if result.plan.loans and of_all is not None and of_all < rules["coverage_all_debt"]:
        yield item(kinds.COVERAGE_ALL_DEBT, of_all, rules["coverage_all_debt"], "error")
    # Interest of the construction period is paid out of the estimate; a gap from then on has to be bridged.
    start = operation_day(result.plan)
    gaps = [year for year in gap_years(result) if start is None or year >= start.year]
    if gaps and value is not None and value >= 1:
        lowest = min(result.rows, key=lambda row: row.cumulative_balance)
        params = {
            "name": state.name,
            "value": str(round(value, 6)),
            "years": ", ".join(map(str, gaps)),
            "year": lowest.year,
            "balance": str(round(lowest.cumulative_balance, 2)),
        }
        line = {"label": state.name, "url": url, "value": str(round(lowest.cumulative_balance, 2))}
        yield Found(kinds.GAP_YEARS, f"project-{state.project_id}", params, [line], "warning")


def gap_years(found: Statement) -> list[int]:
    """Return the years whose cumulative balance is negative."""
    return [row.year for row in found.rows if row.cumulative_balance < 0]


def _idle_by_project(query: Query, project_ids: set[int] | None) -> dict[int, list[Lying]]:
    result: dict[int, list[Lying]] = defaultdict(list)
    for lying in batches(query, project_ids):
        if lying.standing.stage in {Stage.IDLE, Stage.TAKE_BACK}:
            result[lying.project_id].append(lying)
    return result


def _idle(rows: list[Lying], names: dict[int, Any]) -> Iterator[Found]:
    for stage, kind, severity in (
        (Stage.IDLE, kinds.IDLE, "warning"),
        (Stage.TAKE_BACK, kinds.TAKE_BACK, "error"),
    ):
        mine = [row for row in rows if row.standing.stage is stage and row.project_id in names]
        if not mine:
            continue
        state = names[mine[0].project_id]
        params = {
            "name": state.name,
            "amount": str(sum((row.standing.unspent for row in mine), ZERO)),
            "owner": str(sum((row.at_owner for row in mine), ZERO)),
            "tranches": ", ".join(row.tranche.code for row in mine),
            "deadline": min(row.standing.deadline for row in mine).isoformat(),
        }
        lines = [_tranche_line(Share(row.tranche, row.standing.unspent)) for row in mine]
        yield Found(kind, f"project-{state.project_id}", params, lines, severity)


def _of_tranches(tranches: Iterable[Tranche]) -> Where:
    rows = list(tranches)
    found: Where = defaultdict(list)
    sums: dict[int, Decimal] = defaultdict(Decimal)
    projects = tuple(Project.objects.order_by().values_list("org_id", flat=True).distinct())
    for (_project, tranche_id), amount in allotted(Query(projects, date.max)).items():
        sums[tranche_id] += amount
    by_day: dict[date, set[int]] = defaultdict(set)
    for row in rows:
        by_day[row.value_date].add(row.org_id)
    rules = {day: rules_of(ids, day) for day, ids in by_day.items()}
    for row in rows:
        key = f"tranche-{row.pk}"
        line = {
            "label": str(row),
            "url": reverse("funds:tranche", args=[row.uid]),
            "value": str(row.amount),
        }
        if sums[row.pk] > row.amount:
            params = {"tranche": str(row), "sum": str(sums[row.pk]), "amount": str(row.amount)}
            found[row.org_id].append(Found(kinds.OVER_TRANCHE, key, params, [line]))
        found[row.org_id] += _terms(row, rules[row.value_date][row.org_id], line)
    return found


def _terms(row: Tranche, rules: Rules, line: dict[str, Any]) -> Iterator[Found]:
    terms = Terms(
        row.amount, row.rate, row.term_years, row.tendered_on, row.value_date, row.frequency, row.repayment,
        [Part(int(part["year"]), Decimal(str(part["share"]))) for part in row.instalments],
    )  # fmt: skip
    issues = check_terms(terms, rules.engine(), china().after(row.tendered_on))
    key = f"tranche-{row.pk}"
    if any(issue.code == "before_tender" for issue in issues):
        params = {
            "tranche": str(row),
            "value_date": row.value_date.isoformat(),
            "tender": row.tendered_on.isoformat(),
        }
        yield Found(kinds.BEFORE_TENDER, key, params, [{**line, "value": row.value_date.isoformat()}])
    odd = [issue for issue in issues if issue.level == WARNING or issue.code == "rate_too_high"]
    if odd:
        odd_params: dict[str, Any] = {
            "tranche": str(row),
            "issues": [
                [issue.code, {name: str(value) for name, value in issue.params.items()}] for issue in odd
            ],
        }
        yield Found(kinds.UNUSUAL_TERMS, key, odd_params, [line], "warning")
