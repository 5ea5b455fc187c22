"""Instalments and early redemptions as people write them down (pure).

Instalments by year, number of the coupon, or date; as amounts, shares or percentages; as a list, an object, or the number of years.
A year up to 100 is counted from the value date, a later one is of the calendar and means the anniversary of the value date in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from yuanmai.funds.engine.bonds.reading import Reading, spelled, to_date, to_number, to_whole
from yuanmai.funds.engine.bonds.schedule import add_months, due_dates
from yuanmai.funds.engine.bonds.terms import ZERO, EarlyRedemption, Instalment, exact

AMOUNTS = ("principal", "amount", "value", "本金", "金额")
SHARES = ("share", "ratio", "fraction", "比例")
PERCENTS = ("percent", "percentage", "pct")
YEARS = (
    "year", "years", "year_number", "year_no", "year_index", "after_years", "after_year", "at_year", "nth_year", "n", "k", "年份", "第几年",
)  # fmt: skip
PERIODS = ("period", "coupon", "index", "期次")
DATES = ("date", "on", "day", "日期")
# Equal parts every year: how many years before maturity, or from which year on.
LAST_YEARS = ("last_years", "last", "over_years", "equal_years")
FROM_YEAR = ("from_year", "first_year", "start_year", "starting_year")
TO_YEAR = ("to_year", "last_year", "end_year", "until_year")
CLOSE = Decimal("1e-6")


@dataclass(frozen=True)
class Frame:
    """What a repayment is placed in."""

    principal: Decimal
    value_date: date
    term_years: int
    frequency: int

    @property
    def per_year(self) -> int:
        """Coupons a year, 1 where everything is paid at maturity."""
        return self.frequency or 1

    @property
    def dates(self) -> tuple[date, ...]:
        """The ends of the periods."""
        return due_dates(self.value_date, 12 // self.per_year, self.term_years * self.per_year)


@dataclass(frozen=True)
class _Part:
    path: str
    period: int
    value: Decimal
    how: str  # amount, share, percent, or guess


def _first(source: Mapping[str, Any], names: Sequence[str]) -> tuple[str, Any]:
    for name in names:
        if source.get(name) is not None:
            return name, source[name]
    return names[0], None


def _period_of_year(frame: Frame, year: int) -> int:
    """Return the coupon period that ends with year `year` of the bond, or on the anniversary in calendar year `year`."""
    return (year if year <= 100 else year - frame.value_date.year) * frame.per_year


def _period(reading: Reading, frame: Frame, source: Mapping[str, Any], path: str) -> int | None:
    for names, kind in ((DATES, "date"), (PERIODS, "period"), (YEARS, "year")):
        name, value = _first(source, names)
        if value is None:
            continue
        day = to_date(value)
        if kind == "date" or (kind == "year" and day):
            return _period_of_date(reading, frame, value, f"{path}.{name}")
        number = to_whole(value)
        if number is None:
            reading.fault(f"{path}.{name}", value, "not_a_whole_number")
            return None
        return number if kind == "period" else _period_of_year(frame, number)
    reading.fault(f"{path}.year", None, "missing")
    return None


def _period_of_date(reading: Reading, frame: Frame, value: Any, path: str) -> int | None:
    day = to_date(value)
    if day is None:
        reading.fault(path, value, "not_a_date")
        return None
    if day not in frame.dates:
        reading.fault(path, value, "not_a_coupon_date")
        return None
    return frame.dates.index(day) + 1


def read_instalments(reading: Reading, frame: Frame, value: Any, path: str) -> tuple[Instalment, ...] | None:
    """Return the instalments, None where they could not be read."""
    known = len(reading.faults)
    parts = _parts(reading, frame, value, path)
    if len(reading.faults) > known:
        return None
    amounts: dict[int, Decimal] = {}
    with localcontext(exact()):
        guessed = _meaning(frame, [part.value for part in parts if part.how == "guess"])
        shared = sum((part.value for part in parts if part.how == "share"), ZERO)
        percents = abs(shared - 100) <= CLOSE
        for part in parts:
            how = guessed if part.how == "guess" else part.how
            if how == "share" and percents:
                how = "percent"
            amount = part.value
            if how != "amount":
                amount = frame.principal * amount / (100 if how == "percent" else 1)
            amounts[part.period] = amounts.get(part.period, ZERO) + amount
    return tuple(Instalment(period, amounts[period]) for period in sorted(amounts))


def _meaning(frame: Frame, values: Sequence[Decimal]) -> str:
    """Tell by their sum whether bare numbers are amounts, shares or percentages; amounts where they are none of them."""
    whole = sum(values, ZERO)
    if abs(whole - frame.principal) <= CLOSE:
        return "amount"
    if abs(whole - 1) <= CLOSE:
        return "share"
    return "percent" if abs(whole - 100) <= CLOSE else "amount"


def _parts(reading: Reading, frame: Frame, value: Any, path: str) -> list[_Part]:
    if isinstance(value, Mapping):
        return _parts_of_object(reading, frame, value, path)
    if isinstance(value, list | tuple):
        if any(isinstance(entry, Mapping) for entry in value):
            found = [_part(reading, frame, entry, f"{path}[{i}]") for i, entry in enumerate(value)]
            return [part for part in found if part]
        return _parts_of_numbers(reading, frame, value, path)
    count = to_whole(value)
    if count is None:
        reading.fault(path, value, "not_instalments")
        return []
    return _equal_years(reading, frame, frame.term_years - count + 1, path)


def _equal_years(reading: Reading, frame: Frame, first: int, path: str) -> list[_Part]:
    """Return equal parts at the end of every year from year `first` of the bond to maturity."""
    years = range(first, frame.term_years + 1)
    if first < 1 or not years:
        reading.fault(path, first, "instalment_outside_life", limit=frame.term_years)
        return []
    with localcontext(exact()):
        part = frame.principal / len(years)
    return [_Part(path, year * frame.per_year, part, "amount") for year in years]


def _parts_of_numbers(reading: Reading, frame: Frame, values: Sequence[Any], path: str) -> list[_Part]:
    """Return bare numbers as instalments: one for each year, or each coupon; fewer stand for the last years before maturity."""
    periods = frame.term_years * frame.per_year
    step = 1 if len(values) == periods else frame.per_year
    first = periods - (len(values) - 1) * step
    parts = []
    if first < 1:
        reading.fault(path, len(values), "too_many_instalments", limit=periods)
        return []
    for index, value in enumerate(values):
        number = to_number(value)
        if number is None:
            reading.fault(f"{path}[{index}]", value, "not_a_number")
            continue
        how = _how(value)
        if number:
            parts.append(_Part(f"{path}[{index}]", first + index * step, number, how))
    return parts


def _how(value: Any) -> str:
    return "share" if isinstance(value, str) and value.strip().endswith(("%", "％")) else "guess"


def _parts_of_object(reading: Reading, frame: Frame, value: Mapping[str, Any], path: str) -> list[_Part]:
    _name, last = _first(value, LAST_YEARS)
    if last is not None:
        return _parts(reading, frame, last, path)
    if _first(value, FROM_YEAR)[1] is not None:
        return _range_of_years(reading, frame, value, path)
    if any(value.get(name) is not None for name in (*DATES, *PERIODS, *YEARS)):
        found = [_part(reading, frame, entry, f"{path}[{i}]") for i, entry in enumerate(_side_by_side(value))]
        return [part for part in found if part]
    parts = []
    for key, amount in value.items():
        where = f"{path}.{key}"
        number = to_number(amount)
        if number is None:
            reading.fault(where, amount, "not_a_number")
            continue
        year = to_whole(key)
        if year is not None and year <= 9999:
            period: int | None = _period_of_year(frame, year)
        else:
            period = _period_of_date(reading, frame, key, where)
        if period is not None and number:
            parts.append(_Part(where, period, number, _how(amount)))
    return parts


def _side_by_side(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return an object of lists, ``{"years": [4, 5], "principal": [1, 2]}``, as a list of objects; one that has none as the only entry."""
    length = max((len(item) for item in value.values() if isinstance(item, list | tuple)), default=1)
    return [
        {
            key: (item[index] if index < len(item) else None) if isinstance(item, list | tuple) else item
            for key, item in value.items()
        }
        for index in range(length)
    ]


