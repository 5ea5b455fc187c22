"""The figures of special bonds, each defined once."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.core.figures import Derived, Dimension, Facts, Query, Result, Unit, register
from yuanmai.core.figures.model import RowView
from yuanmai.core.policy import Text
from yuanmai.funds.figures import facts
from yuanmai.funds.figures.funding import LEDGER, SOURCE_CONDITIONS
from yuanmai.funds.models import Reserve, Security
from yuanmai.funds.queries import with_funding
from yuanmai.projects.figures import (
    CONDITIONS,
    DIMENSIONS,
    NOT_STATED,
    project_name,
    project_row,
    project_uid,
)

ROOMS = ("funds", "projects", "core", "people")
RESERVE = _("The reserve of special-bond projects and its reviews")
ISSUE = _("Tranches and their allotment to projects")
TREASURY = _("Disbursements of the treasury")
OWNERS = _("Payments of the owners, with their payment files")


def _named(choices: Any) -> Callable[[Any], Text]:
    labels = dict(choices)
    return lambda value: labels.get(value, str(value))


def _stated(value: Any) -> Text:
    return str(value) if value else NOT_STATED


PLACE = (
    Dimension("organisation", _("Organisation"), "org__name", _stated),
    Dimension("park", _("Park"), "park_name", _stated),
    Dimension("category", _("Category"), "category", _stated),
)
RESERVE_DIMENSIONS = (
    *PLACE,
    Dimension("state", _("State"), "state_then", _named(Reserve.State.choices)),
    Dimension("year", _("Year"), "year", _stated),
    Dimension("field", _("Field of use"), "field", _stated),
    Dimension("joint_start", _("Joint start batch"), "joint_start", _stated),
)
MOVEMENT_DIMENSIONS = (
    Dimension("organisation", _("Organisation"), "project__org__name", _stated),
    *PLACE[1:],
    Dimension("tranche", _("Tranche"), "tranche__code", _stated),
    Dimension("year", _("Year"), "value_year", _stated),
)


def reserve_row(reserve: Any) -> RowView:
    """Show one reserve project behind a figure."""
    return RowView(
        reserve.name,
        reverse("funds:reserve_record", args=[reserve.uid]),
        {
            "state": str(Reserve.State(reserve.state_then).label),
            "year": reserve.year,
            "requested": reserve.requested,
            "approved": reserve.approved_then,
        },
    )


def movement_row(movement: Any) -> RowView:
    """Show one movement of bond money behind a figure."""
    return RowView(
        movement.name,
        reverse("funds:tranche", args=[movement.tranche.uid]),
        {"tranche": movement.tranche.code, "effective_on": movement.effective_on, "amount": movement.amount},
    )


def coverage_row(record: Any) -> RowView:
    """Show one reserve project with its income and debt service."""
    return RowView(
        record.name,
        reverse("funds:reserve_record", args=[record.reserve.uid]),
        {
            "version": record.get_version_display(),
            "net_income": record.net_income,
            "debt_service": record.service,
            "gap_years": record.gap_years,
        },
    )


def _define(
    code: str, name: Text, unit: Unit, definition: Text, source: Any, numerator: Any, **more: Any
) -> None:
    conditions = more.pop("conditions", SOURCE_CONDITIONS)
    register(
        Facts(
            code=code,
            name=name,
            unit=unit,
            definition=definition,
            source=more.pop("stated_in"),
            grain=more.pop("grain"),
            dimensions=more.pop("dimensions"),
            conditions=conditions,
            rooms=ROOMS,
            permission="funds.view",
            facts=source,
            numerator=numerator,
            row=more.pop("row"),
            **more,
        )
    )


def _of_project(records: QuerySet[Any], value: str) -> QuerySet[Any]:
    uid = project_uid(value)
    return records.filter(reserve__project__uid=uid) if uid else records.none()


_reserve: dict[str, Any] = {
    "stated_in": RESERVE,
    "grain": _("one reserve project"),
    "dimensions": RESERVE_DIMENSIONS,
    "row": reserve_row,
}
_movement: dict[str, Any] = {"dimensions": MOVEMENT_DIMENSIONS, "row": movement_row}
_coverage: dict[str, Any] = {
    "stated_in": _("Financing and income plans, computed by the bond engine"),
    "grain": _("one reserve project"),
    "dimensions": (
        Dimension("organisation", _("Organisation"), "reserve__org__name", _stated),
        *PLACE[1:],
        Dimension("year", _("Year"), "reserve__year", _stated),
    ),
    "conditions": (Dimension("project", _("Project"), "project_id", project_name, narrow=_of_project),),
    "row": coverage_row,
    "higher_is_better": True,
}

_define("bonds.reserve_count", _("Reserve projects for bonds"), Unit.COUNT,
        _("Reserve projects in preparation or reviewed, not yet reported for bonds."),
        facts.waiting, facts.ONE, **_reserve)  # fmt: skip
_define("bonds.applied_count", _("Projects applied for"), Unit.COUNT,
        _("Reserve projects that were reported for bonds, whatever came of it."), facts.applied, facts.ONE, **_reserve)  # fmt: skip
_define("bonds.approved_count", _("Projects with approved bonds"), Unit.COUNT,
        _("Reserve projects whose bonds are approved."), facts.approved, facts.ONE, **_reserve)  # fmt: skip
_define("bonds.requested", _("Bonds requested"), Unit.YUAN,
        _("Sum of the bonds that reserve projects ask for, whatever their state."), facts.reserves, F("requested"), **_reserve)  # fmt: skip
_define("bonds.approved", _("Bonds approved"), Unit.YUAN,
        _("Sum of the approved amounts of reserve projects."), facts.approved, F("approved_then"),
        **_reserve, higher_is_better=True)  # fmt: skip
_define("bonds.quota", _("Bond quota"), Unit.YUAN,
        _("The quota of a place and year as last stated, summed over places and years."), facts.quotas, F("amount"),
        stated_in=_("Statements of quota"), grain=_("one place and year"), conditions=(),
        dimensions=(PLACE[0], Dimension("year", _("Year"), "year", _stated)),
        row=lambda q: RowView(q.org.label, reverse("funds:quotas"), {"year": q.year, "amount": q.amount}))  # fmt: skip
_define("bonds.issued", _("Bonds issued"), Unit.YUAN,
        _("Sum of what issued tranches were allotted to projects, less what a change of use took away."),
        facts.allotments, F("amount"), stated_in=ISSUE, grain=_("one allotment"), **_movement, higher_is_better=True)  # fmt: skip
_define("bonds.paid_out", _("Bonds paid out"), Unit.YUAN,
        _("Sum of what the treasury disbursed to owners."), facts.disbursements, F("amount"),
        stated_in=TREASURY, grain=_("one disbursement"), **_movement, higher_is_better=True)  # fmt: skip
_define("bonds.spent", _("Bonds spent"), Unit.YUAN,
        _("Sum of what owners paid to payees out of bond money."), facts.payments, F("amount"),
        stated_in=OWNERS, grain=_("one payment"), **_movement, higher_is_better=True)  # fmt: skip
_define("bonds.idle", _("Idle bonds"), Unit.YUAN,
        _("Disbursed and not spent though the time allowed for the tranche has passed."),
        facts.idle, F("unspent"), stated_in=TREASURY, grain=_("one tranche of a project"),
        **_movement, higher_is_better=False)  # fmt: skip
_define("bonds.coverage", _("Debt-service coverage"), Unit.TIMES,
        _("Σ net income available for debt service ÷ Σ (principal + all interest) over the bonds' life; "
          "interest of the construction period included, fees not."),
        facts.coverage, F("net_income"), denominator=F("service"), **_coverage)  # fmt: skip
_define("bonds.coverage_operating", _("Coverage, interest of operation only"), Unit.TIMES,
        _("Net income ÷ (principal + interest of the operating period)."),
        facts.coverage, F("net_income"), denominator=F("service_operating"), **_coverage)  # fmt: skip
_define("bonds.coverage_with_fees", _("Coverage with fees"), Unit.TIMES,
        _("Net income ÷ (principal + all interest + fees of issue, registration and redemption)."),
        facts.coverage, F("net_income"), denominator=F("service_with_fees"), **_coverage)  # fmt: skip
_define("bonds.coverage_all_debt", _("Coverage of all debt"), Unit.TIMES,
        _("Net income ÷ (principal + interest of bonds and market loans)."),
        facts.coverage, F("net_income_all_debt"), denominator=F("service_all_debt"), **_coverage)  # fmt: skip


def _quotient(top: str, bottom: str) -> Callable[[Mapping[str, Result]], Result]:
    def combine(results: Mapping[str, Result]) -> Result:
        numerator, denominator = results[top].value, results[bottom].value
        if not denominator or numerator is None:
            return Result(None, numerator, denominator)
        return Result(numerator / denominator, numerator, denominator)

    return combine


def _rate(code: str, name: Text, definition: Text, top: str, bottom: str, source: Text) -> None:
    register(
        Derived(
            code=code,
            name=name,
            unit=Unit.RATIO,
            definition=definition,
            source=source,
            grain=_("one movement of bond money"),
            dimensions=(PLACE[0], *PLACE[1:]),
            conditions=SOURCE_CONDITIONS,
            rooms=ROOMS,
            permission="funds.view",
            inputs=(top, bottom),
            combine=_quotient(top, bottom),
            rows_of=top,
            higher_is_better=True,
        )
    )


_rate("bonds.payout_rate", _("Payout rate"), _("Bonds paid out by the treasury ÷ bonds approved."),
      "bonds.paid_out", "bonds.approved", TREASURY)  # fmt: skip
_rate("bonds.spending_rate", _("Spending rate"), _("Bonds spent by the owners ÷ bonds issued."),
      "bonds.spent", "bonds.issued", OWNERS)  # fmt: skip


def _arrived(query: Query) -> Any:
    return with_funding(query, Security.SECURED, Security.ISSUED).exclude(total_investment=None)


register(
    Facts(
        code="funds.arrival_rate",
        name=_("Arrival rate"),
        unit=Unit.RATIO,
        definition=_(
            "Secured and issued sources ÷ total investment, over the main projects of known total investment. "
            "More than 100 % is shown as it is."
        ),
        source=LEDGER,
        grain=_("one main project"),
        dimensions=DIMENSIONS,
        conditions=CONDITIONS,
        rooms=("projects", "core", "people"),
        permission="funds.view",
        facts=_arrived,
        numerator=F("funded"),
        denominator=F("total_investment"),
        row=project_row,
        higher_is_better=True,
    )
)
