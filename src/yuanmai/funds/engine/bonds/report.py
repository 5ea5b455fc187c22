"""The answer of the engine as one document of plain values: what `yuanmai engine bond --json` prints (pure)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.common.working_days import WorkingDays
from yuanmai.funds.engine.bonds.checks import Check, check_plan
from yuanmai.funds.engine.bonds.coverage import Coverage, Row, Statement, statement
from yuanmai.funds.engine.bonds.reader import Document
from yuanmai.funds.engine.bonds.schedule import Flow, accrued_interest, add_months, maturity, total_interest
from yuanmai.funds.engine.bonds.service import LoanFlow, Service, loan_by_year
from yuanmai.funds.engine.bonds.terms import ZERO, Fault, Rules, Tranche
from yuanmai.funds.engine.bonds.words import Translate, check_message, fault_message, note_message, written


def answer(document: Document, rules: Rules, calendar: WorkingDays, translate: Translate) -> dict[str, Any]:
    """Compute a document and return everything; amounts are in the unit of the document."""
    if document.schedules is not None:
        return {"dates": {key: _iso(days) for key, days in document.schedules.items()}}
    found = statement(document.plan)
    checks = check_plan(found, rules)
    result: dict[str, Any] = {
        "unit": document.unit,
        "tranches": {
            tranche.id: _tranche(tranche, found, calendar, _accrual_days(tranche, document))
            for tranche in found.plan.tranches
        },
        "loans": {key: _loan(rows) for key, rows in found.loan_flows.items()},
        "rows": [_row(row) for row in found.rows],
        "coverage": _ratios(found.coverage),
        "fees": found.fees,
        "checks": [_check(check, translate) for check in checks],
        "notes": [note_document(note, translate) for note in _notes(document, found, calendar)],
    }
    if document.single:
        # One bond: what is said of it stands at the top as well.
        result = {**result["tranches"][found.plan.tranches[0].id], **result}
    return result


def _tranche(
    tranche: Tranche, found: Statement, calendar: WorkingDays, accrued_on: list[date]
) -> dict[str, Any]:
    rows = found.flows[tranche.id]
    return {
        "principal": tranche.principal,
        "rate": tranche.rate,
        "value_date": tranche.value_date.isoformat(),
        "maturity": maturity(tranche).isoformat(),
        "term_years": tranche.term_years,
        "frequency": tranche.frequency,
        "repayment": tranche.repayment.value,
        "flows": [_flow(row, calendar) for row in rows],
        "by_year": _by_year(found.by_year[tranche.id]),
        "total_interest": total_interest(rows),
        "accrued_interest_on": {day.isoformat(): accrued_interest(tranche, day) for day in accrued_on},
    }


def _accrual_days(tranche: Tranche, document: Document) -> list[date]:
    """Return the days that books are closed on: the ends of years, of one bond those of months, and what was asked for."""
    step = 1 if document.single else 12
    # Counted from a 31st, so that each is the last of its month.
    start = date(tranche.value_date.year, 1, 31)
    last = maturity(tranche)
    ends = [add_months(start, month) for month in range(step - 1, 12 * (tranche.term_years + 1), step)]
    return sorted({day for day in ends if tranche.value_date <= day <= last} | set(document.accrued_on))


def _flow(row: Flow, calendar: WorkingDays) -> dict[str, Any]:
    return {
        "date": row.date.isoformat(),
        "payment_date": calendar.on_or_after(row.date).isoformat(),
        "payment_date_certain": calendar.known(row.date),
        "interest": row.interest,
        "principal": row.principal,
        "outstanding": row.outstanding,
    }


def _by_year(years: Mapping[int, Service]) -> dict[str, dict[str, Decimal]]:
    return {
        str(year): {"interest": service.interest, "principal": service.principal}
        for year, service in years.items()
    }


def _loan(rows: tuple[LoanFlow, ...]) -> dict[str, Any]:
    return {
        "flows": [
            {
                "period": row.period,
                "date": row.date.isoformat() if row.date else None,
                "year": row.year,
                "interest": row.interest,
                "principal": row.principal,
                "outstanding": row.outstanding,
            }
            for row in rows
        ],
        "by_year": _by_year(loan_by_year(rows)),
        "total_interest": sum((row.interest for row in rows), ZERO),
    }


def _row(row: Row) -> dict[str, Any]:
    return row._asdict()


def _ratios(coverage: Coverage) -> dict[str, Decimal | None]:
    return {
        "all_interest": coverage.all_interest.value,
        "operating_period_interest_only": coverage.operating_period_interest_only.value,
        "with_issue_fees": coverage.with_issue_fees.value,
        "all_debt": coverage.all_debt.value,
        "net_income_to_principal": coverage.principal.value,
        "net_income_to_investment": coverage.investment.value,
    }


def _check(check: Check, translate: Translate) -> dict[str, Any]:
    return {
        "code": check.code,
        "subject": check.subject,
        "passed": check.passed,
        "level": check.level,
        "values": {
            key: written(value) if isinstance(value, date) else value for key, value in check.params.items()
        },
        "message": check_message(translate, check),
    }


def _notes(document: Document, found: Statement, calendar: WorkingDays) -> list[Fault]:
    notes = list(document.notes)
    if found.plan.years and found.plan.operation_start is None:
        notes.append(Fault("operation_start", None, "no_operation_start"))
    days = [row.date for rows in found.flows.values() for row in rows]
    if not all(calendar.known(day) for day in days):
        notes.append(
            Fault("", None, "calendar_ends", {"first": calendar.first_year, "last": calendar.last_year})
        )
    return notes


def note_document(note: Fault, translate: Translate) -> dict[str, Any]:
    """Return a remark as the document has it."""
    return {
        "path": note.path,
        "value": _plain(note.value),
        "rule": note.rule,
        "message": note_message(translate, note),
    }


def fault_document(fault: Fault, translate: Translate) -> dict[str, Any]:
    """Return a fault as refusals have it: path, value, rule, message."""
    return {
        "path": fault.path,
        "value": _plain(fault.value),
        "rule": fault.rule,
        "message": fault_message(translate, fault),
    }


def _plain(value: Any) -> Any:
    """Return a value that was found faulty as JSON can have it; numbers beyond all measure as text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Decimal) and not (value.is_finite() and -60 <= value.adjusted() <= 60):
        return written(value)
    return value if value is None or isinstance(value, str | int | float | Decimal) else str(value)


def _iso(days: tuple[date, ...]) -> list[str]:
    return [day.isoformat() for day in days]
