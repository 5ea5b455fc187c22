"""Whether readings find their way: room on the disk, and an ingest process that keeps up."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.jobs.schedule import Every, scheduled

WARNING, CRITICAL = 85, 95  # per cent of the disk
SILENT = 120  # seconds without a sign of the ingest process
LATE = 300  # seconds that readings wait
HEALTH = ".ingest-health.json"  # beside the journals; the ingest process writes it every two seconds


class Alarm(RuntimeError):  # noqa: N818  (an alarm, not an error of the program)
    """Somebody must do something; shown as the error of this work on the page of the system."""


@scheduled("devices.readings_way", gettext_lazy("See that readings find room and are taken in"), Every(2))
def readings_way() -> str:
    """Say how full the disk is and how far the ingest process has come.

    Raises `Alarm` at 85 % and again, more urgently, at 95 %, and where readings wait for minutes.
    """
    used = max((_used(path) for path in _places()), default=0)
    told = health()
    if used >= CRITICAL:
        raise Alarm(
            _("The disk is %(used)s %% full. Soon no more readings can be taken: make room at once.")
            % {"used": used}
        )
    if used >= WARNING:
        raise Alarm(
            _("The disk is %(used)s %% full. Make room, or keep raw readings for a shorter time.")
            % {"used": used}
        )
    if told is not None:
        silent = int(time.time() - told["at"])
        if silent > SILENT:
            raise Alarm(
                _("The ingest process has given no sign for %(seconds)s s. Readings wait.")
                % {"seconds": silent}
            )
        if told["troubles"]:
            raise Alarm("; ".join(f"{where}: {why}" for where, why in told["troubles"].items()))
        if told["lag_seconds"] > LATE:
            raise Alarm(
                _("Readings wait for %(seconds)s s before they are taken in.")
                % {"seconds": int(told["lag_seconds"])}
            )
    waiting = 0 if told is None else told["backlog_records"]
    return _("The disk is %(used)s %% full; %(waiting)s records wait.") % {"used": used, "waiting": waiting}


def health() -> dict[str, Any] | None:
    """Return what the ingest process told last, nothing where it never ran."""
    try:
        told = json.loads((Path(settings.JOURNAL_ROOT) / HEALTH).read_text())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _places() -> list[Path]:
    lake = [] if "://" in settings.LAKE else [Path(settings.LAKE)]
    return [path for path in (Path(settings.JOURNAL_ROOT), *lake) if path.exists()]


def _used(path: Path) -> int:
    space = shutil.disk_usage(path)
    return int(100 * space.used / max(space.used + space.free, 1))
