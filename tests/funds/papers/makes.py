"""Bond ledgers as different offices make them; every one says the same three rows.

Rows: 甲厂房 in bond 2105001 (0.50 of 2.00 亿元, 10 years, 3.28 %), 乙管网 in bond 2105001 (0.30), 甲厂房 in bond 2105002 (0.20 of
0.20, 15 years, 3.45 %).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tests.core.workbooks.builders import Tab, csv_bytes, html, xls, xlsx

A, B = "甲厂房", "乙管网"


def plain() -> tuple[str, bytes]:
    """One head row, 万元, dates as dates, rates as percent points."""
    head = [
        "序号",
        "项目名称",
        "债券代码",
        "债券名称",
        "债券总额(万元)",
        "项目分配金额(万元)",
        "期限",
        "票面利率",
        "起息日",
        "已拨付",
        "已支出",
    ]
    rows = [
        [1, A, "2105001", "21江南专项债01", 20000, 5000, "10年", 3.28, date(2021, 5, 21), 4000, 3000],
        [2, B, "2105001", "21江南专项债01", 20000, 3000, "10年", 3.28, date(2021, 5, 21), 3000, 1000],
        [3, A, "2105002", "21江南专项债02", 2000, 2000, "15年", 3.45, date(2021, 8, 31), 1000, 500],
    ]
    return "台账(截至2022年6月底).xlsx", xlsx(Tab([["专项债券台账(截至2022年6月底)"], head, *rows]))


def hundred_millions() -> tuple[str, bytes]:
    """亿元, two head rows with merges, rates as fractions, a total and a note."""
    rows = [
        ["某市专项债券资金使用情况表"] + [None] * 9,
        ["单位:亿元", None, None, None, None, None, None, None, None, "截至2022年6月30日"],
        ["序号", "项目信息", None, "债券信息", None, None, None, None, "资金使用", None],
        [
            None,
            "项目名称",
            "项目编码",
            "代码",
            "债券发行总额",
            "发行金额",
            "期限(年)",
            "利率",
            "累计拨付",
            "累计支出",
        ],
        [1, A, "2021-01", "2105001", 2, 0.5, 10, 0.0328, 0.4, 0.3],
        [2, B, "2021-02", "2105001", 2, 0.3, 10, 0.0328, 0.3, 0.1],
        [3, A, "2021-01", "2105002", 0.2, 0.2, 15, 0.0345, 0.1, 0.05],
        ["合计", None, None, None, None, 1, None, None, 0.8, 0.45],
        ["注:本表由财政局填报"],
    ]
    # The value dates stand in a column of their own, written with a slash.
    for row, day in zip(rows[2:7], ["", "起息日", "2021/5/21", "2021/5/21", "2021/8/31"], strict=True):
        row.append(day or None)
    return "使用情况.xlsx", xlsx(Tab(rows, "专项债", ["A1:J1", "B3:C3", "D3:H3", "I3:J3"]))


def yuan_text() -> tuple[str, bytes]:
    """元, everything typed as text, dates in Chinese, thousands separators."""
    head = [
        "项目名称",
        "债券编码",
        "发行规模",
        "本项目使用金额",
        "债券期限",
        "发行利率",
        "起息日期",
        "拨付金额",
        "支付金额",
    ]
    rows = [
        [
            A,
            "2105001",
            "200,000,000",
            "50,000,000.00",
            "十年",
            "3.28%",
            "2021年5月21日",
            "40,000,000",
            "30,000,000",
        ],
        [
            B,
            "2105001",
            "200,000,000",
            "30,000,000.00",
            "十年",
            "3.28%",
            "2021年5月21日",
            "30,000,000",
            "10,000,000",
        ],
        [
            A,
            "2105002",
            "20,000,000",
            "20,000,000.00",
            "十五年",
            "3.45%",
            "2021年8月31日",
            "10,000,000",
            "5,000,000",
        ],
    ]
    return "2022年6月台账.xlsx", xlsx(Tab([["专项债券明细 单位:元 截至2022年6月30日"], head, *rows]))


def merged_projects() -> tuple[str, bytes]:
    """The project stands once, merged over its bonds."""
    head = [
        "项目名称",
        "债券代码",
        "债券总额",
        "分配金额",
        "期限",
        "票面利率",
        "起息日",
        "累计拨付",
        "累计支付",
    ]
    rows = [
        [A, "2105001", 20000, 5000, 10, "3.28%", "2021-05-21", 4000, 3000],
        [None, "2105002", 2000, 2000, 15, "3.45%", "2021-08-31", 1000, 500],
        [B, "2105001", 20000, 3000, 10, "3.28%", "2021-05-21", 3000, 1000],
    ]
    return "合并.xlsx", xlsx(
        Tab([["专项债券台账 单位:万元(截至2022年6月30日)"], head, *rows], merges=["A3:A4"])
    )


def merged_bonds() -> tuple[str, bytes]:
    """The bond and its terms stand once, merged over its projects, with subtotals."""
    head = [
        "债券代码",
        "债券总额",
        "期限",
        "票面利率",
        "起息日",
        "项目名称",
        "分配金额",
        "累计拨付",
        "累计支出",
    ]
    rows = [
        ["2105001", 20000, "10年", "3.28%", "2021.05.21", A, 5000, 4000, 3000],
        [None, None, None, None, None, B, 3000, 3000, 1000],
        ["小计", None, None, None, None, None, 8000, 7000, 4000],
        ["2105002", 2000, "15年", "3.45%", "2021.08.31", A, 2000, 1000, 500],
        ["小计", None, None, None, None, None, 2000, 1000, 500],
        ["合计", None, None, None, None, None, 10000, 8000, 4500],
    ]
    merges = ["A3:A4", "B3:B4", "C3:C4", "D3:D4", "E3:E4"]
    return "按债券.xlsx", xlsx(
        Tab([["专项债券台账 单位:万元(截至2022年6月30日)"], head, *rows], merges=merges)
    )


def written_once() -> tuple[str, bytes]:
    """As a CSV in GB 18030: the project stands once, and the cells below it are blank."""
    head = [
        "项目名称",
        "债券代码",
        "债券总额(万元)",
        "分配金额(万元)",
        "期限",
        "票面利率(%)",
        "起息日",
        "累计拨付(万元)",
        "累计支出(万元)",
    ]
    rows = [
        [A, "2105001", "20000", "5000", "10", "3.28", "20210521", "4000", "3000"],
        ["", "2105002", "2000", "2000", "15", "3.45", "20210831", "1000", "500"],
        [B, "2105001", "20000", "3000", "10", "3.28", "20210521", "3000", "1000"],
    ]
    return "截至2022年6月30日.csv", csv_bytes([head, *rows], "gb18030")


def by_batch() -> tuple[str, bytes]:
    """Group rows by batch, an old .xls, the unit in the cells."""
    head = [
        "序号",
        "项目名称",
        "债券代码",
        "债券规模",
        "债券金额",
        "年限",
        "中标利率",
        "招标日",
        "起息日",
        "已拨付金额",
        "已支出金额",
    ]
    rows: list[list[Any]] = [
        ["一、2021年第一批"],
        [
            1,
            A,
            "2105001",
            "2亿元",
            "5000万元",
            "10年期",
            "3.28%",
            "2021-05-20",
            "2021-05-21",
            "4000万元",
            "3000万元",
        ],
        [
            2,
            B,
            "2105001",
            "2亿元",
            "3000万元",
            "10年期",
            "3.28%",
            "2021-05-20",
            "2021-05-21",
            "3000万元",
            "1000万元",
        ],
        ["二、2021年第二批"],
        [
            1,
            A,
            "2105002",
            "2000万元",
            "2000万元",
            "15年期",
            "3.45%",
            "2021-08-30",
            "2021-08-31",
            "1000万元",
            "500万元",
        ],
    ]
    return "批次.xls", xls(Tab([["专项债券台账(截至2022年6月30日)"], head, *rows], "Sheet1"))


def web_page() -> tuple[str, bytes]:
    """A web page saved as .xls; the tender only, from which the value date follows; full-width digits."""
    head = [
        "项目名称",
        "债券代码",
        "发行总额(万元)",
        "发行金额(万元)",
        "发行期限",
        "发行利率",
        "发行日期",
        "拨付资金",
        "实际支出",
    ]
    rows = [
        [A, "2105001", "２００００", "５０００", "10年", "3.28%", "2021年5月20日", "4000", "3000"],
        [B, "2105001", "２００００", "３０００", "10年", "3.28%", "2021年5月20日", "3000", "1000"],
        [A, "2105002", "２０００", "２０００", "15年", "3.45%", "2021年8月30日", "1000", "500"],
    ]
    return "截至2022年6月30日.xls", html([head, *rows])


def maturities() -> tuple[str, bytes]:
    """No term: it follows from value date and maturity; the share paid is stated and agrees."""
    head = [
        "项目",
        "债券代码",
        "债券全称",
        "批次总额",
        "额度",
        "票面年利率",
        "计息日",
        "到期日",
        "还本方式",
        "付息频率",
        "拨付",
        "支出",
        "支出进度",
    ]
    rows = [
        [
            A,
            "2105001",
            "一期",
            20000,
            5000,
            3.28,
            datetime(2021, 5, 21),
            datetime(2031, 5, 21),
            "到期一次性还本",
            "每半年付息一次",
            4000,
            3000,
            "60%",
        ],
        [
            B,
            "2105001",
            "一期",
            20000,
            3000,
            3.28,
            datetime(2021, 5, 21),
            datetime(2031, 5, 21),
            "到期一次性还本",
            "每半年付息一次",
            3000,
            1000,
            "33.3%",
        ],
        [
            A,
            "2105002",
            "二期",
            2000,
            2000,
            3.45,
            datetime(2021, 8, 31),
            datetime(2036, 8, 31),
            "到期还本",
            "半年付",
            1000,
            500,
            "25%",
        ],
    ]
    return "到期.xlsx", xlsx(Tab([["2022年6月专项债台账 单位:万元 截至2022年6月30日"], head, *rows]))


def instalments() -> tuple[str, bytes]:
    """Repaid in instalments, the plan in words; a blank line, the head again, hidden second sheet, English digits."""
    head = [
        "项目名称",
        "债券代码",
        "债券总额",
        "安排金额",
        "期限",
        "利率",
        "起息日",
        "偿还方式",
        "分期还本计划",
        "已拨付",
        "已支付",
    ]
    plan = "第6至10年每年偿还本金的20%"
    rows: list[list[Any]] = [
        [A, "2105001", 20000, 5000, 10, 3.28, "2021-5-21", "分期还本", plan, 4000, 3000],
        [B, "2105001", 20000, 3000, 10, 3.28, "2021-5-21", "分期还本", plan, 3000, 1000],
        [None] * 11,
        head,
        [A, "2105002", 2000, 2000, 15, 3.45, "2021-8-31", "到期一次还本", None, 1000, 500],
    ]
    title = ["专项债券(单位:万元)截至2022年6月30日"]
    return "分期.xlsx", xlsx(
        Tab([title, head, *rows]), Tab([["旧表"], ["项目名称", "债券代码"]], "旧", hidden=True)
    )


def small_rates() -> tuple[str, bytes]:
    """Rates below 1.5 in percent points, which are no fractions; the columns in another order, with strangers between."""
    head = [
        "债券代码",
        "主管部门",
        "项目名称",
        "联系电话",
        "票面利率",
        "期限",
        "起息日",
        "债券总额",
        "分配金额",
        "未支出金额",
        "累计拨付",
        "累计支出",
    ]
    rows = [
        ["2105001", "工信局", A, 88, 1.28, 10, "2021.5.21", 20000, 5000, 2000, 4000, 3000],
        ["2105001", "住建局", B, 88, 1.28, 10, "2021.5.21", 20000, 3000, 2000, 3000, 1000],
        ["2105002", "工信局", A, 88, 1.45, 15, "2021.8.31", 2000, 2000, 1500, 1000, 500],
    ]
    return "低利率.xlsx", xlsx(Tab([["专项债券台账 单位:万元 截至2022年6月30日"], head, *rows]))


MAKES = (
    plain, hundred_millions, yuan_text, merged_projects, merged_bonds, written_once, by_batch, web_page, maturities,
    instalments, small_rates,
)  # fmt: skip
