"""The hard gates of a review, its weighted score, and the readiness of a reserve project (pure).

Sources of the gates: negative list and list of fields where bonds may be project capital (国办发〔2024〕52号), minimum project capital
(国发〔2019〕26号 and earlier), completeness and balance of the offering file (财预〔2021〕61号). Every bound is a rule that is passed in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

from yuanmai.funds.engine.bonds.terms import exact

ZERO = Decimal(0)
DONE, NOT_NEEDED = "done", "not_needed"
# Checks of the bond engine that gates of their own stand for.
OWN_GATES = frozenset(
    {"coverage_at_least", "all_debt_at_least", "term_in_use", "coverage_at_most", "no_gap_year"}
)


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: whether it is passed, whether it stops the project (`hard`) or must only be explained, and its numbers."""

    code: str
    passed: bool
    hard: bool = True
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Application:
    """What a review looks at; amounts in yuan. Capital includes the bonds that are used as capital."""

    field: str
    sector: str
    park_level: str  # national, provincial, municipal, or nothing where it lies in no park
    gap_closing: bool
    total_investment: Decimal
    capital: Decimal
    bonds: Decimal
    bonds_as_capital: Decimal
    other_debt: Decimal
    term_years: int
    coverage: Decimal | None
    coverage_all_debt: Decimal | None
    has_loans: bool
    gap_years: tuple[int, ...]
    failed_checks: tuple[str, ...]  # codes of the engine's checks that are errors
    items: Mapping[str, str]  # checklist code → state
    files: frozenset[str]  # checklist codes that hold a file
    uses: Decimal  # Σ of the named uses
    current_uses: Decimal  # of them not capital expenditure
    # Of all projects of the province that ask for bonds in the same year, this one included.
    place_bonds: Decimal
    place_bonds_as_capital: Decimal


def gates(given: Application, rules: Mapping[str, Any]) -> list[Gate]:
    """Return every gate, passed or not, the hard ones first."""
    with localcontext(exact()):
        found = [
            _negative(given, rules["fields"]),
            _positive(given, rules["fields"]),
            _capital(given, rules),
            _capital_cap(given, rules["capital_share_cap"]),
            Gate(
                "term", given.term_years in rules["permitted_terms"], True,
                {"value": given.term_years, "allowed": tuple(rules["permitted_terms"])},
            ),
            _least("coverage", given.coverage, rules["coverage_threshold"]),
            *([_least("coverage_all_debt", given.coverage_all_debt, rules["coverage_all_debt"])] if given.has_loans else []),
            _checklist(given, rules["checklist"], "review", hard=True),
            _identities(given),
            _uses(given),
            _most("coverage_high", given.coverage, rules["coverage_upper"]),
            Gate("gap_years", not given.gap_years, False, {"years": given.gap_years}),
            _checklist(given, rules["checklist"], "later", hard=False),
        ]  # fmt: skip
    return sorted(found, key=lambda gate: not gate.hard)


def stopped(found: Iterable[Gate]) -> list[Gate]:
    """Return the hard gates that are not passed."""
    return [gate for gate in found if gate.hard and not gate.passed]


def _negative(given: Application, fields: Mapping[str, Mapping[str, Any]]) -> Gate:
    entry = fields.get(given.field)
    params = {"field": given.field, "known": entry is not None}
    return Gate("negative_list", entry is not None and not entry.get("negative", False), True, params)


def _positive(given: Application, fields: Mapping[str, Mapping[str, Any]]) -> Gate:
    entry = fields.get(given.field) or {}
    condition = entry.get("capital", "no")
    levels = tuple(entry.get("levels", ()))
    allowed = condition == "any" or (condition == "park" and given.park_level in levels)
    params = {
        "field": given.field, "amount": given.bonds_as_capital, "condition": condition,
        "levels": levels, "level": given.park_level,
    }  # fmt: skip
    return Gate("positive_list", given.bonds_as_capital == 0 or allowed, True, params)


