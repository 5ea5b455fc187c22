"""The sentences of the Chinese edition (pure): each says a fact, none fills a line."""

import calendar
from datetime import date
from decimal import Decimal

from yuanmai.cockpit.bulletins.facts import BlockerLine, Difference, Facts, ProjectLine, Totals
from yuanmai.cockpit.bulletins.period import Period
from yuanmai.cockpit.bulletins.phrases import money, percent, points, some
from yuanmai.core.documents.text import long_date

L = "zh"
QUARTERS = "一二三四"

HEADINGS = {
    "overall": "总体情况",
    "starts": "开工复工情况",
    "new_start": "新开工项目",
    "continuing": "续建项目",
    "parts": "分类进展和排名",
    "lights": "进度滞后项目",
    "blockers": "未办结堵点",
    "funds": "资金落实情况",
    "check": "数据核对",
    "next": "下一步要求",
}
CAPTIONS = {
    "kinds": "表1  重点项目总体情况",
    "categories": "表2  按项目类别投资完成情况",
    "responsible": "表3  按责任单位投资完成情况",
    "organisation": "表3  按地区（园区）投资完成情况",
}
COLUMNS = {
    "kind": "性质", "category": "类别", "responsible": "责任单位", "organisation": "地区（园区）", "rank": "名次",
    "count": "项目数（个）", "total": "总投资", "planned": "年度计划投资", "done": "累计完成投资",
    "completion": "完成率", "ahead": "与时序进度相差（百分点）", "number": "序号", "name": "项目名称",
    "state": "开工/复工", "light": "亮灯", "visible": "形象进度", "problems": "存在问题", "leader": "责任领导",
    "whole": "合计", "new_start": "新开工", "continuing": "续建", "other": "未分类",
}  # fmt: skip
LIGHTS = {"red": "红灯", "yellow": "黄灯", "green": "绿灯", "grey": "—"}
UNITS = {True: "单位：亿元", False: "单位：万元"}
ADDRESSEE = "各有关单位"


def period_name(period: Period) -> str:
    """2022年3月, 2022年第一季度, 2022年."""
    if period.kind == "month":
        return f"{period.year}年{period.number}月"
    return (
        f"{period.year}年第{QUARTERS[period.number - 1]}季度"
        if period.kind == "quarter"
        else f"{period.year}年"
    )


def title(facts: Facts) -> str:
    """The title of the document."""
    return f"关于{period_name(facts.period)}重点项目建设情况的通报"


def mark(org: str) -> str:
    """发文机关标志 where the issuer states none."""
    return f"{org}重点项目建设情况通报"


def number(period: Period) -> str:
    """The number of the issue where the issuer states none."""
    if period.kind == "month":
        return f"{period.year}年第{period.number}期"
    return f"{period_name(period)}专刊" if period.kind == "quarter" else f"{period.year}年年度专刊"


def annex_title(facts: Facts) -> str:
    """The title of the table of all projects."""
    return f"{facts.period.year}年重点项目投资完成情况表"


def span(as_of: date) -> str:
    """The part of the year up to a day: 1—3月, or 1月1日至3月18日 where the day does not end its month."""
    if as_of.day == calendar.monthrange(as_of.year, as_of.month)[1]:
        return "1月" if as_of.month == 1 else f"1—{as_of.month}月"
    return f"1月1日至{as_of.month}月{as_of.day}日"


def opening(facts: Facts) -> str:
    """The first sentence."""
    return f"现将截至{long_date(facts.as_of)}{facts.org}{facts.period.year}年重点项目建设情况通报如下。"


def nothing(facts: Facts) -> str:
    """What is said where no project is on the plan."""
    text = f"截至{long_date(facts.as_of)}，{facts.org}没有列入{facts.period.year}年度计划的重点项目。"
    return text + reserve(facts)


def reserve(facts: Facts) -> str:
    """The reserve, where there is one."""
    if not facts.reserve_count:
        return ""
    return f"另有储备项目{facts.reserve_count}个，总投资{money(facts.reserve_total, L)}。"