def _range_of_years(reading: Reading, frame: Frame, value: Mapping[str, Any], path: str) -> list[_Part]:
    """Return one instalment a year from a year on, to another or to maturity: of the amount or share given, else in equal parts."""
    bounds = []
    for names, default in ((FROM_YEAR, 1), (TO_YEAR, frame.term_years)):
        name, given = _first(value, names)
        year = default if given is None else to_whole(given)
        if year is None:
            reading.fault(f"{path}.{name}", given, "not_a_whole_number")
            return []
        bounds.append(year if year <= 100 else year - frame.value_date.year)
    years = range(bounds[0], bounds[1] + 1)
    if not years or bounds[0] < 1 or bounds[1] > frame.term_years:
        reading.fault(path, bounds[0], "instalment_outside_life", limit=frame.term_years)
        return []
    if not any(value.get(name) is not None for name in (*AMOUNTS, *SHARES, *PERCENTS)):
        with localcontext(exact()):
            part = frame.principal / len(years)
        return [_Part(path, year * frame.per_year, part, "amount") for year in years]
    first = _part(reading, frame, {**value, "period": bounds[0] * frame.per_year}, path)
    if first is None:
        return []
    return [_Part(path, year * frame.per_year, first.value, first.how) for year in years]


def _part(reading: Reading, frame: Frame, entry: Any, path: str) -> _Part | None:
    if not isinstance(entry, Mapping):
        reading.fault(path, entry, "not_an_object")
        return None
    period = _period(reading, frame, entry, path)
    for names, how in ((AMOUNTS, "amount"), (SHARES, "share"), (PERCENTS, "percent")):
        name, value = _first(entry, names)
        if value is None:
            continue
        number = to_number(value)
        if number is None:
            reading.fault(f"{path}.{name}", value, "not_a_number")
            return None
        if how == "amount" and _how(value) == "share":
            how = "share"
        return None if period is None else _Part(path, period, number, how)
    reading.fault(f"{path}.principal", None, "missing")
    return None


