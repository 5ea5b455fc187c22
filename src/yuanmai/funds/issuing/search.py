"""What Ctrl+K finds of bonds: tranches by code, name, batch or issuer."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import Actor
from yuanmai.core.search import Hit, matching, ranked, register_source
from yuanmai.funds.models import Tranche
from yuanmai.funds.permissions import SEE_FUNDS


def find_tranches(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find the tranches that concern the reader's organisations."""
    rows = (
        Tranche.objects.filter(matching(text, "code", "name", "batch_name", "issuer"), retracted_at=None)
        .annotate(rank=ranked(text, "name", "code"))
        .order_by("rank", "-value_date", "pk")[:limit]
    )
    return [
        Hit(
            row.name,
            reverse("funds:tranche", args=[row.uid]),
            " · ".join(part for part in (row.code, row.batch_name, row.value_date.isoformat()) if part),
            "file-certificate",
            row.rank,
        )
        for row in rows
    ]


register_source(
    "tranches", _("Tranches"), find_tranches, permission=SEE_FUNDS, icon="file-certificate", order=30
)
