"""The sentences of the English edition (pure); the same facts in the same order as the Chinese one."""

from datetime import date
from decimal import Decimal

from yuanmai.cockpit.bulletins.facts import BlockerLine, Difference, Facts, ProjectLine, Totals
from yuanmai.cockpit.bulletins.period import Period
from yuanmai.cockpit.bulletins.phrases import money, percent, points, some
from yuanmai.core.documents.text import long_date

L = "en"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
ORDINALS = ("first", "second", "third", "fourth")

HEADINGS = {
    "overall": "Overall",
    "starts": "Starts and resumption",
    "new_start": "New starts",
    "continuing": "Continuing projects",
    "parts": "Categories and ranking",
    "lights": "Projects behind schedule",
    "blockers": "Open blockers",
    "funds": "Funding",
    "check": "Check of the data",
    "next": "What follows",
}
CAPTIONS = {
    "kinds": "Table 1  Key projects",
    "categories": "Table 2  Investment by category",
    "responsible": "Table 3  Investment by responsible organisation",
    "organisation": "Table 3  Investment by place",
}
COLUMNS = {
    "kind": "Kind", "category": "Category", "responsible": "Responsible organisation", "organisation": "Place",
    "rank": "Rank", "count": "Projects", "total": "Total investment", "planned": "Planned for the year",
    "done": "Done this year", "completion": "Completion rate", "ahead": "Ahead of time (points)", "number": "No.",
    "name": "Project", "state": "State", "light": "Light", "visible": "Visible progress", "problems": "Problems",
    "leader": "Leader in charge", "whole": "Total", "new_start": "New starts", "continuing": "Continuing",
    "other": "Not classified",
}  # fmt: skip
LIGHTS = {"red": "Red", "yellow": "Yellow", "green": "Green", "grey": "—"}
UNITS = {True: "Unit: CNY 100 million", False: "Unit: CNY 10,000"}
ADDRESSEE = "All units concerned"


def period_name(period: Period) -> str:
    """March 2022, the first quarter of 2022, 2022."""
    if period.kind == "month":
        return f"{MONTHS[period.number - 1]} {period.year}"
    if period.kind == "quarter":
        return f"the {ORDINALS[period.number - 1]} quarter of {period.year}"
    return str(period.year)


def title(facts: Facts) -> str:
    """The title of the document."""
    return f"Bulletin of key projects for {period_name(facts.period)}"


def mark(org: str) -> str:
    """The red mark where the issuer states none."""
    return f"{org}: Key Projects"


def number(period: Period) -> str:
    """The number of the issue where the issuer states none."""
    return f"Issue {period.text}"


def annex_title(facts: Facts) -> str:
    """The title of the table of all projects."""
    return f"Key projects of {facts.period.year}"


def span(as_of: date) -> str:
    """The part of the year up to a day."""
    return f"from 1 January to {long_date(as_of, L)}"


def plural(count: int, noun: str) -> str:
    """1 project, 2 projects."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def opening(facts: Facts) -> str:
    """The first sentence."""
    return f"This is the state of the key projects of {facts.org} as of {long_date(facts.as_of, L)}."


def nothing(facts: Facts) -> str:
    """What is said where no project is on the plan."""
    text = f"As of {long_date(facts.as_of, L)} no key project of {facts.org} is on the plan of {facts.period.year}."
    return f"{text} {reserve(facts)}".strip()


def reserve(facts: Facts) -> str:
    """The reserve, where there is one."""
    if not facts.reserve_count:
        return ""
    return f"The reserve holds {plural(facts.reserve_count, 'project')} of {money(facts.reserve_total, L)} in all."


def overall(facts: Facts) -> list[str]:
    """How many projects, and how much of the year's plan is done."""
    whole = facts.whole
    text = f"The plan of {facts.period.year} holds {plural(whole.count, 'project')} with a total investment of {money(whole.total, L)}"
    text += (
        f"; {money(whole.planned, L)} are planned for the year."
        if whole.planned
        else "; no investment is planned yet."
    )
    if facts.over_1bn:
        text += f" Of these, {facts.over_1bn} {'reaches' if facts.over_1bn == 1 else 'reach'} CNY 1 billion."
    return [f"{text} {reserve(facts)}".strip(), progress(facts)]


def progress(facts: Facts) -> str:
    """Investment done against the plan and against the time."""
    whole = facts.whole
    text = f"{money(whole.done, L)} were done {span(facts.as_of)}"
    if whole.completion is None:
        text += "; without a plan for the year there is no completion rate."
    else:
        text += f", which is {percent(whole.completion)} of the year's plan; {percent(facts.time_progress)} of the year have passed"
        text += f" ({against_time(whole.ahead)})."
    if facts.period.before and facts.in_period is not None and facts.period.kind != "year":
        own = f"Of this, {money(facts.in_period, L)}" if facts.in_period else "Nothing new was reported"
        text += f" {own} in {period_name(facts.period)}."
    return text


