"""Tranches and loans of a JSON document (pure)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.funds.engine.bonds.faults import loan_faults, tranche_faults
from yuanmai.funds.engine.bonds.read_instalments import Frame, read_instalments, read_redemptions
from yuanmai.funds.engine.bonds.reading import FREQUENCIES, REPAYMENTS, Reading, spelled, to_date, to_whole
from yuanmai.funds.engine.bonds.schedule import add_months
from yuanmai.funds.engine.bonds.terms import (
    ONE,
    ZERO,
    EarlyRedemption,
    Instalment,
    Loan,
    Repayment,
    Rules,
    Tranche,
)

OF_TRANCHE = (
    "id", "principal", "rate", "value_date", "term_years", "maturity", "frequency", "repayment", "instalments", "early_redemption",
    "grace_years", "grace_periods", "principal_frequency", "kind",
)  # fmt: skip
OF_LOAN = (
    "id", "principal", "rate", "kind", "periods", "term_years", "frequency", "drawn_on", "first_year", "start_year", "grace_periods",
    "grace_years", "years",
)  # fmt: skip


def read_tranche(
    reading: Reading, source: Any, rules: Rules, path: str, name: str, *, also: tuple[str, ...] = ()
) -> Tranche | None:
    """Return a tranche, or None when faults were found; `name` is its id where it has none, `also` keys that someone else reads."""
    if not isinstance(source, Mapping):
        reading.fault(path.rstrip("."), source, "not_an_object")
        return None
    given = dict(source)
    _unfold(reading, given)
    reading.unread(given, (*OF_TRANCHE, *also), path)
    known = len(reading.faults)
    principal = reading.number(given, "principal", path)
    rate = reading.number(given, "rate", path)
    value_date = reading.day(given, "value_date", path)
    frequency = _frequency(reading, given, path)
    kind = _repayment(reading, given, path)
    term = _term(reading, given, value_date, path)
    if len(reading.faults) > known or None in (principal, rate, value_date, term, kind):
        _remaining(reading, principal, rate, frequency, rules, path)
        return None
    assert principal is not None and rate is not None and value_date and term is not None and kind
    if frequency is None:
        at_maturity = spelled(str(given.get("repayment", ""))) in ("到期一次还本付息",)
        frequency = 0 if at_maturity else 2 if term >= rules.semiannual_from else 1
        reading.note(f"{path}frequency", frequency, "frequency_by_term", limit=rules.semiannual_from)
    every, grace = _spacing(reading, given, frequency, path)

    def built(instalments: tuple[Instalment, ...] = (), early: tuple[EarlyRedemption, ...] = ()) -> Tranche:
        return Tranche(
            id_of(given, name), principal, rate, value_date, term, frequency, kind, instalments, early, grace, every
        )  # fmt: skip

    # The numbers first: instalments and redemptions are laid out on dates that follow from them.
    basic = [
        f for f in tranche_faults(built(), rules.highest_rate, path) if not _of_instalments(f.path, path)
    ]
    reading.faults += basic
    if basic:
        return None
    frame = Frame(principal, value_date, term, frequency)
    instalments, early = _parts(reading, given, frame, kind, path)
    if len(reading.faults) > known:
        return None
    tranche = built(instalments, early)
    reading.faults += tranche_faults(tranche, rules.highest_rate, path)
    return None if len(reading.faults) > known else tranche


def _of_instalments(where: str, path: str) -> bool:
    return where.startswith(f"{path}instalments")


def _parts(
    reading: Reading, given: Mapping[str, Any], frame: Frame, kind: Repayment, path: str
) -> tuple[tuple[Instalment, ...], tuple[EarlyRedemption, ...]]:
    instalments: tuple[Instalment, ...] = ()
    key, value = reading.item(given, "instalments")
    if value not in (None, [], {}):
        if kind is not Repayment.INSTALMENTS:
            reading.fault(path + key, value, "instalments_not_meant", kind=kind.value)
        else:
            instalments = read_instalments(reading, frame, value, path + key) or ()
    elif kind is Repayment.INSTALMENTS:
        reading.fault(path + key, None, "missing")
    early: tuple[EarlyRedemption, ...] = ()
    key, value = reading.item(given, "early_redemption")
    if value not in (None, [], {}):
        early = read_redemptions(reading, frame, value, path + key)
    return instalments, early


def _unfold(reading: Reading, given: dict[str, Any]) -> None:
    """Take a repayment written as an object apart: ``{"kind": "instalments", "instalments": …}``, or its list."""
    key, value = reading.item(given, "repayment")
    if isinstance(value, Mapping):
        inner = dict(value)
        given.pop(key)
        word = next((inner.pop(name) for name in ("kind", "type", "method") if name in inner), None)
        if word is not None:
            given["repayment"] = word
        for name, item in inner.items():
            given.setdefault("instalments" if name in ("schedule", "by_year", "parts") else name, item)
    elif isinstance(value, list):
        given.pop(key)
        given.setdefault("instalments", value)


def id_of(given: Mapping[str, Any], name: str) -> str:
    """Return what a tranche or loan is called; `name` where it says nothing."""
    for key in ("id", "code", "债券代码", "代码", "编号", "name", "名称"):
        if given.get(key) is not None:
            return str(given[key])
    return name


def _remaining(
    reading: Reading,
    principal: Decimal | None,
    rate: Decimal | None,
    frequency: int | None,
    rules: Rules,
    path: str,
) -> None:
    """Judge the numbers that could be read, though the tranche is not complete, so that every fault is told at once."""
    stand_in = Tranche(
        "",
        ONE if principal is None else principal,
        ZERO if rate is None else rate,
        date(2000, 1, 1),
        1,
        1 if frequency is None else frequency,
    )
    for fault in tranche_faults(stand_in, rules.highest_rate, path):
        if not any(entry.path == fault.path for entry in reading.faults):
            reading.faults.append(fault)


def _frequency(reading: Reading, given: Mapping[str, Any], path: str) -> int | None:
    key, value = reading.item(given, "frequency")
    if value is None:
        return None
    number = FREQUENCIES.get(spelled(value)) if isinstance(value, str) else None
    if number is None:
        number = to_whole(value)
    if number is None:
        reading.fault(path + key, value, "unknown_frequency")
    return number


def _repayment(reading: Reading, given: Mapping[str, Any], path: str) -> Repayment | None:
    key, value = reading.item(given, "repayment")
    if value is None:
        key, value = reading.item(given, "kind")
    if value is None:
        if reading.item(given, "instalments")[1]:
            return Repayment.INSTALMENTS
        reading.note(path + key, None, "bullet_assumed")
        return Repayment.BULLET
    kind = REPAYMENTS.get(spelled(value)) if isinstance(value, str) else None
    if kind is None:
        reading.fault(path + key, value, "unknown_repayment")
    return kind


def _term(reading: Reading, given: Mapping[str, Any], value_date: date | None, path: str) -> int | None:
    """Return the term in years, from itself or from the maturity; both must agree where both are given."""
    last_key, last_value = reading.item(given, "maturity")
    last = None
    if last_value is not None:
        last = to_date(last_value)
        if last is None:
            reading.fault(path + last_key, last_value, "not_a_date")
        elif value_date and last <= value_date:
            reading.fault(f"{path}value_date", value_date, "value_date_after_maturity", maturity=last)
            last = None
    if reading.item(given, "term_years")[1] is None and last_value is not None:
        if not last or not value_date:
            return None
        years = last.year - value_date.year
        if add_months(value_date, 12 * years) != last:
            reading.fault(
                path + last_key, last, "maturity_disagrees", expected=add_months(value_date, 12 * years)
            )
            return None
        return years
    term = reading.whole(given, "term_years", path)
    if last and value_date and term is not None and 1 <= term <= 100:
        expected = add_months(value_date, 12 * term)
        if expected != last:
            reading.fault(path + last_key, last, "maturity_disagrees", expected=expected)
    return term


def _spacing(reading: Reading, given: Mapping[str, Any], frequency: int, path: str) -> tuple[int, int]:
    """Return every how many coupons principal is repaid, and how many coupon periods it is left alone at first."""
    per_year = frequency or 1
    every = 1
    key, value = reading.item(given, "principal_frequency")
    if value is not None:
        count = FREQUENCIES.get(spelled(value)) if isinstance(value, str) else to_whole(value)
        if not count or per_year % count:
            reading.fault(path + key, value, "principal_frequency")
        else:
            every = per_year // count
    grace = reading.whole(given, "grace_periods", path, default=0) or 0
    years = reading.whole(given, "grace_years", path, default=0) or 0
    return every, grace or years * per_year


def read_loan(reading: Reading, source: Any, rules: Rules, path: str, name: str) -> Loan | None:
    """Return a loan, or None when faults were found.

    A start year says when the money came: the first payment is due a year later. `value_date` gives every payment a date.
    """
    if not isinstance(source, Mapping):
        reading.fault(path.rstrip("."), source, "not_an_object")
        return None
    reading.unread(source, OF_LOAN, path)
    known = len(reading.faults)
    principal = reading.number(source, "principal", path)
    rate = reading.number(source, "rate", path)
    frequency = _frequency(reading, source, path)
    frequency = 1 if frequency is None else frequency
    periods = _loan_periods(reading, source, frequency, path)
    kind = _loan_kind(reading, source, path)
    drawn_on, first_year = _loan_start(reading, source, path)
    if len(reading.faults) > known:
        _remaining(reading, principal, rate, frequency, rules, path)
        return None
    assert principal is not None and rate is not None and periods is not None and kind
    grace = reading.whole(source, "grace_periods", path, default=0) or 0
    grace = grace or (reading.whole(source, "grace_years", path, default=0) or 0) * frequency
    loan = Loan(id_of(source, name), principal, rate, periods, kind, frequency, drawn_on, first_year, grace)
    reading.faults += loan_faults(loan, rules.highest_rate, path)
    if len(reading.faults) > known:
        return None
    if not drawn_on and first_year is None:
        reading.note(path.rstrip("."), loan.id, "loan_outside_years")
    return loan


def _loan_periods(reading: Reading, source: Mapping[str, Any], frequency: int, path: str) -> int | None:
    lasting = "term_years" if reading.item(source, "term_years")[1] is not None else "years"
    if reading.item(source, "periods")[1] is None and reading.item(source, lasting)[1] is not None:
        years = reading.whole(source, lasting, path)
        return None if years is None else years * max(frequency, 1)
    return reading.whole(source, "periods", path)


def _loan_kind(reading: Reading, source: Mapping[str, Any], path: str) -> Repayment | None:
    key, value = reading.item(source, "kind")
    if value is None:
        reading.fault(path + key, None, "missing")
        return None
    kind = REPAYMENTS.get(spelled(value)) if isinstance(value, str) else None
    if kind is None or kind is Repayment.INSTALMENTS:
        reading.fault(path + key, value, "unknown_repayment")
    return kind


def _loan_start(reading: Reading, source: Mapping[str, Any], path: str) -> tuple[date | None, int | None]:
    key, value = reading.item(source, "first_year")
    if value is not None:
        return None, reading.whole(source, "first_year", path)
    key, value = reading.item(source, "start_year")
    if value is None:
        key, value = reading.item(source, "drawn_on")
    if value is None:
        return None, None
    year = to_whole(value)
    if year is not None and 1900 <= year <= 2300:
        return None, year + 1
    day = to_date(value)
    if day is None:
        reading.fault(path + key, value, "not_a_date")
    return day, None
