"""Dates in the spellings of Chinese ledgers: single ones, periods, Excel serials. Pure functions."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from .text import is_empty, squeeze

Edge = Literal["start", "finish"]


class DateFault(ValueError):  # noqa: N818  (a fault is what the user mends)
    """A date that cannot be: `rule` is date.unreadable, date.impossible_month or date.impossible_day."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Span:
    """The first and last day a spelling can mean: '2022.02' is 2022-02-01 … 2022-02-28."""

    first: date
    last: date

    def at(self, edge: Edge) -> date:
        """The day to use where the spelling stands for a start or for a finish."""
        return self.first if edge == "start" else self.last


_EPOCH = date(1899, 12, 30)
_Y = r"(?:19|20|21)\d\d"
_SEP = r"[年./\-]"
# One date: year, then perhaps month, then perhaps day, then perhaps a part of the month or year.
_ONE = re.compile(
    rf"(?P<y>{_Y})(?:(?:{_SEP})(?P<m>\d{{1,2}})(?:[月./\-](?P<d>\d{{1,2}})[日号]?|月份?)?|年度?)?"
    r"(?P<part>[上中下]旬|月?初|月?中旬?|月?[底末]|年?[底末初]|上半年|下半年|第?[一二三四1-4]季度|Q[1-4])?"
)
_COMPACT = re.compile(rf"(?P<y>{_Y})(?P<m>\d\d)(?P<d>\d\d)?")
_RANGE = re.compile(r"\s*(?:[-‐-―−~〜～]+|至|到|起至|—+)\s*")
_JUNK = re.compile(
    r"(计划|预计|拟|已于|于|约|左右|前后|之前|以前|前|正式|实际|开工|动工|建成|竣工|完工|投产|完成|建设|交付|起止|工期|[:,;()])"
)
_TIME = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$")
_QUARTER = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_OPEN = frozenset({"至今", "今", "目前", "现在", "长期", "持续", "待定", "未定"})
_DURATION = re.compile(
    r"(约|共|工期|建设期)?(\d{1,3}(\.\d+)?|[一二三四五六七八九十两]+)(个?月|个?年|年半|天|日历天|日)"
)


