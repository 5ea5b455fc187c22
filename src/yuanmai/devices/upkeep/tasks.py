"""The periodic work of the lake. One process at a time; a round that finds another at work leaves it to it."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.jobs.gently import gently
from yuanmai.core.jobs.schedule import Daily, Every, scheduled
from yuanmai.devices.upkeep import backup  # noqa: F401  (importing it declares readings as a part of backups)


@scheduled("devices.lake_round", gettext_lazy("Sort new readings, compact and roll up days"), Every(1))
def lake_round() -> str:
    """Bring what has arrived into order, so that readers find few and sorted files."""
    from yuanmai.devices.registry.lake import queries
    from yuanmai.devices.store.upkeep import maintain

    lake = queries().lake
    done = gently(lambda: maintain(lake, wait=False))
    if done is None:
        return _("Another round is under way.")
    return _("%(files)s files sorted, %(days)s days compacted, %(rolled)s days rolled up.") % {
        "files": done.sorted,
        "days": done.compacted,
        "rolled": done.rolled,
    }


@scheduled(
    "devices.lake_night",
    gettext_lazy("Compact all past days, remove what has expired, look for damage"),
    Daily(1, 40),
)
def lake_night() -> str:
    """Compact every day that is over, remove readings older than the installation keeps, read all files against checksums.

    Damage is an error on the page of the system and in the server's log; the damaged files are in quarantine by then.
    """
    from yuanmai.devices.registry.lake import queries
    from yuanmai.devices.store import upkeep

    lake = queries().lake
    gently(lambda: upkeep.maintain(lake, everything=True))
    today = timezone.localdate()
    raw, rolled = settings.LAKE_RAW_DAYS, settings.LAKE_ROLLED_DAYS
    expired = 0
    if raw:
        expired = upkeep.retain(
            lake, today - timedelta(days=raw), today - timedelta(days=rolled) if rolled else None
        )
    upkeep.sweep(lake)
    faults = gently(lambda: upkeep.scrub(lake))
    if faults:
        raise RuntimeError(
            "the lake is damaged: " + "; ".join(f"{f.kind}: {f.path}: {f.detail}" for f in faults)
        )
    return _("Whole: %(rows)s readings. %(expired)s files expired.") % {
        "rows": upkeep.numbers(lake)["rows"],
        "expired": expired,
    }
