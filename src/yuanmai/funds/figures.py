"""The figures of the funds room, first part."""

from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from yuanmai.core.figures import Facts, Query, Unit, register
from yuanmai.funds.models import FundingState, Security
from yuanmai.projects.figures import CONDITIONS, DIMENSIONS, project_row
from yuanmai.projects.models import ProjectState
from yuanmai.projects.queries import main_projects
from yuanmai.projects.queries.lights import with_light

_MONEY: DecimalField[Any, Any] = DecimalField(max_digits=18, decimal_places=2)
LEDGER = _("Funding columns of project ledgers and entries of the finance office")


def funding(query: Query) -> QuerySet[FundingState]:
    """Return the sources of all projects of the query's organisations on its day."""
    return FundingState.objects.at(query.as_of, query.known_at).filter(org_id__in=query.org_ids)


def _with_funding(query: Query, *securities: str) -> QuerySet[ProjectState]:
    """Return main projects annotated with `funded`: the sum of their sources of these states (of all, if none given)."""
    sources = funding(query).filter(project_id=OuterRef("project_id"))
    if securities:
        sources = sources.filter(security__in=securities)
    total = sources.order_by().values("project_id").annotate(total=Sum("amount")).values("total")
    zero = Value(Decimal(0), output_field=_MONEY)
    projects = (
        main_projects(query)
        .select_related("project")
        .annotate(funded=Coalesce(Subquery(total, output_field=_MONEY), zero, output_field=_MONEY))
        .order_by("name", "id")
    )
    return with_light(projects, query)


def secured(query: Query) -> QuerySet[ProjectState]:
    """Return main projects with what is secured or issued for them."""
    return _with_funding(query, Security.SECURED, Security.ISSUED)


def planned(query: Query) -> QuerySet[ProjectState]:
    """Return main projects with what is planned for them but not yet there."""
    return _with_funding(query, Security.PLANNED)


def all_sources(query: Query) -> QuerySet[ProjectState]:
    """Return main projects of known total investment with the sum of all their sources."""
    return _with_funding(query).exclude(total_investment=None)


def _define(code: str, name: Any, definition: Any, facts: Any, numerator: Any, **more: Any) -> None:
    register(
        Facts(
            code=code,
            name=name,
            unit=Unit.YUAN,
            definition=definition,
            source=LEDGER,
            grain=_("one main project"),
            dimensions=DIMENSIONS,
            conditions=CONDITIONS,
            rooms=("projects", "core", "people"),
            permission="funds.view",
            facts=facts,
            numerator=numerator,
            row=project_row,
            **more,
        )
    )


_define("funds.secured", _("Secured funds"),
        _("Sum of the sources that are secured or issued, of all main projects of the library."),
        secured, F("funded"), higher_is_better=True)  # fmt: skip
_define("funds.planned", _("Planned funds"),
        _("Sum of the sources that are planned but neither secured nor issued."), planned, F("funded"))  # fmt: skip
_define("funds.gap", _("Funding gap"),
        _("Total investment − every secured, issued or planned source, summed over the main projects of the library."),
        all_sources, F("total_investment") - F("funded"), higher_is_better=False)  # fmt: skip
