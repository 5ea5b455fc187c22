"""The figures of the funds room, first part."""

from typing import Any

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.core.figures import Dimension, Facts, Query, Unit, register
from yuanmai.core.figures.model import RowView
from yuanmai.funds.models import FundingState, Security, Source
from yuanmai.funds.queries import main_funding, with_funding
from yuanmai.projects.figures import CONDITIONS, DIMENSIONS, project_row

LEDGER = _("Funding columns of project ledgers and entries of the finance office")


def secured(query: Query) -> Any:
    """Return main projects with what is secured or issued for them."""
    return with_funding(query, Security.SECURED, Security.ISSUED)


def issued(query: Query) -> Any:
    """Return main projects with the bonds that are issued for them."""
    return with_funding(query, Security.ISSUED)


def planned(query: Query) -> Any:
    """Return main projects with what is planned for them but not yet there."""
    return with_funding(query, Security.PLANNED)


def all_sources(query: Query) -> Any:
    """Return main projects of known total investment with the sum of all their sources."""
    return with_funding(query).exclude(total_investment=None)


def _define(code: str, name: Any, definition: Any, facts: Any, numerator: Any, **more: Any) -> None:
    register(
        Facts(
            code=code,
            name=name,
            unit=Unit.YUAN,
            definition=definition,
            source=LEDGER,
            grain=more.pop("grain", _("one main project")),
            dimensions=more.pop("dimensions", DIMENSIONS),
            conditions=more.pop("conditions", CONDITIONS),
            rooms=("projects", "core", "people"),
            permission="funds.view",
            facts=facts,
            numerator=numerator,
            row=more.pop("row", project_row),
            org_path="org_id",
            **more,
        )
    )


def _source_row(state: FundingState) -> RowView:
    return RowView(
        state.name,  # type: ignore[attr-defined]
        reverse("funds:project", args=[state.project.uid]),
        {
            "source": state.get_source_display(),
            "security": state.get_security_display(),
            "year": state.year,
            "tranche": state.tranche,
        },
    )


def _label(choices: Any) -> Any:
    labels = dict(choices)
    return lambda value: labels.get(value, str(value))


SOURCE_DIMENSIONS = (
    Dimension("source", _("Source"), "source", _label(Source.choices)),
    Dimension("security", _("State"), "security", _label(Security.choices)),
    Dimension("year", _("Year"), "year", lambda value: str(value) if value else _("Not stated")),
    Dimension("organisation", _("Organisation"), "org__name"),
)
SOURCE_CONDITIONS = tuple(condition for condition in CONDITIONS if condition.code == "project")

_define("funds.secured", _("Secured funds"),
        _("Sum of the sources that are secured or issued, of all main projects of the library."),
        secured, F("funded"), higher_is_better=True)  # fmt: skip
_define("funds.issued", _("Issued funds"),
        _("Sum of the sources that are issued (special bonds), of all main projects of the library."),
        issued, F("funded"), higher_is_better=True)  # fmt: skip
_define("funds.planned", _("Planned funds"),
        _("Sum of the sources that are planned but neither secured nor issued."), planned, F("funded"))  # fmt: skip
_define("funds.gap", _("Funding gap"),
        _("Total investment − every secured, issued or planned source, summed over the main projects of the library."),
        all_sources, F("total_investment") - F("funded"), higher_is_better=False)  # fmt: skip
_define("funds.sources", _("Funds by source"),
        _("Sum of all sources of the main projects of the library, whether secured, issued or planned."),
        main_funding, F("amount"), grain=_("one source of a project"), dimensions=SOURCE_DIMENSIONS,
        conditions=SOURCE_CONDITIONS, row=_source_row)  # fmt: skip
