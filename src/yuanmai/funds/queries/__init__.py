"""Reads that more than one face of the funds room needs, by subject."""

from yuanmai.funds.queries.funding import (
    MONEY,
    ZERO,
    Sums,
    funded,
    funding,
    lines_of,
    main_funding,
    sums_of,
    with_funding,
    with_gap,
)

__all__ = [
    "MONEY",
    "ZERO",
    "Sums",
    "funded",
    "funding",
    "lines_of",
    "main_funding",
    "sums_of",
    "with_funding",
    "with_gap",
]