def month_span(year: int, month: int) -> Span:
    """The days of a month. Raises DateFault date.impossible_month."""
    if not 1 <= month <= 12:
        raise DateFault("date.impossible_month")
    return Span(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


def _day(year: int, month: int, day: int) -> Span:
    if not 1 <= month <= 12:
        raise DateFault("date.impossible_month")
    try:
        exact = date(year, month, day)
    except ValueError:
        raise DateFault("date.impossible_day") from None
    return Span(exact, exact)


def from_serial(number: float) -> Span | None:
    """Excel's day number between 1954 and 2119, None outside it."""
    if 20_000 <= number < 80_000:
        day = _EPOCH + timedelta(days=int(number))
        return Span(day, day)
    return None


def _from_number(number: float, two_digits: bool) -> Span:
    if number == int(number):
        whole = int(number)
        if 1900 <= whole <= 2199:
            return Span(date(whole, 1, 1), date(whole, 12, 31))
        match = _COMPACT.fullmatch(str(whole))
        if match:
            return _compact(match)
        serial = from_serial(number)
        if serial:
            return serial
        raise DateFault("date.unreadable")
    if 1900 <= number < 2200:
        year, _, month = format(number, ".10g").partition(".")
        if len(month) == 1 and month == "1" and two_digits:
            month = "10"  # 2022.10 typed as a number loses its nought
        if len(month) <= 2:
            return month_span(int(year), int(month))
    serial = from_serial(number)
    if serial:
        return serial
    raise DateFault("date.unreadable")


def _compact(match: re.Match[str]) -> Span:
    year, month = int(match["y"]), int(match["m"])
    return _day(year, month, int(match["d"])) if match["d"] else month_span(year, month)


def _part(span: Span, part: str) -> Span:
    """Narrow a month or year by 上旬, 底, 一季度, 上半年 …"""
    year = span.first.year
    whole_year = span.last.month - span.first.month == 11
    if part in ("上旬", "月初", "初") and not whole_year:
        return Span(span.first, span.first.replace(day=10))
    if part in ("中旬", "中", "月中", "月中旬") and not whole_year:
        return Span(span.first.replace(day=11), span.first.replace(day=20))
    if part == "下旬":
        return Span(span.first.replace(day=21), span.last)
    if part in ("底", "末", "月底", "月末", "年底", "年末"):
        return Span(span.last, span.last) if not whole_year else month_span(year, 12)
    if part in ("年初", "初"):
        return month_span(year, 1)
    if part == "上半年":
        return Span(date(year, 1, 1), date(year, 6, 30))
    if part == "下半年":
        return Span(date(year, 7, 1), date(year, 12, 31))
    if part in ("中", "年中"):
        return month_span(year, 6)
    quarter = _QUARTER[part.strip("第季度Q")]
    return Span(date(year, quarter * 3 - 2, 1), month_span(year, quarter * 3).last)


def _single(text: str) -> Span:
    match = _COMPACT.fullmatch(text)
    if match:
        return _compact(match)
    match = _ONE.fullmatch(text)
    if not match:
        if re.fullmatch(r"\d{5}(\.\d+)?", text) and (serial := from_serial(float(text))):
            return serial
        raise DateFault("date.unreadable")
    year = int(match["y"])
    if match["d"]:
        return _day(year, int(match["m"]), int(match["d"]))
    span = month_span(year, int(match["m"])) if match["m"] else Span(date(year, 1, 1), date(year, 12, 31))
    return _part(span, match["part"]) if match["part"] else span


def parse_date(value: object, *, two_digits: bool = False) -> Span | None:
    """One date. None when the cell says nothing; DateFault when it cannot be read.

    `two_digits`: the column writes months with two digits, so the number 2022.1 means October.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        return Span(value.date(), value.date())
    if isinstance(value, date):
        return Span(value, value)
    if isinstance(value, int | float):
        return _from_number(float(value), two_digits)
    text = str(value)
    if is_empty(text):
        return None
    plain = _TIME.sub("", text.strip())
    plain = _JUNK.sub("", squeeze(plain)).strip("-./、。")
    if not plain or plain in _OPEN:
        return None
    return _single(plain)


def parse_period(value: object, *, two_digits: bool = False) -> tuple[Span | None, Span | None]:
    """A period '2022.02-2024.12' as its two ends; a single date is a start; a duration ('24个月') is no date.

    Raises DateFault when it cannot be read.
    """
    if value is None or isinstance(value, bool):
        return None, None
    if not isinstance(value, str):
        span = parse_date(value, two_digits=two_digits)
        if span and isinstance(value, float) and value == int(value) and 1900 <= value <= 2199:
            return span, span  # a plain year: begins and ends in it
        return span, None
    if is_empty(value):
        return None, None
    plain = _JUNK.sub("", squeeze(value)).strip("、。;")
    if plain in _OPEN or _DURATION.fullmatch(plain):
        return None, None
    plain = re.sub(r"(起|开始)$", "", plain)
    if re.fullmatch(rf"{_Y}年?", plain):
        return _single(plain), _single(plain)
    try:
        return _single(plain), None
    except DateFault as single:
        pieces = [piece for piece in _split(plain) if piece]
        if len(pieces) == 1 and pieces[0] != plain:
            return _single(pieces[0]), None
        if len(pieces) != 2:  # '2022年3月开工,2024年6月竣工'
            pieces = [m.group() for m in _ONE.finditer(squeeze(value))]
        if len(pieces) != 2:
            raise single from None
    left, right = pieces
    start = _single(left.rstrip("起"))
    if right in _OPEN:
        return start, None
    if re.fullmatch(r"\d{1,2}月?[底末初]?", right):  # '2022年3月-12月'
        right = f"{start.first.year}年{right if '月' in right else right + '月'}"
    elif re.fullmatch(r"\d\d年?(\d{1,2}月)?", right) and "年" in right:  # '2022年-24年'
        right = f"{str(start.first.year)[:2]}{right}"
    return start, _single(right)


def _split(text: str) -> list[str]:
    """Cut a period at the mark that leaves two dates; '2022-03-2024-12' has three candidates."""
    marks = list(re.finditer(r"[‐-―−~〜～—]+|--+|至|到|、|\|", text))
    if not marks:
        marks = list(re.finditer(r"-", text))
    for mark in marks:
        left, right = text[: mark.start()], text[mark.end() :]
        if re.match(rf"{_Y}", left) and (
            not right or right in _OPEN or re.match(rf"{_Y}|\d{{1,2}}年?", right)
        ):
            short = re.fullmatch(r"\d{1,2}", right)
            if mark.group() == "-" and short and "年" not in left:
                continue
            if (
                mark.group() == "-"
                and not re.match(rf"{_Y}", right)
                and "月" not in right
                and right not in _OPEN
                and right
            ):
                continue
            return [left, right]
    return [text]