def against_time(ahead: Decimal | None) -> str:
    """Ahead of the time, behind it, or in step with it."""
    if ahead is None:
        return "not compared with the time"
    difference = points(ahead)
    if difference == 0:
        return "in step with the time"
    return f"{abs(difference)} points {'ahead of' if difference > 0 else 'behind'} the time"


def done_of(totals: Totals) -> str:
    """Investment done and its share of the plan."""
    text = f"{money(totals.done, L)} done"
    return text + (f", {percent(totals.completion)} of the plan" if totals.completion is not None else "")


def new_starts(facts: Facts) -> list[str]:
    """Start rate and the projects that have not started, each with its reason."""
    totals = facts.new_start
    if not totals.count:
        return [f"The plan of {facts.period.year} has no new starts; there is no start rate."]
    text = f"{plural(totals.count, 'new start')} with a total investment of {money(totals.total, L)}, {money(totals.planned, L)} planned for the year. "
    text += f"{facts.started} have started (start rate {percent(facts.start_rate)}); {done_of(totals)}."
    waiting = [p for p in facts.projects if p.kind == "new_start" and not p.started]
    if not waiting:
        return [f"{text} All new starts have started."]
    return [text, f"Not started ({len(waiting)}): " + "; ".join(_waiting(p) for p in waiting) + "."]


def _waiting(project: ProjectLine) -> str:
    about = [project.responsible] if project.responsible else []
    if project.start_on:
        about.append(f"start planned for {MONTHS[project.start_on.month - 1]} {project.start_on.year}")
    about.append(project.problems.strip("。；，.") or "no reason reported")
    return f"{project.name} ({', '.join(about)})"


def continuing(facts: Facts) -> list[str]:
    """Resumption rate and the projects that have not resumed."""
    totals = facts.continuing
    if not totals.count:
        return [f"The plan of {facts.period.year} has no continuing projects; there is no resumption rate."]
    text = f"{plural(totals.count, 'continuing project')} with a total investment of {money(totals.total, L)}, {money(totals.planned, L)} planned for the year. "
    text += (
        f"{facts.resumed} have resumed (resumption rate {percent(facts.resumption_rate)}); {done_of(totals)}."
    )
    idle = [p for p in facts.projects if p.kind == "continuing" and not p.resumed and not p.completed]
    if idle:
        text += f" Not resumed ({len(idle)}): {'; '.join(_waiting(p) for p in idle)}."
    done = [p for p in facts.projects if p.completed]
    if done:
        text += f" Completed ({len(done)}): {some([p.name for p in done], L)}."
    return [text]


def ranking(facts: Facts) -> str:
    """Who leads, and who is behind the time."""
    rated = [g for g in facts.ranking if g.totals.completion is not None]
    if not rated:
        return "Without plans for the year there is no ranking."
    text = "By completion rate the first are "
    text += ", ".join(f"{g.label} ({percent(g.totals.completion)})" for g in rated[:3]) + "."
    behind = [g for g in rated if g.totals.ahead is not None and points(g.totals.ahead) < 0]
    if not behind:
        return f"{text} None is behind the time."
    listed = ", ".join(
        f"{g.label} ({percent(g.totals.completion)}, {abs(points(g.totals.ahead or Decimal(0)))} points)"
        for g in behind[:8]
    )
    return f"{text} Behind the time ({len(behind)}): {listed}" + (" and others." if len(behind) > 8 else ".")


def lights(facts: Facts) -> list[str]:
    """The lights, then every project that shows red or yellow, with why."""
    red, yellow, green = facts.lights("red"), facts.lights("yellow"), facts.lights("green")
    text = f"{plural(len(red), 'project')} red, {len(yellow)} yellow, {len(green)} green."
    if grey := facts.lights("grey"):
        text += f" {plural(len(grey), 'project')} without a plan to measure against."
    found = [text]
    for name, group in (("Red", red), ("Yellow", yellow)):
        if group:
            listed = "; ".join(f"{p.name} ({_behind(p)})" for p in group[:10])
            found.append(
                f"{name}: {listed}"
                + (f"; {len(group) - 10} more in the attachment." if len(group) > 10 else ".")
            )
    return found


def _behind(project: ProjectLine) -> str:
    who = f"{project.responsible}, " if project.responsible else ""
    rate = f"{percent(project.completion)} done, " if project.completion is not None else ""
    return f"{who}{rate}{project.light_words}"


