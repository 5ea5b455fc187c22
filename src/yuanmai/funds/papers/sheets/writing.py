"""Writing the form of a large place in the background."""

import hashlib
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.figures import Query
from yuanmai.core.jobs.registry import Run, job
from yuanmai.funds.papers.sheets.model import FORMS, Asked, written
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.people.models import Organisation
from yuanmai.projects.ledger import org_ids_below

WRITE = "funds.write_form"
STEPS = 3  # reading, writing, keeping


def file_of(digest: str) -> Path | None:
    """Return where a written form lies; None for what is no digest."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        return None
    return Path(settings.MEDIA_ROOT) / "papers" / digest[:2] / digest


@job(WRITE, gettext_lazy("Writing of a form"))
def write_form(
    run: Run, *, form: str, ending: str, org: int, as_of: str, known_at: str | None
) -> dict[str, Any]:
    """Fill in a form of a place as whoever asked may see it, and keep it as a file."""
    run.actor.require(SEE_FUNDS, org)
    place = Organisation.objects.get(pk=org)
    allowed = run.actor.org_ids(SEE_FUNDS)
    ids = tuple(pk for pk in org_ids_below(org) if pk in allowed)
    known = datetime.fromisoformat(known_at) if known_at else None
    asked = Asked(Query(ids, date.fromisoformat(as_of), known), place)
    run.progress(0, STEPS, _("Reading"))
    sheet = FORMS[form].fill(asked)
    run.progress(1, STEPS, _("Writing the file"))
    content = written(sheet, asked, ending)
    digest = hashlib.sha256(content).hexdigest()
    path = file_of(digest)
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
    result = {"digest": digest, "name": f"{sheet.title} {as_of}.{ending}", "ending": ending}
    with run.finishing() as end:
        end.result, end.url = result, reverse("funds:paper_finished", args=[run.job.pk])
        end.message = _("The form is written.")
    return result
