"""Contradictions in the funding: sources that exceed the total investment."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.core.actions import Act
from yuanmai.core.figures import Query
from yuanmai.core.figures.display import chinese
from yuanmai.core.findings import FindingKind, Found, finding_kind
from yuanmai.funds.queries import funded
from yuanmai.projects.findings import evidence, settle
from yuanmai.projects.queries import states

OVER_TOTAL = "funds.over_total"


def _sentence(params: Mapping[str, Any]) -> str:
    def shown(name: str) -> str:
        return yuan_text(Decimal(str(params[name])), chinese=chinese())

    return _("“%(name)s”: the sources add up to %(sum)s, more than the total investment of %(total)s.") % {
        "name": params["name"],
        "sum": shown("sum"),
        "total": shown("total"),
    }


finding_kind(
    FindingKind(
        OVER_TOTAL,
        gettext_lazy("More funding than total investment"),
        _sentence,
        gettext_lazy("Check whether a source was entered twice, or the total investment was raised."),
    )
)


def refresh_findings(
    org_ids: Iterable[int], as_of: date, act: Act, project_ids: Iterable[int] | None = None
) -> None:
    """Look for contradictions as of a day, inside a running action; `project_ids` limits the look to these projects."""
    orgs = tuple(sorted(set(org_ids)))
    query = Query(orgs, as_of)
    rows = states(query).annotate(funded=funded(query)).filter(funded__gt=F("total_investment"))
    keys = None
    if project_ids is not None:
        ids = list(project_ids)
        rows, keys = rows.filter(project_id__in=ids), {f"project-{pk}" for pk in ids}
    found: dict[int, list[Found]] = {org_id: [] for org_id in orgs}
    for state in rows.select_related("project").order_by():
        params = {"name": state.name, "sum": str(state.funded), "total": str(state.total_investment)}
        found[state.org_id].append(
            Found(OVER_TOTAL, f"project-{state.project_id}", params, [evidence(state, state.funded)])
        )
    for org_id, items in found.items():
        settle(act, org_id, (OVER_TOTAL,), items, as_of, keys)
