"""A small ledger that the workbooks of different make have in common, and its expected reading."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from .builders import WAN, column, faults

HEAD = ["序号", "项目名称", "建设性质", "总投资", "年度计划投资", "1-3月完成投资", "责任单位"]
TITLE = ["某市2022年重点项目进展情况表(截至2022年3月31日)"]
UNIT = ["单位:万元"]
ROWS = [
    [1, "甲产业园一期", "新开工", 10000, 3000, 500, "工信局"],
    [2, "乙大道工程", "续建", 25000.5, 8000, 2100, "交通局"],
    [3, "丙标准厂房", "续建", 6000, 1000, 1000, "住建局"],
]
NAMES = ["甲产业园一期", "乙大道工程", "丙标准厂房"]
TOTALS = [10000 * WAN, Decimal("25000.5") * WAN, 6000 * WAN]


def check_basic(parsed) -> None:
    assert faults(parsed) == []
    assert column(parsed, "name") == NAMES
    assert column(parsed, "total_investment") == TOTALS
    assert column(parsed, "planned_investment") == [3000 * WAN, 8000 * WAN, 1000 * WAN]
    assert column(parsed, "investment_done") == [500 * WAN, 2100 * WAN, 1000 * WAN]
    assert column(parsed, "kind") == ["new_start", "continuing", "continuing"]
    assert column(parsed, "responsible") == ["工信局", "交通局", "住建局"]
    assert parsed.period.as_of == date(2022, 3, 31)