def blockers(facts: Facts) -> list[str]:
    """Every open blocker with who has it and until when."""
    if not facts.blockers:
        return [f"No blocker is open as of {long_date(facts.as_of, L)}."]
    late = sum(1 for b in facts.blockers if b.overdue_days)
    text = f"{plural(len(facts.blockers), 'open blocker')}, " + (
        f"{late} overdue." if late else "none overdue."
    )
    return [text, *(f"{i}. {_blocker(b)}" for i, b in enumerate(facts.blockers, start=1))]


def _blocker(blocker: BlockerLine) -> str:
    text = f"{blocker.project}: {blocker.title.strip('。.')} ({blocker.kind_name}"
    text += f", with {blocker.body}" if blocker.body else ", not handed over yet"
    if blocker.due_on:
        text += f", due {long_date(blocker.due_on, L)}"
    return text + (f", {plural(blocker.overdue_days, 'day')} overdue)." if blocker.overdue_days else ").")


def funds(facts: Facts) -> str:
    """Secured, planned, missing."""
    assert facts.funds is not None
    if not facts.funds.secured and not facts.funds.planned:
        return "No source of funds is recorded for the projects in the library."
    text = f"Of the projects in the library {money(facts.funds.secured, L)} are secured and {money(facts.funds.planned, L)} planned"
    if facts.funds.gap <= 0:
        return f"{text}; there is no funding gap."
    text += f"; the funding gap is {money(facts.funds.gap, L)}."
    if facts.funds.short_projects:
        names = ", ".join(f"{name} ({money(gap, L)})" for name, gap in facts.funds.short_projects[:3])
        text += f" The largest gaps: {names}."
    return text


def check(facts: Facts) -> list[str]:
    """Contradictions, with both values."""
    found = [f"{i}. {_difference(d)}" for i, d in enumerate(facts.differences, start=1)]
    start = len(found) + 1
    found += [f"{i}. {text.rstrip('.')}." for i, text in enumerate(facts.findings[:10], start=start)]
    if len(facts.findings) > 10:
        found.append(f"{len(facts.findings) - 10} more on the page of findings.")
    return (
        ["The data contradict themselves here; the bulletin uses the sums of the rows.", *found]
        if found
        else []
    )


def _difference(difference: Difference) -> str:
    gap = difference.stated - difference.computed
    return (
        f"{difference.label}: {money(difference.stated, L)} stated, {money(difference.computed, L)} from the rows, "
        f"{money(abs(gap), L)} too {'much' if gap > 0 else 'little'} stated (source: {difference.source})."
    )


def next_steps(facts: Facts) -> list[str]:
    """What follows from the figures: the pace that is needed, and who has to do what by when."""
    steps = [step for step in (_pace(facts), *_tasks(facts)) if step]
    return [f"{i}. {step}" for i, step in enumerate(steps, start=1)]


def _pace(facts: Facts) -> str:
    """The pace that the rest of the year needs, beside the pace so far; months are those of the time progress."""
    whole, passed = facts.whole, facts.time_progress * 12
    left = 12 - passed
    if not whole.planned or whole.done is None:
        return "Plan the investment of the year and split it by month."
    rest = whole.planned - whole.done
    if rest <= 0:
        return (
            "The year's plan is done." if rest == 0 else f"The year's plan is exceeded by {money(-rest, L)}."
        )
    if left <= 0:
        return f"{money(rest, L)} of the year's plan are missing; the responsible organisations state why, project by project."
    if left <= 1:
        return f"{money(rest, L)} are left to be done before the end of the year."
    so_far = f" (so far {money(whole.done / passed, L)} a month)" if passed else ""
    return f"{money(rest, L)} are left of the year's plan: {money(rest / left, L)} a month until December{so_far}."


def _tasks(facts: Facts) -> list[str]:
    tasks = []
    for blocker in facts.blockers[:8]:
        due = (
            f"by {long_date(blocker.due_on, L)}" if blocker.due_on and not blocker.overdue_days else "at once"
        )
        tasks.append(f"{blocker.body}: settle “{blocker.title.strip('。.')}” ({blocker.project}) {due}.")
    behind: dict[str, list[str]] = {}
    for project in [*facts.lights("red"), *facts.lights("yellow")]:
        behind.setdefault(project.responsible or "The owner", []).append(project.name)
    tasks += [
        f"{who}: schedule {some(names, L)} backward and report by month before the next dispatch."
        for who, names in behind.items()
    ]
    return tasks


def state(project: ProjectLine) -> str:
    """Started, not resumed, completed, as a table says it."""
    if project.completed:
        return "Completed"
    if project.kind == "new_start":
        return "Started" if project.started else "Not started"
    return "Resumed" if project.resumed else "Not resumed"


def group_label(label: str, count: int) -> str:
    """New starts (5)."""
    return f"{label} ({count})"


def annex_unit(facts: Facts) -> str:
    """The day and the unit above the table of all projects."""
    return f"As of {long_date(facts.as_of, L)}. {UNITS[False]}"
