"""Numbers, money, percentages and words as people type them into cells. Pure functions, exact decimals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from .text import clean, is_empty, key, squeeze
from .units import MONEY_UNITS

_CENT = Decimal("0.01")
_APPROX = re.compile(
    r"^(?:大约|约为|约|合计|近|超过|超|不超过|人民币|rmb|¥|￥|共|总计|≈|~)+|(?:左右|余|上下|人民币|整|\+|多)+$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+")
_MONEY = re.compile(
    r"(?P<sign>[+-]?)(?P<number>(?:\d{1,3}(?:[,，]\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:余|多)?(?P<unit>"
    + "|".join(MONEY_UNITS)
    + r")?"
)
_GAP = re.compile(r"\d\s+\d")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?e[+-]?\d{1,3}", re.IGNORECASE)
_FOREIGN = re.compile(r"(美元|港元|港币|欧元|日元|英镑|usd|hkd|eur|\$|€)", re.IGNORECASE)
MAX_YUAN = Decimal(10) ** 14


class ValueFault(ValueError):  # noqa: N818  (a fault is what the user mends)
    """A cell that cannot be read: `rule` says why."""

    def __init__(self, rule: str, **params: object) -> None:
        super().__init__(rule)
        self.rule = rule
        self.params = params


@dataclass(frozen=True, slots=True)
class Percent:
    """A stated share: `value` as a fraction, `digits` decimals of the percent as written (None: unrounded)."""

    value: Decimal
    digits: int | None


def exact(number: float | int) -> Decimal:
    """The decimal a spreadsheet shows for a float: fifteen significant digits, which is all Excel keeps."""
    if isinstance(number, int):
        return Decimal(number)
    return Decimal(format(number, ".15g"))


def parse_number(value: object) -> Decimal | None:
    """A plain number, None for an empty cell. Raises ValueFault number.not_a_number."""
    if value is None:
        return None
    if isinstance(value, bool):
        raise ValueFault("number.not_a_number")
    if isinstance(value, int | float):
        return _finite(exact(value))
    if isinstance(value, date | datetime):
        raise ValueFault("number.is_a_date")
    text = str(value)
    if is_empty(text):
        return None
    if _GAP.search(text):
        raise ValueFault("number.not_a_number")
    plain = _APPROX.sub("", squeeze(text))
    match = _NUMBER.fullmatch(plain)
    if match:
        return Decimal(plain.replace(",", ""))
    if _SCIENTIFIC.fullmatch(plain):
        return _finite(Decimal(plain))
    raise ValueFault("number.not_a_number")


def _finite(number: Decimal) -> Decimal:
    if not number.is_finite() or abs(number) > Decimal(10) ** 20:
        raise ValueFault("number.too_large")
    return number


def parse_money(value: object, unit: Decimal) -> Decimal | None:
    """Yuan from a cell of a column in `unit` yuan. A unit in the cell wins: '3500万元' is 35,000,000 anywhere.

    None for an empty cell. Raises ValueFault number.not_a_number, number.too_large, money.currency.
    """
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        amount = _finite(exact(value)) * unit
    elif isinstance(value, str):
        parsed = _money_text(value, unit)
        if parsed is None:
            return None
        amount = parsed
    elif isinstance(value, date | datetime):
        raise ValueFault("number.is_a_date")
    else:
        raise ValueFault("number.not_a_number")
    if abs(amount) > MAX_YUAN:
        raise ValueFault("number.too_large")
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _money_text(text: str, unit: Decimal) -> Decimal | None:
    if is_empty(text):
        return None
    if _GAP.search(text):
        raise ValueFault("number.not_a_number")  # two numbers in one cell
    plain = squeeze(text)
    if _FOREIGN.search(plain):
        raise ValueFault("money.currency")
    negative = False
    if re.fullmatch(r"\([\d.,]+\)", plain):  # accountants' minus
        plain, negative = plain[1:-1], True
    plain = _APPROX.sub("", plain)
    if _SCIENTIFIC.fullmatch(plain):
        return _finite(Decimal(plain)) * unit
    total, position, last = Decimal(0), 0, None
    while position < len(plain):
        match = _MONEY.match(plain, position)
        if not match or match.end() == position:
            raise ValueFault("number.not_a_number")
        word = match["unit"]
        factor = MONEY_UNITS[word] if word else unit
        if position and (last is None or word is None or factor >= last or match["sign"]):
            raise ValueFault("number.not_a_number")  # '1亿2000万' is one amount, '3500 4000' is not
        number = Decimal(re.sub(r"[,，]", "", match["number"]))
        total += (-number if match["sign"] == "-" else number) * factor
        last = factor if word else None
        position = match.end()
    return -total if negative else total


def parse_percent(value: object, *, fraction: bool) -> Percent | None:
    """A percentage as a fraction. `fraction`: plain numbers of this column are shares (0.25), not percents (25).

    Raises ValueFault number.not_a_number.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if is_empty(value) or value.lstrip().startswith("#"):
            return None
        plain = _APPROX.sub("", squeeze(value))
        plain = re.sub(r"^(完成|已完成|占)", "", plain)
        if plain.endswith("%") or plain.startswith("百分之"):
            number = parse_number(plain.rstrip("%").removeprefix("百分之"))
            if number is None:
                return None
            return Percent(number / 100, _decimals(number))
        number = parse_number(plain)
    else:
        number = parse_number(value)
    if number is None:
        return None
    if fraction:
        digits = _decimals(number)
        return Percent(number, max(digits - 2, 0) if digits < 7 else None)
    digits = _decimals(number)
    return Percent(number / 100, digits if digits < 5 else None)


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def agrees(stated: Percent, computed: Decimal) -> bool:
    """Whether a stated share is the computed one, rounded or cut to the decimals as written."""
    if stated.digits is None:
        return abs(stated.value - computed) < Decimal("0.000001")
    step = Decimal(1).scaleb(-stated.digits)
    percent = computed * 100
    shown = (stated.value * 100).quantize(step)
    return shown in (percent.quantize(step, ROUND_HALF_UP), percent.quantize(step, rounding="ROUND_DOWN"))


