"""The rules of disbursing and paying special-bond money (pure).

Every rule gives a :class:`Verdict`: its code, whether it refuses the entry or flags it, the field it belongs to, and the
numbers of its sentence. A refused entry is not stored; a flagged one is stored and stands as a finding. Amounts are yuan,
shares are fractions.

Sources: money may pay only for what the offering file names, capital expenditure only, on the strength of use plan, contract,
confirmed progress certificate, invoice and site photographs (published management rules of special-bond money); payment
keeps to the progress of the work, an advance is 10 to 30 % of the contract (财建〔2004〕369号, article 12).
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

REFUSE, FLAG = "refuse", "flag"
ZERO = Decimal(0)


@dataclass(frozen=True)
class Verdict:
    """What a rule says: its code, `REFUSE` or `FLAG`, the field it belongs to, and what its sentence is filled with."""

    code: str
    level: str = REFUSE
    field: str = ""
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Flow:
    """An amount on a day."""

    day: date
    amount: Decimal


@dataclass(frozen=True)
class PaymentRules:
    """What places decide. `named_uses` and `use_plan` are `REFUSE`, `FLAG`, or empty for a rule that is not applied."""

    tolerance: Decimal = Decimal("0.10")  # how far paid may run ahead of certified or measured work
    named_uses: str = REFUSE
    use_plan: str = FLAG
    plan_months_before: int = 1


@dataclass(frozen=True)
class UseFacts:
    """A use that a payment names, as it stands before the payment."""

    name: str
    amount: Decimal  # in the offering file
    paid: Decimal = ZERO
    capital_expenditure: bool = True
    named: bool = True  # stands in the offering file of this project, and was not struck out


@dataclass(frozen=True)
class ContractFacts:
    """A contract as it stands before a payment; `work_share` is None where no physical work is planned for it."""

    amount: Decimal
    signed_on: date
    paid: Decimal = ZERO
    certified: Decimal = ZERO  # and confirmed by the supervisor
    work_share: Decimal | None = None
    same_project: bool = True


@dataclass(frozen=True)
class PaperFacts:
    """A certificate or invoice that a payment refers to, as it stands before the payment."""

    amount: Decimal
    paid: Decimal = ZERO
    same_contract: bool = True


@dataclass(frozen=True)
class PaymentFacts:
    """A payment that is to be stored, and everything its rules look at."""

    amount: Decimal
    day: date
    today: date
    contract: ContractFacts
    allotted: bool  # the tranche was allotted to this project
    disbursed: Sequence[Flow] = ()  # of this tranche, to this project
    paid: Sequence[Flow] = ()
    use: UseFacts | None = None
    certificate: PaperFacts | None = None
    invoice: PaperFacts | None = None
    planned: Decimal | None = None  # the use plan of the month; None where none was filed
    paid_in_month: Decimal = ZERO


def least_balance(received: Iterable[Flow], spent: Iterable[Flow], since: date) -> Decimal:
    """Return the least balance from `since` on: what may be spent on that day without a later day falling below zero."""
    steps: dict[date, Decimal] = {since: ZERO}
    for flow in received:
        steps[max(flow.day, since)] = steps.get(max(flow.day, since), ZERO) + flow.amount
    for flow in spent:
        steps[max(flow.day, since)] = steps.get(max(flow.day, since), ZERO) - flow.amount
    balance, least = ZERO, None
    for day in sorted(steps):
        balance += steps[day]
        least = balance if least is None else min(least, balance)
    return least if least is not None else ZERO


def check_amount(amount: Decimal | None, name: str = "amount") -> list[Verdict]:
    """Refuse an amount that is missing, not positive, or finer than a cent."""
    if amount is None:
        return [Verdict("no_amount", REFUSE, name)]
    if not amount.is_finite() or amount <= 0:
        return [Verdict("not_positive", REFUSE, name)]
    if amount != amount.quantize(Decimal("0.01")):
        return [Verdict("below_cent", REFUSE, name)]
    return []


def check_day(
    day: date | None, today: date, *, signed_on: date | None = None, name: str = "effective_on"
) -> list[Verdict]:
    """Refuse a day that is missing, lies in the future, or before the contract was signed."""
    if day is None:
        return [Verdict("no_day", REFUSE, name)]
    if day > today:
        return [Verdict("in_future", REFUSE, name, {"day": day})]
    if signed_on is not None and day < signed_on:
        return [Verdict("before_signing", REFUSE, name, {"day": day, "signed": signed_on})]
    return []


def check_payment(facts: PaymentFacts, rules: PaymentRules = PaymentRules()) -> list[Verdict]:
    """Return everything the rules say about a payment, refusals first."""
    found = check_amount(facts.amount)
    found += check_day(facts.day, facts.today, signed_on=facts.contract.signed_on)
    contract = facts.contract
    if not contract.same_project:
        found.append(Verdict("contract_elsewhere", REFUSE, "contract"))
    if not facts.allotted:
        found.append(Verdict("not_allotted", REFUSE, "tranche"))
    for name, paper in (("certificate", facts.certificate), ("invoice", facts.invoice)):
        if paper is not None and not paper.same_contract:
            found.append(Verdict("paper_elsewhere", REFUSE, name))
    found += _use(facts, rules)
    if any(v.field == "amount" for v in found):
        return _ordered(found)
    rest = contract.amount - contract.paid
    if facts.amount > rest:
        found.append(_over("above_contract", facts.amount, rest, contract.amount))
    if facts.allotted:
        left = least_balance(facts.disbursed, facts.paid, facts.day)
        if facts.amount > left:
            whole = sum((flow.amount for flow in facts.disbursed), ZERO)
            found.append(_over("above_disbursed", facts.amount, max(left, ZERO), whole))
    if any(v.level == REFUSE for v in found):
        return _ordered(found)
    return _ordered([*found, *_flags(facts, rules)])


def _ordered(found: Iterable[Verdict]) -> list[Verdict]:
    return sorted(found, key=lambda verdict: verdict.level != REFUSE)


def _over(code: str, amount: Decimal, left: Decimal, whole: Decimal) -> Verdict:
    return Verdict(code, REFUSE, "amount", {"amount": amount, "left": left, "whole": whole})


def _use(facts: PaymentFacts, rules: PaymentRules) -> Iterable[Verdict]:
    use, level = facts.use, rules.named_uses
    if not level:
        return
    if use is None:
        yield Verdict("no_use", level, "use")
    elif not use.named:
        yield Verdict("use_not_named", level, "use", {"use": use.name})
    elif not use.capital_expenditure:
        yield Verdict("not_capital", level, "use", {"use": use.name})


def _flags(facts: PaymentFacts, rules: PaymentRules) -> Iterable[Verdict]:
    after = facts.contract.paid + facts.amount
    yield from ahead_of_work(facts.contract, after, rules.tolerance)
    if facts.use is not None and facts.use.paid + facts.amount > facts.use.amount:
        params = {
            "use": facts.use.name,
            "paid": facts.use.paid + facts.amount,
            "planned": facts.use.amount,
        }
        yield Verdict("above_use", FLAG, "use", params)
    if facts.invoice is not None and facts.invoice.paid + facts.amount > facts.invoice.amount:
        params = {"paid": facts.invoice.paid + facts.amount, "stated": facts.invoice.amount}
        yield Verdict("above_invoice", FLAG, "invoice", params)
    if facts.certificate is not None and facts.certificate.paid + facts.amount > facts.certificate.amount:
        params = {"paid": facts.certificate.paid + facts.amount, "stated": facts.certificate.amount}
        yield Verdict("above_certificate", FLAG, "certificate", params)
    if rules.use_plan:
        month = facts.paid_in_month + facts.amount
        yield from outside_plan(facts.planned, month, level=rules.use_plan)


def ahead_of_work(contract: ContractFacts, paid: Decimal, tolerance: Decimal) -> Iterable[Verdict]:
    """Flag what was paid beyond the certified, or beyond the measured, share of the work by more than the tolerance."""
    if not contract.amount:
        return
    share = paid / contract.amount
    certified = contract.certified / contract.amount
    if share > certified + tolerance:
        params = {"paid_share": share, "share": certified, "tolerance": tolerance, "paid": paid}
        yield Verdict("ahead_of_certified", FLAG, "amount", params)
    if contract.work_share is not None and share > contract.work_share + tolerance:
        params = {"paid_share": share, "share": contract.work_share, "tolerance": tolerance, "paid": paid}
        yield Verdict("ahead_of_measured", FLAG, "amount", params)


def outside_plan(planned: Decimal | None, paid: Decimal, *, level: str = FLAG) -> Iterable[Verdict]:
    """Flag (or refuse) payments of a month that no use plan names, or that exceed it."""
    if planned is None:
        yield Verdict("not_planned", level, "effective_on", {"paid": paid})
    elif paid > planned:
        yield Verdict("above_plan", level, "amount", {"paid": paid, "planned": planned})


@dataclass(frozen=True)
class DisbursementFacts:
    """A disbursement that is to be stored; the flows are those of this tranche with this project."""

    amount: Decimal
    day: date
    today: date
    value_date: date  # of the tranche: before it there is no money
    allotted: Sequence[Flow] = ()
    disbursed: Sequence[Flow] = ()


def check_disbursement(facts: DisbursementFacts) -> list[Verdict]:
    """Return everything the rules say about a disbursement: all refuse."""
    found = check_amount(facts.amount) + check_day(facts.day, facts.today)
    if facts.day < facts.value_date:
        params = {"day": facts.day, "value_date": facts.value_date}
        found.append(Verdict("before_issue", REFUSE, "effective_on", params))
    if not facts.allotted:
        found.append(Verdict("not_allotted", REFUSE, "tranche"))
    if found:
        return found
    left = least_balance(facts.allotted, facts.disbursed, facts.day)
    if facts.amount > left:
        whole = sum((flow.amount for flow in facts.allotted), ZERO)
        return [_over("above_allotment", facts.amount, max(left, ZERO), whole)]
    return []


def check_return(
    received: Sequence[Flow], spent: Sequence[Flow], flow: Flow, *, code: str = "already_paid"
) -> list[Verdict]:
    """Refuse to take back `flow` out of what was received, where later spending relies on it."""
    rest = least_balance([*received, Flow(flow.day, -flow.amount)], spent, flow.day)
    return [Verdict(code, REFUSE, "", {"amount": flow.amount, "missing": -rest})] if rest < 0 else []


def check_paper(
    amount: Decimal | None,
    day: date | None,
    today: date,
    contract: ContractFacts,
    stated: Decimal,
    *,
    code: str,
) -> list[Verdict]:
    """Check a certificate or an invoice; `stated` is what papers of its kind already state for the contract.

    More than the contract amount in all is flagged under `code`: work may grow, but then a supplement is due.
    """
    found = check_amount(amount) + check_day(day, today, signed_on=contract.signed_on)
    if not found and amount is not None and stated + amount > contract.amount:
        params = {"stated": stated + amount, "contract": contract.amount}
        found.append(Verdict(code, FLAG, "amount", params))
    return found


def plan_due(month: date, months_before: int) -> date:
    """Return the last day on which the use plan of a month is in time: `months_before` months before the month begins."""
    index = month.year * 12 + month.month - 1 - months_before
    return date(index // 12, index % 12 + 1, 1)


def check_use_plan(
    amount: Decimal | None, month: date | None, filed_on: date | None, today: date, months_before: int
) -> list[Verdict]:
    """Check a use plan: filed late is flagged, never refused (the money is needed all the same)."""
    found = check_amount(amount) + check_day(filed_on, today, name="effective_on")
    if month is None:
        found.append(Verdict("no_month", REFUSE, "month"))
    if found or month is None or filed_on is None:
        return found
    due = plan_due(month, months_before)
    if filed_on > due:
        return [Verdict("plan_late", FLAG, "effective_on", {"filed": filed_on, "due": due, "month": month})]
    return []


def check_measurement(
    quantity: Decimal | None,
    day: date | None,
    today: date,
    *,
    planned: Decimal,
    before: Decimal | None,
    after: Decimal | None = None,
) -> list[Verdict]:
    """Check a measured quantity, cumulative; `before` and `after` are the measurements next to it in time.

    Less than before, more than after, or more than planned may be right and is flagged: a confirmation stores it.
    """
    if quantity is None or not quantity.is_finite():
        return [Verdict("no_quantity", REFUSE, "quantity")]
    found = check_day(day, today)
    if quantity < 0:
        found.append(Verdict("negative_quantity", REFUSE, "quantity"))
    if found:
        return found
    if before is not None and quantity < before:
        found.append(Verdict("less_than_before", FLAG, "quantity", {"quantity": quantity, "last": before}))
    if after is not None and quantity > after:
        found.append(Verdict("more_than_after", FLAG, "quantity", {"quantity": quantity, "next": after}))
    if quantity > planned:
        found.append(
            Verdict("more_than_planned", FLAG, "quantity", {"quantity": quantity, "planned": planned})
        )
    return found
