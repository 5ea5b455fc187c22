"""What Ctrl+K finds of the devices room."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import Actor
from yuanmai.core.search import Hit, matching, ranked, register_source
from yuanmai.devices.models import Device
from yuanmai.devices.permissions import SEE_DEVICES
from yuanmai.devices.registry.tables import SHORT


def find_devices(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find devices by name, code or identity in the protocol (one query)."""
    rows = Device.objects.filter(org_id__in=list(actor.org_ids(SEE_DEVICES)), retired_at=None)
    rows = rows.filter(matching(text, "name", "name_en", "code", "key"))
    rows = rows.annotate(hit_rank=ranked(text, "name", "code", "key")).order_by("hit_rank", "code", "pk")
    return [
        Hit(
            row.label,
            reverse("devices:record", args=[row.pk]),
            " · ".join([row.code, SHORT[row.protocol]]),
            "server",
            row.hit_rank,
        )
        for row in rows[:limit]
    ]


register_source("devices", _("Devices"), find_devices, permission=SEE_DEVICES, icon="server", order=18)
