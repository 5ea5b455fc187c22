"""The report on the use of funds: allotted, disbursed, paid, and what is left with whom."""

from collections import defaultdict

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.documents import Row, RowKind, simple_head
from yuanmai.funds.issuing.queries import Money, money, total, tranches_of
from yuanmai.funds.papers.sheets.model import NUMBER, SHORT, TEXT, Asked, Sheet, form, line, table, wan
from yuanmai.funds.papers.sheets.publication import by_use, projects_of


@form(
    "use", gettext_lazy("Report on the use of funds"),
    gettext_lazy("What each project was allotted, what the treasury disbursed, what the owner paid, what is left."),
    "report-money",
)  # fmt: skip
def use_of_funds(asked: Asked) -> Sheet:
    """Fill in the use of funds: projects with their tranches below."""
    query = asked.query
    moved = money(query)
    by_project: dict[int, dict[int, Money]] = defaultdict(dict)
    for (project_id, tranche_id), part in moved.items():
        by_project[project_id][tranche_id] = part
    names = {share.tranche.pk: share.tranche for shares in tranches_of(query).values() for share in shares}
    rows: list[Row] = []
    for project_id, state in projects_of(query, by_project).items():
        parts = by_project[project_id]
        for tranche_id, part in parts.items():
            tranche = names.get(tranche_id)
            rows.append(_moved(state.name, tranche.code if tranche else "", part))
        if len(parts) > 1:
            rows.append(_moved(_("Subtotal"), "", total(parts.values()), RowKind.SUBTOTAL))
    if rows:
        rows.append(_moved(_("Total"), "", total(moved.values()), RowKind.TOTAL))
    columns = (TEXT, SHORT, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER)
    head = simple_head(
        _("Project"),
        _("Bond code"),
        _("Allotted"),
        _("Disbursed"),
        _("Paid"),
        _("With the treasury"),
        _("With the owner"),
    )
    title = _("Use of special-bond funds: %(name)s") % {"name": asked.name}
    about = _("As of %(day)s.") % {"day": query.as_of}
    return Sheet(title, about, (table(columns, head, rows, _("Use of funds")), by_use(query)) if rows else ())


def _moved(name: str, code: str, part: Money, kind: RowKind = RowKind.ROW) -> Row:
    return line(
        name,
        code,
        wan(part.allotted),
        wan(part.disbursed),
        wan(part.paid),
        wan(part.undrawn),
        wan(part.unspent),
        kind=kind,
    )
