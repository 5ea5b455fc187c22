"""Contradictions in the money, by subject."""

from yuanmai.funds.findings import bond_kinds, paying_kinds, reserve
from yuanmai.funds.findings.funding import (
    OVER_TOTAL,
    refresh_findings,
)

__all__ = [
    "OVER_TOTAL",
    "bond_kinds",
    "paying_kinds",
    "refresh_findings",
    "reserve",
]
