"""The demonstration accounts: one per role and place, all with one password that is printed and shown on purpose."""

from dataclasses import dataclass

PASSWORD = "Yuanmai-Demo-1"  # noqa: S105  # only ever set in demonstration mode, and shown on the sign-in page


@dataclass(frozen=True)
class Account:
    """One account: its name, the person, the role's code and the organisation's code."""

    username: str
    full_name: str
    role: str
    org: str
    title: str = ""


ACCOUNTS = (
    Account("tanzhou.leader", "坦洲领导(示例)", "leader", "tanzhou", "镇领导"),
    Account("tanzhou.officer", "坦洲项目专员(示例)", "project_officer", "tanzhou", "重点办"),
    Account("tanzhou.finance", "坦洲财务专员(示例)", "finance_officer", "tanzhou", "财政所"),
    Account("heshan.leader", "鹤山领导(示例)", "leader", "heshan", "园区领导"),
    Account("heshan.officer", "鹤山项目专员(示例)", "project_officer", "heshan-park", "项目办"),
    Account("heshan.finance", "鹤山财务专员(示例)", "finance_officer", "heshan", "财政局"),
    Account("heshan.grid", "鹤山网格员(示例)", "grid_officer", "heshan-park", "一格网格员"),
    Account("heshan.operator", "鹤山值班员(示例)", "operator", "heshan-park", "指挥中心"),
    Account("longyan.leader", "龙岩领导(示例)", "leader", "longyan", "市领导"),
    Account("longyan.officer", "龙岩项目专员(示例)", "project_officer", "longyan", "市工信局"),
    Account("zhaoqing.leader", "肇庆领导(示例)", "leader", "zhaoqing", "市领导"),
    Account("zhaoqing.officer", "肇庆项目专员(示例)", "project_officer", "zhaoqing-cluster", "项目办"),
    Account("licheng.leader", "鲤城领导(示例)", "leader", "licheng", "区领导"),
    Account("licheng.officer", "鲤城项目专员(示例)", "project_officer", "licheng-park", "项目办"),
    Account("guangdong.leader", "广东领导(示例)", "leader", "guangdong", "省级领导"),
    Account("guangdong.auditor", "广东审计人员(示例)", "auditor", "guangdong", "审计"),
    Account("system.admin", "系统管理员(示例)", "system_administrator", "guangdong"),
    Account("security.admin", "安全管理员(示例)", "security_administrator", "guangdong"),
    Account("audit.admin", "审计管理员(示例)", "audit_administrator", "guangdong"),
)
