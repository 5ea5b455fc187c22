"""The rules of changing the use of special-bond money (pure).

Source: 财预〔2021〕110号 (measures for adjusting the use of special bonds): only in four cases; money that was already paid out
cannot be moved ("use first, adjust later" is forbidden); the receiving project must be reviewed, balance itself, be ready to use
the money, and its income must fit the remaining term. Amounts are yuan, shares are fractions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

NEED_CHANGED, SURPLUS, AUDIT, OTHER = "need_changed", "surplus", "audit", "other"
CASES = (NEED_CHANGED, SURPLUS, AUDIT, OTHER)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Check:
    """One condition: whether it is met (None: cannot be told yet), and the numbers of its sentence."""

    code: str
    met: bool | None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ChangeFacts:
    """A request and what its conditions look at, as of one day."""

    amount: Decimal
    case: str
    requested_on: date
    allotted: Decimal  # of the tranche, to the giving project
    disbursed: Decimal
    paid: Decimal
    giver_completed: bool
    document: str  # of the audit or inspection that asks for it, or of the approval
    receiver_state: str  # of its reserve project; empty without one
    receiver_reviewed: bool
    receiver_ready: bool | None
    receiver_missing: int  # lines of the readiness checklist that are not there
    coverage: Decimal | None  # of the receiver with the additional bonds
    threshold: Decimal
    maturity: date  # of the tranche
    income_until: int | None  # last year of the receiver's income; None where no plan is there
    same_project: bool = False
    receiver_in_reach: bool = True  # belongs to the place that keeps the tranche


def movable(facts: ChangeFacts) -> Decimal:
    """Return how much of the giving project's part can be moved: what was not paid out."""
    return max(facts.allotted - facts.paid, ZERO)


def to_return(facts: ChangeFacts) -> Decimal:
    """Return how much of what was disbursed the giving project's owner has to give back to the treasury."""
    return max(facts.disbursed - (facts.allotted - facts.amount), ZERO)


def check_change(facts: ChangeFacts) -> list[Check]:
    """Return the conditions of a change of use, in the order in which an officer looks at them."""
    free = movable(facts)
    checks = [
        Check("case", facts.case in CASES, {"case": facts.case}),
        Check("two_projects", not facts.same_project),
        Check("in_reach", facts.receiver_in_reach),
        Check(
            "not_paid",
            ZERO < facts.amount <= free,
            {"amount": facts.amount, "left": free, "paid": facts.paid},
        ),
    ]
    if facts.case == SURPLUS:
        checks.append(Check("giver_completed", facts.giver_completed))
    if facts.case == AUDIT:
        checks.append(Check("audit_document", bool(facts.document.strip())))
    reviewed = facts.receiver_reviewed
    checks.append(Check("receiver_reviewed", reviewed, {"state": facts.receiver_state}))
    balanced = None if facts.coverage is None else facts.coverage >= facts.threshold
    checks.append(
        Check("receiver_balanced", balanced, {"coverage": facts.coverage, "threshold": facts.threshold})
    )
    checks.append(Check("receiver_ready", facts.receiver_ready, {"missing": facts.receiver_missing}))
    fits = None if facts.income_until is None else facts.income_until >= facts.maturity.year
    checks.append(Check("term_fits", fits, {"until": facts.income_until, "maturity": facts.maturity}))
    return checks


@dataclass(frozen=True)
class Restraint:
    """How often and how much a place changed the use of its bonds in a year, against the bounds."""

    number: int
    amount: Decimal
    allotted: Decimal
    most_number: int
    most_share: Decimal

    @property
    def share(self) -> Decimal | None:
        """Changed ÷ allotted; None where nothing was allotted."""
        return self.amount / self.allotted if self.allotted else None

    @property
    def too_often(self) -> bool:
        """Whether the number of changes exceeds the bound."""
        return self.number > self.most_number

    @property
    def too_much(self) -> bool:
        """Whether the share exceeds the bound; changes without any allotment do."""
        return self.amount > 0 if self.share is None else self.share > self.most_share

    @property
    def loses_quota(self) -> bool:
        """Whether next year's quota is to be cut."""
        return self.too_often or self.too_much
