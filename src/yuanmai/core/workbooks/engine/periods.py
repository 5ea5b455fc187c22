"""The period of a sheet: '截至2022年3月31日', '1-3月完成投资', '2022年一季度', a file name."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from .text import squeeze

_Y = r"(?P<y>20\d\d)"
_D = r"[-‐-―−~～〜至到—]+"
_HALF = {"上半月": 15, "上旬": 10, "中旬": 20}
_QUARTERS = {"一": 3, "二": 6, "三": 9, "四": 12, "1": 3, "2": 6, "3": 9, "4": 12}

# Pattern, strength. The strongest statement wins; equal ones by the order of the texts.
_PATTERNS: tuple[tuple[re.Pattern[str], int], ...] = (
    (
        re.compile(
            rf"截[至止]到?{_Y}[年./-](?P<m>\d{{1,2}})(?:[月./-](?P<d>\d{{1,2}})[日号]?|月(?P<part>上半月|上旬|中旬|下旬|[底末])?)?"
        ),
        9,
    ),
    (re.compile(rf"{_Y}[年.]0?1月?份?{_D}(?P<m>\d{{1,2}})月"), 7),
    (re.compile(rf"{_Y}年?(?:度)?年初{_D}(?P<m>\d{{1,2}})月"), 7),
    (re.compile(rf"{_Y}[年./-](?P<m>\d{{1,2}})[月./-](?P<d>\d{{1,2}})[日号]?(?!\d)"), 6),
    (re.compile(rf"{_Y}[年](?P<m>\d{{1,2}})月(?P<part>上半月|下半月|上旬|中旬|下旬|[底末])?(?!\d)"), 6),
    (re.compile(rf"{_Y}年?(?:度)?第?(?P<q>[一二三四1-4])季度"), 6),
    (re.compile(rf"{_Y}年?(?:度)?(?P<h>前三季度|上半年)"), 6),
    (re.compile(rf"(?<!\d){_Y}(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?!\d)"), 5),
    (re.compile(rf"(?<!\d){_Y}[.\-_/](?P<m>0?[1-9]|1[0-2])(?!\d)"), 5),
    (re.compile(rf"(?<!\d){_Y}(?P<m>0[1-9]|1[0-2])(?!\d)"), 4),
    (re.compile(r"截[至止]到?(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})[日号]|(?P<part>[底末])?)"), 3),
    (re.compile(rf"(?<!\d)0?1月?份?{_D}(?P<m>\d{{1,2}})月"), 3),
    (re.compile(rf"年初{_D}(?P<m>\d{{1,2}})月"), 3),
    (re.compile(r"(?<![\d.])(?P<m>\d{1,2})月(?:份)?(?P<part>底|末|上半月|下半月)?(?!\d)"), 2),
    (re.compile(r"第?(?P<q>[一二三四1-4])季度"), 2),
    (re.compile(r"(?P<h>前三季度|上半年)"), 2),
)
_FILING = re.compile(r"(填报|制表|填表|报送|印发|打印|更新)(日期|时间)")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)(?=年|度|[^\d]|$)")
_PRIOR = re.compile(r"截[至止]到?(?:20\d\d年?|上年|去年)(?:底|末)")


@dataclass(frozen=True, slots=True)
class Period:
    """What the sheet's figures are about: the last day, the plan year, and where that was read."""

    as_of: date | None
    year: int | None
    source: str  # given | title | sheet | file | header | year | none
    text: str = ""


def _last(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _read(match: re.Match[str], year: int | None) -> date | None:
    groups = match.groupdict()
    if groups.get("y"):
        year = int(groups["y"])
    if year is None:
        return None
    try:
        if groups.get("q"):
            return _last(year, _QUARTERS[groups["q"]])
        if groups.get("h"):
            return _last(year, 9 if groups["h"] == "前三季度" else 6)
        month = int(groups["m"])
        if groups.get("d"):
            return date(year, month, int(groups["d"]))
        if groups.get("part") in _HALF:
            return date(year, month, _HALF[groups["part"]])
        return _last(year, month)
    except ValueError:
        return None


def find_period(
    titles: Iterable[str], sheet: str, file: str, headers: Iterable[str], given: date | None = None
) -> Period:
    """The period by the strongest statement in titles, sheet name, file name, then heads; `given` wins.

    `as_of` is None where only a year or nothing at all is stated.
    """
    titles, headers = [squeeze(t) for t in titles], [squeeze(h) for h in headers]
    file = squeeze(re.sub(r"\.\w{1,5}$", "", file.replace("\\", "/").rsplit("/", 1)[-1]))
    named = [("title", t) for t in titles] + [("sheet", squeeze(sheet)), ("file", file)]
    year = _year([t for _, t in named]) or _plan_year(headers)
    if given:
        return Period(given, given.year, "given")
    best: tuple[int, int, Period] | None = None
    texts = named + [("header", h) for h in headers if not _PRIOR.search(h)]
    for order, (source, text) in enumerate(texts):
        filing = _FILING.search(text)
        for pattern, strength in _PATTERNS:
            if source == "header" and re.search(r"(开工|竣工|完工|计划|下月|下一步)", text) and strength < 9:
                break
            for match in pattern.finditer(text):
                day = _read(match, year)
                if day is None:
                    continue
                weight = (
                    strength - (4 if filing and match.start() > filing.start() else 0) - (source == "header")
                )
                if (
                    best is None
                    or weight > best[0]
                    or (weight == best[0] and order == best[1] and day > (best[2].as_of or day))
                ):
                    best = (weight, order, Period(day, day.year, source, match.group()))
    if best:
        found = best[2]
        return found
    return Period(None, year, "year" if year else "none")


def _year(texts: Iterable[str]) -> int | None:
    for text in texts:
        match = _YEAR.search(text)
        if match:
            return int(match[1])
    return None


def _plan_year(headers: Iterable[str]) -> int | None:
    for header in headers:
        if "计划" in header or "目标" in header:
            match = _YEAR.search(header)
            if match:
                return int(match[1])
    return _year(headers)
