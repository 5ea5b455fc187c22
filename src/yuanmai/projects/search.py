"""What Ctrl+K finds of the projects room."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.core.engine.temporal import FOREVER
from yuanmai.core.policy import Actor
from yuanmai.core.search import Hit, matching, ranked, register_source
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.projects.models import ProjectState
from yuanmai.projects.permissions import SEE_PROJECTS


def find_projects(actor: Actor, text: str, limit: int) -> Sequence[Hit]:
    """Find projects by name, code or pinyin, by present knowledge and whatever the day; each project once."""
    rows = (
        ProjectState.objects.filter(
            matching(text, "name", "code", pinyin="pinyin"),
            org_id__in=actor.org_ids(SEE_PROJECTS),
            known_until=KNOWN_FOREVER,
            effective_until=FOREVER,  # the last span: one row a project, and a narrow look into the index
        )
        .annotate(rank=ranked(text, "name", "code", "pinyin"))
        .select_related("project", "org")
        .order_by("rank", "name", "pk")[:limit]
    )
    hits = []
    for state in rows:
        detail = " · ".join(part for part in (state.code, state.org.label, state.responsible) if part)
        url = reverse("projects:record", args=[state.project.uid])
        hits.append(Hit(state.name, url, detail, "crane", state.rank))
    return hits


register_source("projects", _("Projects"), find_projects, permission=SEE_PROJECTS, icon="crane", order=10)