def overall(facts: Facts) -> list[str]:
    """How many projects, and how much of the year's plan is done."""
    whole = facts.whole
    text = f"{facts.period.year}年列入年度计划的重点项目共{whole.count}个，总投资{money(whole.total, L)}"
    text += f"，年度计划投资{money(whole.planned, L)}。" if whole.planned else "，年度计划投资尚未下达。"
    if facts.over_1bn:
        text += f"其中总投资10亿元及以上的项目{facts.over_1bn}个。"
    return [text + reserve(facts), progress(facts)]


def progress(facts: Facts) -> str:
    """Investment done against the plan and against the time."""
    whole = facts.whole
    text = f"{span(facts.as_of)}累计完成投资{money(whole.done, L)}"
    if whole.completion is None:
        text += "，因年度计划投资尚未下达，不计算投资完成率。"
    else:
        text += f"，占年度计划的{percent(whole.completion)}；同期时序进度为{percent(facts.time_progress)}"
        text += f"，{against_time(whole.ahead)}。"
    if facts.period.before and facts.in_period is not None and facts.period.kind != "year":
        own = _own_part(facts.period)
        text += (
            f"其中{own}完成投资{money(facts.in_period, L)}。" if facts.in_period else f"{own}未报新增投资。"
        )
    return text


def _own_part(period: Period) -> str:
    """3月当月, 第二季度."""
    return f"{period.number}月当月" if period.kind == "month" else f"第{QUARTERS[period.number - 1]}季度"


def against_time(ahead: Decimal | None) -> str:
    """快于时序进度3.2个百分点, 慢于…, or 与时序进度持平."""
    if ahead is None:
        return "不与时序进度比较"
    difference = points(ahead)
    if difference == 0:
        return "与时序进度持平"
    return f"{'快于' if difference > 0 else '慢于'}时序进度{abs(difference)}个百分点"


def done_of(totals: Totals) -> str:
    """累计完成投资0.80亿元，占年度计划的16.7%."""
    text = f"累计完成投资{money(totals.done, L)}"
    return text + (f"，占年度计划的{percent(totals.completion)}" if totals.completion is not None else "")


def new_starts(facts: Facts) -> list[str]:
    """Start rate and the projects that have not started, each with its reason."""
    totals = facts.new_start
    if not totals.count:
        return [f"{facts.period.year}年度计划中没有新开工项目，不计算开工率。"]
    text = f"新开工项目{totals.count}个，总投资{money(totals.total, L)}，年度计划投资{money(totals.planned, L)}。"
    text += f"已开工{facts.started}个，开工率{percent(facts.start_rate)}；{done_of(totals)}。"
    waiting = [p for p in facts.projects if p.kind == "new_start" and not p.started]
    if not waiting:
        return [text + "新开工项目已全部开工。"]
    return [text, f"尚未开工{len(waiting)}个：" + "；".join(_waiting(p) for p in waiting) + "。"]


def _waiting(project: ProjectLine) -> str:
    about = [f"责任单位{project.responsible}"] if project.responsible else []
    if project.start_on:
        about.append(f"计划{project.start_on.year}年{project.start_on.month}月开工")
    about.append(project.problems.strip("。；，") or "未报原因")
    return f"{project.name}（{'，'.join(about)}）"


def continuing(facts: Facts) -> list[str]:
    """Resumption rate and the projects that have not resumed."""
    totals = facts.continuing
    if not totals.count:
        return [f"{facts.period.year}年度计划中没有续建项目，不计算复工率。"]
    text = (
        f"续建项目{totals.count}个，总投资{money(totals.total, L)}，年度计划投资{money(totals.planned, L)}。"
    )
    text += f"已复工{facts.resumed}个，复工率{percent(facts.resumption_rate)}；{done_of(totals)}。"
    idle = [p for p in facts.projects if p.kind == "continuing" and not p.resumed and not p.completed]
    if idle:
        text += f"尚未复工{len(idle)}个：{'；'.join(_waiting(p) for p in idle)}。"
    done = [p for p in facts.projects if p.completed]
    if done:
        text += f"已完工{len(done)}个：{some([p.name for p in done], L)}。"
    return [text]


