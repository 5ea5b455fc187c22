"""Keeping `CoverageRecord` in step with plans, terms and allotments; called by the actions that change one of them."""

from collections.abc import Iterable
from datetime import date

from yuanmai.core.actions import Act, touch
from yuanmai.core.figures import Query
from yuanmai.funds.engine.bonds.coverage import Statement
from yuanmai.funds.issuing.queries import allotted
from yuanmai.funds.issuing.service import statements_of
from yuanmai.funds.models import CoverageRecord, PlanYear, Reserve

CENT = 2
FIELDS = (
    "version", "net_income", "service", "service_operating", "service_with_fees",
    "net_income_all_debt", "service_all_debt", "gap_years",
)  # fmt: skip


def record_coverage(act: Act, reserves: Iterable[Reserve], on: date) -> list[CoverageRecord]:
    """Compute the coverage of reserve projects by the newest version of their plan and keep what has changed.

    What is issued takes the place of what was planned, what was earned that of the forecast. Returns the records added.
    """
    rows = list(reserves)
    if not rows:
        return []
    touch("funds")
    query = Query(tuple({row.org_id for row in rows}), on)
    ids = [row.pk for row in rows]
    found = statements_of(rows, PlanYear.Version.OPERATING, query)
    operating = set(
        PlanYear.objects.filter(reserve_id__in=ids, version=PlanYear.Version.OPERATING).values_list(
            "reserve_id", flat=True
        )
    )
    issued = {project_id for project_id, _tranche in allotted(query, [row.project_id for row in rows])}
    newest: dict[int, CoverageRecord] = {}
    for record in CoverageRecord.objects.filter(reserve_id__in=ids).order_by("effective_on", "id"):
        newest[record.reserve_id] = record
    fresh = []
    for row in rows:
        version = PlanYear.Version.PLAN
        if row.pk in operating:
            version = PlanYear.Version.OPERATING
        elif row.project_id in issued:
            version = PlanYear.Version.ISSUED
        record = _record(act, row, version, on, found[row.pk])
        before = newest.get(row.pk)
        if before is None or any(getattr(before, name) != getattr(record, name) for name in FIELDS):
            fresh.append(record)
    return CoverageRecord.objects.bulk_create(fresh)


def refresh_projects(act: Act, project_ids: Iterable[int], on: date) -> list[CoverageRecord]:
    """Do the same for the reserve projects of these projects."""
    return record_coverage(
        act, Reserve.objects.filter(project_id__in=list(project_ids), withdrawn_at=None), on
    )


def _record(act: Act, reserve: Reserve, version: str, on: date, found: Statement) -> CoverageRecord:
    coverage = found.coverage
    return CoverageRecord(
        reserve=reserve,
        version=version,
        effective_on=on,
        recorded_at=act.now,
        net_income=round(coverage.all_interest.numerator, CENT),
        service=round(coverage.all_interest.denominator, CENT),
        service_operating=round(coverage.operating_period_interest_only.denominator, CENT),
        service_with_fees=round(coverage.with_issue_fees.denominator, CENT),
        net_income_all_debt=round(coverage.all_debt.numerator, CENT),
        service_all_debt=round(coverage.all_debt.denominator, CENT),
        gap_years=sum(1 for row in found.rows if row.cumulative_balance < 0),
    )
