"""Debt-service tables: of a place by year and by tranche, of a project by payment."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.documents import HeadCell, Row, RowKind, simple_head
from yuanmai.funds.engine.bonds.schedule import flows
from yuanmai.funds.engine.bonds.service import by_year, merge, total
from yuanmai.funds.issuing.debt import place_service
from yuanmai.funds.issuing.queries import tranches_of
from yuanmai.funds.issuing.service import engine_tranche
from yuanmai.funds.papers.sheets.model import (
    COUNT,
    DAY,
    MIDDLE,
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
from yuanmai.funds.queries import ZERO


@form(
    "service", gettext_lazy("Debt-service table"),
    gettext_lazy("Interest and principal of all tranches by year, and of each tranche."), "calendar-stats",
)  # fmt: skip
def of_place(asked: Asked) -> Sheet:
    """Fill in the debt service of a place."""
    found = place_service(asked.query)
    rows = [
        line(str(year), wan(s.interest), wan(s.principal), wan(s.total)) for year, s in found.years.items()
    ]
    whole = found.whole
    rows.append(
        line(_("Total"), wan(whole.interest), wan(whole.principal), wan(whole.total), kind=RowKind.TOTAL)
    )
    by_years = table(
        (MIDDLE, NUMBER, NUMBER, NUMBER),
        simple_head(_("Year"), _("Interest"), _("Principal"), _("Debt service")),
        rows,
        _("Debt service by year"),
    )
    lines: list[Row] = []
    for item in found.tranches:
        t = item.tranche
        lines.append(
            line(
                t.code, t.name, wan(item.principal), t.rate, t.term_years, t.value_date,
                wan(item.whole.interest), wan(item.whole.principal), wan(item.fees), wan(item.whole.total),
            )
        )  # fmt: skip
    principal = sum((item.principal for item in found.tranches), ZERO)
    lines.append(
        line(
            _("Total"), "", wan(principal), None, None, None, wan(whole.interest), wan(whole.principal),
            wan(found.fees), wan(whole.total), kind=RowKind.TOTAL,
        )
    )  # fmt: skip
    head = (
        (
            HeadCell(_("Bond code"), rowspan=2), HeadCell(_("Bond name"), rowspan=2),
            HeadCell(_("Amount used here"), rowspan=2), HeadCell(_("Rate"), rowspan=2), HeadCell(_("Term (years)"), rowspan=2),
            HeadCell(_("Value date"), rowspan=2), HeadCell(_("Over the whole term"), colspan=4),
        ),
        (HeadCell(_("Interest")), HeadCell(_("Principal")), HeadCell(_("Fees")), HeadCell(_("Debt service"))),
    )  # fmt: skip
    columns = (SHORT, TEXT, NUMBER, RATE, COUNT, DAY, NUMBER, NUMBER, NUMBER, NUMBER)
    by_tranche = table(columns, head, lines, _("Debt service by tranche"))
    title = _("Debt-service table of special bonds: %(name)s") % {"name": asked.name}
    about = _("As of %(day)s; principal and interest in the year in which they are paid.") % {
        "day": asked.query.as_of
    }
    return Sheet(title, about, (by_years, by_tranche) if found.tranches else ())


@form(
    "project-service", gettext_lazy("Debt-service table"),
    gettext_lazy("Every payment of the project's part of each tranche, and the sums by year."), "calendar-stats",
    of_project=True,
)  # fmt: skip
def of_project(asked: Asked) -> Sheet:
    """Fill in the debt service of a project."""
    shares = tranches_of(asked.query, [asked.project.project_id]).get(asked.project.project_id, [])
    rows: list[Row] = []
    years = []
    for share in shares:
        t = share.tranche
        paid = flows(engine_tranche(share))
        years.append(by_year(paid))
        text = _("%(code)s %(name)s: %(amount)s × %(rate)s, %(term)s years")
        rows.append(
            line(
                text % {
                    "code": t.code, "name": t.name, "amount": f"{wan(share.amount):,}",
                    "rate": f"{(t.rate * 100).normalize():f}%", "term": t.term_years,
                },
                kind=RowKind.GROUP,
            )
        )  # fmt: skip
        rows.extend(
            line(
                t.code, flow.date, wan(flow.interest), wan(flow.principal), wan(flow.interest + flow.principal),
                wan(flow.outstanding),
            )
            for flow in paid
        )  # fmt: skip
        whole = total(by_year(paid))
        rows.append(
            line(
                _("Subtotal"), None, wan(whole.interest), wan(whole.principal), wan(whole.total), None,
                kind=RowKind.SUBTOTAL,
            )
        )  # fmt: skip
    merged = merge(years)
    whole = total(merged)
    sums = [line(str(year), wan(s.interest), wan(s.principal), wan(s.total)) for year, s in merged.items()]
    sums.append(
        line(_("Total"), wan(whole.interest), wan(whole.principal), wan(whole.total), kind=RowKind.TOTAL)
    )
    payments = table(
        (SHORT, DAY, NUMBER, NUMBER, NUMBER, NUMBER),
        simple_head(
            _("Bond code"),
            _("Payment date"),
            _("Interest"),
            _("Principal"),
            _("Debt service"),
            _("Outstanding"),
        ),
        rows,
        _("Payments"),
    )
    by_years = table(
        (MIDDLE, NUMBER, NUMBER, NUMBER),
        simple_head(_("Year"), _("Interest"), _("Principal"), _("Debt service")),
        sums,
        _("Debt service by year"),
    )
    title = _("Debt-service table of special bonds: %(name)s") % {"name": asked.name}
    about = _("As of %(day)s; dates by the terms of the bonds, not shifted by holidays.") % {
        "day": asked.query.as_of
    }
    return Sheet(title, about, (by_years, payments) if shares else ())