def ranking(facts: Facts) -> str:
    """Who leads, and who is behind the time."""
    rated = [g for g in facts.ranking if g.totals.completion is not None]
    if not rated:
        return "各单位年度计划投资尚未下达，不排名次。"
    what = "地区（园区）" if facts.ranked_by == "organisation" else "责任单位"
    text = f"按投资完成率排序，{what}居前的是"
    text += "、".join(f"{g.label}（{percent(g.totals.completion)}）" for g in rated[:3]) + "。"
    behind = [g for g in rated if g.totals.ahead is not None and points(g.totals.ahead) < 0]
    if not behind:
        return text + f"各{what}投资完成率均不低于时序进度。"
    return (
        text
        + f"低于时序进度的有{len(behind)}个："
        + "、".join(
            f"{g.label}（{percent(g.totals.completion)}，慢{abs(points(g.totals.ahead or Decimal(0)))}个百分点）"
            for g in behind[:8]
        )
        + ("等。" if len(behind) > 8 else "。")
    )


def lights(facts: Facts) -> list[str]:
    """The lights, then every project that shows red or yellow, with why."""
    red, yellow, green = facts.lights("red"), facts.lights("yellow"), facts.lights("green")
    text = f"按进度亮灯规则，红灯项目{len(red)}个，黄灯项目{len(yellow)}个，绿灯项目{len(green)}个。"
    if grey := facts.lights("grey"):
        text += f"另有{len(grey)}个项目没有可衡量的年度计划，不亮灯。"
    found = [text]
    for name, group in (("红灯", red), ("黄灯", yellow)):
        if group:
            listed = "；".join(f"{p.name}（{_behind(p)}）" for p in group[:10])
            found.append(
                f"{name}项目：{listed}" + (f"；其余{len(group) - 10}个见附件。" if len(group) > 10 else "。")
            )
    return found


def _behind(project: ProjectLine) -> str:
    who = f"{project.responsible}，" if project.responsible else ""
    rate = f"完成率{percent(project.completion)}，" if project.completion is not None else ""
    return f"{who}{rate}{project.light_words}"


def blockers(facts: Facts) -> list[str]:
    """Every open blocker with who has it and until when."""
    if not facts.blockers:
        return [f"截至{long_date(facts.as_of)}没有未办结的堵点。"]
    late = sum(1 for b in facts.blockers if b.overdue_days)
    text = f"未办结堵点{len(facts.blockers)}个" + (f"，其中逾期{late}个。" if late else "，均在办理期限内。")
    return [text, *(f"{i}．{_blocker(b)}" for i, b in enumerate(facts.blockers, start=1))]


def _blocker(blocker: BlockerLine) -> str:
    text = f"{blocker.project}：{blocker.title.strip('。')}（{blocker.kind_name}"
    text += f"，承办单位{blocker.body}" if blocker.body else "，尚未交办"
    if blocker.due_on:
        text += f"，办理期限{long_date(blocker.due_on)}"
    return text + (f"，已逾期{blocker.overdue_days}天）。" if blocker.overdue_days else "）。")


def funds(facts: Facts) -> str:
    """Secured, planned, missing."""
    assert facts.funds is not None
    if not facts.funds.secured and not facts.funds.planned:
        return "项目库内项目尚未登记资金来源。"
    text = f"项目库内项目已落实资金{money(facts.funds.secured, L)}，计划安排{money(facts.funds.planned, L)}"
    if facts.funds.gap <= 0:
        return text + "，没有资金缺口。"
    text += f"，资金缺口{money(facts.funds.gap, L)}。"
    if facts.funds.short_projects:
        names = "、".join(f"{name}（{money(gap, L)}）" for name, gap in facts.funds.short_projects[:3])
        text += f"缺口最大的是{names}。"
    return text


