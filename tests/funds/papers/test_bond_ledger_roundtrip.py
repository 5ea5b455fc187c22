"""Any list of parts of bonds, written in any of the words, units and formats, reads back the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.workbooks.builders import Tab, bad_checks, csv_bytes, faults, xls, xlsx
from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.pipeline import parse
from yuanmai.funds.papers.bond_ledger import BOND_LEDGER

UNITS = {"元": Decimal(1), "万元": Decimal(10_000), "亿元": Decimal(100_000_000)}
WORDS = {
    "name": ["项目名称", "专项债券项目名称", "对应项目", "用款项目"],
    "bond_code": ["债券代码", "债券编码", "专项债券代码"],
    "tranche_amount": ["债券总额", "债券发行规模", "本期发行规模"],
    "allotted": ["项目分配金额", "本项目使用金额", "安排额度", "发行金额"],
    "term": ["期限", "债券期限", "发行年限"],
    "rate": ["票面利率", "发行利率", "中标利率(%)"],
    "value_date": ["起息日", "起息日期", "计息日"],
    "disbursed": ["累计拨付", "截至目前已拨付", "已拨付资金"],
    "paid": ["累计支出", "已支付金额", "截至2022年6月底累计支出"],
}
FIELDS = tuple(WORDS)


@dataclass(frozen=True)
class Part:
    name: str
    bond_code: str
    tranche_amount: Decimal
    allotted: Decimal
    term: str
    rate: Decimal
    value_date: date
    disbursed: Decimal
    paid: Decimal


@st.composite
def parts(draw: st.DrawFn) -> list[Part]:
    names = draw(
        st.lists(
            st.text("东南西北产业园道路厂房管网污水", min_size=3, max_size=8),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    codes = draw(st.lists(st.integers(2_000_000, 2_999_999), min_size=1, max_size=3, unique=True))
    wan = Decimal(10_000)
    result = []
    for code in codes:
        drawn = [name for name in names if draw(st.booleans())] or [names[0]]
        amounts = [draw(st.integers(100, 90_000)) * 100 * wan for _name in drawn]
        day = date(2018, 1, 1) + timedelta(days=draw(st.integers(0, 2500)))
        term = draw(st.sampled_from(["5", "7", "10", "15", "20", "30"]))
        rate = Decimal(draw(st.integers(120, 450))) / 10_000
        total = sum(amounts, Decimal(0)) + draw(st.integers(0, 100)) * 100 * wan
        for name, amount in zip(drawn, amounts, strict=True):
            out = draw(st.integers(0, int(amount / wan / 100))) * 100 * wan
            paid = draw(st.integers(0, int(out / wan / 100))) * 100 * wan
            result.append(Part(f"{name}项目", str(code), total, amount, term, rate, day, out, paid))
    return result


def money(amount: Decimal, unit: str, style: str) -> Any:
    number = amount / UNITS[unit]
    if style == "number":
        return float(number)
    return f"{number:,f}" if style == "thousands" else format(number.normalize(), "f")


def written(part: Part, field: str, unit: str, styles: dict[str, str]) -> Any:
    value = getattr(part, field)
    if field in ("tranche_amount", "allotted", "disbursed", "paid"):
        return money(value, unit, styles["money"])
    if field == "rate":
        percent = value * 100
        return {
            "points": float(percent), "text": f"{percent.normalize():f}%", "fraction": float(value),
        }[styles["rate"]]  # fmt: skip
    if field == "term":
        return {"number": int(value), "years": f"{value}年", "code": f"{value}Y"}[styles["term"]]
    if field == "value_date":
        return {
            "date": value, "cn": f"{value.year}年{value.month}月{value.day}日", "dash": value.isoformat(),
            "dot": f"{value.year}.{value.month}.{value.day}", "compact": value.strftime("%Y%m%d"),
        }[styles["date"]]  # fmt: skip
    return value


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(st.data())
def test_what_is_written_is_read(data: st.DataObject) -> None:
    given_parts = data.draw(parts())
    unit = data.draw(st.sampled_from(sorted(UNITS)))
    styles = {
        "money": data.draw(st.sampled_from(["number", "text", "thousands"])),
        "rate": data.draw(st.sampled_from(["points", "text", "fraction"])),
        "term": data.draw(st.sampled_from(["number", "years", "code"])),
        "date": data.draw(st.sampled_from(["date", "cn", "dash", "dot", "compact"])),
    }
    order = data.draw(st.permutations(FIELDS))
    in_head = data.draw(st.booleans())
    money_fields = ("tranche_amount", "allotted", "disbursed", "paid")
    head = [
        data.draw(st.sampled_from(WORDS[f])) + (f"({unit})" if in_head and f in money_fields else "")
        for f in order
    ]
    rows = [[written(part, f, unit, styles) for f in order] for part in given_parts]
    title = [["专项债券台账" + ("" if in_head else f" 单位:{unit}") + "(截至2022年6月30日)"]]
    form = data.draw(st.sampled_from(["xlsx", "xls", "csv"]))
    if form == "csv":
        content = csv_bytes([*title, head, *rows], data.draw(st.sampled_from(["utf-8-sig", "gb18030"])))
    else:
        content = (xlsx if form == "xlsx" else xls)(Tab([*title, head, *rows]))
    parsed = parse(read_book(content, f"台账.{form}"), BOND_LEDGER.spec)
    assert faults(parsed) == [] and bad_checks(parsed) == []
    assert [Part(*(row.get(f) for f in FIELDS)) for row in parsed.rows] == given_parts
