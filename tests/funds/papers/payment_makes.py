"""Payment ledgers as different offices make them; every one says the same three payments of 北园污水管网.

HT-01 管网施工 大江建设公司 2000万元: 300.00 on 2022-07-10 (invoice F1), 200.50 on 2022-08-15 (F2); HT-02 监理合同 长河监理公司
100万元: 20.00 on 2022-08-20 (F3); all out of bond 2205001; amounts in 万元.
"""

from __future__ import annotations

from datetime import date, datetime

from tests.core.workbooks.builders import Tab, csv_bytes, html, xls, xlsx

P, B = "北园污水管网", "2205001"
ONE, TWO = "大江建设公司", "长河监理公司"


def plain() -> tuple[str, bytes]:
    """元, dates as dates."""
    head = [
        "序号",
        "支付日期",
        "项目名称",
        "债券代码",
        "合同编号",
        "合同名称",
        "合同金额",
        "收款单位",
        "发票号码",
        "支付金额",
    ]
    rows = [
        [1, date(2022, 7, 10), P, B, "HT-01", "管网施工", 20_000_000, ONE, "F1", 3_000_000],
        [2, date(2022, 8, 15), P, B, "HT-01", "管网施工", 20_000_000, ONE, "F2", 2_005_000],
        [3, date(2022, 8, 20), P, B, "HT-02", "监理合同", 1_000_000, TWO, "F3", 200_000],
    ]
    return "支付台账.xlsx", xlsx(Tab([["专项债券支付台账"], ["单位:元"], head, *rows]))


def wan_total() -> tuple[str, bytes]:
    """万元, two head rows, a total."""
    rows = [
        ["债券资金支出明细表"] + [None] * 9,
        ["单位:万元"],
        ["序号", "项目名称", "合同信息", None, None, "支付信息", None, None, None, "债券代码"],
        [None, None, "合同号", "合同名称", "合同价", "付款日期", "收款人", "发票号", "付款金额", None],
        [1, P, "HT-01", "管网施工", 2000, "2022-07-10", ONE, "F1", 300, B],
        [2, P, "HT-01", "管网施工", 2000, "2022-08-15", ONE, "F2", 200.5, B],
        [3, P, "HT-02", "监理合同", 100, "2022-08-20", TWO, "F3", 20, B],
        ["合计", None, None, None, None, None, None, None, 520.5, None],
    ]
    merges = ["A1:J1", "C3:E3", "F3:I3", "A3:A4", "B3:B4", "J3:J4"]
    return "明细.xlsx", xlsx(Tab(rows, "支出", merges))


def texts() -> tuple[str, bytes]:
    """Everything as text, Chinese dates, thousands separators."""
    head = [
        "付款时间",
        "工程名称",
        "债券编码",
        "合同编号",
        "合同",
        "合同价款",
        "收款方",
        "票号",
        "本次支付金额(元)",
    ]
    rows = [
        ["2022年7月10日", P, B, "HT-01", "管网施工", "20,000,000", ONE, "F1", "3,000,000.00"],
        ["2022年8月15日", P, B, "HT-01", "管网施工", "20,000,000", ONE, "F2", "2,005,000.00"],
        ["2022年8月20日", P, B, "HT-02", "监理合同", "1,000,000", TWO, "F3", "200,000.00"],
    ]
    return "台账.xlsx", xlsx(Tab([head, *rows]))


def merged_project() -> tuple[str, bytes]:
    """The project is merged over its payments, the bond too."""
    head = [
        "项目名称",
        "债券代码",
        "合同编号",
        "合同名称",
        "合同金额",
        "收款单位",
        "发票号码",
        "支付日期",
        "支付金额",
    ]
    rows = [
        [P, B, "HT-01", "管网施工", 2000, ONE, "F1", "2022.7.10", 300],
        [None, None, "HT-01", "管网施工", 2000, ONE, "F2", "2022.8.15", 200.5],
        [None, None, "HT-02", "监理合同", 100, TWO, "F3", "2022.8.20", 20],
    ]
    return "合并.xlsx", xlsx(Tab([["支付台账 单位:万元"], head, *rows], merges=["A3:A5", "B3:B5"]))


def blank_project() -> tuple[str, bytes]:
    """A CSV in GB 18030: the project stands once."""
    head = [
        "项目名称",
        "债券代码",
        "合同编号",
        "合同名称",
        "合同金额(元)",
        "收款单位",
        "发票号码",
        "支付日期",
        "支付金额(元)",
    ]
    rows = [
        [P, B, "HT-01", "管网施工", "20000000", ONE, "F1", "20220710", "3000000"],
        ["", B, "HT-01", "管网施工", "20000000", ONE, "F2", "20220815", "2005000"],
        ["", B, "HT-02", "监理合同", "1000000", TWO, "F3", "20220820", "200000"],
    ]
    return "台账.csv", csv_bytes([head, *rows], "gb18030")


