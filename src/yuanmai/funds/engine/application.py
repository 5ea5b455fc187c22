"""What can be wrong with the figures of a reserve project when they are entered (pure)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.projects.engine.checks import ERROR, WARNING, Issue

FIRST_YEAR, LAST_YEAR, LONGEST = 2015, 2100, 50
NOT_NEGATIVE = ("capital", "other_debt", "bonds_as_capital")
AMOUNTS = (
    "investment", "capital", "bonds", "bonds_as_capital", "other_debt", "revenue", "operating_cost", "tax",
)  # fmt: skip


def check_application(given: Mapping[str, Any], rules: Mapping[str, Any]) -> list[Issue]:
    """Return what is wrong (errors) or doubtful (warnings) with the attributes of a reserve project; amounts in yuan."""
    issues = [*_amounts(given), *_terms(given, rules), *_dates(given)]
    if not any(issue.level == ERROR for issue in issues):
        issues += _doubts(given, rules)
    return issues


def _amounts(given: Mapping[str, Any]) -> list[Issue]:
    total, requested = given["total_investment"], given["requested"]
    issues = [
        *(
            Issue(n, "not_positive", ERROR, {"value": given[n]})
            for n in ("total_investment", "requested")
            if given[n] <= 0
        ),
        *(Issue(n, "negative", ERROR, {"value": given[n]}) for n in NOT_NEGATIVE if given[n] < 0),
        *(
            Issue(n, "over_total", ERROR, {"value": given[n], "limit": total})
            for n in ("requested", "capital", "other_debt")
            if given[n] > total > 0
        ),
    ]
    limit = min(requested, given["capital"])
    if given["bonds_as_capital"] > limit >= 0:
        issues.append(
            Issue(
                "bonds_as_capital",
                "as_capital_over",
                ERROR,
                {"value": given["bonds_as_capital"], "limit": limit},
            )
        )
    return issues


def _terms(given: Mapping[str, Any], rules: Mapping[str, Any]) -> list[Issue]:
    issues = []
    if not 0 <= given["rate"] <= rules["highest_rate"]:
        issues.append(Issue("rate", "rate_range", ERROR, {"percent": rules["highest_rate"] * 100}))
    if not 1 <= given["term_years"] <= LONGEST:
        issues.append(Issue("term_years", "term_range", ERROR, {"limit": LONGEST}))
    if not FIRST_YEAR <= given["year"] <= LAST_YEAR:
        issues.append(Issue("year", "year_range", ERROR, {"first": FIRST_YEAR, "last": LAST_YEAR}))
    if given["field"] not in rules["fields"]:
        issues.append(Issue("field", "unknown_code", ERROR, {"value": given["field"]}))
    if given["sector"] not in rules["minimum_capital"]:
        issues.append(Issue("sector", "unknown_code", ERROR, {"value": given["sector"]}))
    return issues


def _dates(given: Mapping[str, Any]) -> list[Issue]:
    issues = []
    names = ("construction_start", "construction_end", "operation_start")
    last: date | None = None
    for name in names:
        day = given.get(name)
        if day is not None and last is not None and day < last:
            issues.append(Issue(name, "before_previous", ERROR, {"day": last}))
        last = day or last
    return issues


def _doubts(given: Mapping[str, Any], rules: Mapping[str, Any]) -> list[Issue]:
    issues = []
    sources = given["capital"] + given["requested"] + given["other_debt"] - given["bonds_as_capital"]
    if sources != given["total_investment"]:
        issues.append(
            Issue("", "sources_differ", WARNING, {"value": sources, "total": given["total_investment"]})
        )
    if rules["fields"][given["field"]].get("negative"):
        issues.append(Issue("field", "negative_list", WARNING, {"value": given["field"]}))
    if given["term_years"] not in rules["permitted_terms"]:
        issues.append(Issue("term_years", "term_unusual", WARNING, {"allowed": rules["permitted_terms"]}))
    return issues


def check_year(given: Mapping[str, Decimal]) -> list[Issue]:
    """Return what is wrong with one year of a plan: its field, code."""
    issues = [Issue(name, "negative", ERROR, {"value": given[name]}) for name in AMOUNTS if given[name] < 0]
    if not issues and given["bonds_as_capital"] > given["bonds"]:
        issues.append(Issue("bonds_as_capital", "as_capital_over", ERROR, {"limit": given["bonds"]}))
    return issues
