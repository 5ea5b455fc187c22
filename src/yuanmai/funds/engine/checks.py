"""What can be wrong with the funding of a project (pure)."""

from collections.abc import Sequence
from decimal import Decimal

from yuanmai.funds.engine.fold import Key
from yuanmai.projects.engine.checks import ERROR, WARNING, Issue


def check_lines(lines: Sequence[tuple[Key, Decimal | None]], total: Decimal | None) -> list[Issue]:
    """Check the sources of a project: `lines` are (key, amount in yuan); `total` is the total investment.

    The field of an issue is ``line_<index>``, or empty for the sum.
    """
    issues: list[Issue] = []
    seen: dict[Key, int] = {}
    for index, (key, amount) in enumerate(lines):
        if amount is None:
            issues.append(Issue(f"line_{index}", "no_amount", ERROR))
        elif amount < 0:
            issues.append(Issue(f"line_{index}", "negative", ERROR, {"value": amount}))
        if key in seen:
            issues.append(Issue(f"line_{index}", "same_source", ERROR, {"line": seen[key] + 1}))
        seen.setdefault(key, index)
    whole = sum((amount for _key, amount in lines if amount is not None), Decimal(0))
    if total is not None and whole > total:
        issues.append(Issue("", "sources_over_total", WARNING, {"value": whole, "total": total}))
    return issues