def no_bond() -> tuple[str, bytes]:
    """The bond is not named: the project draws on one only. Vouchers and uses are."""
    head = [
        "记账日期",
        "项目",
        "合同编号",
        "合同名称",
        "合同总价",
        "供应商",
        "发票编号",
        "凭证号",
        "用途",
        "实付金额",
    ]
    rows = [
        [datetime(2022, 7, 10), P, "HT-01", "管网施工", 20_000_000, ONE, "F1", "记-1", "工程款", 3_000_000],
        [datetime(2022, 8, 15), P, "HT-01", "管网施工", 20_000_000, ONE, "F2", "记-2", "工程款", 2_005_000],
        [datetime(2022, 8, 20), P, "HT-02", "监理合同", 1_000_000, TWO, "F3", "记-3", "监理费", 200_000],
    ]
    return "记账.xlsx", xlsx(Tab([["债券支出明细账 金额单位:元"], head, *rows]))


def old_xls() -> tuple[str, bytes]:
    """BIFF8, groups by contract, the unit in the cells."""
    head = [
        "序号",
        "项目名称",
        "债券代码",
        "合同编号",
        "合同名称",
        "合同额",
        "收款单位",
        "发票号码",
        "付款日期",
        "付款额",
    ]
    rows = [
        ["一、施工合同"],
        [1, P, B, "HT-01", "管网施工", "2000万元", ONE, "F1", "2022-07-10", "300万元"],
        [2, P, B, "HT-01", "管网施工", "2000万元", ONE, "F2", "2022-08-15", "200.5万元"],
        ["二、监理合同"],
        [3, P, B, "HT-02", "监理合同", "100万元", TWO, "F3", "2022-08-20", "20万元"],
    ]
    return "付款.xls", xls(Tab([["付款台账"], head, *rows], "Sheet1"))


def web_page() -> tuple[str, bytes]:
    """A web page saved as .xls, full-width digits."""
    head = [
        "项目名称",
        "债券代码",
        "合同编号",
        "合同名称",
        "合同金额(万元)",
        "收款单位名称",
        "票据号码",
        "支付时间",
        "支出金额(万元)",
    ]
    rows = [
        [P, B, "HT-01", "管网施工", "２０００", ONE, "F1", "2022/7/10", "３００"],
        [P, B, "HT-01", "管网施工", "２０００", ONE, "F2", "2022/8/15", "200.50"],
        [P, B, "HT-02", "监理合同", "100", TWO, "F3", "2022/8/20", "20"],
    ]
    return "支出.xls", html([head, *rows])


def shuffled() -> tuple[str, bytes]:
    """Other order, strangers between, the head again after a page break, a note."""
    head = [
        "支付金额",
        "开户行",
        "发票号码",
        "收款单位",
        "账号",
        "合同金额",
        "合同名称",
        "合同编号",
        "债券代码",
        "项目名称",
        "支付日期",
        "备注",
    ]
    rows = [
        [3_000_000, "农行", "F1", ONE, 1, 20_000_000, "管网施工", "HT-01", B, P, "2022-7-10", "首付"],
        head,
        [2_005_000, "农行", "F2", ONE, 1, 20_000_000, "管网施工", "HT-01", B, P, "2022-8-15", None],
        [200_000, "工行", "F3", TWO, 2, 1_000_000, "监理合同", "HT-02", B, P, "2022-8-20", None],
    ]
    return "支付.xlsx", xlsx(Tab([["支付台账(单位:元)"], head, *rows, ["注:本表由业主填报"]]))


def yi() -> tuple[str, bytes]:
    """亿元, as a summary for the leaders; by bond name."""
    head = [
        "支付日期",
        "项目名称",
        "债券名称",
        "合同编号",
        "合同名称",
        "合同金额",
        "收款企业",
        "发票号",
        "支付金额",
    ]
    name = "2022年江南省专项债券(一期)"
    rows = [
        ["2022-07-10", P, name, "HT-01", "管网施工", 0.2, ONE, "F1", 0.03],
        ["2022-08-15", P, name, "HT-01", "管网施工", 0.2, ONE, "F2", 0.02005],
        ["2022-08-20", P, name, "HT-02", "监理合同", 0.01, TWO, "F3", 0.002],
    ]
    return "汇报.xlsx", xlsx(Tab([["债券支付情况 单位:亿元"], head, *rows]))


MAKES = (plain, wan_total, texts, merged_project, blank_project, no_bond, old_xls, web_page, shuffled, yi)
