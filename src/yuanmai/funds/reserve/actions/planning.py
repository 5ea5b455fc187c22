"""The checklist, the named uses, the plan by year and the loans of a reserve project."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.funds.coverage import record_coverage
from yuanmai.funds.engine.application import AMOUNTS, FIRST_YEAR, LAST_YEAR, check_year
from yuanmai.funds.engine.bonds import terms
from yuanmai.funds.engine.bonds.faults import loan_faults
from yuanmai.funds.engine.bonds.words import fault_message
from yuanmai.funds.files import file_target
from yuanmai.funds.findings.reserve import refresh_reserve
from yuanmai.funds.models import Contract, NamedUse, Payment, PlanYear, Reserve, ReserveItem, ReserveLoan
from yuanmai.funds.permissions import KEEP_RESERVE
from yuanmai.funds.reserve.actions.entering import PREPARED, changeable, edited, locked
from yuanmai.funds.reserve.moving import last_day, log, record_step
from yuanmai.funds.reserve.queries import loans_of, uses_of
from yuanmai.funds.reserve.rules import name_of, rules_for
from yuanmai.funds.reserve.wording import sentence

OPENED = (Reserve.State.APPROVED, Reserve.State.ISSUED, Reserve.State.DRAWN, Reserve.State.COMPLETED)
LAST_STATES = (Reserve.State.REPAID,)
LONGEST_PLAN = 100
file_target(ReserveItem, KEEP_RESERVE)
ITEM_FIELDS = ("state", "document", "dated_on", "note")
LOAN_FIELDS = ("lender", "principal", "rate", "drawn_on", "periods", "frequency", "kind")


def _settled(act: Act, reserve: Reserve, on: date, transition: str, **sides: Any) -> None:
    """Remember who changed it, record the step, the coverage, the log, the contradictions."""
    Reserve.objects.filter(pk=reserve.pk).update(**edited(act, reserve))
    day = max(on, last_day(reserve) or on)
    record_step(act, reserve, transition, day)
    record_coverage(act, [reserve], day)
    log(act, reserve, **sides)
    refresh_reserve(act, [reserve], day)


@action("funds.set_reserve_items", permission=KEEP_RESERVE)
def set_items(act: Act, reserve: Reserve, on: date, lines: Mapping[str, Mapping[str, Any]]) -> None:
    """State lines of the checklist: code → `state`, `document`, `dated_on`, `note`. Papers may come in until it is completed.

    Raises `ValidationError` (field ``<code>``) for an unknown line or state.
    """
    reserve = locked(reserve)
    act.require(reserve.org_id)
    if reserve.withdrawn_at is not None or reserve.state in LAST_STATES:
        changeable(reserve)
    known = {item.code: item for item in ReserveItem.objects.filter(reserve=reserve)}
    checklist = rules_for(reserve.org_id, on)["checklist"]
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for code, given in lines.items():
        if code not in known and code not in checklist:
            raise ValidationError({code: [_("The checklist has no such line.")]})
        if given.get("state") not in ReserveItem.State.values:
            raise ValidationError({code: [_("Choose one of the list.")]})
        item = known.get(code) or ReserveItem(reserve=reserve, code=code)
        wanted = {name: given.get(name) or (None if name == "dated_on" else "") for name in ITEM_FIELDS}
        old = {name: getattr(item, name) for name in ITEM_FIELDS}
        if item.pk and wanted == old:
            continue
        for name, value in wanted.items():
            setattr(item, name, value)
        item.save()
        before[code], after[code] = _said(old), _said(wanted)
    if not after:
        raise ValidationError(_("Nothing was changed."))
    _settled(act, reserve, on, "items", before=before, after=after)


def _said(values: Mapping[str, Any]) -> str:
    state = str(ReserveItem.State(values["state"]).label)
    parts = [
        state,
        values["document"],
        values["dated_on"].isoformat() if values["dated_on"] else "",
        values["note"],
    ]
    return " · ".join(part for part in parts if part)


@action("funds.set_named_uses", permission=KEEP_RESERVE)
def set_uses(act: Act, reserve: Reserve, on: date, lines: Sequence[Mapping[str, Any]]) -> None:
    """State the uses that the offering file names, complete: `id` of a use that stays, `name`, `amount`, `capital_expenditure`.

    A use that is not named any more is retired; refused where contracts or payments stand on it. Raises `ValidationError`
    (field ``line_<index>``).
    """
    reserve = locked(reserve)
    act.require(reserve.org_id)
    changeable(reserve)
    present = {use.pk: use for use in uses_of(reserve)}
    before = {use.name: str(use.amount) for use in present.values()}
    names: set[str] = set()
    kept: set[int] = set()
    for index, line in enumerate(lines):
        name, amount = str(line.get("name") or "").strip(), line.get("amount")
        fault = ""
        if not name:
            fault = _("Say what the money is used for.")
        elif name in names:
            fault = _("This use stands twice.")
        elif amount is None or amount <= 0:
            fault = _("State an amount greater than 0.")
        elif line.get("id") and line["id"] not in present:
            fault = _("This use is gone; load the page again.")
        if fault:
            raise ValidationError({f"line_{index}": [fault]})
        names.add(name)
        use = present.get(line.get("id") or 0) or NamedUse(reserve=reserve)
        use.name, use.amount = name, amount
        use.capital_expenditure = bool(line.get("capital_expenditure", True))
        use.save()
        kept.add(use.pk)
    gone = [pk for pk in present if pk not in kept]
    used = {*Contract.objects.filter(use_id__in=gone, retracted_at=None).values_list("use__name", flat=True),
            *Payment.objects.filter(use_id__in=gone, retracted_at=None).values_list("use__name", flat=True)}  # fmt: skip
    if used:
        raise ValidationError(
            _("Contracts or payments stand on “%(names)s”; it cannot be left out.")
            % {"names": "”, “".join(sorted(used))}
        )
    NamedUse.objects.filter(pk__in=gone).update(retired_at=act.now)
    after = {use.name: str(use.amount) for use in uses_of(reserve)}
    _settled(act, reserve, on, "uses", before=before, after=after)


@action("funds.set_reserve_plan", permission=KEEP_RESERVE)
def set_plan(
    act: Act, reserve: Reserve, on: date, version: str, rows: Mapping[int, Mapping[str, Decimal | None]]
) -> None:
    """State years of the plan in a version: year → amounts in yuan (`AMOUNTS`); a year without any amount is taken out.

    Years that are not named stay. The version *plan* is that of the offering file and follows its state; *issued* and
    *operating* are kept once the project is approved. Raises `ValidationError` (field ``<year>.<amount>``).
    """
    reserve = locked(reserve)
    act.require(reserve.org_id)
    if version not in PlanYear.Version.values:
        raise ValidationError(_("Unknown version of the plan: %(version)s") % {"version": version})
    if version == PlanYear.Version.PLAN:
        changeable(reserve)
    elif reserve.state not in OPENED or reserve.withdrawn_at is not None:
        raise ValidationError(_("This version is kept once the bonds are approved."))
    faults: dict[str, list[str]] = {}
    wanted: dict[int, dict[str, Decimal]] = {}
    for year, given in rows.items():
        if not FIRST_YEAR <= year <= LAST_YEAR:
            faults[f"{year}.year"] = [
                _("From %(first)s to %(last)s.") % {"first": FIRST_YEAR, "last": LAST_YEAR}
            ]
            continue
        wanted[year] = {name: given.get(name) or Decimal(0) for name in AMOUNTS}
        for issue in check_year(wanted[year]):
            faults.setdefault(f"{year}.{issue.field}", []).append(sentence(issue))
    if faults:
        raise ValidationError(faults)
    stored = {row.year: row for row in PlanYear.objects.filter(reserve=reserve, version=version)}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for year, values in wanted.items():
        row = stored.get(year)
        old = {name: getattr(row, name) for name in AMOUNTS} if row else dict.fromkeys(AMOUNTS, Decimal(0))
        if old == values:
            continue
        before[str(year)], after[str(year)] = _amounts(old), _amounts(values)
        if not any(values.values()):
            if row:
                row.delete()
            continue
        PlanYear.objects.update_or_create(reserve=reserve, version=version, year=year, defaults=values)
    if not after:
        raise ValidationError(_("Nothing was changed."))
    if len({*stored, *wanted}) > LONGEST_PLAN:
        raise ValidationError(_("A plan has at most %(n)s years.") % {"n": LONGEST_PLAN})
    _settled(act, reserve, on, "plan", before=before, after={"version": version, **after})


def _amounts(values: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in values.items() if amount)


@action("funds.set_reserve_loans", permission=KEEP_RESERVE)
def set_loans(act: Act, reserve: Reserve, on: date, lines: Sequence[Mapping[str, Any]]) -> None:
    """State the market loans, complete: `id` of one that stays, and `LOAN_FIELDS`. A loan that is not named ends.

    Raises `ValidationError` (field ``line_<index>``) with what the bond engine cannot compute.
    """
    reserve = locked(reserve)
    act.require(reserve.org_id)
    if reserve.state == PREPARED or reserve.state not in OPENED or reserve.withdrawn_at is not None:
        changeable(reserve)
    highest = rules_for(reserve.org_id, on)["highest_rate"]
    present = {loan.pk: loan for loan in loans_of(reserve)}
    before = {f"{loan.lender} {loan.drawn_on}": str(loan.principal) for loan in present.values()}
    kept: set[int] = set()
    for index, line in enumerate(lines):
        if not str(line.get("lender") or "").strip():
            raise ValidationError({f"line_{index}": [_("Say who lends.")]})
        if line.get("id") and line["id"] not in present:
            raise ValidationError({f"line_{index}": [_("This loan is gone; load the page again.")]})
        if any(line.get(name) in (None, "") for name in LOAN_FIELDS):
            raise ValidationError(
                {f"line_{index}": [_("State amount, rate, date, periods and kind of the loan.")]}
            )
        faults = loan_faults(
            terms.Loan(
                "loan", line["principal"], line["rate"], line["periods"], terms.Repayment(line["kind"]),
                frequency=line["frequency"], drawn_on=line["drawn_on"],
            ),
            highest,
        )  # fmt: skip
        if faults:
            raise ValidationError({f"line_{index}": [fault_message(_, fault) for fault in faults]})
        loan = present.get(line.get("id") or 0) or ReserveLoan(reserve=reserve)
        for name in LOAN_FIELDS:
            setattr(loan, name, line[name])
        loan.save()
        kept.add(loan.pk)
    ReserveLoan.objects.filter(pk__in=[pk for pk in present if pk not in kept]).update(retired_at=act.now)
    after = {f"{loan.lender} {loan.drawn_on}": str(loan.principal) for loan in loans_of(reserve)}
    _settled(act, reserve, on, "loans", before=before, after=after)


def item_name(code: str) -> str:
    """Return what a line of the checklist is called."""
    return name_of("checklist", code)
