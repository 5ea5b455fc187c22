"""A register of enterprises as a sheet, taken over, and what is stored then."""

from __future__ import annotations

from typing import Any

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.importing import import_data
from yuanmai.core.workbooks.running import Options
from yuanmai.enterprises.engine.credit_code import example
from yuanmai.enterprises.models import Enterprise
from yuanmai.enterprises.queries import register

CODE, OTHER = "91110000802100433B", example("91350200M0001AB12"[:17])
HEAD = ["序号", "企业名称", "统一社会信用代码", "行业", "园区名称", "联系人", "联系电话"]
FIELDS = ("name", "credit_code", "industry", "chain", "address", "contact", "phone", "note")


def take(data: bytes, org: Any, name: str = "企业名录.xlsx", **options: Any) -> Any:
    from datetime import date

    with everywhere():
        return import_data(SYSTEM, "enterprises", org.pk, data, name, Options(), date(2026, 3, 1), **options)


def faults(result: Any) -> list[tuple[str, str]]:
    assert isinstance(result, Parsed), result
    return [(fault.cell, fault.rule) for fault in result.errors]


def listed(org: Any) -> list[tuple[Any, ...]]:
    with everywhere():
        return list(register([org.pk]).order_by("name").values_list(*FIELDS, "park__name"))


def table() -> list[tuple[Any, ...]]:
    """Every column of every enterprise."""
    with everywhere():
        return list(Enterprise.objects.order_by("pk").values_list())


SHEET = [
    ["北园企业名录"],
    HEAD,
    [1, "甲精密制造有限公司", "9111 0000 8021 0043 3b", "通用设备制造业", "北岸工业园", "王某", 13800000000],
    [2, "乙新材料有限公司", OTHER, "化学原料制造业", None, None, "0596-1234567"],
    [3, "丙物流中心", None, None, "P-1", "李某", None],
]
