"""Contradictions in the money, by subject."""

from yuanmai.funds.findings.funding import (
    OVER_TOTAL,
    refresh_findings,
)

__all__ = [
    "OVER_TOTAL",
    "refresh_findings",
]
