"""Coverage tables: of a project by year, over the horizon of the offering file; of a place by project."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.documents import HeadCell, RowKind, Table, simple_head
from yuanmai.core.figures import evaluate_many
from yuanmai.funds.engine.bonds.coverage import Coverage, Ratio, Row, ratio
from yuanmai.funds.engine.bonds.horizon import fold_beyond
from yuanmai.funds.figures.facts import coverage as coverage_facts
from yuanmai.funds.issuing.service import statement_of
from yuanmai.funds.models import PlanYear, Reserve
from yuanmai.funds.papers.sheets.model import (
    COUNT,
    MIDDLE,
    NUMBER,
    SHORT,
    TEXT,
    TIMES,
    Asked,
    Sheet,
    form,
    line,
    table,
    times,
    wan,
)
from yuanmai.funds.reserve.rules import rules_for

FIGURES = (
    "bonds.coverage", "bonds.coverage_operating", "bonds.coverage_with_fees", "bonds.coverage_all_debt",
)  # fmt: skip


def reserve_of(asked: Asked) -> Reserve | None:
    """Return the newest reserve project of the asked project."""
    rows = Reserve.objects.filter(project_id=asked.project.project_id, withdrawn_at=None)
    return rows.select_related("project", "org").order_by("-id").first()


@form(
    "project-coverage", gettext_lazy("Coverage table"),
    gettext_lazy("Income, debt service and balance by year, and the coverage by every denominator in use."), "scale",
    of_project=True,
)  # fmt: skip
def of_project(asked: Asked) -> Sheet:
    """Fill in the coverage of a project: what is issued in place of what was planned, what was earned in place of the forecast."""
    title = _("Coverage of principal and interest: %(name)s") % {"name": asked.name}
    reserve = reserve_of(asked)
    if reserve is None:
        return Sheet(title, "", ())
    found = statement_of(reserve, PlanYear.Version.OPERATING, asked.query)
    horizon = rules_for(reserve.org_id, asked.query.as_of, asked.query.known_at)["horizon"]
    columns = fold_beyond(found.rows, horizon)

    def cells(name: str, row: Row) -> tuple[object, ...]:
        return (
            name, wan(row.revenue), wan(row.operating_cost), wan(row.tax), wan(row.net_revenue), wan(row.principal),
            wan(row.interest), wan(row.debt_service), times(row.year_coverage), wan(row.cumulative_balance),
        )  # fmt: skip

    rows = [line(*cells(str(row.year), row)) for row in columns.rows]  # type: ignore[arg-type]
    if columns.later is not None:
        rows.append(line(*cells(_("and later"), columns.later)))  # type: ignore[arg-type]
    whole = fold_beyond(found.rows, 0).later
    if whole is not None:
        rows.append(line(*cells(_("Total"), whole), kind=RowKind.TOTAL))  # type: ignore[arg-type]
    by_year = table(
        (MIDDLE, *[NUMBER] * 7, TIMES, NUMBER),
        (
            (
                HeadCell(_("Year"), rowspan=2), HeadCell(_("Income available for debt service"), colspan=4),
                HeadCell(_("Due"), colspan=3), HeadCell(_("Coverage of the year"), rowspan=2),
                HeadCell(_("Cumulative balance"), rowspan=2),
            ),
            (
                HeadCell(_("Income")), HeadCell(_("Operating cost")), HeadCell(_("Tax")), HeadCell(_("Net income")),
                HeadCell(_("Principal")), HeadCell(_("Interest")), HeadCell(_("Debt service")),
            ),
        ),
        rows,
        _("Income and debt service by year"),
    )  # fmt: skip
    gaps = [str(row.year) for row in found.rows if row.cumulative_balance < 0]
    notes = (
        (_("Years with a negative cumulative balance: %(years)s.") % {"years": "、".join(gaps)},)
        if gaps
        else (_("The cumulative balance is never negative."),)
    )
    about = _("As of %(day)s; issued tranches at their rates, the rest as planned.") % {
        "day": asked.query.as_of
    }
    return Sheet(title, about, (_ratios(found.coverage), by_year), notes)


def _ratios(coverage: Coverage) -> Table:
    names: list[tuple[str, str]] = [
        ("all_interest", _("All interest, construction period included")),
        ("operating_period_interest_only", _("Interest of the operating period only")),
        ("with_issue_fees", _("With fees of issue, registration and redemption")),
        ("all_debt", _("All debt, market loans included")),
        ("principal", _("Principal of the bonds alone")),
        ("investment", _("Total investment")),
    ]
    rows = []
    for attribute, name in names:
        item: Ratio = getattr(coverage, attribute)
        rows.append(line(name, wan(item.numerator), wan(item.denominator), times(item.value)))
    head = simple_head(_("Denominator"), _("Net income"), _("Denominator (amount)"), _("Coverage"))
    return table((TEXT, NUMBER, NUMBER, TIMES), head, rows, _("Coverage by denominator"))


@form(
    "coverage", gettext_lazy("Coverage table"),
    gettext_lazy("Coverage of every reserve project by the four denominators in use."), "scale",
)  # fmt: skip
def of_place(asked: Asked) -> Sheet:
    """Fill in the coverage of a place: one row for each reserve project with debt service."""
    rows = []
    for record in coverage_facts(asked.query).select_related("reserve__project"):
        ratios = (
            ratio(record.net_income, record.service),
            ratio(record.net_income, record.service_operating),
            ratio(record.net_income, record.service_with_fees),
            ratio(record.net_income_all_debt, record.service_all_debt),
        )
        rows.append(
            line(
                record.name, str(record.get_version_display()), wan(record.net_income), wan(record.service),
                *(times(item.value) for item in ratios), record.gap_years,
            )
        )  # fmt: skip
    shown = evaluate_many(FIGURES, asked.query)
    whole = shown["bonds.coverage"]
    if rows:
        rows.append(
            line(
                _("Total"), "", wan(whole.numerator), wan(whole.denominator),
                *(times(shown[code].value) for code in FIGURES), None, kind=RowKind.TOTAL,
            )
        )  # fmt: skip
    head = (
        (
            HeadCell(_("Project"), rowspan=2), HeadCell(_("Version"), rowspan=2), HeadCell(_("Net income"), rowspan=2),
            HeadCell(_("Debt service"), rowspan=2), HeadCell(_("Coverage"), colspan=4), HeadCell(_("Years of a gap"), rowspan=2),
        ),
        (
            HeadCell(_("All interest")), HeadCell(_("Interest of operation only")), HeadCell(_("With fees")),
            HeadCell(_("All debt")),
        ),
    )  # fmt: skip
    columns = (TEXT, SHORT, NUMBER, NUMBER, TIMES, TIMES, TIMES, TIMES, COUNT)
    title = _("Coverage of principal and interest: %(name)s") % {"name": asked.name}
    about = _("As of %(day)s; income, cost and tax over the life of the bonds.") % {"day": asked.query.as_of}
    return Sheet(title, about, (table(columns, head, rows, title),) if rows else ())
