"""Devices and points as workbooks: a messy sheet, its faults cell by cell, taking over, again, taking back."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError

from tests.conftest import Orgs
from tests.core.workbooks.builders import Tab, xlsx
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.importing import import_data, undo_batch
from yuanmai.core.workbooks.kinds import KINDS
from yuanmai.core.workbooks.running import Options
from yuanmai.core.workbooks.template import template_workbook
from yuanmai.core.workbooks.wording import fault_message
from yuanmai.devices.models import Device, Point
from yuanmai.devices.registry.actions import revise_device
from yuanmai.enterprises.models import Enterprise
from yuanmai.places.models import Building, Park

pytestmark = pytest.mark.django_db
Make = Callable[..., Device]
HEAD = [
    "序号",
    "设备编号",
    "设备名称",
    "设备型号",
    "通信标识",
    "所属园区",
    "所在建筑",
    "所属企业",
    "上级设备",
    "经度",
    "纬度",
    "安装日期",
    "备注",
]
MESSY = [
    ["北园设备台账（2026年）"],
    [],
    HEAD,
    [1, " cab-01 ", "一号配电柜", "三相电力仪表（Modbus）", "10.0.0.8:502/1", "北岸工业园", "一号厂房", None, None, "112.93412", "27.82901", "2024年5月", None],
    [2, "ＬＡＭＰ-01", "园区大道1号灯", "单灯控制器", "lamp-01", "P-1", None, None, "cab-01", 112.935, 27.83, date(2024, 5, 1), "杆号 7"],
    [3, "truck-7", "罐车7", "jt808-hazmat", "013800000007", None, None, "甲运输有限公司", None, None, None, None, None],
    [4, "web-1", "气象站", "HTTP 通用设备", None, "北岸工业园", None, None, None, None, None, "2024/6/3", None],
]  # fmt: skip


@pytest.fixture
def places(orgs: Orgs) -> None:
    """A park, a building and an enterprise of the northern organisation."""
    with everywhere():
        park = Park.objects.create(org=orgs.north, code="P-1", name="北岸工业园")
        Building.objects.create(org=orgs.north, code="B-1", name="一号厂房", park=park)
        Enterprise.objects.create(org=orgs.north, name="甲运输有限公司")


def take(data: bytes, org: Any, kind: str = "devices", name: str = "设备台账.xlsx") -> Any:
    with everywhere():
        return import_data(SYSTEM, kind, org.pk, data, name, Options(), date(2026, 11, 22))


def faults(result: Any) -> list[tuple[str, str]]:
    assert isinstance(result, Parsed), result
    return [(fault.cell, fault.rule) for fault in result.errors]


def table() -> list[tuple[Any, ...]]:
    with everywhere():
        return [*Device.objects.order_by("pk").values_list(), *Point.objects.order_by("pk").values_list()]


def test_a_messy_sheet_is_taken_over_again_and_taken_back(orgs: Orgs, library: Any, places: None) -> None:
    first = take(xlsx(Tab(MESSY)), orgs.north)
    assert not isinstance(first, Parsed), faults(first)
    assert (first["created"], first["updated"], first["unchanged"]) == (4, 0, 0)
    with everywhere():
        rows = {
            row.code: row
            for row in Device.objects.select_related("park", "building", "enterprise", "parent", "template")
        }
    assert set(rows) == {"cab-01", "LAMP-01", "truck-7", "web-1"}
    cabinet, lamp, truck, weather = rows["cab-01"], rows["LAMP-01"], rows["truck-7"], rows["web-1"]
    assert (cabinet.building.name, cabinet.longitude, cabinet.installed_on) == (
        "一号厂房",
        112.93412,
        date(2024, 5, 1),
    )
    assert (lamp.parent, lamp.park.name, lamp.note) == (cabinet, "北岸工业园", "杆号 7")
    assert (truck.key, truck.mobile, truck.enterprise.name) == ("13800000007", True, "甲运输有限公司")
    assert (weather.key, weather.protocol, weather.silence_after) == ("web-1", "http", 3600)
    with everywhere():
        assert lamp.points.count() == library["mqtt-street-lamp"].points.count()
    again = take(xlsx(Tab(MESSY)), orgs.north)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 4)
    with everywhere():
        undo_batch(SYSTEM, first["batch"])
        assert not Device.objects.filter(retired_at=None).exists()
    third = take(xlsx(Tab(MESSY)), orgs.north)
    assert third["created"] == 4
    with everywhere():
        assert Device.objects.filter(retired_at=None).count() == 4


def test_empty_cells_change_nothing_and_others_are_shown_as_differences(
    orgs: Orgs, make_device: Make
) -> None:
    device = make_device(orgs.north, code="L-1", name="旧名", key="lamp-1", note="不变")
    sheet = [["设备编号", "设备名称", "设备型号", "备注"], ["l-1", "新名", "单灯控制器", None]]
    result = take(xlsx(Tab(sheet)), orgs.north)
    assert (result["created"], result["updated"]) == (0, 1)
    device.refresh_from_db()
    assert (device.code, device.name, device.note, device.key) == ("L-1", "新名", "不变", "lamp-1")


def test_a_newer_change_keeps_an_import_from_being_undone(orgs: Orgs, library: Any, places: None) -> None:
    batch = take(xlsx(Tab(MESSY)), orgs.north)["batch"]
    with everywhere():
        revise_device(SYSTEM, Device.objects.get(code="web-1"), name="换了名字")
        stored = table()
        with pytest.raises(ValidationError, match="气象站"):
            undo_batch(SYSTEM, batch)
    assert table() == stored


@pytest.mark.parametrize(
    ("row", "cell", "rule"),
    [
        ([1, None, "灯", "单灯控制器", "k"], "B2", "code.missing"),
        ([1, "中文 编号", "灯", "单灯控制器", "k"], "B2", "device_code.form"),
        ([1, "a-1", "灯", "没有的型号", "k"], "D2", "template.unknown"),
        ([1, "a-1", "灯", "单灯控制器", None], "E2", "key.missing"),
        ([1, "a-1", "灯", "jt808-vehicle", "粤A12345"], "E2", "key.form"),
        ([1, "a-1", "灯", "单灯控制器", "taken"], "E2", "key.taken"),
        ([1, "a-1", "灯", "单灯控制器", "good"], "E3", "key.twice"),
        ([1, "a-1", "灯", "单灯控制器", "k", "无名园"], "F2", "park.not_here"),
        ([1, "a-1", "灯", "单灯控制器", "k", None, "无名楼"], "G2", "building.not_here"),
        ([1, "a-1", "灯", "单灯控制器", "k", None, None, "无名企业"], "H2", "enterprise.not_here"),
        ([1, "a-1", "灯", "单灯控制器", "k", None, None, None, "nobody"], "I2", "device.unknown"),
        ([1, "a-1", "灯", "单灯控制器", "k", None, None, None, None, 212.9, 27.8], "J2", "place.range"),
        ([1, "a-1", "灯", "单灯控制器", "k", None, None, None, None, 112.9, None], "K2", "place.half"),
        ([1, "a-1", "灯", "单灯控制器", "k", None, None, None, None, "东经", 27.8], "J2", "number.not_a_number"),
        ([1, "present", "灯", "jt808-vehicle", "13800000001"], "D2", "template.protocol"),
    ],
)  # fmt: skip
def test_each_fault_names_its_cell(
    row: list[Any], cell: str, rule: str, orgs: Orgs, make_device: Make, places: None, english: None
) -> None:
    make_device(orgs.foreign, key="taken")
    make_device(orgs.north, code="present", key="present-key")
    before = table()
    good = [2, "good", "好灯", "单灯控制器", "good"]
    sheet = [HEAD, *([*r, *([None] * (len(HEAD) - len(r)))] for r in (row, good))]
    result = take(xlsx(Tab(sheet)), orgs.north)
    found = faults(result)
    assert (cell, rule) in found, found
    message = fault_message(next(fault for fault in result.errors if fault.rule == rule))
    assert cell in message
    assert "{" not in message
    assert table() == before


def test_points_are_adjusted_added_and_taken_back(orgs: Orgs, make_device: Make) -> None:
    device = make_device(orgs.north, code="L-1", key="lamp-1")
    before = table()
    sheet = [
        ["测点表"],
        ["设备编号", "测点编码", "测点名称", "类型", "协议地址", "单位", "下限", "上限", "倍率", "状态名称"],
        ["L-1", "power", "功率", None, None, "W", 0, 150, None, None],
        ["L-1", "door", "柜门", "开关量", "door.open", None, None, None, None, "0=关|Closed；1：开|Open"],
        ["L-1", "ph", "酸碱度", "模拟量", "ph", "无量纲", 0, 14, 0.01, None],
    ]
    result = take(xlsx(Tab(sheet)), orgs.north, "device_points")
    assert (result["created"], result["updated"]) == (2, 1)
    with everywhere():
        points = {point.code: point for point in Point.objects.filter(device=device)}
        assert points["power"].high == 150.0
        assert points["power"].low == 0.0
        assert (points["door"].kind, points["door"].states) == ("state", {"0": "关|Closed", "1": "开|Open"})
        assert (points["ph"].unit, points["ph"].scale) == ("", 0.01)
        undo_batch(SYSTEM, result["batch"])
        points = {point.code: point for point in Point.objects.filter(device=device)}
        assert points["power"].high == 2000
        assert points["door"].retired_at is not None
    assert len(table()) == len(before) + 2


@pytest.mark.parametrize(
    ("row", "cell", "rule"),
    [
        (["none", "p", "点", "a"], "A2", "device.unknown"),
        (["V-1", "p", "点", None], "D2", "address.missing"),
        (["V-1", "p", "点", "Not An Item"], "D2", "address.form"),
        (["V-1", "p", "点", "item.e3", 5, 1], "E2", "point.range"),
        (["V-1", "p", "点", "item.e3", None, None, 0], "G2", "point.scale"),
        (["V-1", "p", "点", "item.e3", None, None, None, 12], "H2", "point.decimals"),
        (["V-1", "p", "点", "item.e3", None, None, None, None, "关"], "I2", "state_names.form"),
    ],
)
def test_each_fault_of_points_names_its_cell(
    row: list[Any], cell: str, rule: str, orgs: Orgs, make_device: Make
) -> None:
    make_device(orgs.north, "jt808-vehicle", code="V-1", key="13800000001")
    head = ["设备编号", "测点编码", "测点名称", "协议地址", "下限", "上限", "倍率", "小数位数", "状态名称"]
    other = ["V-1", "speed", "车速", None]
    sheet = [head, *([*r, *([None] * (len(head) - len(r)))] for r in (row, other))]
    assert faults(take(xlsx(Tab(sheet)), orgs.north, "device_points")) == [(cell, rule)]


def test_queries_do_not_grow_with_the_rows(
    orgs: Orgs, library: Any, django_assert_max_num_queries: Any
) -> None:
    def sheet(number: int) -> bytes:
        rows = [
            [n, f"d-{number}-{n}", f"灯{n}", "单灯控制器", f"k-{number}-{n}"] for n in range(1, number + 1)
        ]
        return xlsx(Tab([HEAD[:5], *rows]))

    for number in (5, 300):
        with django_assert_max_num_queries(110):
            assert take(sheet(number), orgs.north, name=f"{number}.xlsx")["created"] == number


@pytest.mark.parametrize("kind", ["devices", "device_points"])
def test_the_template_is_read_back_by_its_own_kind(kind: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template_workbook(KINDS[kind])))
    heads = [str(cell.value) for cell in next(book.worksheets[0].iter_rows(max_row=1))]
    assert "设备编号" in heads
    spec = KINDS[kind].spec
    assert {field.label_zh for field in spec.fields.values()} == set(heads)
