"""表1-4 of the budget's publication: issue, repayment and interest of local-government bonds, rows A to S."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.documents import simple_head
from yuanmai.core.figures import Query, breakdown
from yuanmai.funds.engine.bonds.service import NOTHING
from yuanmai.funds.issuing.debt import place_service
from yuanmai.funds.papers.sheets.model import MIDDLE, NUMBER, TEXT, Asked, Sheet, form, line, table, wan
from yuanmai.funds.queries import ZERO


@form(
    "budget-1-4", gettext_lazy("Budget form 1-4"),
    gettext_lazy("Issue, repayment and interest of the year and of the next, rows A to S; within 20 days of the approval."),
    "file-spreadsheet",
)  # fmt: skip
def budget_form(asked: Asked) -> Sheet:
    """Fill in 表1-4: the special bonds of projects, of the whole area and of the level alone.

    General bonds and refinancing bonds are not kept here: their rows stay empty, and the sums say so.
    """
    year = asked.year
    area, level = _values(asked.query, year), _values(_own(asked), year)
    names = (
        ("A", "A=B+D", _("1. Issued in %(year)s") % {"year": year}, "D"),
        ("B", "B", _("  (1) General bonds"), ""),
        ("C", "C", _("      of which refinancing bonds"), ""),
        ("D", "D", _("  (2) Special bonds"), "D"),
        ("E", "E", _("      of which refinancing bonds"), ""),
        ("F", "F=G+H", _("2. Principal repaid in %(year)s") % {"year": year}, "H"),
        ("G", "G", _("  (1) General bonds"), ""),
        ("H", "H", _("  (2) Special bonds"), "H"),
        ("I", "I=J+K", _("3. Interest paid in %(year)s") % {"year": year}, "K"),
        ("J", "J", _("  (1) General bonds"), ""),
        ("K", "K", _("  (2) Special bonds"), "K"),
        ("L", "L=M+O", _("4. Principal due in %(year)s") % {"year": year + 1}, "O"),
        ("M", "M", _("  (1) General bonds"), ""),
        ("N", "N", _("      of which by refinancing"), ""),
        ("O", "O", _("  (2) Special bonds"), "O"),
        ("P", "P", _("      of which by refinancing"), ""),
        ("Q", "Q=R+S", _("5. Interest due in %(year)s") % {"year": year + 1}, "S"),
        ("R", "R", _("  (1) General bonds"), ""),
        ("S", "S", _("  (2) Special bonds"), "S"),
    )
    rows = [
        line(name, mark, wan(area[source]) if source else None, wan(level[source]) if source else None)
        for _code, mark, name, source in names
    ]
    head = simple_head(_("Item"), _("Formula"), _("Whole area"), _("This level"))
    title = _("Form 1-4: issue and debt service of local-government bonds of %(year)s: %(name)s") % {
        "year": year, "name": asked.name,
    }  # fmt: skip
    notes = (
        _(
            "General bonds and refinancing bonds are not kept in this system; rows A, F, I, L and Q hold special bonds only."
        ),
        _(
            "Repayment and interest follow from the terms of the tranches, in the year in which they are paid."
        ),
    )
    form_table = table((TEXT, MIDDLE, NUMBER, NUMBER), head, rows, title)
    nothing = not any(area.values())
    return Sheet(
        title, _("As of %(day)s.") % {"day": asked.query.as_of}, () if nothing else (form_table,), notes
    )


def _own(asked: Asked) -> Query:
    return Query((asked.org.id,), asked.query.as_of, asked.query.known_at)


def _values(query: Query, year: int) -> dict[str, Decimal]:
    issued = sum(
        (
            g.result.value or ZERO
            for g in breakdown("bonds.issued", query, "year")
            if str(g.value) == str(year)
        ),
        ZERO,
    )
    years = place_service(query).years
    now, then = years.get(year, NOTHING), years.get(year + 1, NOTHING)
    return {"D": issued, "H": now.principal, "K": now.interest, "O": then.principal, "S": then.interest}
