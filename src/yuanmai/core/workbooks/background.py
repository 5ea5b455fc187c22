"""Taking over a big workbook in the background: progress, cancel, and all or nothing."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.jobs.registry import Run, job
from yuanmai.core.workbooks.kinds import KINDS, checked
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.running import read_batch


@job("core.import_workbook", gettext_lazy("Import of a workbook"))
def import_workbook(run: Run, *, batch: int) -> dict[str, Any]:
    """Take over the batch with this number; cancelling rolls everything back."""
    row = ImportBatch.objects.get(pk=batch)
    kind = KINDS[row.kind]
    run.progress(0, 0, _("Reading the workbook"))
    parsed = checked(kind, read_batch(row, kind.spec), row.org_id)
    with run.finishing() as end:
        plan = kind.commit(
            run.actor, row, parsed, lambda done, total: run.progress(done, total, _("Writing rows"))
        )
        counts = {name: plan.count(name) for name in ("created", "updated", "unchanged")}
        end.result, end.url = counts, reverse("imports:record", args=[batch])
        end.message = _("Taken over: %(created)s new, %(updated)s changed, %(unchanged)s unchanged.") % counts
    return counts