def _capital(given: Application, rules: Mapping[str, Any]) -> Gate:
    least = rules["minimum_capital"].get(given.sector)
    params: dict[str, Any] = {"sector": given.sector, "value": None, "limit": least}
    if least is None or given.total_investment <= 0:
        return Gate("minimum_capital", False, True, params)
    if given.gap_closing:
        least = max(least - rules["gap_closing_relief"], ZERO)
    params |= {"value": given.capital / given.total_investment, "limit": least}
    return Gate("minimum_capital", given.capital >= least * given.total_investment, True, params)


def _capital_cap(given: Application, cap: Decimal) -> Gate:
    whole = given.place_bonds
    params = {"value": given.place_bonds_as_capital / whole if whole else None, "limit": cap}
    # A project that uses no bonds as capital is not stopped by what others do.
    within = given.place_bonds_as_capital <= cap * whole
    return Gate("capital_share_cap", given.bonds_as_capital == 0 or within, True, params)


def _least(code: str, value: Decimal | None, limit: Decimal) -> Gate:
    return Gate(code, value is not None and value >= limit, True, {"value": value, "limit": limit})


def _most(code: str, value: Decimal | None, limit: Decimal) -> Gate:
    return Gate(code, value is None or value <= limit, False, {"value": value, "limit": limit})


def missing(
    items: Mapping[str, str], files: frozenset[str], checklist: Mapping[str, Mapping[str, Any]], *steps: str
) -> tuple[str, ...]:
    """Return the lines of the checklist that must be there by one of `steps` and are not; a part of the offering file needs its file."""
    absent = []
    for code, line in checklist.items():
        if line["needed"] not in steps or items.get(code) == NOT_NEEDED:
            continue
        if items.get(code) != DONE or (line.get("file") and code not in files):
            absent.append(code)
    return tuple(absent)


def _checklist(
    given: Application, checklist: Mapping[str, Mapping[str, Any]], step: str, *, hard: bool
) -> Gate:
    steps = ("review",) if step == "review" else ("approval", "issue")
    absent = missing(given.items, given.files, checklist, *steps)
    return Gate("checklist" if hard else "checklist_later", not absent, hard, {"missing": absent})


def _identities(given: Application) -> Gate:
    failed = tuple(code for code in given.failed_checks if code not in OWN_GATES)
    return Gate("identities", not failed, True, {"checks": failed})


def _uses(given: Application) -> Gate:
    params = {"value": given.uses, "expected": given.bonds, "current": given.current_uses}
    return Gate("named_uses", given.uses == given.bonds and given.current_uses == 0, True, params)


def weighted(scores: Mapping[str, Decimal], weights: Mapping[str, Decimal]) -> Decimal | None:
    """Return Σ score × weight ÷ Σ weight over the headings that have a score and a weight, to 0.01; None without any."""
    known = [code for code in weights if code in scores]
    whole = sum((weights[code] for code in known), ZERO)
    if not whole:
        return None
    with localcontext(exact()):
        value = sum((scores[code] * weights[code] for code in known), ZERO) / whole
    return value.quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far a checklist is done: weight of what is there of the weight that is needed."""

    done: Decimal
    needed: Decimal
    lines_done: int
    lines: int

    @property
    def share(self) -> Decimal | None:
        """The share from 0 to 1; None where nothing is needed."""
        return self.done / self.needed if self.needed else None


def readiness(
    items: Mapping[str, str],
    files: frozenset[str],
    checklist: Mapping[str, Mapping[str, Any]],
    groups: Iterable[str] | None = None,
) -> Readiness:
    """Return the readiness by weight, of all groups of the checklist or of some."""
    wanted = None if groups is None else set(groups)
    done = needed = ZERO
    lines = lines_done = 0
    for code, line in checklist.items():
        if items.get(code) == NOT_NEEDED or (wanted is not None and line["group"] not in wanted):
            continue
        weight = Decimal(str(line["weight"]))
        lines, needed = lines + 1, needed + weight
        if items.get(code) == DONE and (not line.get("file") or code in files):
            lines_done, done = lines_done + 1, done + weight
    return Readiness(done, needed, lines_done, lines)
