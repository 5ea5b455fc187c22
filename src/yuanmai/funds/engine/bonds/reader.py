"""From a JSON document to a plan, with every fault at once (pure).

Two forms are read: one bond (`principal`, `rate`, `value_date` … at the top, or under ``inputs``), and a project with ``tranches`` and
what it has beside them. docs of the command ``yuanmai engine bond`` describe both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from yuanmai.funds.engine.bonds.read_terms import id_of, read_loan, read_tranche
from yuanmai.funds.engine.bonds.reading import MONTH, Reading, to_date, to_number, to_whole
from yuanmai.funds.engine.bonds.schedule import due_dates
from yuanmai.funds.engine.bonds.terms import (
    ZERO,
    Fault,
    Fees,
    Investment,
    Loan,
    Plan,
    Rules,
    Tranche,
    Year,
)

# A fee above it is a percentage written as a fraction.
HIGHEST_FEE = Decimal("0.05")
GREATEST = Decimal(10) ** 18
# Beside the bond itself, at the top of a document. What an example file says of itself is not for us.
OF_PLAN = (
    "unit", "tranches", "loans", "years", "investment", "operation_start", "construction_end", "fees", "accrued_interest_on", "title",
    "conventions", "expected", "peers", "note", "notes", "project", "description",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """What a document says: the plan, whether it is one bond, its unit, days to tell the accrued interest of, and remarks."""

    plan: Plan
    single: bool
    unit: str | None = None
    accrued_on: tuple[date, ...] = ()
    # Value date → coupon dates, where only dates were asked for.
    schedules: Mapping[str, tuple[date, ...]] | None = None
    notes: tuple[Fault, ...] = ()


def read(document: Any, rules: Rules) -> tuple[Document | None, list[Fault]]:
    """Return what a document says, or None with everything that is wrong in it."""
    reading = Reading()
    if not isinstance(document, Mapping):
        return None, [Fault("", document, "not_an_object")]
    inner = document
    while isinstance(inner.get("inputs"), Mapping):
        # The file of an example: its inputs, and what names it.
        inner = {**{key: document[key] for key in ("id", "unit") if key in document}, **inner["inputs"]}
    if "value_dates" in inner or inner.keys() == {"value_date", "term_years", "frequency"}:
        return _dates_only(reading, inner)
    single = not any(key in inner for key in ("tranches", "bonds", "loans"))
    tranches, loans = _debt(reading, inner, rules, single=single)
    plan = Plan(
        tuple(tranches),
        tuple(loans),
        tuple(_years(reading, inner)),
        _fees(reading, inner),
        _operation_start(reading, inner),
        _investment(reading, inner),
    )
    if reading.faults:
        return None, reading.faults
    days = [to_date(entry) for entry in _list(inner.get("accrued_interest_on"))]
    unit = inner.get("unit")
    return Document(
        plan,
        single,
        unit if isinstance(unit, str) else None,
        tuple(day for day in days if day),
        None,
        tuple(reading.notes),
    ), []


def _debt(
    reading: Reading, source: Mapping[str, Any], rules: Rules, *, single: bool
) -> tuple[list[Tranche], list[Loan]]:
    if single:
        tranche = read_tranche(reading, source, rules, "", "bond", also=OF_PLAN)
        return [tranche] if tranche else [], []
    reading.unread(source, (*OF_PLAN, "id", "bonds"), "")
    key = "tranches" if "tranches" in source else "bonds"
    given = _entries(reading, source.get(key), key)
    borrowed = _entries(reading, source.get("loans"), "loans")
    tranches = [read_tranche(reading, entry, rules, f"{path}.", name) for path, name, entry in given]
    loans = [read_loan(reading, entry, rules, f"{path}.", name) for path, name, entry in borrowed]
    for entries in (given, borrowed):
        named = [
            (f"{path}.id", id_of(entry, name)) for path, name, entry in entries if isinstance(entry, Mapping)
        ]
        _once(reading, named, "duplicate_id")
    if not tranches and not loans and not reading.faults:
        reading.fault(key, source.get(key), "missing")
    return [entry for entry in tranches if entry], [entry for entry in loans if entry]


def _once(reading: Reading, named: list[tuple[str, Any]], rule: str) -> None:
    """Find what is named twice."""
    seen = set()
    for path, value in named:
        if value in seen:
            reading.fault(path, value, rule)
        seen.add(value)


def _entries(reading: Reading, value: Any, key: str) -> list[tuple[str, str, Any]]:
    """Return path, name and entry of everything in a list, or in an object by id."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [(f"{key}.{name}", str(name), entry) for name, entry in value.items()]
    if isinstance(value, list | tuple):
        return [(f"{key}[{index}]", str(index + 1), entry) for index, entry in enumerate(value)]
    reading.fault(key, value, "not_a_list")
    return []


def _list(value: Any) -> list[Any]:
    if isinstance(value, Mapping | list | tuple):
        return list(value)
    return [] if value is None else [value]


def _amount(
    reading: Reading, source: Mapping[str, Any], name: str, path: str, *, default: Decimal | None = None
) -> Decimal:
    value = reading.number(source, name, path, default=default)
    if value is None:
        return ZERO
    key = reading.item(source, name)[0]
    if value < 0 and name != "tax":  # tax may come back
        reading.fault(path + key, value, "negative")
    elif abs(value) > GREATEST:
        reading.fault(path + key, value, "too_large")
    return value


