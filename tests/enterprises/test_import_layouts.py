"""The register of enterprises as a workbook in any layout."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.workbooks.builders import Tab, csv_bytes, xls, xlsx
from tests.enterprises.kit import FIELDS
from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.faults import BookError
from yuanmai.core.workbooks.engine.pipeline import parse
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.enterprises.engine.credit_code import ALPHABET, example
from yuanmai.enterprises.workbooks import REGISTER

WORDS = {
    "name": ["企业名称", "单位名称", "公司名称", "入园企业", "企业全称", "企 业 名 称"],
    "credit_code": ["统一社会信用代码", "信用代码", "税号", "营业执照号", "社会信用代码"],
    "industry": ["所属行业", "行业类别", "行业", "国民经济行业"],
    "chain": ["产业链", "所属产业链"],
    "address": ["地址", "注册地址", "生产经营地址"],
    "contact": ["联系人", "企业负责人", "法定代表人"],
    "phone": ["联系电话", "手机号码", "联系方式"],
    "note": ["备注", "说明"],
}


def reading(data: bytes, name: str = "企业名录.xlsx") -> Parsed:
    return parse(read_book(data, name), REGISTER.spec)


CODES = st.text(ALPHABET, min_size=9, max_size=9).map(lambda tail: example(f"91350200{tail}"))
NAME = st.text("东南西北精密制造新材料物流科技电子一二三四五", min_size=2, max_size=10)
WORD = st.text("甲乙丙丁路街号栋制造加工", min_size=2, max_size=8)


@st.composite
def enterprises(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(NAME, min_size=1, max_size=7, unique=True))
    codes = draw(st.lists(CODES, min_size=len(names), max_size=len(names), unique=True))
    optional = lambda some: draw(st.none() | some)  # noqa: E731
    return [
        {
            "name": f"{name}有限公司",
            "credit_code": optional(st.just(code)),
            "industry": optional(st.sampled_from(["通用设备制造业", "仓储业", "软件和信息技术服务业"])),
            "chain": optional(st.sampled_from(["高端装备", "新材料"])),
            "address": optional(WORD.map(lambda text: f"{text}1号")),
            "contact": optional(st.sampled_from(["王某", "李某某", "欧阳某"])),
            "phone": optional(st.sampled_from(["13800000000", "0596-1234567"])),
            "note": optional(st.just("搬迁中")),
        }
        for name, code in zip(names, codes, strict=True)
    ]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), rows=enterprises())
def test_any_register_in_any_layout(data: st.DataObject, rows: list[dict[str, Any]]) -> None:
    pick = lambda options, label: data.draw(st.sampled_from(options), label=label)  # noqa: E731
    rest = data.draw(
        st.permutations([f for f in FIELDS if f not in ("name", "credit_code")]), label="columns"
    )
    shown = [field for field in rest if pick([True, True, False], field)]
    shown = shown or ["industry"]
    columns = (
        ["name", "credit_code", *shown]
        if pick([True, False], "code second")
        else ["name", *shown, "credit_code"]
    )
    numbered = pick([True, False], "numbered")
    head = [pick(WORDS[field], f"word of {field}") for field in columns]
    parks = pick([True, False], "grouped by park")
    sheet: list[list[Any]] = [[]] * pick([0, 2], "rows above")
    if pick([True, False], "title"):
        sheet.append(["某园区企业名录（2026年）"])
    sheet.append((["序号"] if numbered else []) + head)
    expected_parks = []
    for number, row in enumerate(rows, 1):
        if parks and (number == 1 or number == 4):
            sheet.append([f"{'一二'[number > 1]}、{'东岸' if number == 1 else '西岸'}工业园"])
        expected_parks.append(("东岸工业园" if number < 4 else "西岸工业园") if parks else None)
        style = pick(["plain", "spaced", "full", "lower"], "code written")
        cells = []
        for field in columns:
            value = row[field]
            if field == "credit_code" and value:
                value = {
                    "plain": value,
                    "spaced": f"{value[:4]} {value[4:10]} {value[10:]}",
                    "full": "".join(chr(ord(letter) + 0xFEE0) for letter in value),
                    "lower": value.lower(),
                }[style]
            cells.append(value)
        sheet.append(([number] if numbered else []) + cells)
        if pick([False, False, True], "blank row"):
            sheet.append([])
    form = pick(["xlsx", "xls", "csv", "gb18030"], "format")
    content = {
        "xlsx": lambda: xlsx(Tab(sheet)),
        "xls": lambda: xls(Tab(sheet)),
        "csv": lambda: csv_bytes(sheet, "utf-8-sig"),
        "gb18030": lambda: csv_bytes(sheet, "gb18030"),
    }[form]()
    parsed = reading(content, f"名录.{'csv' if form == 'gb18030' else form}")
    assert [fault.rule for fault in parsed.faults] == []
    assert [row.get("name") for row in parsed.rows] == [row["name"] for row in rows]
    for field in ("credit_code", *shown):
        assert [row.get(field) for row in parsed.rows] == [row[field] for row in rows], field
    assert [row.get("park") for row in parsed.rows] == expected_parks


def test_a_ledger_of_projects_is_no_register() -> None:
    with pytest.raises(BookError) as caught:
        reading(xlsx(Tab([["序号", "项目", "总投资", "年度计划投资"], [1, "甲", 1, 1]])))
    assert caught.value.code == "no_header"
    assert caught.value.params["label"] == "企业名称"
