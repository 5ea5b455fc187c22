"""What Ctrl+K finds of the reserve."""

from collections.abc import Sequence

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.common.money import yuan_text
from yuanmai.core.engine.temporal import FOREVER
from yuanmai.core.figures.display import chinese
from yuanmai.core.policy import Actor
from yuanmai.core.search import Hit, matching, ranked, register_source
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.models import Reserve
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.projects.models import ProjectState


def find_reserves(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find reserve projects by their project's name, code or pinyin."""
    states = ProjectState.objects.filter(
        project_id=OuterRef("project_id"), known_until=KNOWN_FOREVER, effective_until=FOREVER
    )
    rows = (
        Reserve.objects.filter(org_id__in=actor.org_ids(SEE_FUNDS), withdrawn_at=None)
        .annotate(
            name=Subquery(states.values("name")[:1]),
            code=Subquery(states.values("code")[:1]),
            pinyin=Subquery(states.values("pinyin")[:1]),
        )
        .filter(matching(text, "name", "code", pinyin="pinyin"))
        .annotate(rank=ranked(text, "name", "code", "pinyin"))
        .select_related("org")
        .order_by("rank", "name", "-year", "pk")[:limit]
    )
    return [
        Hit(
            str(row.name),
            reverse("funds:reserve_record", args=[row.uid]),
            " · ".join(
                (
                    str(row.year),
                    row.get_state_display(),
                    yuan_text(row.requested, chinese=chinese()),
                    row.org.label,
                )
            ),
            "inbox",
            row.rank + 1,  # the project itself comes first
        )
        for row in rows
    ]


register_source("reserve", _("Bond reserve"), find_reserves, permission=SEE_FUNDS, icon="inbox", order=15)
