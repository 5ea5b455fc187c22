"""Any list of projects, written in any of the layouts, vocabularies, units and formats, reads back the same."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .builders import Tab, bad_checks, column, csv_bytes, faults, read, xls, xlsx

WORDS = {
    "index": ["序号", "编号", "No."],
    "name": ["项目名称", "工程名称", "项 目 名 称", "项目名称(全称)"],
    "owner": ["建设单位", "项目业主", "业主单位", "投资主体", "项目单位"],
    "total_investment": ["总投资", "总投资额", "计划总投资", "项目总投资"],
    "planned_investment": [
        "{y}年计划投资",
        "年度投资计划",
        "{y}年度计划投资额",
        "本年计划投资",
        "当年投资计划",
    ],
    "investment_done": [
        "1-{m}月完成投资",
        "年初至本月累计完成",
        "{y}年1—{m}月累计完成投资",
        "本年累计完成投资",
        "今年以来累计完成投资",
    ],
    "leader": ["责任领导", "挂钩领导", "包联领导", "挂点领导"],
    "responsible": ["责任单位", "责任部门", "牵头单位"],
    "start_on": ["开工时间", "计划开工时间", "开工年月"],
    "finish_on": ["竣工时间", "完工时间", "计划竣工时间"],
}
KIND_WORDS = {
    "new_start": ["新开工", "新开工项目", "新建"],
    "continuing": ["续建", "续建项目", "在建"],
    "reserve": ["预备", "储备", "前期"],
}
UNITS = {"元": Decimal(1), "万元": Decimal(10_000), "亿元": Decimal(100_000_000)}
NAME = st.text("东南西北产业园道路厂房管网污水处理科技创新一二三四五期", min_size=3, max_size=14)


@dataclass(frozen=True)
class Project:
    name: str
    kind: str
    owner: str
    total_investment: Decimal
    planned_investment: Decimal
    investment_done: Decimal
    leader: str
    responsible: str
    start_on: date
    finish_on: date


@st.composite
def projects(draw: st.DrawFn) -> list[Project]:
    names = draw(st.lists(NAME, min_size=1, max_size=8, unique=True))
    result = []
    for name in names:
        total = draw(st.integers(2, 900_000))
        plan = draw(st.integers(1, total))
        done = draw(st.integers(0, plan))
        year = draw(st.integers(2015, 2023))
        month = draw(st.integers(1, 12))
        finish_year, finish_month = draw(st.integers(2024, 2030)), draw(st.integers(1, 12))
        result.append(
            Project(
                name=f"{name}项目",
                kind=draw(st.sampled_from(sorted(KIND_WORDS))),
                owner=f"{draw(NAME)}公司",
                total_investment=Decimal(total) * 10_000,
                planned_investment=Decimal(plan) * 10_000,
                investment_done=Decimal(done) * 10_000,
                leader=draw(st.sampled_from(["张三", "李四", "王五"])),
                responsible=draw(st.sampled_from(["工信局", "发改局", "住建局"])),
                start_on=date(year, month, 1),
                finish_on=date(finish_year, finish_month, calendar.monthrange(finish_year, finish_month)[1]),
            )
        )
    return result


def money(amount: Decimal, unit: str, style: str) -> Any:
    number = amount / UNITS[unit]
    text = format(number.normalize(), "f")
    if style == "number":
        return float(number)
    if style == "text":
        return text
    if style == "thousands":
        return f"{number:,f}"
    if style == "full":
        return text.translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))
    if style == "about":
        return f"约{text}"
    return f"{format((amount / 10_000).normalize(), 'f')}万元"


def day(value: date, style: str) -> Any:
    return {
        "dot": f"{value.year}.{value.month:02d}",
        "cn": f"{value.year}年{value.month}月",
        "dash": f"{value.year}-{value.month:02d}",
        "slash": f"{value.year}/{value.month}",
        "compact": f"{value.year}{value.month:02d}",
        "number": value.year * 100 + value.month,
    }[style]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data(), listed=projects())
def test_any_list_in_any_layout(data: st.DataObject, listed: list[Project]) -> None:
    pick = lambda options, label: data.draw(st.sampled_from(options), label=label)  # noqa: E731
    grouped = pick([True, False], "grouped by kind")
    if grouped:
        listed = sorted(listed, key=lambda p: p.kind)
    year, month = 2024, pick([2, 3, 11], "month")
    unit, unit_at = pick(sorted(UNITS), "unit"), pick(["title", "row", "header", "note"], "unit stated in")
    money_style = pick(["number", "text", "thousands", "full", "about", "own"], "money")
    date_style = pick(["dot", "cn", "dash", "slash", "compact", "number"], "dates")
    form = pick(["xlsx", "xls", "csv", "gb18030"], "format")
    fields = data.draw(st.permutations([f for f in WORDS if f not in ("index", "name")]), label="columns")
    fields = [
        f
        for f in fields
        if f in ("total_investment", "planned_investment", "investment_done") or pick([True, True, False], f)
    ]
    columns = ["index", "name", *fields]
    if not grouped:
        columns.insert(2, "kind")
    suffix = f"({unit})" if unit_at == "header" else ""
    head = []
    for code in columns:
        word = "项目性质" if code == "kind" else pick(WORDS[code], code).format(y=year, m=month)
        head.append(
            word + suffix if code in ("total_investment", "planned_investment", "investment_done") else word
        )
    rows: list[list[Any]] = [[]] * pick([0, 3], "rows above")
    rows.append(
        [f"某市{year}年{month}月重点项目进展情况表" + (f"(单位:{unit})" if unit_at == "title" else "")]
    )
    if unit_at == "row":
        rows.append(["填报单位:某局", None, f"单位：{unit}"])
    rows.append(head)
    total_row = {
        c: money(
            sum((getattr(p, c) for p in listed), Decimal(0)),
            unit,
            money_style if money_style != "about" else "number",
        )
        for c in ("total_investment", "planned_investment", "investment_done")
    }
    stated = [f"合计({len(listed)}个)" if c == "index" else total_row.get(c) for c in columns]
    where = pick(["top", "bottom", "none"], "total")
    if where == "top":
        rows.append(stated)
    kind = ""
    for number, project in enumerate(listed, 1):
        if grouped and project.kind != kind:
            kind = project.kind
            count = sum(p.kind == kind for p in listed)
            rows.append([f"{'一二三'[sorted(KIND_WORDS).index(kind)]}、{KIND_WORDS[kind][1]}({count}个)"])
        if number == 3 and pick([True, False], "head again"):
            rows.append(head)
        cells = []
        for code in columns:
            value = number if code == "index" else getattr(project, code)
            if code == "kind":
                value = pick(KIND_WORDS[project.kind], "kind word")
            elif isinstance(value, Decimal):
                value = money(value, unit, money_style)
            elif isinstance(value, date):
                value = day(value, date_style)
            cells.append(value)
        rows.append(cells)
        if pick([False, False, True], "blank row"):
            rows.append([])
    if where == "bottom":
        rows.append(stated)
    if unit_at == "note":
        rows.append([f"注:金额单位为{unit}。"])
    content = {
        "xlsx": lambda: xlsx(Tab(rows)),
        "xls": lambda: xls(Tab(rows)),
        "csv": lambda: csv_bytes(rows, "utf-8-sig"),
        "gb18030": lambda: csv_bytes(rows, "gb18030"),
    }[form]()
    parsed = read(content, f"台账.{'csv' if form == 'gb18030' else form}")
    assert faults(parsed) == []
    assert [r.get("name") for r in parsed.rows] == [p.name for p in listed]
    for code in ["kind", *fields]:
        assert column(parsed, code) == [getattr(p, code) for p in listed], code
    assert bad_checks(parsed) == []
    assert (parsed.period.as_of.year, parsed.period.as_of.month) == (year, month)
