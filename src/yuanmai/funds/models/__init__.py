"""The nouns of the funds room, by subject."""

from yuanmai.funds.models.coverage import CoverageRecord
from yuanmai.funds.models.funding import (
    FundingFact,
    FundingState,
    Security,
    Source,
)
from yuanmai.funds.models.insight import CalendarFeed
from yuanmai.funds.models.issue import (
    Allotment,
    EarlyRedemption,
    OnLending,
    Quota,
    Tranche,
)
from yuanmai.funds.models.paying import (
    Attachment,
    Certificate,
    ChangeOfUse,
    ChangeStep,
    Contract,
    Disbursement,
    Invoice,
    Measurement,
    Payment,
    UsePlan,
    WorkItem,
)
from yuanmai.funds.models.reserve import (
    Frequency,
    NamedUse,
    PlanYear,
    Repayment,
    Reserve,
    ReserveItem,
    ReserveLoan,
    ReserveStep,
    Review,
)
from yuanmai.funds.models.rules import (
    BondRule,
)

__all__ = [
    "Allotment",
    "Attachment",
    "BondRule",
    "CalendarFeed",
    "Certificate",
    "ChangeOfUse",
    "ChangeStep",
    "Contract",
    "CoverageRecord",
    "Disbursement",
    "EarlyRedemption",
    "Frequency",
    "FundingFact",
    "FundingState",
    "Invoice",
    "Measurement",
    "NamedUse",
    "OnLending",
    "Payment",
    "PlanYear",
    "Quota",
    "Repayment",
    "Reserve",
    "ReserveItem",
    "ReserveLoan",
    "ReserveStep",
    "Review",
    "Security",
    "Source",
    "Tranche",
    "UsePlan",
    "WorkItem",
]
