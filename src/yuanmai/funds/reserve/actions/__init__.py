"""The verbs of the reserve."""

from yuanmai.funds.reserve.actions.entering import (
    change_reserve,
    enter_reserve,
    restore_reserve,
    withdraw_reserve,
)
from yuanmai.funds.reserve.actions.planning import set_items, set_loans, set_plan, set_uses
from yuanmai.funds.reserve.actions.reviewing import move_reserve, review_reserve, take_back_review
from yuanmai.funds.reserve.actions.ruling import retract_rule, set_rule

__all__ = [
    "change_reserve",
    "enter_reserve",
    "move_reserve",
    "restore_reserve",
    "retract_rule",
    "review_reserve",
    "set_items",
    "set_loans",
    "set_plan",
    "set_rule",
    "set_uses",
    "take_back_review",
    "withdraw_reserve",
]