def read_redemptions(reading: Reading, frame: Frame, value: Any, path: str) -> tuple[EarlyRedemption, ...]:
    """Return early redemptions: an object or a list of them with a date (or year, or coupon) and an amount; no amount means all.

    An object from dates to amounts is understood as well.
    """
    if isinstance(value, Mapping):
        placed = {*DATES, *PERIODS, *YEARS}
        if placed & value.keys():
            value = [value]
        else:
            value = [
                {"date" if (to_whole(key) or 10_000) >= 10_000 else "year": key, "principal": amount}
                for key, amount in value.items()
            ]
    if not isinstance(value, list | tuple):
        reading.fault(path, value, "not_redemptions")
        return ()
    found = []
    for index, entry in enumerate(value):
        where = f"{path}[{index}]"
        if not isinstance(entry, Mapping):
            reading.fault(where, entry, "not_an_object")
            continue
        day = _redemption_day(reading, frame, entry, where)
        name, amount = _first(entry, (*AMOUNTS, *SHARES, *PERCENTS))
        principal = None
        if amount is not None and not (
            isinstance(amount, str) and spelled(amount) in ("all", "full", "全部")
        ):
            principal = to_number(amount)
            if principal is None:
                reading.fault(f"{where}.{name}", amount, "not_a_number")
                continue
            with localcontext(exact()):
                if name in PERCENTS:
                    principal = frame.principal * principal / 100
                elif name in SHARES or _how(amount) == "share":
                    principal = frame.principal * principal
        if day:
            found.append(EarlyRedemption(day, principal))
    return tuple(found)


def _redemption_day(reading: Reading, frame: Frame, entry: Mapping[str, Any], path: str) -> date | None:
    name, value = _first(entry, DATES)
    if value is not None:
        day = to_date(value)
        if day is None:
            reading.fault(f"{path}.{name}", value, "not_a_date")
        return day
    period = _period(reading, frame, entry, path)
    return None if period is None else add_months(frame.value_date, 12 // frame.per_year * period)
