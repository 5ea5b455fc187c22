"""The verbs of this part of the funds room: quota, tranches, allotment, on-lending, early redemption."""

from yuanmai.funds.issuing.actions.allotment import Line, allot, take_back_allotments
from yuanmai.funds.issuing.actions.daily import look_for_idle
from yuanmai.funds.issuing.actions.lending import lend_on, take_back_on_lending
from yuanmai.funds.issuing.actions.quota import state_quota, take_back_quota
from yuanmai.funds.issuing.actions.redemption import redeem_early, take_back_redemption
from yuanmai.funds.issuing.actions.tranches import correct_tranche, create_tranche, remove_tranche

__all__ = [
    "Line",
    "allot",
    "correct_tranche",
    "create_tranche",
    "lend_on",
    "look_for_idle",
    "redeem_early",
    "remove_tranche",
    "state_quota",
    "take_back_allotments",
    "take_back_on_lending",
    "take_back_quota",
    "take_back_redemption",
]