def _years(reading: Reading, source: Mapping[str, Any]) -> list[Year]:
    value = source.get("years")
    if isinstance(value, Mapping):
        value = [
            {"year": key, **(entry if isinstance(entry, Mapping) else {"revenue": entry})}
            for key, entry in value.items()
        ]
    found = [
        (f"{path}.year", _year(reading, entry, f"{path}."))
        for path, _name, entry in _entries(reading, value, "years")
    ]
    _once(reading, [(path, year.year) for path, year in found if year], "duplicate_year")
    return [year for _path, year in found if year]


def _year(reading: Reading, entry: Any, path: str) -> Year | None:
    if not isinstance(entry, Mapping):
        reading.fault(path.rstrip("."), entry, "not_an_object")
        return None
    reading.unread(entry, ("year", "revenue", "operating_cost", "tax", "net_revenue"), path)
    known = len(reading.faults)
    number = reading.whole(entry, "year", path)
    if number is not None and not 1900 <= number <= 2300:
        reading.fault(f"{path}year", number, "date_out_of_range")
    if reading.item(entry, "revenue")[1] is None and reading.item(entry, "net_revenue")[1] is not None:
        revenue, cost, tax = reading.number(entry, "net_revenue", path) or ZERO, ZERO, ZERO
    else:
        revenue = _amount(reading, entry, "revenue", path)
        cost = _amount(reading, entry, "operating_cost", path, default=ZERO)
        tax = _amount(reading, entry, "tax", path, default=ZERO)
    return None if len(reading.faults) > known else Year(number or 0, revenue, cost, tax)


def _fees(reading: Reading, source: Mapping[str, Any]) -> Fees:
    value = source.get("fees")
    if value is None:
        return Fees()
    if not isinstance(value, Mapping):
        value = {"issue": value}
    reading.unread(value, ("issue", "registration", "redemption"), "fees.")
    found = {}
    for name in ("issue", "registration", "redemption"):
        share = reading.number(value, name, "fees.", default=ZERO) or ZERO
        if share < 0:
            reading.fault(f"fees.{name}", share, "negative")
        elif share > HIGHEST_FEE:
            reading.fault(f"fees.{name}", share, "fee_too_high", percent=HIGHEST_FEE * 100)
        found[name] = share
    return Fees(**found)


def _operation_start(reading: Reading, source: Mapping[str, Any]) -> date | int | None:
    for key, later in (("operation_start", 0), ("construction_end", 1)):
        value = source.get(key)
        if value is None:
            continue
        year = to_whole(value)
        if year is not None and 1900 <= year <= 2300:
            return year + later
        found = MONTH.fullmatch(value.strip()) if isinstance(value, str) else None
        if found and 1 <= int(found[2]) <= 12:
            return date(
                int(found[1]) + (int(found[2]) + later - 1) // 12, (int(found[2]) + later - 1) % 12 + 1, 1
            )
        day = to_date(value)
        if day:
            return day + timedelta(days=later)
        reading.fault(key, value, "not_a_date")
        return None
    return None


def _investment(reading: Reading, source: Mapping[str, Any]) -> Investment:
    value = source.get("investment")
    if value is None:
        return Investment()
    if not isinstance(value, Mapping):
        value = {"total": value}
    reading.unread(value, ("total", "capital", "other_debt", "outlays", "bonds_as_capital"), "investment.")

    def amount(name: str) -> Decimal | None:
        given = reading.item(value, name)[1]
        return None if given is None else _amount(reading, value, name, "investment.")

    def by_year(name: str) -> dict[int, Decimal]:
        key, given = reading.item(value, name)
        path = f"investment.{key}"
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            reading.fault(path, given, "not_an_object")
            return {}
        found = {}
        for year, entry in given.items():
            number, share = to_whole(year), to_number(entry)
            if number is None or share is None:
                reading.fault(f"{path}.{year}", entry, "not_a_number")
            elif share < 0:
                reading.fault(f"{path}.{year}", entry, "negative")
            else:
                found[number] = share
        return found

    return Investment(
        amount("total"),
        amount("capital"),
        amount("other_debt"),
        by_year("outlays"),
        by_year("bonds_as_capital"),
    )


def _dates_only(reading: Reading, source: Mapping[str, Any]) -> tuple[Document | None, list[Fault]]:
    """Read a term, a frequency and value dates: only the coupon dates are asked for."""
    term = reading.whole(source, "term_years", "")
    frequency = reading.whole(source, "frequency", "")
    found = {}
    for index, value in enumerate(_list(source.get("value_dates", source.get("value_date")))):
        day = to_date(value)
        if day is None or not 1950 <= day.year <= 2200:
            reading.fault(f"value_dates[{index}]", value, "not_a_date")
        elif term and frequency and 1 <= term <= 100 and frequency in (1, 2, 4, 12):
            found[day.isoformat()] = due_dates(day, 12 // frequency, term * frequency)
    if frequency is not None and frequency not in (1, 2, 4, 12):
        reading.fault("frequency", frequency, "unknown_frequency")
    if term is not None and not 1 <= term <= 100:
        reading.fault("term_years", term, "term_out_of_range", limit=100)
    if reading.faults:
        return None, reading.faults
    return Document(Plan(()), True, None, (), found, ()), []
