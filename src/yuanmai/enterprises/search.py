"""What Ctrl+K finds of the enterprises room."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import Actor
from yuanmai.core.search import Hit, ranked, register_source
from yuanmai.enterprises.permissions import SEE_ENTERPRISES
from yuanmai.enterprises.queries import named, register


def find_enterprises(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find enterprises by name, credit code or pinyin (one query)."""
    rows = named(register(actor.org_ids(SEE_ENTERPRISES)), text)
    rows = rows.annotate(hit_rank=ranked(text, "name", "credit_code", "pinyin")).order_by(
        "hit_rank", "name", "pk"
    )
    return [
        Hit(
            name,
            reverse("enterprises:record", args=[pk]),
            " · ".join(filter(None, [code, industry])),
            "building",
            rank,
        )
        for pk, name, code, industry, rank in rows.values_list(
            "pk", "name", "credit_code", "industry", "hit_rank"
        )[:limit]
    ]


register_source(
    "enterprises", _("Enterprises"), find_enterprises, permission=SEE_ENTERPRISES, icon="building", order=15
)