def check(facts: Facts) -> list[str]:
    """Contradictions, with both values."""
    found = [f"{i}．{_difference(d)}" for i, d in enumerate(facts.differences, start=1)]
    start = len(found) + 1
    found += [f"{i}．{text.rstrip('。')}。" for i, text in enumerate(facts.findings[:10], start=start)]
    if len(facts.findings) > 10:
        found.append(f"其余{len(facts.findings) - 10}条见系统“数据疑点”页面。")
    return ["本期数据核对发现以下不一致，通报采用逐项汇总数：", *found] if found else []


def _difference(difference: Difference) -> str:
    gap = difference.stated - difference.computed
    side = "多" if gap > 0 else "少"
    return (
        f"{difference.label}公布数为{money(difference.stated, L)}，按项目逐项汇总为{money(difference.computed, L)}，"
        f"公布数{side}{money(abs(gap), L)}（来源：{difference.source}）。"
    )


def next_steps(facts: Facts) -> list[str]:
    """What follows from the figures: the pace that is needed, and who has to do what by when."""
    steps = [step for step in (_pace(facts), *_tasks(facts)) if step]
    return [f"{i}．{step}" for i, step in enumerate(steps, start=1)]


def _pace(facts: Facts) -> str:
    """The pace that the rest of the year needs, beside the pace so far; months are those of the time progress."""
    whole, passed = facts.whole, facts.time_progress * 12
    left = 12 - passed
    if not whole.planned or whole.done is None:
        return "尽快下达年度投资计划并分解到月。"
    rest = whole.planned - whole.done
    if rest <= 0:
        over = f"年度计划投资已完成，超额{money(-rest, L)}；按实际进展继续入库入统。"
        return over if rest < 0 else "年度计划投资已全部完成。"
    if left <= 0:
        return f"年度计划投资尚有{money(rest, L)}未完成，由责任单位逐项说明原因。"
    if left <= 1:
        return f"年底前还需完成投资{money(rest, L)}。"
    months = f"{facts.as_of.month + 1}—12月" if passed == facts.as_of.month else "年内余下时间"
    so_far = f"（{span(facts.as_of)}月均完成{money(whole.done / passed, L)}）" if passed else ""
    return f"完成年度计划还需投资{money(rest, L)}，{months}月均需完成{money(rest / left, L)}{so_far}。"


def _tasks(facts: Facts) -> list[str]:
    tasks = []
    for blocker in facts.blockers[:8]:
        if not blocker.body:
            tasks.append(f"请明确“{blocker.title.strip('。')}”（{blocker.project}）的承办单位和办理期限。")
            continue
        due = (
            f"于{long_date(blocker.due_on)}前"
            if blocker.due_on and not blocker.overdue_days
            else ("立即" if blocker.due_on else "尽快")
        )
        tasks.append(f"请{blocker.body}{due}办结“{blocker.title.strip('。')}”（{blocker.project}）。")
    behind: dict[str, list[str]] = {}
    for project in [*facts.lights("red"), *facts.lights("yellow")]:
        behind.setdefault(project.responsible or "项目建设单位", []).append(project.name)
    tasks += [
        f"请{who}对{some(names, L)}倒排工期，在下次调度前报送逐月赶工安排。" for who, names in behind.items()
    ]
    return tasks


def state(project: ProjectLine) -> str:
    """已开工, 未复工, 已完工, as a table says it."""
    if project.completed:
        return "已完工"
    if project.kind == "new_start":
        return "已开工" if project.started else "未开工"
    return "已复工" if project.resumed else "未复工"


def group_label(label: str, count: int) -> str:
    """新开工（5个）."""
    return f"{label}（{count}个）"


def annex_unit(facts: Facts) -> str:
    """The day and the unit above the table of all projects."""
    return f"截至{long_date(facts.as_of)}　　{UNITS[False]}"
