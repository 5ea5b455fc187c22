"""What is published: the yearly publication of bonds outstanding (存续期公开)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.documents import HeadCell, Row, RowKind, simple_head
from yuanmai.core.figures import Query, evaluate
from yuanmai.funds.issuing.queries import Money, Share, money, total, tranches_of
from yuanmai.funds.models import PlanYear
from yuanmai.funds.papers.sheets.model import (
    COUNT,
    DAY,
    NUMBER,
    RATE,
    SHORT,
    TEXT,
    Asked,
    Sheet,
    form,
    line,
    table,
    wan,
)
from yuanmai.funds.paying.queries import payments
from yuanmai.projects.queries import states


def projects_of(query: Query, ids: Iterable[int]) -> dict[int, Any]:
    rows = states(query).filter(project_id__in=list(ids)).order_by("name", "project_id")
    return {row.project_id: row for row in rows}


@form(
    "publication", gettext_lazy("Yearly publication of bonds outstanding"),
    gettext_lazy("For the end of June: each bond, the projects it pays for, their investment, income and spending."),
    "report",
)  # fmt: skip
def publication(asked: Asked) -> Sheet:
    """Fill in the yearly publication: one row for each project and bond, amounts as of the day asked for."""
    query = asked.query
    shares = tranches_of(query)
    moved = money(query)
    found = projects_of(query, shares)
    income = _income(query, shares)
    rows: list[Row] = []
    for project_id, state in found.items():
        mine = shares[project_id]
        parts = [moved.get((project_id, share.tranche.pk), Money()) for share in mine]
        whole = total(parts)
        for number, (share, part) in enumerate(zip(mine, parts, strict=True)):
            rows.append(_published(state, share, part, whole, income.get(project_id), first=number == 0))
    if rows:
        whole = total(moved.values())
        rows.append(
            line(
                _("Total"), "", "", wan(whole.allotted), None, None, None, None, wan(whole.allotted), None, wan(whole.paid),
                None, wan(whole.paid), kind=RowKind.TOTAL,
            )
        )  # fmt: skip
    head = (
        (
            HeadCell(_("Project"), rowspan=2), HeadCell(_("Bond code"), rowspan=2), HeadCell(_("Bond name"), rowspan=2),
            HeadCell(_("Amount"), rowspan=2), HeadCell(_("Value date"), rowspan=2), HeadCell(_("Rate"), rowspan=2),
            HeadCell(_("Term (years)"), rowspan=2), HeadCell(_("Total investment"), colspan=2),
            HeadCell(_("Investment done"), colspan=2), HeadCell(_("Project income so far"), rowspan=2),
            HeadCell(_("Spent of this bond"), rowspan=2),
        ),
        (HeadCell(_("in all")), HeadCell(_("of which bonds")), HeadCell(_("in all")), HeadCell(_("of which bonds"))),
    )  # fmt: skip
    columns = (TEXT, SHORT, TEXT, NUMBER, DAY, RATE, COUNT, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER)
    title = _("Special bonds outstanding, publication of %(year)s: %(name)s") % {
        "year": asked.year,
        "name": asked.name,
    }
    tables = (table(columns, head, rows, _("Bonds and projects")), by_use(query)) if rows else ()
    about = _("Special bonds for projects (kind: project income bonds), as of %(day)s.") % {
        "day": query.as_of
    }
    notes = (_("Total investment and investment done stand in the first row of each project."),)
    return Sheet(title, about, tables, notes)


def _published(
    state: Any, share: Share, part: Money, whole: Money, income: Decimal | None, *, first: bool
) -> Row:
    t = share.tranche
    overall: tuple[Decimal | None, ...] = (None,) * 5
    if first:
        overall = (state.total_investment, whole.allotted, state.done_total, whole.paid, income)
    return line(
        state.name, t.code, t.name, wan(part.allotted), t.value_date, t.rate, t.term_years,
        *(wan(value) for value in overall), wan(part.paid),
    )  # fmt: skip


def _income(query: Query, project_ids: Iterable[int]) -> dict[int, Decimal]:
    """Income that was earned: the years of the version *in operation* up to the question's year."""
    rows = PlanYear.objects.filter(
        reserve__project_id__in=list(project_ids),
        reserve__withdrawn_at=None,
        version=PlanYear.Version.OPERATING,
        year__lte=query.as_of.year,
    )
    return dict(rows.order_by().values_list("reserve__project_id").annotate(total=Sum("revenue")))


def by_use(query: Query) -> Any:
    """Spending by what the offering file calls its uses."""
    rows = payments(query).values_list("use__name").annotate(total=Sum("amount")).order_by("use__name")
    lines = [line(name or _("Not assigned to a named use"), wan(amount)) for name, amount in rows]
    spent = evaluate("bonds.spent", query)
    lines.append(line(_("Total"), wan(spent.value), kind=RowKind.TOTAL))
    return table((TEXT, NUMBER), simple_head(_("Function"), _("Spent")), lines, _("Spending by function"))