def percent_in_text(text: str) -> Decimal | None:
    """The share a sentence on progress states: '主体施工,完成65%' → 0.65. None without exactly one."""
    found = re.findall(r"(\d+(?:\.\d+)?)%", squeeze(text))
    if len(found) != 1:
        return None
    share = Decimal(found[0]) / 100
    return share if 0 <= share <= 1 else None


def parse_choice(text: str, values: Mapping[str, tuple[str, ...]]) -> str | None:
    """The code of a word among `values` (code → words): equal first, then contained, longest word first."""
    plain = key(text)
    if not plain:
        return None
    best: tuple[int, str] | None = None
    for code, words in values.items():
        for word in words:
            wanted = key(word)
            if wanted == plain:
                return code
            if len(wanted) > 1 and wanted in plain and (best is None or len(wanted) > best[0]):
                best = (len(wanted), code)
    return best[1] if best else None


def parse_text(value: object) -> str | None:
    """Text of a cell: None when it says nothing; numbers without a trailing '.0'; dates in ISO form."""
    if value is None:
        return None
    if isinstance(value, str):
        if is_empty(value):
            return None
        lines = [clean_line for line in value.splitlines() if (clean_line := clean_keep(line))]
        return "\n".join(lines) or None
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return format(exact(value), "f")
    if isinstance(value, datetime):
        return (
            value.date().isoformat()
            if (value.hour, value.minute, value.second) == (0, 0, 0)
            else value.isoformat(" ")
        )
    return str(value)


def clean_keep(line: str) -> str:
    """A line without outer and doubled blanks; full-width punctuation of Chinese prose stays as it is."""
    return re.sub(r"[ \t\u3000\u00a0\u200b\ufeff]+", " ", line).strip()


def as_written(value: object) -> str:
    """A cell as its writer sees it, for messages; cut at 120 characters."""
    if value is None:
        return ""
    if isinstance(value, float):
        text = format(exact(value), "f") if abs(value) < 1e16 else repr(value)
    elif isinstance(value, datetime) and (value.hour, value.minute, value.second) == (0, 0, 0):
        text = value.date().isoformat()
    else:
        text = str(value)
    return text if len(text) <= 120 else text[:119] + "…"


def split_tags(text: str) -> tuple[str, ...]:
    """'市重点、重中之重' → two tags."""
    return tuple(part for piece in re.split(r"[、,;/|\s]+", clean(text)) if (part := piece.strip()))
