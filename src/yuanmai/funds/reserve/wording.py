"""The reserve in words: faults of entry, gates, checks and what to do about them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese, rounded
from yuanmai.funds.engine.review import Gate
from yuanmai.funds.reserve.rules import name_of
from yuanmai.projects.engine.checks import Issue


def yuan(value: Decimal) -> str:
    """Return an amount in words of the active language."""
    return yuan_text(value, chinese=chinese())


def percent(value: Decimal | None, digits: int = 2) -> str:
    """Return a share in per cent without needless zeros."""
    if value is None:
        return "–"
    text = f"{rounded(value * 100, digits):f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def times(value: Decimal | None) -> str:
    """Return a multiple with two decimals."""
    return "–" if value is None else f"{rounded(value, 2):.2f}"


def sentence(issue: Issue) -> str:
    """Return an issue of the entry in words."""
    money = {k: yuan(v) for k, v in issue.params.items() if isinstance(v, Decimal) and k != "percent"}
    values: dict[str, Any] = {**issue.params, **money}
    if "allowed" in values:
        values["allowed"] = ", ".join(str(term) for term in values["allowed"])
    if "percent" in values:
        values["percent"] = f"{rounded(issue.params['percent'], 2).normalize():f}"
    return {
        "not_positive": _("Must be greater than 0."),
        "negative": _("Must not be negative."),
        "over_total": _("More than the total investment of %(limit)s."),
        "as_capital_over": _(
            "At most %(limit)s: bonds used as capital are part of the bonds and of the capital."
        ),
        "rate_range": _("Between 0 and %(percent)s %%. Is it a percentage?"),
        "term_range": _("From 1 to %(limit)s years."),
        "year_range": _("From %(first)s to %(last)s."),
        "unknown_code": _("Choose one of the list."),
        "before_previous": _("Before %(day)s, the date of the step before it."),
        "sources_differ": _(
            "Capital, bonds and other debt add up to %(value)s, the total investment is %(total)s. "
            "Bonds used as capital count once."
        ),
        "negative_list": _("This field stands on the negative list: the project will not pass the review."),
        "term_unusual": _("Not one of the terms that are issued (%(allowed)s years)."),
    }[issue.code] % values


GATE_NAMES = {
    "negative_list": gettext_lazy("Not on the negative list"),
    "positive_list": gettext_lazy("Bonds as capital only in fields of the positive list"),
    "minimum_capital": gettext_lazy("Minimum project capital"),
    "capital_share_cap": gettext_lazy("Cap on bonds used as capital"),
    "term": gettext_lazy("Permitted term"),
    "coverage": gettext_lazy("Coverage of the bonds"),
    "coverage_all_debt": gettext_lazy("Coverage of all debt"),
    "checklist": gettext_lazy("Checklist complete for the review"),
    "identities": gettext_lazy("Figures of the plan agree"),
    "named_uses": gettext_lazy("Named uses make up the bonds"),
    "coverage_high": gettext_lazy("Coverage not suspiciously high"),
    "gap_years": gettext_lazy("No year with a gap"),
    "checklist_later": gettext_lazy("Checklist complete for approval and issue"),
}
ADVICE = {
    "negative_list": gettext_lazy("Such a project cannot get special bonds; withdraw it or choose the right field."),
    "positive_list": gettext_lazy("Put the bonds to another use than project capital, or choose the right field and park."),
    "minimum_capital": gettext_lazy("Raise the project capital, or lower bonds and loans."),
    "capital_share_cap": gettext_lazy("Use fewer bonds as project capital this year."),
    "term": gettext_lazy("Choose one of the permitted terms."),
    "coverage": gettext_lazy("Complete the income plan, or lower bonds, rate or term until the coverage holds."),
    "coverage_all_debt": gettext_lazy("Enter the loans with their terms; lower the debt until the coverage holds."),
    "checklist": gettext_lazy("Bring the papers and upload the files of the offering file."),
    "identities": gettext_lazy("Correct the plan by year until every check below holds."),
    "named_uses": gettext_lazy("Enter the uses that the offering file names; they must add up to the bonds and be capital expenditure."),
    "coverage_high": gettext_lazy("Explain the income forecast in the financial report."),
    "gap_years": gettext_lazy("Say in the repayment plan how these years are bridged."),
    "checklist_later": gettext_lazy("These may follow, but are needed before approval or issue."),
}  # fmt: skip


def gate_reason(gate: Gate) -> str:
    """Return what a gate found, in words."""
    p = gate.params
    made: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "negative_list": _negative,
        "positive_list": _positive,
        "minimum_capital": _capital,
        "capital_share_cap": lambda q: _("%(value)s of the province's bonds of the year, at most %(limit)s") % _shares(q),
        "term": lambda q: _("%(value)s years; permitted: %(allowed)s") % {"value": q["value"], "allowed": ", ".join(map(str, q["allowed"]))},
        "checklist": _missing,
        "checklist_later": _missing,
        "identities": lambda q: _("All checks hold") if not q["checks"] else _("Checks that fail: %(n)s") % {"n": len(q["checks"])},
        "named_uses": _uses,
        "gap_years": lambda q: _("None") if not q["years"] else _("Years with a negative cumulative balance: %(years)s") % {"years": _years(q["years"])},
    }  # fmt: skip
    if gate.code in made:
        return made[gate.code](p)
    if p["value"] is None:
        return _("Not known: no debt service or no income is entered")
    if gate.code == "coverage_high":
        return _("%(value)s, usual up to %(limit)s") % {
            "value": times(_decimal(p["value"])),
            "limit": times(_decimal(p["limit"])),
        }
    return _("%(value)s, at least %(limit)s") % {
        "value": times(_decimal(p["value"])),
        "limit": times(_decimal(p["limit"])),
    }


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _shares(params: Mapping[str, Any]) -> dict[str, str]:
    return {k: percent(None if params[k] is None else _decimal(params[k])) for k in ("value", "limit")}


def _negative(params: Mapping[str, Any]) -> str:
    if not params["known"]:
        return _("“%(field)s” is not a field that the rules know") % {"field": params["field"]}
    return name_of("fields", params["field"])


def _positive(params: Mapping[str, Any]) -> str:
    if not _decimal(params["amount"]):
        return _("No bonds are used as capital")
    field = name_of("fields", params["field"])
    if params["condition"] == "any":
        return field
    if params["condition"] == "park":
        levels = ", ".join(name_of("park_levels", level) for level in params["levels"])
        level = name_of("park_levels", params["level"]) if params["level"] else _("no park level known")
        return _("%(field)s: in parks of level %(levels)s only; this one: %(level)s") % {
            "field": field,
            "levels": levels,
            "level": level,
        }
    return _("%(field)s is not on the positive list") % {"field": field}


def _capital(params: Mapping[str, Any]) -> str:
    sector = name_of("sectors", params["sector"])
    if params["limit"] is None:
        return _("No minimum is known for “%(sector)s”") % {"sector": sector}
    return _("%(sector)s: %(value)s of the total investment, at least %(limit)s") % {
        "sector": sector,
        **_shares(params),
    }


def _missing(params: Mapping[str, Any]) -> str:
    if not params["missing"]:
        return _("Complete")
    return _("Missing: %(items)s") % {
        "items": ", ".join(name_of("checklist", code) for code in params["missing"])
    }


def _uses(params: Mapping[str, Any]) -> str:
    value, expected, current = (_decimal(params[k]) for k in ("value", "expected", "current"))
    if current:
        return _("%(current)s is not capital expenditure") % {"current": yuan(current)}
    if value == expected:
        return _("%(value)s, as requested") % {"value": yuan(value)}
    return _("%(value)s named, %(expected)s requested") % {"value": yuan(value), "expected": yuan(expected)}


def _years(years: Any) -> str:
    return ", ".join(str(year) for year in years)


def gate_lines(gates: Any) -> list[dict[str, Any]]:
    """Return gates as pages show them: name, passed, hard, reason, what to do."""
    return [
        {
            "code": gate.code,
            "name": GATE_NAMES[gate.code],
            "passed": gate.passed,
            "hard": gate.hard,
            "reason": gate_reason(gate),
            "advice": ADVICE[gate.code],
            "light": "green" if gate.passed else ("red" if gate.hard else "yellow"),
        }
        for gate in gates
    ]


def plain(gates: Any) -> list[dict[str, Any]]:
    """Return gates as they are stored with a review."""

    def text(value: Any) -> Any:
        if isinstance(value, Decimal):
            return str(value)
        return list(value) if isinstance(value, tuple) else value

    return [
        {
            "code": g.code,
            "passed": g.passed,
            "hard": g.hard,
            "params": {k: text(v) for k, v in g.params.items()},
        }
        for g in gates
    ]


def stored_gates(rows: Any) -> list[Gate]:
    """Return stored gates again."""
    return [Gate(row["code"], row["passed"], row["hard"], row["params"]) for row in rows]
