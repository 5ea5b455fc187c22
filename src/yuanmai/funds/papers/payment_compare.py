"""A payment ledger beside what is stored: its faults, and what taking it over would change. Reads only."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.core.workbooks.engine.result import Parsed, Row, SheetReading
from yuanmai.core.workbooks.engine.text import key
from yuanmai.core.workbooks.kinds import Change, Plan
from yuanmai.funds.models import NamedUse, Tranche
from yuanmai.funds.papers.payment_stored import Bill, Deal, Paid, Register
from yuanmai.funds.papers.stored import Faults, Pair, ProjectRef, Stored, cell_of
from yuanmai.funds.queries import ZERO
from yuanmai.projects.ledger import as_of_of, found_in


@dataclass
class Reading:
    """A payment ledger understood: what each row says (None where it has faults)."""

    paid: list[tuple[SheetReading, Row, Paid | None]] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    offsets: dict[Pair, tuple[date, Decimal]] = field(
        default_factory=dict
    )  # what itemised payments take from carried ones
    faults: Faults = field(default_factory=Faults)


def words(amount: Decimal) -> str:
    """Return an amount in words."""
    return yuan_text(amount, chinese=chinese())


def understand(parsed: Parsed, org_id: int) -> Reading:
    """Return what the rows of a ledger say, matched with what is stored; a constant number of queries."""
    stored = Stored(org_id)
    return _Understanding(stored, Register(stored)).run(parsed)


class _Understanding:
    """One pass over the rows."""

    def __init__(self, stored: Stored, register: Register) -> None:
        self.stored, self.register = stored, register
        self.out = Reading()
        self.deals: dict[tuple[int, str], Deal] = {}
        self.bills: dict[tuple[str, str], Bill] = {}
        self.drawn: dict[int, list[int]] = defaultdict(list)
        for project_id, tranche_id in stored.movements.rows["allotted"]:
            self.drawn[project_id].append(tranche_id)
        self.billed: Counter[str] = Counter()
        self.by_pk = {tranche.pk: tranche for tranche in stored.tranches.codes.values()}

    def run(self, parsed: Parsed) -> Reading:
        self.billed = Counter(key(str(row.get("invoice_number") or "")) for row in parsed.rows)
        for reading in parsed.sheets:
            for row in reading.rows:
                self.out.paid.append((reading, row, self._row(reading, row)))
        self.out.deals, self.out.bills = list(self.deals.values()), list(self.bills.values())
        self._within_contracts()
        self._within_invoices()
        self._within_disbursed()
        return self.out

    def _row(self, reading: SheetReading, row: Row) -> Paid | None:
        at = self.out.faults.at
        project = self.stored.projects.find(row.get("code"), row.get("name"))
        if project is None:
            if row.get("name"):
                near = self.stored.projects.nearest(row.get("name"))
                at(reading, row, "name", "bond.project_unknown", str(row.get("name")), nearest=near)
            return None
        tranche = self._tranche(reading, row, project)
        deal = self._deal(reading, row, project)
        day, amount = row.get("paid_on"), row.get("amount")
        if day is None and not _told(reading, row, "paid_on"):
            at(reading, row, "paid_on", "pay.no_day", "")
        if not amount and not _told(reading, row, "amount"):
            at(reading, row, "amount", "pay.no_amount", "")
        use = self._use(reading, row, project)
        if tranche is None or deal is None or day is None or not amount:
            return None
        certificate = None
        if number := row.get("certificate_number"):
            found = self.register.certificates.get((deal.stored.pk, key(number))) if deal.stored else None
            if found is None:
                at(reading, row, "certificate_number", "pay.certificate_unknown", str(number), "warning")
            certificate = found
        bill = self._bill(reading, row, deal)
        paid = Paid(
            project, tranche, deal, bill, day, amount, str(row.get("voucher") or "")[:100], use, certificate
        )
        self._match(paid)
        if not paid.same:
            deal.total += amount - (paid.old.amount if paid.old else ZERO)
            deal.first_paid = min(deal.first_paid or day, day)
            if bill is not None:
                bill.total += amount - (paid.old.amount if paid.old and paid.old.invoice_id else ZERO)
        return paid

    def _tranche(self, reading: SheetReading, row: Row, project: ProjectRef) -> Tranche | None:
        at = self.out.faults.at
        drawn = self.drawn.get(project.pk, [])
        code, name = row.get("bond_code"), row.get("bond_name")
        if not code and not name:
            if len(drawn) == 1 and drawn[0] in self.by_pk:
                return self.by_pk[drawn[0]]
            at(reading, row, "bond_code", "pay.no_bond", "", instead=("bond_name",), n=len(drawn))
            return None
        found = self.stored.tranches.find(code, name)
        if found is None or found.pk not in drawn:
            known = "、".join(sorted(self.by_pk[pk].code for pk in drawn if pk in self.by_pk)) or "—"
            field_ = "bond_code" if code else "bond_name"
            at(reading, row, field_, "pay.not_allotted", str(code or name), known=known)
            return None
        return found

    def _deal(self, reading: SheetReading, row: Row, project: ProjectRef) -> Deal | None:
        number, name, payee = (str(row.get(f) or "") for f in ("contract_number", "contract_name", "payee"))
        stored = self.register.contracts.get((project.pk, key(number))) if number else None
        if stored is None and not number and name:
            stored = self.register.by_name.get((project.pk, key(name), key(payee)))
        if not number and not name and stored is None:
            self.out.faults.at(
                reading, row, "contract_number", "pay.no_contract", "", instead=("contract_name",)
            )
            return None
        mark = (project.pk, key(stored.number) if stored else key(number or f"{name}{payee}"))
        deal = self.deals.get(mark)
        if deal is None:
            payee = payee or (stored.payee if stored else "")
            if not payee:
                self.out.faults.at(reading, row, "payee", "pay.no_payee", "", instead=("contract_number",))
                return None
            deal = Deal(project, stored, (number or name)[:80], name or number, payee)
            self.deals[mark] = deal
        if payee and key(payee) != key(deal.payee):
            self.out.faults.at(
                reading, row, "payee", "pay.other_payee", payee, contract=deal.number, known=deal.payee
            )
        deal.amount = row.get("contract_amount") if deal.amount is None else deal.amount
        deal.signed_on = deal.signed_on or row.get("signed_on")
        return deal

    def _bill(self, reading: SheetReading, row: Row, deal: Deal) -> Bill | None:
        number = row.get("invoice_number")
        if not number:
            return None
        mark = (key(deal.payee), key(number))
        bill = self.bills.get(mark)
        if bill is None:
            stored = self.register.invoices.get(mark)
            bill = Bill(str(number), deal.payee, deal, stored, row.get("invoice_amount"), (reading, row))
            self.bills[mark] = bill
            mine = deal.stored.pk if deal.stored else None
            if stored is not None and stored.contract_id != mine:
                where = stored.contract.number
                self.out.faults.at(
                    reading, row, "invoice_number", "pay.invoice_elsewhere", str(number), contract=where
                )
        elif bill.deal is not deal:
            first = cell_of(*bill.first, "invoice_number")
            self.out.faults.at(reading, row, "invoice_number", "pay.double_invoice", str(number), first=first)
        elif bill.amount is None and bill.stored is None:
            # Nobody says what the invoice amounts to: paid twice is billed twice.
            first = cell_of(*bill.first, "invoice_number")
            self.out.faults.at(reading, row, "invoice_number", "pay.double_invoice", str(number), first=first)
        return bill

    def _use(self, reading: SheetReading, row: Row, project: ProjectRef) -> NamedUse | None:
        name, named = row.get("use"), self.register.uses.get(project.pk)
        if not name or not named:
            return None
        found = named.get(key(name))
        if found is None:
            known = "、".join(use.name for use in named.values())
            self.out.faults.at(reading, row, "use", "pay.use_unknown", str(name), known=known)
        return found

    def _match(self, paid: Paid) -> None:
        """Find the stored payment that the row repeats or corrects."""
        if paid.deal.stored is None:
            return
        base = (paid.project.pk, paid.tranche.pk, paid.deal.stored.pk)
        number = key(paid.bill.number) if paid.bill else ""
        exact = self.register.payments.get(("exact", *base, number, key(paid.voucher), paid.day, paid.amount))
        if exact is not None:
            paid.old, paid.same = exact, True
        elif paid.voucher:
            paid.old = self.register.payments.get(("voucher", *base, key(paid.voucher)))
        elif number and self.billed[number] == 1:
            paid.old = self.register.payments.get(("invoice", *base, number))

    # ----- limits

    def _within_contracts(self) -> None:
        for deal in self.out.deals:
            before = self.register.paid.get(deal.stored.pk, ZERO) if deal.stored else ZERO
            if before + deal.total > deal.worth:
                place = next((p for p in self.out.paid if p[2] and p[2].deal is deal and not p[2].same), None)
                if place is not None and place[2] is not None:
                    self.out.faults.at(
                        place[0], place[1], "amount", "pay.over_contract", words(place[2].amount),
                        paid=words(before + deal.total), contract=deal.number, limit=words(deal.worth),
                    )  # fmt: skip

    def _within_invoices(self) -> None:
        for bill in self.out.bills:
            if bill.stored is not None and (
                bill.deal.stored is None or bill.stored.contract_id != bill.deal.stored.pk
            ):
                continue  # told already: it belongs to another contract
            before = self.register.on_invoice.get(bill.stored.pk, ZERO) if bill.stored else ZERO
            if bill.total > 0 and before + bill.total > bill.worth:
                reading, row = bill.first
                self.out.faults.at(
                    reading, row, "invoice_number", "pay.over_invoice", bill.number,
                    paid=words(before + bill.total), limit=words(bill.worth),
                )  # fmt: skip

    def _within_disbursed(self) -> None:
        """Nothing is paid that was not disbursed; what a bond ledger carried without items gives way to the items."""
        by_pair: dict[Pair, list[tuple[SheetReading, Row, Paid]]] = defaultdict(list)
        for reading, row, paid in self.out.paid:
            if paid is not None and not paid.same:
                by_pair[paid.project.pk, paid.tranche.pk].append((reading, row, paid))
        for pair, rows in by_pair.items():
            disbursed = self.stored.movements.sum("disbursed", pair, date.max)
            before = self.stored.movements.sum("paid", pair, date.max)
            more = sum((p.amount - (p.old.amount if p.old else ZERO) for _r, _w, p in rows), ZERO)
            day, carried = self.register.carried.get(pair, (date.min, ZERO))
            itemised = sum((p.amount for _r, _w, p in rows if p.day <= day and p.old is None), ZERO)
            offset = max(ZERO, min(carried, itemised))
            if offset:
                self.out.offsets[pair] = (day, offset)
            if before + more - offset > disbursed:
                reading, row, paid = max(rows, key=lambda entry: (entry[2].day, entry[1].line))
                self.out.faults.at(
                    reading, row, "amount", "pay.over_disbursed", words(paid.amount), code=paid.tranche.code,
                    paid=words(before + more - offset), limit=words(disbursed),
                )  # fmt: skip


def _told(reading: SheetReading, row: Row, field_: str) -> bool:
    return any(fault.row == row.line + 1 and fault.field == field_ for fault in reading.faults)


def check(parsed: Parsed, org_id: int) -> Parsed:
    """Return the reading with the faults that only the whole file and what is stored can show."""
    return parsed.with_faults(understand(parsed, org_id).faults.found)


def compare(parsed: Parsed, org_id: int, today: date) -> tuple[Plan, Reading]:
    """Return what taking over a payment ledger would change, and the rows understood."""
    as_of, assumed = as_of_of(parsed, today)
    found = understand(parsed, org_id)
    days = [paid.day for _r, _w, paid in found.paid if paid is not None]
    if assumed and days:
        as_of, assumed = max(days), False
    plan = Plan([], effective_on=as_of, assumed=assumed)
    for reading, row, paid in found.paid:
        label = " · ".join(filter(None, (row.get("name"), row.get("payee"), row.get("contract_number"))))
        if paid is None:
            plan.changes.append(Change(row, reading.sheet, "created", label))
            continue
        diff: list[tuple[str, Any, Any]] = []
        if paid.old is not None and not paid.same:
            if paid.old.amount != paid.amount:
                diff.append(("amount", paid.old.amount, paid.amount))
            if paid.old.effective_on != paid.day:
                diff.append(("paid_on", paid.old.effective_on, paid.day))
        action = (
            "unchanged"
            if paid.same or (paid.old is not None and not diff)
            else "updated"
            if diff
            else "created"
        )
        plan.changes.append(
            Change(row, reading.sheet, action, label, paid.project.pk, paid.project.uid, tuple(diff), paid)
        )
    plan.found = list(found_in(parsed, as_of))
    return plan, found
