"""The verbs of contracts, papers, disbursement, payment, physical work and change of use.

Amounts are yuan. Whatever the rules refuse raises `ValidationError` by field and stores nothing; what they flag is stored,
returned as verdicts, and stands as a finding.
"""

from yuanmai.funds.paying.actions.change import move_change, request_change
from yuanmai.funds.paying.actions.money import disburse, pay
from yuanmai.funds.paying.actions.papers import (
    certify,
    confirm_certificate,
    file_use_plan,
    record_contract,
    record_invoice,
)
from yuanmai.funds.paying.actions.undo import take_back
from yuanmai.funds.paying.actions.works import measure, plan_work

__all__ = [
    "certify",
    "confirm_certificate",
    "disburse",
    "file_use_plan",
    "measure",
    "move_change",
    "pay",
    "plan_work",
    "record_contract",
    "record_invoice",
    "request_change",
    "take_back",
]
